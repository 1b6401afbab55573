"""Pictures of how well predictions fit the truth: ROC, precision against recall, calibration, residuals, and the headline metric by group."""

from __future__ import annotations

from itertools import pairwise

import altair as alt

from automl.charts.marks import (
    HALF,
    LABEL_LENGTH,
    OKABE_ITO,
    axis_labels,
    axis_title,
    chart,
    data,
    dots_with_intervals,
    half,
    interval_rows,
    number_axis,
    series_looks,
)
from automl.evidence import Calibration, Chart, Curve, Estimate, PerformanceSection, Residuals, ScoresByClass
from automl.printing import estimate, in_order, metric_words, significant, visible, whole

HEADLINES = ("roc_auc", "rmse", "balanced_accuracy", "accuracy", "log_loss")


def _first_upper(words: str) -> str:
    return words[:1].upper() + words[1:]


def performance_charts(performance: PerformanceSection, headline: str | None) -> list[Chart]:
    """Curves, calibration, and ``headline`` (the metric that steered the search) by group."""
    charts = [_curve(key, curve, performance) for key, curve in sorted(performance.curves.items()) if len(curve.x) > 1]
    charts.sort(key=lambda one: one.name != "roc")
    if isinstance(performance.calibration, Calibration) and any(isinstance(one.observed, Estimate) for one in performance.calibration.bins):
        charts.append(_calibration(performance.calibration))
    if performance.scores is not None and len(performance.scores.classes) > 1:
        charts.append(_scores(performance.scores))
    if isinstance(performance.residuals, Residuals):
        charts += _of_residuals(performance.residuals, performance.n, of_quantile=performance.quantile is not None)
    metric = next((name for name in (headline, *HEADLINES, *in_order(performance.metrics)) if name and isinstance(performance.metrics.get(name), Estimate)), None)
    if metric is not None:
        for place, attribute in enumerate(sorted(performance.by_group), start=1):
            made = _by_group(performance, metric, attribute, place)
            charts += [made] if made else []
    return charts


def _curve(key: str, curve: Curve, performance: PerformanceSection) -> Chart:
    names = {"roc": ("roc", "ROC curve", "roc_auc"), "precision_recall": ("precision-recall", "Precision against recall", "average_precision")}
    # A key that we do not know comes from our own rooms, never from the data
    name, title, metric = names.get(key, ("curve-" + "".join(c if c.isascii() and c.isalnum() else "-" for c in key.lower()), key.replace("_", " "), ""))
    summary = performance.metrics.get(metric)
    said = f" {_first_upper(metric_words(metric))} {estimate(summary)}, n = {whole(performance.n)}." if isinstance(summary, Estimate) else f" n = {whole(performance.n)}."
    rows = [{"x": x, "y": y, "place": place} for place, (x, y) in enumerate(zip(curve.x, curve.y, strict=True))]
    unit = alt.Scale(domain=[0, 1])
    line: alt.Chart = alt.Chart(data(rows)).mark_line(color=OKABE_ITO[0], strokeWidth=2, interpolate="linear", aria=False).encode(
        x=alt.X("x:Q", title=curve.x_name, scale=unit), y=alt.Y("y:Q", title=curve.y_name, scale=unit, axis=alt.Axis(grid=True)), order=alt.Order("place:Q"))
    layers = [_diagonal(), line] if key == "roc" else [line]
    return chart(name, "performance", title, f"{title} on the audit part.{said}", half(*layers), (curve.x_name, curve.y_name), list(zip(curve.x, curve.y, strict=True)))


def _diagonal(low: float = 0, high: float = 1) -> alt.Chart:
    line: alt.Chart = alt.Chart(data([{"x": low, "y": low}, {"x": high, "y": high}])).mark_line(color="#7a7a7a", strokeDash=[5, 3], strokeWidth=1, aria=False).encode(x=alt.X("x:Q"), y=alt.Y("y:Q"))
    return line


