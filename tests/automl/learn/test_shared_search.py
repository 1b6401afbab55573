"""Two parts of one run search together: the real engine, the real study on PostgreSQL, the pipe between them; threads stand in for the machines."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from automl.hooks import Hooks
from automl.learn import shared_search
from automl.learn.deadline import Deadline
from automl.learn.ensemble import fit_best
from automl.learn.search import SearchResult
from automl.learn.shared_search import LOST, search_together
from tests.automl.learn.test_search import case
from tests.workers.kept import Run, a_run, a_study_database, piped  # noqa: F401 - two are fixtures
from tests.workers.test_study import given, standing
from workers.study import KeptStudies

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


class Sending(Hooks):
    """A part whose finished trials arrive in the leading part's folder, as `workers.arrivals` has it."""

    def __init__(self, to: Path | None = None) -> None:
        self.to, self.finished = to, []  # type: ignore[var-annotated]

    def trial_finished(self, number: int, path: Path, **_: Any) -> None:
        self.finished.append(number)
        if self.to:
            shutil.copyfile(path, self.to / "draft")
            os.rename(self.to / "draft", self.to / path.name)


def part(studies: KeptStudies, folder: Path, hooks: Hooks, **spec: Any) -> SearchResult:
    split, problem, settings = case(**spec)
    with piped(studies) as study:
        return search_together(split, problem, settings, hooks, folder, Deadline(settings.budget.seconds, started=time.time()), study)


def together(run: Run, tmp_path: Path, trials: int) -> tuple[SearchResult, list[int], list[int]]:
    (tmp_path / "lead").mkdir()
    lead, helper = Sending(), Sending(tmp_path / "lead")
    helping = threading.Thread(target=part, args=(run.part(1, trials=trials), tmp_path / "helper", helper))
    helping.start()
    result = part(run.part(0, trials=trials), tmp_path / "lead", lead)
    helping.join()
    return result, lead.finished, helper.finished


def test_two_parts_share_a_budget_and_every_trial_is_made_once(run: Run, tmp_path: Path) -> None:
    result, led, helped = together(run, tmp_path, trials=8)
    assert [record.number for record in result.trials] == list(range(9))
    assert sorted([*led, *helped]) == list(range(9))
    assert 0 in led
    assert helped
    assert result.stopped_because == "trials"
    defaults = [tuple(sorted(record.params.items())) for record in result.trials if record.family == "linear"][:2]
    assert len(set(defaults)) == len(defaults), "no default twice"
    split, problem, settings = case()
    model = fit_best(result, split, problem, settings)
    assert {member.trial for member in model.members} <= {record.number for record in result.complete}
    assert result.complete[0].score is not None
    assert result.baseline.number == 0


def test_what_a_killed_part_was_at_is_lost_and_nothing_else(run: Run, tmp_path: Path) -> None:
    killed = given(run.part(1, trials=4))
    run.holders.remove((1, 1))
    result = part(run.part(0, trials=4), tmp_path, Sending())
    assert [(record.number, record.state, record.note) for record in result.trials if record.number == killed.number] == [(1, "failed", LOST)]
    assert [record.number for record in result.trials] == [0, 1, 2, 3, 4, 5], "four trials as asked for, and the lost one"
    assert result.trials[1].params == killed.settings


def test_what_is_still_at_work_is_waited_for_but_not_for_ever(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_search, "PATIENCE", 1.0)
    silent = run.part(1)
    number = given(silent).number
    result = part(run.part(0), tmp_path, Wishing(), budget={"seconds": 60})
    assert result.stopped_because == "finish_requested"
    assert [(record.state, record.note) for record in result.trials if record.number == number] == [("failed", LOST)]
    assert standing(silent).over == "closed"


class Wishing(Sending):
    """Wishes to finish once two trials are there."""

    def stop_requested(self) -> Any:
        return "finish" if len(self.finished) > 2 else None


def test_the_next_attempt_of_the_lead_takes_up_the_trials_of_all_parts(run: Run, tmp_path: Path) -> None:
    """The file of trial 4 was on its way when both workers were killed."""
    result, _, _ = together(run, tmp_path, trials=4)
    before = {record.number: record for record in result.trials}
    (tmp_path / "lead" / "0004.trial").unlink()
    (tmp_path / "lead" / "0002.trial.part").write_bytes(b"torn")
    (tmp_path / "lead" / "0009.trial").write_bytes(b"not a trial")
    run.holders, run.stored = {(0, 2)}, {0, 1, 2, 3}
    hooks = Sending()
    again = part(run.part(0, attempt=2, trials=4), tmp_path / "lead", hooks)
    assert [record.number for record in again.trials] == [0, 1, 2, 3, 4, 5], "four, as asked for, and the lost one"
    assert [again.trials[number].score for number in range(4)] == [before[number].score for number in range(4)]
    assert (again.trials[4].state, again.trials[4].note) == ("failed", LOST), "told, but what it made never came"
    assert sorted(hooks.finished) == [4, 5], "nothing that is there is made again"


def test_alone_it_goes_on_with_what_there_is(run: Run, tmp_path: Path) -> None:
    result = part(run.part(0, trials=3), tmp_path, Sending())
    assert [record.number for record in result.trials] == [0, 1, 2, 3]
    assert result.stopped_because == "trials"
