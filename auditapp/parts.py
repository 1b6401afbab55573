"""Further workers for one run's search: the only writer of RunPart, and of the events of kind "part".

A run that asks for ``parallel`` = p has one leading part, the run itself, and p - 1 more, each a row with a lease of its own.

    queued -> running -> ended | failed        queued -> ended: its run needs no more parts
    running -> queued        by `sweep` where the worker was lost, and by `hand_back`

A part only adds trials to its run. Where it is lost, its trial is lost and nothing else; where its run is no longer at the attempt that it joined, or has
done with tuning, it stops. So a worker that helps is free again as soon as a run needs one that leads.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Now

from auditapp import dispatch, leases, runs
from auditapp.leases import Fence, LeaseLost
from auditapp.models import Run, RunEvent, RunPart, RunTrial
from auditapp.runs import Wish
from automl.hooks import Progress

logger = logging.getLogger(__name__)

LEADS = 0
"""The number of the leading part, which has no row of its own."""
TUNING = ("", "read", "split", "tune")
"""Stages of a run in which one more part is of use."""
_BATCH = 100


class NotNeeded(Exception):
    """The run has no use for this part any more: it has ended, or lost the worker that led it."""


@dataclass(frozen=True)
class PartLease:
    """What a worker needs to take part, and the fence behind which it writes."""

    part_id: int
    attempt: int
    number: int
    run_id: str
    run_attempt: int
    spec: dict[str, Any]
    dataset_sha256: str
    test_sha256: str | None
    spent_seconds: float
    """What the run had used of its budget when this part joined."""

    @property
    def fence(self) -> Fence:
        return Fence(self.part_id, self.attempt)


def invite(lease: runs.Lease) -> None:
    """Have further workers join the run that was just claimed; whoever is free comes."""
    with transaction.atomic():
        for number in range(1, lease.parallel):
            part, _new = RunPart.objects.get_or_create(run_id=lease.run_id, number=number, defaults={"max_attempts": settings.MAX_ATTEMPTS})
            dispatch.ring_part(part.pk)


def claim(part_id: int, owner: str) -> PartLease | None:
    """Take the part if its run can use it; None is a normal answer."""
    with transaction.atomic():
        if not leases.take(_open().filter(pk=part_id), owner):
            return None
        part = RunPart.objects.select_related("run__dataset", "run__test_dataset").get(pk=part_id)
        run = part.run
        _tell(run.pk, run.attempt, f"part {part.number} joined", {"part": part.number, "owner": owner})
        return PartLease(
            part_id=part_id, attempt=part.attempt, number=part.number, run_id=run.pk, run_attempt=run.attempt, spec=run.spec, dataset_sha256=run.dataset.sha256,
            test_sha256=run.test_dataset.sha256 if run.test_dataset else None, spent_seconds=runs.seconds_spent(run) + _seconds_since_claim(run))


def beat(lease: PartLease, progress: Progress | None = None) -> Wish | None:
    """Keep the lease; what the person wishes of the run. ``progress`` is the part's own and not shown. Raises LeaseLost and NotNeeded."""
    leases.write(_parts(), lease.fence, **leases.extension())
    return wish(lease)


def wish(lease: PartLease) -> Wish | None:
    """As `auditapp.runs.wish`, and "finish" once the run has done with tuning. Reads only. Raises LeaseLost and NotNeeded."""
    run = Run.objects.filter(pk=lease.run_id, state="running", attempt=lease.run_attempt).values_list("cancel_requested_at", "finish_requested_at", "stage").first()
    if run is None:
        raise NotNeeded(f"{lease.run_id} is no longer at attempt {lease.run_attempt}")
    if not leases.fenced(_parts(), lease.fence).exists():
        raise LeaseLost(f"attempt {lease.attempt} of part {lease.number} of {lease.run_id} no longer holds the lease")
    cancelled, finished, stage = run
    return "cancel" if cancelled else "finish" if finished or stage not in TUNING else None


def record_trial(lease: PartLease, number: int, path: Path, progress: Progress | None = None, *, family: str = "", score: float | None = None) -> None:
    """As `auditapp.runs.record_trial`, behind the part's own fence. Raises NotNeeded where the run has gone on without it."""
    stored = runs.store_trial(path)
    with transaction.atomic():
        leases.write(_parts(), lease.fence, **leases.extension())
        # Locked, so that the run does not end, and forget its trials, between this look and our row
        if not Run.objects.select_for_update(no_key=True).filter(pk=lease.run_id, state="running", attempt=lease.run_attempt).exists():
            raise NotNeeded(f"{lease.run_id} is no longer at attempt {lease.run_attempt}")
        # The best of this part is not the best of the run, which the leading part tells
        runs.keep_trial(lease.run_id, lease.run_attempt, number, stored, None, family=family, score=score)


