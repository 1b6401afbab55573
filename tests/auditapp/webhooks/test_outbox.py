"""The outbox: what is written when something happens, and what becomes of it."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from auditapp import ledger, runs
from auditapp.access import Caller
from auditapp.models import Delivery, LedgerEntry, RunEvent, Webhook
from auditapp.webhooks import outbox as webhooks
from auditapp.webhooks.outbox import DELAYS, EVENTS, Outcome, Sending
from automl.errors import BadInput

URL = "https://93.184.215.14/hook"
ARRIVED, FAILED, GONE = Outcome(200, "answered 200"), Outcome(500, "answered 500"), Outcome(410, "answered 410")


@pytest.fixture
def owner(people: Any) -> Caller:
    return Caller(people.users["owner"], people.workspace, "owner")


@pytest.fixture
def webhook(owner: Caller) -> Webhook:
    return webhooks.create(owner, url=URL, events=EVENTS)


def _due_now() -> None:
    Delivery.objects.filter(state="waiting").update(due_at=timezone.now() - timedelta(seconds=1), sending_until=None)


def _claimed(webhook: Webhook) -> Sending:
    sending = webhooks.claim(webhook.pk)
    assert sending is not None
    return sending


def test_the_signature_is_that_of_the_standard() -> None:
    """The vector that the standard's own libraries are tested with."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert webhooks.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}') == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_attempts_take_three_days() -> None:
    assert list(DELAYS) == sorted(DELAYS)
    assert 2.9 * 86_400 < sum(DELAYS) < 3.1 * 86_400


def test_a_run_that_succeeds_is_told_with_its_report(webhook: Webhook, succeeded_run: Any) -> None:
    run = succeeded_run()
    told = {delivery.type: delivery for delivery in Delivery.objects.all()}
    assert set(told) == {"run.succeeded", "report.signed"}
    body = told["report.signed"].body
    assert (set(body), body["id"], body["type"]) == ({"id", "type", "timestamp", "data"}, told["report.signed"].pk, "report.signed")
    assert body["data"] == {"run": run.pk, "report": run.reports.get().pk, "version": 1}
    assert told["run.succeeded"].body["data"] == {"run": run.pk}


def test_an_unsigned_report_is_not_told(webhook: Webhook, succeeded_run: Any) -> None:
    succeeded_run(signed=False)
    assert [delivery.type for delivery in Delivery.objects.all()] == ["run.succeeded"]


def test_only_what_was_chosen_is_told_and_nobody_elses(owner: Caller, people: Any, succeeded_run: Any) -> None:
    webhooks.create(owner, url=URL, events=["run.failed"])
    off = webhooks.create(owner, url=URL, events=EVENTS)
    webhooks.change(off, owner, {"enabled": False})
    webhooks.create(Caller(people.users["stranger"], people.elsewhere, "owner"), url=URL, events=EVENTS)
    succeeded_run()
    assert Delivery.objects.count() == 0


