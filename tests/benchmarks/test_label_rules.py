"""The comparison of rules: the one that is called chosen is the audit's, and a rule that promises too much is seen."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import test_proportions_2indep as two_rates

from automl.audit.labels import EQUAL_RATES, ONE_SIDED, Bounds, Levels, lower, upper
from tests.benchmarks.label_rules import EXACT, LIMIT, RATES, RULES, WILSON, boundaries, by_score, chances, score, unconditional

CHOSEN = next(rule for name, rule in RULES.items() if "chosen" in name)


def test_the_chosen_rule_is_the_audits() -> None:
    k1, k2 = np.arange(41.0)[:, None], np.arange(1, 31.0)[None, :]
    levels = Levels(ONE_SIDED, EQUAL_RATES)
    mine, theirs = Bounds.of(k1, 40, levels), Bounds.of(k2, 30, levels)
    assert CHOSEN is not None
    below, not_below = CHOSEN(k1, 40, k2, 30, ONE_SIDED)
    assert np.array_equal(below, upper(mine, theirs, levels).high < LIMIT)
    assert np.array_equal(not_below, lower(mine, theirs) >= LIMIT)


def test_the_score_is_statsmodels() -> None:
    theirs = two_rates(12, 40, 48, 80, value=LIMIT, compare="ratio", method="score", correction=False, return_results=True)
    assert float(score(12, 40, 48, 80)) == pytest.approx(theirs.statistic)


def test_errors_are_sums_over_every_table() -> None:
    found = boundaries(WILSON, 20, 15, ONE_SIDED)
    k1, k2 = np.arange(21.0)[:, None], np.arange(16.0)[None, :]
    below, _ = WILSON(k1, 20, k2, 15, ONE_SIDED)
    rows = np.arange(21)[:, None] <= found[0][None, :]
    assert np.array_equal(rows, below)
    assert chances(found, 20, 15, LIMIT, np.array([0.5]))[0][0] > 0


@pytest.mark.parametrize("name", ["exact limits", "exact test"])
def test_a_rule_that_holds_its_level_and_one_that_does_not(name: str) -> None:
    sizes = 17, 120
    found = boundaries(EXACT, *sizes, ONE_SIDED) if name == "exact limits" else unconditional(*sizes, ONE_SIDED)
    assert chances(found, *sizes, LIMIT, RATES)[0].max() <= ONE_SIDED
    assert chances(boundaries(by_score(score), *sizes, ONE_SIDED), *sizes, LIMIT, RATES)[0].max() > 1.2 * ONE_SIDED
