"""Links that open one signed report version to somebody without an account: expiring, revocable, counted. The only writer of ShareLink."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from auditapp import ledger
from auditapp.access import Caller, hashed, is_secret, new_secret
from auditapp.models import Report, Run, ShareLink

MOST_DAYS = 365


def share(caller: Caller, report: Report, name: str, days: int) -> tuple[ShareLink, str]:
    """A link and its secret, which is stored nowhere. The report must be signed: an unsigned one is never handed out."""
    if report.state != "signed":
        raise ValueError(f"report version {report.version} is not signed")
    secret, stored = new_secret()
    with transaction.atomic():
        link = ShareLink.objects.create(
            workspace=caller.workspace, report=report, name=name, secret_sha256=stored, created_by=caller.user, expires_at=timezone.now() + timedelta(days=days))
        ledger.append(caller.workspace, caller.actor, "report.shared", report.run_id, {
            "link": link.pk, "version": report.version, "pdf_sha256": report.pdf_sha256, "expires_at": link.expires_at.isoformat()})
    return link, secret


def revoke(caller: Caller, link: ShareLink) -> bool:
    """It opens nothing any more; False where that was so already."""
    with transaction.atomic():
        ended = _open().filter(pk=link.pk).update(revoked_at=timezone.now())
        if ended:
            ledger.append(caller.workspace, caller.actor, "report.share_revoked", link.report.run_id, {"link": link.pk})
    return bool(ended)


def of_run(run: Run) -> QuerySet[ShareLink]:
    """Those that have ended, too: who could read it is asked afterwards."""
    return ShareLink.objects.filter(report__run=run).select_related("report", "created_by")


def link_of(secret: str) -> ShareLink | None:
    """The open link; one answer, None, for unknown, expired and revoked."""
    return _open().select_related("report__run", "workspace").filter(secret_sha256=hashed(secret)).first() if is_secret(secret) else None


def note_download(link: ShareLink) -> bool:
    """Count it and write it down, before a byte goes out; False where the link was revoked at this moment."""
    with transaction.atomic():
        counted = _open().filter(pk=link.pk).update(downloads=F("downloads") + 1, last_download_at=timezone.now())
        if counted:
            ledger.append(link.workspace, f"link:{link.pk}", "report.downloaded", link.report.run_id, {"version": link.report.version, "pdf_sha256": link.report.pdf_sha256})
    return bool(counted)


def _open() -> QuerySet[ShareLink]:
    return ShareLink.objects.filter(revoked_at=None, expires_at__gt=timezone.now())
