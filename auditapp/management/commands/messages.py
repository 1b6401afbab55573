"""python manage.py messages: brings the German catalogue up to date with the strings of pages and code, and compiles it.

In Python alone, so that neither users nor developers need the gettext tools; a test makes the same two files in memory and compares."""

from __future__ import annotations

import ast
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from django.core.management.base import BaseCommand
from django.template import Engine
from django.template.base import Node, NodeList
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

from auditapp.settings import BASE_DIR
from auditapp.statement_fields import FIELDS, SECTIONS
from auditapp.templatetags.audit import METRIC_NAMES
from automl import printing
from automl.crosswalk.jurisdictions import JURISDICTIONS

CATALOGUE = BASE_DIR / "auditapp" / "locale" / "de" / "LC_MESSAGES" / "django.po"
MARKERS = {"gettext", "gettext_lazy", "gettext_noop", "ngettext"}
HEADER = "Language: de\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\nPlural-Forms: nplurals=2; plural=(n != 1);\n"


class Message(NamedTuple):
    text: str
    plural: str | None = None


Catalogue = dict[Message, tuple[str, ...]]
"""What was said of each message: one text, or two where it has a plural; empty where nobody has translated it."""


def messages() -> list[Message]:
    """Every string that pages or code mark, in the order of their files, each once."""
    found = [message for path in sorted((BASE_DIR / "templates").rglob("*.*")) for message in _of_template(path)]
    found += [message for path in sorted((BASE_DIR / "auditapp").rglob("*.py")) for message in _of_code(path)]
    found += [Message(words) for words in _of_data()]
    plural = {message.text for message in found if message.plural is not None}
    return list(dict.fromkeys(message for message in found if message.plural is not None or message.text not in plural))


def _of_template(path: Path) -> Iterator[Message]:
    nodes = Engine.get_default().from_string(path.read_text()).nodelist
    for node in _nodes(nodes):
        if isinstance(node, TranslateNode) and isinstance(node.filter_expression.var.literal, str):
            yield Message(node.filter_expression.var.literal.replace("%", "%%"))  # as Django looks it up
        elif isinstance(node, BlockTranslateNode):
            singular, plural = (node.render_token_list(tokens)[0] for tokens in (node.singular, node.plural or []))
            yield Message(singular, plural if node.plural else None)


def _nodes(nodes: NodeList) -> Iterator[Node]:
    for node in nodes:
        yield from node.get_nodes_by_type(Node)


def _of_code(path: Path) -> Iterator[Message]:
    tree = ast.parse(path.read_text())
    names = {alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
             for alias in node.names if alias.name in MARKERS}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            texts = [argument.value for argument in node.args[:2] if isinstance(argument, ast.Constant) and isinstance(argument.value, str)]
            if texts:
                yield Message(*texts)


def _of_data() -> Iterator[str]:
    """Words that the evidence and the report have in English and that pages show in their own language."""
    for words in (printing.LABEL_WORDS, printing.WORDING_WORDS, printing.FAIRNESS_WORDS, printing.GOVERNING_WORDS, printing.PROFILE_WORDS, printing.PART_WORDS, printing.CRITERION_WORDS, SECTIONS):
        yield from words.values()
    yield from (name.replace("_", " ") for name in printing.METRIC_WORDS if name not in METRIC_NAMES)
    yield from (one.title for one in JURISDICTIONS.values())
    for field in FIELDS.values():
        yield from (field.label, field.help, field.who, *(field.choices or {}).values())


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


def up_to_date(catalogue: Catalogue) -> Catalogue:
    """Today's messages with what was said of them; new ones with empty texts."""
    return {message: catalogue.get(message) or ("",) * (1 if message.plural is None else 2) for message in messages()}


class Command(BaseCommand):
    help = "Bring the German catalogue up to date with the strings of pages and code, and compile it."

    def handle(self, *args: Any, **options: Any) -> None:
        catalogue = up_to_date(read(CATALOGUE.read_text()) if CATALOGUE.exists() else {})
        CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
        CATALOGUE.write_text(written(catalogue))
        CATALOGUE.with_suffix(".mo").write_bytes(compiled(catalogue))
        empty = [message.text for message, texts in catalogue.items() if not all(texts)]
        self.stdout.write(f"{len(catalogue)} messages, {len(empty)} without a translation")
        for text in empty:
            self.stdout.write(f"  {text}")
