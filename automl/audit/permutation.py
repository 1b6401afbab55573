"""Permutation importance on the audit part (Breiman 2001; Fisher, Rudin and Dominici 2019): what the model loses where one input is shuffled among the rows.

The cross-check of mean |SHAP|: that says how far an input moves the output, this whether the output gets worse without it. Of inputs that go together each
can be spared, and shuffling makes rows that do not occur; so it checks, and does not replace.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import kendalltau

from automl.audit.explain import Predicted
from automl.audit.outcomes import FloatArray, IntArray
from automl.audit.resampling import bootstrap_means, generator, independent_units, percentile_estimate
from automl.evidence import NotMeasured, PermutationImportance, PermutedInput
from automl.spec import Metric, TaskKind

REPEATS = 5
MOST_CELLS = 1_200_000
"""Rows predicted in all, times the columns of the table (40 at least): 30,000 rows of a usual one."""
MOST_ROWS = 1_000
FEWEST_ROWS = 30
_EPS = 1e-15


class PermutedModel(Protocol):
    def predict(self, frame: pd.DataFrame) -> Predicted: ...


class PermutedRows(Protocol):
    @property
    def features(self) -> pd.DataFrame: ...
    @property
    def y(self) -> NDArray[Any]: ...
    @property
    def weight(self) -> FloatArray | None: ...
    @property
    def cluster(self) -> NDArray[Any] | None: ...


class PermutedProblem(Protocol):
    @property
    def task(self) -> TaskKind: ...
    @property
    def metric(self) -> Metric: ...
    @property
    def quantile(self) -> float | None: ...


def permutation_importance(
    model: PermutedModel, audit_rows: PermutedRows, problem: PermutedProblem, names: Sequence[str], *, seed: int, repeats: int = REPEATS, cells: int = MOST_CELLS,
) -> PermutationImportance | NotMeasured:
    """The increase of the mean loss for each of ``names`` (most important by mean |SHAP| first), on rows drawn at random.

    Losses are means over rows, so that the intervals honour weights and persons: log loss for classes; for numbers what the model learned (squared,
    absolute or pinball, of logarithms by rmsle).
    """
    n, columns = audit_rows.features.shape
    rows = min(n, MOST_ROWS, max(FEWEST_ROWS, cells // max(1, repeats * len(names) * max(columns, 40))))
    if not names or rows < 2:
        return NotMeasured(reason="there are too few rows or inputs to shuffle")
    picked = np.sort(generator(seed, "permuted rows").choice(n, size=rows, replace=False))
    frame, y = audit_rows.features.iloc[picked].reset_index(drop=True), audit_rows.y[picked]
    weight, cluster = (None if values is None else values[picked] for values in (audit_rows.weight, audit_rows.cluster))
    words, losses = _loss_of(problem)
    as_it_is = losses(y, model.predict(frame))
    increases = np.column_stack([_increase(model, frame, y, name, as_it_is, losses, repeats, seed) for name in names])
    replicates = bootstrap_means(np.column_stack([as_it_is, increases]), generator(seed, "permutation"), weight, cluster)
    units = independent_units(rows, cluster)
    means = np.average(increases, axis=0, weights=weight)
    order = np.argsort(-means, kind="stable")
    return PermutationImportance(
        loss=words, rows=rows, repeats=repeats, mean_loss=percentile_estimate(float(np.average(as_it_is, weights=weight)), replicates[:, 0], rows, units=units),
        features=tuple(
            PermutedInput(feature=names[j], increase=percentile_estimate(float(means[j]), replicates[:, 1 + j], rows, units=units), rank=place)
            for place, j in enumerate(order, start=1)),
        kendall_tau=_agreement(means),
    )


def _agreement(means: FloatArray) -> float | None:
    """Kendall's tau of the increases with their place by mean |SHAP|, which is the order they came in."""
    tau = float(kendalltau(means, -np.arange(len(means))).statistic) if len(means) > 1 else float("nan")
    return tau if np.isfinite(tau) else None


def _increase(
    model: PermutedModel, frame: pd.DataFrame, y: NDArray[Any], name: str, as_it_is: FloatArray, losses: Any, repeats: int, seed: int,
) -> FloatArray:
    """(rows,): each row's loss with another row's cell, over ``repeats`` shuffles, minus its own loss."""
    draw = generator(seed, "shuffled", name)
    places: IntArray = np.concatenate([draw.permutation(len(frame)) for _ in range(repeats)])
    shuffled = pd.concat([frame] * repeats, ignore_index=True)
    shuffled[name] = frame[name].iloc[places].reset_index(drop=True)
    made = losses(np.tile(y, repeats), model.predict(shuffled))
    return np.asarray(made.reshape(repeats, -1).mean(axis=0) - as_it_is)


def _loss_of(problem: PermutedProblem) -> tuple[str, Any]:
    """The loss in words, and (true values, predictions) -> loss of each row."""
    if problem.task != "regression":
        return "log loss", _log_losses
    if problem.quantile is not None:
        level = problem.quantile
        return f"pinball loss at {level:g}", lambda y, predicted: np.maximum(level * (y - predicted.values), (level - 1) * (y - predicted.values))
    if problem.metric == "rmsle":
        return "squared error of log(1 + value)", lambda y, predicted: (np.log1p(y) - np.log1p(np.maximum(predicted.values, 0))) ** 2
    if problem.metric == "mae":
        return "absolute error", lambda y, predicted: np.abs(y - predicted.values)
    return "squared error", lambda y, predicted: (y - predicted.values) ** 2


def _log_losses(y: NDArray[Any], predicted: Predicted) -> FloatArray:
    if predicted.probabilities is None:
        raise TypeError("a classifier gives probabilities")
    chance = predicted.probabilities[np.arange(len(y)), y.astype(np.int64)]
    return np.asarray(-np.log(np.clip(chance, _EPS, 1)))
