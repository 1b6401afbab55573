"""Which characters the report's fonts can draw. The compiler refuses a whole document for one character that no font has, inside an SVG too."""

from __future__ import annotations

import functools
import itertools
from pathlib import Path
from typing import Any

from fontTools.ttLib import TTFont

FONTS = Path(__file__).resolve().parent.parent / "fonts"


@functools.cache
def characters_of_fonts(folder: Path = FONTS) -> frozenset[int]:
    """Code points that every font in ``folder`` has: a heading must not lack what its text has."""
    maps = [set(TTFont(path, lazy=True).getBestCmap()) for path in sorted(folder.glob("*.ttf"))]
    return frozenset(set.intersection(*maps)) if maps else frozenset()


def printable(text: str) -> str:
    """``text`` with each run of characters that the fonts lack as code points, "[U+65E5 U+672C]", and so each that controls layout."""
    known = characters_of_fonts()
    parts = []
    for has, run in itertools.groupby(text, key=lambda character: character.isprintable() and ord(character) in known):
        characters = "".join(run)
        parts.append(characters if has else "[" + " ".join(f"U+{ord(character):04X}" for character in characters) + "]")
    return "".join(parts)


def printable_document(document: Any) -> tuple[Any, bool]:
    """A copy of a JSON document whose string values can all be printed, and whether any had to be changed. Keys are ours and stay."""
    changed = False

    def walk(node: Any) -> Any:
        nonlocal changed
        if isinstance(node, str):
            text = printable(node)
            changed = changed or text != node
            return text
        if isinstance(node, dict):
            return {key: walk(value) for key, value in node.items()}
        if isinstance(node, list | tuple):
            return [walk(value) for value in node]
        return node

    return walk(document), changed


