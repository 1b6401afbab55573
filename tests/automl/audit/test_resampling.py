from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from automl.audit.resampling import REPLICATES, bootstrap_means, draw_counts, generator, percentile_estimate, units_of
from automl.evidence import Estimate, NotMeasured


def spread(replicates: np.ndarray) -> float:
    low, high = np.quantile(replicates, [0.025, 0.975])
    return float(high - low)


@pytest.mark.parametrize("n", [20, 300])
def test_every_replicate_draws_as_many_units_as_there_are(n: int) -> None:
    counts = np.concatenate(list(draw_counts(n, generator(0, "x"))))
    assert counts.shape == (REPLICATES, n)
    assert (counts.sum(axis=1) == n).all()
    assert counts.mean(axis=0) == pytest.approx(1, abs=0.15)
    assert counts.var() == pytest.approx(1 - 1 / n, rel=0.05)


def test_means_spread_as_scipys_bootstrap_does() -> None:
    values = np.random.default_rng(0).exponential(1, 400)
    theirs = bootstrap((values,), np.mean, n_resamples=REPLICATES, method="percentile", rng=np.random.default_rng(1)).confidence_interval
    assert spread(bootstrap_means(values[:, None], generator(0, "x"))[:, 0]) == pytest.approx(theirs.high - theirs.low, rel=0.06)


def test_many_rows_are_dealt_into_units_without_losing_the_spread() -> None:
    values = np.random.default_rng(0).exponential(1, 50_000)
    standard_error = values.std() / np.sqrt(len(values))
    assert bootstrap_means(values[:, None], generator(0, "x"))[:, 0].std() == pytest.approx(standard_error, rel=0.08)


def test_rows_of_one_person_move_together() -> None:
    people = np.random.default_rng(0).normal(0, 1, 100)
    rows, cluster = np.repeat(people, 6), np.repeat(np.arange(100), 6)
    alone = bootstrap_means(people[:, None], generator(0, "x"))[:, 0]
    repeated = bootstrap_means(rows[:, None], generator(0, "x"), cluster=cluster)[:, 0]
    assert spread(repeated) == pytest.approx(spread(alone), rel=0.05)
    assert spread(bootstrap_means(rows[:, None], generator(0, "x"))[:, 0]) < 0.6 * spread(alone)


def test_weights_are_honoured() -> None:
    replicates = bootstrap_means(np.array([[0.0], [1.0]] * 50), generator(0, "x"), weight=np.array([1.0, 3.0] * 50))
    assert replicates.mean() == pytest.approx(0.75, abs=0.01)


def test_quantities_are_seeded_apart_and_repeatably() -> None:
    assert generator(1, "a").integers(0, 10**9) == generator(1, "a").integers(0, 10**9)
    assert len({int(generator(seed, name).integers(0, 10**9)) for seed in (1, 2) for name in ("a", "b")}) == 4
    assert units_of(10, np.array([3] * 5 + [9] * 5), generator(0, "x")).tolist() == [0] * 5 + [1] * 5


def test_percentiles_hold_the_value_and_mark_what_was_often_absent() -> None:
    estimate = percentile_estimate(0.5, np.r_[np.full(500, np.nan), np.linspace(0.6, 0.7, 1500)], 100)
    assert isinstance(estimate, Estimate)
    assert estimate.low == 0.5
    assert estimate.low_precision
    assert isinstance(percentile_estimate(float("nan"), np.ones(10), 100), NotMeasured)
