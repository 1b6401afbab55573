"""Pictures of which inputs move the model's output: overall, row by row, and per group."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from automl.charts.dependence import dependence_charts
from automl.charts.marks import (
    MAX_ROWS,
    MAX_SERIES,
    OKABE_ITO,
    ROW,
    Row,
    axis_labels,
    by_place,
    chart,
    data,
    dots_with_intervals,
    grouped_dots,
    interval_rows,
    wide,
)
from automl.charts.proxies import proxy_charts
from automl.evidence import Chart, Estimate, ExplanationSection, GapShare, GroupImportance, NotMeasured, Points, ScoreGap
from automl.printing import estimate, significant, whole

MAX_MARKS = 1_500
NO_CAUSE = {
    (True, False): "Not a cause.", (True, True): "Not a cause; the eight largest parts are drawn.",
    (False, False): "Not a cause, and not the selection gap.", (False, True): "Not a cause, and not the selection gap; the eight largest parts are drawn.",
}
"""By whether a number is predicted, and whether there are more parts than are drawn."""
MAX_PARTS = 8
"""Parts of a difference of mean scores that are drawn; the table behind the picture has all."""
FEATURES_BY_GROUP = 6
FEWEST_DRAWN = 10
"""Explained rows of a group below which the table alone has it: its intervals would be the picture."""
BANDS = 41
"""Slots of attribution in which a beeswarm stacks its marks."""


def explanation_charts(explanation: ExplanationSection) -> list[Chart]:
    """Importance and its cross-check, attributions row by row, importance by group, curves, how the inputs add up to each score gap, and proxies."""
    charts = [_importance(explanation), _permutation(explanation), _beeswarm(explanation), *dependence_charts(explanation, _space(explanation))]
    charts += [_by_group(explanation, attribute, groups, place) for place, (attribute, groups) in enumerate(sorted(explanation.by_group.items()), start=1)]
    gaps = [gap for gap in explanation.score_gap_by_input if not isinstance(gap, NotMeasured)]
    charts += [_gap(explanation, gap, place) for place, gap in enumerate(gaps, start=1)]
    charts += proxy_charts(explanation)
    return [made for made in charts if made is not None]


def _space(explanation: ExplanationSection) -> str:
    # Not `explanation.output`: it may quote a label of the data, and titles are part of the spec's code
    return {"log_odds": "log-odds", "probability": "probability", "value": "predicted value", "log1p": "log(1 + predicted value)"}[explanation.output_space]


def _importance(explanation: ExplanationSection) -> Chart | None:
    measured = [(feature, value) for feature in explanation.features if isinstance(value := feature.mean_abs_shap, Estimate)]
    if not measured:
        return None
    rows = interval_rows(axis_labels([feature.feature for feature, _ in measured], [None] * len(measured)), [value for _, value in measured])[:MAX_ROWS]
    x = alt.X("value:Q", title=f"mean |SHAP| ({_space(explanation)}), with 95 % interval")
    base = alt.Chart(data(rows))
    bars = base.mark_bar(color=OKABE_ITO[5], height=12, aria=False).encode(y=by_place(), x=x)
    rules = base.mark_rule(color=OKABE_ITO[0], strokeWidth=1.8, aria=False).encode(y=by_place(), x=alt.X("low:Q"), x2=alt.X2("high:Q"))
    top, value = measured[0]
    return chart(
        "shap-importance", "explanation", "Importance of the inputs",
        f"{top.feature} moves the {explanation.output} most: mean |SHAP| {estimate(value)} over {whole(explanation.rows)} rows. Associations in this model, not causes.",
        wide(bars, rules, height=alt.Step(ROW)),
        ("input", "mean |SHAP|", "low", "high", "direction"), [(feature.feature, value.value, value.low, value.high, feature.direction) for feature, value in measured])


def _permutation(explanation: ExplanationSection) -> Chart | None:
    check = explanation.permutation
    if isinstance(check, NotMeasured):
        return None
    measured = [(feature, value) for feature in check.features if isinstance(value := feature.increase, Estimate)]
    if not measured:
        return None
    rows = interval_rows(axis_labels([feature.feature for feature, _ in measured], [None] * len(measured)), [value for _, value in measured])
    top, value = measured[0]
    return chart(
        "permutation-importance", "explanation", "Loss where one input is shuffled",
        f"Shuffling {top.feature} among {whole(check.rows)} rows of the audit part raises the mean {check.loss} most: by {estimate(value)}.",
        dots_with_intervals(rows, "increase of the mean loss, with 95 % interval", rules=[(0, "no change")], zero=True),
        ("input", "increase", "low", "high", "rank"), [(feature.feature, one.value, one.low, one.high, feature.rank) for feature, one in measured])


def _beeswarm(explanation: ExplanationSection) -> Chart | None:
    shown = [points for points in explanation.points if points.shap]
    if not shown:
        return None
    each = max(1, MAX_MARKS // len(shown))
    labels = axis_labels([points.feature for points in shown], [None] * len(shown))
    widest = max((abs(shap) for points in shown for shap in points.shap), default=1.0) or 1.0
    rows = [row for place, points in enumerate(shown) for row in _swarm(points, labels[place], place, each, widest)]
    numeric = [row for row in rows if row["level"] is not None]
    base = alt.Chart(data(rows))
    colour = alt.Color("level:Q", title="value of the input, low to high", scale=alt.Scale(scheme="viridis", domain=[0, 1]),
                       legend=alt.Legend(orient="bottom", gradientLength=140, labelOpacity=0, titleLimit=320) if numeric else None)
    # Without invalid=None, Vega-Lite drops the marks that have no place in the order of values: every category
    dots = base.mark_circle(size=13, opacity=0.85, aria=False, invalid=None).encode(
        y=by_place(), yOffset=alt.YOffset("offset:Q", scale=alt.Scale(domain=[-1, 1])), x=alt.X("shap:Q", title=f"SHAP value: change of the {_space(explanation)}"),
        color=alt.condition("datum.level === null", alt.value("#8a8a8a"), colour))
    zero = alt.Chart(data([{"at": 0}])).mark_rule(color="#7a7a7a", strokeWidth=1, aria=False).encode(x=alt.X("at:Q"))
    return chart(
        "shap-beeswarm", "explanation", "Attributions row by row",
        f"One mark a row and input, for a sample of rows: how far {shown[0].feature} and the other inputs move the {explanation.output}; grey marks have no order of values.",
        wide(zero, dots, height=alt.Step(23)),
        ("input", "value", "SHAP"), [(points.feature, value, shap) for points in shown for value, shap in list(zip(points.values, points.shap, strict=True))[:each]])


def _swarm(points: Points, label: str, place: int, each: int, widest: float) -> list[Row]:
    """Marks of one input: stacked where many have the same attribution, coloured by where the value stands among the input's values."""
    pairs = list(zip(points.values, points.shap, strict=True))[:each]
    ordered = sorted({float(value) for value, _ in pairs if isinstance(value, int | float)})
    standing = {value: at / max(1, len(ordered) - 1) for at, value in enumerate(ordered)}
    bands = [round((shap / widest + 1) / 2 * (BANDS - 1)) for _, shap in pairs]
    fullest = max(bands.count(band) for band in set(bands))
    seen: dict[int, int] = {}
    rows = []
    for (value, shap), band in zip(pairs, bands, strict=True):
        turn = seen[band] = seen.get(band, -1) + 1
        offset = ((turn + 1) // 2) * (1 if turn % 2 else -1) / max(6, fullest / 2)
        level = standing[float(value)] if isinstance(value, int | float) else None
        rows.append({"label": label, "place": place, "shap": shap, "offset": round(offset, 4), "level": None if level is None else round(level, 4)})
    return rows


def _by_group(explanation: ExplanationSection, attribute: str, groups: Sequence[GroupImportance], place: int) -> Chart | None:
    order = [feature.feature for feature in explanation.features]
    large = [group for group in groups if group.n >= FEWEST_DRAWN] or groups
    drawn = sorted(large, key=lambda group: -group.n)[:MAX_SERIES]
    named = axis_labels([group.group for group in drawn], [None] * len(drawn))  # how many each has is said below
    features = [name for name in order if any(name in group.mean_abs_shap for group in drawn)][:FEATURES_BY_GROUP]
    labels = axis_labels(features, [None] * len(features))
    intervals = any(isinstance(group.intervals.get(name), Estimate) for group in drawn for name in features)
    rows = [
        {"label": labels[at], "place": at, "series": named[series], "value": group.mean_abs_shap[name], **(_ends(group, name) if intervals else {})}
        for at, name in enumerate(features) for series, group in enumerate(drawn) if name in group.mean_abs_shap
    ]
    if not rows:
        return None
    part = " The picture shows the largest groups, the table all." if len(groups) > len(drawn) else ""
    axis = f"mean |SHAP| ({_space(explanation)}), with 95 % interval" if intervals else f"mean |SHAP| ({_space(explanation)})"
    return chart(
        f"shap-by-group-{place}", "explanation", f"Importance of the inputs by {attribute}",
        f"Mean |SHAP| of the most important inputs by {attribute}; first {features[0]}: {'; '.join(_said(group, features[0]) for group in drawn if features[0] in group.mean_abs_shap)}.{part}",
        grouped_dots(rows, axis, named, "Group"), ("input", "group", "n", "mean |SHAP|", "low", "high", "mean SHAP"),
        [(name, group.group, group.n, group.mean_abs_shap.get(name), *_ends(group, name).values(), group.mean_shap.get(name)) for name in order for group in groups])


def _ends(group: GroupImportance, feature: str) -> dict[str, float | None]:
    """None where no interval is known: of inputs beyond the most important ones, and of groups that are too small."""
    value = group.intervals.get(feature)
    return {"low": value.low, "high": value.high} if isinstance(value, Estimate) else {"low": None, "high": None}


def _said(group: GroupImportance, feature: str) -> str:
    value = group.intervals.get(feature)
    return f"{group.group} {estimate(value) if isinstance(value, Estimate) else significant(group.mean_abs_shap[feature], 3)}, n = {whole(group.n)}"


NUMBERS = ("value", "log1p")
"""What is explained where a number is predicted, and nobody is selected."""
BACKGROUNDS = "all groups", "the reference"


def _gap(explanation: ExplanationSection, gap: ScoreGap, place: int) -> Chart | None:
    second = () if isinstance(gap.second, NotMeasured) else gap.second
    both = [(BACKGROUNDS[0], share, value) for share, value in _measured(gap.contributions)] + [(BACKGROUNDS[1], share, value) for share, value in _measured(second)]
    if not both:
        return None
    names = list(dict.fromkeys(share.feature for _, share, _ in both))
    labels = dict(zip(names, axis_labels(names, [None] * len(names)), strict=True))
    rows: list[Row] = [
        {"label": labels[share.feature], "place": names.index(share.feature), "series": background, "value": value.value, "low": value.low, "high": value.high}
        for background, share, value in both if names.index(share.feature) < MAX_PARTS]
    top, value = max(_measured(gap.contributions) or _measured(second), key=lambda pair: abs(pair[1].value))
    series = [name for name in BACKGROUNDS if any(row["series"] == name for row in rows)]
    return chart(
        f"score-gap-{place}", "explanation", f"Score gap by input: {gap.group} against {gap.reference} ({gap.attribute})",
        f"How inputs add up to the difference of mean scores of {gap.group} against {gap.reference}: the largest part is {top.feature}, {estimate(value, signed=True)}. {NO_CAUSE[explanation.output_space in NUMBERS, len(names) > MAX_PARTS]}",
        grouped_dots(rows, f"part of the difference in {_space(explanation)}, with 95 % interval", series, "Background rows of"),
        ("input", "background", "contribution", "low", "high"), [(share.feature, background, one.value, one.low, one.high) for background, share, one in both])


def _measured(shares: Sequence[GapShare]) -> list[tuple[GapShare, Estimate]]:
    return [(share, value) for share in shares if isinstance(value := share.contribution, Estimate)]
