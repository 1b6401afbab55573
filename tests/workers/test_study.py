"""The process that keeps a shared study, on a real PostgreSQL: what it gives out, to whom, and what it answers to a child that lies."""

from __future__ import annotations

import json
import os
import threading
from typing import Any

import pytest
from optuna.distributions import FloatDistribution, distribution_to_json

from automl.hooks import Ended, GivenOut, Standing, StudyGone
from tests.workers.kept import Run, a_run, a_study_database, let_go, piped  # noqa: F401 - two are fixtures
from workers.asking import AskingStudy
from workers.study import MOST_OPEN, KeptStudies, locked, remove_ended

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

SPACES = {"x": distribution_to_json(FloatDistribution(0.0, 1.0))}


def say(studies: KeptStudies, **question: Any) -> dict[str, Any]:
    return studies.answer(json.dumps(question).encode())


def standing(studies: KeptStudies) -> Standing:
    return Standing(**say(studies, op="look")["standing"])


def ask(studies: KeptStudies, family: str = "linear", default: dict[str, Any] | None = None, after: int | None = None) -> Any:
    return say(studies, op="ask", family=family, after=standing(studies).started if after is None else after, spaces=SPACES, default=default)


def given(studies: KeptStudies, **changes: Any) -> GivenOut:
    return GivenOut(**ask(studies, **changes)["given"])


def tell(studies: KeptStudies, number: int, loss: float | None = 0.5, state: str = "complete", losses: list[float] | None = None) -> dict[str, Any]:
    return say(studies, op="tell", number=number, state=state, loss=loss, losses=losses if losses is not None else [0.5])


def ended(studies: KeptStudies) -> list[tuple[int, str]]:
    return [(each["number"], each["state"]) for each in say(studies, op="close")["trials"]]


def test_numbers_are_one_row_over_parts_and_families(run: Run) -> None:
    lead, helper = run.part(0), run.part(1)
    numbers = [given(lead).number, given(helper, family="lgbm").number, given(helper).number, given(lead, family="lgbm").number]
    assert numbers == [1, 2, 3, 4]
    assert standing(lead) == Standing(started=4, alive=4, tried={"linear": 2, "lgbm": 2}, defaults={"linear": [], "lgbm": []}, others_open=2)


def test_who_asks_after_an_older_trial_hears_how_it_stands(run: Run) -> None:
    lead, helper = run.part(0), run.part(1)
    given(lead)
    answer = ask(helper, after=0)
    assert Standing(**answer["standing"]).started == 1
    assert standing(lead).started == 1, "nothing was given out"


def test_a_default_is_given_out_once_and_again_when_it_is_lost(run: Run) -> None:
    lead, helper = run.part(0), run.part(1)
    trial = given(helper, default={"at": 1, "settings": {"x": 0.25}})
    assert (trial.settings, trial.bar) == ({"x": 0.25}, [])
    assert standing(lead).defaults["linear"] == [1]
    run.holders.remove((1, 1))
    after = standing(lead)
    assert (after.defaults["linear"], after.alive, after.started, after.others_open) == ([], 0, 1, 0)


