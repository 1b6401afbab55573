"""The whole set of alternatives from a small search: from training rows alone, the same again, with what could not be tried and why."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from automl.errors import Stopped
from automl.evidence import NotMeasured
from automl.hooks import Hooks
from automl.learn.deadline import Deadline
from automl.learn.ensemble import fit_best
from automl.learn.mitigation.alternatives import EQUAL_ODDS, Frozen, Prepared, decisions_of, prepare
from automl.learn.mitigation.cuts import Cuts
from automl.learn.mitigation.decisions import spread
from automl.learn.search import search
from automl.spec import Budget, TaskSpec
from tests.automl.learn import material

pytestmark = pytest.mark.slow

N = 1_200
SPEC: dict[str, Any] = {"target": "y", "budget": Budget(trials=2), "families": ("linear",), "threads": 2, "sensitive": ("sex", "age", "rare")}


def rows(weight: Any = None) -> Any:
    """A split whose audit part cannot be opened: sex leans towards the target, age a little, one attribute has no second group."""
    frame, draw = material.features(N), np.random.default_rng(0)
    y = material.target(frame, "binary", 2)
    split = material.split(frame, y, weight)
    sex = np.where(frame["size"].to_numpy() + draw.normal(size=N) > 0, "A", "B").astype(object)
    age = np.where(0.3 * frame["size"].to_numpy() + draw.normal(size=N) > 0, "old", "young").astype(object)
    sex[:30] = None
    rare = np.full(N, "many", dtype=object)
    rare[:10] = "few"
    split.train = replace(split.train, groups={"sex": sex, "age": age, "rare": rare})
    return split, material.problem("binary", 2, frame)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Any:
    split, problem = rows()
    spec = TaskSpec.model_validate(SPEC)
    result = search(split, problem, spec, Hooks(), tmp_path_factory.mktemp("trials"), Deadline(None, started=time.time()))
    return split, problem, spec, result, fit_best(result, split, problem, spec)


@pytest.fixture(scope="module")
def prepared(searched: Any) -> Prepared:
    split, problem, spec, result, model = searched
    found = prepare(result, model, split.train, problem, spec, {"front/1": model})
    assert isinstance(found, Prepared)
    return found


def by(prepared: Prepared, method: str, attribute: str = "sex") -> list[Frozen]:
    return [each for each in prepared.alternatives if (each.method, each.attribute) == (method, attribute)]


def test_the_attribute_whose_groups_are_furthest_apart_is_first_and_alone_learned_for(prepared: Prepared) -> None:
    assert [aim.attribute for aim in prepared.aims] == ["sex", "age"]
    assert {each.attribute for each in prepared.alternatives if each.method in ("threshold_optimizer", "reweighing", "exponentiated_gradient")} == {"sex"}
    said = {(each.method, each.attribute): each.reason for each in prepared.not_tried}
    assert "furthest apart" in said["reweighing", "age"]
    assert "30 people of each label" in said["own_cuts", "rare"]
    assert [each.id for each in prepared.alternatives] == [f"m{at}" for at in range(1, len(prepared.alternatives) + 1)]


def test_each_kind_is_there_and_says_whether_it_sees_the_group(prepared: Prepared) -> None:
    seen = {each.method: each.uses_attribute_at_decision for each in prepared.alternatives}
    assert seen == {"own_cuts": True, "threshold_optimizer": True, "common_cut": False, "reweighing": False, "exponentiated_gradient": False}
    cuts = by(prepared, "own_cuts")
    assert [each.drawn_by_lot for each in cuts[:3]] == [False] * 3
    assert cuts[-1].drawn_by_lot
    assert all(each.drawn_by_lot for each in by(prepared, "exponentiated_gradient"))
    assert [each.uses_attribute_in_training for each in by(prepared, "reweighing")] == [False, True, True]


def test_what_is_known_is_out_of_fold_and_moves_the_right_way(prepared: Prepared) -> None:
    sex = prepared.aims[0]
    now = prepared.deployed[0].spread
    parity, odds = by(prepared, "own_cuts")[2].known.spread, by(prepared, "own_cuts")[5].known.spread
    assert parity.selection < 0.02 < now.selection
    assert odds.odds < EQUAL_ODDS + 1e-6 < now.odds
    for each in by(prepared, "exponentiated_gradient"):
        found = each.known.spread
        assert (found.selection < now.selection) if each.criterion == "demographic_parity" else (found.odds < now.odds + 0.02)
    plain, half, full = (each.known.spread.selection for each in by(prepared, "reweighing"))
    assert full < plain
    assert half < plain + 0.02
    assert sex.reference == "A"


def test_the_fronts_are_unbeaten(prepared: Prepared) -> None:
    known = {each.id: each.known for each in prepared.alternatives}
    for front in prepared.pareto:
        among = {name: one for name, one in known.items() if front.attribute == next(each.attribute for each in prepared.alternatives if each.id == name)}
        at = [aim.attribute for aim in prepared.aims].index(front.attribute)
        points = {"deployed": prepared.deployed[at], **among}
        gaps = {name: one.spread.selection if front.criterion == "demographic_parity" else one.spread.odds for name, one in points.items()}
        for name in front.alternatives:
            beaten_by = [other for other in points if points[other].value > points[name].value and gaps[other] < gaps[name]]
            if front.without_attribute:
                beaten_by = [other for other in beaten_by if other == "deployed" or not next(each for each in prepared.alternatives if each.id == other).uses_attribute_at_decision]
            assert not beaten_by, (front.criterion, name)


def test_no_group_is_seen_by_what_says_that_it_sees_none(searched: Any, prepared: Prepared) -> None:
    split, _, _, _, model = searched
    train = split.train
    decisions = decisions_of(model, model.predict(train.features), train, prepared.favourable)
    swapped = replace(train, groups={name: np.array([None] * len(column), dtype=object) for name, column in train.groups.items()})
    without = decisions_of(model, model.predict(train.features), swapped, prepared.favourable)
    for each in prepared.alternatives:
        same = (each.given(train.features, decisions, prepared.favourable, 1) == each.given(train.features, without, prepared.favourable, 1)).all()
        assert bool(same) is not each.uses_attribute_at_decision, (each.method, each.parameters)


def test_new_rows_are_decided_like_those_that_were_learned_from(searched: Any, prepared: Prepared) -> None:
    """Other rows from the same world: the gap that is left out of fold is about the gap there."""
    _, _, _, _, model = searched
    frame, draw = material.features(6_000, seed=11), np.random.default_rng(5)
    y = material.target(frame, "binary", 2, seed=12)
    fresh = material.split(frame, y).train
    sex = np.where(frame["size"].to_numpy() + draw.normal(size=6_000) > 0, "A", "B").astype(object)
    fresh = replace(fresh, groups={"sex": sex, "age": sex, "rare": sex})
    decisions = decisions_of(model, model.predict(fresh.features), fresh, prepared.favourable)
    now = spread(decisions.selected.astype(float), decisions, prepared.aims[0]).selection
    for each in by(prepared, "own_cuts")[2:3] + by(prepared, "exponentiated_gradient")[:1]:
        left = spread(each.given(fresh.features, decisions, prepared.favourable, 1), decisions, prepared.aims[0]).selection
        assert left < now / 2, each.method


def test_the_same_again(searched: Any, prepared: Prepared) -> None:
    split, problem, spec, result, model = searched
    again = prepare(result, model, split.train, problem, spec, {})
    assert isinstance(again, Prepared)
    assert again.sha256 == prepared.sha256
    assert replace(again, alternatives=again.alternatives[1:]).sha256 != again.sha256
    assert replace(again, alternatives=(replace(again.alternatives[0], cuts=Cuts()), *again.alternatives[1:])).sha256 != again.sha256


def test_weights_leave_out_what_knows_none(searched: Any) -> None:
    split, problem, spec, result, model = searched
    weighted = replace(split.train, weight=np.random.default_rng(1).uniform(0.5, 2, N))
    found = prepare(result, model, weighted, problem, spec, {})
    assert isinstance(found, Prepared)
    methods = {each.method for each in found.alternatives}
    assert {"own_cuts", "common_cut", "reweighing"} <= methods
    assert not methods & {"threshold_optimizer", "exponentiated_gradient"}
    assert {each.method for each in found.not_tried if "no weights" in each.reason} == {"threshold_optimizer", "exponentiated_gradient"}


def test_persons_are_never_in_bothhalves_of(searched: Any) -> None:
    from automl.learn.mitigation.reductions import halves_of

    split, problem, _, _, _ = searched
    cluster = np.random.default_rng(0).integers(0, 200, N)
    one, other = halves_of(replace(split.train, cluster=cluster), problem, 0)
    assert not set(cluster[one]) & set(cluster[other])
    assert sorted([*one, *other]) == list(range(N))


def test_models_of_a_searched_front_are_alternatives_where_one_was_asked_for(searched: Any) -> None:
    split, problem, spec, result, model = searched
    asked = spec.model_copy(update={"fairness_objective": TaskSpec.model_validate({**SPEC, "fairness_objective": {"attribute": "age"}}).fairness_objective})
    found = prepare(result, model, split.train, problem, asked, {"front/1": model})
    assert isinstance(found, Prepared)
    [one] = [each for each in found.alternatives if each.method == "searched_front"]
    assert (one.attribute, one.criterion, one.parameters["folder"]) == ("age", "demographic_parity", "front/1")
    assert one.sha256 == model.sha256


@pytest.mark.parametrize(("task", "said"), [("multiclass", "this is a multiclass task"), ("regression", "this is a regression task")])
def test_other_tasks_say_why_not(searched: Any, task: str, said: str) -> None:
    split, problem, spec, result, model = searched
    found = prepare(result, model, split.train, replace(problem, task=task), spec, {})
    assert isinstance(found, NotMeasured)
    assert said in found.reason


def test_without_attributes_candidates_or_large_groups_it_says_why_not(searched: Any) -> None:
    split, problem, spec, result, model = searched
    cases = {
        "no sensitive attribute was named": (result, spec.model_copy(update={"sensitive": ()})),
        "before any candidate was ready": (replace(result, trials=result.trials[:1]), spec),
        "no two groups of 'rare' have 30 people": (result, spec.model_copy(update={"sensitive": ("rare",)})),
    }
    for said, (of, asked) in cases.items():
        found = prepare(of, model, split.train, problem, asked, {})
        assert isinstance(found, NotMeasured)
        assert said in found.reason


def test_a_wish_to_cancel_is_heard_between_two_alternatives(searched: Any) -> None:
    split, problem, spec, result, model = searched

    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        prepare(result, model, split.train, problem, spec, {}, stop)
