"""Whom a person is compared with: people just above the cut (m1), whose shortfall is what is stated, and all applicants (m2), to see what the choice does.

Both are training rows, m1 by their out-of-fold scores of the deployed model: nothing of the audit part has a say in a reason (evidence rule 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logit

from automl.audit.explain import frame_digest
from automl.audit.outcomes import BoolArray, FloatArray
from automl.audit.resampling import generator
from automl.evidence import Background

BLOCKS = 10
"""m1 is dealt into so many blocks of equal size; resampling them gives the backgrounds that stability is measured over."""
FEWEST, MOST = 20, 500
SHARE = 0.1
"""Of the favourably decided training rows, those nearest the cut; within `FEWEST` and `MOST`, and a multiple of `FEWEST`."""


@dataclass(frozen=True)
class Scale:
    """Raw scores towards the favourable outcome: ``sign`` turns the model's round where its positive class is the unfavourable one; ``cut`` is on this scale."""

    sign: int
    cut: float

    @classmethod
    def of(cls, threshold: float, favourable_is_positive: bool) -> Scale | None:
        """None where the cut-off is no probability between 0 and 1: there is then no distance to it."""
        if not 0 < threshold < 1:
            return None
        sign = 1 if favourable_is_positive else -1
        return cls(sign, sign * float(logit(threshold)) + 0.0)  # never -0.0

    def scores(self, raw: FloatArray) -> FloatArray:
        return self.sign * raw

    def favourable(self, scores: FloatArray) -> BoolArray:
        """The cut itself belongs to the positive class."""
        return scores >= self.cut if self.sign > 0 else scores > self.cut


@dataclass(frozen=True, eq=False)
class Compared:
    """A background: its rows, how it is named in the evidence, and, of m1, its scores."""

    frame: pd.DataFrame
    told: Background
    scores: tuple[float, float] | None = None

    def blocks(self) -> list[pd.DataFrame]:
        return [self.frame.iloc[at::BLOCKS] for at in range(BLOCKS)]


def at_the_cut(features: pd.DataFrame, scores: FloatArray, scale: Scale, seed: int) -> Compared | None:
    """m1 of training rows with these out-of-fold ``scores`` (n,); None where fewer than `FEWEST` were decided favourably. In random order: blocks are alike."""
    favourable = np.flatnonzero(scale.favourable(scores))
    if len(favourable) < FEWEST:
        return None
    wanted = int(np.clip(SHARE * len(favourable), FEWEST, MOST)) // FEWEST * FEWEST
    nearest = favourable[np.argsort(scores[favourable], kind="stable")[:wanted]]
    mixed = generator(seed, "people at the cut").permutation(np.sort(nearest))
    return _compared(features, mixed, f"the {wanted} favourably decided training rows nearest above the cut, by out-of-fold score", scores)


def all_applicants(features: pd.DataFrame, seed: int) -> Compared:
    """m2: training rows drawn at random."""
    drawn = generator(seed, "all applicants").choice(len(features), size=min(MOST, len(features)), replace=False)
    return _compared(features, np.sort(drawn), f"training rows drawn at random (seed {seed})")


def _compared(features: pd.DataFrame, rows: NDArray[np.int64], source: str, scores: FloatArray | None = None) -> Compared:
    frame = features.iloc[rows].reset_index(drop=True)
    told = Background(source=source, n=len(frame), sha256=frame_digest(frame))
    return Compared(frame, told, None if scores is None else (float(scores[rows].min()), float(scores[rows].max())))
