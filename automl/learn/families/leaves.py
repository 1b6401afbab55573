"""What a forest's leaves say, in raw scores: learned so that the mean over the trees is a good score of rows that no tree drew.

A leaf of a classification tree says the log-odds (for more classes the centred logarithms) of its smoothed class shares; how strong the smoothing is, and by
which factor and term the mean over the trees is to be read, is fitted out of bag: on rows, each by the trees that did not draw it (Breiman 2001). A leaf of a
regression tree says its mean, read by the out-of-bag least squares line; where absolute errors or a quantile count it says its median or that quantile.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.learn.calibration import fit_map, row_losses
from automl.learn.families import Array, Fold
from automl.learn.predictions import centred
from automl.spec import MEDIAN

SMOOTHING = 0.5, 2.0, 8.0
"""Rows of the class shares of all rows that are added to each leaf."""
MOST_ROWS = 4000
"""Rows, drawn by the seed, that the reading of the leaves is fitted on."""
SLOPES = 0.5, 2.0


@dataclass(frozen=True)
class Grown:
    """A fitted forest of scikit-learn's and the rows that it was grown from."""

    forest: Any
    matrix: NDArray[np.float32]
    y: Any
    weight: Any

    @cached_property
    def leaves(self) -> list[NDArray[np.int64]]:
        """Per tree its leaves, as numbers of scikit-learn's nodes."""
        return [np.flatnonzero(estimator.tree_.children_left < 0) for estimator in self.forest.estimators_]

    def leaf_of(self, tree: int, rows: Any) -> NDArray[np.int64]:
        """The leaf, counted from 0, that each of ``rows`` reaches."""
        return np.asarray(np.searchsorted(self.leaves[tree], self.forest.estimators_[tree].tree_.apply(self.matrix[rows])))


@dataclass(frozen=True)
class OutOfBag:
    """Rows that at least one tree did not draw, the leaves that they reach, and which trees those are."""

    rows: NDArray[np.int64]
    leaf: NDArray[np.int64]
    """(trees, rows)"""
    counts: NDArray[np.bool_]
    """(trees, rows): whether the tree did not draw the row."""

    def mean(self, values: list[Array]) -> Array:
        """(rows, width): each row's mean over the trees that did not draw it."""
        total = np.zeros((len(self.rows), values[0].shape[1]))
        for value, leaf, counts in zip(values, self.leaf, self.counts, strict=True):
            total += value[leaf] * counts[:, None]
        return np.asarray(total / self.counts.sum(axis=0)[:, None])


def leaf_values(grown: Grown, fold: Fold) -> list[Array]:
    """Per tree (leaves, width): added over the trees they are the raw score."""
    found = _of_numbers(grown, fold) if fold.task == "regression" else _of_classes(grown, fold)
    return [value / len(found) for value in found]


def level_of(fold: Fold) -> float | None:
    """The quantile that is to be predicted; None where it is the mean."""
    if fold.metric == "quantile_loss":
        return MEDIAN if fold.quantile is None else fold.quantile
    return MEDIAN if fold.metric == "mae" else None


def _of_numbers(grown: Grown, fold: Fold) -> list[Array]:
    if (level := level_of(fold)) is not None:
        every = np.arange(len(grown.y))
        return [_quantiles(grown.leaf_of(tree, every), grown.y, grown.weight, len(leaves), level)[:, None] for tree, leaves in enumerate(grown.leaves)]
    means = [estimator.tree_.value[leaves, 0, :] for estimator, leaves in zip(grown.forest.estimators_, grown.leaves, strict=True)]
    bag = _out_of_bag(grown, fold.seed)
    if len(bag.rows) < 2:
        return means
    slope, shift = _line(bag.mean(means)[:, 0], grown.y[bag.rows], None if grown.weight is None else grown.weight[bag.rows])
    return [slope * value + shift for value in means]


def _of_classes(grown: Grown, fold: Fold) -> list[Array]:
    counts = [_class_counts(estimator.tree_, leaves, grown.forest.classes_, fold.classes) for estimator, leaves in zip(grown.forest.estimators_, grown.leaves, strict=True)]
    rows = np.bincount(grown.y, weights=grown.weight, minlength=fold.classes) + 0.5
    shares: Array = np.asarray(rows / rows.sum(), dtype=np.float64)
    bag = _out_of_bag(grown, fold.seed)
    if not len(bag.rows):
        return [_scores(count, shares, SMOOTHING[1]) for count in counts]
    y, weight = grown.y[bag.rows], None if grown.weight is None else grown.weight[bag.rows]
    best: tuple[float, list[Array]] | None = None
    for smoothing in SMOOTHING:
        scores = [_scores(count, shares, smoothing) for count in counts]
        raw = bag.mean(scores)
        raw = raw[:, 0] if fold.task == "binary" else raw
        scaled = fit_map(raw, y, weight)
        loss = float(np.average(row_losses(scaled(raw), y), weights=weight))
        if best is None or loss < best[0]:
            best = loss, [scaled(score) for score in scores]
    assert best is not None
    return best[1]


def _class_counts(tree: Any, leaves: Any, classes: Any, wanted: int) -> Array:
    """(leaves, classes): rows drawn by the tree, 0 for classes that the training rows do not have."""
    counts = np.zeros((len(leaves), wanted))
    counts[:, classes] = tree.value[leaves, 0, :] * tree.weighted_n_node_samples[leaves, None]
    return counts


def _scores(counts: Array, shares: Array, smoothing: float) -> Array:
    """(leaves, 1) log-odds for two classes, else (leaves, classes) centred logarithms."""
    logs = np.log(counts + smoothing * shares)
    return logs[:, [1]] - logs[:, [0]] if len(shares) == 2 else centred(logs)


def _out_of_bag(grown: Grown, seed: int) -> OutOfBag:
    rows = np.arange(len(grown.y))
    if len(rows) > MOST_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False))
    counts = np.ones((len(grown.leaves), len(grown.y)), dtype=np.bool_)
    for tree, drawn in enumerate(grown.forest.estimators_samples_):
        counts[tree, drawn] = False
    rows = rows[counts[:, rows].any(axis=0)]
    return OutOfBag(rows, np.stack([grown.leaf_of(tree, rows) for tree in range(len(grown.leaves))]), counts[:, rows])


def _line(x: Array, y: Any, weight: Any) -> tuple[float, float]:
    """Slope, within `SLOPES`, and intercept of the least squares line of y on x."""
    centre_x, centre_y = np.average(x, weights=weight), np.average(y, weights=weight)
    spread = np.average(np.square(x - centre_x), weights=weight)
    slope = float(np.clip(np.average((x - centre_x) * (y - centre_y), weights=weight) / spread, *SLOPES)) if spread > 0 else 1.0
    return slope, float(centre_y - slope * centre_x)


def _quantiles(leaf: NDArray[np.int64], y: Any, weight: Any, leaves: int, level: float) -> Array:
    """(leaves,): the weighted quantile of the rows in each."""
    weights = np.ones(len(y)) if weight is None else weight
    order = np.lexsort((y, leaf))
    reached = np.cumsum(weights[order])
    total = np.bincount(leaf, weights=weights, minlength=leaves)
    before = np.concatenate([[0.0], np.cumsum(total)[:-1]])
    return np.asarray(y[order][np.minimum(np.searchsorted(reached, before + total * level), len(y) - 1)], dtype=np.float64)
