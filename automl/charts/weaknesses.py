"""Pictures of where the model errs and what it depends on: slices, disturbed inputs, other cuts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import altair as alt

from automl.charts.marks import (
    ABOVE,
    MAX_SERIES,
    Picture,
    Row,
    axis_labels,
    chart,
    data,
    dots_with_intervals,
    grouped_dots,
    interval_rows,
    number_axis,
    series_looks,
    wide,
)
from automl.evidence import Chart, CutPoint, Estimate, GroupChange, NotMeasured, Perturbation, RobustnessSection, Slice, SlicesSection, ThresholdCurve, Value
from automl.evidence.robustness import PerturbationKind
from automl.printing import estimate, metric_words, significant, step_words, visible, whole

MOST_ATTRIBUTES = 4
"""Attributes that get a picture of their own; the tables have all."""
KIND_WORDS: dict[PerturbationKind, str] = {"noise": "noise", "missing": "missing cells", "rounding": "rounding"}


def weakness_charts(slices: SlicesSection | NotMeasured, robustness: RobustnessSection | NotMeasured) -> Iterator[Chart]:
    """Slices by their error, changes under disturbed inputs, and the threshold curve."""
    if isinstance(slices, SlicesSection) and (made := _slices(slices)) is not None:
        yield made
    if isinstance(robustness, NotMeasured):
        return
    yield from (made for made in (_metric(robustness), *_outcomes(robustness)) if made is not None)
    if isinstance(robustness.threshold_curve, ThresholdCurve) and len(robustness.threshold_curve.points) > 1:
        yield _threshold_curve(robustness.threshold_curve)


def _slices(section: SlicesSection) -> Chart | None:
    measured = [(one, one.error, one.rest) for one in section.rows if isinstance(one.error, Estimate) and isinstance(one.rest, Estimate)]
    if not measured:
        return None
    labels = axis_labels([f"{section.rows.index(one) + 1}: {one.words}" for one, _, _ in measured], [one.n for one, _, _ in measured])
    series = ("slice", "all other rows")
    rows: list[Row] = [
        {"label": label, "place": place, "series": name, "value": value.value, "low": value.low, "high": value.high}
        for place, (label, (_, error, rest)) in enumerate(zip(labels, measured, strict=True)) for name, value in zip(series, (error, rest), strict=True)]
    shares = "decisions" in section.error
    worst, error, rest = max(measured, key=lambda each: each[1].value)
    return chart(
        "slices", "weaknesses", f"{section.error[:1].upper()}{section.error[1:]} in the slices",
        f"The highest {section.error} is where {worst.words}: {estimate(error, as_percent=shares)}, n = {whole(worst.n)}; in all other rows {estimate(rest, as_percent=shares)}.",
        grouped_dots(rows, f"{section.error}, with 95 % interval", series, "rows", x_format=".0%" if shares else None),
        ("slice", "n", section.error, "low", "high", "other rows", "low", "high", "adjusted p", "more than elsewhere"),
        [(f"{at}: {one.words}", one.n, *_cells(one.error), *_cells(one.rest), one.p_adjusted, _label(one)) for at, one in enumerate(section.rows, start=1)])


def _label(one: Slice) -> str:
    return "yes, beyond sampling error" if one.label == "higher" else "inconclusive"


def _cells(value: Value) -> tuple[str | float | None, float | None, float | None]:
    return (f"not measured: {value.reason}", None, None) if isinstance(value, NotMeasured) else (value.value, value.low, value.high)


def _metric(robustness: RobustnessSection) -> Chart | None:
    steps = [(each.kind, step, step.metric_change) for each in robustness.perturbations for step in each.steps if isinstance(step.metric_change, Estimate)]
    if not steps:
        return None
    words = metric_words(robustness.metric)
    rows = interval_rows([step_words(kind, step.strength) for kind, step, _ in steps], [change for _, _, change in steps])
    kind, step, largest = max(steps, key=lambda each: abs(each[2].value))
    return chart(
        "disturbed-metric", "weaknesses", f"Change of the {words} under disturbed inputs",
        f"Largest change of the {words}: {estimate(largest, signed=True)}, at {step_words(kind, step.strength)}.",
        dots_with_intervals(rows, f"change of the {words}, with 95 % interval", rules=[(0.0, "no change")], zero=True), ("disturbance", "strength", "change", "low", "high"),
        [(KIND_WORDS[kind], step.strength, change.value, change.low, change.high) for kind, step, change in steps])


def _outcomes(robustness: RobustnessSection) -> Iterator[Chart | None]:
    """One picture an attribute: how its groups' selection rates (mean predictions) change."""
    for place, attribute in enumerate(_attributes(robustness.perturbations)[:MOST_ATTRIBUTES], start=1):
        yield _outcome(robustness, attribute, place)


def _attributes(perturbations: Sequence[Perturbation]) -> list[str]:
    return list(dict.fromkeys(attribute.attribute for each in perturbations for step in each.steps for attribute in step.attributes))


