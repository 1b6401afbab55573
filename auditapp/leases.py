"""What runs, their parts and profiles share: a row that one worker at a time holds, by the database's clock, fenced by its attempt number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, Model, Q, QuerySet
from django.db.models.functions import Coalesce, Now

LeasedModel = TypeVar("LeasedModel", bound=Model)


class LeaseLost(Exception):
    """Somebody else has the row by now, or it has ended: whoever gets this stops and writes nothing more."""


@dataclass(frozen=True)
class Fence:
    """Proof of having claimed: a write is valid while the row is running at this attempt."""

    key: Any
    attempt: int


def from_now(seconds: float) -> ExpressionWrapper:
    """The database's clock plus ``seconds`` (or minus, when negative)."""
    return ExpressionWrapper(Now() + timedelta(seconds=seconds), output_field=DateTimeField())


def take(waiting: QuerySet[LeasedModel], owner: str) -> bool:
    """Claim the one row of ``waiting`` in one conditional UPDATE; False when somebody else has it, a normal answer."""
    return bool(waiting.filter(state="queued").update(
        state="running", attempt=F("attempt") + 1, owner=owner[:200], lease_until=from_now(settings.LEASE_SECONDS), heartbeat_at=Now(),
        started_at=Coalesce(F("started_at"), Now()), rung_at=None,
    ))


def fenced(rows: QuerySet[LeasedModel], fence: Fence) -> QuerySet[LeasedModel]:
    return rows.filter(pk=fence.key, state="running", attempt=fence.attempt)


def write(rows: QuerySet[LeasedModel], fence: Fence, **columns: Any) -> None:
    """The only way to write to a claimed row; raises LeaseLost where the fence no longer stands."""
    if not fenced(rows, fence).update(**columns):
        raise LeaseLost(f"attempt {fence.attempt} of {fence.key} no longer holds the lease")


def extension() -> dict[str, Any]:
    """The columns that a beat writes."""
    return {"lease_until": from_now(settings.LEASE_SECONDS), "heartbeat_at": Now()}


def end_of_lease() -> dict[str, Any]:
    """The columns that give the row up, whatever comes next."""
    return {"lease_until": None, "owner": ""}


def expired(rows: QuerySet[LeasedModel]) -> QuerySet[LeasedModel]:
    return rows.filter(state="running", lease_until__lte=Now())


def unheard(rows: QuerySet[LeasedModel]) -> QuerySet[LeasedModel]:
    """Rows that have waited so long since the doorbell last rang for them that it should ring again."""
    long_ago = from_now(-settings.RING_AGAIN_SECONDS)
    return rows.filter(state="queued").filter(Q(rung_at__isnull=True, queued_at__lte=long_ago) | Q(rung_at__lte=long_ago))


def ring_again(waiting: QuerySet[LeasedModel], rows: QuerySet[LeasedModel], ring: Callable[[Any], None], most: int) -> int:
    """Ring for up to ``most`` rows of ``waiting`` that are `unheard`; returns for how many. ``rows``: all of their kind, in which each is looked at once
    more, so that of several sweeps at a time one rings."""
    rung = 0
    for key in unheard(waiting).values_list("pk", flat=True)[:most]:
        with transaction.atomic():
            if unheard(rows).filter(pk=key).update(rung_at=Now()):
                rung += 1
                ring(key)
    return rung


def sweep_short(rows: QuerySet[LeasedModel], ring: Callable[[Any], None], most: int, *, named: str, made: str) -> dict[str, int]:
    """Of work that begins anew when its worker is gone: ring again for what nobody took, take back what is held no longer. Idempotent, safe in parallel.

    Counts by ``named``_rung, _requeued and _lost. ``made``: what the worker was doing, as the failure's sentence has it.
    """
    counts = {f"{named}_rung": 0, f"{named}_requeued": 0, f"{named}_lost": 0}
    for key, attempt, limit in expired(rows).values_list("pk", "attempt", "max_attempts")[:most]:
        mine = expired(rows).filter(pk=key, attempt=attempt)
        with transaction.atomic():
            if attempt < limit:
                if mine.update(state="queued", queued_at=Now(), **end_of_lease()):
                    counts[f"{named}_requeued"] += 1
                    ring(key)
            else:
                counts[f"{named}_lost"] += mine.update(
                    state="failed", failure_code="worker_lost", failure_text=f"the worker that {made} died {attempt} times; it can be tried again", finished_at=Now(), **end_of_lease())
    counts[f"{named}_rung"] = ring_again(rows, rows, ring, most)
    return counts
