"""Review and approval: two steps, two people, of one version, with a reason, in the ledger; overtaken by any statement that changes."""

from __future__ import annotations

from typing import Any

import pytest

from auditapp import ledger, report_versions
from auditapp.models import LedgerEntry, Membership, Report, ReportRendering, Run, SignOffEntry
from auditapp.statements import changes as statements, sign_offs
from automl.errors import BadInput
from tests.auditapp.report_maker import make_waiting
from tests.auditapp.statements.conftest import caller


def sign(people: Any, run: Run, who: str, step: Any, reason: str = "Read it all.", version: int | None = None) -> None:
    sign_offs.sign_off(run, caller(people, who), step, reason, report_version=version or report_versions.document_of(run).report_version)


def test_review_then_approval_each_prints_in_the_next_version_and_stands_in_the_ledger(people: Any, run: Run) -> None:
    first = Report.objects.get(run=run)
    sign(people, run, "reviewer", "review", "Numbers agree\r\nwith the evidence.")
    assert make_waiting() == [2]
    sign(people, run, "owner", "approval")
    assert make_waiting() == [3]
    document = report_versions.document_of(run)
    review, approval = document.signed("review"), document.signed("approval")
    assert review is not None
    assert approval is not None
    assert (review.author, review.role, review.reason, review.report_version, review.pdf_sha256) == ("reviewer", "reviewer", "Numbers agree\nwith the evidence.", 1, first.pdf_sha256)
    assert (approval.author, approval.report_version, approval.evidence_digest, approval.alone) == ("owner", 2, first.evidence_digest, False)
    assert [(report.version, report.sign_offs) for report in Report.objects.filter(run=run).order_by("version")] == [(1, 0), (2, 1), (3, 2)]
    entries = LedgerEntry.objects.filter(action__in=sign_offs.ACTIONS.values()).order_by("number")
    assert [(entry.action, entry.actor, entry.data["report_version"], entry.data["pdf_sha256"], entry.data["reason"]) for entry in entries] == [
        ("report.reviewed", "user:reviewer", 1, first.pdf_sha256, "Numbers agree\nwith the evidence."),
        ("report.approved", "user:owner", 2, Report.objects.get(run=run, version=2).pdf_sha256, "Read it all.")]
    assert ledger.verify(people.workspace) == []
    assert sign_offs.next_step(document) is None
    with pytest.raises(sign_offs.NotNow, match="are reviewed and approved"):
        sign(people, run, "owner", "review")


def test_who_reviewed_does_not_approve(people: Any, run: Run) -> None:
    sign(people, run, "owner", "review")
    make_waiting()
    with pytest.raises(sign_offs.NotNow, match="You reviewed this report; somebody else"):
        sign(people, run, "owner", "approval")
    sign(people, run, "reviewer", "approval")
    assert SignOffEntry.objects.count() == 2


def test_unless_nobody_else_could_and_then_it_says_so(people: Any, run: Run) -> None:
    Membership.objects.filter(workspace=people.workspace, user=people.users["reviewer"]).update(role="viewer")
    sign(people, run, "owner", "review")
    make_waiting()
    sign(people, run, "owner", "approval")
    approval = report_versions.document_of(run).signed("approval")
    assert approval is not None
    assert approval.alone
    assert LedgerEntry.objects.get(action="report.approved").data["alone"] is True


def test_nothing_is_approved_before_it_is_reviewed(people: Any, run: Run) -> None:
    with pytest.raises(sign_offs.NotNow, match="not what this report waits for"):
        sign(people, run, "owner", "approval")
    assert not SignOffEntry.objects.exists()


def test_a_statement_that_changes_asks_for_both_again(people: Any, run: Run) -> None:
    sign(people, run, "reviewer", "review")
    make_waiting()
    statements.change(run, caller(people, "reviewer"), {"purpose": "a"}, base=0)
    make_waiting()
    document = report_versions.document_of(run)
    assert document.signed("review") is None
    assert [one.author for one in document.earlier()] == ["reviewer"]
    with pytest.raises(sign_offs.NotNow, match="not what this report waits for"):
        sign(people, run, "owner", "approval")


def test_only_what_was_seen_is_signed_off(people: Any, run: Run) -> None:
    statements.change(run, caller(people, "owner"), {"purpose": "a"}, base=0)
    with pytest.raises(sign_offs.NotNow, match="Report version 2 has come since"):
        sign(people, run, "reviewer", "review", version=1)
    with pytest.raises(sign_offs.NotNow, match="Report version 2 is being made"):
        sign(people, run, "reviewer", "review")
    ReportRendering.objects.update(state="failed", failure_code="internal", failure_text="x")
    with pytest.raises(sign_offs.NotNow, match="Report version 2 could not be made"):
        sign(people, run, "reviewer", "review")
    ReportRendering.objects.update(state="queued", failure_code="", failure_text="")
    make_waiting(signed=False)
    with pytest.raises(sign_offs.NotNow, match="awaits its signature"):
        sign(people, run, "reviewer", "review")
    assert not SignOffEntry.objects.exists()


@pytest.mark.parametrize(("reason", "why"), [(" ", "nothing is said"), ("x" * 1001, "at most 1,000"), ("a\u202eb", "U\\+202E")])
def test_a_reason_is_needed(people: Any, run: Run, reason: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        sign(people, run, "reviewer", "review", reason)
    assert not SignOffEntry.objects.exists()
