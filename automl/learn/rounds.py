"""How many rounds the fold models of one trial keep: the same number for all, where the rows of all folds together say so.

A fold that chooses for itself chooses by the rows that it is then scored on, which flatters the score. One number that is best over all folds, as in LightGBM's own `lgb.cv`, rests on
five times as many rows, and the model that is deployed, which is the mean of the folds, is better for it (docs/benchmarks.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from automl.learn.families import Array, FoldModel


@runtime_checkable
class LearnedInRounds(Protocol):
    """A fold model that can still go to another of the rounds that it was learned in."""

    @property
    def losses(self) -> Array:
        """Of the fold's validation rows after each round: their weighted sum, not their mean."""

    def after(self, rounds: int) -> FoldModel:
        """The model of the first so many rounds, or of all there are; itself where it has as many already."""


def agreed(models: Sequence[FoldModel]) -> tuple[FoldModel, ...]:
    """The fold models of one trial with the number of rounds whose loss is lowest over all folds. As they are, where not all were learned in rounds."""
    in_rounds = [model for model in models if isinstance(model, LearnedInRounds)]
    if len(in_rounds) < len(models):
        return tuple(models)
    rounds = lowest([model.losses for model in in_rounds])
    return tuple(model.after(rounds) for model in in_rounds)


def lowest(losses: Sequence[Array]) -> int:
    """The first number of rounds at which the sum over the folds is lowest. A fold that ended earlier stays at its last loss: it has no further rounds."""
    longest = max(len(each) for each in losses)
    total = np.sum([np.concatenate([each, np.full(longest - len(each), each[-1])]) for each in losses], axis=0)
    return int(np.argmin(total)) + 1
