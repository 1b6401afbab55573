"""How the output goes with one input, for the most important ones: accumulated local effects of numbers, partial dependence of categories.

Accumulated local effects (Apley and Zhu 2020, "Visualizing the effects of predictor variables in black box supervised learning models") move each row only
from one edge of its own bin to the other, so that no row is asked about that hardly occurs. A category has no next value: there every row is given every
level (Friedman 2001), which does make such rows, and says so by its name. The rows are training rows: edges and levels are not learned from the audit part.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.audit.explain import Explained, ExplainedRows
from automl.audit.outcomes import FloatArray, IntArray
from automl.audit.resampling import draw_counts, generator, independent_units, percentile_estimate, units_of
from automl.evidence import Dependence, DependencePoint, DependenceSection, NotMeasured

FEATURES = 6
ROWS = 1_000
SINGLE_ROWS = 60
BINS = 12
FEW = 3
"""Rows that a bin should have where values can be put together."""
LEVELS = 8
"""The most frequent levels of a category."""
BAND = 0.1, 0.9


class RawModel(Protocol):
    def raw(self, frame: pd.DataFrame) -> NDArray[Any]: ...


def measure_dependence(
    model: RawModel, training_rows: ExplainedRows, explained: Explained, names: Sequence[str], *, seed: int, texts: Collection[str] = (),
) -> DependenceSection | NotMeasured:
    """Curves of the first `FEATURES` of ``names`` (most important first) that vary and are no free text, in the unit of the attributions."""
    columns, n = explained.names, len(training_rows.features)
    rows = np.sort(generator(seed, "dependence rows").choice(n, size=min(ROWS, n), replace=False))
    frame = training_rows.features[columns].iloc[rows].reset_index(drop=True)
    weight, cluster = (None if values is None else values[rows] for values in (training_rows.weight, training_rows.cluster))
    room = _Room(lambda given: explained.of_output(model.raw(given)), frame, np.ones(len(rows)) if weight is None else weight, cluster, seed)
    found: list[Dependence] = []
    for name in names:
        if len(found) < FEATURES and name not in texts:
            made = room.of_number(name) if pd.api.types.is_numeric_dtype(frame[name]) else room.of_category(name)
            found += [] if made is None else [made]
    if not found:
        return NotMeasured(reason="no input varies among the training rows drawn")
    return DependenceSection(source=f"{len(rows):,} training rows drawn at random (seed {seed})", single_rows=min(SINGLE_ROWS, len(rows)), features=tuple(found))


class _Room:
    """The rows that curves are made of, and the model's output for any of them with one cell changed."""

    def __init__(self, raw: Callable[[pd.DataFrame], FloatArray], frame: pd.DataFrame, weight: FloatArray, cluster: NDArray[Any] | None, seed: int) -> None:
        self.raw, self.frame, self.weight, self.cluster, self.seed = raw, frame, weight, cluster, seed

    def with_cells(self, name: str, rows: IntArray, cells: NDArray[Any]) -> FloatArray:
        """(rows, m): the output of each row with each of its ``cells`` (rows, m) in turn."""
        many = self.frame.iloc[np.repeat(rows, cells.shape[1])].reset_index(drop=True)
        many[name] = pd.Series(cells.ravel(), index=many.index).astype(self.frame[name].dtype)
        return self.raw(many).reshape(cells.shape)

    def single(self, rows: IntArray, name: str) -> IntArray:
        return np.sort(generator(self.seed, "single rows", name).choice(rows, size=min(SINGLE_ROWS, len(rows)), replace=False))

    def of_number(self, name: str) -> Dependence | None:
        values = self.frame[name].to_numpy(dtype=np.float64)
        rows = np.flatnonzero(np.isfinite(values))
        edges = _edges(values[rows])
        if len(edges) < 2:
            return None
        bins = np.clip(np.searchsorted(edges, values[rows], side="left"), 1, len(edges) - 1) - 1
        ends = self.with_cells(name, rows, np.column_stack([edges[bins], edges[bins + 1]]))
        inside = (bins[:, None] == np.arange(len(edges) - 1)).astype(np.float64)
        # where each row lies between the edges: the curve's mean over the rows is this times the curve
        between = np.column_stack([np.interp(values[rows], edges, corner) for corner in np.eye(len(edges))])
        parts = np.hstack([inside * (ends[:, 1] - ends[:, 0])[:, None], inside, between])
        sums = (self.weight[rows, None] * parts).sum(axis=0, keepdims=True)
        effect = _accumulated(sums, sums)[0]
        replicates = _accumulated(self._totals(parts, rows, name), sums)
        some = self.single(rows, name)
        curves = self.with_cells(name, some, np.tile(edges, (len(some), 1)))
        curves = curves - (curves @ np.average(between, axis=0, weights=self.weight[rows]))[:, None]
        known = np.array([independent_units(len(of), None if self.cluster is None else self.cluster[of]) for of in (rows[bins == at] for at in range(len(edges) - 1))])
        beside = np.minimum(np.append(known, known[-1]), np.insert(known, 0, known[0]))
        return self._curve(name, "ale", [float(edge) for edge in edges], effect, replicates, curves, rows, beside)

    def of_category(self, name: str) -> Dependence | None:
        rows = np.flatnonzero(self.frame[name].notna())
        held = pd.Series(self.weight[rows]).groupby(self.frame[name].iloc[rows].to_numpy(dtype=object)).sum()
        levels = sorted(held.index, key=lambda level: (-held[level], str(level)))[:LEVELS]
        if len(levels) < 2:
            return None
        shares = np.array([held[level] for level in levels]) / sum(held[level] for level in levels)
        some = self.single(rows, name)
        curves = self.with_cells(name, some, np.tile(np.array(levels, dtype=object), (len(some), 1)))
        curves = curves - (curves @ shares)[:, None]
        weights = self.weight[some]
        sums, sizes = np.split(self._totals(np.hstack([curves, np.ones_like(curves)]), some, name), 2, axis=1)
        return self._curve(name, "partial_dependence", [str(level) for level in levels], np.average(curves, axis=0, weights=weights), sums / sizes, curves, some, known=len(rows))

    def _totals(self, values: FloatArray, rows: IntArray, name: str) -> FloatArray:
        """Bootstrap replicates (b, m) of the weighted column sums of ``values`` (rows, m), drawn by person where rows repeat one."""
        rng = generator(self.seed, "dependence", name)
        unit = units_of(len(rows), None if self.cluster is None else self.cluster[rows], rng)
        totals = np.zeros((int(unit.max()) + 1, values.shape[1]))
        np.add.at(totals, unit, values * self.weight[rows, None])
        return np.concatenate([counts @ totals for counts in draw_counts(len(totals), rng)])

    def _curve(
        self, name: str, method: Any, places: Sequence[float | str], effect: FloatArray, replicates: FloatArray, curves: FloatArray, rows: IntArray, beside: IntArray | None = None, *, known: int | None = None,
    ) -> Dependence:
        """``beside``: the independent units (persons, or rows) of the smaller of the bins that meet at each place, where bins carry the curve: few make low precision."""
        low, high = np.quantile(curves, BAND, axis=0)
        whole = independent_units(len(rows), None if self.cluster is None else self.cluster[rows])
        # the one row of a bin has no spread to resample, but all rows have: the point stands, marked
        units = [whole] * len(places) if beside is None else [min(whole, max(2, int(few))) for few in beside]
        points = tuple(
            DependencePoint(at=place, effect=percentile_estimate(float(effect[at]), replicates[:, at], len(rows), units=units[at]), rows_low=float(low[at]), rows_high=float(high[at]))
            for at, place in enumerate(places))
        return Dependence(feature=name, method=method, rows=len(rows), missing=len(self.frame) - (len(rows) if known is None else known), points=points)


