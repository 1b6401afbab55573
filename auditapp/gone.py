"""Requests whose senders have gone away are not worked on. After a crowd there are many of them, and answers that nobody waits for any more would keep those waiting who came since."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

GONE = 499
"""As nginx has it in its log; nobody is there to read it."""


class PassOverWhoHasGone:
    """Middleware, outermost. Only for what is merely read: a change that was sent is made, whether or not its sender waits for the answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        connection = request.META.get("gunicorn.socket")
        if request.method in ("GET", "HEAD") and isinstance(connection, socket.socket) and _has_ended(connection):
            return HttpResponse(status=GONE, headers={"Connection": "close"})
        return self.get_response(request)


def _has_ended(connection: socket.socket) -> bool:
    """Whether the other side has closed it. What it may have sent ahead is left where it is."""
    asked = select.poll()
    try:
        asked.register(connection, select.POLLIN)
        return bool(asked.poll(0)) and connection.recv(1, socket.MSG_PEEK) == b""
    except ValueError:  # TLS here and not in a proxy: it cannot be looked into
        return False
    except OSError:
        return True
