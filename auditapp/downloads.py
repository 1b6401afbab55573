"""What people and programs took out of a workspace, in the ledger, before a byte goes out. Pictures that a page shows are no downloads, nor is an answer to who has the bytes already."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from auditapp import ledger
from auditapp.access import Caller
from auditapp.models import Report, Run


def noted_report(answer: HttpResponseBase, request: HttpRequest, caller: Caller, report: Report) -> HttpResponseBase:
    """``answer``, which hands out the signed ``report``."""
    if _hands_out(answer, request):
        ledger.append(report.run.workspace, caller.actor, "report.downloaded", report.run_id, {"version": report.version, "pdf_sha256": report.pdf_sha256})
    return answer


def noted_file(answer: HttpResponseBase, request: HttpRequest, caller: Caller, run: Run, file: str, sha256: str | None = None) -> HttpResponseBase:
    """``answer``, which hands out ``file`` of ``run``."""
    if _hands_out(answer, request):
        ledger.append(run.workspace, caller.actor, "file.downloaded", run.pk, {"file": file, "sha256": sha256})
    return answer


def _hands_out(answer: HttpResponseBase, request: HttpRequest) -> bool:
    return request.method == "GET" and answer.status_code == 200
