"""Pictures of the Local Law 144 tables: impact ratios with their intervals. No limit is drawn, for the rule states none."""

from __future__ import annotations

from automl.charts.marks import axis_labels, chart, dots_with_intervals
from automl.evidence import Chart, LawTable, LocalLaw144Section, Ratio
from automl.printing import fixed, whole

TABLES = {"sex": "sex", "race": "race or ethnicity", "intersectional": "sex and race or ethnicity"}
FIELDS = (("impact_ratio", "selection rates"), ("scoring_impact_ratio", "scoring rates"))


def law_charts(law: LocalLaw144Section) -> list[Chart]:
    """One picture a table that has a ratio: of selection, or of scoring where nothing was decided."""
    found = ((name, words, getattr(law, name)) for name, words in TABLES.items())
    pictures = (_ratios(f"law-{name}", words, table) for name, words, table in found if isinstance(table, LawTable))
    return [picture for picture in pictures if picture is not None]


def _ratios(name: str, words: str, table: LawTable) -> Chart | None:
    for field, what in FIELDS:
        measured = [(row, one) for row in table.rows if isinstance(one := getattr(row, field), Ratio)]
        compared = [(row, one) for row, one in measured if one.label != "reference"]
        if not compared:
            continue
        labels = axis_labels([row.category for row, _ in measured], [row.n for row, _ in measured])
        rows = [{"label": label, "place": at, "value": one.value, "low": one.low, "high": one.high} for at, (label, (_, one)) in enumerate(zip(labels, measured, strict=True))]
        row, lowest = min(compared, key=lambda pair: pair[1].value)
        return chart(
            name, "fairness", f"Local Law 144: impact ratios of {what} by {words}",
            f"Lowest impact ratio of the {what} by {words}: {row.category} {fixed(lowest.value, 3)} ({fixed(lowest.low, 3)} to {fixed(lowest.high, 3)}), n = {whole(lowest.n)}.",
            dots_with_intervals(rows, "impact ratio, with 95 % interval", x_format=".2f", zero=True),
            ("category", "people", "impact ratio", "low", "high"), [(row.category, row.n, one.value, one.low, one.high) for row, one in measured])
    return None
