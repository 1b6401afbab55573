from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import matthews_corrcoef

from automl.evidence import Estimate, ProbabilityCalibration
from automl.hooks import Hooks
from automl.learn import ensemble
from automl.learn.deadline import Deadline
from automl.learn.ensemble import candidates, ensemble_not_taken, fit_best, greedy_counts, out_of_fold_score, search_section
from automl.learn.metrics import scorer
from automl.learn.predictions import to_predictions
from automl.learn.search import search
from automl.spec import Budget, TaskSpec
from tests.automl.learn import material

pytestmark = pytest.mark.slow


def searched(folder: Path, **settings: Any) -> Any:
    frame = material.features(300)
    split, problem = material.split(frame, material.target(frame, "binary", 2)), material.problem("binary", 2, frame)
    spec = TaskSpec(**{"target": "y", "budget": Budget(trials=4), "families": ("linear", "lgbm"), "threads": 1, **settings})
    result = search(split, problem, spec, Hooks(), folder, Deadline(None, started=time.time()))
    return result, split, problem, spec, fit_best(result, split, problem, spec)


def test_greedy_selection_finds_the_mixture_that_cancels_errors() -> None:
    truth, error = np.arange(200.0), np.where(np.arange(200) % 2, 4.0, -4.0)
    raws = [truth + error, truth - error, truth + 8 * (np.arange(200) % 3 == 0)]
    counts = greedy_counts(raws, lambda raw: float(np.square(raw - truth).mean()))
    assert counts.tolist() == [1, 1, 0], "each alone is wrong, the first two together are not, and nothing taken after them helps"


def test_greedy_selection_keeps_the_best_alone_where_nothing_helps() -> None:
    truth = np.linspace(-1, 1, 50)
    assert greedy_counts([truth, truth + 1], lambda raw: float(np.abs(raw - truth).mean())).tolist()[1] == 0


def test_the_ensemble_is_at_least_as_good_out_of_fold_as_its_best_member(tmp_path: Path) -> None:
    result, split, _, _, model = searched(tmp_path)
    assert out_of_fold_score(result, model, split) >= result.complete[0].score - 1e-9
    assert sum(member.weight for member in model.members) == pytest.approx(1)


def test_out_of_fold_predictions_are_those_of_the_deployed_fold_models(tmp_path: Path) -> None:
    result, _, _, _, model = searched(tmp_path)
    by_number = {record.number: record for record in result.trials}
    total = sum(member.weight * by_number[member.trial].out_of_fold() for member in model.members)
    assert np.array_equal(to_predictions(model.raw_map(total), "binary").probabilities, model.out_of_fold.probabilities)


@pytest.mark.parametrize("simple", [True, False])
def test_what_is_calibrated_is_the_deployed_model_and_nothing_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, simple: bool) -> None:
    """With a map that takes 3 away from a tenth of the log-odds nobody reaches 0.5: the cut is chosen after it."""
    gain = Estimate(value=0.1, low=0.05, high=0.15, method="t", n=300)
    found = ProbabilityCalibration(method="platt", slope=0.1, shift=-3.0, rows=300, log_loss_gain=gain, brier_gain=gain)
    monkeypatch.setattr(ensemble, "calibrate", lambda *_, **__: found)
    result, split, problem, spec, model = searched(tmp_path, simple=simple)
    by_number = {record.number: record for record in result.trials}
    total = sum(member.weight * by_number[member.trial].out_of_fold() for member in model.members)
    assert np.allclose(model.out_of_fold_raw, 0.1 * total - 3)
    assert model.threshold.value < 0.5
    assert search_section(result, model, [], split).calibration == found
    rows = {row.name: row for row in candidates(result, model, split, ensemble_not_taken(result, split, problem, spec))}
    for name, row in rows.items():
        highest = row.predict(split.train.features).probabilities[:, 1].max()
        assert (highest < 0.9) == (row.chosen or "not taken" in name or name == "baseline"), name


