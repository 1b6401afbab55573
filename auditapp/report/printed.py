"""Whether the numbers that a report prints are those of the documents attached to it. Run in the confined child, on reports that our own key signed.

Of the pages only the text is read: what the compiler writes between BT and ET, through each font's own table of characters. Pictures are objects of their own
and are left out, and so are whole numbers below a thousand, which count pages, tables and sections too.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

MOST_PAGES = 2_000
MOST_NODES = 10_000
NUMBER = re.compile(r"(?<![\w.])[−-]?\d[\d,]*(?:\.\d+)?(?:e[−+-]?\d+)?(?!\w)")
GERMAN_NUMBER = re.compile(r"(?<![\w.,])[−-]?(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?(?:e[−+-]?\d+)?(?!\w)")
COMMA_FOR_POINT = str.maketrans(",.", ".,")
NOT_NUMBERS = re.compile(r"\[U\+[^\]\n]*\]|\b(?=[0-9a-f]*\d)[0-9a-f]{12,64}\b")
SMALL = 1_000

_LITERAL = rb"(?:[^\\()]++|\\.)"
for _ in range(8):  # brackets that close within a string need no escape
    _LITERAL = rb"(?:[^\\()]++|\\.|\(" + _LITERAL + rb"*\))"
_PIECE = re.compile(rb"/(?P<font>[^\s/<>\[\]()]+)\s+[\d.]+\s+Tf|\((?P<text>" + _LITERAL + rb"*)\)|(?P<mark>\b(?:BT|ET)\b)", re.DOTALL)
_CHARACTERS = re.compile(rb"<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]+)>")


def unfounded(texts: Iterable[str], documents: Iterable[Any], lang: str = "en") -> list[str]:
    """Numbers in ``texts``, as their language writes them, that no document holds at the digits printed: as they are, or a hundred times as large for per cent. In the order of the text, each once."""
    numbers, said = _leaves(list(documents))
    known = sorted([*numbers, *(value * 100 for value in numbers)])
    strings = " \n ".join(said)
    found = dict.fromkeys((GERMAN_NUMBER if lang == "de" else NUMBER).findall(NOT_NUMBERS.sub(" ", "\n".join(texts))))
    return [token for token in found if not _held(token.translate(COMMA_FOR_POINT) if lang == "de" else token, known, strings)]


def _held(number: str, known: list[float], strings: str) -> bool:
    return _founded(number, known) or _stands_in(number, strings)


def _stands_in(number: str, strings: str) -> bool:
    """Not as a part of a longer one."""
    at = strings.find(number)
    while at >= 0:
        end = at + len(number)
        if not strings[at - 1:at].isdecimal() and not strings[end:end + 1].isdecimal():
            return True
        at = strings.find(number, at + 1)
    return False


def _founded(token: str, known: list[float]) -> bool:
    plain = token.replace("−", "-").replace(",", "")
    number = float(plain)
    if plain.lstrip("-").isdigit() and abs(number) < SMALL:
        return True
    mantissa, _, power = plain.partition("e")
    decimals = len(mantissa.partition(".")[2])
    # Half a unit of the last digit printed, either way: a half may have been rounded up or down
    reach = 0.5 * 10.0 ** (int(power or 0) - decimals) * (1 + 1e-9)
    at = bisect.bisect_left(known, number - reach)
    return at < len(known) and known[at] <= number + reach


def page_texts(reader: Any) -> Iterator[str]:
    """The text runs of every page of a pyHanko reader's document, in the order in which they were written; running heads and other artifacts too."""
    tables: dict[Any, dict[int, str]] = {}  # pages share their fonts
    for page in _pages(reader):
        fonts = {}
        for name, font in page["/Resources"].get("/Font", {}).items():
            key = getattr(font, "idnum", id(font))
            if key not in tables:
                tables[key] = _characters(font.get_object())
            fonts[str(name).lstrip("/")] = tables[key]
        contents = page["/Contents"]
        streams = contents if isinstance(contents, list) else [contents]
        yield from _runs(b"\n".join(stream.get_object().data for stream in streams), fonts)


def _pages(reader: Any) -> Iterator[Any]:
    waiting, seen = [reader.root["/Pages"]], 0
    for _ in range(MOST_NODES):
        if not waiting or seen >= MOST_PAGES:
            return
        node = waiting.pop()
        if "/Kids" in node:
            waiting.extend(kid.get_object() for kid in reversed(list(node["/Kids"])))
        else:
            seen += 1
            yield node


def _characters(font: Any) -> dict[int, str]:
    if "/ToUnicode" not in font:
        return {}
    table = font["/ToUnicode"]
    return {int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be", errors="replace") for code, text in _CHARACTERS.findall(table.data) if len(text) % 4 == 0}


def _runs(content: bytes, fonts: Mapping[str, Mapping[int, str]]) -> Iterator[str]:
    """Decoded together as far as one font goes: there are tens of thousands of pieces."""
    font: Mapping[int, str] = {}
    within = False  # outside a text object a string is a property, such as an alternative text
    pieces: list[bytes] = []
    said: list[str] = []
    for found in _PIECE.finditer(content):
        if found.lastgroup == "text":
            if within:
                pieces.append(_unescaped(found["text"]))
        elif found.lastgroup == "font":
            said.append(_decoded(pieces, font))
            pieces, font = [], fonts.get(found["font"].decode("latin-1"), {})
        elif found["mark"] == b"BT":
            within = True
        elif within:
            pieces.append(_END.encode("utf-16-be"))
            within = False
    yield from "".join([*said, _decoded(pieces, font)]).split(_END)[:-1]


_END = "\uffff"
"""Of a run: a code that no font of ours has."""


def _unescaped(literal: bytes) -> bytes:
    # The compiler escapes as Python does, but for brackets; each character is two bytes
    return literal.replace(rb"\(", rb"\050").replace(rb"\)", rb"\051").decode("unicode_escape").encode("latin-1") if b"\\" in literal else literal


def _decoded(pieces: list[bytes], font: Mapping[int, str]) -> str:
    return b"".join(pieces).decode("utf-16-be", errors="replace").translate(font)


def _leaves(document: Any) -> tuple[list[float], list[str]]:
    """The numbers of a JSON document, and its texts with the keys."""
    numbers: list[float] = []
    texts: list[str] = []
    waiting = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            texts += map(str, node)
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
        elif isinstance(node, str):
            texts.append(node)
        elif isinstance(node, int | float) and not isinstance(node, bool):
            numbers.append(float(node))
    return numbers, texts
