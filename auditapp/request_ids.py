"""One id for each request, in and out: `X-Request-ID` is taken over when it is harmless, made otherwise, and stands in every log line and problem."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponseBase

_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,64}")
_current: ContextVar[str] = ContextVar("request_id", default="-")


def request_id() -> str:
    """The id of the request that this thread answers; "-" outside of one."""
    return _current.get()


class RequestIds:
    """Middleware, outermost but one: whatever answers inside it carries the id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        # Anything else could forge log lines or headers, so it is replaced rather than cleaned
        own = given if _ACCEPTED.fullmatch(given) else uuid.uuid4().hex
        _current.set(own)
        response = self.get_response(request)
        response["X-Request-ID"] = own
        return response


@receiver(request_finished)
def _forget(**_: Any) -> None:
    # Not in the middleware: Django logs a refused request after all middleware has returned
    _current.set("-")


class InLogRecords(logging.Filter):
    """Puts the id into each record, for the formatter."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id()
        return True