def test_event_and_delivery_are_one_transaction(webhook: Webhook, people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rest = people.rest("owner")
    run = rest.post("/runs", {"dataset": rest.upload().json()["id"], "spec": {"target": "income"}}).json()["id"]

    def breaks(*arguments: Any, **more: Any) -> None:
        raise RuntimeError("the ledger")

    with monkeypatch.context() as broken:
        broken.setattr(ledger, "append", breaks)
        with pytest.raises(RuntimeError):
            runs.request_cancel(runs.Run.objects.get(pk=run), None)
    assert (Delivery.objects.count(), RunEvent.objects.filter(kind="cancelled").count()) == (0, 0)
    runs.request_cancel(runs.Run.objects.get(pk=run), None)
    runs.request_cancel(runs.Run.objects.get(pk=run), None)
    assert [delivery.type for delivery in Delivery.objects.all()] == ["run.cancelled"]


def test_one_at_a_time_and_once(webhook: Webhook, succeeded_run: Any) -> None:
    succeeded_run()
    first = _claimed(webhook)
    assert webhooks.claim(webhook.pk) is None
    webhooks.note(first, ARRIVED)
    second = _claimed(webhook)
    assert second.delivery_id != first.delivery_id
    webhooks.note(second, ARRIVED)
    assert webhooks.claim(webhook.pk) is None
    assert Delivery.objects.filter(state="delivered").count() == 2


def test_what_a_dead_worker_held_is_sent_again_and_its_late_note_changes_nothing(webhook: Webhook, succeeded_run: Any) -> None:
    succeeded_run(signed=False)
    late = _claimed(webhook)
    Delivery.objects.update(sending_until=timezone.now() - timedelta(seconds=1))
    again = _claimed(webhook)
    assert (again.delivery_id, again.attempt) == (late.delivery_id, 2)
    webhooks.note(late, ARRIVED)
    assert Delivery.objects.get().state == "waiting"
    webhooks.note(again, ARRIVED)
    assert Delivery.objects.get().state == "delivered"


def test_t48_after_the_last_attempt_the_webhook_is_disabled_and_can_be_had_back(webhook: Webhook, owner: Caller, succeeded_run: Any) -> None:
    succeeded_run(signed=False)
    for number in range(1, len(DELAYS) + 2):
        assert Webhook.objects.get().disabled_at is None
        _due_now()
        sending = _claimed(webhook)
        assert sending.attempt == number
        webhooks.note(sending, FAILED)
    delivery = Delivery.objects.get()
    assert (delivery.state, len(delivery.attempts)) == ("failed", len(DELAYS) + 1)
    webhook.refresh_from_db()
    assert webhook.disabled_why == "three days of attempts failed, the last: answered 500"
    assert LedgerEntry.objects.filter(action="webhook.disabled", subject=webhook.pk).exists()
    with pytest.raises(webhooks.Disabled):
        webhooks.replay(Delivery.objects.select_related("webhook__workspace").get(), owner)
    webhooks.change(webhook, owner, {"enabled": True})
    webhooks.replay(Delivery.objects.select_related("webhook__workspace").get(), owner)
    again = _claimed(webhook)
    assert (again.delivery_id, again.attempt, json.loads(again.body)) == (delivery.pk, 1, delivery.body)


def test_t48_410_ends_it_at_once(webhook: Webhook, succeeded_run: Any) -> None:
    succeeded_run()
    webhooks.note(_claimed(webhook), GONE)
    webhook.refresh_from_db()
    assert webhook.disabled_why == "the receiver answered 410: gone"
    assert set(Delivery.objects.values_list("state", flat=True)) == {"failed"}, "what waits beside it has nowhere to go either"


def test_for_a_day_both_secrets_sign(webhook: Webhook, owner: Caller, succeeded_run: Any) -> None:
    before = webhooks.secret_text(webhook)
    succeeded_run()
    webhooks.rotate(webhook, owner)
    after = webhooks.secret_text(webhook)
    assert before != after
    assert before.startswith("whsec_")
    assert _claimed(webhook).secrets == tuple(base64.b64decode(text.removeprefix("whsec_")) for text in (after, before))
    Webhook.objects.update(former_until=timezone.now() - timedelta(seconds=1))
    _due_now()
    assert len(_claimed(webhook).secrets) == 1


def test_no_secret_lies_in_the_database(webhook: Webhook, people: Any) -> None:
    """T-31, of webhooks: not even where an Idempotency-Key keeps answers."""
    rest = people.rest("owner")
    made = rest.post("/webhooks", {"url": URL, "events": ["run.failed"]}, **{"Idempotency-Key": "k"})
    again = rest.post("/webhooks", {"url": URL, "events": ["run.failed"]}, **{"Idempotency-Key": "k"})
    assert (made.status_code, made.json()) == (201, again.json())
    secret = made.json()["secret"].removeprefix("whsec_")
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            assert all(secret not in str(row) for row in cursor.fetchall()), table


@pytest.mark.parametrize(("change", "pointer"), [({"url": "https://127.0.0.1/"}, "/url"), ({"events": ["run.begun"]}, "/events"), ({"events": []}, "/events")])
def test_what_is_refused_when_it_is_made_is_refused_when_it_is_changed(change: dict[str, Any], pointer: str, webhook: Webhook, owner: Caller) -> None:
    for call in (lambda: webhooks.create(owner, **{"url": URL, "events": EVENTS, **change}), lambda: webhooks.change(webhook, owner, change)):
        with pytest.raises(BadInput) as refused:
            call()
        assert refused.value.pointer == pointer
    webhook.refresh_from_db()
    assert (webhook.url, Webhook.objects.count()) == (URL, 1)


def test_a_workspace_has_so_many_at_most(owner: Caller) -> None:
    for _ in range(webhooks.MOST_WEBHOOKS):
        webhooks.create(owner, url=URL, events=EVENTS)
    with pytest.raises(BadInput, match="at most 10"):
        webhooks.create(owner, url=URL, events=EVENTS)


def test_the_sweep_rings_for_what_is_due_and_forgets_what_ended_long_ago(webhook: Webhook, succeeded_run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr("auditapp.dispatch.ring_webhook", rung.append)
    succeeded_run()
    rung.clear()
    assert webhooks.sweep() == {"webhooks_rung": 1, "deliveries_forgotten": 0}
    assert rung == [webhook.pk]
    webhooks.note(_claimed(webhook), ARRIVED)
    Delivery.objects.filter(state="delivered").update(ended_at=timezone.now() - timedelta(days=31))
    assert webhooks.sweep()["deliveries_forgotten"] == 1
    with transaction.atomic():
        webhooks.remove(webhook, Caller(webhook.created_by, webhook.workspace, "owner"))
    assert Delivery.objects.count() == 0
