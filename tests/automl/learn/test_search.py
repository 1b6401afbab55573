"""The search: budgets kept, trials resumed and not repeated, wishes heard, the same inputs the same numbers."""

from __future__ import annotations

import json
import shutil
import time
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from automl.data.splits import Split
from automl.errors import Stopped
from automl.hooks import Hooks, Progress
from automl.learn.deadline import Deadline
from automl.learn.ensemble import fit_best
from automl.learn.families import TableShape, family
from automl.learn.front import front_of
from automl.learn.search import SearchResult, _Open, _Search, search
from automl.learn.trials import TrialRecord
from automl.spec import Budget, TaskKind, TaskSpec
from tests.automl.learn import material

pytestmark = pytest.mark.slow

LIGHT = ("linear", "lgbm")


class Watching(Hooks):
    """Notes what it is told; wishes ``wish`` once ``after`` trials are finished."""

    def __init__(self, wish: Literal["finish", "cancel"] | None = None, after: int = 0) -> None:
        self.wish, self.after = wish, after
        self.told: list[Progress] = []
        self.finished: list[tuple[int, Path]] = []
        self.scores: list[tuple[str, float | None]] = []

    def progress(self, progress: Progress) -> None:
        self.told.append(progress)

    def trial_finished(self, number: int, path: Path, *, family: str = "", score: float | None = None) -> None:
        assert path.is_file(), "a trial is told only when its file is whole"
        self.finished.append((number, path))
        self.scores.append((family, score))

    def stop_requested(self) -> Literal["finish", "cancel"] | None:
        return self.wish if len(self.finished) > self.after else None


def case(task: TaskKind = "binary", classes: int = 2, n: int = 240, **spec: Any) -> tuple[Split, Any, TaskSpec]:
    frame = material.features(n)
    settings = {"target": "y", "budget": Budget(trials=4), "families": LIGHT, "threads": 1, **spec}
    return material.split(frame, material.target(frame, task, classes)), material.problem(task, classes, frame), TaskSpec(**settings)


def run(folder: Path, hooks: Hooks | None = None, deadline: Deadline | None = None, made: Any = None, **spec: Any) -> tuple[SearchResult, Any]:
    split, problem, settings = made or case(**spec)
    result = search(split, problem, settings, hooks or Hooks(), folder, deadline or Deadline(settings.budget.seconds, started=time.time()))
    return result, fit_best(result, split, problem, settings)


def told(result: SearchResult) -> list[Any]:
    """What must not differ between two searches that are the same: everything but times."""
    return [(record.number, record.family, record.params, record.score, record.state, record.fold_losses) for record in result.trials]


@pytest.mark.parametrize(("task", "classes"), [("binary", 2), ("multiclass", 3), ("regression", 0)])
def test_a_budget_in_trials_is_kept_and_the_baseline_is_on_top(tmp_path: Path, task: TaskKind, classes: int) -> None:
    hooks = Watching()
    result, model = run(tmp_path, hooks, made=case(task, classes))
    assert result.stopped_because == "trials"
    assert [record.number for record in result.trials] == [0, 1, 2, 3, 4]
    assert result.baseline.state == "baseline"
    assert [number for number, _ in hooks.finished] == [0, 1, 2, 3, 4]
    assert hooks.scores == [(record.family, record.score) for record in result.trials]
    assert {record.family for record in result.complete} == set(LIGHT)
    assert all(result.loss(record) < result.loss(result.baseline) for record in result.complete)
    assert (hooks.told[-1].done, hooks.told[-1].total, hooks.told[-1].trials) == (4, 4, 4)
    assert hooks.told[-1].best == result.complete[0].score
    assert len(model.out_of_fold) == 240


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_same_seed_threads_and_trials_give_the_same_bytes(tmp_path: Path, threads: int) -> None:
    """Also where folds are fitted side by side, and now one is quicker and now the other: past the random trials, and past the first pruned one."""
    made = {"threads": threads, "budget": Budget(trials=20), "families": ("lgbm",), "n": 80}
    (first, one), (second, two) = run(tmp_path / "a", **made), run(tmp_path / "b", **made)
    assert "pruned" in {record.state for record in first.trials}, "this case is worth little without a pruned trial"
    assert told(first) == told(second)
    assert one.out_of_fold_raw.tobytes() == two.out_of_fold_raw.tobytes()
    assert one.sha256 == two.sha256


