from __future__ import annotations

import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from auditapp import access, ledger
from auditapp.models import Membership, Workspace

pytestmark = pytest.mark.django_db


def _member(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("member", *arguments, stdout=out, stderr=err)
    return out.getvalue().strip(), err.getvalue().strip()


def test_the_first_person_of_an_installation() -> None:
    link, told = _member("grace", "Credit risk", "--role", "owner")
    user = User.objects.get(username="grace")
    assert not user.has_usable_password()
    membership = Membership.objects.get(user=user)
    assert (membership.workspace.name, membership.role) == ("Credit risk", "owner")
    assert "grace is owner of Credit risk" in told
    assert access.redeem_login_link(link.rsplit("/", 1)[1]) == user
    assert access.redeem_login_link(link.rsplit("/", 1)[1]) is None
    assert ledger.verify(membership.workspace) == []


def test_a_role_is_changed_not_doubled() -> None:
    _member("grace", "Credit risk", "--role", "owner")
    _member("grace", "Credit risk", "--role", "viewer")
    assert [*Membership.objects.values_list("role", flat=True)] == ["viewer"]
    assert Workspace.objects.count() == 1


def test_a_workspace_is_named_by_its_id_where_the_name_is_not_enough(capsys: Any) -> None:
    one, _two = Workspace.objects.create(name="Twin"), Workspace.objects.create(name="Twin")
    out = io.StringIO()
    with pytest.raises(SystemExit) as refused:
        call_command("member", "grace", "Twin", stderr=out)
    assert refused.value.code == 2
    assert "more than one workspace is called 'Twin'" in out.getvalue()
    assert not User.objects.filter(username="grace").exists(), "nothing is half made"
    _member("grace", one.pk)
    assert Membership.objects.get().workspace == one


@pytest.mark.parametrize("arguments", [("gr ace", "X"), ("a" * 151, "X"), ("grace", " "), ("grace", "X\nY"), ("grace", "x" * 201)])
def test_names_that_cannot_be(arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as refused:
        call_command("member", *arguments, stderr=io.StringIO())
    assert refused.value.code == 2
    assert not User.objects.exists()
