"""Linear fold models in the exported model: one product of matrices for all of them, and one table a category.

Their weighted sum is linear too: weights of what two folds encode alike add up, and the indicator columns of a category become one look-up of what its level adds.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from automl.data.encoding import LinearEncoder
from automl.export.columns import Columns
from automl.export.graph import CannotExport
from automl.learn.families.linear import LinearModel

Array = NDArray[np.float64]
Soft = tuple[str, float, float]
"""A column, its centre and its scale."""
Bin = tuple[str, float, float, float]
"""A column, what stands for a missing cell, and the ends of the bin."""


def add(parts: Sequence[tuple[float, LinearModel]], columns: Columns) -> tuple[list[str], Array]:
    """What the linear models add to the raw score, weighted: names of (rows, outputs), and (outputs,) for every row."""
    softs: dict[Soft, Array] = {}
    bins: dict[Bin, Array] = {}
    circles: dict[tuple[str, str, int], Array] = {}
    missing: dict[str, Array] = {}
    tables: dict[str, Array] = {}
    groups: dict[str, dict[Any, Array]] = {"soft": softs, "bin": bins, "circle": circles, "missing": missing}
    nothing = np.zeros(columns.outputs)
    for weight, fold in parts:
        for (kind, key), row in zip(_encoded(fold.encoder), weight * fold.weights, strict=True):
            if kind == "level":
                name, level = key
                places = columns.places(name)
                table = tables.setdefault(name, np.zeros((len(places) + 2, columns.outputs)))
                table[len(places) + 1 if level is None else places[level]] += row
            else:
                group = groups[kind]
                group[key] = group.get(key, nothing) + row
    found = [columns.look_up(name, table) for name, table in tables.items()]
    if softs or bins or circles or missing:
        numbers = _Numbers(columns)
        encoded = [
            *([numbers.soft(list(softs))] if softs else []), *([numbers.reach(list(bins))] if bins else []),
            *(columns.circle(name, part)[which] for name, part, which in circles), *(numbers.is_missing(name) for name in missing)]
        weights = np.vstack([*softs.values(), *bins.values(), *circles.values(), *missing.values()])
        found.append(columns.graph.add("MatMul", columns.graph.beside(encoded), columns.graph.constant(weights)))
    return found, np.sum([weight * fold.intercept for weight, fold in parts], axis=0)


def turning_points(fold: LinearModel) -> dict[str, Array]:
    """Column to numbers around which the model bends."""
    encoder = fold.encoder
    return {
        name: np.concatenate([centre + scale * np.array([-9.0, -1.0, 0.0, 1.0, 9.0]), edges])
        for name, levels, centre, scale, edges in zip(encoder.codes.names, encoder.codes.levels, encoder.centre, encoder.scale, encoder.edges, strict=True)
        if levels is None}


def _encoded(encoder: LinearEncoder) -> list[tuple[str, Any]]:
    """What each column of `LinearEncoder.transform` is, in its order. Raises CannotExport where it has others than these."""
    found: list[tuple[str, Any]] = []
    for at, (name, levels) in enumerate(zip(encoder.codes.names, encoder.codes.levels, strict=True)):
        if levels is not None:
            found += [("level", (name, None if code == -1 else levels[code])) for code in encoder.shown[at]]
            continue
        centre, scale = float(encoder.centre[at]), float(encoder.scale[at])
        found.append(("soft", (name, centre, scale)))
        found += [("bin", (name, centre, low, high)) for low, high in pairwise(encoder.edges[at].tolist())]
        found += [("circle", (name, part, which)) for part in encoder.parts[at] for which in (0, 1)]
        found += [("missing", name)] * len(encoder.shown[at])
    if len(found) != len(encoder.sources):
        raise CannotExport("its linear models read columns that this export does not know")
    return found


class _Numbers:
    """Number columns, encoded many at a time."""

    def __init__(self, columns: Columns) -> None:
        self._columns, self._graph = columns, columns.graph

    def soft(self, keys: Sequence[Soft]) -> str:
        """(rows, keys): `automl.data.encoding.soft_clip` of (x - centre) / scale, 0 where x is missing."""
        graph = self._graph
        cells, (centre, scale) = self._cells([name for name, *_ in keys]), np.array([key[1:] for key in keys]).T
        z = graph.add("Div", graph.add("Sub", cells, graph.constant(centre[None, :])), graph.constant(scale[None, :]))
        known = graph.add("Where", graph.add("IsNaN", z), graph.number(0.0), z)
        third = graph.add("Div", known, graph.number(3.0))
        return graph.add("Div", known, graph.add("Sqrt", graph.add("Add", graph.number(1.0), graph.add("Mul", third, third))))

    def reach(self, keys: Sequence[Bin]) -> str:
        """(rows, keys): how far into each bin x reaches, 0 to 1."""
        graph = self._graph
        cells, (stand_in, low, high) = self._cells([name for name, *_ in keys]), np.array([key[1:] for key in keys]).T[:, None, :]
        known = graph.add("Where", graph.add("IsNaN", cells), graph.constant(stand_in), cells)
        reached = graph.add("Div", graph.add("Sub", known, graph.constant(low)), graph.constant(high - low))
        return graph.add("Clip", reached, graph.number(0.0), graph.number(1.0))

    def is_missing(self, name: str) -> str:
        return self._graph.cast(self._graph.add("IsNaN", self._columns.number(name)), TensorProto.DOUBLE)

    def _cells(self, names: Sequence[str]) -> str:
        """(rows, names): the columns, some of them more than once."""
        distinct = list(dict.fromkeys(names))
        matrix = self._graph.beside(self._columns.number(name) for name in distinct)
        places = np.array([distinct.index(name) for name in names], dtype=np.int64)
        return self._graph.add("Gather", matrix, self._graph.constant(places), axis=1)
