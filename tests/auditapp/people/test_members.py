"""Invitations that work once, roles, leaving; and that a workspace never loses its last owner."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from auditapp import ledger
from auditapp.access import Caller, caller_of_token
from auditapp.models import Invitation, LedgerEntry, Membership
from auditapp.people import members
from tests.auditapp.conftest import Cast


def caller(people: Cast, who: str = "owner") -> Caller:
    return Caller(people.users[who], people.workspace, who)


def member(people: Cast, who: str) -> Membership:
    return Membership.objects.get(workspace=people.workspace, user=people.users[who])


def actions(people: Cast) -> list[str]:
    assert ledger.verify(people.workspace) == []
    return list(LedgerEntry.objects.filter(workspace=people.workspace, action__startswith="member.").values_list("action", flat=True))


def test_an_invitation_is_taken_once_and_only_its_hash_is_kept(people: Cast) -> None:
    invitation, secret = members.invite(caller(people), "new@example.org", "analyst")
    assert secret not in str(list(Invitation.objects.values()))
    assert members.invitation_of(secret) == invitation
    joined = members.accept(invitation, people.users["stranger"])
    assert (joined.workspace, joined.role) == (people.workspace, "analyst")
    assert members.invitation_of(secret) is None
    with pytest.raises(members.Refused, match="has been used"):
        members.accept(invitation, User.objects.create_user("late"))
    assert actions(people) == ["member.invited", "member.joined"]
    assert "new@example.org" not in str(list(LedgerEntry.objects.values()))


@pytest.mark.parametrize("change", [{"expires_at": timezone.now() - timedelta(seconds=1)}, {"withdrawn_at": timezone.now()}, {"accepted_at": timezone.now()}])
def test_a_link_that_is_over_opens_nothing(people: Cast, change: dict[str, Any]) -> None:
    invitation, secret = members.invite(caller(people), "new@example.org", "viewer")
    Invitation.objects.update(**change)
    assert members.invitation_of(secret) is None
    with pytest.raises(members.Refused):
        members.accept(invitation, people.users["stranger"])
    assert not Membership.objects.filter(user=people.users["stranger"], workspace=people.workspace).exists()


@pytest.mark.parametrize("text", ["", "0" * 64, "x" * 64, "0" * 63, "\x00" * 64])
def test_what_is_no_link_opens_nothing(db: None, text: str) -> None:
    assert members.invitation_of(text) is None


def test_a_newer_invitation_replaces_the_older_and_there_is_a_limit(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    _first, old = members.invite(caller(people), "New@example.org", "viewer")
    _second, new = members.invite(caller(people), "new@example.org", "owner")
    assert members.invitation_of(old) is None
    assert members.invitation_of(new) is not None
    monkeypatch.setattr(members, "MOST_OPEN", 1)
    with pytest.raises(members.Refused, match="1 invitations are open"):
        members.invite(caller(people), "other@example.org", "viewer")
    monkeypatch.setattr(members, "MOST_A_DAY", 2)
    with pytest.raises(members.Refused, match="2 invitations were sent within a day"):
        members.invite(caller(people), "new@example.org", "viewer")  # nor the same one over and over


def test_addresses_are_forgotten_a_month_after_the_invitation(people: Cast) -> None:
    members.invite(caller(people), "new@example.org", "viewer")
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=29))
    assert members.sweep() == {"invitations_removed": 0}
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=31))
    assert members.sweep() == {"invitations_removed": 1}


def test_a_member_keeps_their_role_and_the_invitation_stays_open(people: Cast) -> None:
    invitation, secret = members.invite(caller(people), "new@example.org", "owner")
    with pytest.raises(members.Refused, match="a member of Ada's already, with the role viewer"):
        members.accept(invitation, people.users["viewer"])
    assert member(people, "viewer").role == "viewer"
    assert members.invitation_of(secret) is not None


def test_an_account_that_cannot_take_the_place_is_not_made(people: Cast) -> None:
    invitation, _ = members.invite(caller(people), "new@example.org", "viewer")
    members.withdraw(caller(people), invitation)
    with pytest.raises(members.Refused):
        members.join_as_new(invitation, User(username="new"))
    assert not User.objects.filter(username="new").exists()
    assert not members.withdraw(caller(people), invitation)


def test_the_last_owner_can_neither_be_demoted_nor_leave(people: Cast) -> None:
    for what in (lambda: members.change_role(caller(people), member(people, "owner"), "viewer"), lambda: members.remove(caller(people), member(people, "owner"))):
        with pytest.raises(members.Refused, match="at least one owner: make somebody else an owner first"):
            what()
    assert actions(people) == []
    members.change_role(caller(people), member(people, "viewer"), "owner")
    people.users["viewer"].is_active = False
    people.users["viewer"].save()
    with pytest.raises(members.Refused):  # an owner who cannot log in owns nothing
        members.remove(caller(people), member(people, "owner"))
    User.objects.update(is_active=True)
    members.remove(caller(people), member(people, "owner"))
    assert actions(people) == ["member.role_changed", "member.left"]


def test_who_is_removed_loses_tokens_for_good_and_what_they_offered(people: Cast) -> None:
    members.change_role(caller(people), member(people, "analyst"), "owner")
    _invitation, back_door = members.invite(caller(people, "analyst"), "me@example.org", "owner")
    header = f"Bearer {people.tokens['analyst']}"
    assert caller_of_token(header) is not None
    members.remove(caller(people), member(people, "analyst"))
    assert members.invitation_of(back_door) is None
    Membership.objects.create(workspace=people.workspace, user=people.users["analyst"], role="viewer")
    assert caller_of_token(header) is None
    assert actions(people)[-1] == "member.removed"
