"""Calls of a token in a minute, counted by a real Redis; and nobody refused where there is none."""

from __future__ import annotations

import re
from typing import Any

import pytest

from auditapp import rate_limits


@pytest.fixture
def counting(redis_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    settings.REDIS_URL, settings.CALLS_A_MINUTE = redis_server.url, 3
    monkeypatch.setattr(rate_limits, "_paused_until", 0.0)
    monkeypatch.setattr(rate_limits.time, "time", lambda: 999_999_992.5)
    yield redis_server
    rate_limits.store(redis_server.url, rate_limits.PATIENCE_SECONDS).close()


def test_a_token_may_call_so_often_and_is_told_what_is_left(counting: Any, people: Any) -> None:
    rest = people.rest("owner")
    first = rest.get("/me")
    assert (first["RateLimit-Policy"], first["RateLimit"]) == ('"token";q=3;w=60', '"token";r=2;t=28')
    unchanged = rest.get("/me", **{"If-None-Match": first["ETag"]})
    assert (unchanged.status_code, unchanged["RateLimit"]) == (304, '"token";r=2;t=28'), "an answer that nothing has changed is free"
    assert rest.get("/runs/none")["RateLimit"] == '"token";r=1;t=28'
    assert rest.get("/me").status_code == 200
    refused = rest.get("/me")
    assert (refused.status_code, refused["Retry-After"], refused["RateLimit"]) == (429, "28", '"token";r=0;t=28')
    assert refused.json()["type"] == "/api/v1/problems#rate-limited"
    assert re.search(r"\b3 calls\b.* 28 s", refused.json()["detail"])
    assert people.rest("viewer").get("/me").status_code == 200, "another token has calls of its own"
    assert rest.client.get("/healthz").status_code == 200
    assert "RateLimit" not in rest.client.get("/api/v1/problems")


def test_a_wrong_token_uses_up_nobodys_calls(counting: Any, people: Any) -> None:
    rest = people.rest("owner")
    wrong = rest.token[:-1] + ("0" if rest.token[-1] != "0" else "1")
    for _ in range(5):
        assert rest.client.get("/api/v1/me", headers={"Authorization": f"Bearer {wrong}"}).status_code == 401
    assert rest.get("/me")["RateLimit"] == '"token";r=2;t=28'


def test_the_next_minute_is_a_new_one(counting: Any, people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rest = people.rest("owner")
    assert [rest.get("/me").status_code for _ in range(4)] == [200, 200, 200, 429]
    monkeypatch.setattr(rate_limits.time, "time", lambda: 999_999_992.5 + 28)
    assert rest.get("/me")["RateLimit"] == '"token";r=2;t=60'


def test_without_redis_nobody_is_refused_and_nobody_waits_twice(counting: Any, people: Any, caplog: pytest.LogCaptureFixture) -> None:
    rest = people.rest("owner")
    counting.kill()
    answers = [rest.get("/me") for _ in range(5)]
    assert [(answer.status_code, answer.has_header("RateLimit")) for answer in answers] == [(200, False)] * 5
    assert len([record for record in caplog.records if "not counted" in record.message]) == 1


def test_zero_is_no_limit(counting: Any, people: Any, settings: Any) -> None:
    settings.CALLS_A_MINUTE = 0
    assert not people.rest("owner").get("/me").has_header("RateLimit")
