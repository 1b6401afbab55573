"""Report versions after the first: asked for by people, drawn and signed by a worker. The only writer of ReportRendering and of every Report but a run's first.

    queued -> running -> done | failed        running -> queued only by `sweep`        failed -> queued only by `ask_again`

Same lease rules as runs and profiles. What a version says is fixed when it is asked for: whatever changes later belongs to the next one. The evidence is never touched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, QuerySet
from django.db.models.functions import Now

from auditapp import dispatch, leases, ledger, removal
from auditapp.leases import Fence, LeaseLost
from auditapp.models import Artifact, Report, ReportRendering, Run, RunEvent, SignOffEntry, StatementsVersion
from auditapp.statements.document import SignOff, Statement, Statements, VersionEntry, What
from auditapp.webhooks import outbox as webhooks
from automl.errors import BadInput
from automl.evidence import canonical_json

if TYPE_CHECKING:
    from auditapp.runs import SignedReport
    from auditapp.storage import Stored

_BATCH = 100
MOST_WAITING = 20
"""Versions of a workspace that may wait to be drawn."""
MOST_VERSIONS = 1_000
"""Of one run. Each prints and attaches the story of all before it."""


class TooMany(BadInput):
    """As many versions wait, or were made, as may be."""


@dataclass(frozen=True)
class RenderingLease:
    """What a worker needs to draw the version."""

    rendering_id: int
    attempt: int
    run_id: str
    version: int
    document: Statements
    files: tuple[tuple[str, str], ...]
    """Name and sha256 of the run's artifacts."""

    @property
    def fence(self) -> Fence:
        return Fence(self.rendering_id, self.attempt)


@dataclass(frozen=True)
class Version:
    """One version of a run's report, made or being made, newest first in `versions_of`."""

    entry: VersionEntry
    report: Report | None
    rendering: ReportRendering | None

    @property
    def number(self) -> int:
        return self.entry.report_version

    @property
    def state(self) -> str:
        """signed, awaiting_signature, queued, running or failed."""
        return str(self.report.state if self.report else self.rendering.state if self.rendering else "failed")


# --- what people ask for


def document_of(run: Run) -> Statements:
    """What has been said and signed off of a run that has succeeded, now. ``report_version`` is the newest that was asked for."""
    first = Report.objects.filter(run=run, version=1).first()
    if first is None:
        raise LookupError(f"run {run.pk} has no report")
    said = StatementsVersion.objects.filter(run=run).order_by("-version").first()
    newest = ReportRendering.objects.filter(run=run).order_by("-version").first()
    begun = VersionEntry(report_version=1, what="run", statements_version=0, author="service", at=moment(first.created_at))
    before = Statements.model_validate(newest.document).versions if newest else (begun,)
    return Statements(
        run=run.pk, evidence_digest=first.evidence_digest, report_version=newest.version if newest else 1, version=said.version if said else 0,
        fields={name: Statement.model_validate(one) for name, one in said.fields.items()} if said else {},
        sign_offs=tuple(SignOff.model_validate(row.document) for row in SignOffEntry.objects.filter(run=run).order_by("number")), versions=before)


def ask(run: Run, *, what: What, author: str, at: datetime, fields: Sequence[str] = ()) -> ReportRendering:
    """Have the next version made, with all that has been said and signed off by now; in the caller's transaction, which holds the run's row. Raises TooMany."""
    waiting = ReportRendering.objects.filter(run__workspace_id=run.workspace_id, state__in=["queued", "running"]).count()
    if waiting >= MOST_WAITING:
        raise TooMany(f"{MOST_WAITING} report versions of this workspace wait to be made, which is the limit; ask again in a minute")
    now = document_of(run)
    highest = Report.objects.filter(run=run).aggregate(highest=Max("version"))["highest"] or 1
    version = max(highest, now.report_version) + 1
    if version > MOST_VERSIONS:
        raise TooMany(f"the report has {MOST_VERSIONS:,} versions, which is the limit")
    entry = VersionEntry(report_version=version, what=what, statements_version=now.version, fields=tuple(fields), author=author, at=moment(at))
    document = now.model_copy(update={"report_version": version, "versions": (*now.versions, entry)})
    rendering = ReportRendering.objects.create(run=run, version=version, document=document.model_dump(mode="json"), max_attempts=settings.MAX_ATTEMPTS)
    RunEvent.objects.create(run=run, attempt=run.attempt, kind="report_asked", data={"version": version, "what": what})
    dispatch.ring_report(rendering.pk)
    return rendering


