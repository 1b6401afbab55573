"""The network: how long it learns. That it keeps the contract of every family is shown in `tests/automl/learn/test_families.py`."""

from __future__ import annotations

import math

import optuna
import pytest

from automl.learn.families import CannotFit, family
from automl.learn.families.torch_mlp import FEW_ROWS, LEAST_EPOCHS, LEAST_STEPS, PATIENCE, _Plan


def test_two_classes_are_never_learned_longer_and_the_rest_in_the_second_default() -> None:
    torch = family("torch")
    first, second, *_ = torch.defaults("regression")
    assert second == {**first, "epochs": 3 * first["epochs"]}
    assert [settings["epochs"] for settings in torch.defaults("multiclass")] == [first["epochs"], second["epochs"]]
    drawn = {task: {torch.suggest(optuna.create_study().ask(), task)["epochs"] for _ in range(20)} for task in ("binary", "multiclass", "regression")}
    assert drawn == {"binary": {first["epochs"]}, "multiclass": {first["epochs"], second["epochs"]}, "regression": {first["epochs"], second["epochs"]}}
    assert {settings["epochs"] for settings in torch.defaults("binary")} == {first["epochs"]}


@pytest.mark.parametrize(("asked", "rows", "steps", "epochs"), [
    (30, 5_000, 40, 30), (90, 5_000, 40, 90),
    # more rows: fewer epochs in the same proportion, and never fewer than the least
    (30, 2 * FEW_ROWS, 66, 15), (90, 2 * FEW_ROWS, 66, 45), (30, 1e6, 1000, LEAST_EPOCHS),
    # few rows: as many as make enough steps
    (30, 100, 2, LEAST_STEPS / 2),
])
def test_epochs_follow_the_setting_and_the_rows(asked: int, rows: float, steps: int, epochs: float) -> None:
    assert _Plan(asked, int(rows), steps, math.inf).epochs == pytest.approx(epochs, abs=1)


def test_who_learns_longer_waits_longer() -> None:
    short, long = _Plan(30, 5_000, 40, math.inf), _Plan(90, 5_000, 40, math.inf)
    assert short.patience == PATIENCE < long.patience < long.epochs


@pytest.mark.parametrize(("seconds", "epochs"), [(20.0, 20), (3.0, None)])
def test_there_are_fewer_epochs_where_there_is_no_time_for_all(seconds: float, epochs: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = _Plan(90, 5_000, 40, seconds, step=40)
    # the first pass took a second
    monkeypatch.setattr("automl.learn.families.torch_mlp.time.monotonic", lambda: plan.begun + 1)
    if epochs is None:
        with pytest.raises(CannotFit, match="one pass"):
            plan.fit_into_time()
    else:
        plan.fit_into_time()
        assert plan.epochs == epochs
