"""Which two columns act together in a way that trees do not find by themselves: a day and its month, a product and its region.

A small forest is boosted on the columns' cells; what it leaves over is summed in the cross table of every two columns, as GA2M's FAST ranks pairs (Lou et al. 2013, "Accurate intelligible
models with pairwise interactions"). Here the cells' means in one half of the rows must foretell the sums of the other half: of pairs that are noise that is nought on average, whatever
the number of cells, so that what is far beyond its standard error is not chance.
"""

from __future__ import annotations

from itertools import combinations

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from automl.data.encoding import CodeEncoder
from automl.data.pairs import MOST_CELLS, Cells
from automl.spec import TaskKind

Array = NDArray[np.float64]
MOST_ROWS = 50_000
MOST_COLUMNS = 24
"""Those that the forest uses most: their pairs are tried."""
MOST_PAIRS = 4
LEAST_Z = 4.0
"""Standard errors; of some three hundred pairs that are noise about one in a hundred tables has one beyond it."""
LEAST_SHARE = 0.004
"""Of the variance that the forest leaves over: what explains less is not worth the exactness of attributions."""
SHRINKAGE = 10.0
"""Rows added to each cell at the overall mean."""
FOREST = {"learning_rate": 0.1, "num_leaves": 4, "min_data_in_leaf": 20, "max_bin": 64, "cat_smooth": 20.0, "verbose": -1, "deterministic": True, "force_row_wise": True}
ROUNDS = 120


def interacting(codes: CodeEncoder, plain: Array, y: Array, task: TaskKind, seed: int, threads: int) -> tuple[tuple[int, int], ...]:
    """Pairs of columns, by their place in ``codes``, the strongest first; none where there are more than two classes.

    :param plain: (rows, columns), the training rows as ``codes`` encodes them.
    """
    if task == "multiclass" or plain.shape[1] < 2:
        return ()
    draw = np.random.default_rng(seed)
    if len(plain) > MOST_ROWS:
        rows = np.sort(draw.choice(len(plain), MOST_ROWS, replace=False))
        plain, y = plain[rows], y[rows]
    fitted = [Cells.fit(plain[:, at], levels) for at, levels in enumerate(codes.levels)]
    cells = np.column_stack([each.of(plain[:, at]) for at, each in enumerate(fitted)])
    left_over, used = _left_over(cells, [at for at, levels in enumerate(codes.levels) if levels is not None], np.asarray(y, dtype=np.float64), task, seed, threads)
    half = draw.random(len(y)) < 0.5
    found = []
    for first, second in combinations(sorted(used), 2):
        size = fitted[first].size * fitted[second].size
        # the directions of a text are one column of the table
        if size <= MOST_CELLS and codes.names[first] != codes.names[second]:
            z, share = _foretold(cells[:, first] * fitted[second].size + cells[:, second], size, left_over, half)
            if z >= LEAST_Z and share >= LEAST_SHARE:
                found.append((-share, first, second))
    return tuple((first, second) for _, first, second in sorted(found)[:MOST_PAIRS])


def _left_over(cells: NDArray[np.int64], categories: list[int], y: Array, task: TaskKind, seed: int, threads: int) -> tuple[Array, list[int]]:
    """(rows,) what a small forest does not explain, and the columns that it uses most."""
    settings = {**FOREST, "objective": "binary" if task == "binary" else "regression", "seed": seed, "num_threads": threads}
    matrix = cells.astype(np.float64)
    forest = lgb.train(settings, lgb.Dataset(matrix, y, params=settings, categorical_feature=categories), ROUNDS)
    gain = forest.feature_importance("gain")
    used = [int(at) for at in np.argsort(-gain, kind="stable")[:MOST_COLUMNS] if gain[at] > 0]
    left_over = y - np.asarray(forest.predict(matrix, num_threads=threads))
    for at in used:  # what one column leaves over alone is not two acting together
        left_over = left_over - _means(cells[:, at], int(cells[:, at].max()) + 1, left_over)[cells[:, at]]
    return left_over, used


def _means(place: NDArray[np.int64], size: int, values: Array) -> Array:
    """(size,) per cell, drawn to nought where there are few rows."""
    return np.asarray(np.bincount(place, values, size) / (np.bincount(place, minlength=size) + SHRINKAGE))


def _foretold(place: NDArray[np.int64], size: int, left_over: Array, half: NDArray[np.bool_]) -> tuple[float, float]:
    """How much each half's cells foretell of the other's sums: in standard errors, and as a share of the variance."""
    total = variance = 0.0
    for one, other in ((half, ~half), (~half, half)):
        mean = _means(place[one], size, left_over[one])
        total += float(mean @ np.bincount(place[other], left_over[other], size))
        variance += float(np.square(mean) @ np.bincount(place[other], minlength=size))
    spread = float(left_over.std())
    if variance <= 0 or spread <= 0:
        return 0.0, 0.0
    return total / (variance**0.5 * spread), total / (len(left_over) * spread**2)
