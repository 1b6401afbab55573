"""A typed client of Plumbline's REST interface. Made from its OpenAPI document by `make client`; changes made here are lost.

One file, to be copied: Python 3.11 and pydantic 2 are all that it needs.
"""

# ruff: noqa

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeVar

from pydantic import BaseModel

_Document = TypeVar("_Document", bound=BaseModel)

File = Path | BinaryIO | bytes
"""What can be uploaded."""


class ProblemError(Exception):
    """The service refused the call. `status`, `type`, `detail`, `errors` and `request_id` are those of the problem document."""

    def __init__(self, status: int, document: dict[str, Any], retry_after: int | None = None) -> None:
        super().__init__(f"{status}: {document.get('detail') or document.get('title') or 'no problem document'}")
        self.status, self.document, self.retry_after = status, document, retry_after
        self.type: str = document.get("type", "about:blank").rpartition("#")[2]
        self.detail: str = document.get("detail", "")
        self.errors: list[dict[str, str]] = document.get("errors", [])
        self.request_id: str = document.get("request_id", "")


class Transport:
    def __init__(self, url: str, token: str, *, timeout: float = 60) -> None:
        """``url``: of the service, such as https://audit.example.org."""
        self._url, self._token, self._timeout = url.rstrip("/"), token, timeout

    def every(self, page: Any) -> Iterator[Any]:
        """The items of this page of a list and of all after it."""
        while True:
            yield from page.items
            if page.next is None:
                return
            following = urllib.parse.urlsplit(page.next)  # of its address, only what stands behind the host: the token goes nowhere else
            page = type(page).model_validate_json(self._call("GET", f"{following.path}?{following.query}"))

    def _call(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, document: BaseModel | Mapping[str, Any] | None = None,
        form: Mapping[str, Any] | None = None, headers: Mapping[str, str | None] | None = None,
    ) -> bytes:
        """The body of the answer; raises ProblemError."""
        url = self._url + path
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        if asked:
            url += "?" + urllib.parse.urlencode(asked)
        sent = {"Authorization": f"Bearer {self._token}", **{name: value for name, value in (headers or {}).items() if value is not None}}
        body = None
        if document is not None:
            body, sent["Content-Type"] = json.dumps(_plain(document)).encode(), "application/json"
        if form is not None:
            body, sent["Content-Type"] = _multipart(form)
        request = urllib.request.Request(url, data=body, headers=sent, method=method)  # noqa: S310 - the caller names the service
        try:
            with _opener.open(request, timeout=self._timeout) as answer:
                read: bytes = answer.read()
                return read
        except urllib.error.HTTPError as error:
            with error:
                raise _problem(error) from None

    def _read(self, model: type[_Document], body: bytes) -> _Document:
        return model.model_validate_json(body)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token elsewhere."""

    def redirect_request(self, *arguments: Any, **more: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def _part(of_path: object) -> str:
    return urllib.parse.quote(str(of_path), safe="")


def _problem(error: urllib.error.HTTPError) -> ProblemError:
    try:
        document = json.loads(error.read())
    except ValueError:
        document = {}
    wait = error.headers.get("Retry-After", "")
    return ProblemError(error.code, document if isinstance(document, dict) else {}, int(wait) if wait.isdigit() else None)


def _plain(document: BaseModel | Mapping[str, Any]) -> Any:
    """Only what was said: what was not has its default in the service."""
    return document.model_dump(mode="json", exclude_unset=True) if isinstance(document, BaseModel) else document


def _multipart(fields: Mapping[str, Any]) -> tuple[bytes, str]:
    boundary = uuid.uuid4().hex
    parts = []
    for name, value in fields.items():
        if value is None:
            continue
        disposition = f'form-data; name="{name}"'
        if isinstance(value, Path | bytes) or hasattr(value, "read"):
            filename = urllib.parse.quote(Path(str(getattr(value, "name", "file"))).name, safe=" ")
            disposition += f'; filename="{filename}"'
            content = value.read_bytes() if isinstance(value, Path) else value if isinstance(value, bytes) else value.read()
        else:
            content = (value if isinstance(value, str) else json.dumps(_plain(value))).encode()
        parts.append(f"--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + content + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


class AttemptDocument(BaseModel):
    at: datetime
    status: int | None
    sentence: str


class Attestation(BaseModel):
    """By whom an audit of predictions made elsewhere is attested as a bias audit; people attest, software does not."""

    auditor: str
    statement: str


class Budget(BaseModel):
    """Tuning ends with whichever is reached first. ``seconds`` count from the start of the work to the end of tuning."""

    seconds: float | None = None
    trials: int | None = None


class Change(BaseModel):
    """What is to be said differently; null takes a field back."""

    fields: dict[str, str | None]
    version: int | None = None


class CohortDocument(BaseModel):
    """`name`, `where` and, as `found_in`, `run` are what a spec's `cohorts` takes."""

    id: str
    name: str
    where: list[RowCondition]
    words: str
    run: str
    created_at: datetime
    created_by: str | None


