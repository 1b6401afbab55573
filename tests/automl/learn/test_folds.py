from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from automl.learn.folds import make_folds
from tests.automl.learn import material


def rows(y: Any, cluster: Any = None, moment: Any = None) -> Any:
    return replace(material.split(material.features(len(y)), y, cluster=cluster).train, moment=moment)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_each_row_is_in_one_validation_part(task: Any) -> None:
    parts = make_folds(rows(np.arange(100) % 2), task, seed=0, seconds=float("inf"))
    assert len(parts) == 5
    assert sorted(np.concatenate([valid for _, valid in parts])) == list(range(100))
    assert all(not set(train) & set(valid) for train, valid in parts)


def test_classes_keep_their_shares() -> None:
    y = (np.arange(100) < 20).astype(np.int64)
    assert [int(y[valid].sum()) for _, valid in make_folds(rows(y), "binary", 0, float("inf"))] == [4] * 5


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_person_is_never_in_both_parts(task: Any) -> None:
    persons = np.arange(100) // 4
    for train, valid in make_folds(rows(np.arange(100) % 2, persons), task, 0, float("inf")):
        assert not set(persons[train]) & set(persons[valid])


@pytest.mark.parametrize(("y", "cluster", "folds"), [
    ([0] * 30 + [1] * 3, None, 3), ([0] * 30 + [1], None, 2), ([0, 1] * 20, [0] * 20 + [1] * 20, 2), ([0, 1] * 20, [7] * 40, 5),
])
def test_few_of_something_means_fewer_folds(y: list[int], cluster: Any, folds: int) -> None:
    parts = make_folds(rows(np.array(y), None if cluster is None else np.array(cluster)), "binary", 0, float("inf"))
    assert len(parts) == folds


@pytest.mark.parametrize(("seconds", "folds"), [(float("inf"), 5), (0.1, 5), (5e-3, 3), (1e-4, 2)])
def test_little_time_for_many_cells_means_fewer_folds(seconds: float, folds: int) -> None:
    assert len(make_folds(rows(np.arange(100) % 2), "binary", 0, seconds)) == folds


def test_where_time_orders_the_rows_each_fold_is_validated_on_one_stretch() -> None:
    moment = np.random.default_rng(0).permutation(100).astype(float) // 3
    parts = make_folds(rows(np.arange(100) % 2, moment=moment), "binary", 0, float("inf"))
    assert len(parts) == 5
    assert sorted(np.concatenate([valid for _, valid in parts])) == list(range(100))
    spans = [(moment[valid].min(), moment[valid].max()) for _, valid in parts]
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    assert all(len(train) + len(valid) == 100 for train, valid in parts)


def test_persons_of_a_stretch_are_not_trained_on() -> None:
    persons = np.arange(100) % 30
    for train, valid in make_folds(rows(np.arange(100.0), persons, np.arange(100.0)), "regression", 0, float("inf")):
        assert not set(persons[train]) & set(persons[valid])
        assert len(train)


def test_stretches_that_would_take_a_class_away_are_not_made() -> None:
    y = (np.arange(100) >= 90).astype(np.int64)
    parts = make_folds(rows(y, moment=np.arange(100.0)), "binary", 0, float("inf"))
    assert [int(y[valid].sum()) for _, valid in parts] == [2] * 5


@pytest.mark.parametrize("moment", [[0.0] * 99 + [1.0], [0.0] + [1.0] * 99])
def test_two_moments_are_two_stretches(moment: list[float]) -> None:
    parts = make_folds(rows(np.arange(100.0), moment=np.array(moment)), "regression", 0, float("inf"))
    assert sorted(len(valid) for _, valid in parts) == [1, 99]