def _outcome(robustness: RobustnessSection, attribute: str, place: int) -> Chart | None:
    changes = [
        (each.kind, step.strength, group, group.outcome_change)
        for each in robustness.perturbations for step in each.steps for one in step.attributes if one.attribute == attribute for group in one.groups
        if isinstance(group.outcome_change, Estimate)]
    groups = _largest([group for _, _, group, change in changes if not change.low_precision])
    if not groups:
        return None
    shares = robustness.decisions
    what = "selection rate" if shares else "mean predicted number"
    steps = list(dict.fromkeys(step_words(kind, strength) for kind, strength, _, _ in changes))
    named = dict(zip(groups, axis_labels(groups, [None] * len(groups)), strict=True))
    rows: list[Row] = [
        {"label": step_words(kind, strength), "place": steps.index(step_words(kind, strength)), "series": named[group.group], "value": change.value, "low": change.low, "high": change.high}
        for kind, strength, group, change in changes if group.group in named]
    kind, strength, group, largest = max((each for each in changes if each[2].group in named), key=lambda each: abs(each[3].value))
    return chart(
        f"disturbed-outcome-{place}", "weaknesses", f"Change of the {what} by {attribute} under disturbed inputs",
        f"Among the {'groups' if len(groups) < MAX_SERIES else 'largest groups'} of {attribute} the largest change of the {what} is that of {group.group}, at {step_words(kind, strength)}: "
        f"{estimate(largest, as_percent=shares, signed=True)}.",
        grouped_dots(rows, f"change of the {what}, with 95 % interval", list(named.values()), "group", x_format=".1%" if shares else None),
        ("disturbance", "strength", "group", "n", "change", "low", "high"),
        [(KIND_WORDS[kind], strength, group.group, group.n, change.value, change.low, change.high) for kind, strength, group, change in changes])


def _largest(groups: Sequence[GroupChange]) -> list[str]:
    """As many groups as can be told apart by colour, the largest of them, in their own order. A handful of rows would stretch the axis for all others."""
    sizes = {group.group: group.n for group in groups}
    kept = set(sorted(sizes, key=lambda name: (-sizes[name], name))[:MAX_SERIES])
    return [name for name in sizes if name in kept]


def _threshold_curve(curve: ThresholdCurve) -> Chart:
    lines: dict[str, list[tuple[float, Estimate]]] = {"selection rate": [], "accuracy": []}
    for point in curve.points:
        for name, value in (("selection rate", point.selection_rate), ("accuracy", point.accuracy), *((f"lowest ratio: {visible(each.attribute, 30)}", each.ratio) for each in point.lowest)):
            if isinstance(value, Estimate):
                lines.setdefault(name, []).append((point.cut, value))
    drawn = [name for name, points in lines.items() if points][:MAX_SERIES]
    rows: list[Row] = [{"cut": cut, "value": value.value, "series": name} for name in drawn for cut, value in lines[name]]
    return chart(
        "threshold-curve", "weaknesses", "Other cuts: selection rate, accuracy and the lowest impact ratios", _curve_sentence(curve), _curve_picture(rows, drawn, curve.chosen),
        ("cut", "chosen", "what", "group", "value", "low", "high"), [row for point in curve.points for row in _point_rows(point)])


def _curve_picture(rows: list[Row], drawn: list[str], chosen: float | None) -> Picture:
    looks = series_looks(drawn, "against the cut")
    x = alt.X("cut:Q", title="cut on the score", axis=number_axis(), scale=alt.Scale(zero=False, nice=True))
    y = alt.Y("value:Q", title="rate or ratio", axis=alt.Axis(grid=True), scale=alt.Scale(zero=True, nice=True))
    base = alt.Chart(data(rows))
    layers = [
        base.mark_line(strokeWidth=1.4, aria=False).encode(x=x, y=y, color=looks["color"], order=alt.Order("cut:Q")),
        base.mark_point(filled=True, size=30, opacity=1, aria=False).encode(x=x, y=y, **looks)]
    if chosen is not None:
        mark = alt.Chart(data([{"at": chosen, "words": "chosen cut"}]))
        layers += [mark.mark_rule(strokeDash=[5, 3], strokeWidth=1.2, color="#7a7a7a", aria=False).encode(x=alt.X("at:Q")),
                   mark.mark_text(align="center", baseline="bottom", dy=-4, fontSize=10.5, aria=False).encode(x=alt.X("at:Q"), y=ABOVE, text=alt.Text("words:N"))]
    return wide(*layers, height=230)


def _point_rows(point: CutPoint) -> Iterator[tuple[str | float | None, ...]]:
    mark = "yes" if point.chosen else "no"
    for what, value in (("selection rate", point.selection_rate), ("accuracy", point.accuracy)):
        yield (point.cut, mark, what, None, *_cells(value))
    for each in point.lowest:
        yield (point.cut, mark, f"lowest ratio: {each.attribute}", each.group, *_cells(each.ratio))


def _curve_sentence(curve: ThresholdCurve) -> str:
    chosen = next((point for point in curve.points if point.chosen), None)
    if chosen is None:
        ends = curve.points[0].cut, curve.points[-1].cut
        return f"Selection rate, accuracy and the lowest impact ratio of each attribute at cuts from {significant(ends[0], 3)} to {significant(ends[1], 3)}."
    lowest = "; ".join(f"lowest ratio by {each.attribute} {estimate(each.ratio)} ({each.group})" for each in chosen.lowest if isinstance(each.ratio, Estimate))
    return f"At the chosen cut of {significant(chosen.cut, 3)}: selection rate {estimate(chosen.selection_rate, as_percent=True)}" + (f"; {lowest}." if lowest else ".")
