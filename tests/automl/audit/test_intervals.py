from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.stats import binom
from scipy.stats.contingency import relative_risk
from statsmodels.stats.proportion import proportion_confint

from automl.audit import intervals
from automl.audit.intervals import (
    Count,
    auc_estimate,
    clopper_pearson,
    count,
    difference_estimate,
    koopman_ratio,
    mover_ratio,
    observed_over_expected,
    rate_estimate,
    wilson,
)
from automl.evidence import Estimate, NotMeasured, Value
from tests.automl.audit.vectors import expected, needs_vectors


def limits(value: Value) -> tuple[float, float]:
    assert isinstance(value, Estimate), value
    return value.low, value.high


@pytest.mark.parametrize(("k", "n", "low", "high"), [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)])
def test_v08_wilson(k: int, n: int, low: float, high: float) -> None:
    assert limits(rate_estimate(Count.of(k, n))) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("a", "b", "value", "low", "high"), [((56, 70), (48, 80), 0.2, 0.0524, 0.3339), ((9, 10), (3, 10), 0.6, 0.1705, 0.8090)])
def test_v08_newcombe(a: tuple[int, int], b: tuple[int, int], value: float, low: float, high: float) -> None:
    estimate = difference_estimate(Count.of(*a), Count.of(*b))
    assert isinstance(estimate, Estimate)
    assert estimate.value == pytest.approx(value)
    assert limits(estimate) == pytest.approx((low, high), abs=5e-5)


def test_t04_newcombe_of_two_full_rates() -> None:
    assert limits(difference_estimate(Count.of(5, 5), Count.of(5, 5))) == pytest.approx((-0.434482, 0.434482), abs=1e-6)


def test_t14_equal_opportunity_gap_at_the_boundary() -> None:
    low, high = limits(difference_estimate(Count.of(40, 40), Count.of(38, 40)))
    assert (low, high) == pytest.approx((-0.0448, 0.1650), abs=5e-5)


@pytest.mark.parametrize(("k", "n", "low", "high"), [(0, 1, 0.0, 0.793), (1, 1, 0.207, 1.0)])
def test_a_group_of_one_person_has_its_interval_and_the_mark(k: int, n: int, low: float, high: float) -> None:
    estimate = rate_estimate(Count.of(k, n))
    assert limits(estimate) == pytest.approx((low, high), abs=5e-4)
    assert isinstance(estimate, Estimate)
    assert estimate.low_precision


def test_a_rate_without_denominator_says_why() -> None:
    assert rate_estimate(Count.of(0, 0), "nobody was selected") == NotMeasured(reason="nobody was selected")


def test_wilson_is_statsmodels_and_exact_at_the_ends() -> None:
    k, n = np.array([0, 3, 17, 20]), np.array([20, 20, 40, 20])
    low, high = wilson(k, n, 0.01)
    theirs = proportion_confint(k, n, alpha=0.02, method="wilson")
    np.testing.assert_allclose(low, theirs[0], atol=1e-9)
    np.testing.assert_allclose(high, theirs[1], atol=1e-9)
    assert (low[0], high[3]) == (0.0, 1.0)


@pytest.mark.parametrize(("a", "b", "low", "high"), [
    ((1521, 4000), (2000, 4000), 0.723184, 0.799639), ((80, 400), (100, 400), 0.617719, 1.035656), ((740, 1000), (1000, 1000), 0.711932, 0.766395),
], ids=["t1", "t2", "t3"])
def test_t01_t02_t03_mover_r(a: tuple[int, int], b: tuple[int, int], low: float, high: float) -> None:
    assert [float(x) for x in mover_ratio(*a, *b)] == pytest.approx([low, high], abs=1e-6)


@needs_vectors
@pytest.mark.parametrize("table", ["ll144_selection", "ll144_scoring"])
@pytest.mark.parametrize("part", ["sex", "race", "intersectional"])
def test_v01_v02_every_row_of_the_rule_tables(table: str, part: str) -> None:
    rows: list[dict[str, Any]] = expected()[table][part]["rows"]
    reference = next(row for row in rows if row["label"] == expected()[table][part]["reference"])
    for row in rows:
        mine, theirs = (row["k"], row["n"]), (reference["k"], reference["n"])
        assert limits(rate_estimate(Count.of(*mine))) == pytest.approx(row["wilson95"], abs=1e-9)
        if "mover_r95" in row:
            assert [float(x) for x in mover_ratio(*mine, *theirs)] == pytest.approx(row["mover_r95"], abs=1e-6)
            assert koopman_ratio(*mine, *theirs) == pytest.approx(row["koopman95"], abs=1e-6)
            difference = difference_estimate(Count.of(*mine), Count.of(*theirs))
            assert isinstance(difference, Estimate)
            assert [difference.value, difference.low, difference.high] == pytest.approx(row["newcombe_diff95"], abs=1e-9)
        assert intervals.below_limit(Count.of(*mine), Count.of(*theirs), Fraction(4, 5)) is row["below_four_fifths"]


