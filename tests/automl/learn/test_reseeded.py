from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from automl.evidence import NotMeasured
from automl.hooks import Hooks
from automl.learn.deadline import Deadline
from automl.learn.ensemble import fit_best
from automl.learn.reseeded import SEEDS, Reseeded, reseeded
from automl.learn.search import search
from automl.spec import Budget, TaskSpec
from tests.automl.learn import material

N = 300


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Any:
    frame = material.features(N)
    split, problem = material.split(frame, material.target(frame, "binary", 2), None), material.problem("binary", 2, frame)
    spec = TaskSpec(target="y", budget=Budget(trials=1), families=("lgbm",), threads=1)
    result = search(split, problem, spec, Hooks(), tmp_path_factory.mktemp("trials"), Deadline(None, started=time.time()))
    return result, fit_best(result, split, problem, spec), split.train, problem, spec


def test_the_models_differ_by_their_seed_alone(searched: Any) -> None:
    found, again = reseeded(*searched), reseeded(*searched)
    assert isinstance(found, Reseeded)
    assert isinstance(again, Reseeded)
    assert (len(found.models), found.family, found.trial) == (SEEDS, "lgbm", 1)
    rows = searched[2].features
    raws = [model.raw(rows) for model in found.models]
    assert not np.array_equal(raws[0], raws[1])
    assert [model.sha256 for model in found.models] == [model.sha256 for model in again.models]
    assert {model.threshold for model in found.models} == {searched[1].threshold}


def test_a_model_without_chance_has_no_variation(searched: Any) -> None:
    result, model, *rest = searched
    linear = replace(model, members=tuple(replace(member, family="linear") for member in model.members))
    assert isinstance(reseeded(result, linear, *rest), NotMeasured)
