from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from automl.audit.explain import Attributed, attribute_rows, describe
from automl.audit.related_inputs import associations, related_inputs
from automl.evidence import Estimate, NotMeasured, RelatedInputs
from tests.automl.audit.inputs import Linear, Problem, Rows, people


def related(frame: pd.DataFrame, weights: list[float], texts: tuple[str, ...] = ()) -> tuple[RelatedInputs | NotMeasured, Attributed]:
    model, rows = Linear(np.array(weights)), Rows(frame)
    attributed = attribute_rows(model, rows, rows, Problem(), seed=0)
    assert isinstance(attributed, Attributed)
    section = describe(attributed, model, rows, Problem(), seed=0)
    return related_inputs(rows, attributed.explained, section.features, seed=0, texts=texts), attributed


def test_inputs_that_repeat_each_other_are_one_group_with_the_sum_of_their_attributions() -> None:
    frame = people(400).features
    frame["x3"] = np.exp(frame["x1"])
    found, attributed = related(frame, [0.5, 1.0, 0.1, -0.2])
    assert isinstance(found, RelatedInputs)
    [group] = found.groups
    assert set(group.features) == {"x1", "x3"}
    assert group.weakest == pytest.approx(1.0)
    phi = attributed.explained.phi
    assert isinstance(group.mean_abs_shap, Estimate)
    assert group.mean_abs_shap.value == pytest.approx(float(np.abs(phi[:, 1] + phi[:, 3]).mean()))
    assert group.mean_abs_shap.low < group.mean_abs_shap.value < group.mean_abs_shap.high
    assert group.rank == 1


def test_inputs_that_cancel_each_other_rank_low_together() -> None:
    frame = people(400).features
    frame["x1"] = frame["x0"]
    found, _ = related(frame, [3.0, -3.0, 0.5, 0.1])
    assert isinstance(found, RelatedInputs)
    assert found.groups[0].rank == 3


def test_unrelated_inputs_make_no_group() -> None:
    found, _ = related(people(400).features, [1.0, 1.0, 1.0, 1.0])
    assert isinstance(found, RelatedInputs)
    assert (found.groups, found.compared) == ((), 4)


def test_associations_are_spearmans_and_cramers() -> None:
    draw = np.random.default_rng(0)
    number = draw.normal(size=500)
    frame = pd.DataFrame({
        "number": number, "other": number + draw.normal(size=500), "level": pd.Series(np.where(number > 0, "high", "low"), dtype="str"),
        "free": pd.Series(draw.choice(["a", "b", "c"], 500), dtype="str"), "constant": 1.0, "gap": np.where(number > 1, np.nan, 1.0),
    })
    close = pd.DataFrame(associations(frame), index=frame.columns, columns=frame.columns)
    assert close.loc["number", "other"] == pytest.approx(abs(spearmanr(frame["number"], frame["other"]).statistic))
    assert close.loc["number", "level"] > 0.95
    assert close.loc["number", "free"] < 0.25
    assert (close["constant"].drop("constant") == 0).all()
    assert close.loc["level", "gap"] > 0.3, "that a cell is missing is told too"
    assert np.array_equal(close, close.T)


def test_texts_are_not_compared() -> None:
    found, _ = related(people(100, features=2).features, [1.0, 1.0], texts=("x0",))
    assert isinstance(found, NotMeasured)
