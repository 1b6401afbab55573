from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import matthews_corrcoef, roc_auc_score

from automl.audit.leaderboard import SAME, measure_leaderboard
from automl.canonical import repeatable_part
from automl.data.splits import Rows
from automl.evidence import Estimate, LeaderboardRow, NotMeasured, Threshold
from automl.learn.ensemble import Candidate
from automl.learn.predictions import Predictions
from automl.learn.trials import TrialRecord, write_trial
from automl.sections import outcomes_of_model
from tests.automl.learn import material

N = 2000
DRAW = np.random.default_rng(5)
Y = DRAW.integers(0, 2, N)
GOOD = 1 / (1 + np.exp(-(2.0 * (Y - 0.5) + DRAW.normal(size=N))))
SEX = np.where(DRAW.random(N) < 0.4, "female", "male").astype(object)


def predicts(p: Any) -> Any:
    return lambda frame: Predictions(np.column_stack([1 - p, p]), None)


def judged(*others: Candidate, metric: str = "roc_auc", threshold: Threshold | None = None) -> list[LeaderboardRow]:
    frame = pd.DataFrame({"x": np.arange(N)})
    problem = material.problem("binary", 2, frame)
    problem = type(problem)(**{**vars(problem), "metric": metric, "favourable": (problem.labels[1],)})
    rows = Rows(features=frame, y=Y, groups={"sex": SEX}, weight=None, cluster=None, position=np.arange(N))
    candidates = [Candidate("ensemble", "ensemble", None, 0.9, predicts(GOOD), True, threshold), *others]
    return measure_leaderboard(candidates, problem, rows, lambda predicted, cut: outcomes_of_model(problem, rows, predicted, cut), reference={"sex": "male"}, seed=0)


def test_what_is_a_little_different_is_tied_and_what_is_far_worse_is_not() -> None:
    little = np.clip(GOOD + 0.001 * DRAW.normal(size=N), 0.001, 0.999)
    worse = np.clip(0.5 * GOOD + 0.5 * DRAW.random(N), 0.001, 0.999)
    chosen, near, far, same = judged(*(Candidate(name, "lgbm", 1, None, predicts(p), False) for name, p in (("near", little), ("far", worse), ("same", GOOD))))
    assert (chosen.difference, chosen.tied) == (None, None)
    assert isinstance(near.difference, Estimate)
    assert near.tied is True
    assert near.difference.low < 0 < near.difference.high
    assert isinstance(far.difference, Estimate)
    assert far.tied is False
    assert far.difference.value == pytest.approx(roc_auc_score(Y, worse) - roc_auc_score(Y, GOOD))
    assert far.difference.high < 0
    assert same.difference == NotMeasured(reason=SAME)
    assert same.tied is None


def test_decisions_are_each_candidates_own() -> None:
    """By sex, by the cut of the candidate: at the higher one fewer are selected, and the ratio is that of those."""
    high = Threshold(value=0.8, chosen_on="made up")
    chosen, strict = judged(Candidate("strict", "lgbm", 1, None, predicts(GOOD), False, high), metric="mcc", threshold=Threshold(value=0.5, chosen_on="made up"))
    for row, cut in ((chosen, 0.5), (strict, 0.8)):
        [lowest] = row.lowest or ()
        women, men = (GOOD[sex == SEX] >= cut for sex in ("female", "male"))
        assert isinstance(lowest.ratio, Estimate)
        assert (lowest.group, lowest.reference) == ("female", "male")
        assert lowest.ratio.value == pytest.approx(women.mean() / men.mean())
    assert isinstance(strict.difference, Estimate)
    assert strict.difference.value == pytest.approx(matthews_corrcoef(Y, GOOD >= 0.8) - matthews_corrcoef(Y, GOOD >= 0.5))


def test_observed_over_expected_is_of_its_probabilities() -> None:
    chosen, low = judged(Candidate("low", "lgbm", 1, None, predicts(GOOD / 2), False))
    for row, p in ((chosen, GOOD), (low, GOOD / 2)):
        assert isinstance(row.calibration, Estimate)
        assert row.calibration.value == pytest.approx(Y.sum() / p.sum())
        assert row.calibration.low < row.calibration.value < row.calibration.high


def test_size_and_time_are_those_of_the_trials_it_is_made_of(tmp_path: Path) -> None:
    from automl.learn.families import constant

    model = constant.fit_constant(Y, None, "binary", 2, "roc_auc", None)
    record = TrialRecord(number=1, family=constant.NAME, params={}, state="complete", score=0.5, seconds=1.25, spent_seconds=2.0, fingerprint="")
    record = type(record)(**{**vars(record), "path": write_trial(tmp_path, record, np.zeros(N), (model, model))})
    chosen, other = judged(Candidate("other", "lgbm", 1, None, predicts(GOOD / 2), False, parts=(record, record)))
    assert (chosen.bytes, chosen.fit_seconds) == (0, 0)
    assert other.fit_seconds == 2.5
    assert other.bytes == 4 * sum(len(content) for content in model.files().values()) > 0
    assert other.predict_us_per_row is not None
    assert other.predict_us_per_row >= 0


def test_a_repetition_may_take_another_time() -> None:
    row = judged()[0]
    document = {"provenance": {}, "search": {"seconds": 3, "trials": [], "leaderboard": [row.model_dump(mode="json")]}}
    [left] = repeatable_part(document)["search"]["leaderboard"]
    assert left.keys() >= {"audit", "lowest", "calibration", "bytes"}
    assert not left.keys() & {"fit_seconds", "predict_us_per_row"}
