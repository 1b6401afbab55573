from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from automl.audit.fairness import measure_fairness
from automl.audit.intervals import Count, difference_estimate
from automl.audit.outcomes import Outcomes
from automl.audit.parity import ErrorCounts, View, error_rates, group_calibration, middle
from automl.evidence import ErrorRates, Estimate, Gaps, GroupCalibration, NotMeasured, ScoreOutcome, Value
from automl.spec import AuditPolicy
from tests.automl.audit.cases import binary, regression, with_a_handful


def view_of(tp: int, fp: int, fn: int, tn: int) -> View:
    selected = np.repeat([True, True, False, False], [tp, fp, fn, tn])
    return View(selected, np.repeat([True, False, True, False], [tp, fp, fn, tn]), None, False, None, None, None)


def value(estimate: Value) -> float:
    assert isinstance(estimate, Estimate), estimate
    return estimate.value


def test_v14_error_parity() -> None:
    a, b = ErrorCounts.of(view_of(40, 10, 10, 40)), ErrorCounts.of(view_of(20, 5, 20, 55))
    of_a, of_b = error_rates(a, b, False, 1), error_rates(b, a, False, 1)
    assert isinstance(of_a, ErrorRates)
    assert isinstance(of_b, ErrorRates)
    assert [value(of_a.tpr), value(of_b.tpr)] == pytest.approx([0.8, 0.5])
    assert [value(of_a.fpr), value(of_b.fpr)] == pytest.approx([0.2, 1 / 12])
    assert [value(of_a.ppv), value(of_b.ppv)] == pytest.approx([0.8, 0.8])
    assert value(of_a.tpr) + value(of_a.fnr) == pytest.approx(1)
    assert value(of_a.fpr) + value(of_a.tnr) == pytest.approx(1)
    assert isinstance(of_b.gaps, Gaps)
    assert value(of_b.gaps.tpr) == pytest.approx(-0.3)
    assert value(of_b.gaps.ppv) == pytest.approx(0)
    assert value(of_b.gaps.accuracy or NotMeasured(reason="none")) == pytest.approx(0.75 - 0.8)
    assert value(of_b.gaps.npv or NotMeasured(reason="none")) == pytest.approx(55 / 75 - 40 / 50)


def test_false_negatives_for_each_false_positive_have_the_odds_of_wilsons_limits() -> None:
    rates = error_rates(ErrorCounts.of(view_of(40, 10, 30, 20)), None, False, 1)
    assert isinstance(rates, ErrorRates)
    ratio = rates.treatment_equality
    assert isinstance(ratio, Estimate)
    low, high = proportion_confint(30, 40, method="wilson")
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((3, low / (1 - low), high / (1 - high)))
    for cell, reason in (((40, 0, 10, 50), "no row of this group is a false positive"), ((40, 0, 0, 60), "no row of this group is a false negative or a false positive")):
        alone = error_rates(ErrorCounts.of(view_of(*cell)), None, False, 1)
        assert isinstance(alone, ErrorRates)
        assert isinstance(alone.treatment_equality, NotMeasured)
        assert alone.treatment_equality.reason.startswith(reason)


def test_v14_through_the_whole_table() -> None:
    cells = {"A": (40, 10, 10, 40), "B": (20, 5, 20, 55)}
    views = {name: view_of(*cell) for name, cell in cells.items()}
    outcomes = binary(
        n=200, truth=np.concatenate([v.deserving for v in views.values() if v.deserving is not None]).astype(np.int64), score=None,
        decision=np.concatenate([v.selected for v in views.values() if v.selected is not None]).astype(np.int64),
        groups={"g": np.array(["A"] * 100 + ["B"] * 100, dtype=object)},
    )
    section = measure_fairness(outcomes, AuditPolicy(sensitive=("g",)), bins={}, seed=0)
    assert not isinstance(section, NotMeasured)
    summary = section.attributes[0].summary
    assert (summary.demographic_parity_ratio, summary.equal_opportunity_difference, summary.equalized_odds_difference) == pytest.approx((0.5, 0.3, 0.3))


def test_mistake_05_rates_without_denominator_are_not_measured_and_give_no_gap() -> None:
    a, b = ErrorCounts.of(view_of(40, 10, 10, 40)), ErrorCounts.of(view_of(0, 0, 0, 30))
    rates = error_rates(b, a, False, 1)
    assert isinstance(rates, ErrorRates)
    assert isinstance(rates.tpr, NotMeasured)
    assert isinstance(rates.ppv, NotMeasured)
    assert value(rates.fpr) == 0
    assert isinstance(rates.gaps, Gaps)
    assert isinstance(rates.gaps.tpr, NotMeasured)
    assert isinstance(rates.gaps.fpr, Estimate)


