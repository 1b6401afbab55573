"""When more is asked than can be answered: what has waited too long is sent away with a time to come back, and for who has gone away nothing is done.

Otherwise a crowd outlives itself. Everybody would be served in turn, each a little later than anybody waits, and those who come afterwards would stand at the end of that line.
"""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from auditapp.problems import API_PREFIX, problem_response
from auditapp.views.errors import error_page

LONGEST_WAIT_SECONDS = 6.0
"""For its turn, since its last byte arrived."""
RETRY_SECONDS = 5
GONE = 499
"""As nginx has it in its log; nobody is there to read it."""
ALWAYS_ANSWERED = ("/healthz", "/readyz")

_LAST_DATA_RECEIVED = 52
"""Where Linux's struct tcp_info has it (tcpi_last_data_recv), in milliseconds."""


class CrowdControl:
    """Middleware: before anything is asked of the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        connection = request.META.get("gunicorn.socket")
        # Only what is merely read: a change that was sent is made, whether or not its sender waits for the answer
        if isinstance(connection, socket.socket) and request.method in ("GET", "HEAD") and request.path_info not in ALWAYS_ANSWERED:
            if _has_ended(connection):
                return HttpResponse(status=GONE, headers={"Content-Length": "0"})
            if _waited(connection) > LONGEST_WAIT_SECONDS:
                return _come_back(request)
        return self.get_response(request)


def _come_back(request: HttpRequest) -> HttpResponse:
    if request.path_info.startswith(API_PREFIX):
        answer = problem_response("crowded")
    else:
        answer = error_page(429, _("Too much is asked at once"), _("Nothing was changed. Try again in a few seconds."))
    answer["Retry-After"], answer["Content-Length"] = str(RETRY_SECONDS), str(len(answer.content))
    return answer


def _waited(connection: socket.socket) -> float:
    """How many seconds ago the last byte came over it, wherever the request has stood since: the kernel knows. 0 where it does not."""
    try:
        told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA_RECEIVED + 4)
    except (OSError, AttributeError):  # no TCP, or no Linux
        return 0.0
    return float(struct.unpack_from("I", told, _LAST_DATA_RECEIVED)[0]) / 1000 if len(told) == _LAST_DATA_RECEIVED + 4 else 0.0


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
