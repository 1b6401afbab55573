"""What a model says of rows, and the way from a raw score to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from automl.spec import LARGEST_NUMBER, TaskKind

Array = NDArray[np.float64]
Vector = NDArray[Any]

LARGEST_LOG = float(np.log1p(LARGEST_NUMBER))
"""A model of logarithms that goes on beyond the training rows says no larger number than a target may hold."""


@dataclass(frozen=True)
class Predictions:
    """Classification: ``probabilities`` (n, k) in the order of the labels. Regression: ``values`` (n,) in the target's unit."""

    probabilities: Array | None = None
    values: Array | None = None

    def __len__(self) -> int:
        known = self.values if self.probabilities is None else self.probabilities
        return 0 if known is None else len(known)


def to_predictions(raw: Array, task: TaskKind, logarithms: bool = False) -> Predictions:
    """From raw scores: binary log-odds (n,), multiclass logits (n, k), regression values (n,), or with ``logarithms`` their log(1 + value), of at least 0."""
    if task == "regression":
        return Predictions(values=np.expm1(np.clip(raw, 0.0, LARGEST_LOG)) if logarithms else raw)
    if task == "binary":
        positive = expit(raw)
        return Predictions(probabilities=np.column_stack([1 - positive, positive]))
    return Predictions(probabilities=softmax(raw, axis=1))


def centred(raw: Array) -> Array:
    """Logits with their mean over the classes taken off: the softmax is the same, and sums of models stay comparable."""
    return np.asarray(raw - raw.mean(axis=1, keepdims=True)) if raw.ndim == 2 else raw
