"""How well stated reasons hold: does the decision turn where they are taken away, do other backgrounds give the same ones, has a person approved their words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.audit.explain import Attributions
from automl.audit.intervals import count, rate_estimate
from automl.audit.outcomes import BoolArray, FloatArray, IntArray
from automl.audit.reasons.backgrounds import BLOCKS, Compared, Scale
from automl.audit.reasons.factors import Factor, contributions, may_be_stated
from automl.audit.reasons.principal import NOTHING, members, overlap, principal
from automl.audit.reasons.substitution import mean_scores_with
from automl.audit.resampling import bootstrap_means, generator, independent_units, percentile_estimate
from automl.evidence import NotMeasured, Value
from automl.spec import ReasonPolicy

FLIP_ROWS = 500
FLIP_BACKGROUNDS = 20
FLIP_SHARE = 0.5
STABLE_SHARE, STABLE_ROWS, STABLE_BACKGROUNDS = 0.05, (20, 50), 20
NO_REASONS = "no explained row has a reason"


class ReasonedModel(Protocol):
    """What reasons need of a model of two classes: raw scores are log-odds of its positive class, inputs in the order of ``features``."""

    @property
    def features(self) -> tuple[str, ...]: ...
    @property
    def out_of_fold_raw(self) -> FloatArray: ...
    @property
    def attribution_cost(self) -> float: ...
    def raw(self, frame: pd.DataFrame) -> FloatArray: ...
    def attributions(self, frame: pd.DataFrame, background: pd.DataFrame, seed: int = 0) -> Attributions: ...


@dataclass(frozen=True, eq=False)
class Explained:
    """The rows that got reasons, n of them. ``phi`` (n, factors) towards the favourable outcome against m1, ``phi_all`` against m2; ``chosen`` and ``chosen_all``
    (n, most) the lists; ``distance`` (n,) from the score up to the cut; ``rows``: positions in the audit part."""

    frame: pd.DataFrame
    rows: IntArray
    factors: tuple[Factor, ...]
    scores: FloatArray
    distance: FloatArray
    phi: FloatArray
    phi_all: FloatArray
    chosen: IntArray
    chosen_all: IntArray
    weight: FloatArray | None
    cluster: NDArray[Any] | None

    @property
    def stated(self) -> BoolArray:
        """(n, factors)"""
        return members(self.chosen, len(self.factors))

    @property
    def overlaps(self) -> FloatArray:
        return overlap(self.stated, members(self.chosen_all, len(self.factors)))

    def share(self, hits: BoolArray, among: IntArray | None = None, absent: str = NO_REASONS) -> Value:
        """Share of the rows (``among``) with ``hits``, one of each of them, Wilson."""
        at = np.arange(len(self.rows)) if among is None else among
        return rate_estimate(count(hits, None if self.weight is None else self.weight[at], None if self.cluster is None else self.cluster[at]), absent)

    def mean(self, values: FloatArray, name: str, seed: int, among: IntArray | None = None) -> Value:
        """Mean of ``values`` of 0 to 1, one of each of the rows ``among``, with its bootstrap interval."""
        at = np.arange(len(self.rows)) if among is None else among
        if not len(at):
            return NotMeasured(reason=NO_REASONS)
        weight, cluster = None if self.weight is None else self.weight[at], None if self.cluster is None else self.cluster[at]
        if values.min() == values.max() and values[0] in (0, 1):
            # no resample differs, and an interval of no width would claim a certainty that nobody has; a mean varies no more than a rate
            return rate_estimate(count(values == 1, weight, cluster))
        replicates = bootstrap_means(values[:, None], generator(seed, "reasons", name), weight, cluster)
        return percentile_estimate(float(np.average(values, weights=weight)), replicates[:, 0], len(at), units=independent_units(len(at), cluster))


@dataclass(frozen=True)
class Flipped:
    crosses: Value
    moves: Value


def flip(explained: Explained, model: ReasonedModel, scale: Scale, at_the_cut: Compared, seed: int) -> Flipped:
    """Whether the stated inputs, set to the values of people just above the cut, carry the score over the cut, or `FLIP_SHARE` of the way (mean over those people)."""
    with_reasons = np.flatnonzero(explained.chosen[:, 0] != NOTHING)
    some = _sample(with_reasons, FLIP_ROWS, seed, "flip")
    if not len(some):
        nothing = NotMeasured(reason=NO_REASONS)
        return Flipped(nothing, nothing)
    stated = explained.stated[some]
    replaced = np.zeros((len(some), explained.frame.shape[1]), dtype=np.bool_)
    for place, factor in enumerate(explained.factors):
        replaced[:, list(factor.inputs)] |= stated[:, [place]]
    # m1 is in random order, so that the first of it are a random sample
    after = mean_scores_with(model, scale, explained.frame.iloc[some], replaced, at_the_cut.frame.iloc[:FLIP_BACKGROUNDS])
    crosses = scale.favourable(after)
    moves = crosses | (after - explained.scores[some] >= FLIP_SHARE * explained.distance[some])
    return Flipped(explained.share(crosses, some), explained.share(moves, some))


def stability(explained: Explained, model: ReasonedModel, scale: Scale, at_the_cut: Compared, policy: ReasonPolicy, seed: int) -> Value:
    """Mean overlap of the stated list with those against `STABLE_BACKGROUNDS` backgrounds that are resampled from m1, block by block.

    Interventional attributions are means over the background's rows: those of a resampled background are means of its blocks', which are asked for once.
    """
    # of a model that is dear to explain few rows were explained, and fewer can be explained ten times
    rows = int(np.clip(STABLE_SHARE * len(explained.rows), *STABLE_ROWS))
    some = _sample(np.arange(len(explained.rows)), rows, seed, "stability")
    frame, allowed = explained.frame.iloc[some], may_be_stated(explained.factors)
    by_block = np.stack([contributions(scale.sign * np.asarray(model.attributions(frame, block, seed).phi), explained.factors) for block in at_the_cut.blocks()])
    stated, draw = explained.stated[some], generator(seed, "reasons", "backgrounds")
    overlaps = np.zeros(len(some))
    for _ in range(STABLE_BACKGROUNDS):
        phi = by_block[draw.integers(0, BLOCKS, BLOCKS)].mean(axis=0)
        chosen = principal(phi, explained.distance[some], allowed, most=policy.most, materiality=policy.materiality)
        overlaps += overlap(stated, members(chosen, len(explained.factors)))
    return explained.mean(overlaps / STABLE_BACKGROUNDS, "stability", seed, some)


def _sample(rows: IntArray, most: int, seed: int, name: str) -> IntArray:
    return rows if len(rows) <= most else np.sort(generator(seed, "reasons", name).choice(rows, size=most, replace=False))
