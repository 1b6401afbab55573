"""Sends what is due to a webhook: one POST to an address that was checked just now, no redirect followed, no answer kept."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from contextlib import closing, suppress
from functools import cache
from http.client import HTTPConnection, HTTPException

from django.conf import settings

from auditapp.webhooks import outbox as webhooks
from auditapp.webhooks.addresses import Target, checked_target
from auditapp.webhooks.outbox import Outcome, Sending
from automl.errors import BadInput

logger = logging.getLogger(__name__)

TURN_SECONDS = 30
"""After so long others have their turn; the next sweep rings again."""


def deliver_due(webhook_id: str) -> int:
    """Send what is due to the webhook, one after the other; returns how many were sent. Comes twice, late or never: the rows decide."""
    sent, began = 0, time.monotonic()
    while time.monotonic() - began < TURN_SECONDS and (sending := webhooks.claim(webhook_id)) is not None:
        outcome = send(sending)
        logger.info("delivery %s, attempt %d: %s", sending.delivery_id, sending.attempt, outcome.sentence)
        webhooks.note(sending, outcome)
        sent += 1
    return sent


def send(sending: Sending) -> Outcome:
    """One attempt."""
    try:
        target = checked_target(sending.url)
        status = _post(target, sending.body, sending.headers(int(time.time())))
    except BadInput as refused:
        return Outcome(None, refused.sentence)
    except ssl.SSLError as error:
        return Outcome(None, f"TLS failed: {error.reason or error}")
    except (OSError, HTTPException) as error:
        return Outcome(None, f"nobody answered: {error or type(error).__name__}")
    return Outcome(status, f"answered {status}" + (", and redirects are not followed" if 300 <= status < 400 else ""))


def _post(target: Target, body: bytes, headers: dict[str, str]) -> int:
    """The status of the answer; nothing else of it is read."""
    connection = HTTPConnection(target.host, target.port)
    connection.sock = _connected(target)  # http.client would resolve the name again
    # Each read has the socket's timeout; only a clock beside them ends an answer that comes a byte at a time
    is_late = threading.Event()
    clock = threading.Timer(settings.WEBHOOK_SECONDS, _cut, (connection.sock, is_late))
    clock.start()
    try:
        with closing(connection):
            connection.request("POST", target.path, body, {"Host": target.host_header, **headers})
            status = connection.getresponse().status
    finally:
        clock.cancel()
    if is_late.is_set():  # what was cut off may look like a whole answer
        raise TimeoutError(f"no whole answer within {settings.WEBHOOK_SECONDS:g} s")
    return status


def _connected(target: Target) -> socket.socket:
    plain = _first_that_answers(target)
    if not target.is_tls:
        return plain
    try:
        return _tls().wrap_socket(plain, server_hostname=target.host)
    except BaseException:
        plain.close()
        raise


def _first_that_answers(target: Target) -> socket.socket:
    for address in target.addresses[:-1]:
        with suppress(OSError):
            return socket.create_connection((address, target.port), settings.WEBHOOK_SECONDS)
    return socket.create_connection((target.addresses[-1], target.port), settings.WEBHOOK_SECONDS)


def _cut(connected: socket.socket, is_late: threading.Event) -> None:
    is_late.set()
    with suppress(OSError):  # it has been closed meanwhile
        connected.shutdown(socket.SHUT_RDWR)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
