"""Who has gone away is not worked for."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from auditapp.gone import GONE, PassOverWhoHasGone


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def _status(method: str, connection: Any) -> int:
    worked: list[HttpRequest] = []
    request = RequestFactory().generic(method, "/", **{"gunicorn.socket": connection})
    answer = PassOverWhoHasGone(lambda request: worked.append(request) or HttpResponse(status=200))(request)  # type: ignore[func-returns-value]
    assert bool(worked) == (answer.status_code == 200)
    return int(answer.status_code)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_only_what_is_read_is_passed_over_and_only_for_who_has_gone(pair: Any, method: str) -> None:
    ours, theirs = pair
    assert _status(method, ours) == 200
    theirs.sendall(b"GET /next HTTP/1.1\r\n")
    assert _status(method, ours) == 200, "who has sent more is there"
    assert ours.recv(100) == b"GET /next HTTP/1.1\r\n", "and nothing of it was taken"
    theirs.close()
    assert _status(method, ours) == (200 if method == "POST" else GONE)


def test_a_server_that_hands_out_no_socket_is_none_that_somebody_left(rf: RequestFactory) -> None:
    assert _status("GET", None) == 200
