"""Logging in by password and by link, and that the way never leads out."""

from __future__ import annotations

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.core import mail
from django.test import Client

from auditapp.access import make_login_link
from auditapp.models import BrowserSession
from auditapp.people import accounts, guessing
from auditapp.views import sign_in

pytestmark = pytest.mark.django_db


def test_a_password_logs_in_and_the_way_leads_on(client: Client, analyst: Any, workspace: Any) -> None:
    analyst.set_password("correct horse battery")
    analyst.save()
    assert client.get("/new")["Location"] == "/login?next=/new"
    wrong = client.post("/login", {"username": "ada", "password": "wrong", "next": "/new"})
    assert "<title>Error:" in wrong.content.decode()
    assert client.post("/login", {"username": "ada", "password": "correct horse battery", "next": "/new"})["Location"] == "/new"


@pytest.mark.parametrize("target", ["//evil.example", "\\\\evil.example", "https:evil.example", "https://evil.example/"])
def test_t33_the_way_never_leads_out(client: Client, analyst: Any, workspace: Any, target: str) -> None:
    analyst.set_password("correct horse battery")
    analyst.save()
    assert client.post("/login", {"username": "ada", "password": "correct horse battery", "next": target})["Location"] == "/"


def test_t39_too_many_wrong_passwords_pause_this_user_here_and_nowhere_else(client: Client, analyst: Any, workspace: Any, settings: Any) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = client.post("/login", {"username": "ada", "password": "wrong"})
    assert answer.status_code == 429
    assert "Too many wrong passwords" in answer.content.decode()
    right = {"username": "ada", "password": "correct horse battery"}
    analyst.set_password(right["password"])
    analyst.save()
    # What a caller says of where it comes from counts only behind a proxy that we trust
    assert client.post("/login", right, headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 429
    assert Client(REMOTE_ADDR="203.0.113.9").post("/login", right).status_code == 302, "whoever guesses does not lock the owner out"


def _guess_from_many_places(client: Client, times: int) -> Any:
    for at in range(times):
        answer = client.post("/login", {"username": "ada", "password": "wrong"}, REMOTE_ADDR=f"203.0.113.{at}")
    return answer


@pytest.fixture
def since_last_guess(monkeypatch: pytest.MonkeyPatch) -> list[timedelta]:
    """The clock of the pause: how long ago the last wrong password was; axes has its own."""
    passed = [timedelta(0)]
    monkeypatch.setattr(guessing, "timezone", SimpleNamespace(now=lambda: AccessAttempt.objects.latest("attempt_time").attempt_time + passed[0]))
    return passed


def test_t39_guesses_from_many_places_are_slowed_and_the_owner_is_not(analyst: Any, workspace: Any, since_last_guess: list[timedelta]) -> None:
    right = {"username": "ada", "password": "correct horse battery"}
    analyst.set_password(right["password"])
    analyst.save()
    AccessAttempt.objects.create(username="somebody", ip_address="203.0.113.250", failures_since_start=500)
    owner = Client(REMOTE_ADDR="198.51.100.7")
    assert owner.post("/login", right).status_code == 302
    owner.post("/logout")
    assert _guess_from_many_places(Client(), guessing.FREE_FAILURES).status_code == 200
    refused = Client(REMOTE_ADDR="203.0.113.200").post("/login", right)
    assert (refused.status_code, refused["Retry-After"]) == (429, "4"), "a stranger's guess is not even looked at, right or wrong"
    assert "from many places" in refused.content.decode()
    assert owner.post("/login", right, REMOTE_ADDR="198.51.100.99").status_code == 302, "the owner's browser is known, wherever it is"
    waits = []
    for at in range(6):
        since_last_guess[0] = timedelta(seconds=guessing.LONGEST_SECONDS)
        Client().post("/login", {"username": "ada", "password": "wrong"}, REMOTE_ADDR=f"203.0.113.{100 + at}")
        since_last_guess[0] = timedelta(0)
        waits.append(guessing.pause("ada"))
    assert waits == [8, 16, 32, 60, 60, 60]
    assert guessing.pause("nobody") == 0
    since_last_guess[0] = guessing.WINDOW
    assert Client(REMOTE_ADDR="203.0.113.201").post("/login", right).status_code == 302


def test_a_browser_is_known_for_its_own_user_and_password_only(analyst: Any, workspace: Any, since_last_guess: list[timedelta]) -> None:
    right = {"username": "ada", "password": "correct horse battery"}
    analyst.set_password(right["password"])
    analyst.save()
    known = Client(REMOTE_ADDR="198.51.100.7")
    AccessAttempt.objects.create(username="somebody", ip_address="203.0.113.250", failures_since_start=500)
    assert known.post("/login", right).status_code == 302
    cookie = known.cookies[guessing.COOKIE].value
    _guess_from_many_places(Client(), guessing.FREE_FAILURES)
    for said in ("", cookie.replace(f"{analyst.pk}:", f"{analyst.pk + 1}:", 1), cookie[:-1]):
        stranger = Client(REMOTE_ADDR="198.51.100.8")
        stranger.cookies[guessing.COOKIE] = said
        assert stranger.post("/login", right).status_code == 429
    other = Client(REMOTE_ADDR="198.51.100.8")
    other.cookies[guessing.COOKIE] = cookie
    assert other.post("/login", right).status_code == 302
    other.post("/logout")
    analyst.set_password("another horse battery")
    analyst.save()
    assert other.post("/login", {"username": "ada", "password": "another horse battery"}).status_code == 429, "who knew the old password is a stranger now"


def test_a_login_link_works_once(client: Client, analyst: Any, workspace: Any) -> None:
    link = f"/login/link/{make_login_link(analyst)}"
    assert client.head(link).status_code == 200  # a link checker spends nothing
    assert client.get(link)["Location"] == "/"
    assert client.get("/").status_code == 200
    assert Client().get(link).status_code == 410


def test_logging_out_needs_a_post(page: Client) -> None:
    assert page.get("/logout").status_code == 405
    page.post("/logout")
    assert page.get("/")["Location"].startswith("/login")


# --- a forgotten password


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is mailed beside a request is mailed within it."""
    monkeypatch.setattr(sign_in, "later", lambda work: work())


@pytest.fixture
def reachable(analyst: Any, workspace: Any, settings: Any) -> Any:
    settings.MAIL_SERVER = True
    analyst.set_password("correct horse battery")
    analyst.save()
    accounts.set_email(analyst, "ada@example.org", verified=True)
    return analyst


def _mailed_path() -> str:
    found = re.search(r"http://testserver(/password/new/\S+)", mail.outbox[-1].body)
    assert found is not None
    return found[1]


def test_a_forgotten_password_is_set_anew_by_mail_once(client: Client, reachable: Any, at_once: None, page: Client) -> None:
    client.post("/password/forgotten", {"email": "Ada@example.org"})
    path = _mailed_path()
    new = Client()
    form = new.get(path)["Location"]
    assert path not in form  # the secret does not stay in the address
    assert new.post(form, {"new_password1": "short", "new_password2": "short"}).status_code == 200
    answer = new.post(form, {"new_password1": "another horse battery", "new_password2": "another horse battery"})
    assert answer["Location"] == "/login"
    assert BrowserSession.objects.filter(user=reachable).count() == 0
    assert page.get("/").status_code == 302
    assert "no longer works" in Client().get(path).content.decode()
    assert new.post("/login", {"username": "ada", "password": "another horse battery"})["Location"] == "/"


def test_a_new_password_can_be_set_where_one_is_logged_in(reachable: Any, at_once: None, page: Client) -> None:
    page.post("/password/forgotten", {"email": "ada@example.org"})
    form = page.get(_mailed_path())["Location"]
    assert page.post(form, {"new_password1": "another horse battery", "new_password2": "another horse battery"})["Location"] == "/login"
    assert "Your new password is set" in page.get("/login").content.decode()


def test_no_link_goes_to_an_address_that_nobody_has_proved(reachable: Any, at_once: None) -> None:
    accounts.set_email(reachable, "mistyped@example.org", verified=False)
    assert Client().post("/password/forgotten", {"email": "mistyped@example.org"})["Location"] == "/password/forgotten/sent"
    assert mail.outbox == []


def test_nobody_learns_who_has_an_account(reachable: Any, at_once: None) -> None:
    answers = [Client().post("/password/forgotten", {"email": email}) for email in ("ada@example.org", "nobody@example.org")]
    assert [(answer.status_code, answer["Location"], answer.content) for answer in answers] == [(302, "/password/forgotten/sent", b"")] * 2
    assert [message.to for message in mail.outbox] == [["ada@example.org"]]
    Client().post("/password/forgotten", {"email": "ada@example.org"})
    assert len(mail.outbox) == 1  # nobody's mailbox is filled through us


def test_the_link_leads_to_the_address_of_the_settings_whatever_the_request_says(reachable: Any, at_once: None, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(settings.ENVIRONMENT, "public_url", "https://audit.example.org/")
    Client().post("/password/forgotten", {"email": "ada@example.org"}, headers={"Host": "localhost"})
    assert "\nhttps://audit.example.org/password/new/" in mail.outbox[0].body


def test_without_a_mail_server_the_page_says_so(client: Client) -> None:
    assert "No mail server is set up here" in client.get("/password/forgotten").content.decode()
