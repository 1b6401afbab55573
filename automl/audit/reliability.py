"""The reliability picture as numbers: equal-count bins of a probability, and how often the outcome was observed in each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.audit.intervals import count, rate_estimate
from automl.audit.outcomes import BoolArray, FloatArray, IntArray
from automl.evidence import CalibrationBin

BINS = 10
ROWS_PER_BIN = 30


def reliability_bins(probability: FloatArray, outcome: BoolArray, weight: FloatArray | None = None, cluster: NDArray[Any] | None = None) -> tuple[CalibrationBin, ...]:
    """At most `BINS` bins of ``probability`` (n,), lowest first, each of about `ROWS_PER_BIN` rows or more; equal probabilities lie in one bin. The observed rate has Wilson's interval."""
    w = np.ones(len(probability)) if weight is None else weight
    bins = []
    for rows in rows_of_bins(probability):
        observed = rate_estimate(count(outcome[rows], *(None if each is None else each[rows] for each in (weight, cluster))), "the weights of this bin add up to 0")
        mean = float(np.average(probability[rows], weights=w[rows])) if w[rows].sum() > 0 else float(probability[rows].mean())
        bins.append(CalibrationBin(low=float(probability[rows].min()), high=float(probability[rows].max()), n=len(rows), mean_score=mean, observed=observed))
    return tuple(bins)


def rows_of_bins(score: FloatArray) -> Iterator[IntArray]:
    """The rows of each of at most `BINS` bins of ``score`` (n,), the lowest first."""
    wanted = max(1, min(BINS, len(score) // ROWS_PER_BIN))
    inner = np.unique(np.quantile(score, np.arange(1, wanted) / wanted))
    place = np.searchsorted(inner, score, side="left")
    for at in np.flatnonzero(np.bincount(place)):
        yield np.flatnonzero(place == at)
