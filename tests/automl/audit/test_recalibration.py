from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit

from automl.audit.recalibration import recalibration
from automl.evidence import Estimate, NotMeasured


def drawn(n: int = 4_000, slope: float = 1.0, intercept: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    probability = rng.beta(2, 4, n)
    return probability, rng.random(n) < expit(intercept + slope * logit(probability))


def test_rule_14_the_fit_is_statsmodels() -> None:
    probability, outcome = drawn(slope=0.7, intercept=0.3)
    fitted = sm.Logit(outcome.astype(float), sm.add_constant(logit(probability))).fit(disp=0)
    slope, intercept = recalibration(probability, outcome)
    assert isinstance(slope, Estimate)
    assert isinstance(intercept, Estimate)
    for found, at in ((intercept, 0), (slope, 1)):
        assert found.value == pytest.approx(fitted.params[at], abs=1e-9)
        assert (found.low, found.high) == pytest.approx(tuple(fitted.conf_int()[at]), abs=1e-7)


def test_probabilities_that_fit_have_a_slope_of_one() -> None:
    """Of 200 samples of calibrated probabilities about 95 % of the intervals hold 1 and 0."""
    held = np.zeros(2)
    for seed in range(200):
        slope, intercept = recalibration(*drawn(n=400, seed=seed))
        assert isinstance(slope, Estimate)
        assert isinstance(intercept, Estimate)
        held += [slope.low <= 1 <= slope.high, intercept.low <= 0 <= intercept.high]
    assert (held >= 180).all()
    assert (held <= 199).all()


def test_probabilities_that_are_too_extreme_have_a_slope_below_one() -> None:
    slope, _ = recalibration(*drawn(slope=0.5))
    assert isinstance(slope, Estimate)
    assert slope.high < 0.7


def test_weights_and_persons_widen_what_they_repeat() -> None:
    probability, outcome = drawn(n=500)
    alone = recalibration(probability, outcome)[0]
    person = np.arange(500).repeat(4)
    repeated = recalibration(probability.repeat(4), outcome.repeat(4), cluster=person)[0]
    unaware = recalibration(probability.repeat(4), outcome.repeat(4))[0]
    weighted = recalibration(probability, outcome, weight=np.full(500, 4.0))[0]
    assert isinstance(alone, Estimate)
    assert isinstance(repeated, Estimate)
    assert isinstance(unaware, Estimate)
    assert isinstance(weighted, Estimate)
    assert repeated.value == pytest.approx(alone.value)
    assert repeated.high - repeated.low == pytest.approx(alone.high - alone.low, rel=0.1)
    assert unaware.high - unaware.low == pytest.approx((alone.high - alone.low) / 2, rel=0.01), "what it would be if repetition were not known"
    assert weighted.high - weighted.low == pytest.approx(alone.high - alone.low, rel=0.1)


def test_what_has_no_slope_says_why() -> None:
    some = np.linspace(0.1, 0.9, 40)
    assert recalibration(some, np.ones(40, dtype=bool))[0] == NotMeasured(reason="only one outcome is present in these rows")
    assert recalibration(np.full(40, 0.3), some > 0.5)[1] == NotMeasured(reason="all probabilities are the same, so there is no slope")
    assert recalibration(some, some > 0.5)[0] == NotMeasured(reason="the probabilities part the two outcomes wholly, so no slope fits best")


def test_probabilities_of_exactly_zero_and_one_do_not_break_it() -> None:
    probability, outcome = drawn()
    probability[:50], probability[50:100] = 0.0, 1.0
    slope, _ = recalibration(probability, outcome)
    assert isinstance(slope, Estimate)
    assert np.isfinite([slope.low, slope.high]).all()


def test_few_of_one_outcome_are_marked() -> None:
    probability, outcome = drawn(n=400)
    outcome[np.flatnonzero(outcome)[10:]] = False
    slope, _ = recalibration(probability, outcome)
    assert isinstance(slope, Estimate)
    assert slope.low_precision
