"""Logistic, ridge and quantile regression: the baseline that a person can read, and the first useful model of every run.

With bins for its numbers it is a generalised additive model of piecewise-linear functions: still one readable curve a column.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, QuantileRegressor, Ridge

from automl.data.encoding import LinearEncoder
from automl.learn.families import USUAL, Array, CannotFit, Effort, Encoded, Files, Fold, Params, TableShape, texts_in_numbers
from automl.learn.predictions import centred
from automl.spec import MEDIAN, TaskKind

if TYPE_CHECKING:
    import optuna
    import pandas as pd

DEFAULTS: dict[str, list[Params]] = {
    # the plain one first: it is what a person can read
    "binary": [{"c": 1.0, "bins": 0}, {"c": 0.3, "bins": 16}],
    "multiclass": [{"c": 1.0, "bins": 0}, {"c": 0.3, "bins": 16}],
    "regression": [{"alpha": 1.0, "bins": 0}, {"alpha": 3.0, "bins": 16}],
}
SPACE = {"c": (1e-3, 1e2), "alpha": (1e-2, 1e4)}
BINS = (0, 8, 16)

MOST_CELLS = 20_000_000
"""A larger encoded matrix is sampled by rows: a linear model gains nothing more from it, and 160 MB per fold are enough."""
CELLS_A_SECOND = 2_000_000
"""Raw cells times outputs that are surely encoded and learned from in a second; where less time is left there are fewer rows."""
CHUNK, CHUNKS = 50, 6
"""The solver runs in chunks of iterations so that it can be asked to end between them."""
TOLERANCE = 1e-3
"""Of the gradient. A tenth of it gains 0.0002 AUC on Adult and takes three times as long."""
MOST_QUANTILE_ROWS = 4_000
"""Of a quantile regression, which is a linear programme: about a second; the time grows with the rows to the power of 1.6, and hardly with the columns (docs/measured.md)."""
ABSENT = -15.0
"""Intercept of a class that the training rows do not have: a probability of about 3e-7."""


@dataclass(frozen=True)
class LinearModel:
    encoder: LinearEncoder
    weights: Array
    """(encoded columns, outputs), outputs 1 for binary and regression."""
    intercept: Array
    explainer = "exact for a linear model: weight times distance from the background mean"

    def raw(self, frame: pd.DataFrame, threads: int = 1, encoded: Encoded | None = None) -> Array:
        raw = (encoded or Encoded(frame)).by(self.encoder) @ self.weights + self.intercept
        return raw[:, 0] if self.weights.shape[1] == 1 else centred(raw)

    def attributions(self, frame: pd.DataFrame, background: pd.DataFrame, seed: int) -> Array:
        distance = self.encoder.transform(frame) - self.encoder.transform(background).mean(axis=0)
        weights = self.weights if self.weights.shape[1] == 1 else self.weights - self.weights.mean(axis=1, keepdims=True)
        phi = np.zeros((len(frame), frame.shape[1], weights.shape[1]))
        position = {name: at for at, name in enumerate(frame.columns)}
        for at, source in enumerate(self.encoder.sources):
            phi[:, position[self.encoder.codes.names[source]], :] += distance[:, [at]] * weights[at]
        return phi[:, :, 0] if weights.shape[1] == 1 else phi

    @property
    def attribution_cost(self) -> float:
        return float(self.weights.size)

    def files(self) -> Files:
        document = {"encoder": self.encoder.as_json(), "weights": self.weights.tolist(), "intercept": self.intercept.tolist()}
        return {"linear.json": json.dumps(document, ensure_ascii=False, sort_keys=True).encode()}


class Linear:
    name = "linear"

    def device(self) -> str:
        return "CPU"

    def defaults(self, task: TaskKind, shape: TableShape = USUAL) -> list[Params]:
        return DEFAULTS[task]

    def suggest(self, trial: optuna.Trial, task: TaskKind, shape: TableShape = USUAL) -> Params:
        name = "alpha" if task == "regression" else "c"
        return {name: trial.suggest_float(name, *SPACE[name], log=True), "bins": trial.suggest_categorical("bins", BINS)}

    def fit(self, params: Params, fold: Fold, effort: Effort) -> LinearModel:
        train, _, texts = texts_in_numbers(fold)
        in_time = effort.left * CELLS_A_SECOND / (train.shape[1] * max(1, fold.classes - 1))
        most = int(min(len(train), max(1000, in_time)))
        encoder = LinearEncoder.fit(train if most == len(train) else train.iloc[_sampled(fold, most)], params["bins"], fold.dates, texts)
        of_quantile = fold.task == "regression" and fold.metric == "quantile_loss"
        rows = _sampled(fold, min(most, MOST_QUANTILE_ROWS if of_quantile else max(1000, MOST_CELLS // max(1, len(encoder.sources)))))
        matrix = encoder.transform(train.iloc[rows])
        weight = None if fold.train_weight is None else fold.train_weight[rows]
        if of_quantile:
            return LinearModel(encoder, *_quantile_regression(params["alpha"], matrix, fold.train_y[rows], weight, MEDIAN if fold.quantile is None else fold.quantile))
        if fold.task == "regression":
            ridge = Ridge(alpha=params["alpha"]).fit(matrix, fold.train_y[rows], sample_weight=weight)
            return LinearModel(encoder, np.asarray(ridge.coef_, dtype=np.float64).reshape(-1, 1), np.atleast_1d(np.asarray(ridge.intercept_, dtype=np.float64)))
        return LinearModel(encoder, *_logistic(params["c"], matrix, fold.train_y[rows], weight, fold.classes, effort))

    def load(self, files: Files) -> LinearModel:
        document = json.loads(files["linear.json"])
        encoder = LinearEncoder.from_json(document["encoder"])
        intercept = np.array(document["intercept"], dtype=np.float64)
        return LinearModel(encoder, np.array(document["weights"], dtype=np.float64).reshape(len(encoder.sources), len(intercept)), intercept)


def _sampled(fold: Fold, most: int) -> Any:
    if len(fold.train) <= most:
        return np.arange(len(fold.train))
    return np.sort(np.random.default_rng(fold.seed).choice(len(fold.train), most, replace=False))


def _quantile_regression(alpha: float, matrix: Array, y: Any, weight: Any, level: float) -> tuple[Array, Array]:
    """Weights (columns, 1) and intercept (1,) with the least pinball loss plus a penalty of absolute weights (Koenker and Bassett 1978, Belloni and Chernozhukov 2011).

    ``alpha`` is divided by the rows, as ridge's is by its nature, and the target has a spread of 1 meanwhile: one search space serves both.
    """
    scale = float(np.std(y)) or 1.0
    model = QuantileRegressor(quantile=level, alpha=alpha / len(y), solver="highs-ipm")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            model.fit(csr_matrix(matrix), y / scale, sample_weight=None if weight is None else weight / np.mean(weight))
        except TypeError as none:
            # scikit-learn warns that the programme has no solution, and then reads it
            raise CannotFit("no solution was found for the linear programme of the quantile regression") from none
    return np.asarray(model.coef_, dtype=np.float64).reshape(-1, 1) * scale, np.array([float(model.intercept_) * scale])


def _logistic(c: float, matrix: Array, y: Any, weight: Any, classes: int, effort: Effort) -> tuple[Array, Array]:
    """Weights (columns, outputs) and intercepts (outputs,); multinomial for more than two classes. Classes that ``y`` lacks get `ABSENT`."""
    present = np.unique(y)
    if len(present) < 2:
        raise CannotFit("the training rows of a fold have one class")
    model = LogisticRegression(C=c, max_iter=CHUNK, warm_start=True, tol=TOLERANCE)
    # nearly all of an encoded row is zeros: sparse products cost a tenth, and take no threads from others
    sparse = csr_matrix(matrix)
    with warnings.catch_warnings():
        # the end of a chunk is no failure to converge, and a fit ended by the budget is a more regularised one
        warnings.simplefilter("ignore", ConvergenceWarning)
        for _ in range(CHUNKS):
            model.fit(sparse, y, sample_weight=weight)
            if int(np.max(model.n_iter_)) < CHUNK or effort.must_end():
                break
    coef, intercept = np.asarray(model.coef_, dtype=np.float64), np.asarray(model.intercept_, dtype=np.float64)
    if classes == 2:
        return coef.T, intercept
    if len(present) == 2:
        # scikit-learn then fits one vector: half of it for each class is the same model
        coef, intercept = np.vstack([-coef, coef]) / 2, np.concatenate([-intercept, intercept]) / 2
    weights, intercepts = np.zeros((matrix.shape[1], classes)), np.full(classes, ABSENT)
    weights[:, present], intercepts[present] = coef.T, intercept
    return weights, intercepts


FAMILY = Linear()
