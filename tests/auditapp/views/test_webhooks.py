"""The pages of a workspace's webhooks."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from auditapp.models import Delivery, Membership, Webhook

pytestmark = pytest.mark.django_db
NEW = {"url": "https://93.184.215.14/hook", "events": ["run.succeeded"], "description": "Nightly <b>"}


@pytest.fixture
def owner(page: Client, workspace: Any) -> Client:
    Membership.objects.update(role="owner")
    return page


def test_a_secret_is_shown_once(owner: Client) -> None:
    made = owner.post("/settings/webhooks", NEW)
    secret = re.search(r"whsec_[A-Za-z0-9+/=]{44}", made.content.decode())
    assert secret is not None
    assert made["Cache-Control"] == "no-store"
    webhook = Webhook.objects.get()
    for address in ("/settings/webhooks", f"/settings/webhooks/{webhook.pk}"):
        shown = owner.get(address).content.decode()
        assert "whsec_" not in shown
        assert "Nightly &lt;b&gt;" in shown
    rotated = owner.post(f"/settings/webhooks/{webhook.pk}/rotate").content.decode()
    assert "whsec_" in rotated
    assert secret[0] not in rotated


def test_an_address_inside_is_refused_beside_its_field(owner: Client) -> None:
    refused = owner.post("/settings/webhooks", {**NEW, "url": "https://127.0.0.1/"})
    assert refused.status_code == 422
    assert "outside only" in refused.content.decode()
    assert Webhook.objects.count() == 0


def test_switched_off_on_replayed_deleted(owner: Client, workspace: Any) -> None:
    webhook = Webhook.objects.create(workspace=workspace, url=NEW["url"], events=["run.failed"])
    delivery = Delivery.objects.create(webhook=webhook, type="run.failed", body={"data": {"run": "run_x"}}, state="failed", due_at=timezone.now(), ended_at=timezone.now(),
                                       attempts=[{"at": "2026-11-22T09:00:00+00:00", "status": 500, "sentence": "answered 500"}])
    address = f"/settings/webhooks/{webhook.pk}"
    shown = owner.get(address).content.decode()
    assert "delivery failed" in shown
    assert "answered 500" in shown
    owner.post(f"{address}/switch")
    assert "Disabled" in owner.get(address).content.decode()
    assert "enable it first" in owner.post(f"{address}/deliveries/{delivery.pk}/replay", follow=True).content.decode()
    owner.post(f"{address}/switch")
    owner.post(f"{address}/deliveries/{delivery.pk}/replay")
    delivery.refresh_from_db()
    assert delivery.state == "waiting"
    owner.post(f"{address}/delete")
    assert Webhook.objects.count() == 0
