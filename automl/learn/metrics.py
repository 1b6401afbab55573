"""The metrics that can steer a search: scikit-learn's, with one signature and a direction.

What depends on the decision (`OF_DECISIONS`) is measured, for two classes, at the cut that is best for it on the same rows: the deployed model is cut so,
and at a fixed 0.5 a search for few positives would compare how the models' probabilities happen to lie, not what their decisions could be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from automl.learn.predictions import Predictions
from automl.spec import MEDIAN, SMALLER_IS_BETTER, Metric

Array = NDArray[Any]
Measure = Callable[[Array, Predictions, Array | None], float]

HALF = 0.5
_SAME = 1e-12
"""Cuts whose metrics differ by less, which is rounding, are equally good."""


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


def scorer(metric: Metric, quantile: float | None = None) -> Scorer:
    """The scorer of a metric of `automl.spec.METRICS_OF_TASK`. ``quantile``: the level of quantile_loss (default 0.5)."""
    measure = SCORERS[metric] if quantile is None else partial(_pinball, level=quantile)
    return Scorer(metric, "minimize" if metric in SMALLER_IS_BETTER else "maximize", measure)


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


# --- what depends on the decision -------------------------------------------------------------------------------------------------


class Cut(NamedTuple):
    """A cut on the positive class's probability, and the metric of the decisions that it makes."""

    value: float
    score: float


def best_cut(metric: Metric, y: Array, score: Array, weight: Array | None = None) -> Cut | None:
    """The cut with the best ``metric`` of `OF_DECISIONS` among those that select some rows and not all; None where all scores are equal.

    Of equally good ones the nearest to 0.5; it lies half-way between the scores that it parts, or at 0.5 where that parts them too.
    """
    order = np.argsort(-score, kind="stable")
    ranked, positive = score[order], np.asarray(y)[order] == 1
    heavy = np.ones(len(ranked)) if weight is None else np.asarray(weight, dtype=np.float64)[order]
    last = np.flatnonzero(np.diff(ranked) < 0)  # equal scores fall on one side together
    if not len(last):
        return None
    tp, fp = np.cumsum(heavy * positive), np.cumsum(heavy * ~positive)
    made = OF_DECISIONS[metric](tp[last], fp[last], tp[-1] - tp[last], fp[-1] - fp[last])
    low, high = ranked[last + 1], ranked[last]
    as_good = made >= made.max() - _SAME
    at = int(np.argmin(np.where(as_good, np.abs(np.clip(HALF, low, high) - HALF), np.inf)))
    return Cut(_between(float(low[at]), float(high[at])), float(made[at]))


def at_cut(metric: Metric, y: Array, score: Array, cut: float, weight: Array | None = None) -> float:
    """``metric`` of `OF_DECISIONS` where every score from ``cut`` on is a positive decision."""
    heavy = np.ones(len(score)) if weight is None else np.asarray(weight, dtype=np.float64)
    positive, selected = np.asarray(y) == 1, score >= cut
    cells = ([float(heavy[one & other].sum())] for one, other in ((positive, selected), (~positive, selected), (positive, ~selected), (~positive, ~selected)))
    return float(OF_DECISIONS[metric](*map(np.array, cells))[0])


def _between(low: float, high: float) -> float:
    if low < HALF <= high:
        return HALF
    middle = low + (high - low) / 2
    return middle if middle > low else high


def _share(of: Array, whole: Array) -> Array:
    """0 where nothing is there to be shared."""
    return np.divide(of, whole, out=np.zeros_like(of, dtype=np.float64), where=whole > 0)


def _accuracy(tp: Array, fp: Array, fn: Array, tn: Array) -> Array:
    return _share(tp + tn, tp + fp + fn + tn)


def _balanced(tp: Array, fp: Array, fn: Array, tn: Array) -> Array:
    """Mean recall of the classes that there are."""
    classes = (tp + fn > 0).astype(np.float64) + (tn + fp > 0)
    return _share(_share(tp, tp + fn) + _share(tn, tn + fp), classes)


def _f1(tp: Array, fp: Array, fn: Array, tn: Array) -> Array:
    """Of the positive class."""
    return _share(2 * tp, 2 * tp + fp + fn)


