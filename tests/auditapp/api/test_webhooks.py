"""Webhooks over REST, as an owner's program makes and looks after them."""

from __future__ import annotations

from typing import Any

import pytest

from auditapp.models import Delivery, Webhook

NEW = {"url": "https://93.184.215.14/hook", "events": ["run.failed", "run.succeeded"], "description": "Nightly"}


def test_made_changed_rotated_deleted(people: Any) -> None:
    rest = people.rest("owner")
    made = rest.post("/webhooks", NEW)
    webhook = made.json()
    secret = webhook.pop("secret")
    assert (made.status_code, made["Location"]) == (201, f"/api/v1/webhooks/{webhook['id']}")
    assert (webhook["events"], webhook["enabled"], webhook["created_by"]) == (["run.succeeded", "run.failed"], True, "owner")
    got = rest.get(f"/webhooks/{webhook['id']}")
    assert got.json() == webhook
    assert rest.get("/webhooks").json() == {"items": [webhook], "next": None, "prev": None}
    changed = rest.change("PATCH", f"/webhooks/{webhook['id']}", {"enabled": False}, **{"If-Match": got["ETag"]})
    assert (changed.json()["enabled"], changed.json()["disabled_why"], changed.json()["description"]) == (False, "by an owner", "Nightly")
    assert rest.change("PATCH", f"/webhooks/{webhook['id']}", {"enabled": True}, **{"If-Match": got["ETag"]}).status_code == 412
    assert rest.post(f"/webhooks/{webhook['id']}/rotate").json()["secret"] != secret
    assert rest.delete(f"/webhooks/{webhook['id']}").status_code == 200
    assert Webhook.objects.count() == 0


@pytest.mark.parametrize(("change", "pointer"), [
    ({"url": "https://127.0.0.1/"}, "/url"), ({"url": "https://169.254.169.254/latest/meta-data"}, "/url"), ({"url": "http://93.184.215.14/"}, "/url"), ({"url": "x" * 2_000}, "/url"), ({"url": ""}, "/url"),
    ({"events": []}, "/events"), ({"events": ["run.begun"]}, "/events/0"), ({"description": "x" * 201}, "/description"), ({"secret": "mine"}, "/secret"),
])
def test_what_cannot_be_a_webhook_is_422(change: dict[str, Any], pointer: str, people: Any) -> None:
    response = people.rest("owner").post("/webhooks", {**NEW, **change})
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, pointer)
    assert Webhook.objects.count() == 0


def test_the_log_is_listed_and_what_ended_is_sent_once_more(people: Any, succeeded_run: Any) -> None:
    rest = people.rest("owner")
    webhook = rest.post("/webhooks", NEW).json()["id"]
    run = succeeded_run()
    (delivery,) = rest.get(f"/webhooks/{webhook}/deliveries").json()["items"]
    assert (delivery["type"], delivery["state"], delivery["body"]["data"], delivery["attempts"]) == ("run.succeeded", "waiting", {"run": run.pk}, [])
    from django.utils import timezone

    Delivery.objects.update(state="failed", ended_at=timezone.now(), attempt=10)
    again = rest.post(f"/webhooks/{webhook}/deliveries/{delivery['id']}/replay")
    assert (again.status_code, again.json()["state"], again.json()["attempt"]) == (202, "waiting", 0)
    rest.change("PATCH", f"/webhooks/{webhook}", {"enabled": False})
    assert rest.post(f"/webhooks/{webhook}/deliveries/{delivery['id']}/replay").status_code == 409
    other = rest.post("/webhooks", NEW).json()["id"]
    assert rest.post(f"/webhooks/{other}/deliveries/{delivery['id']}/replay").status_code == 404
