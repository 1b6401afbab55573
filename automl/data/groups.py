"""The groups that fairness is measured for: the levels of a sensitive attribute, or named bins of a number."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from automl.data.names import check_column, closest, pointer, shown
from automl.data.tables import Positions, Table
from automl.errors import BadInput
from automl.spec import AuditPolicy

Groups = dict[str, NDArray[np.object_]]

LEVELS_KEPT = 10
"""A numeric attribute with so few distinct values (0/1, 1..5) is compared by value; above, it is binned."""


def check_attributes(table: Table, spec: AuditPolicy) -> None:
    """Raises BadInput when a sensitive attribute, its bins or its reference cannot be what the spec says."""
    for at, name in enumerate(spec.sensitive):
        check_column(name, table.names, f"/sensitive/{at}")
        facts = table.facts[name]
        if facts.distinct == 0:
            raise BadInput(f"the sensitive attribute {shown(name)} is missing in every row", pointer=f"/sensitive/{at}")
        if name not in binned_attributes(table, spec) and facts.distinct > table.limits.groups:
            raise BadInput(
                f"the sensitive attribute {shown(name)} has {facts.distinct:,} groups; at most {table.limits.groups} can be compared: merge them in the table",
                pointer=f"/sensitive/{at}",
            )
    for name, edges in spec.bins.items():
        if name not in spec.sensitive:
            raise BadInput(f"bins are given for {shown(name)}, which is no sensitive attribute{closest(name, spec.sensitive)}", pointer=pointer("bins", name))
        if not table.facts[name].numeric:
            raise BadInput(f"bins are given for {shown(name)}, which does not hold numbers", pointer=pointer("bins", name))
        if len(edges) + 1 > table.limits.groups:
            raise BadInput(f"the bins of {shown(name)} make {len(edges) + 1} groups; at most {table.limits.groups} can be compared", pointer=pointer("bins", name))
    for name in spec.reference:
        if name not in spec.sensitive:
            raise BadInput(f"a reference is given for {shown(name)}, which is no sensitive attribute{closest(name, spec.sensitive)}", pointer=pointer("reference", name))


def check_references(table: Table, spec: AuditPolicy, bins: Mapping[str, Sequence[float]]) -> None:
    """Raises BadInput when ``spec.reference`` names a group that its attribute does not have."""
    for attribute, group in spec.reference.items():
        known = bin_names(bins[attribute], whole=_is_whole(table, attribute)) if attribute in bins else sorted(table.levels(attribute))
        if group not in known:
            raise BadInput(f"{shown(attribute)} has no group {shown(group)}{closest(group, known)}; it has {', '.join(map(shown, known[:12]))}", pointer=pointer("reference", attribute))


def binned_attributes(table: Table, spec: AuditPolicy) -> tuple[str, ...]:
    """The sensitive attributes that are compared by bins: numbers with bins of the person's own or more than `LEVELS_KEPT` values."""
    return tuple(name for name in spec.sensitive if table.facts[name].numeric and (name in spec.bins or table.facts[name].distinct > LEVELS_KEPT))


def train_bins(table: Table, spec: AuditPolicy, rows: Positions | None = None) -> dict[str, tuple[float, ...]]:
    """The edges of every binned attribute: the person's, else the quartiles of ``rows`` (the training rows; never the audit part).

    Raises BadInput as `check_attributes` does.
    """
    check_attributes(table, spec)
    return {name: spec.bins[name] if name in spec.bins else default_bins(table.numbers(name, rows)) for name in binned_attributes(table, spec)}


def default_bins(values: ArrayLike) -> tuple[float, ...]:
    """Quartile edges of ``values`` (NaN left out) as rising observed values: three, or fewer where quartiles fall together.

    An edge belongs to the bin below it; the largest value is never an edge, so that no bin is empty. Fewer than two values: none.
    """
    known = np.asarray(values, dtype="float64")
    known = known[~np.isnan(known)]
    if len(np.unique(known)) < 2:
        return ()
    edges = np.unique(np.quantile(known, [0.25, 0.5, 0.75], method="inverted_cdf"))
    edges = edges[edges < known.max()]
    return tuple(float(edge) for edge in edges) or (float(known[known < known.max()].max()),)


def bin_names(edges: Sequence[float], *, whole: bool) -> list[str]:
    """The groups' names, lowest first: "<= 25", "26 to 37", ">= 38" for whole numbers, else "<= 0.5", "> 0.5 to 2", "> 2"."""
    if not edges:
        return ["all"]
    if whole and all(float(edge).is_integer() for edge in edges):
        between = [_span(int(low) + 1, int(high)) for low, high in pairwise(edges)]
        return [f"<= {int(edges[0])}", *between, f">= {int(edges[-1]) + 1}"]
    between = [f"> {_number(low)} to {_number(high)}" for low, high in pairwise(edges)]
    return [f"<= {_number(edges[0])}", *between, f"> {_number(edges[-1])}"]


def _span(low: int, high: int) -> str:
    return f"{low} to {high}" if low < high else str(low)


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def group_labels(
    table: Table, spec: AuditPolicy, bins: Mapping[str, Sequence[float]], rows: Positions | None = None, *, whole: Collection[str] | None = None,
) -> Groups:
    """For each sensitive attribute the group of each row of ``rows`` (default all), None where unknown.

    ``bins`` holds the edges of the binned attributes. ``whole`` names those of them that hold whole numbers (default: as in
    ``table``); a second table is named as the first one was.
    """
    groups: Groups = {}
    for name in spec.sensitive:
        if name in bins:
            is_whole = _is_whole(table, name) if whole is None else name in whole
            groups[name] = _binned(table.numbers(name, rows), bins[name], bin_names(bins[name], whole=is_whole))
        else:
            groups[name] = by_value(table.text(name, rows))
    return groups


def by_value(texts: pd.Series) -> NDArray[np.object_]:
    """The texts (n,), None where missing; equal ones are one object, since ten million short texts would take half a gigabyte."""
    codes, levels = pd.factorize(texts)
    return np.array([*map(str, levels), None], dtype=object)[codes]


def whole_attributes(table: Table, spec: AuditPolicy) -> frozenset[str]:
    """The sensitive attributes whose numbers are whole, for `group_labels` on a second table."""
    return frozenset(name for name in spec.sensitive if _is_whole(table, name))


def _is_whole(table: Table, name: str) -> bool:
    if not table.facts[name].numeric:
        return False
    values = table.numbers(name).dropna()
    return bool((values == values.round()).all())


def _binned(values: pd.Series, edges: Sequence[float], names: Sequence[str]) -> NDArray[np.object_]:
    known = values.notna().to_numpy()
    labels: NDArray[np.object_] = np.array([*names], dtype=object)[np.searchsorted(np.asarray(edges, dtype="float64"), values.to_numpy(), side="left").clip(max=len(names) - 1)]
    labels[~known] = None
    return labels