class CohortOf(BaseModel):
    """Rows that a person names before anything is measured, by conditions that all hold; they are measured by themselves, beside all other rows."""

    name: str
    where: list[RowCondition]
    found_in: str | None = None


class CohortPage(BaseModel):
    next: str | None
    prev: str | None
    items: list[CohortDocument]


class ComparisonDocument(BaseModel):
    """How a repetition compares with the run that it repeats. `same_but_number`: only the number of the audit differs, which counts each look at the audit part; the digest of what was measured is the same."""

    id: str
    parent: str
    verdict: str
    before: str
    after: str
    measured_before: str
    measured_after: str
    by_time: bool
    parts: list[PartDocument]


class DatasetDocument(BaseModel):
    id: str
    name: str
    filename: str
    sha256: str
    bytes: int
    created_at: datetime
    created_by: str | None


class DatasetPage(BaseModel):
    next: str | None
    prev: str | None
    items: list[DatasetDocument]


class DeliveryDocument(BaseModel):
    """`body` is what is sent; `id` is its `webhook-id`, the same in every attempt."""

    id: str
    type: str
    state: str
    body: dict[str, Any]
    attempt: int
    due_at: datetime | None
    attempts: list[AttemptDocument]
    created_at: datetime
    ended_at: datetime | None


class DeliveryPage(BaseModel):
    next: str | None
    prev: str | None
    items: list[DeliveryDocument]


class DifferenceDocument(BaseModel):
    """A place of the evidence (JSON pointer) and both values as JSON, cut where they are long; null where it is not there."""

    pointer: str
    before: str | None
    after: str | None


class Exclusion(BaseModel):
    """A category that is left out of the impact ratios because few people are in it (6 RCNY 5-301(d)); for people to justify, never automatic."""

    category: str
    justification: str


class ExportDocument(BaseModel):
    name: str
    media_type: str
    url: str
    obstacle: str | None


class ExportList(BaseModel):
    id: str
    items: list[ExportDocument]


class Failure(BaseModel):
    code: str
    sentence: str


class FairnessAnswers(BaseModel):
    """A person's answers to the four questions of `automl.question_tree`; one that the tree does not come to may be left out."""

    measured_by_rates: Literal['yes', 'no'] | None = None
    outcome_trusted: Literal['yes', 'no'] | None = None
    used_as: Literal['decision', 'score'] | None = None
    worse: Literal['refused', 'granted', 'both'] | None = None


class FairnessObjective(BaseModel):
    """A second objective of the search, beside the metric: Fairlearn's ``metric`` between the groups of ``attribute``; None: of every sensitive attribute,
    and the one that does worst counts.
    """

    metric: Literal['demographic_parity_difference', 'demographic_parity_ratio', 'equalized_odds_difference', 'equal_opportunity_difference'] | None = None
    attribute: str | None = None


class Governing(BaseModel):
    """Which fairness metric governs: named by a person who knows, or by the answers to four questions; where both are given the named one stands, with its reason."""

    metric: Literal['demographic_parity_ratio', 'demographic_parity_difference', 'equal_opportunity_difference', 'equalized_odds_difference', 'predictive_parity_difference', 'calibration_within_groups', 'mean_prediction_difference', 'mean_error_difference'] | None = None
    answers: FairnessAnswers | None = None
    reason: str | None = None


class Limit(BaseModel):
    """The limit that the person states and findings are measured against; a convention, not a law."""

    ratio: float | None = None


