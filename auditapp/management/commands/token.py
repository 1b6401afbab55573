"""`manage.py token USER`: a new API token, as the last word of standard output."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.models import User
from django.core.management.base import CommandParser

from auditapp import access
from auditapp.models import Membership
from auditapp.one_sentence import OneSentenceCommand


class Command(OneSentenceCommand):
    help = "Print a new API token for a user; it is shown once and stored only as a hash."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the user's name")
        parser.add_argument("--scopes", default="read,run,predict", help=f"comma-separated, from {', '.join(access.SCOPES)} (default: %(default)s)")
        parser.add_argument("--days", type=int, default=access.TOKEN_DAYS, help="days until it expires (default: %(default)s)")
        parser.add_argument("--name", default="made on the command line", help="what the token is for")
        parser.add_argument("--workspace", help="id of the workspace (default: the user's first)")

    def handle(self, *args: Any, **options: Any) -> None:
        membership = self._membership(options["user"], options["workspace"])
        scopes = tuple(part.strip() for part in options["scopes"].split(",") if part.strip())
        try:
            token, text = access.issue_token(
                user=membership.user, workspace=membership.workspace, name=options["name"], scopes=cast("tuple[access.Scope, ...]", scopes),
                days=options["days"], actor="command line")
        except ValueError as error:
            self.refuse(str(error))
        self.stderr.write(f"Token {token.pk} for {options['user']} in {membership.workspace.name}, scopes {', '.join(token.scopes)}, until {token.expires_at:%Y-%m-%d}.")
        self.stdout.write(text)


    def _membership(self, username: str, workspace_id: str | None) -> Membership:
        user = User.objects.filter(username=username).first()
        if user is None:
            self.refuse(f"there is no user {username!r}")
        memberships = Membership.objects.filter(user=user).select_related("user", "workspace").order_by("pk")
        first = (memberships.filter(workspace_id=workspace_id) if workspace_id else memberships).first()
        if first is None:
            self.refuse(f"{username!r} is a member of no workspace{f' {workspace_id}' if workspace_id else ''}")
        return first
