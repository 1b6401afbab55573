"""The doorbell: rings after the commit, in a way that any worker understands, and never holds anybody up."""

from __future__ import annotations

import base64
import json
import signal
import time
from typing import Any

import pytest
import redis
from django.db import transaction

from auditapp import dispatch
from tests.conftest import RedisServer


@pytest.fixture
def bell(settings: Any) -> Any:
    def at(url: str) -> None:
        settings.REDIS_URL = url
        dispatch._bell.cache_clear()

    yield at
    dispatch._bell.cache_clear()


def messages(server: RedisServer, queue: str) -> list[Any]:
    with redis.Redis(unix_socket_path=str(server.socket)) as client:
        found = [json.loads(message) for message in client.lrange(queue, 0, -1)]
    return [(message["headers"]["task"], json.loads(base64.b64decode(message["body"]))[0]) for message in found]


@pytest.mark.django_db(transaction=True)
def test_rings_after_the_commit_and_only_then(bell: Any, redis_server: RedisServer) -> None:
    bell(redis_server.url)
    with transaction.atomic():
        dispatch.ring_run("run_1")
        dispatch.ring_profile(7)
        assert messages(redis_server, "runs") == []
    assert messages(redis_server, "runs") == [("workers.tasks.run_hint", ["run_1"])]
    assert messages(redis_server, "profiles") == [("workers.tasks.profile_hint", [7])]


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_rings_for_nobody(bell: Any, redis_server: RedisServer) -> None:
    bell(redis_server.url)
    with transaction.atomic():
        dispatch.ring_run("run_1")
        transaction.set_rollback(True)
    assert messages(redis_server, "runs") == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("trouble", ["absent", "killed", "frozen", "full"])
def test_t10_broker_in_trouble_neither_raises_nor_holds_up(bell: Any, redis_server: RedisServer, trouble: str, caplog: pytest.LogCaptureFixture) -> None:
    bell(redis_server.url if trouble != "absent" else "redis+socket:///nonexistent/redis.sock")
    if trouble == "killed":
        # Not only absent from the start: the connection is pooled already
        with transaction.atomic():
            dispatch.ring_run("run_0")
        redis_server.kill()
    elif trouble == "frozen":
        redis_server.signal(signal.SIGSTOP)
    elif trouble == "full":
        with redis.Redis(unix_socket_path=str(redis_server.socket)) as client:
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("maxmemory", "1mb")
            client.config_set("maxmemory", "1")
    began = time.monotonic()
    with transaction.atomic():
        dispatch.ring_run("run_1")
    # A bound that the contract names, not a measurement: a request answers within 3 s whatever the broker does
    assert time.monotonic() - began < 3
    assert "did not ring" in caplog.text
