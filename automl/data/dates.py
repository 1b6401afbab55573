"""A date as what the calendar says of it: the season and the day of the week, which a count of days hides."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

PERIODS = {"day_of_year": 365.25, "day_of_month": 31.0, "weekday": 7.0, "hour": 24.0}
"""Part to how much of it there is before it begins anew. Months are left to the day of the year, which knows them."""


def parts_that_vary(days: NDArray[Any]) -> tuple[str, ...]:
    """The parts that differ among these dates (days since 1970-01-01, NaN for missing)."""
    known = days[~np.isnan(days)]
    return tuple(part for part in PERIODS if len(known) and np.ptp(calendar_part(known, part)) > 0)


def calendar_part(days: NDArray[Any], part: str) -> Matrix:
    """(n,) float64: ``part`` of each date, from 0 (Monday is 0); NaN where it is missing."""
    known = ~np.isnan(days)
    whole = np.floor(np.where(known, days, 0)).astype(np.int64)
    if part == "hour":
        found = (days - np.floor(days)) * 24
    elif part == "weekday":
        found = (whole + 3) % 7  # 1970-01-01 was a Thursday
    else:
        date = whole.astype("datetime64[D]")
        found = (date - date.astype("datetime64[M]" if part == "day_of_month" else "datetime64[Y]").astype("datetime64[D]")).astype(np.int64)
    return np.where(known, found, np.nan).astype(np.float64)


def on_a_circle(days: NDArray[Any], part: str) -> Matrix:
    """(n, 2): ``part`` as a point on a circle, so that Sunday is next to Monday; the middle of the circle where it is missing."""
    angle = 2 * np.pi * calendar_part(days, part) / PERIODS[part]
    return np.asarray(np.nan_to_num(np.column_stack([np.sin(angle), np.cos(angle)])))
