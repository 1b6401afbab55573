"""Every metric equals scikit-learn's own function on the same arrays, of two classes' decisions at the best of all cuts; the direction is the metric's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from automl.learn.metrics import OF_DECISIONS, SCORERS, at_cut, best_cut, decide, scorer
from automl.learn.predictions import Predictions, centred, to_predictions
from automl.spec import METRICS_OF_TASK, Metric

DRAW = np.random.default_rng(0)
BINARY_Y, MULTI_Y, VALUE_Y = DRAW.integers(0, 2, 200), DRAW.integers(0, 4, 200), DRAW.normal(size=200)
BINARY = to_predictions((DRAW.normal(size=200) + BINARY_Y).round(1), "binary")
MULTI = to_predictions(DRAW.normal(size=(200, 4)) + np.eye(4)[MULTI_Y], "multiclass")
VALUES = to_predictions(VALUE_Y + DRAW.normal(size=200), "regression")
P, Q, V = BINARY.probabilities, MULTI.probabilities, VALUES.values
assert P is not None
assert Q is not None
WEIGHT = DRAW.random(200)
COUNT_Y = DRAW.poisson(3, 200).astype(float)
COUNTS = to_predictions(COUNT_Y + DRAW.normal(size=200), "regression")
C = COUNTS.values
assert C is not None
assert C.min() < 0

OF_TWO: dict[str, Callable[..., float]] = {
    "accuracy": sk.accuracy_score, "balanced_accuracy": sk.balanced_accuracy_score, "f1": sk.f1_score, "mcc": sk.matthews_corrcoef,
}


def best_of_all(metric: str, y: Any, score: Any, w: Any) -> float:
    """By scikit-learn at every score but the lowest, one after the other."""
    return max(OF_TWO[metric](y, score >= cut, sample_weight=w) for cut in np.unique(score)[1:])


CASES: list[tuple[Metric, Any, Predictions, Callable[[Any], float]]] = [
    ("roc_auc", BINARY_Y, BINARY, lambda w: sk.roc_auc_score(BINARY_Y, P[:, 1], sample_weight=w)),
    ("average_precision", BINARY_Y, BINARY, lambda w: sk.average_precision_score(BINARY_Y, P[:, 1], sample_weight=w)),
    ("log_loss", BINARY_Y, BINARY, lambda w: sk.log_loss(BINARY_Y, P[:, 1], sample_weight=w)),
    ("brier", BINARY_Y, BINARY, lambda w: sk.brier_score_loss(BINARY_Y, P[:, 1], sample_weight=w)),
    ("accuracy", BINARY_Y, BINARY, lambda w: best_of_all("accuracy", BINARY_Y, P[:, 1], w)),
    ("balanced_accuracy", BINARY_Y, BINARY, lambda w: best_of_all("balanced_accuracy", BINARY_Y, P[:, 1], w)),
    ("f1", BINARY_Y, BINARY, lambda w: best_of_all("f1", BINARY_Y, P[:, 1], w)),
    ("mcc", BINARY_Y, BINARY, lambda w: best_of_all("mcc", BINARY_Y, P[:, 1], w)),
    ("log_loss", MULTI_Y, MULTI, lambda w: sk.log_loss(MULTI_Y, Q, sample_weight=w)),
    ("accuracy", MULTI_Y, MULTI, lambda w: sk.accuracy_score(MULTI_Y, Q.argmax(1), sample_weight=w)),
    ("balanced_accuracy", MULTI_Y, MULTI, lambda w: sk.balanced_accuracy_score(MULTI_Y, Q.argmax(1), sample_weight=w)),
    ("f1", MULTI_Y, MULTI, lambda w: sk.f1_score(MULTI_Y, Q.argmax(1), average="macro", sample_weight=w)),
    ("mcc", MULTI_Y, MULTI, lambda w: sk.matthews_corrcoef(MULTI_Y, Q.argmax(1), sample_weight=w)),
    ("rmse", VALUE_Y, VALUES, lambda w: sk.root_mean_squared_error(VALUE_Y, V, sample_weight=w)),
    ("mae", VALUE_Y, VALUES, lambda w: sk.mean_absolute_error(VALUE_Y, V, sample_weight=w)),
    ("r2", VALUE_Y, VALUES, lambda w: sk.r2_score(VALUE_Y, V, sample_weight=w)),
    ("rmsle", COUNT_Y, COUNTS, lambda w: sk.root_mean_squared_log_error(COUNT_Y, C.clip(0), sample_weight=w)),
    ("quantile_loss", VALUE_Y, VALUES, lambda w: sk.mean_pinball_loss(VALUE_Y, V, sample_weight=w)),
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


@pytest.mark.parametrize("level", [0.1, 0.5, 0.95])
def test_the_quantile_loss_is_of_its_level(level: float) -> None:
    assert scorer("quantile_loss", level)(VALUE_Y, VALUES, (), WEIGHT) == pytest.approx(sk.mean_pinball_loss(VALUE_Y, V, alpha=level, sample_weight=WEIGHT))


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("metric", list(OF_DECISIONS))
@pytest.mark.parametrize("digits", [1, 8], ids=["ties", "none alike"])
def test_the_best_cut_is_the_best_of_all(metric: Metric, digits: int, weight: Any) -> None:
    few = slice(0, 40)
    y, score, w = BINARY_Y[few], P[few, 1].round(digits), None if weight is None else weight[few]
    cut = best_cut(metric, y, score, w)
    assert cut is not None
    assert cut.score == pytest.approx(best_of_all(metric, y, score, w), abs=1e-9)
    assert OF_TWO[metric](y, score >= cut.value, sample_weight=w) == pytest.approx(cut.score, abs=1e-9)
    assert at_cut(metric, y, score, cut.value, w) == pytest.approx(cut.score, abs=1e-9)
    assert 0 < (score >= cut.value).sum() < 40


@pytest.mark.parametrize(("score", "value"), [
    ([0.1, 0.2, 0.3, 0.9], 0.5),  # one half parts them where anything from 0.3 to 0.9 does
    ([0.1, 0.2, 0.3, 0.4], 0.35), ([0.6, 0.7, 0.75, 1.0], 0.875),  # else half-way
    ([0.3, 0.3, 0.3, np.nextafter(0.3, 1)], np.nextafter(0.3, 1)),  # where there is no half-way
])
def test_where_a_cut_lies_between_two_scores(score: list[float], value: float) -> None:
    cut = best_cut("f1", np.array([0, 0, 0, 1]), np.array(score))
    assert cut == (value, 1.0)


def test_of_equally_good_cuts_the_nearest_to_one_half_is_taken() -> None:
    y, score = np.array([1, 0, 1, 0]), np.array([0.05, 0.3, 0.4, 0.9])
    by_accuracy = {cut: np.mean((score >= cut) == y) for cut in (0.2, 0.35, 0.6)}
    assert by_accuracy == {0.2: 0.25, 0.35: 0.5, 0.6: 0.25}
    assert best_cut("accuracy", y, score) == (pytest.approx(0.35), 0.5)
    y = np.array([1, 0, 1, 0, 1])
    even = best_cut("accuracy", y, np.array([0.01, 0.1, 0.3, 0.45, 0.46]))  # above 0.1 and above 0.45 three of five are right
    assert even == (pytest.approx(0.455), 0.6)


@pytest.mark.parametrize("metric", list(OF_DECISIONS))
def test_where_nothing_can_be_cut_one_half_is(metric: Metric) -> None:
    y, flat = np.array([0, 1, 1]), np.full(3, 0.7)
    assert best_cut(metric, y, flat) is None
    said = OF_TWO[metric](y, flat >= 0.5)
    assert scorer(metric)(y, Predictions(probabilities=np.column_stack([1 - flat, flat])), ()) == pytest.approx(said)


@pytest.mark.parametrize("metric", list(OF_DECISIONS))
@pytest.mark.parametrize("only", [0, 1])
def test_decisions_on_one_class_have_a_score(metric: Metric, only: int) -> None:
    """A fold may have one; nothing is divided by 0, and nothing warns."""
    y = np.full(200, only)
    for weight in (None, WEIGHT):
        assert np.isfinite(scorer(metric)(y, BINARY, (), weight))
    assert np.isfinite(scorer(metric)(y, Predictions(probabilities=Q), ()))
    assert np.isfinite(scorer(metric)(y, Predictions(probabilities=np.tile([0.1, 0.7, 0.2], (200, 1))), ()))


def test_logarithms_become_values_of_0_or_more() -> None:
    values = to_predictions(np.array([-0.5, 0.0, np.log1p(41.0), 1e4]), "regression", logarithms=True).values
    assert values is not None
    assert values[:3] == pytest.approx([0, 0, 41])
    assert np.isfinite(np.square(values)).all(), "what goes on far beyond the training rows still has a square"


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
