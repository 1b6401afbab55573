"""The page of a run: what it says in each state, and that polling costs nothing while nothing changes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from auditapp.models import Membership, Run, RunEvent, RunPart
from auditapp.views.live import POLL_SECONDS, stage_lines, trial_points

pytestmark = pytest.mark.django_db


def start(run: Run, **changes: Any) -> Run:
    now = timezone.now()
    Run.objects.filter(pk=run.pk).update(**{
        "state": "running", "attempt": 1, "started_at": now, "heartbeat_at": now, "lease_until": now + timedelta(minutes=1), "stage": "tune", "percent": 41,
        "progress": {"stage": "tune", "best": 0.9266, "metric": "roc_auc", "trials": 2, "note": ""}, **changes})
    for stage in ("read", "split", "tune"):
        RunEvent.objects.create(run=run, attempt=1, kind="stage", text=stage)
    for number, best in enumerate((0.91, 0.9266)):
        RunEvent.objects.create(run=run, attempt=1, kind="trial", data={"number": number, "best": best, "metric": "roc_auc"})
    run.refresh_from_db()
    return run


def body_of(page: Client, run: Run, path: str = "") -> str:
    return page.get(f"/runs/{run.pk}{path}").content.decode()


def test_a_waiting_run_shows_its_place(page: Client, waiting_run: Run, workspace: Any, dataset: Any) -> None:
    second = Run.objects.create(workspace=workspace, kind="training", dataset=dataset, title="Second", spec=waiting_run.spec)
    assert "It starts as soon as a worker is free" in body_of(page, waiting_run)
    assert "Place 2 in the queue" in body_of(page, second)


def test_a_running_run_shows_stages_best_and_trials(page: Client, waiting_run: Run) -> None:
    body = body_of(page, start(waiting_run))
    assert "<title>41 % – " in body
    assert "0.9266" in body
    assert body.count("<circle") == 2
    assert body.count('<li class="done">') == 2
    assert '<li class="active">' in body
    assert "Finish now, keep the best so far" in body
    assert "&lt;i&gt;income&lt;/i&gt;" in body  # the title is text


def test_a_run_of_several_workers_shows_how_many_there_are(page: Client, waiting_run: Run) -> None:
    assert "<dt>Workers</dt>" not in body_of(page, start(waiting_run)), "one worker is no news"
    Run.objects.filter(pk=waiting_run.pk).update(spec={**waiting_run.spec, "parallel": 3})
    RunPart.objects.create(run=waiting_run, number=1, state="running", lease_until=timezone.now())
    RunPart.objects.create(run=waiting_run, number=2)
    assert '<dt>Workers</dt><dd>2 <span class="small-note">of 3 asked for</span></dd>' in body_of(page, waiting_run)


def test_an_ended_run_does_not_go_on(page: Client, waiting_run: Run) -> None:
    sentence = "the run goes on"
    start(waiting_run)
    # Inside what each poll replaces, so that it goes when the run ends under somebody's eyes
    assert sentence in body_of(page, waiting_run, "/live")
    assert body_of(page, waiting_run).count(sentence) == 1
    Run.objects.filter(pk=waiting_run.pk).update(state="cancelled", lease_until=None, finished_at=timezone.now())
    assert sentence not in body_of(page, waiting_run, "/live")


def test_polling_answers_304_until_something_changes(page: Client, waiting_run: Run) -> None:
    start(waiting_run)
    first = page.get(f"/runs/{waiting_run.pk}/live")
    again = page.get(f"/runs/{waiting_run.pk}/live", headers={"If-None-Match": first["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    Run.objects.filter(pk=waiting_run.pk).update(lease_until=timezone.now() + timedelta(minutes=2), heartbeat_at=timezone.now())
    assert page.get(f"/runs/{waiting_run.pk}/live", headers={"If-None-Match": first["ETag"]}).status_code == 304, "a beat shows nothing new"


@pytest.mark.parametrize("change", [
    lambda run, page: Run.objects.filter(pk=run.pk).update(percent=55), lambda run, page: Run.objects.filter(pk=run.pk).update(cancel_requested_at=timezone.now()),
    lambda run, page: RunEvent.objects.create(run=run, attempt=1, kind="trial", data={"number": 2, "best": 0.93, "metric": "roc_auc"}),
    lambda run, page: Run.objects.filter(pk=run.pk).update(queued_at=timezone.now() - timedelta(hours=1)),
    lambda run, page: Run.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(hours=1)),
    lambda run, page: page.cookies.load({"django_language": "de"}), lambda run, page: Membership.objects.update(role="viewer")],
    ids=["percent", "cancel", "trial", "age", "silence", "language", "role"])
def test_polling_shows_whatever_changes(page: Client, waiting_run: Run, change: Any) -> None:
    start(waiting_run)
    first = page.get(f"/runs/{waiting_run.pk}/live")
    change(waiting_run, page)
    again = page.get(f"/runs/{waiting_run.pk}/live", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again["ETag"] != first["ETag"]) == (200, True)


def test_a_poll_that_finds_nothing_new_draws_nothing(page: Client, waiting_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    start(waiting_run)
    first = page.get(f"/runs/{waiting_run.pk}/live")
    monkeypatch.setattr("auditapp.views.live.render", None)
    assert page.get(f"/runs/{waiting_run.pk}/live", headers={"If-None-Match": first["ETag"]}).status_code == 304


def test_polling_becomes_rarer_with_age_and_stops_at_the_end(page: Client, waiting_run: Run) -> None:
    start(waiting_run)
    for age, seconds in ((0, POLL_SECONDS[0][1]), (120, POLL_SECONDS[1][1]), (3600, POLL_SECONDS[2][1])):
        Run.objects.filter(pk=waiting_run.pk).update(queued_at=timezone.now() - timedelta(seconds=age))
        assert f"load delay:{seconds}s" in body_of(page, waiting_run, "/live")
    Run.objects.filter(pk=waiting_run.pk).update(state="cancelled", lease_until=None, finished_at=timezone.now())
    ended = body_of(page, waiting_run, "/live")
    assert "hx-get" not in ended
    assert 'id="poller"' in ended


def test_a_silent_worker_is_named(page: Client, waiting_run: Run, settings: Any) -> None:
    start(waiting_run)
    assert "Worker silent since" not in body_of(page, waiting_run)
    Run.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=settings.LEASE_SECONDS + 5))
    assert "Worker silent since" in body_of(page, waiting_run)


@pytest.mark.parametrize(("code", "text", "advice"), [
    ("out_of_memory", "it needs more memory than the limit of 8 GiB", "fewer columns or rows"), ("bad_input", "the target 'x' has one value", "Change the answers"),
    ("worker_lost", "the worker died 2 times", "Start the run again"), ("internal", "a fault of ours", "the log has it"), ("time_limit", "it took longer than 6 h", "smaller budget"),
    ("storage_full", "the storage is full", "made room")])
def test_a_failed_run_says_what_happened_and_what_to_do(page: Client, waiting_run: Run, code: str, text: str, advice: str) -> None:
    Run.objects.filter(pk=waiting_run.pk).update(state="failed", failure_code=code, failure_text=text, finished_at=timezone.now())
    body = body_of(page, waiting_run).replace("&#x27;", "'")
    assert text in body
    assert advice in body
    assert "Start again with these answers" in body


def test_cancel_and_finish_are_asked_for_by_post_only(page: Client, stranger: Client, waiting_run: Run) -> None:
    start(waiting_run)
    for path in ("cancel", "finish", "again"):
        assert page.get(f"/runs/{waiting_run.pk}/{path}").status_code == 405
        assert stranger.post(f"/runs/{waiting_run.pk}/{path}").status_code == 404
    page.post(f"/runs/{waiting_run.pk}/finish")
    assert "Finishing with the best model so far" in body_of(page, waiting_run)
    page.post(f"/runs/{waiting_run.pk}/cancel")
    body = body_of(page, waiting_run)
    assert "Being cancelled" in body
    assert "Finish now" not in body


def test_a_viewer_sees_the_run_but_no_buttons(page: Client, waiting_run: Run) -> None:
    Membership.objects.update(role="viewer")
    assert "Cancel, throw it away" not in body_of(page, waiting_run)
    assert page.post(f"/runs/{waiting_run.pk}/cancel").status_code == 403


def test_again_fills_in_the_answers_of_the_run(page: Client, waiting_run: Run) -> None:
    assert page.post(f"/runs/{waiting_run.pk}/again")["Location"] == f"/new/{waiting_run.dataset_id}/reading"
    draft = page.session["drafts"][waiting_run.dataset_id]
    assert draft["answers"]["target"]["target"] == "income"
    assert draft["answers"]["attributes"]["sensitive"] == ["sex", "race"]


def test_stage_times_come_from_the_events_of_this_attempt(waiting_run: Run) -> None:
    run = start(waiting_run, attempt=2)
    lines = stage_lines(run, list(run.events.all()))
    assert {line.state for line in lines} == {"waiting"}  # the events are of attempt 1
    run = start(waiting_run)
    lines = stage_lines(run, list(run.events.all()))
    assert [line.state for line in lines] == ["done", "done", "active", "waiting", "waiting", "waiting", "waiting"]
    assert lines[0].end == lines[1].start


def test_a_repeated_trial_is_one_point(waiting_run: Run) -> None:
    start(waiting_run)
    RunEvent.objects.create(run=waiting_run, attempt=2, kind="trial", data={"number": 1, "best": 0.93, "score": 0.92})
    assert [(point.number, point.score) for point in trial_points(list(waiting_run.events.all()))] == [(0, 0.91), (1, 0.92)]


def test_a_trial_is_drawn_at_its_own_score_and_one_without_is_not_drawn(waiting_run: Run) -> None:
    start(waiting_run)
    for number, score in ((2, 0.88), (3, None)):
        RunEvent.objects.create(run=waiting_run, attempt=1, kind="trial", data={"number": number, "family": "torch", "score": score, "best": 0.9266, "metric": "roc_auc"})
    points = trial_points(list(waiting_run.events.all()))
    assert [(point.number, point.score, point.family) for point in points[2:]] == [(2, 0.88, "torch")]
