"""Other values in place of a person's own, and what the model then says: the one step that the flip test and counterfactuals are made of."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pandas as pd

from automl.audit.outcomes import BoolArray, FloatArray, IntArray
from automl.audit.reasons.backgrounds import Scale


class Scored(Protocol):
    def raw(self, frame: pd.DataFrame) -> FloatArray: ...


def with_values_of(frame: pd.DataFrame, other: pd.DataFrame, mask: BoolArray) -> pd.DataFrame:
    """``frame`` with the cells of ``other`` (same shape and columns) where ``mask`` is True; dtypes stay."""
    rows, values = frame.reset_index(drop=True), other.reset_index(drop=True)
    return pd.DataFrame({
        name: rows[name].where(pd.Series(~mask[:, at]), values[name]) if mask[:, at].any() else rows[name] for at, name in enumerate(rows.columns)})


def mean_scores_with(model: Scored, scale: Scale, frame: pd.DataFrame, replaced: BoolArray, background: pd.DataFrame) -> FloatArray:
    """(n,) mean score of each row, over the rows of ``background``, with its ``replaced`` inputs (n, inputs) set to the background row's values."""
    n, m = len(frame), len(background)
    rows, others = np.tile(np.arange(n), m), np.repeat(np.arange(m), n)
    mixed = with_values_of(frame.iloc[rows], background.iloc[others], replaced[rows])
    return np.asarray(scale.scores(model.raw(mixed)).reshape(m, n).mean(axis=0))


def scores_with(model: Scored, scale: Scale, frame: pd.DataFrame, rows: IntArray, changes: pd.DataFrame, changed: BoolArray) -> FloatArray:
    """(k,) score of ``frame``'s row ``rows[i]`` with the cells of ``changes``' row i where ``changed`` (k, inputs)."""
    if not len(rows):
        return np.zeros(0)
    return scale.scores(model.raw(with_values_of(frame.iloc[rows], changes, changed)))
