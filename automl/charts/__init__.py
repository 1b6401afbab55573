"""Pictures of the Evidence: one Vega-Lite spec serves page and PDF, with the sentence it shows and the numbers behind it.

Nothing is computed here but positions on paper. Strings from the data are values in the specs, never field names, titles or expressions.
"""

from __future__ import annotations

from collections.abc import Iterator

from altair.utils.schemapi import debug_mode

from automl.charts.explanation import explanation_charts
from automl.charts.fairness import fairness_charts
from automl.charts.local_law_144 import law_charts
from automl.charts.mitigation import mitigation_charts
from automl.charts.performance import performance_charts
from automl.charts.reasons import reasons_charts
from automl.charts.search import search_charts
from automl.charts.weaknesses import weakness_charts
from automl.evidence import Chart, Charts, Evidence, NotMeasured


def draw_charts(evidence: Evidence) -> Charts:
    """Every chart that the evidence has numbers for, in the order of the report. Deterministic: the same evidence gives the same specs."""
    # Altair would hold every part of every picture against its schema
    with debug_mode(False):
        return Charts(charts=tuple(_charts(evidence)))


def _charts(evidence: Evidence) -> Iterator[Chart]:
    if not isinstance(evidence.performance, NotMeasured):
        yield from performance_charts(evidence.performance, _headline(evidence))
    if not isinstance(evidence.fairness, NotMeasured):
        yield from fairness_charts(evidence.fairness)
    if not isinstance(evidence.local_law_144, NotMeasured):
        yield from law_charts(evidence.local_law_144)
    if not isinstance(evidence.explanation, NotMeasured):
        yield from explanation_charts(evidence.explanation)
    if not isinstance(evidence.reasons, NotMeasured):
        yield from reasons_charts(evidence.reasons)
    if not isinstance(evidence.mitigation, NotMeasured):
        yield from mitigation_charts(evidence.mitigation, evidence.findings)
    if not isinstance(evidence.search, NotMeasured):
        yield from search_charts(evidence.search)
    yield from weakness_charts(evidence.slices, evidence.robustness)


def _headline(evidence: Evidence) -> str | None:
    """The metric that the model was chosen by, where there is one."""
    return None if isinstance(evidence.search, NotMeasured) else evidence.search.metric
