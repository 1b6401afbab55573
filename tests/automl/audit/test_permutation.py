from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from automl.audit.permutation import permutation_importance
from automl.evidence import Estimate, NotMeasured, PermutationImportance, Value
from tests.automl.audit.inputs import NUMBER, Linear, Predicted, Problem, Rows, people

NAMES = ("x0", "x1", "x2", "x3")


def estimate(value: Value) -> Estimate:
    assert isinstance(value, Estimate), value
    return value


def shuffled(model: Linear, rows: Rows, problem: Problem, **options: int) -> PermutationImportance:
    found = permutation_importance(model, rows, problem, NAMES, seed=0, **options)
    assert isinstance(found, PermutationImportance), found
    return found


def noisy(weights: np.ndarray, n: int = 1000) -> Rows:
    rows = people(n, seed=4)
    return replace(rows, y=rows.features.to_numpy() @ weights + np.random.default_rng(0).normal(size=n))


def test_shuffling_an_input_of_a_linear_model_costs_twice_its_variance() -> None:
    """With y = x w + e, shuffling x_j adds w_j^2 (x_j - x'_j)^2, on average 2 w_j^2 Var(x_j), to the mean squared error."""
    weights = np.array([1.0, -0.7, 0.3, 0.0])
    rows = noisy(weights)
    found = shuffled(Linear(weights, number=True), rows, NUMBER)
    by_name = {one.feature: estimate(one.increase) for one in found.features}
    for name, weight in zip(NAMES, weights, strict=True):
        expected = 2 * weight**2 * float(rows.features[name].var())
        assert by_name[name].low - 0.05 < expected < by_name[name].high + 0.05, name
    assert by_name["x3"].value == pytest.approx(0.0, abs=1e-12)
    assert [one.feature for one in found.features] == list(NAMES)
    assert [one.rank for one in found.features] == [1, 2, 3, 4]
    assert found.kendall_tau == 1.0
    assert estimate(found.mean_loss).value == pytest.approx(1.0, abs=0.15)
    assert (found.loss, found.rows, found.repeats) == ("squared error", 1000, 5)


def test_what_the_truth_does_not_go_with_costs_nothing_that_can_be_told_from_0() -> None:
    rows = people(1000, seed=5)
    truth = (np.random.default_rng(1).random(1000) < 1 / (1 + np.exp(-2 * rows.features["x0"]))).astype(int)
    found = shuffled(Linear(np.array([2.0, 0.02, 0.0, 0.0])), replace(rows, y=truth), Problem())
    by_name = {one.feature: estimate(one.increase) for one in found.features}
    assert by_name["x0"].low > 0.1
    assert by_name["x1"].low < 0.003
    assert found.loss == "log loss"


def test_rows_of_one_person_are_drawn_together() -> None:
    weights = np.array([1.0, 0.0, 0.0, 0.0])
    once = noisy(weights, 100)
    person = np.repeat(np.arange(100), 4)
    repeated = replace(once, features=once.features.iloc[person].reset_index(drop=True), y=once.y[person], groups={})
    by_row, by_person = (shuffled(Linear(weights, number=True), rows, NUMBER) for rows in (repeated, replace(repeated, cluster=person)))
    width = [estimate(found.mean_loss).high - estimate(found.mean_loss).low for found in (by_row, by_person)]
    assert width[1] > 1.6 * width[0]


def test_weights_weigh_losses() -> None:
    weights = np.array([1.0, 0.0, 0.0, 0.0])
    rows = noisy(weights)
    heavy = replace(rows, weight=np.where(np.abs(rows.y - rows.features["x0"]) > 1, 9.0, 1.0))
    assert estimate(shuffled(Linear(weights, number=True), heavy, NUMBER).mean_loss).value > 1.5 * estimate(shuffled(Linear(weights, number=True), rows, NUMBER).mean_loss).value


@pytest.mark.parametrize(("problem", "words", "loss"), [
    (replace(NUMBER, metric="mae"), "absolute error", 2.0), (replace(NUMBER, metric="quantile_loss", quantile=0.9), "pinball loss at 0.9", 1.8),
    (replace(NUMBER, metric="rmsle"), "squared error of log(1 + value)", np.log(5 / 3) ** 2), (NUMBER, "squared error", 4.0),
])
def test_the_loss_is_what_was_learned(problem: Problem, words: str, loss: float) -> None:
    class Two(Linear):
        def predict(self, frame: object) -> Predicted:
            return Predicted(None, np.full(len(frame), 2.0))  # type: ignore[arg-type]

    found = shuffled(Two(np.zeros(4)), replace(people(100), y=np.full(100, 4.0)), problem)
    assert found.loss == words
    assert estimate(found.mean_loss).value == pytest.approx(loss)
    assert found.kendall_tau is None


def test_many_inputs_are_shuffled_among_fewer_rows() -> None:
    found = permutation_importance(Linear(np.ones(20)), people(5000, features=20), Problem(), [f"x{at}" for at in range(20)], seed=0)
    assert isinstance(found, PermutationImportance)
    assert found.rows == 300
    assert isinstance(permutation_importance(Linear(np.ones(4)), people(), Problem(), (), seed=0), NotMeasured)