def test_another_seed_gives_another_model(tmp_path: Path) -> None:
    made = {"threads": 1, "budget": Budget(trials=2), "families": ("lgbm",), "n": 80}
    assert run(tmp_path / "a", **made)[1].sha256 != run(tmp_path / "b", seed=1, **made)[1].sha256


def test_torch_too_gives_the_same_bytes(tmp_path: Path) -> None:
    hashes = {run(tmp_path / name, families=("torch",), n=60, budget=Budget(trials=1), threads=2)[1].sha256 for name in "ab"}
    assert len(hashes) == 1


@pytest.fixture(scope="module", params=[1, 2])
def undisturbed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], SearchResult, str]:
    """Folder, what was asked for, the search, and the model's sha256; past the defaults and the random trials, where the sampler looks at what it has seen."""
    folder = tmp_path_factory.mktemp("undisturbed")
    asked: dict[str, Any] = {"budget": Budget(trials=20), "n": 80, "families": ("lgbm",), "threads": request.param}
    whole, model = run(folder, **asked)
    assert "pruned" in {record.state for record in whole.trials}, "this case is worth little without a pruned trial"
    return folder, asked, whole, model.sha256


@pytest.mark.parametrize("kept", [0, 1, 3, 12])
def test_a_search_that_was_killed_goes_on_as_it_would_have(undisturbed: tuple[Path, dict[str, Any], SearchResult, str], tmp_path: Path, kept: int) -> None:
    folder, asked, whole, sha256 = undisturbed
    (tmp_path / "cut").mkdir()
    for number in range(kept + 1):
        shutil.copy(folder / f"{number:04}.trial", tmp_path / "cut")
    (tmp_path / "cut" / f"{kept + 1:04}.part").write_bytes(b"half a trial")
    hooks = Watching()
    resumed, again = run(tmp_path / "cut", hooks, **asked)
    assert told(resumed) == told(whole)
    assert [number for number, _ in hooks.finished] == list(range(kept + 1, 21)), "nothing finished is repeated"
    assert again.sha256 == sha256


@pytest.mark.parametrize("damage", [b"", b"PK\x05\x06" + bytes(18), b"{}"])
def test_t53_a_trial_file_that_is_none_of_ours_is_made_again(tmp_path: Path, damage: bytes) -> None:
    whole, _ = run(tmp_path)
    (tmp_path / "0002.trial").write_bytes(damage)
    hooks = Watching()
    assert told(run(tmp_path, hooks)[0]) == told(whole)
    assert [number for number, _ in hooks.finished] == [2, 3, 4]


def test_trials_of_other_data_are_not_taken_up(tmp_path: Path) -> None:
    run(tmp_path)
    hooks = Watching()
    run(tmp_path, hooks, n=241)
    assert hooks.finished[0][0] == 0


def test_finish_keeps_what_there_is(tmp_path: Path) -> None:
    result, model = run(tmp_path, Watching("finish", after=2), budget=Budget(trials=50))
    assert result.stopped_because == "finish_requested"
    # the wish is asked for a few times a second, and these trials take less
    assert 2 <= len(result.complete) < 10
    assert model.members[0].family in LIGHT


