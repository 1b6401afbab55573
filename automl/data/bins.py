"""Bins of a number by its quantiles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def quantile_edges(column: NDArray[np.float64], bins: int) -> NDArray[Any]:
    """Rising edges of at most ``bins`` bins with equal shares of the known values; empty where there are none."""
    known = column[~np.isnan(column)]
    return np.unique(np.quantile(known, np.linspace(0, 1, bins + 1))) if len(known) else np.zeros(0)
