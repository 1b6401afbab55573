"""How the training rows are divided for out-of-fold predictions: every row is predicted once by a model that did not see it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from automl.spec import TaskKind

if TYPE_CHECKING:
    from automl.data.splits import Rows

Vector = NDArray[np.int64]

FOLDS = 5
CELLS_PER_SECOND = 50e3, 250e3
"""With more cells (rows x columns) per second of budget than this, three folds and then two: fewer models, each on enough rows."""


def make_folds(rows: Rows, task: TaskKind, seed: int, seconds: float) -> list[tuple[Vector, Vector]]:
    """(training, validation) positions per fold; five folds, stratified by class, whole persons where ``rows.cluster`` is set.

    Where ``rows.moment`` orders the rows, each fold is validated on one stretch of time, so that no row is predicted by its neighbours of the same moment
    (blocked cross-validation, Roberts et al. 2017), and persons of that stretch are left out of its training rows; not so where a class would then be
    missing from training rows. Fewer folds where the rarest class, the rows or the persons are fewer than that, or where ``seconds`` (infinite: no limit)
    are short.
    """
    wanted = _wanted(rows, seconds)
    y, cluster = np.asarray(rows.y), rows.cluster
    persons = 0 if cluster is None else len(np.unique(cluster))
    if task != "regression":
        wanted = min(wanted, max(2, int(np.unique(y, return_counts=True)[1].min())))
    if rows.moment is not None and rows.moment.min() < rows.moment.max():
        stretches = _stretches(rows.moment, cluster, wanted)
        if task == "regression" or all(len(np.unique(y[train])) == len(np.unique(y)) for train, _ in stretches):
            return stretches
    # one person alone cannot be divided: then the rows are
    grouped = persons >= 2
    wanted = max(2, min(wanted, persons if grouped else len(y)))
    splitter = _splitter(task, grouped, wanted, seed)
    with warnings.catch_warnings():
        # a class with fewer rows than folds: the families say what they can make of a fold without it
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        return [(np.asarray(train), np.asarray(valid)) for train, valid in splitter.split(np.zeros((len(y), 1)), y, cluster if grouped else None)]


def _stretches(moment: NDArray[np.float64], cluster: NDArray[np.int64] | None, folds: int) -> list[tuple[Vector, Vector]]:
    """As many stretches of about equal size as there can be; rows of one moment are in one."""
    edges = np.unique(np.quantile(moment, np.linspace(0, 1, min(folds, len(moment)) + 1)[1:-1], method="higher"))
    edges = edges[edges > moment.min()]
    if not len(edges):
        edges = moment[moment > moment.min()].min(keepdims=True)
    stretch = np.searchsorted(edges, moment, side="right")
    found = []
    for at in np.unique(stretch):
        valid = stretch == at
        train = ~valid if cluster is None else ~valid & ~np.isin(cluster, cluster[valid])
        # where every other row is of the same persons, the stretch alone must do
        found.append((np.flatnonzero(train if train.any() else ~valid), np.flatnonzero(valid)))
    return found


def _wanted(rows: Rows, seconds: float) -> int:
    cells = len(rows.y) * max(1, rows.features.shape[1])
    if not np.isfinite(seconds) or cells <= CELLS_PER_SECOND[0] * seconds:
        return FOLDS
    return 3 if cells <= CELLS_PER_SECOND[1] * seconds else 2


def _splitter(task: TaskKind, grouped: bool, folds: int, seed: int) -> Any:
    if task == "regression":
        return GroupKFold(folds, shuffle=True, random_state=seed) if grouped else KFold(folds, shuffle=True, random_state=seed)
    return StratifiedGroupKFold(folds, shuffle=True, random_state=seed) if grouped else StratifiedKFold(folds, shuffle=True, random_state=seed)