def _mcc(tp: Array, fp: Array, fn: Array, tn: Array) -> Array:
    """Matthews (1975); 0, as for knowing nothing, where a row or column of the table is empty."""
    # roots before the product: four weights multiplied may be beyond what a float holds
    return _share(tp * tn - fp * fn, np.sqrt(tp + fp) * np.sqrt(tp + fn) * np.sqrt(tn + fp) * np.sqrt(tn + fn))


OF_DECISIONS: dict[str, Callable[[Array, Array, Array, Array], Array]] = {"accuracy": _accuracy, "balanced_accuracy": _balanced, "f1": _f1, "mcc": _mcc}
"""Metrics of a table of decisions, from (weighted) true and false positives, false and true negatives, each (m,)."""


def _of_decisions(y: Array, p: Predictions, w: Array | None, metric: Metric, of_several: Measure) -> float:
    """Two classes: at the best cut, or at 0.5 where nothing can be cut. More: of the most probable class."""
    if _all(p).shape[1] != 2:
        return of_several(y, p, w)
    cut = best_cut(metric, y, _positive(p), w)
    return at_cut(metric, y, _positive(p), HALF, w) if cut is None else cut.score


def _macro_recall(y: Array, p: Predictions, w: Array | None) -> float:
    """Mean recall of the classes that ``y`` has (scikit-learn's balanced accuracy, without its warning for predicted classes that ``y`` lacks)."""
    present = np.unique(y)
    return float(metrics.recall_score(y, decide(_all(p)), labels=present, average="macro", sample_weight=w, zero_division=0))


def _macro_f1(y: Array, p: Predictions, w: Array | None) -> float:
    """0 for a class that is never predicted."""
    return float(metrics.f1_score(y, decide(_all(p)), average="macro", sample_weight=w, zero_division=0))


def _mcc_of_several(y: Array, p: Predictions, w: Array | None) -> float:
    """Gorodkin (2004), R_K; 0 where all is one class."""
    decided = decide(_all(p))
    return 0.0 if len(np.union1d(y, decided)) < 2 else float(metrics.matthews_corrcoef(y, decided, sample_weight=w))


# --- the others -------------------------------------------------------------------------------------------------------------------


def _log_loss(y: Array, p: Predictions, w: Array | None) -> float:
    return float(metrics.log_loss(y, _all(p), labels=np.arange(_all(p).shape[1]), sample_weight=w))


def _rmsle(y: Array, p: Predictions, w: Array | None) -> float:
    """Root mean squared difference of log(1 + value); predictions below 0 count as 0."""
    return float(metrics.root_mean_squared_log_error(y, np.maximum(_values(p), 0), sample_weight=w))


def _pinball(y: Array, p: Predictions, w: Array | None, level: float = MEDIAN) -> float:
    """Koenker and Bassett (1978): a truth above the prediction costs ``level`` a unit, one below it 1 - ``level``."""
    return float(metrics.mean_pinball_loss(y, _values(p), alpha=level, sample_weight=w))


SCORERS: dict[Metric, Measure] = {
    "roc_auc": lambda y, p, w: metrics.roc_auc_score(y, _positive(p), sample_weight=w),
    "average_precision": lambda y, p, w: metrics.average_precision_score(y, _positive(p), sample_weight=w),
    "log_loss": _log_loss,
    "brier": lambda y, p, w: metrics.brier_score_loss(y, _positive(p), sample_weight=w),
    "accuracy": partial(_of_decisions, metric="accuracy", of_several=lambda y, p, w: metrics.accuracy_score(y, decide(_all(p)), sample_weight=w)),
    "balanced_accuracy": partial(_of_decisions, metric="balanced_accuracy", of_several=_macro_recall),
    "f1": partial(_of_decisions, metric="f1", of_several=_macro_f1),
    "mcc": partial(_of_decisions, metric="mcc", of_several=_mcc_of_several),
    "rmse": lambda y, p, w: metrics.root_mean_squared_error(y, _values(p), sample_weight=w),
    "mae": lambda y, p, w: metrics.mean_absolute_error(y, _values(p), sample_weight=w),
    "rmsle": _rmsle,
    "r2": lambda y, p, w: metrics.r2_score(y, _values(p), sample_weight=w),
    "quantile_loss": _pinball,
}
