"""Each group's rate beside that of all rows and of the best group: values by plain fractions, limits by how often they hold."""

from __future__ import annotations

import numpy as np
import pytest

from automl.audit.intervals import Count, clopper_pearson, difference_estimate, mover_ratio
from automl.audit.rate_comparisons import NO_OTHERS, NO_ROWS, rate_comparisons, ratio_estimate
from automl.evidence import Estimate, NotMeasured, Value

NAMES = ("a", "b", "c")


def value(estimate: Value) -> Estimate:
    assert isinstance(estimate, Estimate), estimate
    return estimate


def test_values_are_those_of_the_pooled_and_of_the_best_rate() -> None:
    a, b, c = rate_comparisons("tpr", NAMES, [Count.of(30, 60), Count.of(40, 50), Count.of(9, 40)])
    assert [one.best for one in (a, b, c)] == ["b"] * 3
    assert [value(one.minus_all).value for one in (a, b, c)] == pytest.approx([30 / 60 - 79 / 150, 40 / 50 - 79 / 150, 9 / 40 - 79 / 150])
    assert [value(one.over_all).value for one in (a, b, c)] == pytest.approx([0.5 / (79 / 150), 0.8 / (79 / 150), 0.225 / (79 / 150)])
    assert (value(a.minus_best).value, value(a.over_best).value) == pytest.approx((-0.3, 0.625))
    assert isinstance(b.minus_best, NotMeasured)
    assert isinstance(b.over_best, NotMeasured)
    assert value(a.minus_all).level == value(a.over_all).level == pytest.approx(1 - 0.05 / 3), "three groups at once"
    assert value(a.minus_best).level == value(c.over_best).level == pytest.approx(1 - 0.05 / 3), "three pairs at once"


def test_the_limits_to_all_rows_are_those_to_the_others_moved() -> None:
    mine, others = Count.of(30, 60), Count.of(49, 90)
    [a, *_] = rate_comparisons("tpr", NAMES, [mine, Count.of(40, 50), Count.of(9, 40)])
    apart, share = value(difference_estimate(mine, others, comparisons=3)), 60 / 150
    assert (value(a.minus_all).low, value(a.minus_all).high) == pytest.approx((0.6 * apart.low, 0.6 * apart.high))
    low, high = (float(limit) for limit in mover_ratio(30, 60, 49, 90, 0.05 / 6, clopper_pearson))
    assert (value(a.over_all).low, value(a.over_all).high) == pytest.approx((low / (share * low + 0.6), high / (share * high + 0.6)))


def test_of_false_rates_the_lowest_is_best_and_few_rows_are_passed_over() -> None:
    assert {one.best for one in rate_comparisons("fpr", NAMES, [Count.of(30, 60), Count.of(40, 50), Count.of(9, 40)])} == {"c"}
    assert {one.best for one in rate_comparisons("fpr", NAMES, [Count.of(30, 60), Count.of(40, 50), Count.of(0, 4)])} == {"a"}
    assert {one.best for one in rate_comparisons("ppv", NAMES, [Count.of(3, 6), Count.of(4, 5), Count.of(0, 4)])} == {"b"}, "all are few"


def test_what_cannot_be_compared_says_why() -> None:
    a, b, c = rate_comparisons("tpr", NAMES, [Count.of(3, 60), Count.of(0, 0), Count.of(0, 40)])
    assert (b.minus_all, b.best) == (NotMeasured(reason=NO_ROWS), None)
    assert value(c.over_all).value == value(c.over_all).low == 0
    assert value(a.over_all).high == pytest.approx(100 / 60), "nobody else's rate can be less than 0"
    [alone] = rate_comparisons("tpr", ["a"], [Count.of(3, 60)])
    assert alone.minus_best == NotMeasured(reason=NO_OTHERS)
    nobody = rate_comparisons("fpr", NAMES, [Count.of(0, 60), Count.of(0, 50), Count.of(0, 40)])
    assert {type(one.over_all) for one in nobody} == {NotMeasured}
    assert ratio_estimate(Count.of(3, 60), Count.of(0, 40)) == NotMeasured(reason="the rate to divide by is 0")


def test_the_limits_of_a_table_hold_together() -> None:
    """Bonferroni's are conservative: all limits of a table at once hold in at least 95 % of samples."""
    rng, sizes, rates = np.random.default_rng(0), np.array([90, 60, 150]), np.array([0.5, 0.6, 0.7])
    share = sizes / sizes.sum()
    overall, held = float(share @ rates), 0
    for _ in range(400):
        found = rate_comparisons("tpr", NAMES, [Count.of(int(k), int(n)) for k, n in zip(rng.binomial(sizes, rates), sizes, strict=True)])
        held += all(value(one.minus_all).low <= rate - overall <= value(one.minus_all).high and value(one.over_all).low <= rate / overall <= value(one.over_all).high for one, rate in zip(found, rates, strict=True))
    assert held >= 372


def test_of_two_groups_there_is_one_contrast() -> None:
    a, _ = rate_comparisons("ppv", ["a", "b"], [Count.of(30, 60), Count.of(40, 50)])
    apart = value(difference_estimate(Count.of(30, 60), Count.of(40, 50)))
    assert (value(a.minus_all).low, value(a.minus_all).high, value(a.minus_all).level) == pytest.approx((apart.low * 50 / 110, apart.high * 50 / 110, 0.95))
    assert (value(a.minus_best).low, value(a.minus_best).high) == pytest.approx((apart.low, apart.high)), "the same contrast, so the same answer"


def test_small_groups_near_1_are_held_as_often_as_said() -> None:
    """With Wilson's limits, which are too short so far out, this held in four of five samples."""
    rng, sizes, rate = np.random.default_rng(1), np.array([30] * 6 + [500] * 6), 0.98
    held = 0
    for _ in range(150):
        found = rate_comparisons("tpr", [str(at) for at in range(12)], [Count.of(int(k), int(n)) for k, n in zip(rng.binomial(sizes, rate), sizes, strict=True)])
        held += all(value(one.minus_all).low <= 0 <= value(one.minus_all).high for one in found)
    assert held >= 141
