"""Who is in a workspace: invitations, roles, leaving. Beside `manage.py member`, `auditapp.people.workspaces` and the first start the only writer of Membership, and of Invitation.

A workspace never loses its last owner: nobody else could invite, change roles or delete it.
"""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from auditapp import ledger
from auditapp.access import OWNER, Caller, hashed, is_secret, new_secret, revoke_token
from auditapp.models import ApiToken, Invitation, Membership, Workspace
from auditapp.people import accounts

INVITATION_DAYS = 7
MOST_OPEN, MOST_A_DAY = 50, 100
"""Invitations of a workspace: each sends mail to a stranger."""
FORGOTTEN_DAYS = 30
"""After its end: it holds somebody's address."""


class Refused(Exception):
    """It cannot be done as things stand; the text says why, in one sentence. Nothing was written."""


def open_invitations(workspace: Workspace) -> QuerySet[Invitation]:
    return Invitation.objects.filter(workspace=workspace, accepted_at=None, withdrawn_at=None, expires_at__gt=timezone.now())


def invite(caller: Caller, email: str, role: str) -> tuple[Invitation, str]:
    """An invitation and the secret of its link, which is stored nowhere. A newer one to the same address takes the older one's place."""
    secret, stored = new_secret()
    now = timezone.now()
    with transaction.atomic():
        workspace = _locked(caller.workspace)
        open_invitations(workspace).filter(email__iexact=email).update(withdrawn_at=now)
        if open_invitations(workspace).count() >= MOST_OPEN:
            raise Refused(_("%(number)d invitations are open, which is the limit; withdraw one first.") % {"number": MOST_OPEN})
        if Invitation.objects.filter(workspace=workspace, created_at__gt=now - timedelta(days=1)).count() >= MOST_A_DAY:
            raise Refused(_("%(number)d invitations were sent within a day, which is the limit; go on tomorrow.") % {"number": MOST_A_DAY})
        invitation = Invitation.objects.create(
            workspace=workspace, email=email, role=role, secret_sha256=stored, invited_by=caller.user, expires_at=now + timedelta(days=INVITATION_DAYS))
        # Without the address: what the ledger says stays for ever
        ledger.append(workspace, caller.actor, "member.invited", invitation.pk, {"role": role})
    return invitation, secret


def withdraw(caller: Caller, invitation: Invitation) -> bool:
    """The link opens nothing any more; False where that was so already."""
    with transaction.atomic():
        ended = open_invitations(caller.workspace).filter(pk=invitation.pk).update(withdrawn_at=timezone.now())
        if ended:
            ledger.append(caller.workspace, caller.actor, "member.invitation_withdrawn", invitation.pk, {"role": invitation.role})
    return bool(ended)


def invitation_of(secret: str) -> Invitation | None:
    """The open invitation behind a link; one answer, None, for unknown, used, expired and withdrawn."""
    if not is_secret(secret):
        return None
    found = Invitation.objects.select_related("workspace", "invited_by").filter(secret_sha256=hashed(secret)).first()
    return found if found is not None and open_invitations(found.workspace).filter(pk=found.pk).exists() else None


def accept(invitation: Invitation, user: User) -> Membership:
    """``user`` takes the place, once: the conditional UPDATE lets one of two who click at the same moment in. Who is a member already keeps their role."""
    with transaction.atomic():
        workspace = _locked(invitation.workspace)
        already = Membership.objects.filter(workspace=workspace, user=user).first()
        if already is not None:
            raise Refused(_("You are a member of %(workspace)s already, with the role %(role)s.") % {"workspace": workspace.name, "role": already.role})
        if not open_invitations(workspace).filter(pk=invitation.pk).update(accepted_at=timezone.now()):
            raise Refused(_("This invitation has been used or withdrawn, or its time is over; ask for a new one."))
        membership = Membership.objects.create(workspace=workspace, user=user, role=invitation.role)
        ledger.append(workspace, ledger.actor_of(user), "member.joined", _subject(user), {"role": invitation.role, "invitation": invitation.pk})
    return membership


def join_as_new(invitation: Invitation, user: User) -> Membership:
    """``user``, not saved yet and with a password of their own, gets an account at the invited address and takes the place; both or neither."""
    with transaction.atomic():
        user.save()
        membership = accept(invitation, user)
        accounts.set_email(user, invitation.email, verified=invitation.mailed_at is not None)
        return membership


def note_mailed(invitation: Invitation) -> None:
    """A mail server took the mail with its link, which nobody else has seen: whoever opens it reads that mailbox."""
    Invitation.objects.filter(pk=invitation.pk).update(mailed_at=timezone.now())


def change_role(caller: Caller, member: Membership, role: str) -> None:
    """Raises Refused for the last owner."""
    with transaction.atomic():
        workspace = _locked(caller.workspace)
        held = Membership.objects.select_related("user").get(pk=member.pk)
        if held.role == role:
            return
        _keep_an_owner(held)
        Membership.objects.filter(pk=held.pk).update(role=role)
        _withdraw_all_of(held)
        ledger.append(workspace, caller.actor, "member.role_changed", _subject(held.user), {"from": held.role, "to": role})


def remove(caller: Caller, member: Membership) -> None:
    """The member and their tokens open nothing of this workspace any more; what they did stays. Oneself: leaving. Raises Refused for the last owner."""
    with transaction.atomic():
        workspace = _locked(caller.workspace)
        held = Membership.objects.select_related("user").get(pk=member.pk)
        _keep_an_owner(held)
        _withdraw_all_of(held)
        # Otherwise they would work again if the person came back
        for token in ApiToken.objects.filter(workspace=workspace, user=held.user, revoked_at=None).select_related("workspace", "user"):
            revoke_token(token, actor=caller.actor)
        held.delete()
        action = "member.left" if held.user == caller.user else "member.removed"
        ledger.append(workspace, caller.actor, action, _subject(held.user), {"role": held.role})


def sweep() -> dict[str, int]:
    """Invitations that ended a month ago go, and the addresses with them."""
    old = Invitation.objects.filter(expires_at__lt=timezone.now() - timedelta(days=FORGOTTEN_DAYS))
    return {"invitations_removed": old.delete()[0] if old.exists() else 0}


def _locked(workspace: Workspace) -> Workspace:
    """One change of a workspace's members at a time: two owners who leave at the same moment must not both be let go."""
    return Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)


def _keep_an_owner(member: Membership) -> None:
    others = Membership.objects.filter(workspace_id=member.workspace_id, role=OWNER, user__is_active=True).exclude(pk=member.pk)
    if member.role == OWNER and not others.exists():
        raise Refused(_("A workspace keeps at least one owner: make somebody else an owner first."))


def _withdraw_all_of(member: Membership) -> None:
    """What somebody offered as an owner must not let them in again when they are none any more."""
    if member.role == OWNER:
        open_invitations(member.workspace).filter(invited_by=member.user).update(withdrawn_at=timezone.now())


def _subject(user: User) -> str:
    return f"user:{user.get_username()}"[:100]
