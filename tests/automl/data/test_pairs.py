from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from automl.data.encoding import TreeEncoder
from automl.data.pairs import BINS, Cells, Pair

DRAW = np.random.default_rng(0)
FRAME = pd.DataFrame({"month": DRAW.choice(list("abcdef"), 600), "day": DRAW.integers(1, 29, 600).astype(float), "size": DRAW.normal(size=600)})
FRAME.loc[:20, "month"] = None
FRAME.loc[15:40, "size"] = np.nan
Y = (DRAW.random(600) < 0.3).astype(np.int64)
STRANGE = pd.DataFrame({"month": ["never seen", None, "a"], "day": [np.inf, 500.0, -3.0], "size": [np.nan, 0.0, 1e30]})


def test_numbers_fall_into_bins_categories_into_levels_and_missing_cells_into_one_of_their_own() -> None:
    numbers = np.array([1.0, 2, 3, 4, np.nan])
    assert Cells.fit(numbers, None).of(np.array([-9, 1, 2.5, 99, np.nan])).tolist()[-1] == Cells.fit(numbers, None).size - 1
    bins = Cells.fit(np.arange(1000.0), None)
    assert bins.size == BINS + 1
    assert np.bincount(bins.of(np.arange(1000.0))).max() <= 33
    assert Cells.fit(np.zeros(5), ("x", "y")).of(np.array([0, 1, 2, np.nan])).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("kind", ["binary", "regression"])
def test_a_cell_has_its_smoothed_mean_and_one_that_no_row_had_the_overall_one(kind: Any) -> None:
    y = Y if kind == "binary" else Y * 10.0
    encoder, matrix = TreeEncoder.fit_transform(FRAME, y, kind, 0, pairs=[(0, 1), (1, 2)])
    assert matrix.shape == (600, encoder.width)
    assert encoder.width == len(encoder.sources) + 2
    first = encoder.transform(FRAME)[:, -2]
    cells = pd.Series(y).groupby([FRAME["month"], FRAME["day"]]).transform("mean").to_numpy()
    known = ~np.isnan(cells)
    assert np.corrcoef(first[known], cells[known])[0, 1] > 0.8
    assert encoder.transform(STRANGE)[0, -2] == pytest.approx(y.mean())


def test_no_training_row_is_encoded_by_its_own_target() -> None:
    changed = Y.copy()
    changed[100] = 1 - changed[100]
    one, two = (TreeEncoder.fit_transform(FRAME, y, "regression", 0, pairs=[(0, 1)])[1][100, -1] for y in (Y, changed))
    assert one == two


def test_pairs_survive_json_and_strange_rows() -> None:
    encoder, _ = TreeEncoder.fit_transform(FRAME, Y, "binary", 0, pairs=[(0, 1), (0, 2), (1, 2)])
    again = TreeEncoder.from_json(json.loads(json.dumps(encoder.as_json())))
    assert again.key == encoder.key
    for frame in (FRAME, STRANGE):
        assert np.array_equal(again.transform(frame), encoder.transform(frame), equal_nan=True)
    assert np.isfinite(encoder.transform(STRANGE)[:, -3:]).all()
    assert isinstance(again.pairs[0], Pair)
