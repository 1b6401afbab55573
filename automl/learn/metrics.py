"""The metrics that can steer a search: scikit-learn's, with one signature and a direction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from automl.learn.predictions import Predictions
from automl.spec import Metric

Array = NDArray[Any]
Measure = Callable[[Array, Predictions, Array | None], float]


@dataclass(frozen=True)
class Scorer:
    name: Metric
    direction: Literal["maximize", "minimize"]
    measure: Measure

    def __call__(self, y: Array, predictions: Predictions, labels: tuple[str, ...], weight: Array | None = None) -> float:
        """The metric on ``y`` (class index in the order of ``labels``, or the number); NaN where it is not defined, for example AUC of one class."""
        if self.name in ("roc_auc", "average_precision") and len(np.unique(y)) < 2:
            return float("nan")
        return float(self.measure(y, predictions, weight))

    def loss(self, score: float) -> float:
        """Smaller is better, NaN is worst: what samplers and greedy choices compare."""
        if np.isnan(score):
            return float("inf")
        return -score if self.direction == "maximize" else score


def scorer(metric: Metric) -> Scorer:
    """The scorer of a metric of `automl.spec.METRICS_OF_TASK`."""
    direction, measure = SCORERS[metric]
    return Scorer(metric, direction, measure)


def decide(probabilities: Array, threshold: float | None = None) -> Array:
    """Class index (n,): the most probable class, or for two classes whether the last one reaches ``threshold``."""
    if threshold is not None and probabilities.shape[1] == 2:
        return np.asarray((probabilities[:, 1] >= threshold).astype(np.int64))
    return np.asarray(probabilities.argmax(axis=1))


def _positive(predictions: Predictions) -> Array:
    return _all(predictions)[:, 1]


def _all(predictions: Predictions) -> Array:
    if predictions.probabilities is None:
        raise TypeError("this metric needs class probabilities")
    return predictions.probabilities


def _values(predictions: Predictions) -> Array:
    if predictions.values is None:
        raise TypeError("this metric needs predicted values")
    return predictions.values


def _f1(y: Array, p: Predictions, w: Array | None) -> float:
    """F1 of the positive class for two classes, macro average for more; 0 where nothing is predicted."""
    average = "binary" if _all(p).shape[1] == 2 else "macro"
    return float(metrics.f1_score(y, decide(_all(p)), average=average, sample_weight=w, zero_division=0))


def _balanced_accuracy(y: Array, p: Predictions, w: Array | None) -> float:
    """Mean recall of the classes that ``y`` has (scikit-learn's, without its warning for predicted classes that ``y`` lacks)."""
    present = np.unique(y)
    return float(metrics.recall_score(y, decide(_all(p)), labels=present, average="macro", sample_weight=w, zero_division=0))


def _log_loss(y: Array, p: Predictions, w: Array | None) -> float:
    return float(metrics.log_loss(y, _all(p), labels=np.arange(_all(p).shape[1]), sample_weight=w))


SCORERS: dict[Metric, tuple[Literal["maximize", "minimize"], Measure]] = {
    "roc_auc": ("maximize", lambda y, p, w: metrics.roc_auc_score(y, _positive(p), sample_weight=w)),
    "average_precision": ("maximize", lambda y, p, w: metrics.average_precision_score(y, _positive(p), sample_weight=w)),
    "log_loss": ("minimize", _log_loss),
    "brier": ("minimize", lambda y, p, w: metrics.brier_score_loss(y, _positive(p), sample_weight=w)),
    "accuracy": ("maximize", lambda y, p, w: metrics.accuracy_score(y, decide(_all(p)), sample_weight=w)),
    "balanced_accuracy": ("maximize", _balanced_accuracy),
    "f1": ("maximize", _f1),
    "rmse": ("minimize", lambda y, p, w: metrics.root_mean_squared_error(y, _values(p), sample_weight=w)),
    "mae": ("minimize", lambda y, p, w: metrics.mean_absolute_error(y, _values(p), sample_weight=w)),
    "r2": ("maximize", lambda y, p, w: metrics.r2_score(y, _values(p), sample_weight=w)),
}
