from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from automl.audit.dependence import measure_dependence
from automl.audit.explain import Attributed, Explained, attribute_rows
from automl.audit.outcomes import FloatArray
from automl.evidence import Dependence, DependenceSection, Estimate, NotMeasured, Value
from tests.automl.audit.inputs import Linear, Problem, Rows, people


def value(estimate: Value) -> Estimate:
    assert isinstance(estimate, Estimate), estimate
    return estimate


def explained_of(rows: Rows, which: int | None = None) -> Explained:
    width = rows.features.shape[1]
    attributed = attribute_rows(Linear(np.zeros(width)), Rows(pd.DataFrame(np.zeros((3, width)), columns=rows.features.columns)), rows=10, seed=0, problem=Problem(),
                                background_rows=Rows(pd.DataFrame(np.zeros((3, width)), columns=rows.features.columns)))
    assert isinstance(attributed, Attributed)
    return replace(attributed.explained, which=which)


def curves(model: Any, rows: Rows, names: list[str], which: int | None = None, **options: Any) -> tuple[Dependence, ...]:
    section = measure_dependence(model, rows, explained_of(rows, which), names, seed=0, **options)
    assert isinstance(section, DependenceSection), section
    return section.features


@dataclass(frozen=True)
class Of:
    """Any function of the frame."""

    function: Any

    def raw(self, frame: pd.DataFrame) -> NDArray[Any]:
        return np.asarray(self.function(frame), dtype=float)


def test_a_linear_input_has_a_straight_line_through_its_mean() -> None:
    rows = people(300)
    [curve] = curves(Linear(np.array([2.0, -1.0, 0.0, 0.5])), rows, ["x0"])
    steps = np.diff([value(point.effect).value for point in curve.points]) / np.diff([point.at for point in curve.points])
    assert steps == pytest.approx(2.0)
    assert (curve.method, curve.rows, curve.missing) == ("ale", 300, 0)
    for point in curve.points:
        assert value(point.effect).low <= value(point.effect).value <= value(point.effect).high
        assert point.rows_low == pytest.approx(point.rows_high), "in a sum every row moves alike"
    middle = np.interp(0.0, [value(point.effect).value for point in curve.points], [point.at for point in curve.points])
    assert middle == pytest.approx(rows.features["x0"].mean())


def test_a_number_that_is_mostly_0_has_a_curve_beyond_it_and_0_at_0() -> None:
    x = np.where(np.arange(300) < 285, 0.0, np.arange(300) - 284.0)
    rows = Rows(pd.DataFrame({"gain": x, "other": 1.0}))
    [curve] = curves(Of(lambda frame: 3.0 * np.minimum(frame["gain"], 5)), rows, ["gain"])
    assert len(curve.points) > 6
    found = {point.at: value(point.effect).value for point in curve.points}
    mean = float((3.0 * np.minimum(x, 5)).mean())
    assert found[0.0] == pytest.approx(-mean, abs=0.15)
    assert found[15.0] == pytest.approx(15 - mean, abs=0.3)


@pytest.mark.parametrize("x", [
    np.repeat([0.0, 1.0, 2.0, 3.0], [460, 30, 7, 3]),
    np.repeat([0.0, 1.0, 50.0], [250, 245, 5]),
    np.repeat([-1.0, 0.0, 1.0, 2.0, 1000.0], [1, 250, 200, 48, 1]),
    np.concatenate([np.zeros(400), np.geomspace(1, 90_000, 100)]),
], ids=["counts", "two values", "ends", "amounts"])
def test_the_rise_between_values_far_apart_is_whole(x: FloatArray) -> None:
    """In a sum, the curve is the input's own term: no part of its rise may be lost between values where no row lies."""
    rows = Rows(pd.DataFrame({"x": np.random.default_rng(3).permutation(x), "other": np.random.default_rng(4).normal(size=len(x))}))
    [curve] = curves(Of(lambda frame: 2.0 * frame["x"] - frame["other"]), rows, ["x"])
    places = np.array([float(point.at) for point in curve.points])
    assert set(places) <= set(x)
    assert (places[0], places[-1]) == (x.min(), x.max())
    term = 2.0 * (places - x.mean())
    assert [value(point.effect).value for point in curve.points] == pytest.approx(term, abs=1e-9)
    assert [point.rows_low for point in curve.points] == pytest.approx(term, abs=1e-9)
    for point in curve.points:
        assert value(point.effect).high - value(point.effect).low < 2 * 2.5 * 2.0 * x.std() / np.sqrt(len(x)), "only the mean moves from draw to draw"


def test_accumulated_effects_do_not_ask_about_rows_that_do_not_occur() -> None:
    """x1 repeats x0: partial dependence would ask about x0 = 2 beside x1 = -2, where the model is wild; local effects stay where rows are (Apley and Zhu 2020, 2)."""
    x = np.random.default_rng(0).normal(size=400)
    rows = Rows(pd.DataFrame({"x0": x, "x1": x + 0.01}))

    def wild(frame: pd.DataFrame) -> Any:
        return frame["x0"] + 1000.0 * ((frame["x0"] - frame["x1"]).abs() > 3)

    [curve] = curves(Of(wild), rows, ["x0"])
    inner = curve.points[1:-1]
    assert np.diff([value(point.effect).value for point in inner]) == pytest.approx(np.diff([point.at for point in inner]))
    assert max(point.rows_high for point in curve.points) > 100, "single rows are moved over the whole range, and the band shows it"


