"""The first page: empty, full, and only one's own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from auditapp.models import Run
from auditapp.views.home import RUNS_A_PAGE, WEEKS, finished_by_week

pytestmark = pytest.mark.django_db


def test_home_is_empty_then_lists_runs(page: Client, waiting_run: Run) -> None:
    assert "waiting or running" in page.get("/").content.decode()
    Run.objects.all().delete()
    empty = page.get("/").content.decode()
    assert "No audit yet" in empty
    assert "Use the sample data" in empty


def test_home_shows_a_page_of_runs(page: Client, waiting_run: Run, workspace: Any, dataset: Any) -> None:
    Run.objects.bulk_create(Run(workspace=workspace, kind="training", dataset=dataset, title=f"Run {i}", spec=waiting_run.spec) for i in range(RUNS_A_PAGE))
    first = page.get("/").content.decode()
    assert first.count("Waiting</span>") == RUNS_A_PAGE
    assert "?page=2" in first
    assert page.get("/?page=2").content.decode().count("Waiting</span>") == 1
    assert page.get("/?page=x").status_code == 200


def test_home_shows_no_runs_of_others(stranger: Client, waiting_run: Run) -> None:
    assert waiting_run.pk not in stranger.get("/").content.decode()


def test_home_counts_finished_audits_by_week_once_there_are_two_weeks(page: Client, waiting_run: Run, workspace: Any, dataset: Any) -> None:
    now = timezone.now()
    made = [Run.objects.create(workspace=workspace, kind="training", dataset=dataset, title="", spec={}) for _ in range(3)]
    for run, days in zip(made, (0, 0, 8), strict=True):
        Run.objects.filter(pk=run.pk).update(state="succeeded", finished_at=now - timedelta(days=days))
    weeks = finished_by_week(workspace)
    assert [bar.n for bar in weeks[-3:]] in ([0, 1, 2], [1, 0, 2])
    assert len(weeks) == WEEKS
    assert "finished by week" in page.get("/").content.decode()
    Run.objects.filter(pk=made[2].pk).delete()
    assert finished_by_week(workspace) == []
    assert "finished by week" not in page.get("/").content.decode()
