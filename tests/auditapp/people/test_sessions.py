"""Sessions as their person sees them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from auditapp.models import BrowserSession, LedgerEntry
from auditapp.people import sessions


@pytest.mark.parametrize(("user_agent", "words"), [
    ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"),
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0", "Edge on Windows"),
    ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Mobile Safari/537.36", "Chrome on Android"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1", "Safari on iOS"),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15", "Safari on macOS"),
    ("curl/8.0", ""), ("<script>Linux", "Linux"), ("", ""),
])
def test_a_browser_in_words(user_agent: str, words: str) -> None:
    assert sessions.in_words(user_agent) == words


def _browser(user: Any, name: str) -> Client:
    client = Client(headers={"User-Agent": f"{name}/1 (Linux)"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    client.get("/")
    return client


def test_a_session_says_whose_it_is_and_when_it_was_seen(workspace: Any, analyst: Any) -> None:
    client = _browser(analyst, "Firefox")
    (row,) = sessions.of(analyst)
    assert (row.browser, row.user) == ("Firefox on Linux", analyst)
    assert row.since == row.seen_at
    client.get("/")
    assert sessions.of(analyst).get().seen_at == row.seen_at  # written every five minutes at most
    data = client.session
    data["seen"] = int((timezone.now() - timedelta(seconds=sessions.SEEN_EVERY + 1)).timestamp())
    data.save()
    client.get("/")
    assert sessions.of(analyst).get().seen_at > timezone.now() - timedelta(seconds=60)


def test_one_is_ended_or_all_others(workspace: Any, analyst: Any, stranger_user: Any) -> None:
    here, there, phone, hers = _browser(analyst, "Firefox"), _browser(analyst, "Chrome"), _browser(analyst, "Safari"), _browser(stranger_user, "Firefox")
    foreign = sessions.public_id(sessions.of(stranger_user).get())
    assert not sessions.end(analyst, foreign)
    assert sessions.end(analyst, sessions.public_id(sessions.of(analyst).get(browser__startswith="Chrome")))
    assert there.get("/").status_code == 302
    assert sessions.end_others(analyst, here.session.session_key) == 1
    assert (here.get("/").status_code, phone.get("/").status_code, hers.get("/").status_code) == (200, 302, 200)
    assert [entry.data for entry in LedgerEntry.objects.filter(action="sessions.ended")] == [{"sessions": 1}, {"sessions": 1}]


def test_what_has_expired_is_swept(workspace: Any, analyst: Any) -> None:
    _browser(analyst, "Firefox")
    assert sessions.sweep() == {"sessions_removed": 0}
    BrowserSession.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert sessions.sweep() == {"sessions_removed": 1}


@pytest.fixture
def stranger_user(django_user_model: Any) -> Any:
    from auditapp.models import Membership, Workspace

    user = django_user_model.objects.create_user("eve")
    Membership.objects.create(workspace=Workspace.objects.create(name="Eve's"), user=user, role="owner")
    return user
