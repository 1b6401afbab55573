"""The picture of a proxy scan: how well each input alone, and all together, tell the groups of a sensitive attribute."""

from __future__ import annotations

from automl.charts.marks import MAX_ROWS, OKABE_ITO, axis_labels, chart, dots_with_intervals, interval_rows
from automl.evidence import Chart, Estimate, ExplanationSection, NotMeasured, ProxyScan
from automl.printing import estimate, percent

TOGETHER = "all inputs together"
STATUS = {
    "together": ("#7a7a7a", "square"), "alone, moves the score": (OKABE_ITO[1], "diamond"), "alone": (OKABE_ITO[0], "circle"),
}


def proxy_charts(explanation: ExplanationSection) -> list[Chart | None]:
    """One picture an attribute; None where nothing of it has an interval."""
    scans = () if isinstance(explanation.proxies, NotMeasured) else explanation.proxies
    return [_scan(scan, place) for place, scan in enumerate((scan for scan in scans if isinstance(scan, ProxyScan)), start=1)]


def _scan(scan: ProxyScan, place: int) -> Chart | None:
    measured = [(one, value) for one in scan.features if isinstance(value := one.alone, Estimate)]
    if not measured or not isinstance(scan.auc, Estimate):
        return None
    labels = axis_labels([TOGETHER, *(one.feature for one, _ in measured)], [None] * (1 + len(measured)))
    rows = interval_rows(labels, [scan.auc, *(value for _, value in measured)], status=["together", *("alone, moves the score" if one.flagged else "alone" for one, _ in measured)])
    first, value = measured[0]
    more = " The picture shows the first rows, the table all." if len(rows) > MAX_ROWS else ""
    return chart(
        f"proxies-{place}", "explanation", f"How well inputs tell {scan.attribute}",
        f"All inputs together tell the groups of {scan.attribute} with an AUC of {estimate(scan.auc)}; alone, {first.feature} does best: {estimate(value)}, with "
        f"{percent(first.share_of_score)} of all mean |SHAP|.{more}",
        dots_with_intervals(rows, "AUC of telling the groups, with 95 % interval", rules=[(0.5, "knowing nothing")], status=STATUS, status_title="Input"),
        ("input", "AUC", "low", "high", "rank in the model", "share of all mean |SHAP|", "moves the score and tells the groups"),
        [(TOGETHER, scan.auc.value, scan.auc.low, scan.auc.high, None, None, ""),
         *((one.feature, of.value, of.low, of.high, one.rank, one.share_of_score, "yes" if one.flagged else "no") for one, of in measured)])
