"""Who may see and do what. Workspaces own everything, people are members of workspaces with a role, tokens carry scopes; a stranger gets 404.

Every page and every route asks here: `caller_of` (session) or `caller_of_token` (REST) says who calls, `may` what they may do, `find` fetches one row of theirs.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeVar

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest
from django.utils import timezone

from auditapp import ledger
from auditapp.models import ApiToken, Delivery, LoginLink, Membership, Webhook, Workspace

Action = Literal["read", "verify", "upload", "run", "cancel", "statements", "sign_off", "share", "predict", "delete", "tokens", "members", "member_list", "webhooks"]
Scope = Literal["read", "run", "predict", "statements", "admin"]

SCOPES: tuple[Scope, ...] = ("read", "run", "predict", "statements", "admin")

VIEWER, ANALYST, REVIEWER, OWNER = "viewer", "analyst", "reviewer", "owner"

ROLES_OF_ACTION: dict[Action, frozenset[str]] = {
    "read": frozenset({VIEWER, ANALYST, REVIEWER, OWNER}),
    "verify": frozenset({VIEWER, ANALYST, REVIEWER, OWNER}),
    "upload": frozenset({ANALYST, OWNER}),
    "run": frozenset({ANALYST, OWNER}),
    "cancel": frozenset({ANALYST, OWNER}),
    "predict": frozenset({ANALYST, OWNER}),
    "statements": frozenset({REVIEWER, OWNER}),
    "sign_off": frozenset({REVIEWER, OWNER}),
    "share": frozenset({REVIEWER, OWNER}),
    "delete": frozenset({OWNER}),
    "tokens": frozenset({OWNER}),
    "members": frozenset({OWNER}),
    "member_list": frozenset({OWNER}),
    "webhooks": frozenset({OWNER}),
}
"""The whole of who may do what; a role that is not in an action's set is refused."""

SCOPE_OF_ACTION: dict[Action, Scope | None] = {
    "read": "read", "verify": "read", "upload": "run", "run": "run", "cancel": "run", "delete": "run", "predict": "predict",
    # A scope of its own: what is said in a person's name is not to be had with the right to run audits
    "statements": "statements",
    # So is looking after the workspace: who its members are, and where its events are sent
    "member_list": "admin", "webhooks": "admin",
    # Only a person in a session does these: a leaked token must not sign, nor open more doors
    "sign_off": None, "share": None, "tokens": None, "members": None,
}
"""The scope a token needs besides its user's role; None: no token can."""

TOKEN_DAYS = 90
LINK_MINUTES = 15
LAST_USED_EVERY = timedelta(minutes=1)

_TOKEN = re.compile(r"plb_(tok_[0-9a-hjkmnp-tv-z]{26})_([0-9a-f]{64})")
_LINK = re.compile(r"[0-9a-f]{64}")
_ID = re.compile(r"[a-z]{2,4}_[0-9a-hjkmnp-tv-z]{26}")
"""What `auditapp.models.new_id` makes; anything else names nothing, and never reaches the database or a disk."""

_Row = TypeVar("_Row", bound=models.Model)


