from __future__ import annotations

from auditapp.report.fairness_sections import MAXIMA
from auditapp.report.glossary import METRICS, OF_SEVERAL_CLASSES, all_entries, glossary_blocks
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
    assert all(one.startswith(("interval of", "other intervals", "share, base rate", "times its share", "chi-squared")) for one in measures(bare))
    assert "difference of mean scores" in measures(regression())
    assert "impact ratio" not in measures(regression())
    assert "SHAP value of an input" not in measures(predictions())


def test_every_difference_between_groups_that_is_printed_is_explained() -> None:
    """The heads of the table of largest differences, and of how scores lie, are found in the glossary by their own words."""
    found = measures(make_evidence())
    for words in MAXIMA.values():
        assert any(words in one or (words.endswith(" ratio") and "difference, ratio" in one) for one in found), words
    assert {"false negatives for each false positive", "share, base rate"} <= set(found)
    assert len({name for name, _ in all_entries()}) == len(all_entries())


def test_formulas_are_those_that_are_computed() -> None:
    """Of several classes metrics are means over them; false negatives are of the favourable outcome, which may be the negative class; no interval is named that nothing here has."""
    said = dict(all_entries())
    for name in ("roc_auc", "average_precision", "f1", "precision", "recall", "brier"):
        assert "of several classes the mean" in OF_SEVERAL_CLASSES[name]
    assert said["false negatives for each false positive"].startswith("of the favourable outcome")
    assert not any("Koopman" in formula for formula in said.values())
    assert "of a number its mean" in said["share, base rate"]


def test_a_test_against_a_population_is_explained_where_nothing_else_is_tested() -> None:
    bare = make_evidence(fairness=NotMeasured(reason="not asked for"))
    assert ("chi-squared" in measures(bare)) == any(one.test is not None for one in bare.data.representation)
    untested = bare.model_copy(update={"data": bare.data.model_copy(update={"representation": tuple(one.model_copy(update={"test": None}) for one in bare.data.representation)})})
    assert "chi-squared" not in measures(untested)
