from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from automl.export.columns import entrances
from automl.export.graph import CannotExport
from automl.export.onnx_model import PROBABILITIES, VALUE, write_onnx
from automl.export.parity import ROWS, largest_difference, made_rows
from tests.automl.export import models
from tests.automl.learn import material


@pytest.fixture(scope="module")
def model() -> Any:
    return models.fitted("binary")


def _entering(model: Any) -> Any:
    return entrances(model, (PROBABILITIES, VALUE))


def test_made_rows_stand_where_the_model_turns(model: Any) -> None:
    """At thresholds and beside them, where a float in place of a double falls to the other side; missing and never seen among them."""
    rows = made_rows(model)
    assert list(rows) == list(model.features)
    assert len(rows) == ROWS
    thresholds = np.concatenate([fold.trees.threshold for member in model.members if member.family in ("lgbm", "trees") for fold in member.folds])
    on, above = rows["size"].isin(thresholds).mean(), rows["size"].isin(np.nextafter(thresholds, np.inf)).mean()
    assert min(on, above) > 0.1
    for name, levels in zip(model.codes.names, model.codes.levels, strict=True):
        assert 0.05 < rows[name].isna().mean() < 0.15
        if levels is not None:
            assert 0.05 < (~rows[name].dropna().isin(levels)).mean() < 0.15
    assert made_rows(model).equals(rows)


def test_a_level_called_never_seen_is_not_one() -> None:
    frame = material.features(60)
    frame.loc[:, "colour"] = "never seen"
    assert "never seen" in set(frame["colour"])
    from dataclasses import replace

    from automl.data.encoding import CodeEncoder

    model = replace(models.fitted("binary", ("baseline",)), codes=CodeEncoder.fit(frame))
    assert set(made_rows(model)["colour"].dropna()) == {"never seen", "never seen ω"}


def test_the_difference_is_the_largest_of_all_rows(model: Any) -> None:
    """Of a file whose model has other leaf values, on rows counted by hand."""
    other = models.fitted("binary", ("lgbm",))
    frame = models.features(100)
    wanted = np.abs(models.said(other, frame) - models.said(model, frame)).max()
    found = largest_difference(write_onnx(other), model, _entering(model), [frame.iloc[:50], frame.iloc[50:]])
    assert found == pytest.approx(wanted, abs=1e-6)
    assert found > 0.01


def test_values_are_compared_in_standard_deviations() -> None:
    model, other = models.fitted("regression", ("linear",)), models.fitted("regression", ("baseline",))
    frame = models.features(100)
    wanted = np.abs(models.said(model, frame) - models.said(other, frame)).max() / model.out_of_fold_raw.std()
    assert largest_difference(write_onnx(other), model, _entering(model), [frame]) == pytest.approx(wanted)


def test_a_file_that_cannot_be_run_is_refused_with_the_reason(model: Any) -> None:
    with pytest.raises(CannotExport, match="onnxruntime could not run the exported file"):
        largest_difference(b"\x08\x0anothing", model, _entering(model), [pd.DataFrame()])
