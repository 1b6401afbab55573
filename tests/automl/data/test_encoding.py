from __future__ import annotations

import json
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest

from automl.data.encoding import INDICATOR_LEVELS, CategoryEncoding, CodeEncoder, LinearEncoder, TreeEncoder, as_categories, soft_clip

FRAME = pd.DataFrame({"n": [1.0, 2.0, np.nan, 4.0], "c": ["b", "a", "b", None]})
WAYS = get_args(CategoryEncoding)
STRANGE = pd.DataFrame({"n": [np.inf, -3.0], "c": ["never seen", None]})


def test_codes_go_by_frequency_with_one_for_the_unseen_and_nan_for_the_missing() -> None:
    encoder = CodeEncoder.fit(FRAME)
    assert encoder.levels == (None, ("b", "a"))
    assert np.array_equal(encoder.transform(FRAME), [[1, 0], [2, 1], [np.nan, 0], [4, np.nan]], equal_nan=True)
    assert np.array_equal(encoder.transform(STRANGE), [[np.nan, 2], [-3, np.nan]], equal_nan=True)
    assert encoder.unseen(STRANGE) == {"c": 1}


def test_a_column_that_is_absent_is_missing() -> None:
    assert np.isnan(CodeEncoder.fit(FRAME).transform(FRAME[["c"]])[:, 0]).all()


def made(frame: pd.DataFrame, y: Any, kind: Any) -> list[Any]:
    return [CodeEncoder.fit(frame), LinearEncoder.fit(frame), LinearEncoder.fit(frame, 4), *(TreeEncoder.fit_transform(frame, y, kind, 0, categories=way)[0] for way in WAYS)]


@pytest.mark.parametrize(("kind", "classes"), [("binary", 2), ("multiclass", 3), ("multiclass", 12), ("regression", 9)])
def test_encoders_survive_json_and_hostile_levels(kind: Any, classes: int) -> None:
    draw = np.random.default_rng(0)
    levels = ['"},{"', "\u202e", "=1+1", "nan", "-1", "\u0131", " ", "x" * 2000]
    frame = pd.DataFrame({"n": draw.normal(size=120), "c": draw.choice(levels, 120)})
    y = draw.integers(0, classes, 120) + (0.5 if kind == "regression" else 0)
    for encoder in made(frame, y, kind):
        again = type(encoder).from_json(json.loads(json.dumps(encoder.as_json())))
        assert np.array_equal(again.transform(frame), encoder.transform(frame), equal_nan=True)
        assert len(encoder.sources) == encoder.transform(frame).shape[1]
        assert set(encoder.sources) == {0, 1}


@pytest.mark.parametrize("encoder_at", range(6))
def test_texts_and_categories_are_the_same(encoder_at: int) -> None:
    frame = pd.concat([FRAME] * 20, ignore_index=True)
    y = np.arange(80) % 2
    plain, categories = made(frame, y, "binary")[encoder_at], made(as_categories(frame), y, "binary")[encoder_at]
    assert plain.as_json() == categories.as_json()
    assert np.array_equal(plain.transform(STRANGE), categories.transform(as_categories(STRANGE)), equal_nan=True)


def test_a_key_tells_encoders_apart_and_knows_the_same_one_again() -> None:
    frame = pd.DataFrame({"n": np.arange(80.0), "c": list("abcd") * 20})
    y = np.arange(80) % 2
    encoders = made(frame, y, "binary")
    assert len({encoder.key for encoder in encoders}) == len(encoders)
    for encoder in encoders:
        assert type(encoder).from_json(json.loads(json.dumps(encoder.as_json()))).key == encoder.key
    assert {encoder.codes.key for encoder in encoders[1:]} == {encoders[0].key}
    # other rows, other levels
    assert not {encoder.key for encoder in encoders} & {encoder.key for encoder in made(frame.assign(c=list("abce") * 20), y, "binary")}


def test_levels_that_a_part_of_the_rows_lacks_are_not_levels_of_that_part() -> None:
    """Categories remember levels of rows that were cut away; an encoder must not."""
    part = as_categories(pd.DataFrame({"c": ["a", "b", "c"]})).iloc[:2]
    assert CodeEncoder.fit(part).levels == (("a", "b"),)


def test_no_training_row_is_encoded_by_its_own_target() -> None:
    """A column of unique levels tells nothing: in-sample means would be the targets themselves."""
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"c": [f"id{at}" for at in range(400)]})
    y = draw.integers(0, 2, 400)
    encoder, fitted = TreeEncoder.fit_transform(frame, y, "binary", 0)
    assert abs(np.corrcoef(fitted[:, -1], y)[0, 1]) < 0.3
    assert encoder.transform(frame).shape == fitted.shape


