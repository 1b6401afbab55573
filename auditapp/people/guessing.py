"""What slows whoever guesses a password: django-axes counts by user and address, and this counts by user alone, over all addresses.

A lock on the user would let anybody lock the owner out. So guesses are slowed, and a browser in which this user has logged in before is not: it holds a signed cookie that the password's change ends.
"""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Max, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

WINDOW = timedelta(hours=settings.AXES_COOLOFF_TIME)
"""What axes remembers."""
FIRST_SECONDS, LONGEST_SECONDS = 4, 60
FREE_FAILURES = 3 * settings.AXES_FAILURE_LIMIT
"""Wrong passwords of one user within the window, from all addresses, before strangers have to wait: no single address reaches it."""
COOKIE = "plumbline_known"
KNOWN_FOR = timedelta(days=180)


class Handler(AxesDatabaseHandler):
    """axes, with the pause by user beside its own by user and address. ``request.guessing_pause`` says which one it was."""

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        if super().is_locked(request, credentials):
            return True
        username = (credentials or {}).get("username") or ""
        seconds = 0 if _is_known(request, username) else pause(username)
        request.guessing_pause = seconds  # type: ignore[attr-defined]
        return seconds > 0


def pause(username: str) -> int:
    """Seconds until a stranger's next guess at this user's password is looked at; it doubles from one wrong one to the next. The same for names that nobody has."""
    now = timezone.now()
    found = AccessAttempt.objects.filter(username=username, attempt_time__gt=now - WINDOW).aggregate(failures=Sum("failures_since_start"), last=Max("attempt_time"))
    over = (found["failures"] or 0) - FREE_FAILURES
    if over < 0:
        return 0
    wait = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(over, 10)) - (now - found["last"]).total_seconds()
    return max(0, ceil(wait))


def remember_browser(response: HttpResponse, user: User) -> HttpResponse:
    """Whoever has this answer has logged in as ``user``, and is not slowed by others' guesses."""
    response.set_signed_cookie(COOKIE, f"{user.pk}:{_of_password(user)}", salt=COOKIE, max_age=KNOWN_FOR, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax")
    return response


def _is_known(request: HttpRequest, username: str) -> bool:
    said = request.get_signed_cookie(COOKIE, default="", salt=COOKIE, max_age=KNOWN_FOR)
    if not said:
        return False
    user = User.objects.filter(username=username, is_active=True).first()
    return user is not None and constant_time_compare(said, f"{user.pk}:{_of_password(user)}")


def _of_password(user: User) -> str:
    return salted_hmac("auditapp.people.guessing", user.password, algorithm="sha256").hexdigest()[:32]
