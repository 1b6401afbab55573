"""Browser sessions as rows that say whose they are, since when and from where, so that their person can see and end them. `settings.SESSION_ENGINE`."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from auditapp import ledger
from auditapp.access import workspace_of
from auditapp.models import BrowserSession

SEEN_EVERY = 300
"""Seconds: last seen is written no more often, since each writes the whole row."""

SYSTEMS = {"Android": "Android", "iPhone|iPad": "iOS", "Windows": "Windows", "Mac OS X|Macintosh": "macOS", "CrOS": "ChromeOS", "Linux": "Linux"}
BROWSERS = {r"Edg(?:e|A|iOS)?/": "Edge", r"OPR/": "Opera", r"Firefox/|FxiOS/": "Firefox", r"Chrome/|Chromium/|CriOS/": "Chrome", r"Safari/": "Safari"}
"""In this order: a browser also names those that it wants to be taken for."""


class SessionStore(DatabaseStore):
    @classmethod
    def get_model_class(cls) -> type[BrowserSession]:
        return BrowserSession

    def create_model_instance(self, data: dict[str, Any]) -> BrowserSession:
        row = super().create_model_instance(data)
        assert isinstance(row, BrowserSession)
        if SESSION_KEY in data:
            row.user_id = int(data[SESSION_KEY])
        row.browser, row.since, row.seen_at = data.get("browser", ""), _moment(data.get("since")), _moment(data.get("seen"))
        return row


def note_seen(request: HttpRequest) -> None:
    """The session's person is here, with this browser; written every five minutes at most."""
    now = int(timezone.now().timestamp())
    if now - request.session.get("seen", 0) >= SEEN_EVERY:
        request.session.setdefault("since", now)
        request.session.update({"seen": now, "browser": in_words(request.headers.get("User-Agent", ""))})


def in_words(user_agent: str) -> str:
    """What somebody recognises their own browser by; whatever else it says of itself is not kept."""
    browser = next((name for pattern, name in BROWSERS.items() if re.search(pattern, user_agent)), None)
    system = next((name for pattern, name in SYSTEMS.items() if re.search(pattern, user_agent)), None)
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or ""


def public_id(session: BrowserSession) -> str:
    """How a page names a session: its key would open it."""
    return hashlib.sha256(session.session_key.encode()).hexdigest()[:32]


def of(user: User) -> QuerySet[BrowserSession]:
    return BrowserSession.objects.filter(user=user, expire_date__gt=timezone.now())


def end(user: User, session_id: str) -> bool:
    """End the one that `public_id` names; False where it has ended already."""
    keys = [session.session_key for session in of(user) if public_id(session) == session_id]
    return _end(user, of(user).filter(session_key__in=keys)) > 0


def end_others(user: User, keep: str | None) -> int:
    """End all but the session with the key ``keep``; returns how many."""
    return _end(user, of(user).exclude(session_key=keep))


def sweep() -> dict[str, int]:
    """Sessions whose time is over tell who was where and when: they go."""
    expired = BrowserSession.objects.filter(expire_date__lt=timezone.now())
    # Asked first: a DELETE would take SQLite's only writer every few seconds for nothing
    return {"sessions_removed": expired.delete()[0] if expired.exists() else 0}


def _end(user: User, sessions: QuerySet[BrowserSession]) -> int:
    with transaction.atomic():
        ended, _rows = sessions.delete()
        if ended:
            ledger.append(workspace_of(user), ledger.actor_of(user), "sessions.ended", f"user:{user.pk}", {"sessions": ended})
    return ended


def _moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