def test_rule_09_gaps_of_many_groups_are_simultaneous() -> None:
    a, b = ErrorCounts.of(view_of(40, 10, 10, 40)), ErrorCounts.of(view_of(20, 5, 20, 55))
    one, five = error_rates(b, a, False, 1), error_rates(b, a, False, 5)
    assert isinstance(one, ErrorRates)
    assert isinstance(five, ErrorRates)
    assert isinstance(one.gaps, Gaps)
    assert isinstance(five.gaps, Gaps)
    assert isinstance(one.gaps.tpr, Estimate)
    assert isinstance(five.gaps.tpr, Estimate)
    assert five.gaps.tpr.low < one.gaps.tpr.low
    assert five.gaps.tpr.level == pytest.approx(0.99)


def test_v15_t12_calibration_of_a_group() -> None:
    deserving = np.arange(40) < 10
    measured = group_calibration(View(None, deserving, np.full(40, 0.5), True, None, None, None))
    assert isinstance(measured, GroupCalibration)
    assert (measured.observed, measured.expected) == (10, 20)
    assert isinstance(measured.observed_over_expected, Estimate)
    assert (measured.observed_over_expected.low, measured.observed_over_expected.high) == pytest.approx((0.2837, 0.8039), abs=5e-5)
    assert measured.z == pytest.approx(-10 / np.sqrt(10))
    assert isinstance(group_calibration(View(None, deserving, np.full(40, 700.0), False, None, None, None)), NotMeasured)


def test_the_median_honours_weights() -> None:
    assert middle(np.array([1.0, 2.0, 3.0, 4.0]), None) == 2.5
    assert middle(np.array([1.0, 2.0, 3.0]), np.array([5.0, 1.0, 1.0])) == 1.0


@pytest.mark.parametrize(("persons", "marked"), [(4, True), (40, False)])
def test_a_difference_of_means_is_as_sure_as_its_smaller_side(persons: int, marked: bool) -> None:
    group = np.repeat(["large", "small"], [1000, 80]).astype(object)
    cluster = np.r_[np.arange(1000), 1000 + np.arange(80) % persons]
    section = measure_fairness(regression(1080, groups={"g": group}, cluster=cluster), AuditPolicy(sensitive=("g",), reference={"g": "large"}), bins={}, seed=0)
    assert not isinstance(section, NotMeasured)
    score = section.attributes[0].groups[1].score
    assert isinstance(score, ScoreOutcome)
    for estimate in (score.mean, score.mean_difference, score.residual_difference, score.ratio_of_means):
        assert isinstance(estimate, Estimate)
        assert estimate.low_precision is marked


def errors_of(outcomes: Outcomes, **policy: Any) -> dict[str, ErrorRates]:
    section = measure_fairness(outcomes, AuditPolicy(sensitive=("g",), **policy), bins={}, seed=0)
    assert not isinstance(section, NotMeasured)
    found = {group.group: group.error_rates for group in section.attributes[0].groups}
    assert all(isinstance(rates, ErrorRates) for rates in found.values())
    return found  # type: ignore[return-value]


def test_where_the_reference_is_a_handful_gaps_are_taken_to_all_others_too() -> None:
    gaps = errors_of(with_a_handful())["large"].gaps_to_rest
    assert gaps is not None
    assert value(gaps.tpr) == pytest.approx(200 / 300 - 206 / 246)
    assert value(gaps.fpr) == pytest.approx(60 / 200 - 51 / 161)
    assert value(gaps.ppv) == pytest.approx(200 / 260 - 206 / 257)
    assert isinstance(gaps.tpr, Estimate)
    expected = difference_estimate(Count.of(200, 300), Count.of(206, 246), comparisons=3)
    assert isinstance(expected, Estimate)
    low, high = expected.low, expected.high
    assert (gaps.tpr.low, gaps.tpr.high, gaps.tpr.level) == pytest.approx((low, high, 1 - 0.05 / 3)), "for all three groups at once"
    assert not gaps.tpr.low_precision


def test_gaps_to_all_others_are_left_out_where_the_reference_says_enough() -> None:
    assert errors_of(with_a_handful((30, 10, 0, 0)))["large"].gaps_to_rest is None
    assert errors_of(with_a_handful(), reference={"g": "other"})["large"].gaps_to_rest is None
    assert "gaps_to_rest" not in errors_of(with_a_handful(), reference={"g": "other"})["large"].model_dump(mode="json")


def test_weighted_outcomes_stand_beside_weighted_expectations() -> None:
    """Both columns are printed beside their quotient."""
    yes, weight = np.array([True, False, True, False]), np.array([2.0, 2.5, 3.0, 2.5])
    measured = group_calibration(View(None, yes, np.full(4, 0.5), True, None, weight, None))
    assert isinstance(measured, GroupCalibration)
    assert (measured.observed, measured.expected) == (5.0, 5.0)
    assert value(measured.observed_over_expected) == pytest.approx(measured.observed / measured.expected)