class NotAllowed(PermissionDenied):
    """The caller is known and may not do this; ``sentence`` says what would be needed."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Caller:
    """Somebody acting in one workspace. ``token`` is None for a person in a session, who has every scope."""

    user: User
    workspace: Workspace
    role: str
    scopes: frozenset[str] = frozenset(SCOPES)
    token: ApiToken | None = None

    @property
    def actor(self) -> str:
        """How the ledger names the caller."""
        name = f"user:{self.user.get_username()}"
        return f"{name} token:{self.token.pk}" if self.token else name


def may(caller: Caller, action: Action) -> bool:
    return refusal(caller, action) is None


def refusal(caller: Caller, action: Action) -> str | None:
    """Why the caller may not do ``action``, in one sentence; None when they may."""
    scope = SCOPE_OF_ACTION[action]
    if caller.token is not None:
        if scope is None:
            return f"A token cannot be used for this ({action}); log in with a browser."
        if scope not in caller.scopes:
            return f"This needs the scope '{scope}'; the token has {_listed(caller.scopes)}."
    roles = ROLES_OF_ACTION[action]
    if caller.role not in roles:
        return f"This needs the role {' or '.join(sorted(roles))}; yours in this workspace is {caller.role}."
    return None


def require(caller: Caller, action: Action) -> None:
    """Raises NotAllowed where `may` is False."""
    sentence = refusal(caller, action)
    if sentence is not None:
        raise NotAllowed(sentence)


def caller_of(request: HttpRequest) -> Caller:
    """The person of this session in the workspace that the session names, else in their first one. Raises NotAllowed for nobody and for members of nothing."""
    user = request.user
    if not isinstance(user, User) or not user.is_active:
        raise NotAllowed("Log in first.")
    memberships = list(Membership.objects.filter(user=user).select_related("workspace").order_by("pk"))
    if not memberships:
        raise NotAllowed("You are not a member of any workspace yet; ask an owner to add you.")
    named = request.session.get("workspace")
    chosen = next((one for one in memberships if one.workspace_id == named), memberships[0])
    return Caller(user, chosen.workspace, chosen.role)


def choose_workspace(request: HttpRequest, workspace_id: str) -> None:
    """Makes the session act in another of the person's workspaces; Http404 where they are no member."""
    user = request.user
    if not isinstance(user, User) or _ID.fullmatch(workspace_id) is None or not Membership.objects.filter(user=user, workspace_id=workspace_id).exists():
        raise Http404
    request.session["workspace"] = workspace_id


def caller_of_token(header: str | None) -> Caller | None:
    """The caller behind ``Authorization: Bearer plb_<id>_<secret>``; None for anything that is not a living token of a living member.

    One answer for unknown, altered, expired and revoked, so that an answer tells nothing about which tokens exist.
    """
    scheme, _, credentials = (header or "").partition(" ")
    match = _TOKEN.fullmatch(credentials.strip())
    if scheme.lower() != "bearer" or match is None:
        return None
    membership = Membership.objects.filter(user=OuterRef("user"), workspace=OuterRef("workspace"))
    # Each call begins here: one question for all of it
    token = ApiToken.objects.select_related("user", "workspace").annotate(role=Subquery(membership.values("role"))).filter(pk=match[1]).first()
    expected = token.secret_sha256 if token else "0" * 64
    if not hmac.compare_digest(hashed(match[2]), expected) or token is None or not _is_living(token):
        return None
    if token.role is None:
        return None
    _note_use(token)
    return Caller(token.user, token.workspace, token.role, frozenset(token.scopes) & frozenset(SCOPES), token)


def _is_living(token: ApiToken) -> bool:
    return token.user.is_active and token.revoked_at is None and (token.expires_at is None or token.expires_at > timezone.now())


def _note_use(token: ApiToken) -> None:
    # At most one write a minute: polling must not keep SQLite's only writer busy
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - LAST_USED_EVERY:
        ApiToken.objects.filter(Q(pk=token.pk), Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USED_EVERY)).update(last_used_at=now)


