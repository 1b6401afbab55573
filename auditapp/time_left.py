"""How much longer a run is likely to take, as a range: what is left of its search, and as long for the rest as earlier runs of the workspace took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from auditapp.models import Run, RunEvent

USUALLY = (30.0, 180.0)
"""Seconds that everything after the search takes, where no earlier run can tell."""
LOOKED_AT = 10
AFTER_SEARCH = {"training": "ensemble", "predictions": "evidence"}
"""The stage at which a run has done with searching."""


def time_left(run: Run, events: Sequence[RunEvent], now: datetime) -> tuple[float, float] | None:
    """Fewest and most seconds; None where nothing can be said: it waits, has ended, or has not tried anything yet. In steps, so that a page says the same for a while."""
    if run.state != "running":
        return None
    began = _last(events, "stage", AFTER_SEARCH[run.kind], run.attempt)
    low, high = _rest_of_earlier_runs(run)
    if began is not None:
        passed = (now - began).total_seconds()
        low, high = low - passed, high - passed
    elif run.kind == "training":
        tuning = _of_search(run.progress, _last(events, "stage", "tune", run.attempt), now)
        if tuning is None:
            return None
        low, high = low + tuning[0], high + tuning[1]
    return None if high <= 0 else (_stepped(low), _stepped(high))


def _of_search(progress: Mapping[str, Any], began: datetime | None, now: datetime) -> tuple[float, float] | None:
    left, done, total = progress.get("seconds_left"), progress.get("done") or 0, progress.get("total") or 0
    by_clock = (0.0, float(left)) if isinstance(left, int | float) else None
    if began is None or not 0 < done <= total:
        return by_clock
    by_count = (now - began).total_seconds() / done * (total - done)
    # Trials are of unequal length; a search ends with whichever budget is used up first
    return (0.7 * by_count, 1.5 * by_count) if by_clock is None else (min(by_clock[1], 0.7 * by_count), min(by_clock[1], 1.5 * by_count))


def _rest_of_earlier_runs(run: Run) -> tuple[float, float]:
    earlier = Run.objects.filter(workspace_id=run.workspace_id, kind=run.kind, state="succeeded").exclude(pk=run.pk).order_by("-finished_at")[:LOOKED_AT]
    ends = {one.pk: one.finished_at for one in earlier}
    begins = RunEvent.objects.filter(run__in=list(ends), kind="stage", text=AFTER_SEARCH[run.kind]).order_by("attempt")
    last = {event.run_id: event.at for event in begins}
    took = [(end - last[pk]).total_seconds() for pk, end in ends.items() if pk in last and end is not None]
    return (0.8 * min(took), 1.25 * max(took)) if took else USUALLY


def _last(events: Sequence[RunEvent], kind: str, text: str, attempt: int) -> datetime | None:
    return next((event.at for event in reversed(events) if event.kind == kind and event.text == text and event.attempt == attempt), None)


def _stepped(seconds: float) -> float:
    step = 15 if seconds < 120 else 60 if seconds < 3600 else 600
    return max(0.0, float(round(seconds / step) * step))
