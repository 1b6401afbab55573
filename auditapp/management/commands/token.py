"""`manage.py token USER`: a new API token, as the last word of standard output."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from auditapp import access
from auditapp.models import Membership

BAD_INPUT = 2


class Command(BaseCommand):
    help = "Print a new API token for a user; it is shown once and stored only as a hash."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the user's name")
        parser.add_argument("--scopes", default="read,run,predict", help=f"comma-separated, from {', '.join(access.SCOPES)} (default: all)")
        parser.add_argument("--days", type=int, default=access.TOKEN_DAYS, help="days until it expires (default: %(default)s)")
        parser.add_argument("--name", default="made on the command line", help="what the token is for")
        parser.add_argument("--workspace", help="id of the workspace (default: the user's first)")

    def handle(self, *args: Any, **options: Any) -> None:
        membership = _membership(options["user"], options["workspace"])
        scopes = tuple(part.strip() for part in options["scopes"].split(",") if part.strip())
        try:
            token, text = access.issue_token(
                user=membership.user, workspace=membership.workspace, name=options["name"], scopes=cast("tuple[access.Scope, ...]", scopes),
                days=options["days"], actor="command line")
        except ValueError as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error
        self.stderr.write(f"Token {token.pk} for {options['user']} in {membership.workspace.name}, scopes {', '.join(token.scopes)}, until {token.expires_at:%Y-%m-%d}.")
        self.stdout.write(text)


def _membership(username: str, workspace_id: str | None) -> Membership:
    user = User.objects.filter(username=username).first()
    if user is None:
        raise CommandError(f"there is no user {username!r}", returncode=BAD_INPUT)
    memberships = Membership.objects.filter(user=user).select_related("user", "workspace").order_by("pk")
    if workspace_id:
        memberships = memberships.filter(workspace_id=workspace_id)
    first = memberships.first()
    if first is None:
        raise CommandError(f"{username!r} is a member of no workspace{f' {workspace_id}' if workspace_id else ''}", returncode=BAD_INPUT)
    return first
