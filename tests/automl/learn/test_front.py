"""Which trials no other one beats in both objectives, and which of them are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest

from automl.learn import front
from automl.learn.disparity import Disparity
from automl.learn.front import along, front_of, kept_of
from automl.learn.metrics import scorer
from automl.learn.search import SearchResult
from automl.learn.trials import TrialRecord


def result(points: list[tuple[float, float | None]], metric: Any = "demographic_parity_difference", paths: list[Path] | None = None) -> SearchResult:
    """Trials 1, 2, .. with (score, fairness), the higher score the better; number 0 is the baseline."""
    disparity = Disparity(metric, (), "binary", (1,), np.zeros(1, dtype=np.int64), None)
    baseline = TrialRecord(0, "baseline", {}, "baseline", 0.99, 0, 0, "", fairness=0.0)
    trials = [TrialRecord(at, "lgbm", {}, "complete", score, 0, 0, "", fairness=fairness, path=None if paths is None else paths[at - 1])
              for at, (score, fairness) in enumerate(points, start=1)]
    return SearchResult(scorer("roc_auc"), ("lgbm",), 5, (baseline, *trials), "trials", 1.0, 1, pd.DataFrame(), disparity)


def numbers(trials: Any) -> list[int]:
    return [record.number for record in trials]


def test_dominated_points_and_the_baseline_are_not_on_the_front() -> None:
    found = result([(0.80, 0.20), (0.79, 0.21), (0.78, 0.10), (0.80, 0.15), (0.70, 0.10), (0.60, 0.00), (0.75, None)])
    assert numbers(front_of(found)) == [4, 3, 6]


def test_equal_points_are_listed_once_and_a_larger_ratio_is_better() -> None:
    assert numbers(front_of(result([(0.8, 0.2), (0.8, 0.2), (0.7, 0.1)]))) == [1, 3]
    assert numbers(front_of(result([(0.8, 0.6), (0.7, 0.9), (0.75, 0.5)], "demographic_parity_ratio"))) == [1, 2]


def test_it_is_the_front_that_optuna_finds() -> None:
    points = [(float(a), float(b)) for a, b in np.random.default_rng(0).random((60, 2))]
    study = optuna.create_study(directions=["maximize", "minimize"])
    study.add_trials([optuna.trial.create_trial(values=point) for point in points])
    assert sorted(numbers(front_of(result(points)))) == [trial.number + 1 for trial in study.best_trials]


def test_one_objective_has_no_front() -> None:
    found = result([(0.8, None)])
    assert front_of(SearchResult(**{**found.__dict__, "disparity": None})) == ()


def test_a_long_front_is_thinned_and_keeps_its_ends() -> None:
    trials = result([(0.9 - at / 100, 0.5 - at / 100) for at in range(30)]).trials[1:]
    thin = along(trials, 12)
    assert (len(thin), thin[0], thin[-1]) == (12, trials[0], trials[-1])
    assert along(trials[:3], 12) == trials[:3]


def test_kept_are_few_and_small_and_the_ends_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tmp_path / str(at) for at in range(9)]
    for path in paths:
        path.write_bytes(bytes(100))
    trials = result([(0.9 - at / 100, 0.5 - at / 100) for at in range(9)], paths=paths).trials[1:]
    assert numbers(kept_of(trials)) == [1, 3, 5, 7, 9]
    monkeypatch.setattr(front, "MOST_BYTES", 350)
    assert numbers(kept_of(trials)) == [1, 3, 9]
