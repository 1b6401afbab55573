"""How the scores of a group lie beside those of its reference: quantiles and distances. Descriptive, as every largest distance is (evidence rule 9)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from automl.audit.outcomes import FloatArray
from automl.evidence import ScoreSpread

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MOST_VALUES = 200_000
"""Of a group with more rows the scores are first rounded to this many equal steps between its lowest and highest; a distance moves by less than a step."""


@dataclass(frozen=True)
class Scores:
    """The distinct scores of one group, rising (m,), and the share of its (weighted) rows at each (m,)."""

    values: FloatArray
    shares: FloatArray

    @classmethod
    def of(cls, score: FloatArray, weight: FloatArray | None = None) -> Scores | None:
        """None without a row of positive weight."""
        w = np.ones(len(score)) if weight is None else weight
        if not len(score) or w.sum() <= 0:
            return None
        low, high = float(score.min()), float(score.max())
        if len(score) > MOST_VALUES and high > low:
            step = (high - low) / MOST_VALUES
            mass = np.bincount(np.rint((score - low) / step).astype(np.int64), weights=w)
            kept = np.flatnonzero(mass)
            return cls(np.asarray(low + kept * step, dtype=np.float64), mass[kept] / mass.sum())
        values, place = np.unique(score, return_inverse=True)
        mass = np.bincount(place, weights=w)
        return cls(values, mass / mass.sum())

    @property
    def mean(self) -> float:
        return float(self.values @ self.shares)

    @property
    def variance(self) -> float:
        return float((self.values - self.mean) ** 2 @ self.shares)

    def at_or_below(self, points: FloatArray) -> FloatArray:
        """The share of rows at or below each point."""
        return np.asarray(np.concatenate([[0.0], np.cumsum(self.shares)])[np.searchsorted(self.values, points, side="right")])

    def quantile(self, level: float) -> float:
        return value_at(self.values, np.cumsum(self.shares), level)


def value_at(values: FloatArray, shares: FloatArray, level: float) -> float:
    """The lowest of the rising ``values`` (m,) with at least the share ``level`` of the rows at or below it; ``shares`` (m,) are those up to and with each."""
    return float(values[min(int(np.searchsorted(shares, level - 1e-12)), len(values) - 1)])


def score_spread(mine: Scores, reference: Scores | None) -> ScoreSpread:
    """``reference``: None of the reference itself and where there is none."""
    low, quarter, middle, three_quarters, high = (mine.quantile(level) for level in QUANTILES)
    quantiles = (low, quarter, middle, three_quarters, high)
    if reference is None:
        return ScoreSpread(quantiles=quantiles)
    points = np.union1d(mine.values, reference.values)
    apart = np.abs(mine.at_or_below(points) - reference.at_or_below(points))
    spread = float(np.sqrt((mine.variance + reference.variance) / 2))
    return ScoreSpread(
        quantiles=quantiles, standardised_difference=(mine.mean - reference.mean) / spread if spread > 0 else None, kolmogorov_smirnov=float(apart.max()),
        wasserstein=float(apart[:-1] @ np.diff(points)))
