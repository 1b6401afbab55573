"""Every error of the REST interface is one shape, and says nothing that helps an attacker."""

from __future__ import annotations

import logging
import uuid
from typing import Any

import pytest

from auditapp.problems import CATALOGUE, MEDIA_TYPE
from auditapp.request_ids import InLogRecords, request_id
from tests.auditapp.conftest import Rest


def assert_problem(response: Any, status: int, kind: str | None = None) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == MEDIA_TYPE
    assert response["Cache-Control"] == "no-store"
    problem: dict[str, Any] = response.json()
    assert set(problem) <= {"type", "title", "status", "detail", "request_id", "errors"}
    assert problem["status"] == status
    assert problem["request_id"] == response["X-Request-ID"]
    assert "Traceback" not in response.content.decode()
    if kind:
        assert problem["type"] == f"/api/v1/problems#{kind}"
    return problem


def test_the_catalogue_is_served_and_every_type_points_into_it(people: Any) -> None:
    served = Rest(None).get("/problems").json()["problems"]
    assert [one["id"] for one in served] == list(CATALOGUE)
    problem = assert_problem(Rest(None).get("/me"), 401, "unauthenticated")
    assert problem["type"] in {one["type"] for one in served}


@pytest.mark.parametrize("path", ["/", "/nothing", "/runs/", "/datasets//profile", "/runs/x/y/z", "/../healthz", "/%00"])
def test_unknown_paths(path: str, people: Any) -> None:
    assert_problem(people.rest("owner").get(path), 404, "not-found")


def test_unknown_versions_are_problems_too(client: Any, db: None) -> None:
    assert_problem(client.get("/api/v2/runs"), 404, "not-found")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "BREW"])
def test_other_methods(method: str, people: Any) -> None:
    rest = people.rest("owner")
    response = rest.client.generic(method, "/api/v1/runs", headers=rest.headers())
    assert_problem(response, 405, "method-not-allowed")
    assert set(response["Allow"].split(", ")) == {"GET", "POST"}


def test_401_says_how_to_ask(client: Any, db: None) -> None:
    assert client.get("/api/v1/runs")["WWW-Authenticate"] == 'Bearer realm="Plumbline"'


def test_a_defect_of_ours_is_a_500_without_a_trace(people: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, settings: Any) -> None:
    from auditapp.api import runs

    def broken(*_: Any) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(runs, "run_document", broken)
    monkeypatch.setattr(runs, "page_of", broken)
    for debug in (False, True):
        settings.DEBUG = debug
        response = people.rest("owner").get("/runs")
        problem = assert_problem(response, 500, "internal")
        assert "secret" not in str(problem)
    assert "secret of the house" in caplog.text


def test_a_database_that_does_not_answer_is_a_503_with_a_time_to_come_back(people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    from auditapp.api import runs

    def gone(*_: Any) -> None:
        raise OperationalError("could not connect to server at 10.0.0.7")

    monkeypatch.setattr(runs, "page_of", gone)
    response = people.rest("owner").get("/runs")
    problem = assert_problem(response, 503, "unavailable")
    assert response["Retry-After"] == "5"
    assert "10.0.0.7" not in str(problem)


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\tb", "é", "../x", "<script>"])
def test_a_request_id_that_could_forge_is_replaced(given: str, client: Any, db: None) -> None:
    answered = client.get("/api/v1/problems", headers={"X-Request-ID": given})["X-Request-ID"]
    assert uuid.UUID(answered).hex == answered


def test_a_harmless_request_id_comes_back_and_stands_in_the_log(client: Any, db: None) -> None:
    seen: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.request_id)  # type: ignore[attr-defined]

    listener = Listener()
    listener.addFilter(InLogRecords())
    logging.getLogger("django.request").addHandler(listener)
    try:
        response = client.get("/api/v1/nothing", headers={"X-Request-ID": "order-66.A_b"})
    finally:
        logging.getLogger("django.request").removeHandler(listener)
    assert response["X-Request-ID"] == response.json()["request_id"] == "order-66.A_b"
    assert seen == ["order-66.A_b"]
    assert request_id() == "-"


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_a_callers_trace_goes_on(client: Any, db: None) -> None:
    answer = client.get("/api/v1/nothing", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
    version, trace, span, flags = answer["traceparent"].split("-")
    assert (version, trace, flags, answer["X-Request-ID"]) == ("00", TRACE, "01", TRACE)
    assert span not in ("00f067aa0ba902b7", "0" * 16)
    assert len(bytes.fromhex(span)) == 8
    both = client.get("/api/v1/nothing", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-fe", "X-Request-ID": "mine"})
    assert (both["X-Request-ID"], both["traceparent"][-3:]) == ("mine", "-00")
    assert client.get("/login", headers={"traceparent": f"cc-{TRACE}-00f067aa0ba902b7-01-what-comes-later"})["traceparent"].startswith(f"00-{TRACE}-")


@pytest.mark.parametrize("given", [
    "", f"00-{TRACE}-00f067aa0ba902b7", f"ff-{TRACE}-00f067aa0ba902b7-01", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE.upper()}-00f067aa0ba902b7-01",
    f"00-{TRACE}-00f067aa0ba902b7-01-more", f"00-{TRACE}-00f067aa0ba902b7-01\tx"])
def test_what_is_no_trace_is_passed_over(given: str, client: Any, db: None) -> None:
    answer = client.get("/api/v1/nothing", headers={"traceparent": given})
    assert "traceparent" not in answer
    assert answer["X-Request-ID"] != TRACE


def test_pages_keep_their_own_errors(client: Any, db: None) -> None:
    assert not client.get("/no-such-page")["Content-Type"].startswith(MEDIA_TYPE)


def test_headers_of_safety_are_on_problems_too(client: Any, db: None) -> None:
    response = client.get("/api/v1/nothing")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in response["Content-Security-Policy"]
