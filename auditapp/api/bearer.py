"""The door of every route: a token, its scope, its user's role, and the kind of body, checked in this order and before one byte of the body is read.

Tokens only. A session cookie opens nothing here, so there is nothing for a foreign page to ride on and no CSRF to guard against.
"""

from __future__ import annotations

from typing import Literal

from django.http import HttpRequest
from ninja.security import HttpBearer

from auditapp import rate_limits
from auditapp.access import Action, Caller, caller_of_token, require
from auditapp.problems import Problem

BodyKind = Literal["multipart/form-data", "application/json"]
MULTIPART: BodyKind = "multipart/form-data"
JSON: BodyKind = "application/json"


class BearerToken(HttpBearer):
    """``auth=BearerToken("upload", MULTIPART)``: the caller may do this, and sends this kind of body."""

    def __init__(self, action: Action, body: BodyKind | None = None) -> None:
        super().__init__()
        self.action, self.body = action, body

    def __call__(self, request: HttpRequest) -> Caller:
        caller = caller_of_token(request.headers.get("Authorization"))
        if caller is None:
            raise Problem("unauthenticated", headers={"WWW-Authenticate": 'Bearer realm="Plumbline"'})
        assert caller.token is not None
        rate_limits.take(request, caller.token.pk)
        require(caller, self.action)
        if self.body and request.content_type != self.body:
            raise Problem("unsupported-media-type", f"This call reads {self.body}, not {(request.content_type or 'a body without Content-Type')[:100]}.")
        return caller

    def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        """`HttpBearer` asks for it; `__call__` does the work."""
        raise NotImplementedError


def caller(request: HttpRequest) -> Caller:
    """Who calls: what `BearerToken` found."""
    found = request.auth  # type: ignore[attr-defined]
    assert isinstance(found, Caller)
    return found
