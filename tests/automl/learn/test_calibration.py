"""The map from raw scores to probabilities: found where they are off, left alone where they are not, and honest about persons and weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import expit, softmax

from automl.evidence import NotMeasured, ProbabilityCalibration
from automl.learn.calibration import IDENTITY, RawMap, calibrate, fit_map, map_of, row_losses

Array = np.ndarray[Any, Any]


def two_classes(n: int, slope: float, shift: float, seed: int = 0) -> tuple[Array, Array]:
    """Raw scores whose true log-odds are ``slope`` times them plus ``shift``."""
    draw = np.random.default_rng(seed)
    raw = draw.normal(size=n) * 2
    return raw, (draw.random(n) < expit(slope * raw + shift)).astype(np.int64)


def several_classes(n: int, slope: float, k: int = 4) -> tuple[Array, Array]:
    draw = np.random.default_rng(0)
    raw = draw.normal(size=(n, k)) * 2
    raw -= raw.mean(axis=1, keepdims=True)
    return raw, np.array([draw.choice(k, p=row) for row in softmax(slope * raw, axis=1)])


def measured(raw: Array, y: Array, task: Any = "binary", weight: Array | None = None, cluster: Array | None = None) -> ProbabilityCalibration:
    found = calibrate(raw, y, task, weight=weight, cluster=cluster, seed=0)
    assert isinstance(found, ProbabilityCalibration)
    return found


@pytest.mark.parametrize(("slope", "shift"), [(0.5, 0.0), (1.8, 0.0), (1.0, 0.7), (0.6, -0.4)])
def test_what_is_off_is_found_and_the_gain_is_real(slope: float, shift: float) -> None:
    found = measured(*two_classes(6000, slope, shift))
    assert found.method == "platt"
    assert (found.slope, found.shift) == (pytest.approx(slope, rel=0.1), pytest.approx(shift, abs=0.1))
    raw, y = two_classes(6000, slope, shift, seed=1)
    gain = (row_losses(raw, y) - row_losses(map_of(found)(raw), y)).mean()
    assert found.log_loss_gain.low < gain < found.log_loss_gain.high
    assert found.brier_gain.value > 0


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("n", [60, 1000])
def test_what_is_right_is_left_alone(n: int, seed: int) -> None:
    """With 12 draws a rule that takes any gain would take some of them."""
    found = measured(*two_classes(n, 1.0, 0.0, seed))
    assert (found.method, map_of(found)) == ("none", IDENTITY)


def test_more_classes_have_a_temperature_and_no_term() -> None:
    found = measured(*several_classes(3000, 0.5), "multiclass")
    assert (found.method, found.shift) == ("temperature", 0.0)
    assert found.slope == pytest.approx(0.5, rel=0.1)


def test_the_map_rises_and_the_losses_are_scikit_learns() -> None:
    from sklearn.metrics import log_loss

    raw, y = two_classes(400, -1.0, 0.0)
    assert 0 < fit_map(raw, y, None).slope < 0.3, "scores that are the wrong way round are flattened, never turned"
    assert row_losses(raw, y).mean() == pytest.approx(log_loss(y, expit(raw)))
    raw, y = several_classes(200, 1.0)
    assert row_losses(raw, y).mean() == pytest.approx(log_loss(y, softmax(raw, axis=1), labels=range(4)))


def test_weights_count_as_rows_do() -> None:
    raw, y = two_classes(2000, 0.5, 0.3)
    other, wrong = two_classes(2000, 3.0, 0.0, seed=2)
    both, classes = np.concatenate([raw, other]), np.concatenate([y, wrong])
    nothing = np.repeat([1.0, 0.0], 2000)
    assert fit_map(both, classes, nothing).slope == pytest.approx(fit_map(raw, y, None).slope, rel=1e-4)
    assert fit_map(raw, y, np.full(2000, 7.0)).slope == pytest.approx(fit_map(raw, y, None).slope), "a unit of weight is no unit of certainty"
    assert measured(both, classes, weight=np.repeat([1.0, 1e-9], 2000)).slope == pytest.approx(0.5, rel=0.15)


def test_rows_of_one_person_are_not_as_many_persons() -> None:
    """A hundred persons, each forty times: what forty rows say alike is said once."""
    raw, y = two_classes(100, 0.5, 0.0)
    many = measured(np.repeat(raw, 40), np.repeat(y, 40))
    persons = measured(np.repeat(raw, 40), np.repeat(y, 40), cluster=np.repeat(np.arange(100), 40))
    assert many.method == "platt"
    assert persons.method == "none"
    assert persons.log_loss_gain.method == "t by person"


def test_where_there_is_nothing_to_calibrate_it_says_why() -> None:
    raw, y = two_classes(49, 1.0, 0.0)
    for case, word in (((raw, y, "binary"), "fewer than 50 rows"), ((np.zeros(80), np.arange(80) % 2, "binary"), "the same score"),
                       ((np.arange(80.0), np.zeros(80, dtype=np.int64), "binary"), "the same score or class"), ((raw, raw, "regression"), "no probabilities")):
        found = calibrate(*case, weight=None, cluster=None, seed=0)  # type: ignore[arg-type]
        assert isinstance(found, NotMeasured)
        assert word in found.reason
        assert map_of(found) == IDENTITY


def test_the_map_is_applied_as_it_is_written() -> None:
    raw = np.linspace(-3, 3, 7)
    assert RawMap(2.0, -1.0)(raw) == pytest.approx(2 * raw - 1)
    assert IDENTITY(raw) is raw