def test_simple_is_one_trial_of_one_family(tmp_path: Path) -> None:
    result, _, _, _, model = searched(tmp_path, simple=True)
    assert [(member.trial, member.weight) for member in model.members] == [(result.complete[0].number, 1.0)]


def test_the_price_of_one_model_is_told(tmp_path: Path) -> None:
    result, split, problem, spec, model = searched(tmp_path, simple=True)
    not_taken = ensemble_not_taken(result, split, problem, spec)
    assert not_taken is not None
    assert ensemble_not_taken(result, split, problem, spec.model_copy(update={"simple": False})) is None
    rows = {row.name: row for row in candidates(result, model, split, not_taken)}
    assert not rows["ensemble, not taken"].chosen
    assert rows["ensemble, not taken"].out_of_fold > result.complete[0].score
    assert sum(row.chosen for row in rows.values()) == 1


@pytest.mark.parametrize("simple", [True, False])
def test_the_leaderboard_has_the_model_each_family_and_the_baseline(tmp_path: Path, simple: bool) -> None:
    result, split, problem, _, model = searched(tmp_path, simple=simple)
    rows = candidates(result, model, split)
    assert {row.family for row in rows} >= {"linear", "lgbm", "baseline"}
    assert [row.chosen for row in rows].count(True) == 1
    scores = [row.out_of_fold for row in rows]
    assert scores == sorted(scores, reverse=True)
    for row in rows:
        p = row.predict(split.train.features)
        assert scorer(problem.metric)(split.train.y, p, problem.labels) >= 0.5
    chosen = next(row for row in rows if row.chosen)
    assert np.array_equal(chosen.predict(split.train.features).probabilities, model.predict(split.train.features).probabilities)


def test_the_search_section_names_every_trial(tmp_path: Path) -> None:
    result, split, _, _, model = searched(tmp_path)
    section = search_section(result, model, [], split)
    assert [trial.number for trial in section.trials] == [0, 1, 2, 3, 4]
    assert section.trials[0].state == "baseline"
    assert {member.trial for member in section.ensemble} == {member.trial for member in model.members}
    assert section.stopped_because == "trials"
    assert section.model_dump_json()


@pytest.mark.parametrize("simple", [True, False])
def test_by_a_metric_of_decisions_every_candidate_is_cut_at_its_best(tmp_path: Path, simple: bool) -> None:
    """Else the leaderboard would compare a cut that was chosen with cuts that were not."""
    frame = material.features(400)
    y = (material.score(frame) > 2.5).astype(np.int64)
    split, problem = material.split(frame, y), replace(material.problem("binary", 2, frame), metric="mcc")
    spec = TaskSpec(target="y", budget=Budget(trials=3), families=("linear", "lgbm"), threads=1, metric="mcc", simple=simple)
    result = search(split, problem, spec, Hooks(), tmp_path, Deadline(None, started=time.time()))
    model = fit_best(result, split, problem, spec)
    assert model.threshold is not None
    decided = np.asarray(model.out_of_fold.probabilities)[:, 1] >= model.threshold.value
    assert out_of_fold_score(result, model, split) == pytest.approx(matthews_corrcoef(y, decided)), "what is reported is what the deployed cut does"
    rows = candidates(result, model, split, ensemble_not_taken(result, split, problem, spec))
    assert [row.threshold for row in rows if row.chosen] == [model.threshold]
    by_number = {record.number: record for record in result.trials}
    for row in rows:
        assert row.threshold is not None
        if row.trial:
            raw = by_number[row.trial].out_of_fold()
            score = np.asarray(to_predictions(model.raw_map(raw) if row.chosen else raw, "binary").probabilities)[:, 1]
            assert matthews_corrcoef(y, score >= row.threshold.value) == pytest.approx(row.out_of_fold)


def test_by_a_metric_of_scores_only_the_deployed_model_has_a_cut(tmp_path: Path) -> None:
    result, split, _, _, model = searched(tmp_path)
    assert {row.threshold for row in candidates(result, model, split) if not row.chosen} == {None}