def test_finish_at_once_still_gives_a_model_that_learned_something(tmp_path: Path) -> None:
    """The wish comes while the first trial is at work: it is brought to a quick end instead of being given up."""

    class Early(Watching):
        def stop_requested(self) -> Literal["finish", "cancel"] | None:
            return "finish" if any(progress.trials == 0 for progress in self.told[3:]) else None

    result, _ = run(tmp_path, Early(), families=("lgbm",), budget=Budget(trials=50), n=2000)
    assert result.stopped_because == "finish_requested"
    assert len(result.trials) == 2


def test_cancel_stops(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        run(tmp_path, Watching("cancel", after=1))


def test_a_budget_in_seconds_that_is_over_gives_the_baseline(tmp_path: Path) -> None:
    result, model = run(tmp_path, deadline=Deadline(5, started=time.time() - 10), budget=Budget(seconds=5))
    assert result.stopped_because == "seconds"
    assert [record.state for record in result.trials] == ["baseline"]
    assert [member.family for member in model.members] == ["baseline"]


def test_a_budget_in_seconds_ends_the_trial_at_work(tmp_path: Path) -> None:
    family("lgbm")
    result, _ = run(tmp_path, deadline=Deadline(4, started=time.time()), budget=Budget(seconds=4), n=4000, families=("lgbm",))
    # no timing is asserted: a search that overlooked the end would never come back
    assert result.stopped_because == "seconds"
    assert result.complete


def test_what_is_left_of_the_time_goes_to_trees_and_not_to_more_linear_models(tmp_path: Path) -> None:
    """A tree trial that took long: with little left there is no trial at all rather than a row of linear ones."""
    split, problem, spec = case(budget=Budget(seconds=1000))
    searching = _Search(split.train, problem, spec, Hooks(), tmp_path, Deadline(1000, started=time.time()))
    tried = [("baseline", 0), ("linear", 1), ("lgbm", 500), ("lgbm", 500), ("linear", 1), ("lgbm", 500), ("lgbm", 500), ("lgbm", 500)]
    for number, (name, seconds) in enumerate(tried):
        searching.records.append(TrialRecord(number, name, {}, "complete", 0.4 if name == "linear" else 0.5, seconds, 0, ""))
    assert searching._next_family() == "lgbm"
    searching.deadline = Deadline(1000, started=time.time() - 900)
    assert searching._next_family() is None


def test_turns_follow_what_each_family_has_brought(tmp_path: Path) -> None:
    split, problem, spec = case(budget=Budget(trials=1000), families=("linear", "lgbm", "torch"))
    searching = _Search(split.train, problem, spec, Hooks(), tmp_path, Deadline(None))

    def turns(scores: dict[str, float], trials: int) -> Counter[str]:
        searching.records = [TrialRecord(0, "baseline", {}, "baseline", 0.5, 0, 0, "")]
        for name, score in scores.items():
            searching.records += [TrialRecord(1, name, {}, "complete", score, 1, 0, "")] * 6
        found: Counter[str] = Counter()
        for _ in range(trials):
            name = searching._next_family()
            assert name is not None
            found[name] += 1
            searching.records.append(TrialRecord(1, name, {}, "complete", scores[name], 1, 0, ""))
        return found

    assert turns({"linear": 0.6, "lgbm": 0.8, "torch": 0.7}, 16) == {"lgbm": 10, "torch": 4, "linear": 2}
    assert turns({"linear": 0.6, "lgbm": 0.7, "torch": 0.8}, 16) == {"torch": 10, "lgbm": 4, "linear": 2}
    # the best of all is linear, and soon there is nothing left to find of its two settings
    assert turns({"linear": 0.9, "lgbm": 0.8, "torch": 0.7}, 40)["linear"] == 4


@pytest.mark.parametrize(("task", "classes", "first", "next_one"), [
    ("regression", 0, 0.7, "torch"), ("regression", 0, 0.9, "linear"),
    # of two classes a network has one default, and draws wait for their turn
    ("binary", 2, 0.9, "linear"),
])
def test_who_is_ahead_with_a_first_try_goes_on_before_the_others_defaults(tmp_path: Path, task: TaskKind, classes: int, first: float, next_one: str) -> None:
    split, problem, spec = case(task, classes, budget=Budget(trials=1000), families=("linear", "lgbm", "torch"))
    searching = _Search(split.train, problem, spec, Hooks(), tmp_path, Deadline(None))
    tried = [("baseline", 0.85), ("linear", 0.85), ("lgbm", 0.8), ("lgbm", 0.8), ("torch", first)]
    searching.records = [TrialRecord(number, name, {}, "complete", score, 1, 0, "") for number, (name, score) in enumerate(tried)]
    assert searching._next_family() == next_one
    searching.records.append(TrialRecord(5, next_one, {}, "complete", first, 1, 0, ""))
    # once: then the portfolio goes on
    assert searching._next_family() == {"torch": "linear", "linear": "lgbm"}[next_one]


def test_defaults_come_first_cheapest_first(tmp_path: Path) -> None:
    result, _ = run(tmp_path, families=("linear", "lgbm", "torch"), n=60, budget=Budget(trials=4))
    assert [record.family for record in result.trials] == ["baseline", "linear", "lgbm", "lgbm", "torch"]
    assert result.trials[2].params == family("lgbm").defaults("binary")[0]
    assert result.trials[3].params == family("lgbm").defaults("binary")[1]


def test_a_large_table_begins_with_trees_of_many_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl.learn.families.LARGE_ROWS", 100)
    result, _ = run(tmp_path, families=("lgbm",), n=400, budget=Budget(trials=1))
    assert result.trials[1].params == family("lgbm").defaults("binary", TableShape(large=True))[0]
    assert result.trials[1].params["num_leaves"] == max(params["num_leaves"] for params in family("lgbm").defaults("binary", TableShape(large=True)))
    assert set(result.trials[1].params) == set(family("lgbm").defaults("binary")[0])


def test_the_first_trial_gets_a_share_of_the_time_where_others_follow(tmp_path: Path) -> None:
    split, problem, spec = case(families=("linear", "lgbm"))
    several = _Search(split.train, problem, spec, Hooks(), tmp_path, Deadline(1000, started=time.time()))
    first, second = (_Open(number, "linear", several.studies["linear"].ask(number), np.zeros(0)) for number in (1, 2))
    assert several._allowed(first) == pytest.approx(150, abs=5)
    assert several._allowed(second) == pytest.approx(1000, abs=5)
    short = _Search(split.train, problem, spec, Hooks(), tmp_path, Deadline(3, started=time.time()))
    assert short._allowed(first) <= 3
    alone = _Search(split.train, problem, spec.model_copy(update={"families": ("linear",)}), Hooks(), tmp_path, Deadline(1000, started=time.time()))
    assert alone._allowed(first) == pytest.approx(1000, abs=5)


@pytest.mark.parametrize(("threads", "shares"), [(1, [200, 250, 333, 500, 1000]), (2, [333, 333, 500, 500, 1000]), (5, [1000] * 5)])
def test_folds_side_by_side_may_take_as_long(tmp_path: Path, threads: int, shares: list[int]) -> None:
    split, problem, spec = case(families=("linear",), threads=threads)
    searching = _Search(split.train, problem, spec, Hooks(), tmp_path, Deadline(1000, started=time.time()))
    trial = _Open(1, "linear", searching.studies["linear"].ask(1), np.zeros(0))
    for at, share in enumerate(shares):
        assert searching._share(trial) == pytest.approx(share, abs=5)
        trial.begun.add(at)


def test_time_spent_by_an_earlier_attempt_counts(tmp_path: Path) -> None:
    first, _ = run(tmp_path, budget=Budget(trials=1, seconds=100))
    deadline = Deadline(100, started=time.time())
    run(tmp_path, deadline=deadline, budget=Budget(trials=2, seconds=100))
    assert deadline.elapsed() >= first.trials[-1].spent_seconds


def test_families_that_cannot_be_fitted_end_the_search_with_the_baseline(tmp_path: Path) -> None:
    """One row of the rarer class: it is missing from the training rows of its own fold."""
    split, problem, spec = case(families=("linear",), budget=Budget(trials=50))
    y = np.zeros(len(split.train.y), dtype=np.int64)
    y[7] = 1
    result, model = run(tmp_path, made=(material.split(split.train.features, y), problem, spec))
    assert result.stopped_because == "exhausted"
    assert {record.note for record in result.trials[1:]} == {"the training rows of a fold have one class"}
    assert [member.family for member in model.members] == ["baseline"]


def test_every_training_row_is_predicted_by_models_that_did_not_see_it(tmp_path: Path) -> None:
    """With targets that no feature tells anything about, out-of-fold predictions do not know them; fitted ones would."""
    frame = material.features(300)
    y = np.random.default_rng(5).integers(0, 2, 300)
    split, problem = material.split(frame, y), material.problem("binary", 2, frame)
    result, _ = run(tmp_path, made=(split, problem, TaskSpec(target="y", budget=Budget(trials=2), families=("lgbm",), threads=1)))
    assert result.complete[0].score is not None
    assert 0.35 < result.complete[0].score < 0.65


def test_another_level_of_the_quantile_takes_up_no_trial(tmp_path: Path) -> None:
    for level in (0.5, 0.9):
        split, problem, spec = case("regression", 0, budget=Budget(trials=1), metric="quantile_loss", quantile=level)
        hooks = Watching()
        run(tmp_path, hooks, made=(split, replace(problem, metric="quantile_loss", quantile=level), spec))
        assert [number for number, _ in hooks.finished] == [0, 1]


def test_the_audit_part_stays_shut(tmp_path: Path) -> None:
    split, problem, spec = case(budget=Budget(trials=1))
    run(tmp_path, made=(split, problem, spec))
    with pytest.raises(AssertionError, match="opened the audit part"):
        split._read_audit()


# --- two objectives


def grouped(n: int = 240, **spec: Any) -> tuple[Split, Any, TaskSpec]:
    """The target is the more often positive in group A; every seventh row's group is unknown."""
    split, problem, settings = case(n=n, **{"sensitive": ("sex",), "fairness_objective": {"metric": "demographic_parity_difference"}, **spec})
    group = np.where(split.train.features["size"].to_numpy() + np.random.default_rng(0).normal(size=n) > 0, "A", "B").astype(object)
    group[::7] = None
    split.train = replace(split.train, groups={"sex": group})
    return split, problem, settings


def test_with_two_objectives_every_trial_has_both_and_nothing_is_pruned(tmp_path: Path) -> None:
    split, problem, spec = grouped(budget=Budget(trials=16), families=("lgbm",), n=80)
    result, _ = run(tmp_path, made=(split, problem, spec))
    assert {record.state for record in result.trials[1:]} == {"complete"}
    assert [record.params["reweighing"] for record in result.trials[1:11]] == [0.0, 1.0] * 5
    assert result.disparity is not None
    for record in result.complete:
        assert record.fairness == result.disparity.value(record.out_of_fold())
        assert record.fairness is not None
    assert result.baseline.fairness is None
    assert 1 <= len(front_of(result)) < len(result.complete)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kept", [1, 12])
def test_a_search_with_two_objectives_goes_on_as_it_would_have(tmp_path: Path, kept: int, threads: int) -> None:
    made: dict[str, Any] = {"budget": Budget(trials=16), "families": ("linear",), "threads": threads, "n": 120}
    whole, model = run(tmp_path / "whole", made=grouped(**made))
    (tmp_path / "cut").mkdir()
    for number in range(kept + 1):
        shutil.copy(tmp_path / "whole" / f"{number:04}.trial", tmp_path / "cut")
    hooks = Watching()
    resumed, again = run(tmp_path / "cut", hooks, made=grouped(**made))
    assert told(resumed) == told(whole)
    assert [record.fairness for record in resumed.trials] == [record.fairness for record in whole.trials]
    assert [number for number, _ in hooks.finished] == list(range(kept + 1, 17))
    assert again.sha256 == model.sha256


def test_rows_are_reweighed_by_group_and_class_and_unknown_ones_are_not(tmp_path: Path) -> None:
    split, problem, spec = grouped()
    searching = _Search(split.train, problem, spec, Hooks(), tmp_path, Deadline(None, started=time.time()))
    train = searching.parts[0][0]
    factor, unknown = searching._reweighed(0, 1.0).train_weight, split.train.groups["sex"][train] == None  # noqa: E711 - elementwise
    assert factor is not None
    assert (factor[unknown] == 1).all()
    assert searching._reweighed(0, 0.0).train_weight is None
    assert np.allclose(searching._reweighed(0, 0.5).train_weight, (1 + factor) / 2)
    y, group = split.train.y[train][~unknown], (split.train.groups["sex"][train] == "A")[~unknown]
    rates = [np.average(y[mine], weights=factor[~unknown][mine]) for mine in (group, ~group)]
    assert rates[0] == pytest.approx(rates[1]), "the class says nothing about the group any more"
    assert y[group].mean() > y[~group].mean() + 0.2
    assert searching._reweighed(0, 1.0).valid_weight is None, "scored and stopped by the rows as they are"


def test_reweighing_brings_the_groups_closer_together(tmp_path: Path) -> None:
    split, problem, spec = grouped(n=600, families=("linear",), budget=Budget(trials=2))
    result, _ = run(tmp_path, made=(split, problem, spec))
    plain, reweighed = result.trials[1], result.trials[2]
    assert reweighed.params == {**plain.params, "reweighing": 1.0}
    assert plain.fairness is not None
    assert reweighed.fairness is not None
    assert reweighed.fairness < plain.fairness - 0.03


def test_weights_of_the_table_stay_beneath_the_reweighing(tmp_path: Path) -> None:
    split, problem, spec = grouped()
    weight = np.random.default_rng(4).uniform(0.5, 2, len(split.train.y))
    split.train = replace(split.train, weight=weight)
    searching = _Search(split.train, problem, spec, Hooks(), tmp_path, Deadline(None, started=time.time()))
    train = searching.parts[0][0]
    found = searching._reweighed(0, 1.0).train_weight
    assert np.allclose(found, weight[train] * searching.reweighing[0])


def test_trials_of_another_objective_are_not_taken_up(tmp_path: Path) -> None:
    run(tmp_path, made=grouped())
    for changes in ({"fairness_objective": None}, {"fairness_objective": {"metric": "demographic_parity_ratio"}}):
        hooks = Watching()
        folder = tmp_path / str(changes["fairness_objective"] is None)
        shutil.copytree(tmp_path, folder, ignore=shutil.ignore_patterns("True", "False"))
        run(folder, hooks, made=grouped(**changes))
        assert hooks.finished[0][0] == 0


def test_without_a_second_objective_nothing_of_it_is_written(tmp_path: Path) -> None:
    """Neither in the trials' files nor in what they are known by: those of an earlier version are taken up."""
    plain, _ = run(tmp_path / "plain")
    named, _ = run(tmp_path / "named", made=grouped(fairness_objective=None))
    assert [record.fingerprint for record in named.trials] == [record.fingerprint for record in plain.trials]
    for record in named.trials:
        assert record.path is not None
        with zipfile.ZipFile(record.path) as archive:
            written = json.loads(archive.read("trial.json"))
        assert "fairness" not in written
        assert "reweighing" not in written["params"]
        assert "fairness" not in record.as_evidence().model_dump(mode="json")
    assert named.disparity is None
