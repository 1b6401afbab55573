"""What is said of the time that a run still takes: from its own search and from the runs before it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from auditapp.models import Run, RunEvent
from auditapp.time_left import USUALLY, time_left
from tests.auditapp.views.conftest import dataset, waiting_run  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def began(run: Run, stage: str, seconds_ago: float) -> None:
    event = RunEvent.objects.create(run=run, attempt=1, kind="stage", text=stage)
    RunEvent.objects.filter(pk=event.pk).update(at=NOW - timedelta(seconds=seconds_ago))


def left(run: Run, **progress: Any) -> tuple[float, float] | None:
    run.state, run.attempt, run.progress = "running", 1, progress
    return time_left(run, list(run.events.all()), NOW)


def test_nothing_is_said_before_there_is_anything_to_go_by(waiting_run: Run) -> None:  # noqa: F811
    assert time_left(waiting_run, [], NOW) is None
    assert left(waiting_run) is None
    began(waiting_run, "tune", 10)
    assert left(waiting_run, stage="tune", done=0, total=8) is None


def test_a_budget_in_seconds_ends_with_it_at_the_latest(waiting_run: Run) -> None:  # noqa: F811
    began(waiting_run, "tune", 10)
    assert left(waiting_run, seconds_left=60.0) == (USUALLY[0], 60 + USUALLY[1])


def test_trials_take_as_long_as_those_before_more_or_less(waiting_run: Run) -> None:  # noqa: F811
    began(waiting_run, "tune", 100)
    low, high = left(waiting_run, done=2, total=4) or (0, 0)
    assert low == 105  # 70 % of the 100 s that two more take, and 30 s, in steps of 15 s
    assert high == 360  # 150 %, and 180 s: 330, in minutes
    assert left(waiting_run, done=2, total=4, seconds_left=10.0) == (45, 180)


def test_after_the_search_earlier_runs_say_how_long(waiting_run: Run) -> None:  # noqa: F811
    earlier = Run.objects.create(workspace=waiting_run.workspace, kind="training", dataset=waiting_run.dataset, title="", spec={}, created_by=waiting_run.created_by)
    began(earlier, "ensemble", 1000)
    Run.objects.filter(pk=earlier.pk).update(state="succeeded", finished_at=NOW - timedelta(seconds=900))
    began(waiting_run, "ensemble", 20)
    assert left(waiting_run) == (60, 105)
    RunEvent.objects.filter(run=waiting_run).update(at=NOW - timedelta(seconds=500))
    assert left(waiting_run) is None, "longer than any before: nothing is promised"
