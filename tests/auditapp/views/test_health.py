"""Liveness and readiness."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from auditapp import redis_store, sweeps

pytestmark = pytest.mark.django_db


def test_health_answers_without_a_login_and_readiness_names_the_silent_queue(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["checks"]["database"] == "ok"
    assert ready.json()["checks"]["queue"].startswith("does not answer")


def test_t15_readiness_says_when_nobody_sweeps(client: Client, redis_server: Any, settings: Any) -> None:
    settings.REDIS_URL = redis_server.url
    assert client.get("/readyz").json()["checks"]["queue"].startswith("nobody sweeps it")
    sweeps.sweep_all()
    assert client.get("/readyz").json()["checks"]["queue"] == "ok"
    with redis_store.store(redis_server.url, sweeps.PATIENCE_SECONDS) as store:
        assert 0 < store.pttl(sweeps.SWEPT) <= 1000 * sweeps.MISSED * settings.SWEEP_SECONDS
        store.delete(sweeps.SWEPT)
    assert client.get("/readyz").status_code == 503
