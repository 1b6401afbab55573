"""How many rounds the folds of a trial keep: one number for all, and what is scored is what is kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from automl.hooks import Hooks
from automl.learn.deadline import Deadline
from automl.learn.families import Effort, Fold, FoldModel, family
from automl.learn.families.tree_model import TreeModel
from automl.learn.folds import FOLDS, make_folds
from automl.learn.rounds import LearnedInRounds, agreed, lowest
from automl.learn.search import search
from automl.learn.studies import Study
from automl.spec import Budget, TaskKind, TaskSpec
from tests.automl.learn import material


def fitted(task: TaskKind, classes: int, name: str = "lgbm", weighted: bool = False) -> list[tuple[Fold, FoldModel]]:
    """Three folds of rows of which each has its own best number of rounds."""
    found = []
    for seed in range(3):
        frame = material.features(400, seed)
        y = material.target(frame, task, classes, seed)
        weight = np.random.default_rng(seed).uniform(0.5, 4, 400) if weighted else None
        parts = (None, None) if weight is None else (weight[:300], weight[300:])
        fold = Fold(task, classes, frame.iloc[:300], y[:300], parts[0], frame.iloc[300:], y[300:], parts[1], seed=0)
        found.append((fold, family(name).fit(family(name).defaults(task)[0], fold, Effort(1))))
    return found


def test_the_lowest_sum_over_the_folds_wins_and_not_any_folds_own() -> None:
    assert lowest([np.array([5.0, 3.0, 4.0, 4.0]), np.array([5.0, 6.0, 5.5, 1.0])]) == 4
    assert lowest([np.array([3.0, 1.0, 2.0]), np.array([3.0, 2.0, 1.0])]) == 2, "of equal ones the fewest"


def test_a_fold_that_ended_earlier_stays_at_its_last_loss() -> None:
    assert lowest([np.array([3.0, 2.0]), np.array([3.0, 2.9, 2.0, 2.1])]) == 3


@pytest.mark.parametrize(("task", "classes"), [("regression", 0), ("multiclass", 3)])
def test_all_folds_keep_the_number_that_is_best_over_all_or_as_many_as_they_have(task: TaskKind, classes: int) -> None:
    models = [model for _, model in fitted(task, classes)]
    assert all(isinstance(model, LearnedInRounds) for model in models)
    found = agreed(models)
    each = max(1, classes)
    losses = [model.losses for model in models if isinstance(model, LearnedInRounds)]
    assert len({_rounds(model, each) for model in models}) > 1, "there is nothing to agree on"
    assert [_rounds(model, each) for model in found] == [min(lowest(losses), len(mine)) for mine in losses]


def test_a_fold_that_has_that_many_already_is_not_made_again() -> None:
    models = [model for _, model in fitted("regression", 0)]
    again = agreed([models[0]])
    assert again == (models[0],)
    assert again[0] is models[0]


@pytest.mark.parametrize("weighted", [False, True])
def test_losses_are_of_the_validation_rows_and_their_lowest_is_where_the_fold_stood(weighted: bool) -> None:
    for fold, model in fitted("regression", 0, weighted=weighted):
        assert isinstance(model, LearnedInRounds)
        for rounds in (1, int(np.argmin(model.losses)) + 1, len(model.losses)):
            error = fold.valid_y - model.after(rounds).raw(fold.valid)
            assert np.average(error**2, weights=fold.valid_weight) * (np.sum(fold.valid_weight) if weighted else len(error)) == pytest.approx(model.losses[rounds - 1], rel=1e-5)
        assert (model.after(int(np.argmin(model.losses)) + 1).raw(fold.valid) == model.raw(fold.valid)).all()


@pytest.mark.parametrize("name", ["linear", "trees"])
def test_who_did_not_learn_in_rounds_stays(name: str) -> None:
    models = [model for _, model in fitted("regression", 0, name)]
    assert agreed(models) == tuple(models)


def test_two_classes_keep_each_folds_own() -> None:
    models = [model for _, model in fitted("binary", 2)]
    assert agreed(models) == tuple(models)


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("task", ["regression", "binary"])
def test_out_of_fold_predictions_are_of_the_rounds_that_are_kept(task: TaskKind, threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed: list[bool] = []

    def watched(models: Sequence[FoldModel]) -> tuple[FoldModel, ...]:
        found = agreed(models)
        changed.extend(after is not before for after, before in zip(found, models, strict=True))
        return found

    monkeypatch.setattr("automl.learn.search.agreed", watched)
    frame = material.features(400)
    split, problem = material.split(frame, material.target(frame, task, 2)), material.problem(task, 2, frame)
    spec = TaskSpec(target="y", budget=Budget(trials=3), families=("lgbm",), threads=threads)
    result = search(split, problem, spec, Hooks(), tmp_path, Deadline(None))
    for record in result.complete:
        models, raw = record.fold_models(), record.out_of_fold()
        for (_, valid), model in zip(make_folds(split.train, task, spec.seed, float("inf")), models, strict=True):
            assert raw[valid] == pytest.approx(model.raw(result.frame.iloc[valid]))
    assert any(changed) == (task == "regression")


@pytest.mark.slow
def test_where_the_time_is_over_each_fold_stays_with_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    monkeypatch.setattr(Study, "hopeless", lambda self, asked, losses: told.append(len(losses)))
    monkeypatch.setattr("automl.learn.search.agreed", lambda models: pytest.fail("there is no time to predict again"))

    class BeforeTheLastFold(Deadline):
        def left(self) -> float:
            return 1e-6 if len(told) == FOLDS - 1 else math.inf

    frame = material.features(400)
    split, problem = material.split(frame, material.target(frame, "regression", 0)), material.problem("regression", 0, frame)
    spec = TaskSpec(target="y", budget=Budget(trials=1), families=("lgbm",), threads=1)
    result = search(split, problem, spec, Hooks(), tmp_path, BeforeTheLastFold(None))
    (record,) = result.complete
    assert record.number == 1


def _rounds(model: FoldModel, each: int) -> int:
    assert isinstance(model, TreeModel)
    return (len(model.trees.node_start) - 1) // each
