"""The study itself: its enumeration is whole, and an interval that is too short is seen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from automl.audit.intervals import wilson
from tests.benchmarks.coverage_study import equal_groups, mover, newcombe, of_auc, of_rate, of_two, outcomes, wrong_labels, wrong_labels_of_many


def test_the_outcomes_are_nearly_all() -> None:
    _, mass = outcomes(2_000, 0.05)
    assert mass.sum() == pytest.approx(1, abs=1e-11)


def test_coverage_of_a_rate_is_the_sum_by_hand() -> None:
    k = np.arange(51)
    low, high = wilson(k, 50)
    by_hand = sum(binom.pmf(each, 50, 0.3) for each in k if low[each] <= 0.3 <= high[each])
    assert of_rate(50, 0.3).held == pytest.approx(by_hand, abs=1e-9)


def test_an_interval_that_is_too_short_is_seen() -> None:
    def short(*counts):
        low, high = newcombe(*counts)
        middle = (low + high) / 2
        return middle - (middle - low) / 2, middle + (high - middle) / 2

    assert of_two(newcombe, lambda p, q: p - q, (50, 50), (0.3, 0.5)).held > 0.93
    assert of_two(short, lambda p, q: p - q, (50, 50), (0.3, 0.5)).held < 0.75
    assert of_two(mover, lambda p, q: p / q, (50, 50), (0.3, 0.5)).held > 0.93


def test_labels_at_the_limit_and_of_equal_groups() -> None:
    below, not_below = wrong_labels((200, 200), 0.9)
    assert 0.01 < below <= 0.025
    assert 0.01 < not_below <= 0.025
    simulated = wrong_labels_of_many((200, 200), 0, 0.9, tables=4_000, seed=0)
    assert simulated == pytest.approx((below, not_below), abs=0.01), "two groups, once summed and once drawn"
    assert wrong_labels((200, 200), 0.5)[1] < wrong_labels((200, 200), 0.5, named=True)[1] <= 0.025, "whoever is drawn higher is the reference itself, unless the other was named"
    any_below, against_named, any_significant = equal_groups((300, 300, 300), 0.5, tables=2_000, tested=100, seed=0)
    assert max(any_below, against_named) <= 0.01
    assert any_significant < 0.2


def test_areas_are_simulated_around_the_truth() -> None:
    found = of_auc(30, 60, 0.75, repetitions=200, seed=0)
    assert found.held > 0.88
    assert found.below < 0.08
    assert found.above < 0.08
