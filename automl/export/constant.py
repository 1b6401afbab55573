"""The baseline in the exported model: a number for every row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from automl.export.columns import Columns
from automl.learn.families.constant import Constant

Array = NDArray[np.float64]


def add(parts: Sequence[tuple[float, Constant]], columns: Columns) -> tuple[list[str], Array]:
    """Nothing that depends on a row, and the raw score of all of them."""
    return [], np.sum([weight * fold.score for weight, fold in parts], axis=0)


def turning_points(fold: Constant) -> dict[str, Array]:
    """None: no cell changes anything."""
    return {}
