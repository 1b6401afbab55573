"""What comes first where a picture is higher than the rest of its page: a picture that would leave much of the page empty is drawn a little smaller, or comes after the words and tables that follow it.

The engine lays the report out once as it is and says where each part ended; from that the pages are gone through once, in the order of reading. Nothing asks where it stands while it is laid out, so the second
layout settles as the first did, and what is read aloud stands in the order of the pages. Pictures and tables keep their order among themselves, and so their numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditapp.report.blocks import SMALL

POINTS = 72 / 2.54
"""In a centimetre."""
TOP, BOTTOM = 1.6 * POINTS, (29.7 - 1.4) * POINTS
WIDTH = (21 - 2 * 1.7) * POINTS
"""Of the page, as the template sets it."""
SHARE, HIGHEST = 0.77, 20.5 * POINTS
"""Of its place that a picture takes, so that its letters are nearly as large as a table's (7.2 points to 7.6), and how high one may be."""
GUTTER = 12.0
"""Between two pictures that stand in columns."""
MUCH = 0.12
"""Of a page: less than this may stay empty."""
SMALLEST = 0.88
"""Of a picture's usual size: its letters stay readable."""
FEWEST = 3.4 * POINTS
"""What a long table takes at least before it goes over to the next page."""
SPARE = 14.0
"""Points that a picture gets smaller by than it must, for the space round it."""
ABOVE_SECTION, ABOVE_HEADING, ABOVE = 14.4, 10.8, 9.0
"""Points of space over a section's title, a heading and anything else, where it is not the first of its page."""
HEAD = 22.0
"""Points that a table's head takes again on a further page, and that a row leaves which had no room."""
CARE = 12.0
"""Points by which what is reckoned may be off: a picture that fits by less is drawn so much smaller."""


@dataclass
class Part:
    """What stands together in one section: ``blocks``, the places of its blocks. ``height`` in points, with the space ``above`` it. ``sticky``: it stays with the next part; ``whole``: it does not break over pages."""

    section: str
    blocks: tuple[int, ...]
    sticky: bool
    whole: bool
    height: float
    page: int
    end: float
    """Where it ended in the layout that was looked at."""
    drawing: float = 0.0
    """Height of the picture itself, where it is one that can be drawn smaller; else 0."""
    picture: bool = False
    heading: bool = False
    above: float = ABOVE
    table: bool = False
    note: bool = False
    """It says something of the table before it."""


def arranged(sections: Sequence[Mapping[str, Any]], marks: Iterable[Mapping[str, Any]], sizes: Mapping[str, Sequence[float]]) -> list[dict[str, Any]]:
    """The sections with their blocks as they fill the pages best. ``marks``: what the template's ``mark`` says of each part, in order; ``sizes``: of the charts, in pixels."""
    by_number = {str(section["number"]): list(section["blocks"]) for section in sections}
    parts = _parts(list(marks), by_number, sizes)
    order, scales = _walked(parts) if parts else ([], {})
    changed = []
    for section in sections:
        number = str(section["number"])
        places = [place for part in order if part.section == number for place in part.blocks]
        blocks = by_number[number]
        if sorted(places) != list(range(len(blocks))):  # a section of the first page, which is left as it is
            places = list(range(len(blocks)))
        changed.append({**section, "blocks": [{**blocks[place], "scale": scales[number, place]} if (number, place) in scales else blocks[place] for place in places]})
    return changed