class LocalLaw144(BaseModel):
    """The tables of New York City's Local Law 144 (6 RCNY 5-300 to 5-304): which attribute is which, and what each of its values is in the rule's words.

    A value that is spelled as a category is that category; every other one needs a word here, or its rows count as unknown.
    """

    data_class: Literal['historical', 'test']
    sex: str | None = None
    race: str | None = None
    sex_categories: dict[str, Literal['Male', 'Female']] | None = None
    race_categories: dict[str, Literal['Hispanic or Latino', 'White', 'Black or African American', 'Native Hawaiian or Pacific Islander', 'Asian', 'Native American or Alaska Native', 'Two or More Races']] | None = None
    exclude: list[Exclusion] | None = None
    data_reason: str | None = None
    attestation: Attestation | None = None


class MeDocument(BaseModel):
    id: str
    workspace: WorkspaceDocument
    role: str
    scopes: list[str]
    token: TokenDocument


class MemberDocument(BaseModel):
    id: str
    role: str
    is_active: bool
    known_since: datetime


class MemberPage(BaseModel):
    next: str | None
    prev: str | None
    items: list[MemberDocument]


class ModelDocument(BaseModel):
    id: str
    run: str
    sha256: str
    task: str | None
    target: str | None
    labels: list[str]
    metric: str | None
    created_at: datetime


class NewCohort(BaseModel):
    """The error slice `slice` of `run`, counted from 0 in the evidence's `/slices/rows`."""

    run: str
    slice: int
    name: str


class NewRun(BaseModel):
    """Train on `dataset` and audit: on a part set aside of it, or on `test_dataset`."""

    dataset: str
    spec: TaskSpec
    test_dataset: str | None = None


class NewWebhook(BaseModel):
    url: str
    events: list[Literal['run.succeeded', 'run.failed', 'run.cancelled', 'report.signed']]
    description: str | None = None


class PartDocument(BaseModel):
    name: str
    count: int
    first: list[DifferenceDocument]


class PlanDocument(BaseModel):
    id: str
    plan: list[str]
    spec: dict[str, Any]


class Population(BaseModel):
    """Whom the decisions are about, as somebody else has counted them: what the groups' shares of the rows are compared with."""

    source: str
    shares: dict[str, dict[str, float]]


class PreviewDocument(BaseModel):
    """The first rows as they were read, cells as text."""

    id: str
    state: str
    failure: Failure | None
    columns: list[str]
    rows: list[list[str]]


class ProfileDocument(BaseModel):
    """`profile` is an `automl.evidence.DatasetProfile` once `state` is ready."""

    id: str
    state: str
    failure: Failure | None
    profile: dict[str, Any] | None


class ReasonLine(BaseModel):
    """A line of the reason table: what may be said where this input, or group of inputs, counts against somebody. Only a person writes it."""

    code: str | None = None
    text: str | None = None
    when_missing: str | None = None
    direction: Literal['higher', 'lower', 'any'] | None = None
    actionable: bool | None = None
    excluded: Literal['immutable', 'prohibited'] | None = None
    approved_by: str | None = None


class ReasonPolicy(BaseModel):
    """How the principal reasons of unfavourable decisions are chosen and worded."""

    most: int | None = None
    materiality: float | None = None
    rows: int | None = None
    table: dict[str, ReasonLine] | None = None
    groups: dict[str, list[str]] | None = None


class Removed(BaseModel):
    """What a deletion removed and what stays. The ledger keeps its entries in any case."""

    id: str
    removed: dict[str, Any]
    ledger: str | None = None


class ReportDocument(BaseModel):
    id: str
    version: int
    state: str
    evidence_digest: str
    statements_version: int
    sign_offs: int
    pdf_sha256: str | None
    signer: str | None
    signed_at: datetime | None
    url: str


class ReportVersionDocument(BaseModel):
    """Why there is a version of the report, and where it stands. `report` is there once it is made."""

    version: int
    state: str
    what: str
    fields: list[str]
    author: str
    at: str
    statements_version: int
    failure: Failure | None
    report: ReportDocument | None


class ReportVersions(BaseModel):
    next: str | None
    prev: str | None
    id: str
    items: list[ReportVersionDocument]


