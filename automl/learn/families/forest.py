"""Random forests and extremely randomised trees (scikit-learn), their leaves in raw scores so that they add up with every other family.

Each tree learns from rows drawn with replacement (by weight where there are weights); the rows that it did not draw say how its leaves are to be read
(`automl.learn.families.leaves`). For scikit-learn a matrix is float32, for prediction it is float64: thresholds are moved so that every row reaches the
same leaf in both. Trees are few and small: a forest without bounds would be the largest and slowest part of any ensemble.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor

from automl.data.encoding import TreeEncoder
from automl.learn.families import USUAL, Array, CannotFit, Effort, Files, Fold, Params, TableShape, texts_in_numbers
from automl.learn.families.leaves import Grown, leaf_values, level_of
from automl.learn.families.tree_model import MAX_DEPTH, TreeModel, load_trees
from automl.learn.trees import Trees
from automl.spec import TaskKind

if TYPE_CHECKING:
    import optuna

Single = NDArray[np.float32]

EXTRA: Params = {"random_splits": True, "trees": 100, "leaves": 128, "rows_in_leaf": 2, "columns": 0.5}
FOREST: Params = {"random_splits": False, "trees": 100, "leaves": 128, "rows_in_leaf": 3, "columns": 0.3}
DEFAULTS: dict[str, list[Params]] = {"binary": [EXTRA, FOREST], "multiclass": [EXTRA, FOREST], "regression": [EXTRA, FOREST]}
CHUNK = 5
"""Trees grown at a time: between them a fit can be asked to end."""
MOST_DRAWN = 50_000
"""Rows that one tree draws: growing takes as long as rows are many, and the others draw other rows."""
LEAST_OF_QUANTILE = 20
"""Rows in a leaf that says a quantile: of fewer, one far from the middle is the largest or smallest of them."""
MOST_CELLS = 20_000_000
"""A larger encoded matrix is sampled by rows: 80 MB per fold are enough."""
LARGEST = float(np.finfo(np.float32).max)


class Forest:
    name = "trees"

    def device(self) -> str:
        return "CPU"

    def defaults(self, task: TaskKind, shape: TableShape = USUAL) -> list[Params]:
        return DEFAULTS[task]

    def suggest(self, trial: optuna.Trial, task: TaskKind, shape: TableShape = USUAL) -> Params:
        return {
            "random_splits": trial.suggest_categorical("random_splits", [False, True]),
            "trees": trial.suggest_int("trees", 50, 150, log=True),
            "leaves": trial.suggest_int("leaves", 32, 256, log=True),
            "rows_in_leaf": trial.suggest_int("rows_in_leaf", 1, 20, log=True),
            "columns": trial.suggest_float("columns", 0.1, 1.0),
        }

    def fit(self, params: Params, fold: Fold, effort: Effort) -> TreeModel:
        encoder, matrix, rows = _matrix(fold)
        if not encoder.width:
            raise CannotFit("there are no features")
        y, weight = fold.train_y[rows], None if fold.train_weight is None else fold.train_weight[rows]
        if fold.task != "regression" and len(np.unique(y)) < 2:
            raise CannotFit("the training rows of a fold have one class")
        forest = _grow(params, fold, matrix, y, weight, effort)
        values = leaf_values(Grown(forest, matrix, y, weight), fold)
        return TreeModel(encoder, fold.classes if fold.task == "multiclass" else 1, as_trees(forest, values).to_bytes())

    def load(self, files: Files) -> TreeModel:
        return load_trees(files)


def _matrix(fold: Fold) -> tuple[TreeEncoder, Single, NDArray[np.int64]]:
    """The encoder, the encoded training rows at single precision, and which rows of the fold they are. Kept for the next trial."""
    if "trees" not in fold.cache:
        table, _, texts = texts_in_numbers(fold)
        encoder, matrix = TreeEncoder.fit_transform(table, fold.train_y, fold.task, fold.seed, fold.dates, texts)
        rows = np.arange(len(matrix))
        if matrix.size > MOST_CELLS:
            rows = np.sort(np.random.default_rng(fold.seed).choice(len(matrix), max(1000, MOST_CELLS // matrix.shape[1]), replace=False))
        fold.cache["trees"] = encoder, single(matrix[rows]), rows
    cached: tuple[TreeEncoder, Single, NDArray[np.int64]] = fold.cache["trees"]
    return cached


def single(matrix: Array) -> Single:
    """At single precision, in which scikit-learn's trees compare; what is larger than that can hold stands at its end."""
    return np.clip(matrix, -LARGEST, LARGEST).astype(np.float32)


