"""A person's own account: e-mail address, password, notices. The only writer of Person."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from auditapp import ledger
from auditapp.access import workspace_of
from auditapp.models import BrowserSession, LoginLink, Person

RESET_MAIL_EVERY = timedelta(minutes=5)


def after_new_password(user: User, how: str) -> None:
    """In the transaction that sets it: whoever came in by the old one, or by a link made before, is out. Tokens are not touched: programs never knew the password."""
    BrowserSession.objects.filter(user=user).delete()
    LoginLink.objects.filter(user=user, used_at=None).delete()
    ledger.append(workspace_of(user), ledger.actor_of(user), "password.set", f"user:{user.pk}", {"how": how})


def may_mail_reset(user: User) -> bool:
    """Once in five minutes, so that nobody's mailbox is filled through us: the conditional UPDATE lets one of two at once through."""
    now = timezone.now()
    Person.objects.get_or_create(user=user)
    return bool(Person.objects.filter(Q(reset_mailed_at=None) | Q(reset_mailed_at__lt=now - RESET_MAIL_EVERY), user=user).update(reset_mailed_at=now))


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


def set_email(user: User, email: str) -> None:
    """Where resets and notices go from now on; the ledger says that it changed, not to what."""
    if user.email == email:
        return
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(email=email)
        ledger.append(workspace_of(user), ledger.actor_of(user), "email.set", f"user:{user.pk}", {})
