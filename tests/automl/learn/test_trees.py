"""Trees as arrays: the sums are LightGBM's, also of large trees, rows with gaps and after storing."""

from __future__ import annotations

from typing import Any

import lightgbm as lgb
import numpy as np
import pytest

from automl.learn.trees import BLOCK, WORD, Trees, parse_trees

Rows = np.ndarray[Any, Any]


def grown(leaves: int, objective: str = "regression", classes: int = 1, missing: bool = True) -> tuple[lgb.Booster, Rows]:
    draw = np.random.default_rng(leaves)
    x = draw.normal(size=(4 * BLOCK + 3, 5)).round(2)
    if missing:
        x[draw.random(x.shape) < 0.1] = np.nan
    y = np.nan_to_num(x[:, 0]) * np.nan_to_num(x[:, 1]) + np.isnan(x[:, 2]) + draw.normal(size=len(x)) / 4
    if objective == "multiclass":
        y = np.digitize(y, np.quantile(y, np.linspace(0, 1, classes + 1)[1:-1])).astype(float)
    extra = {"num_class": classes} if objective == "multiclass" else {}
    settings = {"objective": objective, "verbose": -1, "num_leaves": leaves, "min_data_in_leaf": 1, "num_threads": 1, **extra}
    return lgb.train(settings, lgb.Dataset(x, y), 20), x


@pytest.mark.parametrize("leaves", [2, 8, WORD - 1, WORD, WORD + 1, 3 * WORD - 1])
@pytest.mark.parametrize("missing", [True, False])
def test_the_sums_are_lightgbms(leaves: int, missing: bool) -> None:
    booster, x = grown(leaves, missing=missing)
    trees = parse_trees(booster.model_to_string())
    assert np.diff(trees.leaf_start).max() == leaves
    rows = x.copy()
    rows[::7, 0] = np.nan  # also where training rows had no gaps: LightGBM then reads 0
    assert (trees.raw_scores(rows, 1)[:, 0] == booster.predict(rows, raw_score=True)).all()


def test_each_class_has_its_own_trees_and_threads_change_nothing() -> None:
    booster, x = grown(31, "multiclass", 4)
    trees = parse_trees(booster.model_to_string())
    scores = trees.raw_scores(x, 4)
    assert (scores == booster.predict(x, raw_score=True)).all()
    assert (trees.raw_scores(x, 4, threads=3) == scores).all()


@pytest.mark.parametrize("rounds", [0, 1, 7, 20, 21])
def test_the_first_rounds_are_lightgbms_first_rounds(rounds: int) -> None:
    for classes in (1, 3):
        booster, x = grown(31, "multiclass" if classes > 1 else "regression", classes)
        scores = parse_trees(booster.model_to_string()).first(rounds * classes).raw_scores(x, classes)
        expected = booster.predict(x, raw_score=True, num_iteration=rounds) if rounds else np.zeros(len(x))
        assert (scores == np.reshape(expected, (len(x), -1))).all()


@pytest.mark.parametrize("rows", [0, 1, BLOCK, BLOCK + 1])
def test_any_number_of_rows(rows: int) -> None:
    booster, x = grown(8)
    scores = parse_trees(booster.model_to_string()).raw_scores(x[:rows], 1)
    assert scores.shape == (rows, 1)
    assert not rows or (scores[:, 0] == booster.predict(x[:rows], raw_score=True)).all()


def test_a_tree_that_never_splits_is_its_one_leaf() -> None:
    booster = lgb.train({"objective": "regression", "verbose": -1, "min_data_in_leaf": 400}, lgb.Dataset(np.ones((500, 1)), np.arange(500.0)), 2)
    trees = parse_trees(booster.model_to_string())
    assert trees.raw_scores(np.ones((3, 1)), 1)[:, 0] == pytest.approx(booster.predict(np.ones((3, 1)), raw_score=True))
    assert Trees.from_bytes(trees.to_bytes()).raw_scores(np.ones((3, 1)), 1) == pytest.approx(trees.raw_scores(np.ones((3, 1)), 1))


def test_what_is_stored_is_read_back_at_single_precision_and_has_the_same_bytes() -> None:
    booster, x = grown(100)
    trees = parse_trees(booster.model_to_string())
    content = trees.to_bytes()
    back = Trees.from_bytes(content)
    assert content == trees.to_bytes() == back.to_bytes()
    assert (back.value == trees.value.astype(np.float32)).all()
    for name in ("node_start", "leaf_start", "feature", "threshold", "nan_left", "left", "right"):
        assert (getattr(back, name) == getattr(trees, name)).all(), name
    assert back.raw_scores(x, 1) == pytest.approx(trees.raw_scores(x, 1), abs=1e-5)
    with pytest.raises(ValueError, match=r"pickle|npz|file"):
        Trees.from_bytes(b"trees")
