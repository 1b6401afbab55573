"""Mail for those who asked when a run has ended: owed with the run's end, sent after it, and no matter of the run's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from auditapp import runs
from auditapp.models import Membership, Run, RunNotice
from auditapp.people import accounts, notices
from tests.auditapp.conftest import Cast


@pytest.fixture(autouse=True)
def _mail_server(settings: Any) -> None:
    settings.MAIL_SERVER = True


@pytest.fixture
def asked(people: Cast) -> Cast:
    """The viewer wants to know of every run, the owner of her own, the analyst of his own, the stranger of every one, the reviewer of none."""
    for who, wish in (("viewer", "all"), ("owner", "mine"), ("analyst", "mine"), ("stranger", "all"), ("reviewer", "none")):
        accounts.set_email(people.users[who], f"{who}@example.org", verified=True)
        accounts.set_notices(people.users[who], wish)
        people.users[who].refresh_from_db()
    return people


def recipients() -> list[str]:
    return sorted(address for message in mail.outbox for address in message.to)


def test_who_asked_is_told_once_and_nothing_of_the_result_leaves(asked: Cast, succeeded_run: Any) -> None:
    run = succeeded_run()
    assert RunNotice.objects.count() == 2
    assert notices.send_due() == 2
    assert recipients() == ["owner@example.org", "viewer@example.org"]
    assert notices.send_due() == 0
    (body,) = {message.body for message in mail.outbox}
    assert f"/runs/{run.pk}\n" in body
    assert 'in the workspace "Ada\'s" has finished' in body
    assert run.title not in body + mail.outbox[0].subject


def test_a_mail_is_in_the_language_that_its_reader_chose_for_the_pages(asked: Cast, succeeded_run: Any) -> None:
    page = Client()
    page.force_login(asked.users["owner"])
    page.post("/language", {"language": "de"})
    page.post("/language", {"language": "xx"})
    run = succeeded_run()
    assert runs.pictures_in(run.pk) == "de", "she asked for the run"
    notices.send_due()
    said = {message.to[0]: message for message in mail.outbox}
    assert said["owner@example.org"].subject == "Plumbline: Ein Lauf ist zu Ende"
    assert f"/runs/{run.pk}\n" in said["owner@example.org"].body
    assert said["viewer@example.org"].subject == "Plumbline: a run has ended"


def test_who_asks_for_mails_on_a_german_page_gets_german_ones(asked: Cast) -> None:
    page = Client(headers={"Accept-Language": "de"})
    page.force_login(asked.users["analyst"])
    page.post("/settings/account/notices", {"notices": "all"})
    assert accounts.language_of(asked.users["analyst"]) == "de"
    assert accounts.language_of(None) == "en"


def test_failures_are_told_and_who_has_left_is_not(asked: Cast, succeeded_run: Any) -> None:
    run = succeeded_run()
    RunNotice.objects.all().delete()
    runs._ended(run.pk, 1, "failed", "no", {})
    Run.objects.filter(pk=run.pk).update(state="failed", failure_code="internal")
    Membership.objects.filter(user=asked.users["viewer"]).delete()
    notices.send_due()
    assert recipients() == ["owner@example.org"]
    assert "has failed" in mail.outbox[0].body
    assert RunNotice.objects.count() == 0


def test_nothing_goes_to_an_address_that_nobody_has_proved(asked: Cast, succeeded_run: Any) -> None:
    accounts.set_email(asked.users["viewer"], "mistyped@example.org", verified=False)
    succeeded_run()
    assert [notice.user.username for notice in RunNotice.objects.all()] == ["owner"]
    accounts.set_email(asked.users["owner"], "mistyped@example.org", verified=False)
    notices.send_due()
    assert recipients() == []


def test_without_a_mail_server_nobody_is_owed_a_mail(asked: Cast, succeeded_run: Any, settings: Any) -> None:
    settings.MAIL_SERVER = False
    assert succeeded_run().state == "succeeded"
    assert RunNotice.objects.count() == 0


def test_a_server_that_refuses_is_asked_again_and_then_no_more(asked: Cast, succeeded_run: Any, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1", 1
    run = succeeded_run()
    assert run.state == "succeeded"
    for tries in range(1, len(notices.RETRY_MINUTES) + 1):
        assert notices.send_due() == 0
        assert set(RunNotice.objects.values_list("tries", flat=True)) == {tries}
        assert not RunNotice.objects.filter(due_at__lte=timezone.now()).exists()
        RunNotice.objects.update(due_at=timezone.now())
    assert notices.send_due() == 0
    assert RunNotice.objects.count() == 0
    assert "given up after 5 tries" in caplog.text


def test_the_sweep_rings_for_what_nobody_sent(asked: Cast, succeeded_run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[bool] = []
    monkeypatch.setattr(notices.dispatch, "ring_notices", lambda: rung.append(True))
    succeeded_run()
    assert rung == [True]
    assert notices.sweep() == {"notices_rung": 0}
    RunNotice.objects.update(due_at=timezone.now() - timedelta(hours=1))
    assert notices.sweep() == {"notices_rung": 1}
    assert rung == [True, True]
