"""Mail goes, or whoever sends learns that it did not."""

from __future__ import annotations

import logging
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.core import mail as outbox
from django.core.mail import BadHeaderError, EmailMessage

from auditapp import mail

CONTEXT = {"link": "http://h/i", "inviter": "ada"}


def test_it_says_whether_a_server_took_it(settings: Any) -> None:
    settings.MAIL_SERVER = True
    assert mail.send("new@example.org", "Come", "mail/invitation.txt", CONTEXT)
    assert (outbox.outbox[0].to, outbox.outbox[0].subject) == (["new@example.org"], "Come")
    settings.MAIL_SERVER = False
    assert not mail.send("new@example.org", "Come", "mail/invitation.txt", CONTEXT)


@pytest.mark.parametrize("error", [SMTPRecipientsRefused({"new@example.org": (550, b"unknown")}), ConnectionRefusedError(), BadHeaderError("new@example.org")])
def test_what_goes_wrong_is_logged_without_the_address(settings: Any, error: Exception, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise error

    settings.MAIL_SERVER = True
    monkeypatch.setattr(EmailMessage, "send", refuse)
    with caplog.at_level(logging.WARNING):
        assert not mail.send("new@example.org", "Come", "mail/invitation.txt", CONTEXT)
    assert f"a mail was not sent: {type(error).__name__}" in caplog.text
    assert "new@example.org" not in caplog.text
