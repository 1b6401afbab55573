"""The cut-off of a model of two classes, chosen on out-of-fold predictions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from automl.evidence import Threshold
from automl.learn.metrics import HALF, OF_DECISIONS, at_cut, best_cut
from automl.learn.predictions import to_predictions
from automl.spec import Metric

Array = NDArray[np.float64]


def choose_threshold(out_of_fold: Array, y: NDArray[np.int64] | NDArray[np.float64], metric: Metric | None = None, weight: Array | None = None) -> Threshold:
    """Where ``metric`` depends on the decision, which somebody then asked for, the cut with its best value out-of-fold (`best_cut`).

    Else 0.5, unless that selects nobody or everybody out-of-fold; then the cut at which the share of rows selected comes nearest to the base rate.
    Equal scores fall on one side together. Where all are equal nothing can be cut, and 0.5 stays."""
    score = np.asarray(to_predictions(out_of_fold, "binary").probabilities)[:, 1]
    if metric is not None and metric in OF_DECISIONS and (cut := best_cut(metric, y, score, weight)) is not None:
        name, at_half = {"f1": "F1", "mcc": "MCC"}.get(metric, metric.replace("_", " ")), at_cut(metric, y, score, HALF, weight)
        return Threshold(value=cut.value, chosen_on=f"out-of-fold predictions: the highest {name}, {cut.score:.4f} there and {at_half:.4f} at 0.5, of the cuts that select some rows and not all")
    if 0 < (score >= 0.5).sum() < len(score):
        return Threshold(value=0.5, chosen_on="default 0.5")
    everybody_or_nobody = "everybody" if (score >= 0.5).all() else "nobody"
    distinct, rows = np.unique(score, return_counts=True)
    if len(distinct) < 2:
        return Threshold(value=0.5, chosen_on=f"default 0.5, which selects {everybody_or_nobody} out-of-fold: all scores are equal")
    selected = np.cumsum(rows[::-1])[::-1][1:] / len(score)  # by a cut at each distinct score but the lowest, which selects everybody
    at = int(np.argmin(np.abs(selected - float(np.mean(y)))))
    return Threshold(
        value=float(distinct[1 + at]),
        chosen_on=f"out-of-fold predictions: selects {selected[at]:.1%} of the rows, nearest to the base rate of {float(np.mean(y)):.1%}, since 0.5 selects {everybody_or_nobody}",
    )
