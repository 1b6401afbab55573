"""Mail goes, or whoever sends learns that it did not."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.core import mail as outbox

from auditapp import mail

CONTEXT = {"link": "http://h/i", "inviter": "ada"}


def test_it_says_whether_a_server_took_it(settings: Any) -> None:
    settings.MAIL_SERVER = True
    assert mail.send("new@example.org", "Come", "mail/invitation.txt", CONTEXT)
    assert (outbox.outbox[0].to, outbox.outbox[0].subject) == (["new@example.org"], "Come")
    settings.MAIL_SERVER = False
    assert not mail.send("new@example.org", "Come", "mail/invitation.txt", CONTEXT)


@pytest.mark.parametrize(("backend", "subject"), [("django.core.mail.backends.smtp.EmailBackend", "Come"), ("django.core.mail.backends.locmem.EmailBackend", "Come\nBcc: all@example.org")])
def test_what_goes_wrong_is_logged_without_the_address(settings: Any, backend: str, subject: str, caplog: pytest.LogCaptureFixture) -> None:
    settings.MAIL_SERVER, settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = True, backend, "127.0.0.1", 1
    with caplog.at_level(logging.WARNING):
        assert not mail.send("new@example.org", subject, "mail/invitation.txt", CONTEXT)
    assert "a mail was not sent" in caplog.text
    assert "new@example.org" not in caplog.text
