"""Pictures of how the output goes with one input: the effect with its interval, and between which values single rows lie."""

from __future__ import annotations

import altair as alt

from automl.charts.marks import OKABE_ITO, ROW, Picture, Row, axis_labels, axis_title, by_place, chart, data, half, number_axis, wide, width_of
from automl.evidence import Chart, Dependence, Estimate, ExplanationSection, NotMeasured
from automl.printing import estimate, significant

WORDS = {"ale": "accumulated local effect", "partial_dependence": "partial dependence"}
BAND = "#9aa5b1"
FLAT = 0.01
"""What an axis reaches to on both sides where nothing on it is a tenth of that: an input without effect is a flat line, not noise in its seventeenth digit."""


def dependence_charts(explanation: ExplanationSection, space: str) -> list[Chart | None]:
    """One small picture an input; ``space``: the unit of the output in words."""
    if isinstance(explanation.dependence, NotMeasured):
        return []
    return [_curve(one, space, place) for place, one in enumerate(explanation.dependence.features, start=1)]


def _curve(one: Dependence, space: str, place: int) -> Chart | None:
    measured = [(point, value) for point in one.points if isinstance(value := point.effect, Estimate)]
    if not measured:
        return None
    labels = [""] * len(measured) if one.method == "ale" else axis_labels([str(point.at) for point, _ in measured], [None] * len(measured))
    rows: list[Row] = [
        {"at": point.at, "label": label, "place": at, "value": value.value, "low": value.low, "high": value.high, "rows_low": point.rows_low, "rows_high": point.rows_high}
        for at, (label, (point, value)) in enumerate(zip(labels, measured, strict=True))]
    lowest, highest = min(measured, key=lambda pair: pair[1].value), max(measured, key=lambda pair: pair[1].value)
    return chart(
        f"dependence-{place}", "explanation", f"{one.feature}: {WORDS[one.method]}",
        f"By {one.feature}, {WORDS[one.method]}: lowest at {_at(lowest[0].at)}, {estimate(lowest[1], signed=True)} from the average output, highest at {_at(highest[0].at)}, "
        f"{estimate(highest[1], signed=True)}. Grey: how most single rows move when this input alone is changed, which need not be where the line goes. What the model does, not what would happen.",
        _line(rows, space) if one.method == "ale" else _levels(rows, space), ("value", "effect", "low", "high", "single rows from", "single rows to"),
        [(point.at, value.value, value.low, value.high, point.rows_low, point.rows_high) for point, value in measured])


def _at(value: float | str) -> str:
    return value if isinstance(value, str) else significant(value)


def _reach(rows: list[Row]) -> alt.Scale:
    largest = max(abs(float(row[name])) for row in rows for name in ("value", "low", "high", "rows_low", "rows_high"))
    return alt.Scale(domain=[-FLAT, FLAT]) if largest < FLAT / 10 else alt.Scale()


def _line(rows: list[Row], space: str) -> Picture:
    x = alt.X("at:Q", title="value of the input", axis=number_axis(), scale=alt.Scale(zero=False, nice=False))
    y_title = f"distance from the average, {space}"
    base = alt.Chart(data(rows))
    band = base.mark_area(color=BAND, opacity=0.3, aria=False).encode(x=x, y=alt.Y("rows_low:Q", title=y_title, axis=alt.Axis(grid=True), scale=_reach(rows)), y2=alt.Y2("rows_high:Q"))
    interval = base.mark_area(color=OKABE_ITO[0], opacity=0.35, aria=False).encode(x=x, y=alt.Y("low:Q", title=y_title), y2=alt.Y2("high:Q"))
    line = base.mark_line(color=OKABE_ITO[0], strokeWidth=1.8, aria=False).encode(x=x, y=alt.Y("value:Q", title=y_title))
    dots = base.mark_point(color=OKABE_ITO[0], filled=True, size=22, opacity=1, aria=False).encode(x=x, y=alt.Y("value:Q", title=y_title))
    return half(band, interval, line, dots)


def _levels(rows: list[Row], space: str) -> Picture:
    width = width_of([row["label"] for row in rows])
    title = axis_title(f"distance from the average, {space}", width)
    base = alt.Chart(data(rows))
    band = base.mark_rule(color=BAND, strokeWidth=7, opacity=0.4, aria=False).encode(y=by_place(), x=alt.X("rows_low:Q", title=title, axis=number_axis(width=width), scale=_reach(rows)), x2=alt.X2("rows_high:Q"))
    interval = base.mark_rule(color=OKABE_ITO[0], strokeWidth=2, aria=False).encode(y=by_place(), x=alt.X("low:Q", title=title), x2=alt.X2("high:Q"))
    dots = base.mark_point(color=OKABE_ITO[0], filled=True, size=55, opacity=1, aria=False).encode(y=by_place(), x=alt.X("value:Q", title=title))
    return wide(band, interval, dots, height=alt.Step(ROW), width=width)
