"""Webhooks: a workspace's events, told to programs elsewhere as Standard Webhooks 1.0.0 has it. The only writer of Webhook and Delivery.

    delivery: waiting -> delivered | failed        failed, delivered -> waiting only by `replay`

1. `announce` writes one delivery a webhook in the transaction of the event itself: either both exist or neither.
2. A worker claims what is due, one at a time a webhook, and sends it (`workers.webhooks`); `note` says how it went, fenced by the attempt.
3. What did not arrive is due again after `DELAYS`, with the same id and body; after the last of them it has failed, and the webhook is disabled.

A secret is made from the installation's key, the webhook's id and a number, so that none lies in the database. A new number makes the next one; for a day both sign.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac

from auditapp import dispatch, ledger
from auditapp.leases import from_now
from auditapp.models import Delivery, Report, Webhook, Workspace
from auditapp.webhooks.addresses import checked_target
from automl.errors import BadInput
from automl.evidence import canonical_json

if TYPE_CHECKING:
    from auditapp.access import Caller

Event = Literal["run.succeeded", "run.failed", "run.cancelled", "report.signed"]
EVENTS: tuple[Event, ...] = get_args(Event)
MOST_WEBHOOKS = 10
"""Of a workspace."""

_MINUTE, _HOUR = 60, 3600
DELAYS = (5, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 16 * _HOUR, 24 * _HOUR)
"""Seconds from one attempt to the next: three days in all."""
SENDING_SECONDS = 120
"""Longer than any sending takes; then whoever held it is gone."""
BOTH_SECRETS = timedelta(hours=24)
KEPT = timedelta(days=30)
"""How long the log of what has ended is kept."""
_MOST_NOTED = 20
_BATCH = 100


class Disabled(Exception):
    """What was asked needs a webhook that is not disabled."""


@dataclass(frozen=True)
class Sending:
    """What a worker needs to send one delivery, and the fence behind which it notes how that went."""

    delivery_id: str
    attempt: int
    url: str
    body: bytes
    secrets: tuple[bytes, ...]

    def headers(self, timestamp: int) -> dict[str, str]:
        """Standard Webhooks 1.0.0; one signature for each secret that is valid now."""
        return {
            "content-type": "application/json", "user-agent": "Plumbline", "webhook-id": self.delivery_id, "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(signature(secret, self.delivery_id, timestamp, self.body) for secret in self.secrets)}


@dataclass(frozen=True)
class Outcome:
    """How a sending went. ``status`` is None where nobody answered."""

    status: int | None
    sentence: str

    @property
    def has_arrived(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_unwanted(self) -> bool:
        """410: the receiver says that it is gone for good."""
        return self.status == 410


# --- what owners do


def create(caller: Caller, *, url: str, events: Sequence[str], description: str = "") -> Webhook:
    """A webhook of the caller's workspace. Raises BadInput where the address may not be sent to, or there are too many."""
    chosen = _events(events)
    checked_target(url)
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).get(pk=caller.workspace.pk)
        if Webhook.objects.filter(workspace=caller.workspace).count() >= MOST_WEBHOOKS:
            raise BadInput(f"url: a workspace has at most {MOST_WEBHOOKS} webhooks; delete one first", pointer="/url")
        webhook = Webhook.objects.create(workspace=caller.workspace, url=url, events=chosen, description=description[:200], created_by=caller.user)
        ledger.append(caller.workspace, caller.actor, "webhook.created", webhook.pk, {"url": url, "events": chosen})
    return webhook


def change(webhook: Webhook, caller: Caller, said: Mapping[str, Any]) -> None:
    """Another address, other events, another description, on or off: whatever of it ``said`` names. Raises BadInput."""
    columns: dict[str, Any] = {name: said[name] for name in ("url", "description") if name in said}
    if "url" in columns:
        checked_target(columns["url"])
    if "events" in said:
        columns["events"] = _events(said["events"])
    if "enabled" in said:
        columns |= {"disabled_at": None, "disabled_why": ""} if said["enabled"] else {"disabled_at": Now(), "disabled_why": "by an owner"}
    if not columns:
        return
    with transaction.atomic():
        Webhook.objects.filter(pk=webhook.pk).update(**columns)
        if said.get("enabled") is False:
            _give_up(webhook.pk)
        ledger.append(webhook.workspace, caller.actor, "webhook.changed", webhook.pk, dict(said))
    webhook.refresh_from_db()


def rotate(webhook: Webhook, caller: Caller) -> None:
    """The next secret; the one before it signs too for a day."""
    with transaction.atomic():
        Webhook.objects.filter(pk=webhook.pk).update(secret_number=F("secret_number") + 1, former_until=timezone.now() + BOTH_SECRETS)
        ledger.append(webhook.workspace, caller.actor, "webhook.rotated", webhook.pk)
    webhook.refresh_from_db()


def remove(webhook: Webhook, caller: Caller) -> None:
    """The webhook goes with its log; what waits is not sent."""
    with transaction.atomic():
        workspace, webhook_id = webhook.workspace, webhook.pk
        webhook.delete()
        ledger.append(workspace, caller.actor, "webhook.deleted", webhook_id)


def replay(delivery: Delivery, caller: Caller) -> None:
    """Send what has ended once more, with the same id and body. Raises Disabled."""
    if delivery.webhook.disabled_at is not None:
        raise Disabled("The webhook is disabled; enable it first.")
    with transaction.atomic():
        again = Delivery.objects.filter(pk=delivery.pk).exclude(state="waiting").update(state="waiting", attempt=0, due_at=Now(), sending_until=None, ended_at=None)
        if again:
            dispatch.ring_webhook(delivery.webhook_id)
            ledger.append(delivery.webhook.workspace, caller.actor, "webhook.replayed", delivery.webhook_id, {"delivery": delivery.pk})
    delivery.refresh_from_db()


