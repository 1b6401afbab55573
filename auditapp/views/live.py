"""One run while it waits and works, and how it ended."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language, gettext_lazy as lazy
from django.views.decorators.http import require_POST, require_safe

from auditapp import cohorts, repeats, results, runs
from auditapp.access import find
from auditapp.forms import drafts
from auditapp.forms.drafts import Draft
from auditapp.languages.chosen import said
from auditapp.models import Run, RunEvent, SavedCohort
from auditapp.time_left import time_left
from auditapp.trial_picture import TrialPoint, draw_trials
from auditapp.views.guard import PageRequest, page
from automl.errors import BadInput
from automl.hooks import STAGES
from automl.spec import SMALLER_IS_BETTER, parse_spec

STAGE_WORDS = {
    "read": lazy("Read the table"), "split": lazy("Set the audit part aside"), "tune": lazy("Search for models"), "ensemble": lazy("Combine the best"),
    "evidence": lazy("Measure on the audit part"), "draw": lazy("Draw the charts and the report"), "sign": lazy("Sign and store"),
}
STAGES_OF_KIND = {"training": STAGES, "predictions": ("read", "evidence", "draw", "sign")}
POLL_SECONDS = ((30, 2), (300, 4), (float("inf"), 10))
"""How old a run is, and how often its page asks: often while something new is likely, rarely in a two-hour run."""
WHAT_TO_DO = {
    "bad_input": lazy("The table is kept. Change the answers that the sentence names, or upload a mended table, and start again."),
    "out_of_memory": lazy("The table is kept. A run with fewer columns or rows, or one single model, needs less memory; an operator can raise the limit."),
    "time_limit": lazy("The table is kept. Start again with a smaller budget, or ask an operator to raise the limit."),
    "worker_lost": lazy("Nothing that you gave us is lost. Start the run again; if it happens twice, tell an operator."),
    "storage_full": lazy("The run and the table are kept. Start again when an operator has made room."),
    "internal": lazy("This is a fault of ours, and the log has it. The table is kept. Starting again may work; if not, give the id of the run to an operator."),
}


@dataclass(frozen=True)
class StageLine:
    name: str
    words: object
    state: str
    """done, active or waiting."""
    start: datetime | None
    end: datetime | None


@require_safe
@page("read")
def run_page(request: PageRequest, run_id: str) -> HttpResponse:
    run = find(Run.objects.select_related("dataset", "created_by"), request.caller, run_id)
    comparison = repeats.compared_with_parent(run) if run.state == "succeeded" else None
    return render(request, "run.html", _context(run) | {"comparison": comparison})


@require_safe
@page("read")
def run_live(request: PageRequest, run_id: str) -> HttpResponse:
    """The part that changes. While nothing of what it is made from changes, a poll costs a 304 and no drawing."""
    run = find(Run.objects.select_related("dataset", "created_by"), request.caller, run_id)
    etag = _etag(request, run)
    answer = get_conditional_response(request, etag=etag) or render(request, "run_live.html", _context(run) | {"poll": True})
    assert isinstance(answer, HttpResponse)
    answer["ETag"], answer["Cache-Control"] = etag, "private, no-cache"
    return answer


@require_POST
@page("cancel")
def cancel(request: PageRequest, run_id: str) -> HttpResponse:
    runs.request_cancel(find(Run, request.caller, run_id), request.caller.user)
    return redirect("run", run_id)


@require_POST
@page("run")
def finish(request: PageRequest, run_id: str) -> HttpResponse:
    runs.request_finish(find(Run, request.caller, run_id), request.caller.user)
    return redirect("run", run_id)


@require_POST
@page("run")
def again(request: PageRequest, run_id: str) -> HttpResponse:
    """The same answers once more, to be changed and started as a new run; with a saved cohort, where one is named."""
    run = find(Run.objects.select_related("dataset"), request.caller, run_id)
    draft = Draft.from_spec(parse_spec(run.spec, "training" if run.kind == "training" else "predictions"))
    if cohort := request.POST.get("cohort"):
        asked = cohorts.as_asked(find(SavedCohort, request.caller, cohort)).model_dump(mode="json")
        others = [one for one in draft.get("attributes", "cohorts", []) if one["name"] != asked["name"]]
        draft.answers["attributes"]["cohorts"] = [*others, asked]
    drafts.keep(request.session, run.dataset_id, draft)
    return redirect("new-reading", run.dataset_id)


@require_POST
@page("run")
def repeat(request: PageRequest, run_id: str) -> HttpResponse:
    """The run once more, exactly as it is recorded; its page will say whether it came to the same."""
    run = find(Run.objects.select_related("dataset", "test_dataset", "workspace"), request.caller, run_id)
    try:
        return redirect("run", repeats.repeat(run, request.caller.user).pk)
    except BadInput as why:  # the table is gone, or too many runs wait
        messages.error(request, said(f"{why.sentence}."))
        return redirect("run", run.pk)


def _etag(request: PageRequest, run: Run) -> str:
    """Of everything that the part is made from, and who reads it in which language. A worker's beat changes nothing that is shown."""
    row = {field.attname: getattr(run, field.attname) for field in run._meta.concrete_fields if field.attname not in ("heartbeat_at", "lease_until", "rung_at")}
    report = results.newest_report(run) if run.state == "succeeded" else None
    made_from = (
        row, run.dataset.deleted_at, run.events.order_by("-pk").values_list("pk", flat=True).first(), runs.place_in_queue(run), workers_of(run), report and (report.pk, report.state),
        poll_seconds(run), silent_since(run), request.caller.role, get_language())
    return f'"{hashlib.sha256(repr(made_from).encode()).hexdigest()}"'


