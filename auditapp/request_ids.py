"""One id for each request, in and out: `X-Request-ID` is taken over when it is harmless, made otherwise, and stands in every log line and problem.

A caller that traces (W3C Trace Context, `traceparent`) and gives no id of its own finds its trace's id there, and hears in `traceparent` which span of the trace this answer is.
"""

from __future__ import annotations

import logging
import re
import secrets
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponseBase

_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TRACE = re.compile(r"(?!ff)[0-9a-f]{2}-(?P<trace>(?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-(?P<flags>[0-9a-f]{2})(?:-.{0,200})?")
"""Of a later version than ours, 00, more may follow; only the first version's parts are read."""
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
        trace = _trace_of(request.headers.get("traceparent", ""))
        own = given if _ACCEPTED.fullmatch(given) else trace["trace"] if trace else uuid.uuid4().hex
        _current.set(own)
        response = self.get_response(request)
        response["X-Request-ID"] = own
        if trace:
            # Of the flags only "sampled" is known to version 00
            response["traceparent"] = f"00-{trace['trace']}-{secrets.token_hex(8)}-{int(trace['flags'], 16) & 1:02x}"
        return response


def _trace_of(header: str) -> re.Match[str] | None:
    """What is not as the standard says is as if it were not there."""
    found = _TRACE.fullmatch(header)
    return None if found is None or (header.startswith("00-") and len(header) != 55) else found


@receiver(request_finished)
def _forget(**_: Any) -> None:
    # Not in the middleware: Django logs a refused request after all middleware has returned
    _current.set("-")


class InLogRecords(logging.Filter):
    """Puts the id into each record, for the formatter."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id()
        return True
