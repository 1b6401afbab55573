from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.learn.folds import make_folds
from tests.automl.learn import material


def rows(y: Any, cluster: Any = None) -> Any:
    return material.split(material.features(len(y)), y, cluster=cluster).train


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


@pytest.mark.parametrize(("seconds", "folds"), [(float("inf"), 5), (1e-3, 5), (1e-4, 3), (1e-6, 2)])
def test_little_time_for_many_cells_means_fewer_folds(seconds: float, folds: int) -> None:
    assert len(make_folds(rows(np.arange(100) % 2), "binary", 0, seconds)) == folds
