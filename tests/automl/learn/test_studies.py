"""Studies with two objectives: what is asked for, told and taken up again. `test_search.py` has the whole way."""

from __future__ import annotations

from typing import Any

import pytest

from automl.learn.families import USUAL, family
from automl.learn.studies import REWEIGHING, Asked, Study
from automl.learn.trials import TrialRecord


def study(reweighed: bool = True) -> Study:
    return Study(family("linear"), "binary", 0, USUAL, reweighed=reweighed)


def record(number: int, asked: Asked, state: Any, score: float | None) -> TrialRecord:
    return TrialRecord(number, "linear", asked.settings, state, score, 0, 0, "", fold_losses=(0.5, 0.4), spaces=asked.spaces)


def losses(number: int) -> list[float]:
    return [0.3 + 0.01 * ((7 * number) % 11), 0.1 + 0.02 * ((5 * number) % 13)]


def test_each_default_is_tried_as_it_is_and_fully_reweighed() -> None:
    made, defaults = study(), family("linear").defaults("binary")
    found = []
    for number in range(1, 5):
        asked = made.ask(number)
        found.append((asked.params, asked.reweighing))
        made.tell(asked, "complete", losses(number))
    assert found == [(settings, strength) for settings in defaults for strength in (0.0, 1.0)]
    later = made.ask(5)
    assert later.reweighing is not None
    assert 0 <= later.reweighing <= 1
    assert later.settings == {**later.params, REWEIGHING: later.reweighing}


def test_a_family_is_never_asked_for_the_reweighing() -> None:
    asked = study().ask(1)
    assert REWEIGHING not in asked.params
    assert study(reweighed=False).ask(1).reweighing is None
    assert study(reweighed=False).ask(1).settings == study(reweighed=False).ask(1).params


def test_nothing_is_pruned_with_two_objectives() -> None:
    made = study()
    for number in range(1, 9):
        made.tell(made.ask(number), "complete", losses(number))
    assert not made.hopeless(made.ask(9), [99.0])


@pytest.mark.parametrize("state", ["complete", "pruned", "failed"])
def test_a_study_taken_up_again_asks_for_the_same(state: Any) -> None:
    """Past the random trials, where the sampler looks at both losses."""
    whole, again, kept = study(), study(), []
    for number in range(1, 15):
        asked = whole.ask(number)
        ending = state if number in (3, 10) else "complete"
        whole.tell(asked, ending, losses(number))
        kept.append((record(number, asked, ending, 0.7), losses(number)))
    for one, told in kept[:-1]:
        again.replay(one, told)
    last, told = kept[-1]
    again.tell_known(again.open_again(last), last, told)
    assert again.ask(15).settings == whole.ask(15).settings
