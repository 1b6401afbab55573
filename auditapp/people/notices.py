"""Mail to those who asked for it when a run has ended: written down in the transaction that ends the run, sent after it by a worker that does nothing else.

Nothing that happens to a mail touches the run. A mail says that something ended and where to look; no title and no number leaves by it.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from auditapp import dispatch, mail
from auditapp.models import Run, RunNotice
from auditapp.people import accounts
from auditapp.public_address import public_address

RETRY_MINUTES = (1, 5, 30, 120)
"""Between the tries; after the last one the notice is given up."""
_BATCH = 50

logger = logging.getLogger(__name__)


def ask(run: Run) -> None:
    """In the transaction that ends the run: who wants to know of it. Without a mail server nobody is owed a mail."""
    if not settings.MAIL_SERVER:
        return
    wanting = Q(person__notices="all") | Q(person__notices="mine", pk=run.created_by_id)
    people = User.objects.filter(wanting, person__verified_email=F("email"), memberships__workspace_id=run.workspace_id, is_active=True).exclude(email="")
    now = timezone.now()
    owed = RunNotice.objects.bulk_create((RunNotice(run=run, user=user, due_at=now) for user in people), ignore_conflicts=True)
    if owed:
        dispatch.ring_notices()


def send_due() -> int:
    """Send what is due; returns how many went. Each is taken by a conditional UPDATE, so that of two workers one sends it."""
    sent = 0
    for notice in RunNotice.objects.filter(due_at__lte=timezone.now()).select_related("run__workspace", "user").order_by("due_at")[:_BATCH]:
        last = notice.tries == len(RETRY_MINUTES)
        again = timezone.now() + timedelta(minutes=RETRY_MINUTES[min(notice.tries, len(RETRY_MINUTES) - 1)])
        if not RunNotice.objects.filter(pk=notice.pk, tries=notice.tries, due_at=notice.due_at).update(tries=notice.tries + 1, due_at=again):
            continue
        gone = _send(notice)
        sent += gone
        if gone or last:
            RunNotice.objects.filter(pk=notice.pk).delete()
        if last and not gone:
            logger.warning("the notice of %s was given up after %d tries", notice.run_id, notice.tries + 1)
    return sent


def sweep() -> dict[str, int]:
    """Ring again for what is due and was not taken."""
    long_ago = timezone.now() - timedelta(seconds=settings.RING_AGAIN_SECONDS)
    waiting = RunNotice.objects.filter(due_at__lte=long_ago).exists()
    if waiting:
        dispatch.ring_notices()
    return {"notices_rung": int(waiting)}


def _send(notice: RunNotice) -> bool:
    run, user = notice.run, notice.user
    address = accounts.mail_address(user)
    if not user.is_active or not address or not user.memberships.filter(workspace_id=run.workspace_id).exists():
        return True  # owed no more: they have left
    link = public_address() + reverse("run", args=[run.pk])
    with translation.override(accounts.language_of(user)):
        return mail.send(address, _("Plumbline: a run has ended"), "mail/run_ended.txt", {"run": run, "link": link, "account": public_address() + reverse("account-notices")})