class RowCondition(BaseModel):
    """A condition on one column that a row fulfils or not. ``range``: above ``low`` and at most ``high`` (dates in days since 1970-01-01), and where ``or_missing`` says so missing cells too."""

    column: str
    what: Literal['range', 'is', 'is_not', 'missing', 'known']
    low: float | None = None
    high: float | None = None
    level: str | None = None
    or_missing: bool | None = None


class RunDocument(BaseModel):
    id: str
    kind: str
    title: str
    state: str
    stage: str | None
    percent: int
    best: float | None
    metric: str | None
    trials: int
    seconds_left: float | None
    note: str | None
    place_in_queue: int | None
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


class RunPage(BaseModel):
    next: str | None
    prev: str | None
    items: list[RunDocument]


class SaidAgain(BaseModel):
    """Everything that is to be said: a field that is not here is taken back."""

    fields: dict[str, str]
    version: int | None = None


class SignOff(BaseModel):
    """One person's step, and what they had before them."""

    step: str
    author: str
    role: str
    at: str
    reason: str
    report_version: int
    pdf_sha256: str
    evidence_digest: str
    statements_version: int
    alone: bool | None = None


class Statement(BaseModel):
    """One field as somebody has said it. ``role`` is the author's in the workspace at that time; ``at`` ISO 8601, UTC."""

    text: str
    author: str
    role: str
    at: str


class StatementsDocument(BaseModel):
    """`statements.json` as it stands now."""

    run: str
    evidence_digest: str
    id: str
    schema_version: str | None = None
    report_version: int | None = None
    version: int | None = None
    fields: dict[str, Statement] | None = None
    sign_offs: list[SignOff] | None = None
    versions: list[VersionEntry] | None = None


class StatementsVersionDocument(BaseModel):
    """What had been said as of one version."""

    id: str
    version: int
    changed: list[str]
    author: str
    role: str
    at: str
    fields: dict[str, Statement]


class TableOptions(BaseModel):
    """How the bytes are to be read; None means "as detected"."""

    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None


class TaskSpec(BaseModel):
    """Train a model on a table and audit it."""

    target: str
    title: str | None = None
    positive: str | None = None
    favourable: str | list[str] | None = None
    sensitive: list[str] | None = None
    bins: dict[str, list[float]] | None = None
    intersections: int | None = None
    reference: dict[str, str] | None = None
    limit: Limit | None = None
    profile: Literal['us_employment', 'us_credit'] | None = None
    group: str | None = None
    weight: str | None = None
    missing: list[str] | None = None
    table: TableOptions | None = None
    seed: int | None = None
    threads: int | None = None
    leave_out: list[Literal['explanation_checks', 'reasons', 'mitigation', 'slices', 'robustness']] | None = None
    local_law_144: LocalLaw144 | None = None
    governing: Governing | None = None
    report_language: Literal['en', 'de'] | None = None
    cohorts: list[CohortOf] | None = None
    population: Population | None = None
    task: Literal['binary', 'multiclass', 'regression'] | None = None
    sensitive_as_features: bool | None = None
    metric: Literal['roc_auc', 'average_precision', 'log_loss', 'brier', 'accuracy', 'balanced_accuracy', 'f1', 'mcc', 'rmse', 'mae', 'rmsle', 'r2', 'quantile_loss'] | None = None
    quantile: float | None = None
    budget: Budget | None = None
    families: list[Literal['linear', 'lgbm', 'torch', 'trees']] | None = None
    simple: bool | None = None
    parallel: int | None = None
    audit_fraction: float | None = None
    time: str | None = None
    roles: dict[str, Literal['feature', 'target', 'sensitive', 'id', 'date', 'text', 'ignore', 'weight', 'group', 'time']] | None = None
    fairness_objective: FairnessObjective | None = None
    reasons: ReasonPolicy | None = None
    explain_rows: list[int] | None = None
    parent: str | None = None


class TokenDocument(BaseModel):
    id: str
    name: str
    expires_at: datetime | None


class VerdictDocument(BaseModel):
    id: str
    valid: bool
    signer: str | None
    signed_at: str | None
    time_source: str | None
    run: str | None
    digest: str | None
    problems: list[str]
    numbers: str | None
    in_ledger: bool