def secret_text(webhook: Webhook) -> str:
    """The present secret as its owner is shown it, once."""
    return "whsec_" + base64.b64encode(_secret(webhook, webhook.secret_number)).decode()


def signature(secret: bytes, delivery_id: str, timestamp: int, body: bytes) -> str:
    """Standard Webhooks 1.0.0: HMAC-SHA256 over id, time and body."""
    digest = hmac.new(secret, f"{delivery_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


# --- what happens


def announce(run_id: str, event: str, **more: Any) -> None:
    """Write the event down for each webhook that wants it, in the caller's transaction. It says what happened to which run, and nothing of what is in it."""
    for webhook in Webhook.objects.filter(workspace__runs=run_id, disabled_at=None):
        if event in webhook.events:
            delivery = Delivery(webhook=webhook, type=event, due_at=Now())
            delivery.body = {"id": delivery.pk, "type": event, "timestamp": timezone.now().isoformat(timespec="milliseconds"), "data": {"run": run_id, **more}}
            delivery.save(force_insert=True)
            dispatch.ring_webhook(webhook.pk)


def announce_report(report: Report) -> None:
    """A version of a run's report has its signature."""
    announce(report.run_id, "report.signed", report=report.pk, version=report.version)


# --- what a worker does


def claim(webhook_id: str) -> Sending | None:
    """The webhook's delivery that has been due longest, for one attempt; None where there is none, or one is being sent."""
    key = _due().filter(webhook=webhook_id).order_by("due_at", "pk").values_list("pk", flat=True).first()
    if key is None or not _due().filter(pk=key).update(attempt=F("attempt") + 1, sending_until=from_now(SENDING_SECONDS)):
        return None
    delivery = Delivery.objects.select_related("webhook").get(pk=key)
    webhook = delivery.webhook
    secrets = [_secret(webhook, webhook.secret_number)]
    if webhook.former_until is not None and webhook.former_until > timezone.now():
        secrets.append(_secret(webhook, webhook.secret_number - 1))
    return Sending(key, delivery.attempt, webhook.url, canonical_json(delivery.body), tuple(secrets))


def note(sending: Sending, outcome: Outcome) -> None:
    """What came of the attempt. Nothing is written where another attempt has begun since, or the delivery is gone."""
    with transaction.atomic():
        mine = Delivery.objects.select_for_update().filter(pk=sending.delivery_id, state="waiting", attempt=sending.attempt)
        delivery = mine.select_related("webhook__workspace").first()
        if delivery is None:
            return
        log = [*delivery.attempts, {"at": timezone.now().isoformat(timespec="seconds"), "status": outcome.status, "sentence": outcome.sentence[:300]}][-_MOST_NOTED:]
        if outcome.has_arrived:
            mine.update(state="delivered", ended_at=Now(), sending_until=None, attempts=log)
        elif outcome.is_unwanted or sending.attempt > len(DELAYS):
            mine.update(state="failed", ended_at=Now(), sending_until=None, attempts=log)
            _disable(delivery.webhook, outcome)
        else:
            mine.update(due_at=from_now(DELAYS[sending.attempt - 1]), sending_until=None, attempts=log)


def sweep() -> dict[str, int]:
    """Ring for every webhook that something is due for; forget what ended long ago. Idempotent, safe in parallel."""
    waiting = _due().order_by().values_list("webhook", flat=True).distinct()[:_BATCH]
    for webhook_id in waiting:
        dispatch.ring_webhook(webhook_id)
    forgotten, _ = Delivery.objects.filter(ended_at__lt=timezone.now() - KEPT).delete()
    return {"webhooks_rung": len(waiting), "deliveries_forgotten": forgotten}


# --- the pieces


def _due() -> QuerySet[Delivery]:
    """Of webhooks that nothing is being sent to."""
    busy = Delivery.objects.filter(webhook=OuterRef("webhook"), state="waiting", sending_until__gt=Now())
    return Delivery.objects.filter(Q(sending_until=None) | Q(sending_until__lte=Now()), ~Exists(busy), state="waiting", due_at__lte=Now(), webhook__disabled_at=None)


def _disable(webhook: Webhook, outcome: Outcome) -> None:
    why = "the receiver answered 410: gone" if outcome.is_unwanted else f"three days of attempts failed, the last: {outcome.sentence}"
    if Webhook.objects.filter(pk=webhook.pk, disabled_at=None).update(disabled_at=Now(), disabled_why=why[:300]):
        _give_up(webhook.pk)
        ledger.append(webhook.workspace, "service", "webhook.disabled", webhook.pk, {"why": why[:300]})


def _give_up(webhook_id: str) -> None:
    """What waits for a disabled webhook has failed; it can be replayed."""
    Delivery.objects.filter(webhook=webhook_id, state="waiting").update(state="failed", ended_at=Now(), sending_until=None)


def _events(chosen: Sequence[str]) -> list[str]:
    unknown = sorted(set(chosen) - set(EVENTS))
    if unknown or not chosen:
        raise BadInput(f"events: choose from {', '.join(EVENTS)}", pointer="/events")
    return [event for event in EVENTS if event in chosen]


def _secret(webhook: Webhook, number: int) -> bytes:
    return salted_hmac("auditapp.webhooks.outbox", f"{webhook.pk}:{number}", algorithm="sha256").digest()
