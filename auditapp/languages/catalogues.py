"""Catalogues of texts and what they are in German: files in gettext's form, read, written and compiled in Python alone, so that nobody needs the gettext tools."""

from __future__ import annotations

import ast
import struct
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parent.parent / "locale" / "de" / "LC_MESSAGES"
OF_PAGES = FOLDER / "django.po"
OF_SENTENCES = FOLDER / "sentences.po"
HEADER = "Language: de\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\nPlural-Forms: nplurals=2; plural=(n != 1);\n"


class Message(NamedTuple):
    text: str
    plural: str | None = None


Catalogue = dict[Message, tuple[str, ...]]
"""What was said of each message: one text, or two where it has a plural; empty where nobody has translated it."""


def read(text: str) -> Catalogue:
    """A .po file as `written` writes it."""
    catalogue: Catalogue = {}
    for block in text.split("\n\n")[1:]:
        said = dict(line.split(" ", 1) for line in block.splitlines() if not line.startswith("#"))
        parts = {key: str(ast.literal_eval(value)) for key, value in said.items()}
        message = Message(parts["msgid"], parts.get("msgid_plural"))
        catalogue[message] = tuple(value for key, value in parts.items() if key.startswith("msgstr"))
    return catalogue


def written(catalogue: Catalogue) -> str:
    """The .po file: one line for each text, without places in the code, so that a change of the one is not a change of the other."""
    blocks = ["\n".join(['msgid ""', 'msgstr ""', *(_quoted(line) for line in HEADER.splitlines(keepends=True))])]
    for message, texts in catalogue.items():
        lines = ["#, python-format"] if "%(" in message.text else []
        lines.append(f"msgid {_quoted(message.text)}")
        if message.plural is not None:
            lines.append(f"msgid_plural {_quoted(message.plural)}")
        lines += [f"msgstr{'' if message.plural is None else f'[{i}]'} {_quoted(text)}" for i, text in enumerate(texts)]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def compiled(catalogue: Catalogue) -> bytes:
    """The .mo file that Django reads, the same bytes for the same texts."""
    pairs = {"": HEADER} | {
        message.text if message.plural is None else f"{message.text}\0{message.plural}": "\0".join(texts) for message, texts in catalogue.items() if all(texts)}
    entries = sorted((key.encode(), text.encode()) for key, text in pairs.items())
    count = len(entries)
    at = 28 + 16 * count
    tables, data = [], b""
    for column in (0, 1):
        for entry in entries:
            tables.append(struct.pack("<II", len(entry[column]), at + len(data)))
            data += entry[column] + b"\0"
    return struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, at) + b"".join(tables) + data
