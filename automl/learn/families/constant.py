"""The baseline that looks at no feature: the class shares, the mean or a quantile. Always on the leaderboard, and the model of last resort."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.learn.families import Array, Encoded, Files
from automl.learn.predictions import centred
from automl.spec import MEDIAN, Metric, TaskKind

if TYPE_CHECKING:
    import pandas as pd

NAME = "baseline"


@dataclass(frozen=True)
class Constant:
    score: Array
    """(outputs,) raw score of every row."""
    explainer = "constant: no feature is used"

    def raw(self, frame: pd.DataFrame, threads: int = 1, encoded: Encoded | None = None) -> Array:
        raw = np.tile(self.score, (len(frame), 1))
        return raw[:, 0] if len(self.score) == 1 else raw

    def attributions(self, frame: pd.DataFrame, background: pd.DataFrame, seed: int) -> Array:
        shape = (len(frame), frame.shape[1])
        return np.zeros(shape if len(self.score) == 1 else (*shape, len(self.score)))

    @property
    def attribution_cost(self) -> float:
        return 1.0

    def files(self) -> Files:
        return {"constant.json": json.dumps({"score": self.score.tolist()}).encode()}


def load_constant(files: Files) -> Constant:
    """The baseline that `Constant.files` wrote."""
    return Constant(np.array(json.loads(files["constant.json"])["score"], dtype=np.float64))


def fit_constant(y: Any, weight: Any, task: TaskKind, classes: int, metric: Metric, quantile: float | None = None) -> Constant:
    """Class shares with half a row added to each (never infinite log-odds); for numbers the mean, where "mae" is the metric the median, and where one is
    given the quantile."""
    weights = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
    if task == "regression":
        level = MEDIAN if metric == "mae" else quantile
        value = float(np.average(y, weights=weights)) if level is None else weighted_quantile(y, weights, level)
        return Constant(np.array([value]))
    logs = np.log(np.bincount(np.asarray(y, dtype=np.int64), weights=weights, minlength=classes) + 0.5)
    return Constant(np.array([logs[1] - logs[0]]) if task == "binary" else centred(logs[None, :])[0])


def weighted_quantile(y: Any, weights: Array, level: float) -> float:
    """The smallest value that has ``level`` of the weight at or below it: none has a lower weighted pinball loss."""
    order = np.argsort(y)
    reached = np.cumsum(weights[order])
    return float(y[order][np.searchsorted(reached, reached[-1] * level)])
