"""How wide the columns of a table are: as its texts need, so that as few of them as can be take a second line.

Reckoned from the letters' own widths, not laid out: the compiler would have to lay out each table twice. A column of weight 0 stays as wide as its text; the others share what is left.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from fontTools.ttLib import TTFont

from auditapp.report.blocks import Block, Cell
from auditapp.report.glyphs import FONTS

WIDTH, GUTTER = 498.9, 14.0
"""Points between the margins of a page, and between two tables that stand beside each other."""
SIZE = 7.6
"""Points of the letters in our tables."""
SLACK = 1.04
"""For headings, whose letters are a little bolder, and for what is not reckoned, such as kerning."""
OTHER = 0.6
"""Share of the size that a letter of another font is taken to be wide."""
STEP, MOST_MOVES = 12.0, 10
"""Points that a column gives another at a time, and how often."""
HALVED_FROM = 9
"""Rows from which a narrow table stands in two halves beside each other."""


def wide_enough(blocks: Sequence[Block], width: float = WIDTH) -> list[Block]:
    """The blocks, their tables with "widths" (0: as wide as its text) and with "halves", whether they stand in two halves. Tables that share a line are paired as the template pairs them."""
    sized: list[Block] = []
    while len(sized) < len(blocks):
        one = blocks[len(sized)]
        if one["kind"] == "columns":
            half = (width - GUTTER) / 2
            sized.append({**one, "left": wide_enough(one["left"], half), "right": wide_enough(one["right"], half)})
        elif one["kind"] != "table":
            sized.append(one)
        elif (pair := list(blocks[len(sized):len(sized) + 2]))[0]["share"] and len(pair) == 2 and pair[1].get("share"):
            shares = sum(each["share"] for each in pair)
            sized += [{**each, "halves": False, "widths": _widths(each, (width - GUTTER) * each["share"] / shares)} for each in pair]
        else:
            halves = not one["share"] and len(one["rows"]) >= HALVED_FROM and sum(column.least if column.weight else column.whole for column in _columns(one)) <= (width - GUTTER) / 2
            sized.append({**one, "halves": halves, "widths": _widths(one, (width - GUTTER) / 2 if halves else width)})
    return sized


def points(text: str) -> float:
    """How wide a text is on one line."""
    widths = _letters()
    return SLACK * SIZE * sum(widths.get(letter, OTHER) for letter in text)


@functools.cache
def _letters() -> dict[str, float]:
    """Their widths, in shares of their size."""
    with TTFont(FONTS / "SourceSans3_400Regular.ttf", lazy=True) as font:
        units, wide = font["head"].unitsPerEm, font["hmtx"]
        return {chr(code): wide[name][0] / units for code, name in font.getBestCmap().items()}


@dataclass(frozen=True)
class _Column:
    """What is known of a column, in points: its heading, the longest word of that, its cells, their longest word, and what lies beside them."""

    heading: float
    of_heading: float
    cells: tuple[float, ...]
    word: float
    weight: float
    padding: float

    @property
    def least(self) -> float:
        """For every cell on one line, and the heading in as many as it has words."""
        return max(self.of_heading, *self.cells) + self.padding

    @property
    def whole(self) -> float:
        """For everything on one line, the heading too: what a column of weight 0 takes."""
        return max(self.heading, *self.cells) + self.padding

    def needed(self, lines: int) -> float:
        """The same, with a heading of about so many lines."""
        return max(self.least, self.heading / lines + 2 * SIZE / lines + self.padding)

    @property
    def unbroken(self) -> float:
        """For the longest word."""
        return max(self.word, self.of_heading) + self.padding


def _columns(block: Block) -> list[_Column]:
    padding = 6.0 if block["dense"] else 8.0
    found = []
    for at in range(1 if block.get("grouped") else 0, len(block["columns"])):
        title, cells = block["columns"][at], [row[at] for row in block["rows"]]
        found.append(_Column(points(title), _longest_word(title), tuple(_cell(cell) for cell in cells), max(map(_longest_word, cells)), block["widths"][at], padding))
    return found


def _cell(cell: Cell) -> float:
    return points(cell) if isinstance(cell, str) else points("100")


def _longest_word(cell: Cell) -> float:
    return points(max(cell.split(" "), key=len)) if isinstance(cell, str) else points("100")


def _widths(block: Block, width: float) -> list[float]:
    """One number a column of the block, in points; 0 where it is as wide as its text."""
    columns = _columns(block)
    fixed = sum(column.whole for column in columns if not column.weight)
    flexible = [column for column in columns if column.weight]
    if not flexible or width - fixed <= 0:
        return list(block["widths"])
    widths = iter(_shared(flexible, width - fixed))
    return [*[0.0] * (len(block["columns"]) - len(columns)), *(round(next(widths), 1) if column.weight else 0 for column in columns)]


def _shared(columns: Sequence[_Column], room: float) -> list[float]:
    """``room`` points among the columns: each what it needs, and the rest by weight; where that is too much, those of the longest texts are narrower, as many as gives the fewest lines in all."""
    for lines in (1, 2, 3):
        needs = [column.needed(lines) for column in columns]
        if (spare := room - sum(needs)) >= 0:
            weights = sum(column.weight for column in columns)
            return [need + spare * column.weight / weights for need, column in zip(needs, columns, strict=True)]
    longest = sorted(range(len(columns)), key=lambda at: -needs[at])
    tried = [_narrowed(columns, needs, longest[:count], room) for count in range(1, len(columns) + 1)]
    return _moved(columns, min(tried, key=lambda widths: _lines(columns, widths)))


def _narrowed(columns: Sequence[_Column], needs: Sequence[float], narrow: Sequence[int], room: float) -> list[float]:
    """The widths where those of the columns ``narrow`` share what the others leave, by what they have to say above their longest word, which is not broken if that can be."""
    left = room - sum(need for at, need in enumerate(needs) if at not in narrow)
    least = [min(columns[at].unbroken, max(left, 1.0) / len(narrow)) for at in narrow]
    above = [max(sum(columns[at].cells) / len(columns[at].cells) - one, 1.0) for at, one in zip(narrow, least, strict=True)]
    given = list(needs)
    for at, one, more in zip(narrow, least, above, strict=True):
        given[at] = max(one + (left - sum(least)) * more / sum(above), 1.0)
    return given


def _moved(columns: Sequence[_Column], widths: list[float]) -> list[float]:
    """The widths after one column gave another what that makes better use of, as long as it makes fewer lines."""
    best = _lines(columns, widths)
    for _ in range(MOST_MOVES):
        tried = [(_lines(columns, after), after) for giver in range(len(columns)) for taker in range(len(columns)) if giver != taker and widths[giver] > 3 * STEP
                 for after in [[width + STEP * ((at == taker) - (at == giver)) for at, width in enumerate(widths)]]]
        lines, after = min(tried, default=(best, widths))
        if lines >= best:
            break
        best, widths = lines, after
    return widths


def _lines(columns: Sequence[_Column], widths: Sequence[float]) -> float:
    """Lines of the heading and of all rows together, and how often a word would have to be broken, which counts more."""
    inner = [max(width - column.padding, 1.0) for column, width in zip(columns, widths, strict=True)]
    broken = sum(column.unbroken > width + 0.01 for column, width in zip(columns, widths, strict=True))
    by_column = [[1 if cell <= width else math.ceil(1.05 * cell / width) for cell in (column.heading, *column.cells)] for column, width in zip(columns, inner, strict=True)]
    return sum(map(max, *by_column)) + 5 * broken if len(by_column) > 1 else sum(by_column[0])