def issue_token(
    *, user: User, workspace: Workspace, name: str, scopes: tuple[Scope, ...] = ("read",), days: int = TOKEN_DAYS, actor: str,
) -> tuple[ApiToken, str]:
    """A new token and its text, which is shown once and stored nowhere. Raises ValueError for an unknown scope, none at all, or days outside 1 to 3650."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise ValueError(f"{unknown[0]!r} is not a scope; choose from {', '.join(SCOPES)}" if unknown else f"choose at least one scope from {', '.join(SCOPES)}")
    if not 1 <= days <= 3650:
        raise ValueError(f"a token lives 1 to 3650 days, not {days}")
    secret = secrets.token_hex(32)
    with transaction.atomic():
        token = ApiToken.objects.create(
            workspace=workspace, user=user, name=name[:200], secret_sha256=hashed(secret),
            scopes=[scope for scope in SCOPES if scope in scopes], expires_at=timezone.now() + timedelta(days=days),
        )
        ledger.append(workspace, actor, "token.issued", token.pk, {
            "user": user.get_username(), "name": token.name, "scopes": token.scopes, "expires_at": _when(token.expires_at)})
    return token, f"plb_{token.pk}_{secret}"


def revoke_token(token: ApiToken, *, actor: str) -> bool:
    """Ends a token now; False when it had ended already."""
    with transaction.atomic():
        ended = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
        if ended:
            ledger.append(token.workspace, actor, "token.revoked", token.pk, {"user": token.user.get_username(), "name": token.name})
    return bool(ended)


def make_login_link(user: User, *, minutes: float = LINK_MINUTES) -> str:
    """The secret part of a login link (``/login/link/<secret>``) that works once and within ``minutes``."""
    secret, stored = new_secret()
    now = timezone.now()
    LoginLink.objects.filter(expires_at__lt=now - timedelta(days=1)).delete()
    LoginLink.objects.create(secret_sha256=stored, user=user, expires_at=now + timedelta(minutes=minutes))
    return secret


def redeem_login_link(secret: str) -> User | None:
    """The user whose link this is, once: the conditional UPDATE lets one of two who click at the same moment in. None when used, expired or unknown."""
    if not is_secret(secret):
        return None
    now = timezone.now()
    with transaction.atomic():
        if not LoginLink.objects.filter(secret_sha256=hashed(secret), used_at=None, expires_at__gt=now, user__is_active=True).update(used_at=now):
            return None
        user: User = LoginLink.objects.select_related("user").get(secret_sha256=hashed(secret)).user
        first = Membership.objects.filter(user=user).select_related("workspace").order_by("pk").first()
        ledger.append(first.workspace if first else None, f"user:{user.get_username()}", "login.by_link", f"user:{user.pk}", {})
    return user


def find(rows: type[_Row] | QuerySet[_Row], caller: Caller, row_id: str) -> _Row:
    """The row of the caller's workspace with this id. Raises Http404 for what is not there, is deleted, or is somebody else's: the three look alike."""
    if _ID.fullmatch(row_id) is None:
        raise Http404
    query: QuerySet[_Row] = rows if isinstance(rows, QuerySet) else rows._default_manager.all()
    query = query.filter(workspace=caller.workspace, pk=row_id)
    if any(field.name == "deleted_at" for field in query.model._meta.get_fields()):
        query = query.filter(deleted_at=None)
    row = query.first()
    if row is None:
        raise Http404
    return row


def find_delivery(webhook: Webhook, delivery_id: str) -> Delivery:
    """A delivery of a webhook that `find` has found; Http404 like there."""
    delivery = Delivery.objects.select_related("webhook__workspace").filter(webhook=webhook, pk=delivery_id).first() if _ID.fullmatch(delivery_id) else None
    if delivery is None:
        raise Http404
    return delivery


def workspace_of(user: User) -> Workspace | None:
    """The user's first workspace, where commands act."""
    first = Membership.objects.filter(user=user).select_related("workspace").order_by("pk").first()
    return first.workspace if first else None


def new_secret() -> tuple[str, str]:
    """The text of a link that opens something, to be shown once, and the hash that is stored in its place."""
    secret = secrets.token_hex(32)
    return secret, hashed(secret)


def is_secret(text: str) -> bool:
    """Whether ``text`` can be what `new_secret` made; anything else opens nothing and never reaches the database."""
    return _LINK.fullmatch(text) is not None


def hashed(secret: str) -> str:
    # A plain hash is enough: 256 random bits cannot be guessed, so slowness would protect nothing
    return hashlib.sha256(secret.encode()).hexdigest()


def _when(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _listed(scopes: frozenset[str]) -> str:
    return ", ".join(scope for scope in SCOPES if scope in scopes) or "none"
