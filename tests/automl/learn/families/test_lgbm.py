"""What LightGBM is tried with first, and that it learns from categories however they are encoded."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from automl.data.encoding import CategoryEncoding
from automl.learn.families import Effort, Fold, TableShape, family
from automl.learn.families.tree_model import TreeModel
from tests.automl.learn import material

TASKS: list[Any] = ["binary", "multiclass", "regression"]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("large", [False, True])
def test_no_default_is_tried_twice(task: Any, large: bool) -> None:
    """Without categories, settings that differ in their encoding alone would be the same."""
    for categories in (True, False):
        found = [{**params, "categories": params["categories"] if categories else ""} for params in family("lgbm").defaults(task, TableShape(large, categories))]
        assert len({tuple(sorted(params.items())) for params in found}) == len(found)
    assert all(params["categories"] == "target" for params in family("lgbm").defaults(task, TableShape(large, categories=False)))


@pytest.mark.parametrize("task", TASKS)
def test_a_table_with_categories_has_them_encoded_otherwise_as_well(task: Any) -> None:
    for large in (False, True):
        ways = {params["categories"] for params in family("lgbm").defaults(task, TableShape(large))}
        assert len(ways) > 1


@pytest.mark.parametrize("way", get_args(CategoryEncoding))
def test_each_encoding_learns_what_a_category_says(way: CategoryEncoding) -> None:
    frame = material.features(1_000)
    frame["colour"] = frame["colour"].astype(object)
    y = (frame["colour"] == "green").to_numpy().astype(np.int64)
    fold = Fold("binary", 2, frame.iloc[:700], y[:700], None, frame.iloc[700:], y[700:], None, seed=0)
    settings = {**family("lgbm").defaults("binary")[0], "categories": way}
    model = family("lgbm").fit(settings, fold, Effort(1))
    raw = model.raw(fold.valid)
    assert raw[fold.valid_y == 1].min() > raw[fold.valid_y == 0].max()
    again = family("lgbm").load(model.files())
    assert np.array_equal(again.raw(fold.valid), raw)
    phi = model.attributions(fold.valid.iloc[:20], fold.train.iloc[:50], 0)
    assert phi.sum(axis=1) == pytest.approx(raw[:20] - model.raw(fold.train.iloc[:50]).mean())
    assert np.abs(phi).mean(axis=0).argmax() == list(frame.columns).index("colour")


def test_the_matrix_of_one_encoding_is_not_taken_for_anothers() -> None:
    fold = material.fold("binary", 2)
    widths = []
    for way in (*get_args(CategoryEncoding), *get_args(CategoryEncoding)):
        model = family("lgbm").fit({**family("lgbm").defaults("binary")[0], "categories": way}, fold, Effort(1))
        assert isinstance(model, TreeModel)
        widths.append(model.encoder.width)
    assert widths == [9, 8, 5, 9, 8, 5]
