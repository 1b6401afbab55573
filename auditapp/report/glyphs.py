"""Which characters the report's fonts can draw. The compiler refuses a whole document for one character that no font has, inside an SVG too."""

from __future__ import annotations

import functools
import hashlib
import itertools
from pathlib import Path
from typing import Any

from fontTools.ttLib import TTFont

FONTS = Path(__file__).resolve().parent.parent / "fonts"
LONGEST_TEXT = 4_000
"""PDF/A allows 32,767 bytes in a string, and a caption or alternative text may join several texts; a column's name may have 65,536 characters."""


@functools.cache
def characters_of_fonts(folder: Path = FONTS) -> frozenset[int]:
    """Code points that every font in ``folder`` has: a heading must not lack what its text has."""
    common: set[int] | None = None
    for path in sorted(folder.glob("*.ttf")):
        with TTFont(path, lazy=True) as font:
            characters = set(font.getBestCmap())
        common = characters if common is None else common & characters
    return frozenset(common or ())


def printable(text: str, longest_run: int | None = None) -> str:
    """``text`` with each run of characters that the fonts lack as code points, "[U+65E5 U+672C]", and so each that controls layout.

    ``longest_run``: code points named per run; more are cut with an ellipsis.
    """
    known = characters_of_fonts()
    parts = []
    for has, run in itertools.groupby(text, key=lambda character: character.isprintable() and ord(character) in known):
        characters = "".join(run)
        named = [f"U+{ord(character):04X}" for character in characters[:longest_run]]
        more = [] if longest_run is None or len(characters) <= longest_run else ["\N{HORIZONTAL ELLIPSIS}"]
        parts.append(characters if has else f"[{' '.join(named + more)}]")
    return "".join(parts)


def shortened(node: Any) -> Any:
    """A copy of a JSON document with each overlong string cut; what is cut says so, and which text it was. The whole is in the evidence."""
    if isinstance(node, str) and len(node) > LONGEST_TEXT:
        sha256 = hashlib.sha256(node.encode(errors="surrogatepass")).hexdigest()
        return f"{node[:LONGEST_TEXT]}\N{HORIZONTAL ELLIPSIS} (cut here: {len(node):,} characters, sha256 {sha256})"
    if isinstance(node, dict):
        return {key: shortened(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [shortened(value) for value in node]
    return node


def printable_document(document: Any, longest_run: int | None = None) -> tuple[Any, bool]:
    """A copy of a JSON document whose string values can all be printed, and whether any had to be changed. Keys are ours and stay.

    Different strings stay different even where they are cut: in a chart the label is what tells two groups apart.
    """
    written: dict[str, str] = {}
    taken: set[str] = set()

    def write(text: str) -> str:
        if text not in written:
            shown = chosen = printable(text, longest_run)
            twin = 2
            while shown != text and chosen in taken:
                chosen, twin = f"{shown} [{twin}]", twin + 1
            written[text] = chosen
            taken.add(chosen)
        return written[text]

    def walk(node: Any) -> Any:
        if isinstance(node, str):
            return write(node)
        if isinstance(node, dict):
            return {key: walk(value) for key, value in node.items()}
        if isinstance(node, list | tuple):
            return [walk(value) for value in node]
        return node

    copy = walk(document)
    return copy, any(before != after for before, after in written.items())