def end(lease: PartLease) -> None:
    """The part has done what there was to do. Raises LeaseLost."""
    leases.write(_parts(), lease.fence, state="ended", finished_at=Now(), **leases.end_of_lease())


def hand_back(lease: PartLease) -> None:
    """This worker stops, or the run lost the one that leads it: the part may be taken again, and the attempt does not count. Raises LeaseLost."""
    leases.write(_parts(), lease.fence, state="queued", queued_at=Now(), max_attempts=F("max_attempts") + 1, **leases.end_of_lease())


def lose(lease: PartLease, why: str) -> None:
    """The child died: the lease ends at once and `sweep` decides. Raises LeaseLost."""
    with transaction.atomic():
        leases.write(_parts(), lease.fence, lease_until=Now())
        _tell(lease.run_id, lease.run_attempt, f"part {lease.number} lost its child: {why}", {"part": lease.number})


def fail(lease: PartLease, code: str, text: str) -> None:
    """This part cannot go on, and another attempt would end like it; its run goes on without. Raises LeaseLost."""
    with transaction.atomic():
        leases.write(_parts(), lease.fence, state="failed", failure_code=code, failure_text=text, finished_at=Now(), **leases.end_of_lease())
        _tell(lease.run_id, lease.run_attempt, f"part {lease.number} failed: {text}", {"part": lease.number, "code": code})


def holders(run_id: str) -> set[tuple[int, int]]:
    """(number, attempt) of every part of the run whose lease stands now, the leading one included: whose open trials are not lost."""
    helping = RunPart.objects.filter(run_id=run_id, state="running", lease_until__gt=Now()).values_list("number", "attempt")
    leading = Run.objects.filter(pk=run_id, state="running").values_list("attempt", flat=True)
    return {*helping, *((LEADS, attempt) for attempt in leading)}


def stored_trials(run_id: str) -> set[int]:
    """The numbers of the run's trials whose files are kept, whichever part made them."""
    return set(RunTrial.objects.filter(run_id=run_id).values_list("number", flat=True))


def still_active(run_ids: list[str]) -> set[str]:
    """Those of the runs that have not ended."""
    return set(Run.objects.filter(pk__in=run_ids).exclude(state__in=runs.ENDED).values_list("pk", flat=True))


def sweep() -> dict[str, int]:
    """Take back what dead workers held, ring again for what nobody took, end what no run needs. Idempotent, safe in parallel."""
    counts = {"parts_rung": 0, "parts_requeued": 0, "parts_lost": 0}
    for key, attempt, limit, number, run_id in leases.expired(_parts()).values_list("pk", "attempt", "max_attempts", "number", "run_id")[:_BATCH]:
        mine = leases.expired(_parts()).filter(pk=key, attempt=attempt)
        with transaction.atomic():
            if attempt < limit:
                if mine.update(state="queued", queued_at=Now(), **leases.end_of_lease()):
                    counts["parts_requeued"] += 1
                    _tell(run_id, _attempt_of(run_id), f"part {number} lost its worker", {"part": number})
                    dispatch.ring_part(key)
            elif mine.update(state="failed", failure_code="worker_lost", failure_text=f"its worker died {attempt} times", finished_at=Now(), **leases.end_of_lease()):
                counts["parts_lost"] += 1
                _tell(run_id, _attempt_of(run_id), f"part {number} lost its worker {attempt} times and is not tried again", {"part": number})
    _parts().filter(state="queued").filter(Exists(Run.objects.filter(pk=OuterRef("run"), state__in=runs.ENDED))).update(state="ended", finished_at=Now())
    counts["parts_rung"] = leases.ring_again(_open(), _parts(), dispatch.ring_part, _BATCH)
    return counts


def _parts() -> QuerySet[RunPart]:
    return RunPart.objects.all()


def _open() -> QuerySet[RunPart]:
    """Waiting parts that could join now: somebody leads their run, it is still tuning, and nobody asked it to end."""
    wanting = Run.objects.filter(pk=OuterRef("run"), state="running", stage__in=TUNING, cancel_requested_at__isnull=True, finish_requested_at__isnull=True)
    return _parts().filter(state="queued").filter(Exists(wanting))


def _tell(run_id: str, run_attempt: int, text: str, data: dict[str, Any]) -> None:
    RunEvent.objects.create(run_id=run_id, attempt=run_attempt, kind="part", text=text, data=data)


def _attempt_of(run_id: str) -> int:
    return Run.objects.filter(pk=run_id).values_list("attempt", flat=True).first() or 0


def _seconds_since_claim(run: Run) -> float:
    """By the database's clock, as the lead's own clock runs on another machine."""
    claimed = RunEvent.objects.filter(run=run, attempt=run.attempt, kind="claimed").annotate(now=Now()).values_list("at", "now").first()
    return max((claimed[1] - claimed[0]).total_seconds(), 0.0) if claimed else 0.0