def _calibration(calibration: Calibration) -> Chart:
    measured = [(one, one.observed) for one in calibration.bins if isinstance(one.observed, Estimate)]
    rows = [{"x": one.mean_score, "y": observed.value, "low": observed.low, "high": observed.high} for one, observed in measured]
    unit = alt.Scale(domain=[0, 1])
    score, rate = ("mean probability of the likeliest class", "share in which it is the truth") if calibration.of == "likeliest" else ("mean score in the bin", "observed rate")
    base = alt.Chart(data(rows))
    x = alt.X("x:Q", title=axis_title(score, HALF), scale=unit)
    bars = base.mark_rule(color=OKABE_ITO[0], strokeWidth=1.6, aria=False).encode(x=x, y=alt.Y("low:Q", title=rate, scale=unit), y2=alt.Y2("high:Q"))
    dots = base.mark_point(color=OKABE_ITO[0], filled=True, size=45, opacity=1, aria=False).encode(x=x, y=alt.Y("y:Q", title=rate, scale=unit, axis=alt.Axis(grid=True)))
    of = "Share in which the likeliest class is the truth against its mean probability" if calibration.of == "likeliest" else "Observed rate against mean score"
    return chart(
        "calibration", "performance", "Calibration",
        f"{of}, in bins of about equal count. Observed over expected {estimate(calibration.observed_over_expected)}; on the dashed line the two agree.",
        half(_diagonal(), bars, dots), ("score from", "to", "n", "mean score", "observed rate", "low", "high"),
        [(one.low, one.high, one.n, one.mean_score, observed.value, observed.low, observed.high) for one, observed in measured])


def _scores(scores: ScoresByClass) -> Chart:
    """Shares of each class's own rows, since one class may be a tenth of the other."""
    names = axis_labels([one.label for one in scores.classes], [one.n for one in scores.classes])
    middles = [(low + high) / 2 for low, high in pairwise(scores.edges)]
    rows = [{"x": middle, "y": count / one.n, "series": name} for name, one in zip(names, scores.classes, strict=True) for middle, count in zip(middles, one.counts, strict=True)]
    looks, base = series_looks(names, "truth", width=HALF), alt.Chart(data(rows))
    x = alt.X("x:Q", title="score", scale=alt.Scale(domain=[scores.edges[0], scores.edges[-1]]), axis=number_axis(width=HALF))
    y = alt.Y("y:Q", title="share of the rows of the class", axis=alt.Axis(grid=True, format="%"))
    lines = base.mark_line(strokeWidth=1.4, interpolate="step", aria=False).encode(x=x, y=y, color=looks["color"])
    dots = base.mark_point(filled=True, size=28, opacity=1, aria=False).encode(x=x, y=y, **looks)
    said = "; ".join(f"of {visible(one.label, LABEL_LENGTH)} at {significant(one.median, 3)}" for one in scores.classes)
    return chart(
        "scores-by-class", "performance", "Scores by true class", f"How the scores lie among the rows of each true class, in {len(middles)} bins of equal width. The middle row of each class: {said}.",
        half(lines, dots, height=280), ("truth", "score from", "to", "rows"),
        [(one.label, low, high, count) for one in scores.classes for (low, high), count in zip(pairwise(scores.edges), one.counts, strict=True)])


def _of_residuals(residuals: Residuals, n: int, *, of_quantile: bool) -> list[Chart]:
    """Truth against prediction, and the spread of the residuals along the predictions, by bins: a mark a row would be a cloud, and a picture of persons.

    A predicted quantile is not where the mean truth should lie."""
    return [*([] if of_quantile else _recorded(residuals)), _spread(residuals, n)]


def _recorded(residuals: Residuals) -> list[Chart]:
    measured = [(one, one.mean_residual) for one in residuals.bins if isinstance(one.mean_residual, Estimate)]
    if not measured:
        return []
    rows = [{"x": one.mean_prediction, "y": one.mean_prediction + off.value, "low": one.mean_prediction + off.low, "high": one.mean_prediction + off.high} for one, off in measured]
    ends = min(min(row["x"], row["low"]) for row in rows), max(max(row["x"], row["high"]) for row in rows)
    base, (x, y) = alt.Chart(data(rows)), _plain_axes("mean prediction in the bin", "mean truth")
    bars = base.mark_rule(color=OKABE_ITO[0], strokeWidth=1.6, aria=False).encode(x=x, y=alt.Y("low:Q", title="mean truth", scale=alt.Scale(zero=False)), y2=alt.Y2("high:Q"))
    dots = base.mark_point(color=OKABE_ITO[0], filled=True, size=45, opacity=1, aria=False).encode(x=x, y=y)
    bin_, off = max(measured, key=lambda pair: abs(pair[1].value))
    return [chart(
        "truth-against-prediction", "performance", "Truth against prediction",
        f"Mean truth against mean prediction, in bins of about equal count; on the dashed line the two agree. Furthest from it: where the prediction is {significant(bin_.low)} to {significant(bin_.high)} "
        f"the truth is {estimate(off, signed=True)} off on average, n = {whole(bin_.n)}; the intervals hold for all bins at once.",
        half(_diagonal(*ends), bars, dots), ("predicted from", "to", "n", "mean prediction", "mean of truth minus prediction", "low", "high"),
        [(one.low, one.high, one.n, one.mean_prediction, off.value, off.low, off.high) for one, off in measured])]


