"""The words and numbers of the findings on outcomes, errors and performance: numbers that show the side of their limit, names from the data that are bounded.
"""

from __future__ import annotations

from collections.abc import Sequence

from automl.evidence import Attribute, Estimate, Ratio, Value
from automl.printing import MINUS

LISTED = 4


def number(value: float, limit: float | None = None) -> str:
    """Two decimals, or as many (up to six) as it takes to show on which side of the limit the value lies, and that it is not 0."""
    text = f"{value:.2f}"
    for digits in range(3, 7):
        told = limit is None or (float(text) == limit if value == limit else (float(text) < limit) == (value < limit) and float(text) != limit)
        if told and (float(text) != 0 or value == 0):
            break
        text = f"{value:.{digits}f}"
    return _signed(text if float(text) != 0 or value == 0 else f"{value:.1e}")


def _signed(text: str) -> str:
    return text.replace("-", MINUS)


def shown(name: str) -> str:
    """A name from the data, bounded: it may be as long as a book and hold line breaks."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    return flat if len(flat) <= 60 else flat[:59] + "…"


def interval(estimate: Estimate | Ratio, limit: float | None = None) -> str:
    """ "95 % interval 0.55 to 0.69", each end with digits until its side of the limit shows."""
    level = f"{100 * estimate.level:.3g}"
    return f"{level} % interval {number(estimate.low, limit)} to {number(estimate.high, limit)}"


def listing(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    first = [shown(name) for name in names[:LISTED]]
    more = len(names) - len(first)
    return ", ".join(first) + (f" and {more} more" if more > 0 else "")


def excludes(estimate: Value, value: float) -> bool:
    """Whether an interval that says something leaves this value out."""
    return isinstance(estimate, Estimate) and not estimate.low_precision and not estimate.low <= value <= estimate.high


def points(share: float) -> str:
    """Signed percentage points with one decimal, or as many as it takes to show the sign."""
    return _signed(next((text for digits in range(1, 7) if float(text := f"{100 * share:+.{digits}f}") != 0 or share == 0), f"{100 * share:+.1e}"))


def of_which(told: Sequence[tuple[str, Attribute]], above: str) -> tuple[int, str, str]:
    """How many groups the crossings have that are told of, their names, and the pointer: to the one, or to all."""
    tables = dict(told)
    names = [attribute.attribute for attribute in tables.values()]
    whole = sum(len(attribute.groups) for attribute in tables.values())
    return whole, (shown(names[0]) if len(names) == 1 else f"{len(names)} crossings ({listing(names)})"), next(iter(tables)) if len(names) == 1 else above
