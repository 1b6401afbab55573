"""Review and approval of a report: the only writer of SignOffEntry. Two steps, two people.

A reviewer signs off a report version; an approver then approves the version that prints the review. Both are about the statements of that version: a statement that changes
afterwards makes both a matter of the past, and they are asked for again. Who reviewed does not approve, unless nobody else of the workspace could: then the report says so.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from auditapp import ledger, report_versions
from auditapp.access import ROLES_OF_ACTION, Caller
from auditapp.models import Membership, Report, ReportRendering, Run, SignOffEntry
from auditapp.statements.document import SignOff, Statements, Step
from auditapp.statements.fields import checked_text

REASON_LIMIT = 1_000
ACTIONS: dict[Step, str] = {"review": "report.reviewed", "approval": "report.approved"}


class NotNow(Exception):
    """The step cannot be taken as things stand; the text says why. Nothing was written."""


def next_step(document: Statements) -> Step | None:
    """What the newest statements wait for; None when they are reviewed and approved."""
    return "review" if document.signed("review") is None else "approval" if document.signed("approval") is None else None


def obstacle(run: Run, caller: Caller, document: Statements) -> str | None:
    """Why the caller cannot take the next step now, in one sentence; None when they can."""
    step = next_step(document)
    report = Report.objects.filter(run=run).order_by("-version").first()
    if step is None:
        return "These statements are reviewed and approved; a change of a statement asks for both again."
    if report is None or report.version != document.report_version:
        failed = ReportRendering.objects.filter(run=run, version=document.report_version, state="failed").exists()
        return f"Report version {document.report_version} {'could not be made; have it tried again first' if failed else 'is being made; it can be signed off when it is there'}."
    if report.state != "signed":
        return f"Report version {report.version} awaits its signature; it can be signed off when it is there."
    review = document.signed("review")
    if step == "approval" and review is not None and review.author == caller.user.get_username() and _others_could(caller):
        return f"You reviewed this report; somebody else with the role {' or '.join(sorted(ROLES_OF_ACTION['sign_off']))} approves it."
    return None


def sign_off(run: Run, caller: Caller, step: Step, reason: str, *, report_version: int) -> None:
    """Take ``step`` for the report version that the person had before them. One transaction: the entry, the next report version, which prints it, and the ledger.

    Raises BadInput for a reason that is none, NotNow where another version has come since, another step is due, or `obstacle` says why.
    """
    kept = checked_text("reason", reason, REASON_LIMIT)
    with transaction.atomic():
        held = Run.objects.select_for_update(no_key=True).select_related("workspace").get(pk=run.pk)
        if held.state != "succeeded":
            raise NotNow(f"The run is {held.state}; there is no report to sign off.")
        document = report_versions.document_of(held)
        why = obstacle(held, caller, document)
        if document.report_version != report_version:
            raise NotNow(f"Report version {document.report_version} has come since you opened this page; read that one first.")
        if why is not None or step != next_step(document):
            raise NotNow(why or f"The {step} is not what this report waits for.")
        report = Report.objects.get(run=held, version=report_version)
        now, author = timezone.now(), caller.user.get_username()
        review = document.signed("review")
        entry = SignOff(
            step=step, author=author, role=caller.role, at=report_versions.moment(now), reason=kept, report_version=report.version, pdf_sha256=report.pdf_sha256,
            evidence_digest=report.evidence_digest, statements_version=document.version, alone=step == "approval" and review is not None and review.author == author)
        SignOffEntry.objects.create(run=held, number=len(document.sign_offs) + 1, document=entry.model_dump(mode="json"))
        rendering = report_versions.ask(held, what=step, author=author, at=now)
        ledger.append(held.workspace, caller.actor, ACTIONS[step], held.pk, {
            "role": caller.role, "reason": kept, "report": report.pk, "report_version": report.version, "pdf_sha256": report.pdf_sha256, "evidence_digest": report.evidence_digest,
            "statements_version": document.version, "alone": entry.alone, "next_report_version": rendering.version})


def _others_could(caller: Caller) -> bool:
    could = Membership.objects.filter(workspace=caller.workspace, role__in=ROLES_OF_ACTION["sign_off"], user__is_active=True)
    return could.exclude(user=caller.user).exists()