def poll_seconds(run: Run) -> int:
    age = (timezone.now() - run.queued_at).total_seconds()
    return next(seconds for limit, seconds in POLL_SECONDS if age < limit)


def workers_of(run: Run) -> int | None:
    """How many search together, the one that leads included; None where one was asked for."""
    return run.parts.filter(state="running").count() + 1 if run.spec.get("parallel", 1) > 1 else None


def _context(run: Run) -> dict[str, Any]:
    events = list(run.events.all())
    best: dict[str, Any] = next((event.data for event in reversed(events) if event.kind == "trial" and event.data.get("best") is not None), {})
    ended = run.state in runs.ENDED
    return {
        "run": run, "stages": stage_lines(run, events), "ended": ended, "place": runs.place_in_queue(run), "trials": trial_points(events),
        # Later stages report no best any more; the last trial's event still knows it
        "best": run.progress.get("best") if run.progress.get("best") is not None else best.get("best"), "metric": run.progress.get("metric") or best.get("metric"),
        "picture": draw_trials(trial_points(events), maximize=best.get("metric") not in SMALLER_IS_BETTER) if run.kind == "training" else None,
        "poll_seconds": poll_seconds(run), "silent_since": silent_since(run),
        "left": time_left(run, events, timezone.now()),
        "what_to_do": WHAT_TO_DO.get(run.failure_code), "report": results.newest_report(run) if run.state == "succeeded" else None,
        "workers": workers_of(run),
        "restarts": sum(event.kind == "requeued" for event in events),
    }


def silent_since(run: Run) -> datetime | None:
    """When the worker was last heard, where that is longer ago than a lease lasts."""
    heard = run.heartbeat_at
    late = run.state == "running" and heard is not None and timezone.now() - heard > timedelta(seconds=settings.LEASE_SECONDS)
    return heard if late else None


def stage_lines(run: Run, events: Sequence[RunEvent]) -> list[StageLine]:
    """Each stage of this attempt with its times, from the events that were written as it happened."""
    started = {event.text: event.at for event in events if event.kind == "stage" and event.attempt == run.attempt}
    names = STAGES_OF_KIND.get(run.kind, STAGES)
    seen = [name for name in names if name in started]
    lines = []
    for name in names:
        following = seen[seen.index(name) + 1] if name in seen and name != seen[-1] else None
        end = started[following] if following else run.finished_at if name in started else None
        passed = following is not None or (name in started and run.state == "succeeded")
        state = "done" if passed else "active" if name in started and run.state == "running" else "stopped" if name in started else "waiting"
        lines.append(StageLine(name, STAGE_WORDS[name], state, started.get(name), end))
    return lines


def trial_points(events: Sequence[RunEvent]) -> list[TrialPoint]:
    """Finished trials of every attempt, each once: its own score where the event has it, else the best so far."""
    points = {}
    for event in events:
        score = event.data.get("score", event.data.get("best")) if event.kind == "trial" else None
        if isinstance(score, int | float):
            points[int(event.data["number"])] = TrialPoint(int(event.data["number"]), float(score), str(event.data.get("family") or ""))
    return sorted(points.values(), key=lambda point: point.number)
