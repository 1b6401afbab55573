"""The pages of members, invitations and workspaces, as people use them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from auditapp.models import Invitation, Membership, Workspace
from auditapp.people import accounts

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def owner(page: Client) -> Client:
    Membership.objects.update(role="owner")
    return page


def invited(owner: Client, role: str = "viewer") -> str:
    """The path of a new invitation's link, from the answer that shows it."""
    answer = owner.post("/settings/members/invite", {"email": "new@example.org", "role": role})
    assert answer["Cache-Control"] == "no-store"
    found = re.search(r"http://testserver(/invitations/[0-9a-f]{64})", answer.content.decode())
    assert found is not None
    return found[1]


def test_without_a_mail_server_the_link_is_shown_once(owner: Client) -> None:
    path = invited(owner)
    assert path not in owner.get("/settings/members").content.decode()
    assert "new@example.org" in owner.get("/settings/members").content.decode()


def test_with_a_mail_server_the_link_is_in_the_mail_only(owner: Client, settings: Any) -> None:
    settings.MAIL_SERVER = True
    Workspace.objects.update(name="R&D <b>")
    answer = owner.post("/settings/members/invite", {"email": "new@example.org", "role": "analyst"}, follow=True)
    assert "on its way to new@example.org" in answer.content.decode()
    assert "/invitations/" not in answer.content.decode().replace("/settings/invitations/", "")
    (message,) = mail.outbox
    assert '"R&D <b>" on Plumbline, with the role analyst' in message.body
    link = re.search(r"http://testserver(/invitations/[0-9a-f]{64})", message.body)
    assert link is not None
    assert Client().post(link[1], {"username": "grace", "password1": PASSWORD, "password2": PASSWORD}).status_code == 302
    assert accounts.mail_address(User.objects.get(username="grace")) == "new@example.org", "whoever opens it reads that mailbox"


def test_somebody_new_makes_an_account_and_is_in(owner: Client, workspace: Any) -> None:
    path, new = invited(owner, "reviewer"), Client()
    page = new.get(path)
    assert "Invitation to Ada" in page.content.decode()
    assert page["Cache-Control"] == "no-store"
    weak = new.post(path, {"username": "grace", "password1": "short", "password2": "short"})
    assert weak.status_code == 422
    assert "error-summary" in weak.content.decode()
    taken = new.post(path, {"username": "ADA", "password1": PASSWORD, "password2": PASSWORD})
    assert taken.status_code == 422
    assert new.post(path, {"username": "grace", "password1": PASSWORD, "password2": PASSWORD})["Location"] == "/"
    assert Membership.objects.get(user__username="grace", workspace=workspace).role == "reviewer"
    grace = User.objects.get(username="grace")
    assert (grace.email, accounts.mail_address(grace)) == ("new@example.org", ""), "who handed the link on may have kept it"
    assert new.get("/").status_code == 200
    assert new.get(path).status_code == 410


def test_somebody_with_an_account_joins_and_works_there(owner: Client, stranger: Client, workspace: Any) -> None:
    path = invited(owner)
    assert f"/login?next={path}" in Client().get(path).content.decode()
    assert "logged in as eve" in stranger.get(path).content.decode()
    assert Membership.objects.filter(workspace=workspace).count() == 1  # looking spends nothing
    stranger.post(path)
    assert "Audits of Ada" in stranger.get("/").content.decode()
    again = owner.post(invited(owner))
    assert again.status_code == 409
    assert "a member of Ada" in again.content.decode()


def test_roles_change_and_members_go(owner: Client, stranger: Client, workspace: Any) -> None:
    stranger.post(invited(owner))
    eve = Membership.objects.get(user__username="eve", workspace=workspace)
    assert owner.post(f"/settings/members/{eve.pk}/role", {"role": "emperor"}).status_code == 422
    owner.post(f"/settings/members/{eve.pk}/role", {"role": "analyst"})
    assert Membership.objects.get(pk=eve.pk).role == "analyst"
    owner.post(f"/settings/members/{eve.pk}/remove")
    assert not Membership.objects.filter(pk=eve.pk).exists()
    assert "Audits of Eve" in stranger.get("/").content.decode()


def test_the_last_owner_stays_and_reads_why(owner: Client, analyst: Any) -> None:
    mine = Membership.objects.get(user=analyst)
    for path, said in (("leave", {}), (f"{mine.pk}/remove", {}), (f"{mine.pk}/role", {"role": "viewer"})):
        answer = owner.post(f"/settings/members/{path}", said)
        assert answer.status_code == 409
        assert "<title>Error:" in answer.content.decode()
        assert "keeps at least one owner: make somebody else an owner first." in answer.content.decode()


def test_an_invitation_is_withdrawn(owner: Client) -> None:
    path = invited(owner)
    owner.post(f"/settings/invitations/{Invitation.objects.get().pk}/withdraw")
    assert Client().get(path).status_code == 410


@pytest.mark.parametrize("role", ["viewer", "analyst", "reviewer"])
def test_only_owners_see_and_do_any_of_it(page: Client, role: str) -> None:
    Membership.objects.update(role=role)
    assert "Invite somebody" not in page.get("/settings/members").content.decode()
    assert page.post("/settings/members/invite", {"email": "new@example.org", "role": "owner"}).status_code == 403
    mine = Membership.objects.get()
    assert page.post(f"/settings/members/{mine.pk}/role", {"role": "owner"}).status_code == 403
    assert (Invitation.objects.count(), Membership.objects.get().role) == (0, role)
