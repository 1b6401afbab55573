"""What the calendar says of a date, as `automl.data.dates` says it, in whole numbers of ONNX.

Days to day of the year and of the month: Hinnant, "chrono-Compatible Low-Level Date Algorithms" (civil_from_days). Years begin in March there, so that
the day a leap year adds is the last; a cycle of 400 years has 146,097 days.
"""

from __future__ import annotations

import math

from onnx import TensorProto

from automl.data.dates import PERIODS
from automl.export.graph import CannotExport, Graph

CYCLE, MARCH_OF_YEAR_0 = 146_097, 719_468
"""Days of 400 years, and days from the first of March of the year 0 to 1970-01-01."""


def add_calendar_part(graph: Graph, days: str, part: str) -> str:
    """(rows, 1) double: ``part`` of each date of ``days`` (rows, 1), NaN where that is NaN. Raises CannotExport for a part it does not know."""
    missing = graph.add("IsNaN", days)
    known = graph.add("Where", missing, graph.number(0.0), days)
    floor = graph.add("Floor", known)
    if part == "hour":
        found = graph.add("Mul", graph.add("Sub", known, floor), graph.number(24.0))
    else:
        whole = graph.cast(floor, TensorProto.INT64)
        found = graph.cast(_whole_part(graph, whole, part), TensorProto.DOUBLE)
    return graph.add("Where", missing, graph.number(math.nan), found)


def add_point_on_a_circle(graph: Graph, days: str, part: str) -> tuple[str, str]:
    """Two (rows, 1) doubles, sine and cosine of ``part`` as an angle; 0 where the date is missing."""
    angle = graph.add("Mul", add_calendar_part(graph, days, part), graph.number(2 * math.pi / PERIODS[part]))
    missing = graph.add("IsNaN", angle)
    # onnxruntime has a sine of doubles and no cosine
    ahead = graph.add("Add", angle, graph.number(math.pi / 2))
    sine, cosine = (graph.add("Where", missing, graph.number(0.0), graph.add("Sin", each)) for each in (angle, ahead))
    return sine, cosine


def _whole_part(graph: Graph, day: str, part: str) -> str:
    if part == "weekday":
        return graph.add("Mod", graph.add("Add", day, graph.whole(3)), graph.whole(7))
    if part not in ("day_of_month", "day_of_year"):
        raise CannotExport(f"it reads the {part.replace('_', ' ')} of a date, which this export does not know")

    def times(value: str, factor: int) -> str:
        return graph.add("Mul", value, graph.whole(factor))

    def over(value: str, divisor: int) -> str:
        return graph.add("Div", value, graph.whole(divisor))

    def plus(value: str, *terms: str) -> str:
        return graph.sum([value, *terms])

    def minus(value: str, other: str) -> str:
        return graph.add("Sub", value, other)

    of_cycle = graph.add("Mod", plus(day, graph.whole(MARCH_OF_YEAR_0)), graph.whole(CYCLE))
    year = over(minus(plus(minus(of_cycle, over(of_cycle, 1_460)), over(of_cycle, 36_524)), over(of_cycle, 146_096)), 365)
    from_march = minus(of_cycle, minus(plus(times(year, 365), over(year, 4)), over(year, 100)))
    month = over(plus(times(from_march, 5), graph.whole(2)), 153)
    if part == "day_of_month":
        return minus(from_march, over(plus(times(month, 153), graph.whole(2)), 5))
    fourth, hundredth, first = (graph.add("Equal", graph.add("Mod", year, graph.whole(n)), graph.whole(0)) for n in (4, 100, 400))
    is_leap = graph.add("And", fourth, graph.add("Or", graph.add("Not", hundredth), first))
    leap_day = graph.cast(is_leap, TensorProto.INT64)
    # January and February are the last of a year that begins in March
    is_after = graph.add("Less", month, graph.whole(10))
    return graph.add("Where", is_after, plus(from_march, graph.whole(59), leap_day), minus(from_march, graph.whole(306)))
