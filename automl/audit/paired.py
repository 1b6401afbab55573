"""Two ways to decide about the same rows, compared: every resampled unit carries both, so that what they share cancels (evidence rule 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from automl.audit.intervals import LEVEL, LOW_PRECISION_BELOW, delong_parts, wilson
from automl.audit.outcomes import BoolArray, FloatArray
from automl.audit.resampling import REPLICATES, draw_counts, generator, independent_units, percentile_estimate, units_of
from automl.evidence import Estimate, NotMeasured, Value


@dataclass(frozen=True)
class Sums:
    """Weighted sums over some rows, of the columns (m,) and of their bootstrap replicates (REPLICATES, m)."""

    observed: FloatArray
    replicates: FloatArray
    rows: int
    units: int

    def of(self, column: int) -> tuple[FloatArray, FloatArray]:
        return self.observed[column], self.replicates[:, column]


def paired_sums(columns: FloatArray, seed: int, *names: str, weight: FloatArray | None, cluster: NDArray[Any] | None) -> Sums:
    """Of ``columns`` (n, m). ``names``: of what these are the rows, for the generator's seed."""
    rows = len(columns)
    if not rows:
        return Sums(np.zeros(columns.shape[1]), np.full((REPLICATES, columns.shape[1]), np.nan), 0, 0)
    rng = generator(seed, "paired", *names)
    unit = units_of(rows, cluster, rng)
    heavy = columns if weight is None else columns * weight[:, None]
    units = int(unit.max()) + 1
    totals = np.column_stack([np.bincount(unit, weights=column, minlength=units) for column in heavy.T])
    return Sums(heavy.sum(axis=0), np.concatenate([counts @ totals for counts in draw_counts(units, rng)]), rows, independent_units(rows, cluster))


def change_estimate(value: float, replicates: FloatArray, rows: int, units: int, n: int, level: float = LEVEL) -> Value:
    """A difference of two paired values with its percentile interval.

    Where no decision differs in the ``n`` rows behind it, every replicate is 0; then the interval says how many could differ in another sample (Wilson of none of n)."""
    if value == 0 and n and not np.any(replicates):
        most = float(wilson(0, n, (1 - level) / 2)[1])
        return Estimate(value=0.0, low=-most, high=most, level=level, method="no decision differs: wilson", n=n, low_precision=min(n, units) < LOW_PRECISION_BELOW)
    return percentile_estimate(value, replicates, rows, "paired bootstrap", level, units=units)


def auc_change(before: FloatArray, after: FloatArray, positive: BoolArray) -> Value:
    """AUC of the scores ``after`` minus that of ``before``, of the same rows, with DeLong's (1988) paired variance."""
    m, n = int(positive.sum()), int((~positive).sum())
    if min(m, n) < 2:
        return NotMeasured(reason="fewer than two rows of one class")
    old, old_positives, old_negatives = delong_parts(before[positive], before[~positive])
    new, new_positives, new_negatives = delong_parts(after[positive], after[~positive])
    variance = float((new_positives - old_positives).var(ddof=1) / m + (new_negatives - old_negatives).var(ddof=1) / n)
    half = float(norm.isf((1 - LEVEL) / 2) * np.sqrt(variance))
    value = new - old
    return Estimate(value=value, low=value - half, high=value + half, method="paired delong", n=m + n, low_precision=min(m, n) < LOW_PRECISION_BELOW)
