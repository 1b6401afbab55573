"""Logistic recalibration (Cox 1958): how the log-odds of the outcome go with those of the probabilities. A slope of 1 and an intercept of 0 fit; a slope below 1 says that the
probabilities are too extreme, an intercept above 0 that the outcome is more frequent than they say."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm, t as student

from automl.audit.intervals import LEVEL, LOW_PRECISION_BELOW
from automl.audit.outcomes import BoolArray, FloatArray
from automl.evidence import Estimate, NotMeasured, Value

NEAREST = 1e-6
"""Probabilities nearer to 0 or 1 than this are taken to be this far away: their log-odds have no bound, and one row would decide the slope."""
_ROUNDS, _SMALL, _STEEPEST = 50, 1e-10, 1e3


def recalibration(probability: FloatArray, outcome: BoolArray, weight: FloatArray | None = None, cluster: NDArray[Any] | None = None) -> tuple[Value, Value]:
    """Slope and intercept of the maximum-likelihood fit over arrays (n,), with Wald's intervals; by the sandwich where rows have weights or repeat a person.

    NotMeasured where one outcome is absent, all probabilities are alike, or they part the outcomes wholly (then no slope is the best).
    """
    positives = int(outcome.sum())
    if not 0 < positives < len(outcome):
        return _neither("only one outcome is present in these rows")
    x = np.column_stack([np.ones(len(probability)), logit(probability.clip(NEAREST, 1 - NEAREST))])
    w = np.ones(len(x)) if weight is None else weight
    if np.ptp(x[w > 0, 1]) == 0:
        return _neither("all probabilities are the same, so there is no slope")
    fitted = _fit(x, outcome.astype(np.float64), w)
    if fitted is None:
        return _neither("the probabilities part the two outcomes wholly, so no slope fits best")
    covariance, units = _covariance(x, outcome, w, fitted, weight, cluster)
    few = min(positives, len(outcome) - positives) if cluster is None else min(len(np.unique(cluster[outcome])), len(np.unique(cluster[~outcome])))
    quantile = float(norm.isf((1 - LEVEL) / 2)) if cluster is None else float(student.isf((1 - LEVEL) / 2, max(units - 1, 1)))
    method = "logistic recalibration, wald" + (" by person" if cluster is not None else " (weighted)" if weight is not None else "")
    half = quantile * np.sqrt(np.diag(covariance))
    intercept, slope = (
        Estimate(value=float(value), low=float(value - by), high=float(value + by), method=method, n=len(x), low_precision=few < LOW_PRECISION_BELOW) for value, by in zip(fitted, half, strict=True))
    return slope, intercept


def _neither(reason: str) -> tuple[Value, Value]:
    return NotMeasured(reason=reason), NotMeasured(reason=reason)


def _fit(x: FloatArray, y: FloatArray, w: FloatArray) -> FloatArray | None:
    """Newton's method from the fitting line (0, 1), halving steps that lose likelihood; None where it runs away."""
    at: FloatArray = np.array([0.0, 1.0])
    step: FloatArray = np.zeros(2)
    best = -np.inf
    for _ in range(_ROUNDS):
        linear = x @ (at + step)
        likelihood = float(w @ (y * linear - np.logaddexp(0, linear)))
        if likelihood < best - _SMALL * abs(best):
            step = step / 2
            continue
        at, best, expected = at + step, likelihood, expit(linear)
        gradient, information = x.T @ (w * (y - expected)), x.T @ (x * (w * expected * (1 - expected))[:, None])
        if abs(at[1]) > _STEEPEST or np.linalg.cond(information) > 1 / np.finfo(np.float64).eps:
            return None
        step = np.asarray(np.linalg.solve(information, gradient), dtype=np.float64)
        if np.abs(step).max() < _SMALL * (1 + np.abs(at).max()):
            return np.asarray(at + step)
    return None


def _covariance(
    x: FloatArray, outcome: BoolArray, w: FloatArray, fitted: FloatArray, weight: FloatArray | None, cluster: NDArray[Any] | None,
) -> tuple[FloatArray, int]:
    """Of (intercept, slope), and the independent units behind it."""
    expected = expit(x @ fitted)
    inverse = np.asarray(np.linalg.inv(x.T @ (x * (w * expected * (1 - expected))[:, None])), dtype=np.float64)
    if weight is None and cluster is None:
        return inverse, len(x)
    scores = x * (w * (outcome - expected))[:, None]
    if cluster is not None:
        unit = np.unique(cluster, return_inverse=True)[1]
        scores = np.column_stack([np.bincount(unit, weights=column) for column in scores.T])
    units = len(scores)
    return np.asarray(inverse @ (scores.T @ scores) @ inverse * units / max(units - 1, 1), dtype=np.float64), units