class VersionEntry(BaseModel):
    """Why there is a report version: the end of the run, statements that changed (``fields``), or a step of the sign-off."""

    report_version: int
    what: str
    statements_version: int
    author: str
    at: str
    fields: list[str] | None = None


class WebhookChange(BaseModel):
    """What is to be different; what is not named stays."""

    url: str | None = None
    events: list[Literal['run.succeeded', 'run.failed', 'run.cancelled', 'report.signed']] | None = None
    description: str | None = None
    enabled: bool | None = None


class WebhookDocument(BaseModel):
    id: str
    url: str
    events: list[str]
    description: str
    enabled: bool
    disabled_at: datetime | None
    disabled_why: str | None
    former_secret_until: datetime | None
    created_at: datetime
    created_by: str | None


class WebhookPage(BaseModel):
    next: str | None
    prev: str | None
    items: list[WebhookDocument]


class WebhookWithSecret(BaseModel):
    id: str
    url: str
    events: list[str]
    description: str
    enabled: bool
    disabled_at: datetime | None
    disabled_why: str | None
    former_secret_until: datetime | None
    created_at: datetime
    created_by: str | None
    secret: str


class WorkspaceDocument(BaseModel):
    id: str
    name: str


class Client(Transport):
    """A table goes in, a tuned model and signed evidence about it come out.

    Send `Authorization: Bearer plb_...`; `manage.py token USER` makes one. Errors are RFC 9457 problem documents whose `type` is explained at `/api/v1/problems`.
    Creating calls take an `Idempotency-Key`. Lists are pages: follow `next`. GET answers carry an ETag; poll with `If-None-Match`.
    """

    def upload_dataset(self, file: File, name: str | None = None, *, idempotency_key: str | None = None) -> DatasetDocument:
        """Upload a table

        CSV or TSV (also gzipped), Parquet or XLSX. The bytes are kept as they are; what they hold is at `/datasets/{id}/profile` a little later.
        """
        return self._read(DatasetDocument, self._call("POST", "/api/v1/datasets", form={"file": file, "name": name}, headers={"Idempotency-Key": idempotency_key}))

    def list_datasets(self, *, limit: int | None = None, cursor: str | None = None) -> DatasetPage:
        """List tables"""
        return self._read(DatasetPage, self._call("GET", "/api/v1/datasets", query={"limit": limit, "cursor": cursor}))

    def get_dataset(self, dataset_id: str) -> DatasetDocument:
        """One table"""
        return self._read(DatasetDocument, self._call("GET", f"/api/v1/datasets/{_part(dataset_id)}"))

    def delete_dataset(self, dataset_id: str) -> Removed:
        """Delete a table

        Removes its bytes and what was read from it, and cancels what waits for it. Evidence of ended runs stays until those are deleted.
        """
        return self._read(Removed, self._call("DELETE", f"/api/v1/datasets/{_part(dataset_id)}"))

    def get_profile(self, dataset_id: str) -> ProfileDocument:
        """What the table holds

        Columns with types, proposed roles and their reasons. Until `state` is `ready` or `failed`, ask again (with the ETag).
        """
        return self._read(ProfileDocument, self._call("GET", f"/api/v1/datasets/{_part(dataset_id)}/profile"))

    def get_preview(self, dataset_id: str, *, rows: int | None = None) -> PreviewDocument:
        """The first rows of a table

        As the profile read them: where that is not ready yet, ask again (with the ETag).
        """
        return self._read(PreviewDocument, self._call("GET", f"/api/v1/datasets/{_part(dataset_id)}/preview", query={"rows": rows}))

    def submit_run(self, document: NewRun | dict[str, Any], *, idempotency_key: str | None = None) -> RunDocument:
        """Start a run

        422 where the spec contradicts itself or what is already known of the table; what only reading the table shows ends the run as failed(bad_input).
        """
        return self._read(RunDocument, self._call("POST", "/api/v1/runs", document=document, headers={"Idempotency-Key": idempotency_key}))

    def list_runs(self, *, limit: int | None = None, cursor: str | None = None, state: Literal['queued', 'running', 'succeeded', 'failed', 'cancelled'] | None = None) -> RunPage:
        """List runs"""
        return self._read(RunPage, self._call("GET", "/api/v1/runs", query={"limit": limit, "cursor": cursor, "state": state}))

    def plan_run(self, document: NewRun | dict[str, Any]) -> PlanDocument:
        """What a run would do

        Nothing is started. The plan in words and the spec as it would be stored, or the refusal that `POST /runs` would answer with.
        409 while the table is being read: ask again after `Retry-After`.
        """
        return self._read(PlanDocument, self._call("POST", "/api/v1/runs:plan", document=document))

    def submit_audit(self, file: File, spec: str | dict[str, Any], *, idempotency_key: str | None = None) -> RunDocument:
        """Audit predictions made elsewhere

        `spec` is a JSON object: `sensitive`, and `score` or `decision` (or both), `label` where it is known. The result is a run of kind `predictions`.
        """
        return self._read(RunDocument, self._call("POST", "/api/v1/audits", form={"file": file, "spec": spec}, headers={"Idempotency-Key": idempotency_key}))

    def get_run(self, run_id: str) -> RunDocument:
        """Where a run stands

        Poll it with `If-None-Match`: 304 while nothing has changed.
        """
        return self._read(RunDocument, self._call("GET", f"/api/v1/runs/{_part(run_id)}"))

    def delete_run(self, run_id: str) -> Removed:
        """Delete an ended run

        Removes its files, model and report. 409 while it waits or runs: cancel it first.
        """
        return self._read(Removed, self._call("DELETE", f"/api/v1/runs/{_part(run_id)}"))

    def cancel_run(self, run_id: str) -> RunDocument:
        """Cancel a run

        A waiting run is cancelled at once, a running one within seconds; nothing of it is kept. Twice is once.
        """
        return self._read(RunDocument, self._call("POST", f"/api/v1/runs/{_part(run_id)}/cancel"))

    def finish_run(self, run_id: str) -> RunDocument:
        """Stop tuning, keep the best so far"""
        return self._read(RunDocument, self._call("POST", f"/api/v1/runs/{_part(run_id)}/finish"))

    def repeat_run(self, run_id: str) -> RunDocument:
        """Run it once more from its recorded configuration

        A new run whose parent is this one. When both have results, `/runs/{id}/comparison` of the new one says what differs.
        """
        return self._read(RunDocument, self._call("POST", f"/api/v1/runs/{_part(run_id)}/repeat"))

    def get_comparison(self, run_id: str) -> ComparisonDocument:
        """The repetition beside the run that it repeats

        409 where the run repeats no other, or that one's results are gone.
        """
        return self._read(ComparisonDocument, self._call("GET", f"/api/v1/runs/{_part(run_id)}/comparison"))

    def get_evidence(self, run_id: str) -> Any:
        """evidence.json

        The evidence document, the very bytes that the report carries. Its JSON Schema is at `/schemas/evidence.json`.
        """
        return json.loads(self._call("GET", f"/api/v1/runs/{_part(run_id)}/evidence"))

    def get_report(self, run_id: str) -> bytes:
        """The signed report

        The newest signed version. 409 while the run has not ended or the report awaits its signature: an unsigned one is never handed out.
        """
        return self._call("GET", f"/api/v1/runs/{_part(run_id)}/report.pdf")

    def get_chart(self, run_id: str, name: str, *, theme: Literal['light', 'dark'] | None = None) -> bytes:
        """One chart"""
        return self._call("GET", f"/api/v1/runs/{_part(run_id)}/charts/{_part(name)}.svg", query={"theme": theme})

    def get_bundle(self, run_id: str) -> bytes:
        """Every file of the run

        Evidence, charts, reports, model and `manifest.json` with the sha256 of each.
        """
        return self._call("GET", f"/api/v1/runs/{_part(run_id)}/bundle.zip")

    def get_reasons(self, run_id: str) -> bytes:
        """Reasons for unfavourable decisions, row by row

        Personal data, as predictions are. 409 with the reason where none were measured.
        """
        return self._call("GET", f"/api/v1/runs/{_part(run_id)}/reasons.csv")

    def get_model(self, model_id: str) -> ModelDocument:
        """A model"""
        return self._read(ModelDocument, self._call("GET", f"/api/v1/models/{_part(model_id)}"))

    def get_card(self, model_id: str) -> bytes:
        """The model card"""
        return self._call("GET", f"/api/v1/models/{_part(model_id)}/card")

    def get_export(self, model_id: str, *, format: Literal['onnx'] | None = None) -> bytes:
        """The model as a file for other programs

        The fitted model with its encoding. 409 with the reason where it could not be exported, or where the exported file did not say what the model says.
        """
        return self._call("GET", f"/api/v1/models/{_part(model_id)}/export", query={"format": format})

    def list_exports(self, run_id: str) -> ExportList:
        """Documents for others that can be made of a run"""
        return self._read(ExportList, self._call("GET", f"/api/v1/runs/{_part(run_id)}/exports"))

    def get_export_document(self, run_id: str, export: str, *, small_cells: Literal['shown', 'withheld'] | None = None) -> bytes:
        """One of them

        Made of the evidence and of what people have said by now. A PDF is signed as the report is, and 503 until it is; the others are not signed. 409 with the reason where this run has none of it.
        """
        return self._call("GET", f"/api/v1/runs/{_part(run_id)}/exports/{_part(export)}", query={"small_cells": small_cells})

    def create_cohort(self, document: NewCohort | dict[str, Any], *, idempotency_key: str | None = None) -> CohortDocument:
        """Name an error slice

        Nothing is measured by it: choose it in the spec of a later run. 422 where the run has no such slice or the name is taken.
        """
        return self._read(CohortDocument, self._call("POST", "/api/v1/cohorts", document=document, headers={"Idempotency-Key": idempotency_key}))

    def list_cohorts(self, *, limit: int | None = None, cursor: str | None = None) -> CohortPage:
        """List cohorts"""
        return self._read(CohortPage, self._call("GET", "/api/v1/cohorts", query={"limit": limit, "cursor": cursor}))

    def delete_cohort(self, cohort_id: str) -> Removed:
        """Forget a cohort

        Runs that measured it keep it in their evidence.
        """
        return self._read(Removed, self._call("DELETE", f"/api/v1/cohorts/{_part(cohort_id)}"))

    def get_statements(self, run_id: str) -> StatementsDocument:
        """What people have said of a run

        Fields that nobody has said anything in are absent. What can be said is at `/schemas/statements.json`.
        """
        return self._read(StatementsDocument, self._call("GET", f"/api/v1/runs/{_part(run_id)}/statements"))

    def put_statements(self, run_id: str, document: SaidAgain | dict[str, Any], *, if_match: str | None = None) -> StatementsDocument:
        """Say everything anew

        A text that stands already keeps its author and time. Whatever changes makes the next version of the report. 409 or 412 where somebody else was first.
        """
        return self._read(StatementsDocument, self._call("PUT", f"/api/v1/runs/{_part(run_id)}/statements", document=document, headers={"If-Match": if_match}))

    def patch_statements(self, run_id: str, document: Change | dict[str, Any], *, if_match: str | None = None) -> StatementsDocument:
        """Say something

        The same, for some fields only.
        """
        return self._read(StatementsDocument, self._call("PATCH", f"/api/v1/runs/{_part(run_id)}/statements", document=document, headers={"If-Match": if_match}))

    def get_statements_version(self, run_id: str, version: int) -> StatementsVersionDocument:
        """What had been said as of one version"""
        return self._read(StatementsVersionDocument, self._call("GET", f"/api/v1/runs/{_part(run_id)}/statements/{_part(version)}"))

    def list_reports(self, run_id: str, *, limit: int | None = None, cursor: str | None = None) -> ReportVersions:
        """The versions of a report

        Newest first, with why each was made. Earlier ones stay and stay verifiable.
        """
        return self._read(ReportVersions, self._call("GET", f"/api/v1/runs/{_part(run_id)}/reports", query={"limit": limit, "cursor": cursor}))

    def get_report_version(self, run_id: str, version: int) -> bytes:
        """One version of the signed report

        404 for a version that nobody asked for, 409 for one that is not signed yet.
        """
        return self._call("GET", f"/api/v1/runs/{_part(run_id)}/reports/{_part(version)}.pdf")

    def get_statements_schema(self) -> Any:
        """What can be said of a run, as a JSON Schema"""
        return json.loads(self._call("GET", "/api/v1/schemas/statements.json"))

    def create_webhook(self, document: NewWebhook | dict[str, Any], *, idempotency_key: str | None = None) -> WebhookWithSecret:
        """Have events sent somewhere

        Deliveries follow Standard Webhooks 1.0.0. An address inside a network is refused. `secret` is in this answer and nowhere else.
        """
        return self._read(WebhookWithSecret, self._call("POST", "/api/v1/webhooks", document=document, headers={"Idempotency-Key": idempotency_key}))

    def list_webhooks(self, *, limit: int | None = None, cursor: str | None = None) -> WebhookPage:
        """List webhooks"""
        return self._read(WebhookPage, self._call("GET", "/api/v1/webhooks", query={"limit": limit, "cursor": cursor}))

    def get_webhook(self, webhook_id: str) -> WebhookDocument:
        """One webhook"""
        return self._read(WebhookDocument, self._call("GET", f"/api/v1/webhooks/{_part(webhook_id)}"))

    def change_webhook(self, webhook_id: str, document: WebhookChange | dict[str, Any], *, if_match: str | None = None) -> WebhookDocument:
        """Change, enable or disable a webhook

        With `If-Match`, 412 where somebody else has changed it since. A disabled webhook is sent nothing; what was waiting for it has failed and can be replayed.
        """
        return self._read(WebhookDocument, self._call("PATCH", f"/api/v1/webhooks/{_part(webhook_id)}", document=document, headers={"If-Match": if_match}))

    def delete_webhook(self, webhook_id: str) -> Removed:
        """Delete a webhook

        It goes with its log; what waits is not sent.
        """
        return self._read(Removed, self._call("DELETE", f"/api/v1/webhooks/{_part(webhook_id)}"))

    def rotate_webhook(self, webhook_id: str) -> WebhookWithSecret:
        """Make the next secret

        For 24 hours deliveries carry two signatures, with the secret before and with this one. `secret` is in this answer and nowhere else.
        """
        return self._read(WebhookWithSecret, self._call("POST", f"/api/v1/webhooks/{_part(webhook_id)}/rotate"))

    def list_deliveries(self, webhook_id: str, *, limit: int | None = None, cursor: str | None = None) -> DeliveryPage:
        """What was sent, and how that went

        Kept for 30 days after their end.
        """
        return self._read(DeliveryPage, self._call("GET", f"/api/v1/webhooks/{_part(webhook_id)}/deliveries", query={"limit": limit, "cursor": cursor}))

    def replay_delivery(self, webhook_id: str, delivery_id: str) -> DeliveryDocument:
        """Send it once more

        With the same id and body. One that still waits stays as it is; 409 where the webhook is disabled.
        """
        return self._read(DeliveryDocument, self._call("POST", f"/api/v1/webhooks/{_part(webhook_id)}/deliveries/{_part(delivery_id)}/replay"))

    def list_members(self, *, limit: int | None = None, cursor: str | None = None) -> MemberPage:
        """List members

        For owners. Who is added, or changes roles, is decided by a person in a session: no route does it.
        """
        return self._read(MemberPage, self._call("GET", "/api/v1/members", query={"limit": limit, "cursor": cursor}))

    def get_me(self) -> MeDocument:
        """Whose token this is"""
        return self._read(MeDocument, self._call("GET", "/api/v1/me"))

    def verify(self, pdf: File) -> VerdictDocument:
        """Verify a report

        Who signed the PDF, when, for which run, and whether anything in it has changed since. Read in a child process; nothing of it is kept.
        """
        return self._read(VerdictDocument, self._call("POST", "/api/v1/verify", form={"pdf": pdf}))

    def get_evidence_schema(self) -> Any:
        """JSON Schema of evidence.json"""
        return json.loads(self._call("GET", "/api/v1/schemas/evidence.json"))

    def get_client(self) -> bytes:
        """A typed Python client of this interface

        One file; it needs pydantic 2 and nothing else.
        """
        return self._call("GET", "/api/v1/client.py")

    def get_problems(self) -> Any:
        """Every kind of problem

        What `type` in a problem document points into.
        """
        return json.loads(self._call("GET", "/api/v1/problems"))

    def wait(self, run_id: str, *, seconds: float = 2.0) -> RunDocument:
        """The run, once it has ended: `state` is then succeeded, failed or cancelled."""
        while (run := self.get_run(run_id)).state in ("queued", "running"):
            time.sleep(seconds)
        return run
