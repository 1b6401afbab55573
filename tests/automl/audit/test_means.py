"""Means and changes: the values, known intervals, and coverage where nothing changes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from automl.audit.means import changed_share, jackknife, mean_estimate, mean_of, welch
from automl.evidence import Estimate, NotMeasured

DRAW = np.random.default_rng(0)
X, Y = DRAW.normal(2, 1, 60), DRAW.normal(1, 3, 45)


def test_a_mean_has_students_interval() -> None:
    found = mean_estimate(X)
    assert isinstance(found, Estimate)
    expected = stats.ttest_1samp(X, 0).confidence_interval()
    assert (found.value, found.low, found.high) == pytest.approx((X.mean(), expected.low, expected.high), abs=1e-12)


def test_rows_of_a_person_count_once() -> None:
    alone, repeated = mean_estimate(X), mean_estimate(np.repeat(X, 4), cluster=np.repeat(np.arange(60), 4))
    assert isinstance(alone, Estimate)
    assert isinstance(repeated, Estimate)
    assert (repeated.low, repeated.high) == pytest.approx((alone.low, alone.high), abs=1e-9)
    assert repeated.n == 240


def test_a_difference_is_welchs() -> None:
    found, p = welch(mean_of(X), mean_of(Y))
    expected = stats.ttest_ind(X, Y, equal_var=False)
    assert isinstance(found, Estimate)
    assert p == pytest.approx(expected.pvalue, abs=1e-12)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval()), abs=1e-9)


def test_nothing_that_varies_is_no_certainty() -> None:
    assert isinstance(mean_estimate(np.ones(9)), NotMeasured)
    assert isinstance(mean_estimate(np.ones(1)), NotMeasured)
    assert isinstance(welch(mean_of(np.ones(9)), mean_of(np.zeros(9)))[0], NotMeasured)


def test_a_paired_change_is_bonett_and_prices() -> None:
    """By hand: 5 gain and 1 loses of 50, (6 - 2) / 52 and its half-width."""
    before, after = np.zeros(50, dtype=bool), np.zeros(50, dtype=bool)
    after[:5], before[5] = True, True
    found = changed_share(before, after)
    assert isinstance(found, Estimate)
    half = stats.norm.isf(0.025) * np.sqrt((8 / 52 - (4 / 52) ** 2) / 52)
    assert found.value == pytest.approx(4 / 50)
    assert (found.low, found.high) == pytest.approx((4 / 52 - half, 4 / 52 + half), abs=1e-12)


def test_no_change_at_all_leaves_an_interval() -> None:
    found = changed_share(np.ones(40, dtype=bool), np.ones(40, dtype=bool))
    assert isinstance(found, Estimate)
    assert found.value == 0
    assert found.low < 0 < found.high


def test_weights_and_persons_widen_a_change() -> None:
    before, after = DRAW.random(400) < 0.4, DRAW.random(400) < 0.5
    plain, weighted, by_person = (changed_share(before, after, *more) for more in ((), (DRAW.exponential(size=400), None), (None, np.repeat(np.arange(80), 5))))
    for other in (weighted, by_person):
        assert isinstance(other, Estimate)
        assert isinstance(plain, Estimate)
        assert "Rao-Scott" in other.method
    assert isinstance(weighted, Estimate)
    assert isinstance(plain, Estimate)
    assert weighted.high - weighted.low > plain.high - plain.low


def test_the_jackknife_of_a_mean_is_about_students() -> None:
    many = DRAW.normal(size=4_000)
    found, twice = jackknife(lambda at: np.array([many[at].mean(), 2 * many[at].mean()]), len(many), None, np.random.default_rng(1))
    assert isinstance(found, Estimate)
    assert isinstance(twice, Estimate)
    assert found.value == pytest.approx(many.mean())
    assert 0.6 < (found.high - found.low) / (2 * 1.96 / np.sqrt(4_000)) < 1.6
    assert twice.high - twice.low == pytest.approx(2 * (found.high - found.low))


def test_persons_leave_the_jackknife_together() -> None:
    person = np.repeat(np.arange(50), 3)
    seen: list[bool] = []

    def statistics(at: np.ndarray) -> np.ndarray:
        seen.append(all(size in (0, 3) for size in np.bincount(person[at], minlength=50)))
        return np.array([float(len(at))])

    jackknife(statistics, 150, person, np.random.default_rng(0))
    assert len(seen) == 21
    assert all(seen)


def test_too_few_rows_or_an_undefined_number_say_so() -> None:
    few = jackknife(lambda at: np.array([1.0]), 39, None, np.random.default_rng(0))
    assert isinstance(few[0], NotMeasured)
    assert isinstance(jackknife(lambda at: np.array([np.nan]), 100, None, np.random.default_rng(0))[0], NotMeasured)
