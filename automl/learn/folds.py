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
CELLS_PER_SECOND = 1e6, 1e7
"""With more cells (rows x columns) per second of budget than this, three folds and then two: fewer models, each on enough rows."""


def make_folds(rows: Rows, task: TaskKind, seed: int, seconds: float) -> list[tuple[Vector, Vector]]:
    """(training, validation) positions per fold; five folds, stratified by class, whole persons where ``rows.cluster`` is set.

    Fewer where the rarest class, the rows or the persons are fewer than that, or where ``seconds`` (infinite: no limit) are short.
    """
    wanted = _wanted(rows, seconds)
    y, cluster = np.asarray(rows.y), rows.cluster
    persons = 0 if cluster is None else len(np.unique(cluster))
    if task != "regression":
        wanted = min(wanted, max(2, int(np.unique(y, return_counts=True)[1].min())))
    # one person alone cannot be divided: then the rows are
    grouped = persons >= 2
    wanted = max(2, min(wanted, persons if grouped else len(y)))
    splitter = _splitter(task, grouped, wanted, seed)
    with warnings.catch_warnings():
        # a class with fewer rows than folds: the families say what they can make of a fold without it
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        return [(np.asarray(train), np.asarray(valid)) for train, valid in splitter.split(np.zeros((len(y), 1)), y, cluster if grouped else None)]


def _wanted(rows: Rows, seconds: float) -> int:
    cells = len(rows.y) * max(1, rows.features.shape[1])
    if not np.isfinite(seconds) or cells <= CELLS_PER_SECOND[0] * seconds:
        return FOLDS
    return 3 if cells <= CELLS_PER_SECOND[1] * seconds else 2


def _splitter(task: TaskKind, grouped: bool, folds: int, seed: int) -> Any:
    if task == "regression":
        return GroupKFold(folds, shuffle=True, random_state=seed) if grouped else KFold(folds, shuffle=True, random_state=seed)
    return StratifiedGroupKFold(folds, shuffle=True, random_state=seed) if grouped else StratifiedKFold(folds, shuffle=True, random_state=seed)
