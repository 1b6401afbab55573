from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from automl.audit.reasons.backgrounds import Scale
from automl.audit.reasons.substitution import mean_scores_with, with_values_of
from tests.automl.audit.reasons.people import Linear


def test_only_masked_cells_change_and_types_stay() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0], "c": pd.Series(["a", None], dtype="str")}).set_axis([7, 9])
    other = pd.DataFrame({"x": [5.0, np.nan], "c": pd.Series(["z", "y"], dtype="str")})
    changed = with_values_of(frame, other, np.array([[True, False], [True, True]]))
    assert changed["x"].tolist()[0] == 5.0
    assert np.isnan(changed["x"].tolist()[1])
    assert changed["c"].tolist() == ["a", "y"]
    assert (changed.dtypes == frame.dtypes).all()
    assert frame["x"].tolist() == [1.0, 2.0]


def test_the_mean_is_over_the_backgrounds_rows() -> None:
    model = Linear(np.array([2.0, 1.0]), ("x", "y"))
    frame, background = pd.DataFrame({"x": [1.0, 4.0], "y": [10.0, 20.0]}), pd.DataFrame({"x": [3.0, 5.0, 7.0], "y": [0.0, 0.0, 0.0]})
    replaced = np.array([[True, False], [False, False]])
    assert mean_scores_with(model, Scale(-1, 0.0), frame, replaced, background) == pytest.approx([-(2 * 5 + 10), -(2 * 4 + 20)])