def test_clopper_pearson_is_statsmodels_and_wrong_in_at_most_its_level() -> None:
    n = 40
    k = np.arange(n + 1)
    low, high = clopper_pearson(k, n, 0.025)
    assert (low[0], high[-1]) == (0, 1)
    theirs = proportion_confint(k, n, alpha=0.05, method="beta")
    assert low == pytest.approx(theirs[0])
    assert high == pytest.approx(theirs[1])
    for rate in np.linspace(0.01, 0.99, 99):
        mass = binom.pmf(k, n, rate)
        assert mass[low > rate].sum() <= 0.025
        assert mass[high < rate].sum() <= 0.025


def test_t06_v07_koopman_is_statsmodels_without_correction() -> None:
    assert koopman_ratio(170, 390, 412, 797) == pytest.approx((0.737242, 0.958728), abs=1e-6)
    assert koopman_ratio(12, 40, 48, 80) == pytest.approx((0.2933, 0.7939), abs=5e-5)


@needs_vectors
def test_v11_zero_cell() -> None:
    zero = expected()["zero_cell"]
    assert koopman_ratio(0, 12, 15, 30) == pytest.approx(zero["koopman95"], abs=1e-4)
    assert limits(rate_estimate(Count.of(0, 12))) == pytest.approx(zero["wilson_a"], abs=1e-9)
    low, high = mover_ratio(0, 12, 15, 30)
    assert low == 0
    assert 0 < high < 1


@needs_vectors
def test_v09_katz_is_scipys_and_for_large_cells_mover_r_lies_near_it() -> None:
    """Katz is in nobody's table here: it has no interval for a zero cell (V11) and does poorly in small ones."""
    stated = expected()["scipy_relative_risk"]["27/122 vs 44/487"]
    katz = relative_risk(27, 122, 44, 487)
    assert [katz.relative_risk, *katz.confidence_interval(0.95)] == pytest.approx(stated, rel=1e-9)
    assert [float(limit) for limit in mover_ratio(27, 122, 44, 487)] == pytest.approx(stated[1:], rel=0.02)


@settings(max_examples=200, deadline=None)
@given(k1=st.integers(0, 60), m1=st.integers(0, 60), k2=st.integers(0, 60), m2=st.integers(0, 60), level=st.sampled_from([0.025, 0.0025, 0.1]))
def test_mover_r_holds_the_ratio_has_no_singularity_and_turns_round(k1: int, m1: int, k2: int, m2: int, level: float) -> None:
    n1, n2 = k1 + m1 + 1, k2 + m2 + 1
    low, high = mover_ratio(k1, n1, k2, n2, level)
    assert np.isfinite(low)
    assert 0 <= low <= high
    if k2:
        ratio = (k1 / n1) / (k2 / n2)
        assert low <= ratio * (1 + 1e-9)
        assert ratio <= high * (1 + 1e-9)
    if k1 and k2:
        back_low, back_high = mover_ratio(k2, n2, k1, n1, level)
        assert [float(back_low), float(back_high)] == pytest.approx([1 / float(high), 1 / float(low)], rel=1e-6)


def test_rule_04_v05_v04_equality_is_not_below() -> None:
    assert 3 / 5 / (6 / 8) < 0.8  # the trap
    assert not intervals.below_limit(Count.of(3, 5), Count.of(6, 8), Fraction(4, 5))
    whites = Count.of(60, 100)
    assert [intervals.below_limit(Count.of(k, 100), whites, Fraction(4, 5)) for k in (45, 48, 51)] == [True, False, False]


@pytest.mark.parametrize(("auc", "m", "n", "low", "high"), [(1.0, 10, 10, 0.800214, 1.0), (1.0, 5, 45, 0.787797, 1.0), (0.95, 10, 40, 0.792295, 0.988299)])
def test_t05_newcombe_auc(auc: float, m: int, n: int, low: float, high: float) -> None:
    assert intervals.auc_interval_newcombe(auc, m, n) == pytest.approx((low, high), abs=1e-6)
    mirrored = intervals.auc_interval_newcombe(1 - auc, m, n)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-6)


def test_auc_never_has_the_interval_one_to_one() -> None:
    for size in (5, 500):
        estimate = auc_estimate(np.linspace(2, 3, size), np.linspace(0, 1, size))
        assert isinstance(estimate, Estimate)
        assert estimate.value == 1
        assert estimate.low < 1
        assert estimate.method == "newcombe score"