def _parts(marks: Sequence[Mapping[str, Any]], blocks: Mapping[str, Sequence[Mapping[str, Any]]], sizes: Mapping[str, Sequence[float]]) -> list[Part]:
    """The parts after the contents, the first being the contents themselves."""
    begin = next((at for at, mark in enumerate(marks) if mark["section"] == ""), None)
    if begin is None:
        return []
    page, y = marks[begin]["page"], marks[begin]["y"]
    parts = [Part("", (), False, True, 0.0, page, y)]
    for mark in marks[begin + 1:]:
        places = tuple(range(mark["first"], mark["first"] + mark["count"]))
        mine = [blocks[mark["section"]][place] for place in places]
        kinds = [block["kind"] for block in mine]
        above = ABOVE_SECTION if not mine else ABOVE_HEADING if kinds[0] == "heading" else ABOVE
        further = mark["page"] - page
        if not further:
            height = mark["y"] - y
        elif mark["whole"] or mark["sticky"] or (not parts[-1].sticky and BOTTOM - y < above + (FEWEST if "table" in kinds else 0)):  # nothing of it stands on the page before
            height = above + (further - 1) * (BOTTOM - TOP) + mark["y"] - TOP
        else:
            height = BOTTOM - y + (further - 1) * (BOTTOM - TOP) + mark["y"] - TOP - (HEAD if "table" in kinds else 0)
        if parts[-1].heading and parts[-1].blocks:  # its mark stands below the space that follows it
            parts[-1].height -= ABOVE
            height += 0 if further else ABOVE
        parts.append(Part(mark["section"], places, mark["sticky"], mark["whole"], max(height, 0.0), mark["page"], mark["y"], _drawing(mine, sizes), "chart" in kinds, not mine or kinds[0] == "heading", above, "table" in kinds, kinds[:1] == ["note"]))
        page, y = mark["page"], mark["y"]
    return parts


def _drawing(blocks: Sequence[Mapping[str, Any]], sizes: Mapping[str, Sequence[float]]) -> float:
    """Height of the higher one of the pictures, as the template draws them; 0 where there are none."""
    if not blocks or any(block["kind"] != "chart" for block in blocks):
        return 0.0
    heights = [SHARE * WIDTH * height / width if width > SMALL else SHARE * (WIDTH - GUTTER) / 2 * height / width for width, height in (sizes[block["name"]] for block in blocks)]
    return float(min(max(heights), HIGHEST))


def _walked(parts: Sequence[Part]) -> tuple[list[Part], dict[tuple[str, int], float]]:
    """The parts in their new order, and the share of its usual size at which a picture is drawn, by section and block. Up to the first change pages are as they were; after it they are reckoned."""
    order, waiting = [parts[0]], list(parts[1:])
    scales: dict[tuple[str, int], float] = {}
    y, changed = parts[0].end, False
    while waiting:
        chain = 1
        while waiting[chain - 1].sticky and chain < len(waiting):
            chain += 1
        *led, last = waiting[:chain]
        needed = sum(part.height for part in led) + _least(last)
        room = BOTTOM - y
        goes_over = needed > room - (CARE if last.picture else 0) if changed else last.whole and last.page > order[-1].page
        if goes_over and last.picture and room > MUCH * (BOTTOM - TOP):
            scale = 1 - (needed - room + SPARE) / last.drawing if last.drawing else 0.0
            if scale >= SMALLEST:
                scales |= {(last.section, place): round(scale, 3) for place in last.blocks}
                last.height -= (1 - scale) * last.drawing
                goes_over, changed = False, True
            elif later := _fills(waiting, chain, room - sum(part.height for part in led)):
                moved = waiting[later.start:later.stop]
                del waiting[later.start:later.stop]
                waiting[chain - 1:chain - 1] = moved
                changed = True
                continue
        y = (TOP - waiting[0].above if goes_over else y) + sum(part.height for part in (*led, last)) if changed else last.end
        while y > BOTTOM:
            y -= BOTTOM - TOP - HEAD  # of what breaks, which is mostly a table
        order += waiting[:chain]
        del waiting[:chain]
    return order, scales


def _least(part: Part) -> float:
    """Points that must be left on a page for the part to begin there."""
    return part.height if part.whole else part.above + FEWEST if part.table else min(part.height, part.above + FEWEST)


def _fills(waiting: Sequence[Part], after: int, room: float) -> range | None:
    """The places of what follows the picture under the same heading and fills the room before it. Pictures do not overtake each other, nor do a few lines a picture."""
    first = next((place for place in range(after, len(waiting)) if not waiting[place].picture), len(waiting))
    end = first + 1
    while end < len(waiting) and waiting[end - 1].sticky:
        end += 1
    found = waiting[first:end]
    if not found or any(part.section != waiting[after - 1].section or part.heading or part.picture for part in found):
        return None
    *led, last = found
    while end < len(waiting) and waiting[end].note and waiting[end].section == last.section:
        end += 1
    least = sum(part.height for part in led) + _least(last)
    return range(first, end) if least <= room and sum(part.height for part in found) > MUCH / 2 * (BOTTOM - TOP) else None
