"""Who may see a page: logged in, a member, in a role that may do it. Strangers to an object get 404 from `access.find`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase

from auditapp.access import Action, Caller, NotAllowed, caller_of, require
from auditapp.people import sessions

View = Callable[..., HttpResponseBase]


class PageRequest(HttpRequest):
    """A request that passed `page`: ``caller`` is who asks."""

    caller: Caller


def page(action: Action) -> Callable[[View], View]:
    """The view gets a request whose ``caller`` may do ``action``; others are sent to the login or told which role is needed (403)."""

    def wrap(view: View) -> View:
        @wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            sessions.note_seen(request)
            request.caller = caller_of(request)
            require(request.caller, action)
            return _private(view(request, *args, **kwargs))

        return guarded

    return wrap


def own(view: View) -> View:
    """The pages of one's own account: for everybody who is logged in, in a workspace or in none."""

    @wraps(view)
    def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        sessions.note_seen(request)
        with suppress(NotAllowed):
            request.caller = caller_of(request)
        return _private(view(request, *args, **kwargs))

    return guarded


def public(view: View) -> View:
    """Open to everybody; who is logged in keeps their navigation."""

    @wraps(view)
    def known(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            with suppress(NotAllowed):
                request.caller = caller_of(request)
        return view(request, *args, **kwargs)

    return known


def _private(response: HttpResponseBase) -> HttpResponseBase:
    # Pages show one workspace's or one person's data: no shared cache may keep them
    if not response.has_header("Cache-Control"):
        response["Cache-Control"] = "private, no-cache"
    return response