def _grow(params: Params, fold: Fold, matrix: Single, y: Any, weight: Any, effort: Effort) -> Any:
    regression = fold.task == "regression"
    least = max(params["rows_in_leaf"], LEAST_OF_QUANTILE) if fold.metric == "quantile_loss" else params["rows_in_leaf"]
    kind = (ExtraTreesRegressor if regression else ExtraTreesClassifier) if params["random_splits"] else (RandomForestRegressor if regression else RandomForestClassifier)
    forest = kind(
        max_leaf_nodes=params["leaves"], min_samples_leaf=least, max_features=params["columns"], max_depth=MAX_DEPTH,
        bootstrap=True, max_samples=min(len(y), MOST_DRAWN), n_jobs=effort.threads, random_state=fold.seed, warm_start=True)
    # by ranks where a quantile is to be predicted: a few far values decide no split then
    target = rankdata(y) / len(y) if regression and level_of(fold) is not None else y
    for trees in range(0, params["trees"], CHUNK):
        forest.n_estimators = min(trees + CHUNK, params["trees"])
        forest.fit(matrix, target, sample_weight=weight)
        if effort.must_end():
            break
    return forest


def as_trees(forest: Any, values: list[Array]) -> Trees:
    """The trees of a fitted forest with ``values`` (leaves, width) for each, leaves in the order of scikit-learn's nodes."""
    parts: dict[str, list[Any]] = {name: [] for name in ("feature", "threshold", "nan_left", "left", "right")}
    for estimator in forest.estimators_:
        tree = estimator.tree_
        is_leaf = tree.children_left < 0
        # scikit-learn numbers nodes and leaves together, we apart
        number = np.where(is_leaf, ~(np.cumsum(is_leaf) - 1), np.cumsum(~is_leaf) - 1)
        inner = np.flatnonzero(~is_leaf)
        parts["feature"].append(tree.feature[inner])
        parts["threshold"].append(double_thresholds(tree.threshold[inner]))
        parts["nan_left"].append(tree.missing_go_to_left[inner].astype(np.bool_))
        parts["left"].append(number[tree.children_left[inner]])
        parts["right"].append(number[tree.children_right[inner]])
    joined = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    nodes, leaves = [len(array) for array in parts["feature"]], [len(value) for value in values]
    return Trees(
        node_start=np.concatenate([[0], np.cumsum(nodes)]).astype(np.int64), leaf_start=np.concatenate([[0], np.cumsum(leaves)]).astype(np.int64),
        feature=joined["feature"].astype(np.int64), threshold=joined["threshold"], nan_left=joined["nan_left"], left=joined["left"].astype(np.int64),
        right=joined["right"].astype(np.int64), value=np.concatenate(values))


def double_thresholds(threshold: Array) -> Array:
    """Cuts t with: for every double x, x <= t exactly where float32(x) <= threshold.

    Between the largest single at most the threshold and the next one, doubles are rounded to the nearer, and from the middle to the one whose last bit is 0.
    """
    with np.errstate(over="ignore"):
        low = threshold.astype(np.float32)
        low = np.where(low > threshold, np.nextafter(low, np.float32(-np.inf)), low)
        middle = low.astype(np.float64) / 2 + np.nextafter(low, np.float32(np.inf)).astype(np.float64) / 2
    even = (low.view(np.uint32) & 1) == 0
    return np.asarray(np.where(even, middle, np.nextafter(middle, -np.inf)))


FAMILY = Forest()
