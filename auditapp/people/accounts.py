"""A person's own account: e-mail address, password, notices. The only writer of Person.

A mistyped address is somebody else's, who could then have the password reset. So nothing goes to an address before a link that was mailed there was opened.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from auditapp import ledger
from auditapp.access import workspace_of
from auditapp.models import BrowserSession, LoginLink, Person

MAIL_EVERY = timedelta(minutes=5)
LINK_HOURS = 24
_SALT = "auditapp.people.accounts.email"


def after_new_password(user: User, how: str) -> None:
    """In the transaction that sets it: whoever came in by the old one, or by a link made before, is out. Tokens are not touched: programs never knew the password."""
    BrowserSession.objects.filter(user=user).delete()
    LoginLink.objects.filter(user=user, used_at=None).delete()
    ledger.append(workspace_of(user), ledger.actor_of(user), "password.set", f"user:{user.pk}", {"how": how})


def may_mail(user: User) -> bool:
    """A link for this account once in five minutes, so that nobody's mailbox is filled through us: the conditional UPDATE lets one of two at once through."""
    now = timezone.now()
    Person.objects.get_or_create(user=user)
    return bool(Person.objects.filter(Q(reset_mailed_at=None) | Q(reset_mailed_at__lt=now - MAIL_EVERY), user=user).update(reset_mailed_at=now))


def set_notices(user: User, notices: str) -> None:
    Person.objects.update_or_create(user=user, defaults={"notices": notices})


def notices_of(user: User) -> str:
    """none, mine or all."""
    return Person.objects.filter(user=user).values_list("notices", flat=True).first() or "none"


def remember_language(user: User, language: str) -> None:
    """``language``: one of the settings' codes; any other is not kept."""
    if language in dict(settings.LANGUAGES):
        Person.objects.update_or_create(user=user, defaults={"language": language})


def language_of(user: User | None) -> str:
    """What mails to them are written in, and pictures are drawn in for them."""
    return Person.objects.filter(user=user).values_list("language", flat=True).first() or settings.LANGUAGE_CODE if user else settings.LANGUAGE_CODE


def mail_address(user: User) -> str:
    """Where mails for this person go; "" where no address is known to be theirs."""
    verified = Person.objects.filter(user=user).values_list("verified_email", flat=True).first()
    return user.email if user.email and user.email == verified else ""


def set_email(user: User, email: str, *, verified: bool) -> None:
    """The account's address from now on; resets and notices go to a ``verified`` one only. The ledger says that it changed, not to what."""
    with transaction.atomic():
        changed = User.objects.filter(pk=user.pk).exclude(email=email).update(email=email)
        Person.objects.update_or_create(user=user, defaults={"verified_email": email if verified else ""})
        if changed or verified:
            ledger.append(workspace_of(user), ledger.actor_of(user), "email.set", f"user:{user.pk}", {"verified": verified})
    user.email = email


def email_proof(user: User, email: str) -> str:
    """The secret part of a link to be mailed to ``email``: whoever opens it, logged in as ``user``, has that mailbox. It ends with its time, and when the account has another address than now."""
    return signing.dumps({"user": user.pk, "was": user.email, "email": email}, salt=_SALT, compress=True)


def proved_email(user: User, proof: str) -> str | None:
    """The address that the link proves to be theirs; None for an altered link, another's, a used or an old one."""
    try:
        said = signing.loads(proof, salt=_SALT, max_age=timedelta(hours=LINK_HOURS))
    except signing.BadSignature:
        return None
    return str(said["email"]) if (said["user"], said["was"]) == (user.pk, user.email) and mail_address(user) != said["email"] else None
