"""Pictures of how well predictions fit the truth: ROC, precision against recall, calibration, and the headline metric by group."""

from __future__ import annotations

import altair as alt

from automl.charts.marks import OKABE_ITO, axis_labels, chart, data, dots_with_intervals, half, interval_rows
from automl.evidence import Calibration, Chart, Curve, Estimate, PerformanceSection
from automl.printing import estimate, in_order, metric_words, whole

HEADLINES = ("roc_auc", "rmse", "balanced_accuracy", "accuracy", "log_loss")


def _first_upper(words: str) -> str:
    return words[:1].upper() + words[1:]


def performance_charts(performance: PerformanceSection, headline: str | None) -> list[Chart]:
    """Curves, calibration, and ``headline`` (the metric that steered the search) by group."""
    charts = [_curve(key, curve, performance) for key, curve in sorted(performance.curves.items()) if len(curve.x) > 1]
    charts.sort(key=lambda one: one.name != "roc")
    if isinstance(performance.calibration, Calibration) and any(isinstance(one.observed, Estimate) for one in performance.calibration.bins):
        charts.append(_calibration(performance.calibration))
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


def _diagonal() -> alt.Chart:
    line: alt.Chart = alt.Chart(data([{"x": 0, "y": 0}, {"x": 1, "y": 1}])).mark_line(color="#7a7a7a", strokeDash=[5, 3], strokeWidth=1, aria=False).encode(x=alt.X("x:Q"), y=alt.Y("y:Q"))
    return line


def _calibration(calibration: Calibration) -> Chart:
    measured = [(one, one.observed) for one in calibration.bins if isinstance(one.observed, Estimate)]
    rows = [{"x": one.mean_score, "y": observed.value, "low": observed.low, "high": observed.high} for one, observed in measured]
    unit = alt.Scale(domain=[0, 1])
    base = alt.Chart(data(rows))
    x = alt.X("x:Q", title="mean score in the bin", scale=unit)
    bars = base.mark_rule(color=OKABE_ITO[0], strokeWidth=1.6, aria=False).encode(x=x, y=alt.Y("low:Q", title="observed rate", scale=unit), y2=alt.Y2("high:Q"))
    dots = base.mark_point(color=OKABE_ITO[0], filled=True, size=45, opacity=1, aria=False).encode(x=x, y=alt.Y("y:Q", title="observed rate", scale=unit, axis=alt.Axis(grid=True)))
    return chart(
        "calibration", "performance", "Calibration",
        f"Observed rate against mean score, in bins of about equal count. Observed over expected {estimate(calibration.observed_over_expected)}; on the dashed line the two agree.",
        half(_diagonal(), bars, dots), ("score from", "to", "n", "mean score", "observed rate", "low", "high"),
        [(one.low, one.high, one.n, one.mean_score, observed.value, observed.low, observed.high) for one, observed in measured])


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
