"""`Idempotency-Key` on creating calls: the same key and body get the same answer for 24 hours, and one thing is made however often it is asked.

1. A row (user, key) is reserved; the unique constraint lets one of many in.
2. Whatever is created marks that row in the very transaction that creates it (`_mark`), fenced by the reservation's time: either both exist or neither.
   So a process that dies anywhere leaves nothing half-made, and a slow first call whose reservation was taken over creates nothing.
3. The answer is stored for those who ask again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction
from django.db.models.signals import post_save
from django.http import HttpRequest
from django.utils import timezone

from auditapp.access import Caller
from auditapp.models import Dataset, IdempotencyKey, Run, Webhook
from auditapp.problems import Problem

KEPT = timedelta(hours=24)
ABANDONED = timedelta(seconds=30)
"""A reservation older than this without an answer belongs to a process that died, or is so slow that another may take over."""

_KEY = re.compile(r"[\x21-\x7e]{1,255}")

_Made = TypeVar("_Made", bound=models.Model)


@dataclass(frozen=True)
class Answer:
    status: int
    document: dict[str, Any]
    location: str = ""
    kept: bool = True
    """False where it holds a secret: it is then made anew for who asks again, and stored nowhere."""


@dataclass(frozen=True)
class _Reservation:
    pk: int
    at: Any
    model: type[models.Model]
    status: int


_reserved: ContextVar[_Reservation | None] = ContextVar("reserved_idempotency_key", default=None)


class TakenOver(Exception):
    """Another call took this reservation over; what was about to be created is rolled back."""


def answer_once(
    request: HttpRequest, caller: Caller, route: str, body_sha256: Callable[[], str], model: type[_Made], make: Callable[[], _Made],
    answer: Callable[[_Made], Answer],
) -> Answer:
    """Runs ``make`` (which creates one row of ``model``) and says ``answer`` of it, once for the request's key; without a key, simply.

    Raises Problem: malformed key, key used for another body or route (422), first call still in flight (409).
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return answer(make())
    if _KEY.fullmatch(key) is None:
        raise Problem("malformed", "Idempotency-Key must be 1 to 255 visible ASCII characters without spaces.")
    # The workspace belongs to the route: a key must not hand one workspace's answer to another
    asked = IdempotencyKey(user=caller.user, key=key, route=f"{route} {caller.workspace.pk}", body_sha256=body_sha256())
    row, is_ours = _reserve(asked)
    if not is_ours:
        return _again(row, model, answer)
    return _first_time(row, model, make, answer)


def _reserve(asked: IdempotencyKey) -> tuple[IdempotencyKey, bool]:
    """The row of the key, and whether this call is the one to answer it."""
    IdempotencyKey.objects.filter(user=asked.user, created_at__lt=timezone.now() - KEPT).delete()
    try:
        with transaction.atomic():
            asked.save(force_insert=True)
        return asked, True
    except IntegrityError:
        row = IdempotencyKey.objects.filter(user=asked.user, key=asked.key).first()
    if row is None:
        # The first call failed and gave the key back just now
        raise Problem("in-flight", headers={"Retry-After": "1"})
    if (row.route, row.body_sha256) != (asked.route, asked.body_sha256):
        raise Problem("key-reused", "This Idempotency-Key was used for another body or another address; use a new key.")
    return row, row.status is None and _took_over(row)


def _took_over(row: IdempotencyKey) -> bool:
    now = timezone.now()
    taken = IdempotencyKey.objects.filter(pk=row.pk, status=None, created_at=row.created_at, created_at__lt=now - ABANDONED).update(created_at=now)
    row.created_at = now if taken else row.created_at
    return bool(taken)


def _again(row: IdempotencyKey, model: type[_Made], answer: Callable[[_Made], Answer]) -> Answer:
    if row.status is None or row.response is None:
        raise Problem("in-flight", headers={"Retry-After": "1"})
    if set(row.response) != {"id"}:
        return Answer(row.status, row.response, row.location)
    # The first call died after creating and before its answer was stored
    made = model._default_manager.filter(pk=row.response["id"]).first()
    if made is None:
        raise Problem("not-found", "What this Idempotency-Key created has been deleted since.")
    return _kept(row, answer(made))


def _first_time(row: IdempotencyKey, model: type[_Made], make: Callable[[], _Made], answer: Callable[[_Made], Answer]) -> Answer:
    try:
        with _marking(_Reservation(row.pk, row.created_at, model, 202 if model is Run else 201)):
            made = make()
    except TakenOver:
        raise Problem("in-flight", headers={"Retry-After": "1"}) from None
    except BaseException:
        # Nothing was created, so the key is free for the corrected call
        IdempotencyKey.objects.filter(pk=row.pk, status=None, created_at=row.created_at).delete()
        raise
    return _kept(row, answer(made))


def _kept(row: IdempotencyKey, answer: Answer) -> Answer:
    if answer.kept:
        IdempotencyKey.objects.filter(pk=row.pk).update(status=answer.status, response=answer.document, location=answer.location)
    return answer


@contextmanager
def _marking(reservation: _Reservation) -> Iterator[None]:
    reset = _reserved.set(reservation)
    try:
        yield
    finally:
        _reserved.reset(reset)


def _mark(sender: type[models.Model], instance: models.Model, created: bool, **_: Any) -> None:
    """Signal of a saved row, inside the transaction that saves it: ties the key to what it created."""
    reservation = _reserved.get()
    if reservation is None or not created or sender is not reservation.model:
        return
    marked = IdempotencyKey.objects.filter(pk=reservation.pk, status=None, created_at=reservation.at).update(
        status=reservation.status, response={"id": instance.pk})
    if not marked:
        raise TakenOver


for _model in (Dataset, Run, Webhook):
    post_save.connect(_mark, sender=_model, dispatch_uid=f"idempotency-{_model.__name__}")
