"""What may define a slice of rows: columns as they were read, and conditions on them that a person can read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.audit.outcomes import BoolArray
from automl.data.splits import Rows
from automl.printing import visible

Kind = Literal["number", "date", "category"]
SHOWN = 60
"""Characters of a name or a level in a condition."""


@dataclass(frozen=True, eq=False)
class SliceColumn:
    """One column of n rows: float64 with NaN for numbers and dates (days since 1970-01-01), objects with None for categories and groups."""

    name: str
    kind: Kind
    values: NDArray[Any] = field(repr=False)
    absent: Literal["missing", "unknown"] = "missing"

    @property
    def known(self) -> BoolArray:
        return np.asarray(self.values != None if self.kind == "category" else ~np.isnan(self.values))  # noqa: E711 - elementwise

    def take(self, rows: NDArray[Any]) -> SliceColumn:
        return replace(self, values=self.values[rows])


@dataclass(frozen=True)
class Condition:
    """``range``: above ``low`` and at most ``high``, and where ``or_missing`` says so missing cells too; ``is`` and ``is_not``: one level; ``missing``: no value."""

    column: str
    what: Literal["range", "is", "is_not", "missing", "known"]
    low: float | None = None
    high: float | None = None
    level: str = ""
    or_missing: bool = False

    def holds(self, column: SliceColumn) -> BoolArray:
        """(n,) for the rows of ``column``, which is of that name."""
        if self.what in ("missing", "known"):
            return np.asarray(column.known == (self.what == "known"))
        if self.what in ("is", "is_not"):
            return np.asarray((column.values == self.level) == (self.what == "is"), dtype=bool)
        inside = column.known.copy()
        with np.errstate(invalid="ignore"):
            inside &= np.ones(len(inside), dtype=bool) if self.low is None else column.values > self.low
            inside &= np.ones(len(inside), dtype=bool) if self.high is None else column.values <= self.high
        return inside | (~column.known if self.or_missing else np.zeros(len(inside), dtype=bool))

    def words(self, column: SliceColumn) -> str:
        """ "age at most 27", "sex is Female", "workclass is missing"."""
        name = visible(self.column, SHOWN)
        if self.what in ("missing", "known"):
            return f"{name} is {column.absent}" if self.what == "missing" else f"{name} is not {column.absent}"
        if self.what in ("is", "is_not"):
            return f"{name} is {'' if self.what == 'is' else 'not '}{visible(self.level, SHOWN) or '(empty)'}"
        above, most = ("after", "up to") if column.kind == "date" else ("above", "at most")
        parts = [f"{word} {_bound(edge, column.kind)}" for word, edge in ((above, self.low), (most, self.high)) if edge is not None]
        return f"{name} {' and '.join(parts)}" + (f" or {column.absent}" if self.or_missing else "")


def _bound(value: float, kind: Kind) -> str:
    if kind == "date":
        return str(np.datetime64(math.floor(value), "D"))
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e12 else f"{value:.6g}"


Slice = tuple[Condition, ...]


def columns_of(rows: Rows, kinds: Mapping[str, str]) -> tuple[SliceColumn, ...]:
    """The declared attributes by their groups, and the features of ``rows`` that are not free text. ``kinds``: `FeatureSchema.kinds`.

    Of an attribute that is a feature too the groups are taken: those have the names that the other tables have.
    """
    attributes = columns_of_groups(rows.groups)
    names = [name for name, kind in kinds.items() if kind != "text" and name not in rows.groups and name in rows.features.columns]
    return (*attributes, *(_feature(rows.features[name], name, kinds[name]) for name in names))


def columns_of_groups(groups: Mapping[str, NDArray[np.object_]]) -> tuple[SliceColumn, ...]:
    """Of predictions made elsewhere nothing else is known."""
    return tuple(SliceColumn(name, "category", values, "unknown") for name, values in groups.items())


def _feature(column: pd.Series[Any], name: str, kind: str) -> SliceColumn:
    if kind in ("number", "date"):
        return SliceColumn(name, "date" if kind == "date" else "number", column.to_numpy(dtype=np.float64, na_value=np.nan))
    texts = column.astype(object)
    return SliceColumn(name, "category", texts.where(texts.notna(), None).to_numpy(dtype=object))


def rows_of(conditions: Slice, columns: Sequence[SliceColumn]) -> BoolArray:
    """(n,): where all conditions hold."""
    by_name = {column.name: column for column in columns}
    inside = np.ones(len(columns[0].values), dtype=bool)
    for condition in conditions:
        inside &= condition.holds(by_name[condition.column])
    return inside


def words_of(conditions: Slice, columns: Sequence[SliceColumn]) -> tuple[str, ...]:
    """Each condition as a person reads it."""
    by_name = {column.name: column for column in columns}
    return tuple(condition.words(by_name[condition.column]) for condition in conditions)


def merged(conditions: Slice) -> Slice:
    """Conditions of a path through a tree as few as they can be: one range a column, and nothing that another one says already."""
    found: dict[tuple[str, str], Condition] = {}
    said = {(condition.column, condition.what) for condition in conditions}
    for condition in conditions:
        column, what = condition.column, condition.what
        if (what == "is_not" and {(column, "is"), (column, "missing")} & said) or (what == "range" and (column, "missing") in said) or (what == "known" and (column, "range") in said):
            continue
        if what == "range" and (column, "known") in said:
            condition = replace(condition, or_missing=False)
        key = (column, "range") if what == "range" else (column, f"{what} {condition.level}")
        earlier = found.get(key)
        found[key] = condition if earlier is None else replace(
            earlier, low=_most(earlier.low, condition.low, max), high=_most(earlier.high, condition.high, min), or_missing=earlier.or_missing and condition.or_missing)
    return tuple(found.values())


def _most(a: float | None, b: float | None, choose: Any) -> float | None:
    known = [edge for edge in (a, b) if edge is not None]
    return choose(known) if known else None


def frequent_levels(column: SliceColumn, most: int) -> tuple[str, ...]:
    """The most frequent levels of a category, ties by name."""
    counts = pd.Series(column.values[column.known], dtype=object).astype(str).value_counts()
    return tuple(sorted(map(str, counts.index), key=lambda level: (-int(counts[level]), level))[:most])
