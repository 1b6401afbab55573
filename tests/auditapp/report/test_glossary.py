from __future__ import annotations

from auditapp.report.glossary import METRICS, glossary_blocks
from automl.evidence import Evidence, NotMeasured, PerformanceSection
from automl.printing import METRIC_WORDS, metric_words
from tests.evidence_example import make_evidence
from tests.evidence_variants import predictions, regression


def measures(evidence: Evidence) -> list[str]:
    return [row[0] for row in glossary_blocks(evidence)[0]["rows"]]


def test_every_metric_that_we_have_a_name_for_has_a_formula() -> None:
    assert set(METRICS) == set(METRIC_WORDS)


def test_every_metric_of_a_run_is_explained_once_and_no_other() -> None:
    for evidence in (make_evidence(), regression()):
        assert isinstance(evidence.performance, PerformanceSection)
        found = measures(evidence)
        assert len(found) == len(set(found))
        names = {metric_words(name) for name in METRICS}
        assert {one for one in found if one in names} == {metric_words(name) for name in evidence.performance.metrics}


def test_what_was_not_measured_is_not_explained() -> None:
    assert {"impact ratio", "SHAP value of an input", "Holm"} <= set(measures(make_evidence()))
    bare = make_evidence(**{name: NotMeasured(reason="not asked for") for name in ("performance", "fairness", "explanation", "reasons", "mitigation", "slices", "robustness")})
    assert all(one.startswith(("interval of", "other intervals")) for one in measures(bare))
    assert "difference of mean scores" in measures(regression())
    assert "impact ratio" not in measures(regression())
    assert "SHAP value of an input" not in measures(predictions())
