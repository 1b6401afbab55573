"""Documents that have some sections only, and the findings on them."""

from __future__ import annotations

import re
from typing import Any

from automl.audit.fairness import measure_fairness
from automl.audit.findings import write_findings
from automl.audit.outcomes import Outcomes
from automl.audit.performance import measure_performance
from automl.evidence import (
    Background,
    DataSection,
    Estimate,
    ExplanationSection,
    FairnessSection,
    FeatureImportance,
    Finding,
    NotMeasured,
    PerformanceSection,
    SplitInfo,
    TableReading,
)
from automl.spec import AuditPolicy, Limit
from tests.evidence_example import make_evidence

ABSENT = NotMeasured(reason="not part of this test")
BANNED = re.compile(
    r"complian|\bpass(es|ed)?\b|\bfail(s|ed|ure)?\b|certif|unbiased|bias[- ]free|\bfair(ly)?\b|unfair|favou?red|discriminat|\blegal|illegal|guarant|proves?\b", re.IGNORECASE,
)


def data_section(**changes: Any) -> DataSection:
    split = SplitInfo(method="stratified", seed=0, train=750, audit=250)
    return DataSection(sha256="0" * 64, rows=1000, reading=TableReading(format="csv"), target=None, **({"columns": (), "split": split} | changes))


def fairness_of(outcomes: Outcomes, *sensitive: str, **policy: Any) -> FairnessSection:
    section = measure_fairness(outcomes, AuditPolicy(sensitive=sensitive, **policy), bins={}, seed=0)
    assert isinstance(section, FairnessSection)
    return section


def performance_of(outcomes: Outcomes, **options: Any) -> PerformanceSection:
    section = measure_performance(outcomes, seed=0, **options)
    assert isinstance(section, PerformanceSection)
    return section


def findings_on(limit: float = 0.8, **sections: Any) -> tuple[Finding, ...]:
    """The findings on a document that has these sections and no others."""
    example = make_evidence()
    absent = dict.fromkeys(("search", "performance", "fairness", "explanation", "local_law_144", "reasons", "mitigation", "slices", "robustness"), ABSENT)
    spec = example.spec.model_copy(update={"limit": Limit(ratio=limit)})
    return write_findings(example.model_copy(update={"spec": spec, "data": data_section(), **absent, **sections}))


def found(data: DataSection | None = None, performance: Any = ABSENT, fairness: Any = ABSENT, explanation: Any = ABSENT, limit: float = 0.8) -> dict[str, list[Finding]]:
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings_on(limit, data=data or data_section(), performance=performance, fairness=fairness, explanation=explanation):
        by_rule.setdefault(finding.rule, []).append(finding)
    return by_rule


def explanation(*sizes: float) -> ExplanationSection:
    features = tuple(
        FeatureImportance(
            feature=f"x{j}", mean_abs_shap=Estimate(value=size, low=size, high=size, method="bootstrap", n=100), direction="mixed", rank=j + 1,
            rank_over_replicates=(j + 1, j + 1),
        )
        for j, size in enumerate(sizes)
    )
    return ExplanationSection(
        output_space="log_odds", output="log-odds of yes", explainer="exact", background=Background(source="training rows", n=100, sha256="0" * 64), rows=100,
        features=features, additivity_error=0.0,
    )
