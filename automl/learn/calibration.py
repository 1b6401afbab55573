"""The map that makes raw scores into probabilities that come true: one factor, and for two classes one term, in raw-score space.

Platt's scaling (Platt 1999) for two classes and temperature scaling (Guo et al. 2017) for more, on log-odds and logits: there a model is a sum, and
stays one, so that attributions are scaled and still add up. The map rises, so that no ranking changes. It is fitted on out-of-fold scores with a prior
towards changing nothing, and taken only where it lowers the cross-fitted log loss by more than its noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logsumexp, softmax
from scipy.stats import t as student

from automl.evidence import Estimate, NotMeasured, ProbabilityCalibration
from automl.spec import TaskKind

Array = NDArray[np.float64]
Vector = NDArray[Any]

PARTS = 5
"""Each row's gain is measured with a map fitted without it."""
MOST_ROWS = 20_000
"""Rows, drawn by the seed, that two numbers are fitted on."""
FEWEST_ROWS = 50
PRIOR_SPREAD = 0.5
"""Standard deviation, before any row is seen, of the factor's logarithm and of the term."""
LEVEL = 0.95


@dataclass(frozen=True)
class RawMap:
    """raw' = slope * raw + shift; slope > 0, and shift 0 unless there are two classes."""

    slope: float = 1.0
    shift: float = 0.0

    def __call__(self, raw: Array) -> Array:
        return raw if self == IDENTITY else np.asarray(raw * self.slope + self.shift)


IDENTITY = RawMap()


def fit_map(raw: Array, y: Vector, weight: Vector | None) -> RawMap:
    """The map of highest posterior density for log-odds (n,) or centred logits (n, k) and class indices ``y``.

    Weights count as so many rows as they are worth (Kish's effective number).
    """
    w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
    w = w * (w.sum() / np.square(w).sum())
    binary = raw.ndim == 1

    def loss(at: Array) -> tuple[float, Array]:
        slope, shift = np.exp(at[0]), at[1] if binary else 0.0
        scores = raw * slope + shift
        if binary:
            wrong = w * (expit(scores) - y)
            gradient = np.array([wrong @ raw * slope, wrong.sum()])
        else:
            wrong = softmax(scores, axis=1)
            wrong[np.arange(len(y)), y] -= 1
            gradient = np.array([w @ (wrong * raw).sum(axis=1) * slope])
        return float(w @ row_losses(scores, y) + np.square(at / PRIOR_SPREAD).sum() / 2), gradient + at / PRIOR_SPREAD**2

    found = minimize(loss, np.zeros(2 if binary else 1), jac=True, method="L-BFGS-B", bounds=[(-2.0, 2.0), (-5.0, 5.0)][:2 if binary else 1]).x
    return RawMap(float(np.exp(found[0])), float(found[1]) if binary else 0.0)


def row_losses(raw: Array, y: Vector) -> Array:
    """(n,): minus the logarithm of the probability of each row's class."""
    if raw.ndim == 1:
        return np.asarray(-log_expit(np.where(y == 1, raw, -raw)))
    return np.asarray(logsumexp(raw, axis=1) - raw[np.arange(len(y)), y])


def map_of(calibration: ProbabilityCalibration | NotMeasured) -> RawMap:
    """The map that a model with this calibration applies."""
    return IDENTITY if isinstance(calibration, NotMeasured) else RawMap(calibration.slope, calibration.shift)


def calibrate(raw: Array, y: Vector, task: TaskKind, *, weight: Vector | None, cluster: Vector | None, seed: int) -> ProbabilityCalibration | NotMeasured:
    """How probabilities are made of a model's raw scores, from its out-of-fold scores ``raw``, (n,) or (n, k), and class indices ``y``.

    ``cluster``: rows of one person are in one part, and count as one in the interval of the gain.
    """
    if task == "regression":
        return NotMeasured(reason="a number is predicted: there are no probabilities to calibrate")
    rows = np.arange(len(y)) if len(y) <= MOST_ROWS else np.sort(np.random.default_rng(seed).choice(len(y), MOST_ROWS, replace=False))
    raw, y, weight = raw[rows], y[rows], None if weight is None else weight[rows]
    unit = np.arange(len(rows)) if cluster is None else np.unique(cluster[rows], return_inverse=True)[1]
    if unit.max(initial=-1) + 1 < FEWEST_ROWS:
        return NotMeasured(reason=f"fewer than {FEWEST_ROWS} {'rows' if cluster is None else 'persons'} out of fold to calibrate probabilities on: they are left as they are")
    if np.ptp(raw, axis=0).max() == 0 or len(np.unique(y)) < 2:
        return NotMeasured(reason="every out-of-fold row has the same score or class, so there is nothing to calibrate probabilities on: they are left as they are")
    mapped = _cross_fitted(raw, y, weight, unit, seed)
    method = "t" if cluster is None else "t by person"
    log_loss = _mean(row_losses(raw, y) - row_losses(mapped, y), weight, unit, method)
    brier = _mean(_row_briers(raw, y) - _row_briers(mapped, y), weight, unit, method)
    taken = log_loss.low > 0
    found = fit_map(raw, y, weight) if taken else IDENTITY
    kind = ("platt" if task == "binary" else "temperature") if taken else "none"
    return ProbabilityCalibration(method=kind, slope=found.slope, shift=found.shift, rows=len(rows), log_loss_gain=log_loss, brier_gain=brier)


def _cross_fitted(raw: Array, y: Vector, weight: Vector | None, unit: Vector, seed: int) -> Array:
    """``raw``, each row mapped by what was fitted on the parts that it is not in."""
    part = (np.random.default_rng(seed).permutation(unit.max() + 1) % PARTS)[unit]
    mapped = np.empty_like(raw)
    for at in range(PARTS):
        others = part != at
        mapped[~others] = fit_map(raw[others], y[others], None if weight is None else weight[others])(raw[~others])
    return mapped


def _row_briers(raw: Array, y: Vector) -> Array:
    """(n,): squared distance of the positive class's probability from 0 or 1; for more classes summed over them."""
    if raw.ndim == 1:
        return np.asarray(np.square(expit(raw) - y))
    return np.asarray(np.square(softmax(raw, axis=1) - (y[:, None] == np.arange(raw.shape[1]))).sum(axis=1))


def _mean(gain: Array, weight: Vector | None, unit: Vector, method: str) -> Estimate:
    """The (weighted) mean with Student's interval, the variance linearised over units."""
    w = np.ones(len(gain)) if weight is None else np.asarray(weight, dtype=np.float64)
    value = float(np.average(gain, weights=w))
    totals = np.bincount(unit, weights=w * (gain - value) / w.sum())
    units = len(totals)
    half = float(student.ppf((1 + LEVEL) / 2, units - 1) * np.sqrt(np.square(totals).sum() * units / (units - 1)))
    return Estimate(value=value, low=value - half, high=value + half, level=LEVEL, method=method, n=len(gain))
