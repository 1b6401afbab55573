"""What a model says of rows, and the way from a raw score to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from automl.spec import TaskKind

Array = NDArray[np.float64]
Vector = NDArray[Any]


@dataclass(frozen=True)
class Predictions:
    """Classification: ``probabilities`` (n, k) in the order of the labels. Regression: ``values`` (n,) in the target's unit."""

    probabilities: Array | None = None
    values: Array | None = None

    def __len__(self) -> int:
        known = self.values if self.probabilities is None else self.probabilities
        return 0 if known is None else len(known)


def to_predictions(raw: Array, task: TaskKind) -> Predictions:
    """From raw scores: binary log-odds (n,), multiclass logits (n, k), regression values (n,)."""
    if task == "regression":
        return Predictions(values=raw)
    if task == "binary":
        positive = expit(raw)
        return Predictions(probabilities=np.column_stack([1 - positive, positive]))
    return Predictions(probabilities=softmax(raw, axis=1))


def centred(raw: Array) -> Array:
    """Logits with their mean over the classes taken off: the softmax is the same, and sums of models stay comparable."""
    return np.asarray(raw - raw.mean(axis=1, keepdims=True)) if raw.ndim == 2 else raw
