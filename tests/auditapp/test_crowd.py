"""What has waited too long is sent away; who has gone away is not worked for."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from auditapp import crowd
from auditapp.crowd import GONE, RETRY_SECONDS, CrowdControl


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def _answer(method: str, connection: Any, path: str = "/") -> HttpResponse:
    worked: list[HttpRequest] = []
    request = RequestFactory().generic(method, path, **{"gunicorn.socket": connection})
    answer = CrowdControl(lambda request: worked.append(request) or HttpResponse(status=200))(request)  # type: ignore[func-returns-value]
    assert isinstance(answer, HttpResponse)
    assert bool(worked) == (answer.status_code == 200)
    return answer


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_only_what_is_read_is_passed_over_and_only_for_who_has_gone(pair: Any, method: str) -> None:
    ours, theirs = pair
    assert _answer(method, ours).status_code == 200
    theirs.sendall(b"GET /next HTTP/1.1\r\n")
    assert _answer(method, ours).status_code == 200, "who has sent more is there"
    assert ours.recv(100) == b"GET /next HTTP/1.1\r\n", "and nothing of it was taken"
    theirs.close()
    assert _answer(method, ours).status_code == (200 if method == "POST" else GONE)


@pytest.fixture
def connected() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Over TCP."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as theirs:
        ours, _ = server.accept()
        with ours:
            yield ours, theirs


@pytest.mark.parametrize(("path", "kind"), [("/api/v1/runs", "application/problem+json"), ("/login", "text/html; charset=utf-8")])
def test_what_has_waited_too_long_is_told_when_to_come_back(connected: Any, path: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = connected
    theirs.sendall(b"GET / HTTP/1.1\r\n\r\n")
    ours.recv(100)
    assert _answer("GET", ours, path).status_code == 200
    time.sleep(0.3)
    monkeypatch.setattr(crowd, "LONGEST_WAIT_SECONDS", 0.2)
    answer = _answer("GET", ours, path)
    assert (answer.status_code, answer["Retry-After"], answer["Content-Type"], answer["Content-Length"]) == (429, str(RETRY_SECONDS), kind, str(len(answer.content)))
    assert _answer("POST", ours, path).status_code == 200, "what somebody sends is taken"
    assert _answer("GET", ours, "/healthz").status_code == 200, "whoever starts processes again must not take a crowd for a death"
    assert crowd._waited(ours) < 60, "seconds since the last byte, and no other number of the kernel's"


def test_a_server_that_hands_out_no_socket_is_none_that_somebody_left() -> None:
    assert _answer("GET", None).status_code == 200
