"""Sampled interventional Shapley values, for models that are no sum over single columns: networks, and trees that read two columns taken together.

Strumbelj and Kononenko (2014): a row and a background row walk from one to the other in a random order of columns. Each row walks to at most `WALKS` background rows. What its sum then lacks to
the distance from the mean over the whole background is shared out over the columns by how uncertain each one's estimate is (as shap's sampling explainer does), so that the numbers add up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

WALKS, ROWS_AT_ONCE = 24, 16
"""Background rows that each row walks to, and rows that are walked together."""
EXPLAINER = f"sampled interventional SHAP: per row {WALKS} background rows, each by one random order of the columns"


def sampled_shapley_values(raw: Callable[[Array], Array], rows: Array, background: Array, sources: Sequence[int], seed: int) -> Array:
    """(rows, columns, outputs).

    :param raw: (n, encoded columns) to (n,) or (n, outputs). :param rows: (n, encoded columns). :param background: (m, encoded columns), m >= 1.
    :param sources: per encoded column: the column of the table, 0 and up without gaps, that it is made from.
    """
    gap = (raw(rows) - raw(background).mean(axis=0)).reshape(len(rows), -1)
    draw = np.random.default_rng(seed)
    columns = max(sources, default=-1) + 1
    phi = np.zeros((len(rows), columns, gap.shape[1]))
    for at in range(0, len(rows), ROWS_AT_ONCE):
        block = slice(at, at + ROWS_AT_ONCE)
        phi[block] = _walked(raw, rows[block], background, list(sources), columns, gap[block], draw)
    return phi


def _walked(raw: Callable[[Array], Array], rows: Array, back: Array, sources: list[int], d: int, gap: Array, draw: np.random.Generator) -> Array:
    """(rows, columns, outputs): mean steps over the walks of each row, made to sum to its ``gap`` (rows, outputs)."""
    n, m = len(rows), len(back)
    walks = min(m, WALKS)
    to = back[np.argsort(draw.random((n, m)), axis=1)[:, :walks]]
    half = np.argsort(draw.random((n, (walks + 1) // 2, d)), axis=2)
    orders = np.concatenate([half, half[:, :, ::-1]], axis=1)[:, :walks]
    rank = np.argsort(orders, axis=2)
    # after s steps a walk has the row's own cells in the first s columns of its order; of a text in all that is made of it
    taken = (rank[:, :, None, :] < np.arange(d + 1)[None, None, :, None])[..., sources]
    said = raw(np.where(taken, rows[:, None, None, :], to[:, :, None, :]).reshape(-1, rows.shape[1])).reshape(n, walks, d + 1, -1)
    steps = np.take_along_axis(np.diff(said, axis=2), rank[:, :, :, None], axis=2)
    found, doubt = steps.mean(axis=1), steps.std(axis=1) + 1e-12
    return np.asarray(found + doubt / doubt.sum(axis=1, keepdims=True) * (gap - found.sum(axis=1))[:, None, :])
