from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from automl.audit.outcomes import Outcomes
from automl.audit.performance import measure_performance
from automl.audit.residuals import ERROR_LEVELS, INTERVAL, measure_residuals, quantile_estimate
from automl.evidence import Estimate, NotMeasured, PerformanceSection, PredictionInterval, Residuals
from tests.automl.audit.cases import binary, regression


def predicted(n: int, seed: int = 0, noise: Any = 1.0, **more: Any) -> Outcomes:
    """Predictions that are right on average, and off by normal noise."""
    draw = np.random.default_rng(seed)
    score = draw.uniform(0, 100, n)
    return Outcomes(task="regression", labels=(), positive=None, favourable=(), truth=score + noise * draw.standard_normal(n), score=score, decision=None, **more)


def measured(outcomes: Outcomes, out_of_fold: Outcomes | None = None) -> Residuals:
    found = measure_residuals(outcomes, out_of_fold)
    assert isinstance(found, Residuals), found
    return found


def held(outcomes: Outcomes, out_of_fold: Outcomes) -> PredictionInterval:
    found = measured(outcomes, out_of_fold).interval
    assert isinstance(found, PredictionInterval), found
    return found


def value(one: Any) -> Estimate:
    assert isinstance(one, Estimate), one
    return one


def test_of_a_class_there_are_none() -> None:
    assert measure_residuals(binary()) is None
    section = measure_performance(regression(), seed=0)
    assert isinstance(section, PerformanceSection)
    assert isinstance(section.residuals, Residuals)


def test_bins_hold_all_rows_and_where_the_predictions_are_off() -> None:
    o = predicted(2_000)
    assert o.score is not None
    bent = Outcomes(task="regression", labels=(), positive=None, favourable=(), truth=np.asarray(o.truth) + np.where(o.score > 90, 5.0, 0.0), score=o.score, decision=None)
    bins = measured(bent).bins
    assert len(bins) == 10
    assert sum(one.n for one in bins) == 2_000
    assert all(earlier.high < later.low for earlier, later in itertools.pairwise(bins))
    for one in bins[:-1]:
        off = value(one.mean_residual)
        assert off.low < 0.25
        assert off.high > -0.25
    last = value(bins[-1].mean_residual)
    assert last.low > 4
    assert last.low < 5 < last.high + 0.5
    rows = (o.score >= bins[3].low) & (o.score <= bins[3].high)
    residuals = (np.asarray(bent.truth) - o.score)[rows]
    assert bins[3].residuals == pytest.approx(np.quantile(residuals, [0.05, 0.25, 0.5, 0.75, 0.95], method="inverted_cdf"))
    assert bins[3].mean_prediction == pytest.approx(o.score[rows].mean())


def test_the_intervals_of_error_quantiles_hold_the_true_one_in_nineteen_draws_of_twenty() -> None:
    draws = 600
    for level in ERROR_LEVELS:
        true = norm.ppf((1 + level) / 2)
        inside = 0
        for seed in range(draws):
            found = value(quantile_estimate(np.abs(np.random.default_rng(seed).standard_normal(300)), level))
            inside += found.low <= true <= found.high
        assert 0.94 < inside / draws <= 0.985, (level, inside / draws)


def test_error_quantiles_by_weight_and_by_person() -> None:
    errors = np.abs(np.random.default_rng(1).standard_normal(400))
    weight = np.random.default_rng(2).integers(1, 4, 400).astype(float)
    assert value(quantile_estimate(errors, 0.9, weight)).value == pytest.approx(np.quantile(np.repeat(errors, weight.astype(int)), 0.9, method="inverted_cdf"))
    alone, repeated = value(quantile_estimate(errors, 0.75)), value(quantile_estimate(np.repeat(errors, 5), 0.75, cluster=np.repeat(np.arange(400), 5)))
    assert repeated.value == alone.value
    assert repeated.high - repeated.low == pytest.approx(alone.high - alone.low, rel=0.15), "five rows of one person say what one says"


def test_what_cannot_be_bounded_is_not() -> None:
    few = quantile_estimate(np.arange(50.0), 0.95)
    assert isinstance(few, NotMeasured)
    assert "50 rows are too few" in few.reason
    of_few = quantile_estimate(np.repeat(np.arange(40.0), 50), 0.95, cluster=np.repeat(np.arange(40), 50))
    assert isinstance(of_few, NotMeasured)
    assert "2,000 rows that say as much as 3" in of_few.reason, "not that 2,000 rows are few"
    assert isinstance(quantile_estimate(np.ones(500), 0.5), NotMeasured)


def test_the_interval_is_learned_out_of_fold_and_measured_on_the_audit_part() -> None:
    training = predicted(999, seed=1)
    found = held(predicted(4_000, seed=2), training)
    errors = np.sort(np.abs(np.asarray(training.truth) - training.score))
    assert found.half_width == errors[math.ceil(INTERVAL * 1_000) - 1], "the (n + 1) 0.9-th smallest"
    assert found.learned_from == 999
    assert value(found.coverage).low < INTERVAL < value(found.coverage).high


def test_intervals_of_the_same_distribution_hold_what_they_say_on_average() -> None:
    """Over training parts as over audit parts: the guarantee is of both together."""
    held_by = [value(held(predicted(400, seed=2 * draw), predicted(49, seed=2 * draw + 1)).coverage).value for draw in range(400)]
    assert np.mean(held_by) == pytest.approx(INTERVAL, abs=0.006)


def test_of_each_group_with_an_interval_for_all_at_once() -> None:
    group = np.array(["calm", "wild"], dtype=object)[np.repeat([0, 1], [3_000, 1_000])]
    noise = np.where(group == "wild", 3.0, 1.0)
    found = held(predicted(4_000, seed=3, noise=noise, groups={"kind": group}), predicted(4_000, seed=4, noise=noise))
    calm, wild = found.by_group["kind"]
    assert (calm.group, calm.n, wild.group, wild.n) == ("calm", 3_000, "wild", 1_000)
    assert value(calm.coverage).low > INTERVAL > value(wild.coverage).high
    assert value(wild.coverage).level == pytest.approx(0.975)


@pytest.mark.parametrize(("audited", "learned", "why"), [
    (predicted(100), None, "made elsewhere"), (predicted(100, quantile=0.9), predicted(100), "0.9 quantile"), (predicted(100), predicted(8), "8 training rows are too few"),
])
def test_why_there_is_no_interval(audited: Outcomes, learned: Outcomes | None, why: str) -> None:
    found = measured(audited, learned).interval
    assert isinstance(found, NotMeasured)
    assert why in found.reason


def test_of_predictions_that_are_right_on_average_the_furthest_bin_is_rarely_told_to_be_off() -> None:
    """The picture names the bin furthest from the diagonal: with an interval of its own alone it would leave 0 out in four of ten."""
    furthest = [value(max(measured(predicted(600, seed=seed)).bins, key=lambda one: abs(value(one.mean_residual).value)).mean_residual) for seed in range(300)]
    assert np.mean([not one.low <= 0 <= one.high for one in furthest]) < 0.09
    assert furthest[0].level == pytest.approx(0.995)
