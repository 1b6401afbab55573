"""Exact tree SHAP against shap's explainer (encoded columns) and against the definition (the table's columns)."""

from __future__ import annotations

from itertools import combinations
from math import factorial
from typing import Any

import lightgbm as lgb
import numpy as np
import pytest
import shap

from automl.learn.families import Effort, family
from automl.learn.tree_shap import shapley_values
from automl.learn.trees import parse_trees
from tests.automl.learn import material

pytestmark = pytest.mark.slow


def grown(objective: str = "regression", classes: int = 1, missing: bool = True) -> tuple[lgb.Booster, np.ndarray[Any, Any]]:
    draw = np.random.default_rng(3)
    x = draw.normal(size=(500, 6)).round(1)
    if missing:
        x[draw.random(x.shape) < 0.15] = np.nan
    y = np.nan_to_num(x[:, 0]) * np.nan_to_num(x[:, 1]) + np.isnan(x[:, 2])
    if objective == "multiclass":
        y = np.digitize(y, np.quantile(y, np.linspace(0, 1, classes + 1)[1:-1]))
    extra = {"num_class": classes} if objective == "multiclass" else {}
    booster = lgb.train({"objective": objective, "verbose": -1, "num_leaves": 31, "min_data_in_leaf": 3, "num_threads": 1, **extra}, lgb.Dataset(x, y), 30)
    return booster, x


@pytest.mark.parametrize("missing", [True, False])
def test_it_equals_shap_with_the_whole_background(missing: bool) -> None:
    booster, x = grown(missing=missing)
    rows, background = x[:40], x[100:260]
    if not missing:
        # nodes grown without missing values read NaN as 0
        rows = rows.copy()
        rows[:10, 0] = np.nan
    ours = shapley_values(parse_trees(booster.model_to_string()), rows, background, np.arange(6), 6, 1)[:, :, 0]
    # shap keeps 100 background rows unless told otherwise
    masker = shap.maskers.Independent(background, max_samples=len(background))
    theirs = shap.TreeExplainer(booster, masker, feature_perturbation="interventional").shap_values(np.nan_to_num(rows) if not missing else rows)
    assert np.abs(ours - theirs).max() < 1e-6
    raw = booster.predict(rows, raw_score=True)
    assert np.abs(ours.sum(axis=1) + booster.predict(background, raw_score=True).mean() - raw).max() < 1e-9


def test_each_class_has_its_own_trees() -> None:
    booster, x = grown("multiclass", 4)
    ours = shapley_values(parse_trees(booster.model_to_string()), x[:20], x[50:90], np.arange(6), 6, 4)
    gap = booster.predict(x[:20], raw_score=True) - booster.predict(x[50:90], raw_score=True).mean(axis=0)
    assert ours.shape == (20, 6, 4)
    assert np.abs(ours.sum(axis=1) - gap).max() < 1e-9


def test_a_tree_that_never_splits_attributes_nothing() -> None:
    booster = lgb.train({"objective": "regression", "verbose": -1, "min_data_in_leaf": 400}, lgb.Dataset(np.ones((500, 1)), np.arange(500.0)), 2)
    assert not shapley_values(parse_trees(booster.model_to_string()), np.ones((3, 1)), np.zeros((2, 1)), np.arange(1), 1, 1).any()


def test_categorical_splits_are_refused() -> None:
    x = np.random.default_rng(0).integers(0, 8, (300, 1)).astype(float)
    booster = lgb.train({"objective": "regression", "verbose": -1, "min_data_per_group": 1, "cat_smooth": 0}, lgb.Dataset(x, (x[:, 0] % 3), categorical_feature=[0]), 3)
    with pytest.raises(ValueError, match="numeric splits"):
        parse_trees(booster.model_to_string())


def test_the_players_are_the_tables_columns_by_the_definition() -> None:
    """Encoded columns of one category enter together: brute force over all coalitions of the table's columns."""
    fold = material.fold("binary", 2)
    model = family("lgbm").fit(family("lgbm").defaults("binary")[1], fold, Effort(1))
    row, background = fold.valid.iloc[[4]], fold.train.iloc[:6]
    names, d = list(row.columns), row.shape[1]

    def value(coalition: tuple[str, ...]) -> float:
        mixed = background.copy()
        for name in coalition:
            mixed[name] = row[name].iloc[0]
        return float(model.raw(mixed).mean())

    expected = np.zeros(d)
    for at, name in enumerate(names):
        others = [other for other in names if other != name]
        for size in range(d):
            for some in combinations(others, size):
                expected[at] += factorial(size) * factorial(d - size - 1) / factorial(d) * (value((*some, name)) - value(some))
    assert np.abs(model.attributions(row, background, seed=0)[0] - expected).max() < 1e-9
