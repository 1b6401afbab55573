"""Target means of the levels of a category (scikit-learn's `TargetEncoder`, smoothed, cross-fitted inside the training rows so that no row sees its own target)."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import TargetEncoder

Matrix = NDArray[np.float64]
Vector = NDArray[Any]
Kind = Literal["binary", "multiclass", "regression"]

MEANS_CLASSES = 10
"""Above so many classes target means would multiply the columns; trees then get the level's frequency rank instead."""


def look_up(codes: Matrix, means: Matrix, missing: Matrix | None) -> Matrix:
    found: Matrix = means[np.where(np.isnan(codes), len(means) - 1, codes).astype(np.int64)]
    if missing is not None:
        found[np.isnan(codes)] = missing
    return found


def target_means(codes: Matrix, levels: int, y: Vector, kind: Kind, seed: int) -> tuple[Matrix, Matrix, Matrix]:
    """Smoothed target means (levels + 1, outputs), those of missing cells, and the cross-fitted ones of the training rows."""
    cells = np.where(np.isnan(codes), -1, codes).reshape(-1, 1)
    present = len(np.unique(y))
    if kind == "multiclass" and present > MEANS_CLASSES:
        return frequency_ranks(codes, levels)
    folds = _inner_folds(y, kind, seed)
    # of several classes a fold may have two only: then one mean says it all, and scikit-learn gives one
    several = "multiclass" if present > 2 else "binary"
    encoder = TargetEncoder(target_type="continuous" if kind == "regression" else several, cv=folds)
    with warnings.catch_warnings():
        # a class with fewer rows than folds is no fault here: its mean is then fitted on fewer rows
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        fitted = encoder.fit_transform(cells, y)
    everything = np.append(np.arange(levels + 1), -1).reshape(-1, 1)
    known = encoder.transform(everything.astype(np.float64))
    return known[:-1], known[-1], np.asarray(fitted, dtype=np.float64)


def frequency_ranks(codes: Matrix, levels: int) -> tuple[Matrix, Matrix, Matrix]:
    """In place of the target means, and in their shapes: each level's rank by frequency, which its code is; NaN for missing cells."""
    return np.arange(levels + 1, dtype=np.float64).reshape(-1, 1), np.array([np.nan]), codes.reshape(-1, 1)


def _inner_folds(y: Vector, kind: Kind, seed: int) -> KFold | StratifiedKFold:
    """Five folds, fewer where rows (or the largest class) are fewer than that; scikit-learn needs at least two."""
    if kind == "regression":
        return KFold(max(2, min(5, len(y))), shuffle=True, random_state=seed)
    largest = int(np.unique(y, return_counts=True)[1].max())
    return StratifiedKFold(max(2, min(5, largest)), shuffle=True, random_state=seed)
