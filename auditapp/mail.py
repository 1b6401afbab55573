"""Mail to people. What happens to a mail never decides what happens to anything else: whoever sends learns whether it went, and nothing is raised."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)


def send(address: str, subject: str, template: str, context: dict[str, Any]) -> bool:
    """Whether a mail server took it. Call it outside of transactions. Without a server (`settings.MAIL_SERVER`) the embedded profile keeps a file of it: False."""
    return hand_over(EmailMessage(subject, render_to_string(template, context), to=[address]))


def hand_over(message: EmailMessage) -> bool:
    try:
        message.send()
    except Exception as error:  # noqa: BLE001 - whatever the server does, what the mail tells of has happened
        # Without the error's own text: it names the address, which does not concern everybody who reads logs
        logger.warning("a mail was not sent: %s", type(error).__name__)
        return False
    return bool(settings.MAIL_SERVER)


def later(work: Callable[[], object]) -> None:
    """Do ``work`` beside the request, so that its answer takes the same time whether somebody is mailed or nobody is there to be mailed."""

    def alone() -> None:
        try:
            work()
        except Exception:
            logger.exception("work beside a request")
        finally:
            connection.close()

    _beside().submit(alone)


@cache
def _beside() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "mail")
