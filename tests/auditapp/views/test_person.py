"""One's own account: address, password, sessions."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from auditapp.access import make_login_link
from auditapp.models import LedgerEntry, LoginLink, Membership

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


def test_the_address_needs_the_password(ada: Client, analyst: Any) -> None:
    assert ada.post("/settings/account/email", {"email": "ada@example.org", "password": "wrong"}).status_code == 422
    assert ada.post("/settings/account/email", {"email": "ada@example.org", "password": OLD}).status_code == 302
    analyst.refresh_from_db()
    assert analyst.email == "ada@example.org"
    assert "ada@example.org" not in str(list(LedgerEntry.objects.values()))


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
