"""How far predicted numbers are off: residuals along the predictions, how large errors are, and an interval beside each prediction, learned without the audit part and measured on it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from automl.audit.intervals import LEVEL, Count, count, rate_estimate
from automl.audit.means import mean_estimate
from automl.audit.outcomes import BoolArray, FloatArray, IntArray, Outcomes, groups_of
from automl.audit.reliability import rows_of_bins
from automl.audit.spread import QUANTILES, value_at
from automl.evidence import ErrorQuantile, Estimate, IntervalCoverage, NotMeasured, PredictionInterval, ResidualBin, Residuals, Value

ERROR_LEVELS = 0.5, 0.75, 0.9, 0.95
INTERVAL = 0.9


def measure_residuals(outcomes: Outcomes, out_of_fold: Outcomes | None = None) -> Residuals | NotMeasured | None:
    """None where no number is predicted. ``out_of_fold``: the deployed model's predictions of training rows that it had not seen, which intervals are learned from."""
    if outcomes.task != "regression" or outcomes.truth is None:
        return None
    if outcomes.score is None or not outcomes.rows:
        return NotMeasured(reason="there are no predicted numbers to compare with the truth")
    residual = np.asarray(outcomes.truth, dtype=np.float64) - outcomes.score
    weights = np.ones(outcomes.rows) if outcomes.weight is None else outcomes.weight
    if weights.sum() <= 0:
        return NotMeasured(reason="the weights of all rows add up to 0")
    bins = list(rows_of_bins(outcomes.score))
    return Residuals(
        bins=tuple(_bin(outcomes, residual, rows, len(bins)) for rows in bins),
        errors=tuple(ErrorQuantile(level=level, error=quantile_estimate(np.abs(residual), level, outcomes.weight, outcomes.cluster)) for level in ERROR_LEVELS),
        interval=_interval(outcomes, np.abs(residual), out_of_fold))


def _bin(outcomes: Outcomes, residual: FloatArray, rows: IntArray, bins: int) -> ResidualBin:
    weight, cluster = (None if column is None else column[rows] for column in (outcomes.weight, outcomes.cluster))
    heavy = weight if weight is not None and weight.sum() > 0 else np.ones(len(rows))
    assert outcomes.score is not None
    score, quantiles = outcomes.score[rows], _Sorted.of(residual[rows], heavy)
    low, quarter, middle, three_quarters, high = (quantiles.at(level) for level in QUANTILES)
    return ResidualBin(
        low=float(score.min()), high=float(score.max()), n=len(rows), mean_prediction=float(np.average(score, weights=heavy)),
        mean_residual=mean_estimate(residual[rows], heavy if weight is not None else None, cluster, comparisons=bins), residuals=(low, quarter, middle, three_quarters, high))


class _Sorted:
    """Numbers in rising order, and the share of the weight up to and with each."""

    def __init__(self, values: FloatArray, shares: FloatArray) -> None:
        self.values, self.shares = values, shares

    @classmethod
    def of(cls, values: FloatArray, weight: FloatArray) -> _Sorted:
        order = np.argsort(values, kind="stable")
        return cls(values[order], np.cumsum(weight[order]) / weight.sum())

    def at(self, level: float) -> float:
        return value_at(self.values, self.shares, level)


def quantile_estimate(values: FloatArray, level: float, weight: FloatArray | None = None, cluster: NDArray[Any] | None = None) -> Value:
    """The ``level`` quantile of ``values`` (n,) between two of them: those that the binomial law of the rows at or below it allows (Hahn and Meeker 1991, "Statistical intervals", 5.2).

    Where rows are weighted or repeat a person, the law is that of the effective number of rows, as in Woodruff (1952).
    """
    found = _Sorted.of(values, np.ones(len(values)) if weight is None else weight)
    value = found.at(level)
    c = count(values <= value, weight, cluster)
    n = max(1, math.floor(c.n))
    first, last = binom.ppf((1 - LEVEL) / 2, n, level), binom.ppf((1 + LEVEL) / 2, n, level) + 1
    if first < 1 or last > n:
        known = f"{c.rows_n:,} rows" if c.exact else f"{c.rows_n:,} rows that say as much as {n:,} independent ones"
        return NotMeasured(reason=f"{known} are too few to bound the error that {100 * level:g} % of rows stay within")
    low, high = (found.at(float(place) / n) for place in (first, last))
    if low == high:
        return NotMeasured(reason="the rows about it are all off by the same, and tell nothing of a sampling error")
    return Estimate(value=value, low=low, high=high, method="order statistics" + c.suffix(), n=c.rows_n, low_precision=c.low_precision)


def _interval(outcomes: Outcomes, error: FloatArray, out_of_fold: Outcomes | None) -> PredictionInterval | NotMeasured:
    if out_of_fold is None or out_of_fold.score is None or out_of_fold.truth is None:
        return NotMeasured(reason="the predictions were made elsewhere, and errors of rows that the model had not seen are known of the audited rows alone")
    if outcomes.quantile is not None:
        return NotMeasured(reason=f"the model predicts the {outcomes.quantile:g} quantile: an interval about it would be about nothing that was asked for")
    n = out_of_fold.rows
    if (rank := INTERVAL * (1 + 1 / n)) > 1:
        return NotMeasured(reason=f"{n} training rows are too few to learn an interval of {100 * INTERVAL:g} % from")
    unseen = np.abs(np.asarray(out_of_fold.truth, dtype=np.float64) - out_of_fold.score)
    half_width = _Sorted.of(unseen, np.ones(n) if out_of_fold.weight is None else out_of_fold.weight).at(rank)
    inside = error <= half_width
    return PredictionInterval(
        level=INTERVAL, half_width=half_width, learned_from=n, coverage=rate_estimate(count(inside, outcomes.weight, outcomes.cluster)),
        by_group={attribute: _by_group(outcomes, inside, labels) for attribute, labels in outcomes.groups.items()})


def _by_group(outcomes: Outcomes, inside: BoolArray, labels: NDArray[np.object_]) -> tuple[IntervalCoverage, ...]:
    groups = groups_of(labels)
    return tuple(IntervalCoverage(group=group, n=int((labels == group).sum()), coverage=rate_estimate(_counted(outcomes, inside, labels == group), comparisons=len(groups))) for group in groups)


def _counted(outcomes: Outcomes, inside: BoolArray, rows: BoolArray) -> Count:
    return count(inside[rows], *(None if column is None else column[rows] for column in (outcomes.weight, outcomes.cluster)))
