from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp, wasserstein_distance

from automl.audit import spread
from automl.audit.spread import Scores, score_spread


def of(values: np.ndarray, weight: np.ndarray | None = None) -> Scores:
    found = Scores.of(values, weight)
    assert found is not None
    return found


def test_rule_14_distances_are_scipys() -> None:
    rng = np.random.default_rng(0)
    mine, theirs = rng.normal(0, 1, 300).round(1), rng.normal(0.4, 2, 500).round(1)  # with ties
    found = score_spread(of(mine), of(theirs))
    assert found.kolmogorov_smirnov == pytest.approx(ks_2samp(mine, theirs).statistic, abs=1e-12)
    assert found.wasserstein == pytest.approx(wasserstein_distance(mine, theirs), abs=1e-12)
    assert found.standardised_difference == pytest.approx((mine.mean() - theirs.mean()) / np.sqrt((mine.var() + theirs.var()) / 2))
    assert found.quantiles == pytest.approx(np.quantile(mine, spread.QUANTILES, method="inverted_cdf"))


def test_weights_count_as_repeated_rows() -> None:
    rng = np.random.default_rng(1)
    values, weight, other = rng.normal(0, 1, 60), rng.integers(1, 4, 60), rng.normal(0, 1, 50)
    weighted, repeated = (score_spread(one, of(other)) for one in (of(values, weight.astype(float)), of(values.repeat(weight))))
    assert weighted.quantiles == repeated.quantiles
    assert (weighted.standardised_difference, weighted.kolmogorov_smirnov, weighted.wasserstein) == pytest.approx(
        (repeated.standardised_difference, repeated.kolmogorov_smirnov, repeated.wasserstein))


def test_the_reference_and_equal_scores() -> None:
    alone = score_spread(of(np.arange(101.0)), None)
    assert alone.quantiles == (5, 25, 50, 75, 95)
    assert (alone.kolmogorov_smirnov, alone.wasserstein, alone.standardised_difference) == (None, None, None)
    same = score_spread(of(np.full(5, 2.0)), of(np.full(9, 2.0)))
    assert (same.kolmogorov_smirnov, same.wasserstein, same.standardised_difference) == (0, 0, None)
    assert Scores.of(np.zeros(0)) is None


def test_many_rows_are_rounded_to_steps_that_nobody_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    mine, theirs = rng.beta(2, 5, 3_000), rng.beta(3, 5, 3_000)
    exact = score_spread(of(mine), of(theirs))
    monkeypatch.setattr(spread, "MOST_VALUES", 1_000)
    coarse = score_spread(of(mine), of(theirs))
    assert exact != coarse
    assert exact.wasserstein is not None
    assert coarse.wasserstein == pytest.approx(exact.wasserstein, abs=1e-3)
    assert coarse.quantiles == pytest.approx(exact.quantiles, abs=1e-3)