def _edges(values: FloatArray) -> FloatArray:
    """Rising values that occur, between which about equally many rows lie; a value of more rows than a bin's is an edge itself.

    Only values that occur: beyond an edge between two of them no row would lie, and the rise up to the next would be nobody's.
    """
    found, counts = np.unique(values, return_counts=True)
    often = counts > len(values) / BINS
    rest = values[np.isin(values, found[~often])]
    bins = max(1, min(BINS - int(often.sum()), len(rest) // FEW))
    between = np.quantile(rest, np.linspace(0, 1, bins + 1), method="inverted_cdf") if len(rest) else rest
    return np.union1d(found[often], between)


def _accumulated(sums: FloatArray, of_all: FloatArray) -> FloatArray:
    """(b, bins + bins + edges) sums of local effects, of weights and of places between the edges -> (b, edges) effects, their mean over the rows being 0.

    Where a replicate has no row in a bin, the bin's step is that ``of_all`` rows (1, bins + bins + edges): none would make the curve flat there.
    """
    bins = sums.shape[1] // 3
    effects, sizes, places = np.split(sums, [bins, 2 * bins], axis=1)
    whole, weights = of_all[:, :bins], of_all[:, bins: 2 * bins]
    known = np.divide(whole, weights, out=np.zeros_like(whole), where=weights > 0)
    steps = np.divide(effects, sizes, out=np.repeat(known, len(effects), axis=0), where=sizes > 0)
    at_edges = np.hstack([np.zeros((len(steps), 1)), np.cumsum(steps, axis=1)])
    return np.asarray(at_edges - (at_edges * places).sum(axis=1, keepdims=True) / places.sum(axis=1, keepdims=True))
