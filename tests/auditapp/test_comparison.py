"""Two runs beside each other: the interval of a difference, what differs, and what is said of rows that are not the same."""

from __future__ import annotations

import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from auditapp.comparison import compare, difference_of
from automl.evidence import Estimate, Evidence, FairnessSection, PerformanceSection
from tests.evidence_example import make_evidence
from tests.evidence_variants import regression


def estimate(value: float, low: float, high: float) -> Estimate:
    return Estimate(value=value, low=low, high=high, method="Wilson", n=100)


def wilson(k: int, n: int) -> Estimate:
    low, high = proportion_confint(k, n, method="wilson")
    return Estimate(value=k / n, low=low, high=high, method="Wilson", n=n, k=k)


def test_the_interval_of_a_difference_is_newcombes_for_two_wilson_intervals() -> None:
    found = difference_of(wilson(48, 80), wilson(56, 70))
    assert (found.low, found.high) == pytest.approx(confint_proportions_2indep(56, 70, 48, 80, method="newcomb", compare="diff"))
    assert found.value == pytest.approx(0.2)


def performance_with(evidence: Evidence, name: str, value: Estimate) -> Evidence:
    assert isinstance(evidence.performance, PerformanceSection)
    return evidence.model_copy(update={"performance": evidence.performance.model_copy(update={"metrics": {**evidence.performance.metrics, name: value}})})


def test_the_same_twice_differs_in_nothing() -> None:
    found = compare(make_evidence(), make_evidence())
    assert found.verdict == "same_digest"
    assert found.same_rows
    assert (found.settings, found.new_findings, found.gone_findings) == ((), (), ())
    assert {pair.difference.value for pair in found.metrics if pair.difference} == {0.0}
    assert not any(pair.beyond_sampling_error for pair in found.metrics)
    assert [attribute.attribute for attribute in found.attributes] == ["sex", "race"]


def test_a_difference_says_whether_it_is_beyond_sampling_error() -> None:
    first = performance_with(make_evidence(), "roc_auc", estimate(0.80, 0.79, 0.81))
    [near, far] = [next(pair for pair in compare(first, performance_with(first, "roc_auc", other)).metrics if pair.name == "roc_auc") for other in (estimate(0.805, 0.795, 0.815), estimate(0.84, 0.83, 0.85))]
    assert not near.beyond_sampling_error
    assert far.beyond_sampling_error
    assert far.difference is not None
    assert far.difference.value == pytest.approx(0.04)


def test_other_rows_are_told_by_what_differs() -> None:
    first = make_evidence()
    other_seed = first.model_copy(update={"data": first.data.model_copy(update={"split": first.data.split.model_copy(update={"seed": 7})})})
    assert compare(first, other_seed).why_other_rows == "seed"
    own = first.model_copy(update={"data": first.data.model_copy(update={"split": first.data.split.model_copy(update={"method": "own table"})})})
    assert compare(own, own).why_other_rows == "own table to audit on", "the document does not say which rows they were"
    assert not compare(first, regression()).same_rows
    assert compare(first, regression()).attributes == (), "a rate and a mean are not compared"


def test_what_was_asked_for_differently_is_named_and_names_of_runs_are_not() -> None:
    first = make_evidence()
    second = first.model_copy(update={"spec": first.spec.model_copy(update={"seed": 9, "title": "Again", "sensitive": (*first.spec.sensitive, "age")})})
    found = {setting.name: (setting.before, setting.after) for setting in compare(first, second).settings}
    assert set(found) == {"seed", "sensitive"}
    assert found["sensitive"][1].endswith(", age")


def test_findings_keep_their_place_when_another_attribute_comes_before() -> None:
    first = make_evidence()
    assert isinstance(first.fairness, FairnessSection)
    sex, race = first.fairness.attributes
    turned = first.model_copy(update={
        "fairness": first.fairness.model_copy(update={"attributes": (race, sex)}),
        "findings": tuple(finding.model_copy(update={"evidence": finding.evidence.replace("/attributes/0/", "/attributes/x/").replace("/attributes/1/", "/attributes/0/").replace("/attributes/x/", "/attributes/1/")}) for finding in first.findings)})
    assert compare(first, turned).new_findings == ()
    without = first.model_copy(update={"findings": first.findings[1:]})
    assert compare(first, without).gone_findings == first.findings[:1]
