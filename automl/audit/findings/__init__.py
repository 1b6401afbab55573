"""Page one: written rules that turn the document's numbers into findings, one sentence each.

A finding states a value, its interval, and its relation to a limit that somebody stated; it never judges, and below 30 rows it draws no conclusion
(evidence rules 3, 5, 8). The rules stand by id in the files of this folder, one a section of the document: `fairness` (which composes `ratios`, `errors` and `scores`), `performance`, `explanation`,
`local_law_144`, `mitigation`, `weaknesses` (slices and robustness), `data`; those on reasons in `automl.audit.reasons.findings`, that on the governing metric in `automl.audit.governing`. Here are
the rule on the search, and the order:

- ``order_depends_on_timing`` (info): several workers searched together, so that the same inputs need not give the same trials.
- ``governing_metric`` (info): of equal severity, what the governing metric says comes first.
"""

from __future__ import annotations

from collections.abc import Iterator

from automl.audit.findings.data import of_data
from automl.audit.findings.explanation import of_inputs
from automl.audit.findings.fairness import of_fairness
from automl.audit.findings.local_law_144 import law_findings
from automl.audit.findings.mitigation import findings_of_mitigation
from automl.audit.findings.performance import of_drift, of_performance
from automl.audit.findings.topics import folded
from automl.audit.findings.weaknesses import weakness_findings
from automl.audit.governing import findings_of_governing, governs
from automl.audit.reasons.findings import findings_of_reasons
from automl.evidence import Evidence, Finding, NotMeasured, SearchSection, Severity
from automl.spec import TaskSpec

ORDER: tuple[Severity, ...] = ("high", "medium", "low", "info")


def write_findings(evidence: Evidence) -> tuple[Finding, ...]:
    """All findings on the other sections of the document, most severe first, those that say more of the same folded under the first of it; their ids are unique and their pointers lead into it."""
    fairness, performance, spec = evidence.fairness, evidence.performance, evidence.spec
    found = [
        *findings_of_governing(fairness),
        *of_fairness(fairness, spec.limit.ratio, residuals=isinstance(performance, NotMeasured) or performance.quantile is None),
        *of_performance(performance, evidence.search), *of_drift(performance, evidence.data), *of_inputs(evidence.explanation, evidence.data), *of_data(evidence.data),
        *_of_search(evidence.search, spec.parallel if isinstance(spec, TaskSpec) else 1), *findings_of_reasons(evidence.reasons, evidence.explanation),
        *law_findings(evidence.local_law_144, evidence.data.split.audit), *weakness_findings(evidence.slices, evidence.robustness, evidence.cohorts),
        *findings_of_mitigation(evidence.mitigation, fairness),
    ]
    return folded(sorted(found, key=lambda finding: (ORDER.index(finding.severity), not governs(fairness, finding))), evidence)


def _of_search(search: SearchSection | NotMeasured, parallel: int) -> Iterator[Finding]:
    if isinstance(search, SearchSection) and parallel > 1:
        yield Finding(
            id="order_depends_on_timing", severity="info", evidence="/search/trials", rule="order_depends_on_timing",
            text=f"Up to {parallel} workers searched together: which trial knew of which depended on timing, so the search is not reproducible trial by trial. "
                 "What was measured on the audit part is, for this model.",
            suggestion="Ask for one worker (parallel 1) and a budget in trials where the same search is to be made again.")

