"""What each cut-off of one group's scores would do: the rates that it gives, and what it gains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl.learn.mitigation.decisions import Array, Decisions, Flags

STEPS = 4_000
"""Cut-offs of one group that are looked at: all of them, or so many at even steps of the selection rate."""
NOBODY, EVERYBODY = np.inf, 0.0


@dataclass(frozen=True, eq=False)
class Curve:
    """Arrays (m,) with rising rates, the first of nobody and the last of everybody. Who scores ``cuts`` or more is selected."""

    cuts: Array
    rate: Array
    tpr: Array
    fpr: Array
    gain: Array
    positives: float
    """Weight of the rows that deserve the favourable outcome; ``negatives`` of the others."""
    negatives: float

    def hull(self) -> NDArray[np.int64]:
        """Positions on the upper convex hull of the ROC curve, both ends included (Andrew's monotone chain)."""
        kept: list[int] = []
        # the last of equal false positive rates is the highest
        for at in range(len(self.cuts)):
            while kept and self.fpr[kept[-1]] == self.fpr[at] and kept[-1] != 0:
                kept.pop()
            while len(kept) >= 2 and self._turn(kept[-2], kept[-1], at) >= 0:
                kept.pop()
            kept.append(at)
        return np.array(kept, dtype=np.int64)

    def _turn(self, a: int, b: int, c: int) -> float:
        """Positive where the way from a over b to c turns left: b lies below the straight line."""
        return float((self.fpr[b] - self.fpr[a]) * (self.tpr[c] - self.tpr[a]) - (self.tpr[b] - self.tpr[a]) * (self.fpr[c] - self.fpr[a]))


def curve(decisions: Decisions, mine: Flags, price: float, *, expected: bool = False) -> Curve:
    """Of the rows ``mine`` (n,), some of each label. ``price``: what selecting an undeserving person costs, where missing a deserving one costs 1 - price.

    The deployed cut-off is the price: on calibrated probabilities it is the cut that gains most, and at 0.5 the gain is accuracy but for a constant. ``expected``: the gain is that
    which the probabilities expect, not that of these labels, whose chance peaks other people do not have (docs/benchmarks.md)."""
    order = np.argsort(-decisions.score[mine], kind="stable")
    ranked, good, heavy = decisions.score[mine][order], decisions.deserving[mine][order], decisions.heavy[mine][order]
    last = np.append(np.flatnonzero(np.diff(ranked) < 0), len(ranked) - 1)  # equal scores fall on one side together
    if len(last) > STEPS:
        last = last[np.unique(np.linspace(0, len(last) - 1, STEPS).round().astype(np.int64))]
    right, wrong = np.cumsum(heavy * good)[last], np.cumsum(heavy * ~good)[last]
    between = [_between(ranked[at + 1], ranked[at]) for at in last[:-1]]
    cuts = np.array([NOBODY, *between, EVERYBODY])
    right, wrong = np.append(0.0, right), np.append(0.0, wrong)
    positives, negatives = float(right[-1]), float(wrong[-1])
    return Curve(
        cuts=cuts, rate=(right + wrong) / (positives + negatives), tpr=right / positives, fpr=wrong / negatives,
        gain=np.append(0.0, np.cumsum(heavy * ((ranked if expected else good) - price))[last]),
        positives=positives, negatives=negatives)


def _between(low: float, high: float) -> float:
    middle = low + (high - low) / 2
    return float(middle if middle > low else high)
