"""`manage.py member USER WORKSPACE --role ROLE`: a person in a workspace, each made where it does not exist, and a link that logs in once."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.db import transaction
from django.urls import reverse

from auditapp import access, ledger
from auditapp.models import Membership, Workspace
from auditapp.one_sentence import OneSentenceCommand
from auditapp.people import second_step
from auditapp.public_address import public_address

LINK_HOURS = 24


class Command(OneSentenceCommand):
    help = "Make a person a member of a workspace (both are made where they do not exist) and print a login link that works once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the person's user name")
        parser.add_argument("workspace", help="name or id of the workspace; a name that does not exist makes a new one")
        parser.add_argument("--role", choices=Membership.Role.values, default=Membership.Role.VIEWER.value, help="default: %(default)s")
        parser.add_argument("--forget-second-step", action="store_true", help="the person has lost phone and recovery codes: switch off the second step of their login")

    def handle(self, *args: Any, **options: Any) -> None:
        self._check(options["user"], options["workspace"])
        with transaction.atomic():
            user, made = User.objects.get_or_create(username=options["user"])
            if made:
                user.set_unusable_password()
                user.save()
            workspace = self._workspace(options["workspace"])
            Membership.objects.update_or_create(workspace=workspace, user=user, defaults={"role": options["role"]})
            if options["forget_second_step"]:
                second_step.switch_off(user, "command line")
            secret = access.make_login_link(user, minutes=LINK_HOURS * 60)
            ledger.append(workspace, "command line", "member.set", f"user:{user.get_username()}", {"role": options["role"]})
        self.stderr.write(f"{user.get_username()} is {options['role']} of {workspace.name} ({workspace.pk}); the link works once, for {LINK_HOURS} hours.")
        self.stdout.write(public_address() + reverse("login-link", args=[secret]))

    def _check(self, username: str, workspace: str) -> None:
        try:
            UnicodeUsernameValidator()(username)
        except ValidationError:
            self.refuse(f"{username!r} is no user name; letters, digits and @ . + - _ are allowed")
        if len(username) > 150 or not workspace.strip() or len(workspace) > 200 or not workspace.isprintable():
            self.refuse("a user name has at most 150 and a workspace's name 1 to 200 printable characters")

    def _workspace(self, name: str) -> Workspace:
        found = Workspace.objects.filter(pk=name).first()
        if found is not None:
            return found
        same = list(Workspace.objects.filter(name=name)[:2])
        if len(same) > 1:
            self.refuse(f"more than one workspace is called {name!r}; name it by its id")
        return same[0] if same else Workspace.objects.create(name=name)
