"""Which characters the report's fonts can draw. The compiler refuses a whole document for one character that no font has, inside an SVG too.

Our own fonts have Latin, Greek and Cyrillic. For other scripts the system's Noto fonts are taken, where they are installed and only for documents that need them.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fontTools.ttLib import TTCollection, TTFont, TTLibError

FONTS = Path(__file__).resolve().parent.parent / "fonts"
LONGEST_TEXT = 4_000
"""PDF/A allows 32,767 bytes in a string, and a caption or alternative text may join several texts; a column's name may have 65,536 characters."""


PLACES = ("/usr/share/fonts/opentype/noto", "/usr/share/fonts/truetype/noto")
"""Where Debian's fonts-noto-cjk and fonts-noto-core put them."""
OF_SCRIPTS = tuple(f"NotoSans{script}" for script in (
    "CJK", "Arabic", "Hebrew", "Devanagari", "Bengali", "Gurmukhi", "Gujarati", "Tamil", "Telugu", "Kannada", "Malayalam", "Sinhala", "Thai", "Lao", "Myanmar", "Khmer", "Georgian", "Armenian", "Ethiopic"))
WRITTEN_AS = "Noto Sans CJK SC"
"""Of the faces of one collection, which draw one Han character in the ways of several countries. Whose a name is, nobody can tell from it."""


@dataclass(frozen=True)
class Face:
    """A font for a further script: its family, its files (regular and, where there is one, bold), and what it can draw."""

    family: str
    files: tuple[Path, ...]
    characters: frozenset[int]


def faces_for(text: str) -> list[Face]:
    """The further fonts that have characters of ``text`` which ours lack."""
    missing = set(map(ord, set(text))) - characters_of_fonts()
    return [face for face in _further_faces(PLACES) if missing & face.characters] if missing else []


@functools.cache
def _further_faces(places: tuple[str, ...]) -> tuple[Face, ...]:
    found = []
    for name in OF_SCRIPTS:
        files = [path for place in places for path in sorted(Path(place).glob(f"{name}-Regular.*")) + sorted(Path(place).glob(f"{name}-Bold.*"))]
        if files and (face := _face(files)) is not None:
            found.append(face)
    return tuple(found)


def _face(files: list[Path]) -> Face | None:
    try:
        with files[0].open("rb") as file:
            fonts = list(TTCollection(file, lazy=True)) if files[0].suffix == ".ttc" else [TTFont(file, lazy=True)]
            font = next((font for font in fonts if font["name"].getBestFamilyName() == WRITTEN_AS), fonts[0])
            return Face(font["name"].getBestFamilyName(), tuple(files), frozenset(font.getBestCmap()))
    except (TTLibError, OSError, KeyError):  # a damaged font is one that is not installed
        return None


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
    if text.isprintable() and characters_of_fonts().issuperset(map(ord, text)):  # nearly every text
        return text
    known = (characters_of_fonts(), *(face.characters for face in faces_for(text)))
    parts = []
    for has, run in itertools.groupby(text, key=lambda character: character.isprintable() and any(ord(character) in characters for characters in known)):
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
