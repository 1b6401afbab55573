"""Inputs that go together: attributions are shared out between them, so that a group of them is read as one.

Grouped by average linkage of 1 - association on training rows (Everitt et al. 2011, "Cluster Analysis"): |Spearman's rank correlation| between two numbers,
Cramer's V (Cramer 1946) where a category takes part, numbers in ten bins of equal counts then. Both run from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats.contingency import association

from automl.audit.explain import Explained, ExplainedRows, drawn
from automl.audit.outcomes import FloatArray, IntArray
from automl.audit.resampling import generator, percentile_estimate
from automl.evidence import FeatureImportance, NotMeasured, RelatedGroup, RelatedInputs

MEASURE = "|Spearman| between numbers, Cramer's V where a category takes part"
LIMIT = 0.5
MOST_ROWS = 4_000
MOST_INPUTS = 60
"""The most important ones are compared; pairs grow with the square."""
BINS = 10
MOST_LEVELS = 30


def related_inputs(
    background_rows: ExplainedRows, explained: Explained, features: Sequence[FeatureImportance], *, seed: int, texts: Collection[str] = (),
) -> RelatedInputs | NotMeasured:
    """Groups of two inputs or more with an average association of `LIMIT` or more, and what each group moves together. Free texts are not compared."""
    names = [feature.feature for feature in features if feature.feature not in texts][:MOST_INPUTS]
    if len(names) < 2:
        return NotMeasured(reason="there are no two inputs to compare")
    frame = drawn(background_rows.features[names], MOST_ROWS, generator(seed, "related inputs"))
    if len(frame) < 3:
        return NotMeasured(reason="there are too few training rows to compare inputs on")
    close = associations(frame)
    of_group = fcluster(linkage(squareform(1 - close, checks=False), method="average"), t=1 - LIMIT, criterion="distance")
    groups = [np.flatnonzero(of_group == label) for label in np.unique(of_group)]
    return RelatedInputs(
        measure=MEASURE, limit=LIMIT, rows=len(frame), compared=len(names), groups=tuple(_groups(explained, names, [group for group in groups if len(group) > 1], close, seed)))


def associations(frame: pd.DataFrame) -> FloatArray:
    """(columns, columns), 1 on the diagonal, 0 where one of the two does not vary. Missing cells are left out between numbers, and a level of their own else."""
    numbers = [name for name in frame.columns if pd.api.types.is_numeric_dtype(frame[name])]
    place = {name: at for at, name in enumerate(numbers)}
    ranked = np.nan_to_num(np.abs(frame[numbers].rank().corr().to_numpy())) if numbers else np.zeros((0, 0))
    codes = [_codes(frame[name]) for name in frame.columns]
    close = np.eye(len(codes))
    for a, first in enumerate(frame.columns):
        for b, second in enumerate(frame.columns[:a]):
            value = float(ranked[place[first], place[second]]) if first in place and second in place else _cramers_v(codes[a], codes[b])
            close[a, b] = close[b, a] = min(value, 1.0)
    return close


def _codes(column: pd.Series) -> IntArray:
    """0 for a missing cell, then bins or levels, the rare ones as one."""
    if pd.api.types.is_numeric_dtype(column):
        known = column[np.isfinite(column)]
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else np.array([])
        return np.where(np.isfinite(column), np.searchsorted(edges, column, side="left") + 1, 0).astype(np.int64)
    frequent = list(column.value_counts().index[:MOST_LEVELS])
    places = pd.Index(frequent).get_indexer(column) + 1
    return np.where(column.isna(), 0, np.where(places == 0, MOST_LEVELS + 1, places)).astype(np.int64)


def _cramers_v(a: IntArray, b: IntArray) -> float:
    table = np.zeros((int(a.max()) + 1, int(b.max()) + 1), dtype=np.int64)
    np.add.at(table, (a, b), 1)
    table = table[table.any(axis=1)][:, table.any(axis=0)]
    return float(association(table, method="cramer")) if min(table.shape) > 1 else 0.0


def _groups(explained: Explained, names: Sequence[str], groups: Sequence[IntArray], close: FloatArray, seed: int) -> list[RelatedGroup]:
    places = [[explained.names.index(names[j]) for j in sorted(group)] for group in groups]
    together = [np.abs(explained.phi[:, place].sum(axis=1)) for place in places]
    alone = [j for j in range(len(explained.names)) if not any(j in place for place in places)]
    means = [float(explained.mean(sums, explained.main)) for sums in together]
    others = [float(value) for value in explained.mean(np.abs(explained.phi), explained.main)[alone]]
    found = []
    for group, sums, mean in zip(groups, together, means, strict=True):
        replicates = explained.resampled(sums[explained.main][:, None], explained.main, generator(seed, "related", *(names[j] for j in sorted(group))))
        found.append(RelatedGroup(
            features=tuple(names[j] for j in sorted(group)), weakest=float(min(close[a, b] for a in group for b in group if a != b)),
            mean_abs_shap=percentile_estimate(mean, replicates[:, 0], len(explained.main), units=explained.units(explained.main)),
            rank=1 + sum(value > mean for value in [*means, *others])))
    return sorted(found, key=lambda each: each.rank)