def test_two_parts_that_ask_at_once_get_different_trials(run: Run) -> None:
    lead, helper = run.part(0), run.part(1)
    got: list[int] = []

    def take(studies: KeptStudies) -> None:
        while len(studies.mine) < 3:
            answer = ask(studies)
            if "given" in answer:
                got.append(answer["given"]["number"])

    threads = [threading.Thread(target=take, args=(studies,)) for studies in (lead, helper)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [1, 2, 3, 4, 5, 6]


def test_a_budget_in_trials_is_that_of_all_parts_and_what_is_lost_is_made_again(run: Run) -> None:
    lead, helper = run.part(0, trials=2), run.part(1, trials=2)
    given(helper)
    tell(lead, given(lead).number)
    over = Standing(**ask(lead)["standing"])
    assert (over.over, over.others_open) == ("trials", 1)
    run.holders.remove((1, 1))
    assert given(lead).number == 3
    assert tell(lead, 3) == {}
    assert ended(lead) == [(1, "lost"), (2, "complete"), (3, "complete")]


def test_what_was_told_but_not_stored_before_its_part_died_is_lost_too(run: Run) -> None:
    lead, helper = run.part(0, trials=2), run.part(1, trials=2)
    for at in range(2):
        tell(helper, given(helper, default={"at": at, "settings": {"x": 0.5}}).number)
    assert standing(lead).over == "trials", "while the part lives, its files are on their way"
    run.holders.remove((1, 1))
    run.stored.add(1)
    after = standing(lead)
    assert (after.over, after.alive, after.defaults["linear"]) == (None, 1, [0])
    assert ended(lead) == [(1, "complete"), (2, "lost")]


def test_what_is_told_after_its_loss_changes_nothing(run: Run) -> None:
    lead, helper = run.part(0), run.part(1)
    number = given(helper).number
    run.holders.remove((1, 1))
    assert standing(lead).alive == 0
    assert tell(helper, number) == {}
    assert ended(lead) == [(1, "lost")]


def test_an_attempt_that_begins_again_gives_up_what_the_one_before_had_open(run: Run) -> None:
    given(run.part(0))
    run.holders = {(0, 2)}
    again = run.part(0, attempt=2)
    assert given(again).number == 2
    assert ended(again) == [(1, "lost"), (2, "open")]


def test_only_the_leading_part_closes_and_its_next_attempt_opens_again(run: Run) -> None:
    lead, helper = run.part(0), run.part(1)
    assert "only the leading part" in say(helper, op="close")["error"]
    say(lead, op="close")
    assert Standing(**ask(helper)["standing"]).over == "closed"
    run.holders = {(0, 2), (1, 1)}
    run.part(0, attempt=2)
    assert given(helper).number == 1


def test_the_sampler_learns_from_all_parts(run: Run) -> None:
    """All that is good lies near 0.9, and only the other part has seen it."""
    lead, helper = run.part(0), run.part(1)
    for _ in range(16):
        trial = given(helper)
        tell(helper, trial.number, loss=abs(trial.settings["x"] - 0.9))
    drawn = [given(lead).settings["x"] for _ in range(MOST_OPEN)]
    assert sum(abs(x - 0.9) < 0.35 for x in drawn) >= MOST_OPEN - 1, drawn


def test_the_bar_is_the_median_of_all_parts(run: Run) -> None:
    lead, helper = run.part(0), run.part(1)
    for loss in (0.1, 0.2, 0.3):
        tell(helper, given(helper).number, loss=loss, losses=[loss, loss / 2])
    assert given(lead).bar == [], "too few to judge by"
    tell(helper, given(helper).number, loss=0.4, losses=[0.4, 0.2])
    assert given(lead).bar == pytest.approx([0.25, 0.125])
    assert given(lead, default={"at": 0, "settings": {"x": 0.5}}).bar == [], "a default is never given up"


@pytest.mark.parametrize(("question", "says"), [
    (b"", "JSON"), (b"\xff\xfe", "JSON"), (b"[]", "object"), (b"[" * 50_000, "JSON"), (b'{"op": "drop"}', "expected tags"),
    (b'{"op": "tell", "number": 1, "state": "complete", "loss": NaN, "losses": []}', "finite"),
    (b'{"op": "look", "more": 1}', "Extra"), (b'{"op": "ask", "family": "../x", "after": 0, "spaces": {}, "default": null}', "pattern"),
    (b'{"op": "ask", "family": "torch", "after": 0, "spaces": {}, "default": null}', "searches linear, lgbm"),
    (b'{"op": "ask", "family": "linear", "after": 0, "spaces": {"x": "{}"}, "default": null}', "space of x"),
    (b'{"op": "ask", "family": "linear", "after": 0, "spaces": {"x": "[[[["}, "default": null}', "space of x"),
    (b'{"op": "ask", "family": "linear", "after": 0, "spaces": {"x": "{\\"name\\": \\"FloatDistribution\\", \\"attributes\\": {\\"low\\": 2, \\"high\\": 1}}"}, "default": null}', "space of x"),
    (b'{"op": "tell", "number": 1, "state": "complete", "loss": 0.5, "losses": []}', "not given to this part"),
    (b'{"op": "tell", "number": true, "state": "complete", "loss": 0.5, "losses": []}', "integer"),
])
def test_a_hostile_question_gets_one_sentence_and_changes_nothing(study_database: Any, question: bytes, says: str) -> None:
    studies = Run(study_database, "run_hostile").part()
    answer = studies.answer(question)
    assert set(answer) == {"error"}
    assert says in answer["error"]
    assert len(answer["error"]) <= 500
    assert standing(studies).alive == 0


def test_a_part_tells_only_its_own_trials_and_each_once(run: Run) -> None:
    lead, helper = run.part(0), run.part(1)
    number = given(lead).number
    assert "not given to this part" in tell(helper, number)["error"]
    assert "has a loss" in tell(lead, number, loss=None)["error"]
    assert "has a loss" in tell(lead, number, state="pruned")["error"]
    assert tell(lead, number) == {}
    assert "has been told" in tell(lead, number)["error"]


def test_a_part_cannot_open_trials_without_end(run: Run) -> None:
    lead = run.part()
    for _ in range(MOST_OPEN):
        given(lead)
    assert "open already" in ask(lead)["error"]


def test_spaces_that_change_are_refused_and_leave_nothing_open(run: Run) -> None:
    lead = run.part()
    given(lead)
    other = {"x": json.dumps({"name": "CategoricalDistribution", "attributes": {"choices": ["a"]}})}
    assert "do not fit" in say(lead, op="ask", family="linear", after=1, spaces=other, default=None)["error"]
    assert standing(lead).alive == 1
    assert given(lead).number == 3


def test_studies_of_ended_runs_are_removed(run: Run, study_database: Any) -> None:
    first = Run(study_database, "run_over")
    given(first.part())
    given(run.part())
    remove_ended(study_database[0], lambda names: {name for name in names if name != "run_over"})
    assert standing(first.part()).started == 0
    assert standing(run.part()).started == 1


def test_the_lock_is_one_for_a_run(study_database: Any) -> None:
    order: list[str] = []
    with locked(study_database[1], "a"):
        with locked(study_database[1], "b"):
            order.append("another run")

        def wait() -> None:
            with locked(study_database[1], "a"):
                order.append("the same run")

        waiting = threading.Thread(target=wait)
        waiting.start()
        waiting.join(0.3)
        order.append("still held")
    waiting.join()
    assert order == ["another run", "still held", "the same run"]


# --- the pipe


def test_the_childs_end_over_a_realpiped(run: Run) -> None:
    lead = run.part()
    with piped(lead) as study:
        assert study.look() == Standing(tried={"linear": 0, "lgbm": 0}, defaults={"linear": [], "lgbm": []})
        first = study.ask("linear", after=0, default=(0, {"x": 0.5}), spaces=SPACES)
        assert isinstance(first, GivenOut)
        assert (first.number, first.settings) == (1, {"x": 0.5})
        assert isinstance(study.ask("linear", after=0, default=None, spaces=SPACES), Standing)
        study.tell(1, "complete", 0.25, [0.5, 0.25])
        assert study.close() == (Ended(1, "linear", {"x": 0.5}, "complete"),)
        with pytest.raises(StudyGone, match="not given to this part"):
            study.tell(9, "complete", 0.25, [])


def test_a_study_that_is_gone_is_said_so() -> None:
    (to_read, asks), (answers, to_write) = os.pipe(), os.pipe()
    os.close(to_read)
    os.close(to_write)
    study = AskingStudy(asks, answers, leads=True)
    with pytest.raises(StudyGone):
        study.look()
    let_go(study)


def test_an_answer_cut_short_is_no_answer() -> None:
    (to_read, asks), (answers, to_write) = os.pipe(), os.pipe()
    os.write(to_write, b'{"standing": {}')
    os.close(to_write)
    study = AskingStudy(asks, answers, leads=True)
    with pytest.raises(StudyGone, match="no answer"):
        study.look()
    os.close(to_read)
    let_go(study)