def _spread(residuals: Residuals, n: int) -> Chart:
    rows = [{"x": one.mean_prediction, **dict(zip(QUANTILES, one.residuals, strict=True))} for one in residuals.bins]
    base, (x, y) = alt.Chart(data(rows)), _plain_axes("mean prediction in the bin", "truth minus prediction", "q50")
    zero = alt.Chart(data([{"zero": 0}])).mark_rule(color="#7a7a7a", strokeDash=[5, 3], strokeWidth=1, aria=False).encode(y=alt.Y("zero:Q"))
    most = base.mark_rule(color=OKABE_ITO[0], strokeWidth=1.4, aria=False).encode(x=x, y=alt.Y("q05:Q", title="truth minus prediction"), y2=alt.Y2("q95:Q"))
    middle = base.mark_rule(color=OKABE_ITO[0], strokeWidth=5, opacity=0.55, aria=False).encode(x=x, y=alt.Y("q25:Q", title="truth minus prediction"), y2=alt.Y2("q75:Q"))
    dots = base.mark_point(color=OKABE_ITO[0], filled=True, size=45, opacity=1, aria=False).encode(x=x, y=y)
    by_level = {one.level: one.error for one in residuals.errors if isinstance(one.error, Estimate)}
    half_of, most_of = (by_level.get(level) for level in SAID_LEVELS)
    said = f" Half of the rows are off by at most {estimate(half_of)}, nine in ten by at most {estimate(most_of)}, n = {whole(n)}." if half_of and most_of else ""
    return chart(
        "residuals", "performance", "Residuals along the predictions",
        f"Truth minus prediction in bins of about equal count: the dot is the median, half of the rows lie in the thick line, nine in ten in the thin one.{said}",
        half(zero, most, middle, dots), ("predicted from", "to", "n", "mean prediction", "5 % lie below", "25 %", "median", "75 %", "95 %"),
        [(one.low, one.high, one.n, one.mean_prediction, *one.residuals) for one in residuals.bins])


QUANTILES = "q05", "q25", "q50", "q75", "q95"
SAID_LEVELS = 0.5, 0.9


def _plain_axes(x: str, y: str, field: str = "y") -> tuple[alt.X, alt.Y]:
    return alt.X("x:Q", title=x, scale=alt.Scale(zero=False), axis=number_axis(width=HALF)), alt.Y(f"{field}:Q", title=y, scale=alt.Scale(zero=False), axis=alt.Axis(grid=True))


def _by_group(performance: PerformanceSection, metric: str, attribute: str, place: int) -> Chart | None:
    groups = [(group, value) for group in performance.by_group[attribute] if isinstance(value := group.metrics.get(metric), Estimate)]
    overall = performance.metrics[metric]
    if not groups or not isinstance(overall, Estimate):
        return None
    words = metric_words(metric)
    rows = interval_rows(axis_labels([group.group for group, _ in groups], [group.n for group, _ in groups]), [value for _, value in groups])
    # the smallest groups are the furthest by chance; the picture has them all
    told = [pair for pair in groups if not pair[1].low_precision] or groups
    (low_group, low), (high_group, high) = min(told, key=lambda pair: pair[1].value), max(told, key=lambda pair: pair[1].value)
    return chart(
        f"metric-by-group-{place}", "performance", f"{_first_upper(words)} by {attribute}",
        f"{_first_upper(words)} by {attribute}: lowest {low_group.group} {estimate(low)}, n = {whole(low_group.n)}; highest {high_group.group} {estimate(high)}, n = {whole(high_group.n)}.",
        dots_with_intervals(rows, f"{words}, with 95 % interval", rules=[(overall.value, "all rows")]), ("group", "n", words, "low", "high"),
        [(group.group, group.n, value.value, value.low, value.high) for group, value in groups])