def test_auc_delong_agrees_with_the_spread_over_fresh_samples() -> None:
    rng = np.random.default_rng(0)
    draws = [(rng.normal(1, 1, 80), rng.normal(0, 1, 120)) for _ in range(400)]
    estimates = [e for e in (auc_estimate(p, n) for p, n in draws) if isinstance(e, Estimate)]
    assert {e.method for e in estimates} == {"delong (logit)"}
    truth = 0.7602499  # Phi(1/sqrt 2)
    covered = sum(e.low <= truth <= e.high for e in estimates)
    assert 0.92 * 400 <= covered <= 0.98 * 400


def test_auc_of_one_class_says_why() -> None:
    assert isinstance(auc_estimate(np.array([1.0]), np.array([])), NotMeasured)


def test_v15_t12_observed_over_expected_is_wilson_and_bounded() -> None:
    assert limits(observed_over_expected(Count.of(10, 40), 20)) == pytest.approx((0.2837, 0.8039), abs=5e-5)
    low, high = limits(observed_over_expected(Count.of(40, 40), 38))
    assert high <= 1.0527
    assert low < 40 / 38
    assert isinstance(observed_over_expected(Count.of(0, 40), 0), NotMeasured)


def test_simultaneous_differences_are_wider_and_say_so() -> None:
    one, many = difference_estimate(Count.of(40, 100), Count.of(55, 100)), difference_estimate(Count.of(40, 100), Count.of(55, 100), comparisons=4)
    assert isinstance(one, Estimate)
    assert isinstance(many, Estimate)
    assert many.low < one.low
    assert many.high > one.high
    assert many.level == pytest.approx(0.9875)
    (low_a, high_a), (low_b, high_b) = (proportion_confint(k, 100, alpha=0.0125, method="beta") for k in (40, 55))
    assert limits(many) == pytest.approx((-0.15 - np.hypot(0.4 - low_a, high_b - 0.55), -0.15 + np.hypot(high_a - 0.4, 0.55 - low_b)), abs=1e-9), "statsmodels' Clopper-Pearson limits"


def test_repeated_rows_of_a_person_add_no_precision() -> None:
    rng = np.random.default_rng(1)
    hit = rng.random(200) < 0.4
    once = count(hit)
    five_times = count(np.repeat(hit, 5), cluster=np.repeat(np.arange(200), 5))
    assert five_times.rate == once.rate
    assert five_times.n == pytest.approx(200, rel=0.01)
    assert (five_times.rows_n, five_times.exact) == (1000, False)
    assert "Rao-Scott" in str(rate_estimate(five_times))


def test_weights_move_the_rate_and_cost_precision() -> None:
    hit = np.array([True] * 50 + [False] * 50)
    weighted = count(hit, weight=np.where(hit, 3.0, 1.0))
    assert weighted.rate == 0.75
    assert count(hit, weight=np.tile([9.0, 1.0], 50)).n == pytest.approx(100 * 100 / 164, rel=0.02)  # Kish: (sum w)^2 / sum w^2
    assert count(hit, weight=np.full(100, 2.0)).n == pytest.approx(99, rel=0.02)
    assert count(np.zeros(100, dtype=bool), weight=np.full(100, 2.0)).n == pytest.approx(100)


def test_pooled_weighted_counts_keep_the_pools_own_rate_and_about_its_own_size() -> None:
    """Effective numbers of a group with wild weights and of one without do not add up: their sum is the count of another rate."""
    rng = np.random.default_rng(0)
    wild = rng.random(1_000) < 0.5
    weight, hits = np.where(wild, rng.uniform(0.01, 5, 1_000) ** 3, 1.0), rng.random(1_000) < np.where(wild, 0.2, 0.6)
    pooled = intervals.pool([count(hits[of], weight[of]) for of in (wild, ~wild)])
    whole = count(hits, weight)
    assert pooled.rate == pytest.approx(whole.rate)
    assert pooled.k / pooled.n == pytest.approx(whole.rate)
    assert pooled.n == pytest.approx(whole.n, rel=0.1)
    assert (pooled.rows_k, pooled.rows_n, pooled.exact) == (whole.rows_k, whole.rows_n, False)


def test_pooled_plain_counts_add_up() -> None:
    assert intervals.pool([Count.of(3, 5), Count.of(0, 4)]) == Count.of(3, 9)


def test_few_persons_are_marked_however_many_their_rows_and_cover() -> None:
    """Five persons of 20 rows: by the normal quantile the interval held the rate in 88 of 100 samples."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(5), 20)
    estimates = [rate_estimate(count((rng.random((5, 20)) < rng.beta(0.93, 1.4, 5)[:, None]).ravel(), cluster=person)) for _ in range(500)]
    measured = [estimate for estimate in estimates if isinstance(estimate, Estimate)]
    assert all(estimate.low_precision for estimate in measured)
    assert sum(estimate.low <= 0.93 / 2.33 <= estimate.high for estimate in measured) >= 0.93 * 500
    assert not count(rng.random(200) < 0.4, cluster=np.repeat(np.arange(40), 5)).low_precision
