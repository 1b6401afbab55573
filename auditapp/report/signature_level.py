"""The PAdES level that a report says of itself: on its last pages in words, among its keywords for verification. Printed before it is signed, so a report that reached less is another document, drawn beside the first.

No Django at the top: the child that verifies has none, and the process that draws needs nothing of it.
"""

from __future__ import annotations

import re

LEVELS = ("B-LTA", "B-T", "B-B")
"""The highest first. B-LT is none of ours: what it adds would stand where no signature of ours covers it."""
_KEYWORD = re.compile(r"\bsignature PAdES (B-(?:B|T|LTA))(?![\w-])")

REACHED = {
    "B-B": "PAdES B-B: the time at which it was signed is by the clock of the machine that signed",
    "B-T": "PAdES B-T: a time stamp authority vouches for the time at which it was signed; verification names the authority",
    "B-LTA": "PAdES B-LTA: with a time stamp, with what the authorities said of revoked certificates, and with a time stamp over both",
}
SHORT = {
    "B-B": "the time stamp authority did not answer",
    "B-T": "what the authorities say of revoked certificates could not be had",
}
"""Why a level is less than the one that was asked for. There is one way to each, so the same evidence at the same level has the same bytes."""


def levels_asked() -> tuple[str, ...]:
    """The levels at which this installation signs a report, the one that it aims at first; each further one takes its place where that cannot be reached (PLUMBLINE_SIGNATURE_AT_LEAST)."""
    from django.conf import settings

    aim = settings.SIGNATURE_LEVEL or ("B-T" if settings.TIMESTAMP_URL else "B-B")
    least = settings.SIGNATURE_AT_LEAST or aim
    begin = LEVELS.index(aim)
    return LEVELS[begin:max(begin, LEVELS.index(least)) + 1]


def in_words(level: str, aim: str) -> str:
    """For the page: what the level holds and, where it is not the one that was aimed at, why."""
    return REACHED[level] if level == aim else f"{REACHED[level]}. {aim} was asked for: {SHORT[level]}"


def keyword(level: str) -> str:
    return f"signature PAdES {level}"


def printed_in(keywords: str) -> str | None:
    """The level that a report's keywords name; None of a document that names none."""
    found = _KEYWORD.search(keywords)
    return found[1] if found else None


def compared(printed: str | None, found: str) -> tuple[str, str]:
    """A problem and a remark (either may be ""), where the level that is found is not the one that is printed.

    Less is a problem: something that was there was taken away, or cannot be shown here. So is a time stamp where the pages say that there is none: it stands inside the container, which was then written anew.
    More than a time stamp comes by appending, as archives do, and is only said.
    """
    if printed is None or printed == found:
        return "", ""
    if printed == "B-B" or LEVELS.index(printed) < _rank(found):
        return f"its pages say PAdES {printed}, and {found} is what is found", ""
    return "", f"; its pages say {printed}: the rest was added by whoever keeps it"


def _rank(level: str) -> int:
    return LEVELS.index("B-T" if level == "B-LT" else level)
