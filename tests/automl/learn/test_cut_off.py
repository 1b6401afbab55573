from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, matthews_corrcoef

from automl.learn.cut_off import choose_threshold
from automl.learn.predictions import to_predictions


def test_the_cut_is_one_half_where_that_selects_some() -> None:
    threshold = choose_threshold(np.array([-2.0, -1.0, 1.0]), np.array([0, 0, 1]))
    assert (threshold.value, threshold.chosen_on) == (0.5, "default 0.5")


@pytest.mark.parametrize(("raw", "word"), [(np.linspace(-4, -2, 100), "nobody"), (np.linspace(2, 4, 100), "everybody")])
def test_a_cut_that_selects_nobody_or_everybody_gives_way_to_the_base_rates_share(raw: Any, word: str) -> None:
    y = (np.arange(100) >= 80).astype(np.int64)
    threshold = choose_threshold(raw, y)
    selected = to_predictions(raw, "binary").probabilities[:, 1] >= threshold.value
    assert selected.sum() == 20
    assert word in threshold.chosen_on
    assert "out-of-fold" in threshold.chosen_on


def test_equal_scores_fall_on_one_side_and_the_cut_says_what_it_selects() -> None:
    raw = np.r_[np.full(90, -2.0), np.full(10, -1.0)]
    threshold = choose_threshold(raw, (np.arange(100) >= 80).astype(np.int64))
    assert (to_predictions(raw, "binary").probabilities[:, 1] >= threshold.value).sum() == 10
    assert "selects 10.0% of the rows, nearest to the base rate of 20.0%" in threshold.chosen_on


RARE = np.random.default_rng(0)
RARE_Y = (RARE.random(2000) < 0.05).astype(np.int64)
RARE_RAW = (RARE.normal(size=2000) - 3 + 1.5 * RARE_Y).round(1)


@pytest.mark.parametrize(("metric", "theirs"), [("f1", f1_score), ("mcc", matthews_corrcoef), ("balanced_accuracy", balanced_accuracy_score), ("accuracy", accuracy_score)])
def test_a_metric_of_decisions_chooses_the_cut_out_of_fold(metric: str, theirs: Any) -> None:
    threshold = choose_threshold(RARE_RAW, RARE_Y, metric)
    score = np.asarray(to_predictions(RARE_RAW, "binary").probabilities)[:, 1]
    best = max(theirs(RARE_Y, score >= cut) for cut in np.unique(score)[1:])
    assert theirs(RARE_Y, score >= threshold.value) == pytest.approx(best)
    assert threshold.chosen_on.startswith("out-of-fold predictions: the highest ")
    assert f"{best:.4f} there and {theirs(RARE_Y, score >= 0.5):.4f} at 0.5" in threshold.chosen_on
    assert (threshold.value < 0.4) == (metric != "accuracy"), "for few positives one half is no good cut, unless every row counts alike"


def test_the_cut_of_weighted_rows_is_of_their_weights() -> None:
    heavy = np.where(RARE_Y == 1, 19.0, 1.0)
    assert choose_threshold(RARE_RAW, RARE_Y, "accuracy", heavy).value < 0.2 < choose_threshold(RARE_RAW, RARE_Y, "accuracy").value


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision", "log_loss", "brier"])
def test_a_metric_of_scores_leaves_the_cut_alone(metric: str) -> None:
    assert choose_threshold(RARE_RAW, RARE_Y, metric) == choose_threshold(RARE_RAW, RARE_Y)


def test_where_all_scores_are_equal_one_half_stays() -> None:
    threshold = choose_threshold(np.full(100, -2.0), (np.arange(100) >= 80).astype(np.int64))
    assert threshold.value == 0.5
    assert "all scores are equal" in threshold.chosen_on
    assert choose_threshold(np.full(100, -2.0), (np.arange(100) >= 80).astype(np.int64), "f1") == threshold
