"""The bootstrap: seeded, vectorised, by person where rows repeat a person (evidence rule 9).

Means and everything made of means are resampled as *units*: a unit is a row, or all rows of one person; above `MAX_UNITS` rows are first dealt at random into
that many units, which keeps the variance of a mean (it is a sum over independent units) and bounds the cost.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from automl.audit.intervals import LEVEL, LOW_PRECISION_BELOW
from automl.audit.outcomes import FloatArray
from automl.evidence import Estimate, NotMeasured, Value

REPLICATES = 2_000
MAX_UNITS = 2_000
_CHUNK_CELLS = 2_000_000
_BLOCK_CELLS = 16_384
"""Drawn and counted at once: few enough to stay in the processor's cache."""


def generator(seed: int, *names: str) -> np.random.Generator:
    """A generator of its own for each named quantity, so that no number depends on which others were measured before it."""
    return np.random.Generator(np.random.SFC64([seed, *(zlib.crc32(name.encode("utf-8", "surrogatepass")) for name in names)]))


def draw_counts(units: int, rng: np.random.Generator, replicates: int = REPLICATES) -> Iterator[FloatArray]:
    """Chunks (b, units) of how often each unit is drawn, with replacement, ``replicates`` rows in all."""
    chunk = max(1, min(replicates, _CHUNK_CELLS // max(units, 1)))
    done = 0
    while done < replicates:
        size = min(chunk, replicates - done)
        if units < 64:
            yield rng.multinomial(units, np.full(units, 1 / units), size=size).astype(np.float64)
        else:
            counts = np.empty((size, units))
            for at in range(0, size, rows := max(1, _BLOCK_CELLS // units)):
                block = counts[at:at + rows]
                drawn = rng.integers(0, units, block.shape, dtype=np.int32) + (np.arange(len(block)) * units)[:, None]
                block[:] = np.bincount(drawn.ravel(), minlength=block.size).reshape(block.shape)
            yield counts
        done += size


def units_of(rows: int, cluster: NDArray[Any] | None, rng: np.random.Generator, limit: int = MAX_UNITS) -> NDArray[np.int64]:
    """Unit index of each row."""
    unit = np.arange(rows) if cluster is None else np.unique(cluster, return_inverse=True)[1]
    units = int(unit.max()) + 1 if rows else 0
    if units > limit:
        unit = rng.permutation(np.arange(units) % limit)[unit]
    return unit.astype(np.int64)


def halves(rows: int, cluster: NDArray[Any] | None, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The positions of two halves drawn at random, whole persons on one side."""
    unit = np.arange(rows) if cluster is None else np.unique(cluster, return_inverse=True)[1]
    units = int(unit.max()) + 1 if rows else 0
    first = (rng.permutation(units) % 2 == 0)[unit] if units else np.zeros(0, dtype=bool)
    return np.flatnonzero(first), np.flatnonzero(~first)


def bootstrap_means(columns: FloatArray, rng: np.random.Generator, weight: FloatArray | None = None, cluster: NDArray[Any] | None = None) -> FloatArray:
    """Replicates (REPLICATES, m) of the weighted column means of ``columns`` (n, m)."""
    rows = len(columns)
    w = np.ones(rows) if weight is None else weight
    unit = units_of(rows, cluster, rng)
    units = int(unit.max()) + 1
    totals = np.column_stack([np.bincount(unit, weights=w, minlength=units)] + [np.bincount(unit, weights=w * column, minlength=units) for column in columns.T])
    sums = np.concatenate([counts @ totals for counts in draw_counts(units, rng)])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(sums[:, 1:] / sums[:, :1])


def independent_units(rows: int, cluster: NDArray[Any] | None) -> int:
    """How many independent units the rows are: themselves, or the persons that they repeat."""
    return rows if cluster is None else len(np.unique(cluster))


def percentile_estimate(
    value: float, replicates: FloatArray, rows: int, method: str = "bootstrap", level: float = LEVEL, *, units: int | None = None,
) -> Value:
    """``value`` with the percentile interval of its replicates; those that could not be computed (NaN) are left out and mark low precision.

    ``units``: independent units behind it, of a comparison the fewest on one side (default: ``rows``). A single one is drawn in every replicate, and
    the interval of no width would claim a certainty that nobody has.
    """
    if (fewest := rows if units is None else units) == 1:
        return NotMeasured(reason="one row, or the rows of one person, have no spread to tell a sampling error from")
    usable = replicates[np.isfinite(replicates)]
    if not np.isfinite(value) or not len(usable):
        return NotMeasured(reason="it cannot be computed on these rows")
    low, high = np.quantile(usable, [(1 - level) / 2, (1 + level) / 2])
    often_absent = len(usable) < 0.95 * len(replicates)
    return Estimate(
        value=float(value), low=min(float(low), float(value)), high=max(float(high), float(value)), level=level, method=method, n=rows,
        low_precision=fewest < LOW_PRECISION_BELOW or often_absent,
    )


def varying_estimate(value: float, replicates: FloatArray, rows: int, *, units: int) -> Value:
    """As `percentile_estimate`, of rows that differ: where every resample gives the same number the interval would have no width, and claim a certainty that nobody has."""
    if units > 1 and same_in_all(value, replicates):
        return NotMeasured(reason=f"it is {value:.4g} in every resample of {units:,} independent rows, and rows that all agree tell nothing of a sampling error")
    return percentile_estimate(value, replicates, rows, units=units)


def simultaneous(estimate: Value, comparisons: int) -> Value:
    """The interval widened to hold for all ``comparisons`` of a table (Bonferroni): by the ratio of the normal quantiles, since so far out in its
    tails a bootstrap has too few replicates."""
    if isinstance(estimate, NotMeasured) or comparisons == 1:
        return estimate
    alpha = (1 - LEVEL) / comparisons
    wider = float(norm.isf(alpha / 2) / norm.isf((1 - LEVEL) / 2))
    low, high = estimate.value - wider * (estimate.value - estimate.low), estimate.value + wider * (estimate.high - estimate.value)
    return estimate.model_copy(update={"low": low, "high": high, "level": 1 - alpha, "method": f"{estimate.method}, simultaneous over {comparisons}"})


def exponential(estimate: Value) -> Value:
    """An estimate of a logarithm, with its limits, as that of the number."""
    if isinstance(estimate, NotMeasured):
        return estimate
    return estimate.model_copy(update={name: float(np.exp(getattr(estimate, name))) for name in ("value", "low", "high")})


def same_in_all(value: float, replicates: FloatArray) -> bool:
    """Whether no replicate that can be computed differs from the value by more than rounding."""
    usable = replicates[np.isfinite(replicates)]
    return bool(np.isfinite(value) and len(usable) and np.all(np.abs(usable - value) <= 1e-12 * abs(value)))