def ask_again(rendering: ReportRendering) -> bool:
    """Have a version that failed tried once more, with the same content; False where it has not failed."""
    with transaction.atomic():
        again = ReportRendering.objects.filter(pk=rendering.pk, state="failed").update(
            state="queued", failure_code="", failure_text="", finished_at=None, queued_at=Now(), rung_at=None, max_attempts=F("attempt") + settings.MAX_ATTEMPTS)
        if again:
            dispatch.ring_report(rendering.pk)
    return bool(again)


def versions_of(run: Run) -> list[Version]:
    """Every version of the report, made or being made, the newest first; empty before the run has succeeded."""
    reports = {report.version: report for report in Report.objects.filter(run=run)}
    renderings = {row.version: row for row in ReportRendering.objects.filter(run=run)}
    if not reports:
        return []
    return [Version(entry, reports.get(entry.report_version), renderings.get(entry.report_version)) for entry in reversed(document_of(run).versions)]


def sha256_of(document: Any) -> str:
    return hashlib.sha256(canonical_json(document)).hexdigest()


def moment(at: datetime) -> str:
    """A time as documents say it: ISO 8601, UTC, whole seconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


# --- what a worker does, each fenced by the attempt


def claim(rendering_id: int, owner: str) -> RenderingLease | None:
    """Take the version if it still waits; None when somebody else has it, a normal answer."""
    with transaction.atomic():
        if not leases.take(ReportRendering.objects.filter(pk=rendering_id), owner):
            return None
        row = ReportRendering.objects.get(pk=rendering_id)
        files = tuple(Artifact.objects.filter(run_id=row.run_id).values_list("name", "sha256"))
    return RenderingLease(rendering_id, row.attempt, row.run_id, row.version, Statements.model_validate(row.document), files)


def beat(lease: RenderingLease) -> None:
    """Keep the lease; raises LeaseLost."""
    leases.write(_rows(), lease.fence, **leases.extension())


def finish(lease: RenderingLease, unsigned: Stored, pdf: Stored | None, signed: SignedReport | None, picture: Stored | None = None) -> None:
    """The version is there: its Report, and what the ledger says of it. ``pdf`` and ``signed`` are None where no key can be read: it then awaits its signature.
    ``picture``: of its first page. Raises LeaseLost."""
    try:
        with transaction.atomic():
            leases.write(_rows(), lease.fence, state="done", finished_at=Now(), **leases.end_of_lease())
            run = Run.objects.select_related("workspace").get(pk=lease.run_id)
            report = Report.objects.create(
                run=run, version=lease.version, state="signed" if signed else "awaiting_signature", evidence_digest=lease.document.evidence_digest,
                statements_version=lease.document.version, sign_offs=len(lease.document.sign_offs), unsigned_sha256=unsigned.sha256, pdf_sha256=pdf.sha256 if pdf else "",
                picture_sha256=picture.sha256 if picture else "", signer=signed.signer[:200] if signed else "", signed_at=signed.signed_at if signed else None)
            RunEvent.objects.create(run=run, attempt=run.attempt, kind="report_made", data={"version": lease.version})
            if signed is None:
                dispatch.ring_signing()
            else:
                webhooks.announce_report(report)
            ledger.append(run.workspace, "service", "report.made", run.pk, {
                "report": report.pk, "version": lease.version, "evidence_digest": report.evidence_digest, "statements_version": report.statements_version,
                "sign_offs": report.sign_offs, "state": report.state, "pdf_sha256": report.pdf_sha256 or None})
    except LeaseLost:
        removal.remove_unreferenced(stored.sha256 for stored in (unsigned, pdf, picture) if stored)
        raise


def fail(lease: RenderingLease, code: str, text: str) -> None:
    """The version cannot be made; ``code`` is one of models.FAILURE_CODES. Raises LeaseLost."""
    leases.write(_rows(), lease.fence, state="failed", failure_code=code, failure_text=text, finished_at=Now(), **leases.end_of_lease())


def lose(lease: RenderingLease) -> None:
    """The child died, or the worker ends: the lease ends at once and `sweep` decides. Raises LeaseLost."""
    leases.write(_rows(), lease.fence, lease_until=Now())


def sweep() -> dict[str, int]:
    """Ring again for versions that nobody took, take back those whose worker is gone. Idempotent, safe in parallel."""
    return leases.sweep_short(_rows(), dispatch.ring_report, _BATCH, named="reports", made="made the version")


def _rows() -> QuerySet[ReportRendering]:
    return ReportRendering.objects.all()