def test_a_category_is_given_to_every_row() -> None:
    draw = np.random.default_rng(1)
    rows = Rows(pd.DataFrame({"kind": pd.Series(draw.choice(["a", "b", "c"], 300, p=[0.6, 0.3, 0.1]), dtype="str"), "x": draw.normal(size=300)}))
    rows.features.loc[:19, "kind"] = None
    effects = {"a": 0.0, "b": 1.0, "c": 3.0}
    [curve] = curves(Of(lambda frame: frame["kind"].map(effects).fillna(9.0) + frame["x"]), rows, ["kind"])
    found = {point.at: value(point.effect).value for point in curve.points}
    assert curve.method == "partial_dependence"
    assert list(found) == ["a", "b", "c"], "the most frequent first"
    assert found["b"] - found["a"] == pytest.approx(1.0)
    assert found["c"] - found["a"] == pytest.approx(3.0)
    shares = rows.features["kind"].value_counts(normalize=True)
    assert sum(found[level] * shares[level] for level in found) == pytest.approx(0.0, abs=1e-12)
    assert curve.missing == 20


def test_rows_that_behave_differently_make_a_wide_band() -> None:
    rows = people(300)
    [plain, crossed] = [curves(Of(function), rows, ["x0"])[0] for function in (lambda f: f["x0"], lambda f: f["x0"] * f["x1"])]
    assert max(point.rows_high - point.rows_low for point in plain.points) < 1e-9
    assert max(point.rows_high - point.rows_low for point in crossed.points) > 1


def test_missing_cells_constants_and_texts() -> None:
    rows = people(200)
    rows.features.loc[:39, "x0"] = np.nan
    rows.features["x1"] = 7.0
    found = curves(Of(lambda frame: frame["x0"].fillna(0.0)), rows, ["x1", "x0", "x2"], texts=("x2",))
    assert [(curve.feature, curve.rows, curve.missing) for curve in found] == [("x0", 160, 40)]
    nothing = measure_dependence(Of(lambda frame: frame["x1"]), rows, explained_of(rows), ["x1"], seed=0)
    assert isinstance(nothing, NotMeasured)


def test_of_several_classes_the_explained_one() -> None:
    rows = people(200)
    [curve] = curves(Of(lambda frame: np.column_stack([frame["x0"], 5 * frame["x0"], -6 * frame["x0"]])), rows, ["x0"], which=1)
    steps = np.diff([value(point.effect).value for point in curve.points]) / np.diff([point.at for point in curve.points])
    assert steps == pytest.approx(5.0)


def test_rows_of_no_weight_at_one_end_leave_the_curve_whole() -> None:
    x = np.repeat([0.0, 1.0, 2.0], 100)
    rows = Rows(pd.DataFrame({"x": x, "other": np.tile([0.0, 1.0], 150)}), weight=np.where(x > 1, 0.0, 1.0))
    [curve] = curves(Of(lambda frame: 2.0 * frame["x"] + frame["other"]), rows, ["x"])
    found = {point.at: value(point.effect).value for point in curve.points}
    assert found[1.0] - found[0.0] == pytest.approx(2.0)
    assert np.isfinite(found[2.0])


def test_weights_and_persons_count() -> None:
    rows = people(300)

    def bent(frame: pd.DataFrame) -> Any:
        return frame["x0"] * (frame["x1"] > 0)

    heavy = replace(rows, weight=np.where(rows.features["x1"] > 0, 50.0, 1.0))
    [plain], [weighted] = curves(Of(bent), rows, ["x0"]), curves(Of(bent), heavy, ["x0"])

    def rise(curve: Dependence) -> float:
        return value(curve.points[-1].effect).value - value(curve.points[0].effect).value

    assert rise(weighted) > 1.5 * rise(plain)
    person = np.repeat(np.arange(60), 5)
    repeated = replace(rows, features=rows.features.iloc[person].reset_index(drop=True))
    widths = [sum(value(point.effect).high - value(point.effect).low for point in curves(Of(bent), each, ["x0"])[0].points) for each in (repeated, replace(repeated, cluster=person))]
    assert widths[1] > 1.4 * widths[0]


def test_points_beside_a_bin_of_few_rows_are_of_low_precision() -> None:
    """92 of 100 are 0: each step between the other values is that of a handful of rows, whose resamples are narrower than the truth (evidence rule 5)."""
    draw = np.random.default_rng(0)
    x = np.where(draw.random(1_000) < 0.92, 0.0, draw.integers(1, 12, 1_000))
    rows = Rows(pd.DataFrame({"x": x, "even": draw.normal(size=1_000)}))
    sparse, even = curves(Of(lambda frame: frame["x"] * frame["even"]), rows, ["x", "even"])
    assert [value(point.effect).low_precision for point in sparse.points[1:]] == [True] * (len(sparse.points) - 1)
    assert not any(value(point.effect).low_precision for point in even.points)
