"""One's own account: address, password, sessions."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from auditapp.access import make_login_link
from auditapp.models import LedgerEntry, LoginLink, Membership
from auditapp.people import accounts

pytestmark = pytest.mark.django_db
OLD, NEW = "correct horse battery", "another horse battery"


@pytest.fixture
def ada(client: Client, analyst: Any, workspace: Any) -> Client:
    """A browser in which Ada logged in with a password."""
    analyst.set_password(OLD)
    analyst.save()
    assert client.login(username="ada", password=OLD, request=_request())
    return client


def _request() -> Any:
    from django.test import RequestFactory

    return RequestFactory().post("/login")


def _other(analyst: Any) -> Client:
    other = Client(headers={"User-Agent": "Firefox/1 (Linux)"})
    other.force_login(analyst, backend="django.contrib.auth.backends.ModelBackend")
    other.get("/")
    return other


def test_a_new_password_ends_every_other_session_and_earlier_links(ada: Client, analyst: Any) -> None:
    other = _other(analyst)
    make_login_link(analyst)
    wrong = ada.post("/settings/account/password", {"old_password": "no", "new_password1": NEW, "new_password2": NEW})
    assert wrong.status_code == 422
    assert other.get("/").status_code == 200
    assert ada.post("/settings/account/password", {"old_password": OLD, "new_password1": "short", "new_password2": "short"}).status_code == 422
    assert ada.post("/settings/account/password", {"old_password": OLD, "new_password1": NEW, "new_password2": NEW})["Location"] == "/settings/account"
    assert (ada.get("/").status_code, other.get("/").status_code) == (200, 302)
    assert LoginLink.objects.count() == 0
    analyst.refresh_from_db()
    assert analyst.check_password(NEW)
    assert LedgerEntry.objects.get(action="password.set").data == {"how": "by its person"}


def test_who_came_by_a_link_sets_a_first_password(page: Client, analyst: Any) -> None:
    assert "none: you log in by links" in page.get("/settings/account").content.decode()
    assert page.post("/settings/account/password", {"new_password1": NEW, "new_password2": NEW}).status_code == 302
    assert page.get("/").status_code == 200


def _ask_for(client: Client, email: str) -> str:
    """Asks for another address; returns the path of the link that was mailed there."""
    mail.outbox.clear()
    assert client.post("/settings/account/email", {"email": email, "password": OLD}).status_code == 302
    (sent,) = mail.outbox
    assert sent.to == [email]
    found = re.search(r"http://testserver(/settings/account/email/\S+)", sent.body)
    assert found is not None
    return found[1]


@pytest.fixture
def impatient(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail server, which takes more than one mail in five minutes."""
    settings.MAIL_SERVER = True
    monkeypatch.setattr(accounts, "MAIL_EVERY", timedelta(0))


def test_an_address_is_taken_over_when_the_link_that_was_mailed_there_is_opened(ada: Client, analyst: Any, impatient: None) -> None:
    assert ada.post("/settings/account/email", {"email": "ada@example.org", "password": "wrong"}).status_code == 422
    link = _ask_for(ada, "ada@example.org")
    analyst.refresh_from_db()
    assert (analyst.email, accounts.mail_address(analyst)) == ("", "")
    assert "ada@example.org" in ada.get(link).content.decode()
    analyst.refresh_from_db()
    assert analyst.email == "", "looking at it changes nothing"
    assert ada.post(link)["Location"] == "/settings/account"
    analyst.refresh_from_db()
    assert (analyst.email, accounts.mail_address(analyst)) == ("ada@example.org", "ada@example.org")
    assert [ada.get(link).status_code, ada.post(link).status_code] == [410, 410], "once"
    assert "ada@example.org" not in str(list(LedgerEntry.objects.values()))


def test_the_former_address_hears_of_the_new_one_and_is_used_until_then(ada: Client, analyst: Any, impatient: None) -> None:
    accounts.set_email(analyst, "ada@example.org", verified=True)
    link = _ask_for(ada, "lovelace@example.org")
    assert accounts.mail_address(analyst) == "ada@example.org"
    ada.post(link)
    assert [(sent.to, "lovelace@example.org" in sent.body) for sent in mail.outbox[1:]] == [(["ada@example.org"], False)]
    assert ada.post("/settings/account/email", {"email": "", "password": OLD}).status_code == 302
    analyst.refresh_from_db()
    assert accounts.mail_address(analyst) == ""


def test_a_link_proves_nothing_for_another_account_after_another_change_after_a_day_or_altered(
    ada: Client, analyst: Any, stranger: Client, impatient: None, monkeypatch: pytest.MonkeyPatch,
) -> None:
    link = _ask_for(ada, "ada@example.org")
    assert stranger.post(link).status_code == 410
    assert ada.post(link[:-1] + ("a" if link[-1] != "a" else "b")).status_code == 410
    with monkeypatch.context() as later:
        later.setattr(accounts, "LINK_HOURS", -1)
        assert ada.post(link).status_code == 410
    accounts.set_email(analyst, "other@example.org", verified=False)
    assert ada.post(link).status_code == 410
    analyst.refresh_from_db()
    assert analyst.email == "other@example.org"


def test_links_are_mailed_once_in_five_minutes_and_without_a_mail_server_the_address_stays_unproved(ada: Client, analyst: Any, settings: Any) -> None:
    assert ada.post("/settings/account/email", {"email": "ada@example.org", "password": OLD}).status_code == 302
    analyst.refresh_from_db()
    assert (analyst.email, accounts.mail_address(analyst)) == ("ada@example.org", "")
    assert "nothing is mailed there" in ada.get("/settings/account").content.decode()
    settings.MAIL_SERVER = True
    _ask_for(ada, "ada@example.org")
    refused = ada.post("/settings/account/email", {"email": "eve@example.org", "password": OLD})
    assert (refused.status_code, len(mail.outbox)) == (422, 1)


def test_sessions_are_listed_and_ended(ada: Client, analyst: Any) -> None:
    import re

    other = _other(analyst)
    listed = ada.get("/settings/account").content.decode()
    assert "Firefox on Linux" in listed
    assert "this one" in listed
    assert other.session.session_key not in listed
    (path,) = re.findall(r"/settings/account/sessions/[0-9a-f]{32}/end", listed)
    assert ada.post(path)["Location"] == "/settings/account"
    assert other.get("/").status_code == 302
    third = _other(analyst)
    assert "1 other session has ended" in ada.post("/settings/account/sessions/end-others", follow=True).content.decode()
    assert third.get("/").status_code == 302


def test_the_account_is_open_to_who_is_in_no_workspace(ada: Client) -> None:
    Membership.objects.all().delete()
    assert ada.get("/").status_code == 403
    assert ada.get("/settings/account").status_code == 200