def test_target_means_are_scikit_learns_and_the_unseen_gets_the_overall_mean() -> None:
    draw = np.random.default_rng(0)
    codes = draw.integers(0, 3, 300)
    y = (draw.random(300) < np.array([0.2, 0.5, 0.9])[codes]).astype(np.int64)
    frame = pd.DataFrame({"c": np.array(list("abc"))[codes]})
    encoder, _ = TreeEncoder.fit_transform(frame, y, "binary", 0)
    means = {level: encoder.transform(pd.DataFrame({"c": [level]}))[0, -1] for level in ("a", "b", "c", "zz")}
    for at, level in enumerate("abc"):
        assert means[level] == pytest.approx(y[codes == at].mean(), abs=0.03)
    assert means["zz"] == pytest.approx(y.mean())


@pytest.mark.parametrize(("way", "widths"), [("target", (1, 4 + 1, 30 + 1)), ("one_hot", (1, 4, 30 + 1)), ("ordinal", (1, 1, 1))])
def test_categories_are_encoded_in_one_of_three_ways(way: Any, widths: tuple[int, ...]) -> None:
    """Of two, four and 45 levels, the first of each the most frequent. Only target means read the target."""
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"two": draw.choice(["a", "b"], 500, p=[0.7, 0.3]), "four": draw.choice(list("wxyz"), 500, p=[0.4, 0.3, 0.2, 0.1]), "many": [f"level {min(at % 50, 44)}" for at in range(500)]})
    y, others = draw.integers(0, 2, 500), draw.integers(0, 2, 500)
    encoder, matrix = TreeEncoder.fit_transform(frame, y, "binary", 0, categories=way)
    assert np.bincount(encoder.sources).tolist() == list(widths)
    assert np.array_equal(matrix, encoder.transform(frame)) == (way != "target")
    assert np.array_equal(matrix, TreeEncoder.fit_transform(frame, others, "binary", 0, categories=way)[1]) == (way != "target")
    if way != "target":
        strange = encoder.transform(pd.DataFrame({"two": ["a", None], "four": ["never seen", None], "many": ["level 44", None]}))
        assert strange[0].tolist() == ([1, 4, 0] if way == "ordinal" else [1, 0, 0, 0, 0, 1, *[0] * 29, 0])
        assert np.isnan(strange[1]).all()


def test_linear_numbers_are_bounded_and_missing_ones_stand_at_the_median_with_an_indicator() -> None:
    encoder = LinearEncoder.fit(FRAME[["n"]])
    matrix = encoder.transform(pd.DataFrame({"n": [2.0, np.nan, 1e12, -1e12]}))
    assert np.allclose(matrix, [[0, 0], [0, 1], [3, 0], [-3, 0]])
    assert np.all(np.diff(soft_clip(np.linspace(-50, 50, 100))) > 0)


def test_bins_say_how_far_into_each_a_number_reaches() -> None:
    frame = pd.DataFrame({"n": [0.0, 1.0, 2.0, 3.0, 10.0], "two": [0.0, 1.0, 0.0, 1.0, 0.0]})
    encoder = LinearEncoder.fit(frame, 4)
    assert encoder.sources.tolist() == [0, 0, 0, 0, 0, 1]
    reach = encoder.transform(pd.DataFrame({"n": [-5.0, 0.25, 6.5, 99.0, np.nan], "two": 1.0}))[:, 1:5]
    assert reach.tolist() == [[0, 0, 0, 0], [0.25, 0, 0, 0], [1, 1, 1, 0.5], [1, 1, 1, 1], [1, 1, 0, 0]]


def test_a_constant_and_an_empty_column_give_finite_numbers() -> None:
    frame = pd.DataFrame({"same": [5.0] * 30, "none": [np.nan] * 30, "word": ["x"] * 30, "void": pd.Series([None] * 30, dtype=object)})
    assert np.isfinite(LinearEncoder.fit(frame).transform(frame)).all()
    assert np.isfinite(LinearEncoder.fit(frame, 4).transform(frame)).all()
    for encoder in made(frame, np.arange(30) % 2, "binary"):
        assert encoder.transform(frame).shape[0] == 30


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_ten_thousand_levels_make_few_columns(kind: Any) -> None:
    """Frequent levels have an indicator column, all others a mean; what is stored grows with the levels, what is computed does not."""
    draw = np.random.default_rng(0)
    many = pd.DataFrame({"c": [f"level{at}" for at in np.minimum(draw.zipf(1.3, 30_000), 10_000_000) % 20_000]})
    y = draw.integers(0, 10, 30_000) if kind != "binary" else draw.integers(0, 2, 30_000)
    codes, linear, _, trees, *_ = made(as_categories(many), y, kind)
    assert len(codes.levels[0]) > 3_000
    assert (codes.transform(many).shape[1], linear.transform(many).shape[1]) == (1, INDICATOR_LEVELS)
    assert trees.transform(many).shape[1] == INDICATOR_LEVELS + (10 if kind == "multiclass" else 1)
    assert len(json.dumps(trees.as_json())) < 250 * len(codes.levels[0])
