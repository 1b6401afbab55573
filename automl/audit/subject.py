"""The model under test: how rows become outcomes and its metric a number, shared by everything that asks the model again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.audit.estimates import auc_influence
from automl.audit.outcomes import FloatArray, Outcomes
from automl.audit.resampling import generator
from automl.data.splits import Problem, Rows
from automl.evidence import Threshold
from automl.learn.metrics import OF_DECISIONS, at_cut, scorer
from automl.learn.model import FittedModel
from automl.learn.predictions import Predictions

OutcomesOf = Callable[[Rows, Predictions], Outcomes]


@dataclass(frozen=True, eq=False)
class Subject:
    """``train`` and ``audit`` are the parts; ``outcomes_of`` makes outcomes of rows and what the model says of them, at the deployed cut."""

    model: FittedModel
    train: Rows
    audit: Rows
    outcomes_of: OutcomesOf
    seed: int

    @property
    def problem(self) -> Problem:
        return self.model.problem

    def metric(self, y: NDArray[np.int64] | FloatArray, predicted: Predictions, weight: FloatArray | None) -> float:
        """The run's metric; one of decisions at the deployed cut, not at the best one of these rows."""
        return metric_of(self.problem, self.model.threshold, y, predicted, weight)

    def some(self, rows: Rows, most: int, name: str) -> Rows:
        """All of ``rows``, or a seeded sample of ``most`` of them."""
        if len(rows) <= most:
            return rows
        return rows_at(rows, np.sort(generator(self.seed, name).choice(len(rows), most, replace=False)))


def metric_of(problem: Problem, threshold: Threshold | None, y: NDArray[np.int64] | FloatArray, predicted: Predictions, weight: FloatArray | None) -> float:
    """The run's metric of a model with this cut; one of decisions at it, not at the best one of these rows."""
    name = problem.metric
    if problem.task == "binary" and name in OF_DECISIONS and threshold is not None and predicted.probabilities is not None:
        return at_cut(name, y, predicted.probabilities[:, 1], threshold.value, weight)
    if name == "roc_auc" and predicted.probabilities is not None and 0 < (positive := y == 1).sum() < len(y):
        # scikit-learn's value in a third of its time, which hundreds of samples of the rows ask for
        return auc_influence(positive, predicted.probabilities[:, 1], weight)[0]
    return scorer(name, problem.quantile)(y, predicted, problem.labels, weight)


def rows_at(rows: Rows, at: NDArray[np.int64]) -> Rows:
    """Some of the rows, by position, with a fresh index."""
    return replace(
        rows, features=rows.features.iloc[at].reset_index(drop=True), y=rows.y[at], groups={name: groups[at] for name, groups in rows.groups.items()},
        weight=None if rows.weight is None else rows.weight[at], cluster=None if rows.cluster is None else rows.cluster[at], position=rows.position[at],
        moment=None if rows.moment is None else rows.moment[at])


def predictions_at(predicted: Predictions, at: NDArray[np.int64]) -> Predictions:
    """The predictions of some rows."""
    return Predictions(None if predicted.probabilities is None else predicted.probabilities[at], None if predicted.values is None else predicted.values[at])


def numbers_of(frame: pd.DataFrame, name: str) -> FloatArray:
    """(n,) float64 of a number or a date, NaN where it is missing."""
    return np.asarray(frame[name].to_numpy(dtype=np.float64, na_value=np.nan))
