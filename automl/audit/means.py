"""Means of numbers a row, their differences, and changes of the same rows: by weight, and by person where rows repeat one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t as student

from automl.audit.intervals import LEVEL, LOW_PRECISION_BELOW, count
from automl.audit.outcomes import BoolArray, FloatArray
from automl.audit.resampling import same_in_all
from automl.evidence import Estimate, NotMeasured, Value

JACKKNIFE_GROUPS = 20
Cluster = NDArray[Any] | None


class Mean(NamedTuple):
    value: float
    variance: float
    """Of the mean, linearised over the independent units."""
    units: int
    rows: int


def mean_of(values: FloatArray, weight: FloatArray | None = None, cluster: Cluster = None) -> Mean:
    """(Weighted) mean of ``values`` (n,), n of at least 1."""
    w = np.ones(len(values)) if weight is None else weight
    mean = float(np.average(values, weights=w))
    unit = np.arange(len(values)) if cluster is None else np.unique(cluster, return_inverse=True)[1]
    totals = np.bincount(unit, weights=w * (values - mean) / w.sum())
    units = len(totals)
    spread = float((totals**2).sum()) * units / max(units - 1, 1)
    return Mean(mean, spread if np.ptp(values) > 0 else 0.0, units, len(values))


def mean_estimate(values: FloatArray, weight: FloatArray | None = None, cluster: Cluster = None, *, constant: str = "it is the same number in every row", comparisons: int = 1) -> Value:
    """A mean with Student's interval; NotMeasured(``constant``) where nothing varies, since an interval of no width would claim a certainty that nobody has.

    The interval holds together with those of ``comparisons`` means in all (Bonferroni)."""
    if not len(values):
        return NotMeasured(reason="there are no rows")
    mean = mean_of(values, weight, cluster)
    if mean.units < 2 or mean.variance == 0:
        return NotMeasured(reason=constant if mean.units > 1 else "one row, or the rows of one person, have no spread to tell a sampling error from")
    alpha = (1 - LEVEL) / comparisons
    half = float(student.isf(alpha / 2, mean.units - 1)) * math.sqrt(mean.variance)
    method = ("t" if cluster is None else "t by person") + (f", simultaneous over {comparisons}" if comparisons > 1 else "")
    return Estimate(value=mean.value, low=mean.value - half, high=mean.value + half, level=LEVEL if comparisons == 1 else 1 - alpha, method=method, n=mean.rows,
                    low_precision=mean.units < LOW_PRECISION_BELOW)


def level_estimate(values: FloatArray, weight: FloatArray | None = None, cluster: Cluster = None) -> Value:
    """The mean of a score or an error: `mean_estimate`, with the value where nothing varies."""
    first = float(values[0]) if len(values) else 0.0
    constant = f"it is {first:.4g} in every row, and rows that all agree tell nothing of a sampling error"
    if len(values) > 1 and same_in_all(first, values) and (cluster is None or len(np.unique(cluster)) > 1):
        return NotMeasured(reason=constant)  # differences in the last digit are floating point's, not the rows'
    return mean_estimate(values, weight, cluster, constant=constant)


def welch(a: Mean, b: Mean) -> tuple[Value, float | None]:
    """Mean of a minus mean of b with Welch's interval, and the two-sided p of no difference; None where it cannot be told."""
    if min(a.units, b.units) < 2:
        return NotMeasured(reason="one of the two means has fewer than 2 independent rows"), None
    variance = a.variance + b.variance
    if variance == 0:
        return NotMeasured(reason="nothing varies on either side"), None
    freedom = variance**2 / (a.variance**2 / (a.units - 1) + b.variance**2 / (b.units - 1))
    value, error = a.value - b.value, math.sqrt(variance)
    half = float(student.isf((1 - LEVEL) / 2, freedom)) * error
    few = min(a.units, b.units) < LOW_PRECISION_BELOW
    return (Estimate(value=value, low=value - half, high=value + half, method="welch", n=a.rows + b.rows, low_precision=few),
            float(2 * student.sf(abs(value) / error, freedom)))


def changed_share(before: BoolArray, after: BoolArray, weight: FloatArray | None = None, cluster: Cluster = None) -> Value:
    """Share ``after`` minus share ``before`` of the same rows, with Bonett and Price's (2012) adjusted interval of paired proportions.

    One change in each direction is added, so that rows that all stay as they are still leave an interval of some width.
    """
    if not len(before):
        return NotMeasured(reason="there are no rows")
    gained, lost = (count(rows, weight, cluster) for rows in (after & ~before, before & ~after))
    n = min(gained.n, lost.n)
    if n <= 0:
        return NotMeasured(reason="the weights of these rows add up to 0")
    up, down = (gained.rate * n + 1) / (n + 2), (lost.rate * n + 1) / (n + 2)
    half = float(norm.isf((1 - LEVEL) / 2)) * math.sqrt((up + down - (up - down) ** 2) / (n + 2))
    value = gained.rate - lost.rate
    return Estimate(value=value, low=max(-1.0, min(value, up - down - half)), high=min(1.0, max(value, up - down + half)),
                    method="bonett-price paired" + (gained.suffix() or lost.suffix()), n=len(before), low_precision=gained.low_precision)


def jackknife(statistics: Callable[[NDArray[np.int64]], FloatArray], rows: int, cluster: Cluster, rng: np.random.Generator) -> list[Value]:
    """Each of several ``statistics`` (rows -> m numbers) of all rows, with the interval of the delete-a-group jackknife (Kott 2001) in 20 groups.

    For what is no mean and has no influence function at hand. Rows of a person leave together. NaN or too few rows: NotMeasured.
    """
    unit = np.arange(rows) if cluster is None else np.unique(cluster, return_inverse=True)[1]
    units = int(unit.max()) + 1 if rows else 0
    values = statistics(np.arange(rows))
    if units < 2 * JACKKNIFE_GROUPS:
        who = "rows" if cluster is None else "persons"
        return [NotMeasured(reason=f"fewer than {2 * JACKKNIFE_GROUPS} {who}, too few to leave a twentieth of them out at a time")] * len(values)
    group = (rng.permutation(units) % JACKKNIFE_GROUPS)[unit]
    without = np.array([statistics(np.flatnonzero(group != left)) for left in range(JACKKNIFE_GROUPS)])
    error = np.sqrt((JACKKNIFE_GROUPS - 1) / JACKKNIFE_GROUPS * ((without - without.mean(axis=0)) ** 2).sum(axis=0))
    half = float(student.isf((1 - LEVEL) / 2, JACKKNIFE_GROUPS - 1)) * error
    return [_with_half(float(value), float(width), rows) for value, width in zip(values, half, strict=True)]


def _with_half(value: float, half: float, rows: int) -> Value:
    if not (math.isfinite(value) and math.isfinite(half)):
        return NotMeasured(reason="it cannot be computed on these rows")
    return Estimate(value=value, low=value - half, high=value + half, method=f"jackknife, {JACKKNIFE_GROUPS} groups", n=rows)
