"""How the cells of a table enter the exported model: one input of shape (rows, 1) per feature, named as its column.

Numbers and dates (days since 1970-01-01) are doubles, NaN for missing; categories are strings, as written in the table. A text that training read as
missing is missing here too, without blanks around it; a text that no training row had is a level never seen.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from onnx import TensorProto, ValueInfoProto, helper

from automl.data.encoding import CodeEncoder
from automl.data.features import Kind
from automl.data.pairs import Cells, Pair
from automl.export.calendar import add_calendar_part, add_point_on_a_circle
from automl.export.graph import ML, CannotExport, Graph
from automl.learn.model import FittedModel

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Entrance:
    """One feature: the column it is, the input it enters by, and for a category how it is read."""

    column: str
    input: str
    kind: Kind
    levels: tuple[str, ...] | None
    """Of a category, all that the training rows had."""
    missing: tuple[str, ...]
    """Of a category, the texts that stand for a missing cell."""

    def as_json(self) -> dict[str, Any]:
        """What somebody who runs the file must know."""
        about: dict[str, Any] = {"column": self.column, "input": self.input, "kind": self.kind}
        if self.levels is not None:
            return {**about, "type": "string", "missing": list(self.missing)}
        return {**about, "type": "double", "missing": "NaN", **({"unit": "days since 1970-01-01"} if self.kind == "date" else {})}

    def declared(self) -> ValueInfoProto:
        return helper.make_tensor_value_info(self.input, TensorProto.DOUBLE if self.levels is None else TensorProto.STRING, ["rows", 1])

    def cells(self, frame: pd.DataFrame) -> NDArray[Any]:
        """(rows, 1): the column of a frame of `FeatureSchema.frame` as this input takes it."""
        column = frame[self.column]
        if self.levels is None:
            return column.to_numpy(dtype=np.float64, na_value=np.nan).reshape(-1, 1)
        return np.array(column.astype(object).where(column.notna(), self.missing[0]), dtype=object).reshape(-1, 1)


def entrances(model: FittedModel, reserved: Collection[str]) -> tuple[Entrance, ...]:
    """One per feature of the model. An input that would have a name of ``reserved`` gets "_input" behind it. Raises CannotExport where a kind is not covered."""
    kinds = model.schema.kinds
    if texts := [name for name in model.features if kinds[name] == "text"]:
        raise CannotExport(f"it reads free text, which this export does not cover, in column {texts[0]!r}")
    taken = {*reserved, *model.features}
    found = []
    for name, levels in zip(model.features, model.codes.levels, strict=True):
        own = name
        if own in reserved:
            while own in taken:
                own += "_input"
            taken.add(own)
        found.append(Entrance(name, own, kinds[name], levels, () if levels is None else _missing_texts(model, name, levels)))
    return tuple(found)


def _missing_texts(model: FittedModel, name: str, levels: tuple[str, ...]) -> tuple[str, ...]:
    """The empty text first, unless it is a level: there must be one, since a string cannot be absent."""
    known = set(levels)
    texts = tuple(text for text in dict.fromkeys(("", *(marker.strip() for marker in model.missing))) if text not in known)
    if not texts:
        raise CannotExport(f"in column {name!r} the empty text is a value and no text stands for a missing cell, so that none could be told")
    return texts


class Columns:
    """The features inside the graph, by column name."""

    def __init__(self, graph: Graph, entering: Iterable[Entrance], outputs: int) -> None:
        self.graph, self.outputs = graph, outputs
        self._entering = {each.column: each for each in entering}
        self._places: dict[str, dict[str, int]] = {}
        self._known: dict[str, str] = {}

    def number(self, name: str) -> str:
        """(rows, 1) double: a number or a date; NaN where it is missing or infinite."""
        cell = self._entering[name].input
        is_finite = self.graph.add("LessOrEqual", self.graph.add("Abs", cell), self.graph.number(float(np.finfo(np.float64).max)))
        return self.graph.add("Where", is_finite, cell, self.graph.number(math.nan))

    def part(self, name: str, part: str) -> str:
        """(rows, 1) double: a part of a date, NaN where that is missing."""
        return add_calendar_part(self.graph, self.number(name), part)

    def circle(self, name: str, part: str) -> tuple[str, str]:
        """Sine and cosine of a part of a date."""
        return add_point_on_a_circle(self.graph, self.number(name), part)

    def level(self, name: str) -> str:
        """(rows,) whole numbers: the place of a category's level, after them that of a level never seen, then of a missing cell."""
        if name not in self._known:
            each, places = self._entering[name], self.places(name)
            keys = [*places, *each.missing]
            values = np.array([*places.values(), *[len(places) + 1] * len(each.missing)], dtype=np.int64)
            cell = self.graph.add_large("LabelEncoder", each.input, ML, {"keys_strings": keys, "values_int64s": values, "default_int64": len(places)})
            self._known[name] = self.graph.add("Squeeze", cell, self.graph.constant(np.array([1], dtype=np.int64)))
        return self._known[name]

    def places(self, name: str) -> dict[str, int]:
        """Level to its place."""
        if name not in self._places:
            self._places[name] = {level: at for at, level in enumerate(self._entering[name].levels or ())}
        return self._places[name]

    def by_place(self, name: str, codes: CodeEncoder, by_code: NDArray[Any], missing: NDArray[Any]) -> NDArray[Any]:
        """(places, width) from a fold's own (codes + 1, width), the last row being that of levels the fold never saw, and (width,) for missing cells."""
        levels = codes.levels[codes.names.index(name)] or ()
        code_of = {level: code for code, level in enumerate(levels)}
        never_seen = len(by_code) - 1
        rows = [code_of.get(level, never_seen) for level in self.places(name)]
        return np.concatenate([by_code[[*rows, never_seen]], missing.reshape(1, -1).astype(by_code.dtype)])

    def look_up(self, name: str, table: NDArray[Any]) -> str:
        """(rows, width): the row of ``table`` (places, width) that belongs to a category's level."""
        return self.graph.add("Gather", self.graph.constant(table), self.level(name), axis=0)

    def together(self, codes: CodeEncoder, pair: Pair) -> str:
        """(rows, 1) double: the target means of two columns taken together."""
        first, second = (self._cell(codes, at, cells) for at, cells in zip(pair.columns, pair.cells, strict=True))
        place = self.graph.add("Add", self.graph.add("Mul", first, self.graph.whole(pair.means.shape[1])), second)
        return self.graph.add("Gather", self.graph.constant(pair.means.reshape(-1, 1)), place, axis=0)

    def _cell(self, codes: CodeEncoder, at: int, cells: Cells) -> str:
        """(rows,) whole numbers: the cell of a column in its cross tables."""
        if cells.edges is None:
            missing = cells.size - 1
            by_place = self.by_place(codes.names[at], codes, np.arange(missing).reshape(-1, 1), np.array([missing]))
            return self.graph.add("Gather", self.graph.constant(by_place[:, 0].astype(np.int64)), self.level(codes.names[at]), axis=0)
        number, across = self.number(codes.names[at]), self.graph.constant(np.array([1], dtype=np.int64))
        beyond = self.graph.cast(self.graph.add("LessOrEqual", self.graph.constant(np.append(-np.inf, cells.edges).reshape(1, -1)), number), TensorProto.INT64)
        bin_ = self.graph.add("Sub", self.graph.add("ReduceSum", beyond, across, keepdims=0), self.graph.whole(1))
        return self.graph.add("Where", self.graph.add("Squeeze", self.graph.add("IsNaN", number), across), self.graph.whole(cells.size - 1), bin_)

    def constant_rows(self, values: Array) -> str:
        """(rows, outputs): the same in every row. Raises CannotExport for a model without features, whose rows could not be counted."""
        if not self._entering:
            raise CannotExport("it reads no column at all")
        rows = self.graph.add("Shape", next(iter(self._entering.values())).input)
        return self.graph.add("Expand", self.graph.constant(values.reshape(1, -1)), rows)
