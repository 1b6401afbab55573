"""What the routes say about rows: one pydantic type a resource, filled here and nowhere else. Results themselves are `automl.evidence` documents."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from auditapp import report_versions, results, runs
from auditapp.api.paging import Page
from auditapp.models import AuditedModel, Dataset, Profile, Report, ReportRendering, Run, StatementsVersion
from auditapp.report_versions import Version
from auditapp.statements.document import Statement, Statements

V1 = "/api/v1"


class Failure(BaseModel):
    code: str
    sentence: str


class DatasetDocument(BaseModel):
    id: str
    name: str
    filename: str
    sha256: str
    bytes: int
    created_at: datetime
    created_by: str | None


class DatasetPage(Page):
    items: list[DatasetDocument]


class ProfileDocument(BaseModel):
    """`profile` is an `automl.evidence.DatasetProfile` once `state` is ready."""

    id: str
    state: Literal["queued", "running", "ready", "failed"]
    failure: Failure | None
    profile: dict[str, Any] | None


class PreviewDocument(BaseModel):
    """The first rows as they were read, cells as text."""

    id: str
    state: Literal["queued", "running", "ready", "failed"]
    failure: Failure | None
    columns: list[str]
    rows: list[list[str]]


class ReportDocument(BaseModel):
    id: str
    version: int
    state: Literal["signed", "awaiting_signature"]
    evidence_digest: str
    statements_version: int
    sign_offs: int
    """How many steps of the sign-off it prints."""
    pdf_sha256: str | None
    signer: str | None
    signed_at: datetime | None
    url: str


class ReportVersionDocument(BaseModel):
    """Why there is a version of the report, and where it stands. `report` is there once it is made."""

    version: int
    state: Literal["signed", "awaiting_signature", "queued", "running", "failed"]
    what: Literal["run", "statements", "review", "approval"]
    fields: list[str]
    author: str
    at: str
    statements_version: int
    failure: Failure | None
    report: ReportDocument | None


class ReportVersions(Page):
    id: str
    items: list[ReportVersionDocument]


class StatementsDocument(Statements):
    """`statements.json` as it stands now."""

    id: str


class StatementsVersionDocument(BaseModel):
    """What had been said as of one version."""

    id: str
    version: int
    changed: list[str]
    author: str
    role: str
    at: str
    fields: dict[str, Statement]


class RunDocument(BaseModel):
    id: str
    kind: Literal["training", "predictions"]
    title: str
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    stage: str | None
    percent: int
    best: float | None
    metric: str | None
    trials: int
    seconds_left: float | None
    note: str | None
    place_in_queue: int | None
    """1 starts next; null for a run that does not wait."""
    attempt: int
    max_attempts: int
    failure: Failure | None
    model: str | None
    report: ReportDocument | None
    dataset: str
    test_dataset: str | None
    parent: str | None
    spec: dict[str, Any]
    cancel_requested_at: datetime | None
    finish_requested_at: datetime | None
    created_at: datetime
    created_by: str | None
    started_at: datetime | None
    finished_at: datetime | None


class RunPage(Page):
    items: list[RunDocument]


class ModelDocument(BaseModel):
    id: str
    run: str
    sha256: str
    task: str | None
    target: str | None
    labels: list[str]
    metric: str | None
    created_at: datetime


class Removed(BaseModel):
    """What a deletion removed and what stays. The ledger keeps its entries in any case."""

    id: str
    removed: dict[str, Any]
    ledger: Literal["kept"] = "kept"


class VerdictDocument(BaseModel):
    id: str
    """sha256 of the file that was sent."""
    valid: bool
    signer: str | None
    signed_at: str | None
    time_source: str | None
    run: str | None
    digest: str | None
    problems: list[str]
    numbers: str | None
    """Of a report that holds: whether each number on its pages is one of the attached documents'."""
    in_ledger: bool
    """Whether the ledger of this installation has this very file."""


class TokenDocument(BaseModel):
    id: str
    name: str
    expires_at: datetime | None


class WorkspaceDocument(BaseModel):
    id: str
    name: str


class MeDocument(BaseModel):
    id: str
    workspace: WorkspaceDocument
    role: str
    scopes: list[str]
    token: TokenDocument


def dataset_document(dataset: Dataset) -> DatasetDocument:
    return DatasetDocument(
        id=dataset.pk, name=dataset.name, filename=dataset.filename, sha256=dataset.sha256, bytes=dataset.bytes, created_at=dataset.created_at,
        created_by=_username(dataset))


def profile_document(dataset: Dataset, profile: Profile) -> ProfileDocument:
    return ProfileDocument(id=dataset.pk, state=profile.state, failure=_failure(profile), profile=profile.document)


def run_document(run: Run) -> RunDocument:
    progress = run.progress or {}
    model: AuditedModel | None = getattr(run, "model", None)  # absent before it has succeeded, and of predictions made elsewhere
    report = results.newest_report(run) if run.state == "succeeded" else None
    return RunDocument(
        id=run.pk, kind=run.kind, title=run.title, state=run.state, stage=run.stage or None, percent=run.percent,
        best=progress.get("best"), metric=progress.get("metric"), trials=progress.get("trials") or 0, seconds_left=progress.get("seconds_left"),
        note=progress.get("note") or None, place_in_queue=runs.place_in_queue(run) or None, attempt=run.attempt, max_attempts=run.max_attempts,
        failure=_failure(run), model=model.pk if model else None, report=report_document(report) if report else None, dataset=run.dataset_id,
        test_dataset=run.test_dataset_id, parent=run.parent_id, spec=run.spec, cancel_requested_at=run.cancel_requested_at,
        finish_requested_at=run.finish_requested_at, created_at=run.created_at, created_by=_username(run), started_at=run.started_at,
        finished_at=run.finished_at)


def report_document(report: Report, file: str = "report.pdf") -> ReportDocument:
    """``file``: the address under the run; "report.pdf" is the newest signed version."""
    return ReportDocument(
        id=report.pk, version=report.version, state=report.state, evidence_digest=report.evidence_digest, statements_version=report.statements_version,
        sign_offs=report.sign_offs, pdf_sha256=report.pdf_sha256 or None, signer=report.signer or None, signed_at=report.signed_at,
        url=f"{V1}/runs/{report.run_id}/{file}")


def version_document(version: Version) -> ReportVersionDocument:
    entry = version.entry
    return ReportVersionDocument(
        version=version.number, state=version.state, what=entry.what, fields=list(entry.fields), author=entry.author, at=entry.at,
        statements_version=entry.statements_version, failure=_failure(version.rendering) if version.rendering else None,
        report=report_document(version.report, f"reports/{version.number}.pdf") if version.report else None)


def statements_document(run: Run) -> StatementsDocument:
    return StatementsDocument(id=run.pk, **report_versions.document_of(run).model_dump())


def statements_version_document(row: StatementsVersion) -> StatementsVersionDocument:
    return StatementsVersionDocument(
        id=row.pk, version=row.version, changed=row.changed, author=row.author, role=row.role, at=report_versions.moment(row.at), fields=row.fields)


def preview_document(dataset: Dataset, profile: Profile, rows: int) -> PreviewDocument:
    read = profile.document or {}
    return PreviewDocument(
        id=dataset.pk, state=profile.state, failure=_failure(profile), columns=[column["name"] for column in read.get("columns", ())],
        rows=read.get("preview", [])[:rows])


def _failure(row: Run | Profile | ReportRendering) -> Failure | None:
    return Failure(code=row.failure_code, sentence=row.failure_text) if row.failure_code else None


def _username(row: Dataset | Run) -> str | None:
    return row.created_by.get_username() if row.created_by else None
