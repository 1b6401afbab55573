"""Two columns taken together: the target means of the cells of their cross table. Which columns act together is found by `automl.learn.interactions`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from automl.data.bins import quantile_edges
from automl.data.target_means import Kind, Matrix, Vector, target_means

BINS = 32
"""Of a number, by its quantiles."""
MOST_CELLS = 2_000
"""Of a cross table: each is stored with the model."""

Levels = tuple[str, ...] | None


@dataclass(frozen=True)
class Cells:
    """How a column of codes falls into cells: a number into bins between ``edges``, a category into its levels and one for those never seen; missing into one of its own, the last."""

    edges: Vector | None
    size: int

    @classmethod
    def fit(cls, column: Matrix, levels: Levels) -> Self:
        if levels is not None:
            return cls(None, len(levels) + 2)
        edges = quantile_edges(column, BINS)[1:-1]
        return cls(edges, len(edges) + 2)

    def of(self, column: Matrix) -> Vector:
        """(rows,) whole numbers below ``size``."""
        within = column if self.edges is None else np.searchsorted(self.edges, column, side="right")
        return np.where(np.isnan(column), self.size - 1, within).astype(np.int64)


@dataclass(frozen=True)
class Pair:
    columns: tuple[int, int]
    """By their place in the codes."""
    cells: tuple[Cells, Cells]
    means: Matrix
    """(cells of the first, cells of the second): smoothed target means; the overall mean where no training row was."""

    @classmethod
    def fit(cls, first: int, second: int, plain: Matrix, levels: Sequence[Levels], y: Vector, kind: Kind, seed: int) -> tuple[Self, Matrix]:
        """With the (rows,) cross-fitted means of the training rows ``plain``. For two classes or a number."""
        cells = Cells.fit(plain[:, first], levels[first]), Cells.fit(plain[:, second], levels[second])
        place = cells[0].of(plain[:, first]) * cells[1].size + cells[1].of(plain[:, second])
        known, means_place = np.unique(place, return_inverse=True)
        found, _, fitted = target_means(means_place.astype(np.float64), len(known), y, kind, seed)
        means = np.full(cells[0].size * cells[1].size, found[-1, 0])
        means[known] = found[:-1, 0]
        return cls((first, second), cells, means.reshape(cells[0].size, cells[1].size)), fitted[:, 0]

    def transform(self, plain: Matrix) -> Matrix:
        """(rows,)"""
        first, second = (cells.of(plain[:, at]) for at, cells in zip(self.columns, self.cells, strict=True))
        return np.asarray(self.means[first, second])

    def as_json(self) -> dict[str, Any]:
        return {"columns": list(self.columns), "edges": [None if cells.edges is None else cells.edges.tolist() for cells in self.cells], "means": self.means.tolist()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        means = np.array(document["means"], dtype=np.float64)
        edges = [None if each is None else np.array(each, dtype=np.float64) for each in document["edges"]]
        return cls((document["columns"][0], document["columns"][1]), (Cells(edges[0], means.shape[0]), Cells(edges[1], means.shape[1])), means)
