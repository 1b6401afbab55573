"""Every metric equals scikit-learn's own function on the same arrays; the direction is the metric's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from automl.learn.metrics import SCORERS, decide, scorer
from automl.learn.predictions import Predictions, centred, to_predictions
from automl.spec import METRICS_OF_TASK, Metric

DRAW = np.random.default_rng(0)
BINARY_Y, MULTI_Y, VALUE_Y = DRAW.integers(0, 2, 200), DRAW.integers(0, 4, 200), DRAW.normal(size=200)
BINARY = to_predictions(DRAW.normal(size=200) + BINARY_Y, "binary")
MULTI = to_predictions(DRAW.normal(size=(200, 4)) + np.eye(4)[MULTI_Y], "multiclass")
VALUES = to_predictions(VALUE_Y + DRAW.normal(size=200), "regression")
P, Q, V = BINARY.probabilities, MULTI.probabilities, VALUES.values
assert P is not None
assert Q is not None
WEIGHT = DRAW.random(200)

CASES: list[tuple[Metric, Any, Predictions, Callable[[Any], float]]] = [
    ("roc_auc", BINARY_Y, BINARY, lambda w: sk.roc_auc_score(BINARY_Y, P[:, 1], sample_weight=w)),
    ("average_precision", BINARY_Y, BINARY, lambda w: sk.average_precision_score(BINARY_Y, P[:, 1], sample_weight=w)),
    ("log_loss", BINARY_Y, BINARY, lambda w: sk.log_loss(BINARY_Y, P[:, 1], sample_weight=w)),
    ("brier", BINARY_Y, BINARY, lambda w: sk.brier_score_loss(BINARY_Y, P[:, 1], sample_weight=w)),
    ("accuracy", BINARY_Y, BINARY, lambda w: sk.accuracy_score(BINARY_Y, P[:, 1] > 0.5, sample_weight=w)),
    ("balanced_accuracy", BINARY_Y, BINARY, lambda w: sk.balanced_accuracy_score(BINARY_Y, P[:, 1] > 0.5, sample_weight=w)),
    ("f1", BINARY_Y, BINARY, lambda w: sk.f1_score(BINARY_Y, P[:, 1] > 0.5, sample_weight=w)),
    ("log_loss", MULTI_Y, MULTI, lambda w: sk.log_loss(MULTI_Y, Q, sample_weight=w)),
    ("accuracy", MULTI_Y, MULTI, lambda w: sk.accuracy_score(MULTI_Y, Q.argmax(1), sample_weight=w)),
    ("balanced_accuracy", MULTI_Y, MULTI, lambda w: sk.balanced_accuracy_score(MULTI_Y, Q.argmax(1), sample_weight=w)),
    ("f1", MULTI_Y, MULTI, lambda w: sk.f1_score(MULTI_Y, Q.argmax(1), average="macro", sample_weight=w)),
    ("rmse", VALUE_Y, VALUES, lambda w: sk.root_mean_squared_error(VALUE_Y, V, sample_weight=w)),
    ("mae", VALUE_Y, VALUES, lambda w: sk.mean_absolute_error(VALUE_Y, V, sample_weight=w)),
    ("r2", VALUE_Y, VALUES, lambda w: sk.r2_score(VALUE_Y, V, sample_weight=w)),
]


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize(("metric", "y", "predictions", "expected"), CASES, ids=[f"{case[0]}-{at}" for at, case in enumerate(CASES)])
def test_it_is_scikit_learns(metric: Metric, y: Any, predictions: Predictions, expected: Callable[[Any], float], weight: Any) -> None:
    assert scorer(metric)(y, predictions, (), weight) == pytest.approx(expected(weight), abs=1e-9)


def test_every_metric_that_can_be_asked_for_has_a_scorer() -> None:
    assert set(SCORERS) == {metric for metrics in METRICS_OF_TASK.values() for metric in metrics}


@pytest.mark.parametrize("metric", list(SCORERS))
def test_the_loss_is_smaller_for_the_better_and_infinite_for_the_unknown(metric: Metric) -> None:
    measure = scorer(metric)
    better, worse = (0.9, 0.1) if measure.direction == "maximize" else (0.1, 0.9)
    assert measure.loss(better) < measure.loss(worse) < measure.loss(float("nan")) == float("inf")


def test_an_auc_of_one_class_is_not_a_number() -> None:
    assert np.isnan(scorer("roc_auc")(np.zeros(200), BINARY, ()))


def test_a_fold_that_lacks_a_class_can_still_be_scored() -> None:
    few = MULTI_Y < 2
    part = Predictions(probabilities=Q[few])
    assert np.isfinite(scorer("log_loss")(MULTI_Y[few], part, ()))
    assert np.isfinite(scorer("balanced_accuracy")(MULTI_Y[few], part, ()))


def test_decisions() -> None:
    p = np.array([[0.6, 0.4], [0.2, 0.8]])
    assert decide(p).tolist() == [0, 1]
    assert decide(p, 0.3).tolist() == [1, 1]


def test_centred_logits_are_the_same_probabilities() -> None:
    raw = DRAW.normal(size=(50, 4))
    assert np.allclose(to_predictions(raw, "multiclass").probabilities, to_predictions(centred(raw), "multiclass").probabilities)
    assert np.abs(centred(raw).sum(axis=1)).max() < 1e-12
