"""Runs: submit, watch, steer, delete; and audits of predictions made elsewhere, which are runs too."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal, TypeVar, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import File, Form, Query, Router
from ninja.files import UploadedFile
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from auditapp import datasets, profiles, results, runs
from auditapp.access import Caller, find
from auditapp.api.bearer import JSON, MULTIPART, BearerToken, caller
from auditapp.api.datasets import created, store, upload_digest
from auditapp.api.documents import V1, Removed, RunDocument, RunPage, run_document
from auditapp.api.files import document_with_etag
from auditapp.api.ids import RowId
from auditapp.api.paging import PageQuery, page_of
from auditapp.api.strict_json import read_json
from auditapp.forms import drafts
from auditapp.idempotency import Answer, answer_once
from auditapp.models import Dataset, Run
from auditapp.problems import Problem
from automl.errors import BadInput
from automl.evidence import DatasetProfile
from automl.spec import PredictionsSpec, TaskSpec, parse_spec

router = Router(tags=["runs"])

Id = Annotated[str, StringConstraints(max_length=40)]
SpecText = Annotated[str, Form(max_length=2**20)]
_Row = TypeVar("_Row", Dataset, Run)


class NewRun(BaseModel):
    """Train on `dataset` and audit: on a part set aside of it, or on `test_dataset`."""

    model_config = ConfigDict(extra="forbid")

    dataset: Id
    spec: TaskSpec
    test_dataset: Id | None = None


class PlanDocument(BaseModel):
    id: str
    """Of the dataset: a plan is not kept."""
    plan: list[str]
    spec: dict[str, Any]


class RunQuery(PageQuery):
    state: Annotated[Literal["queued", "running", "succeeded", "failed", "cancelled"] | None, Field(description="only runs in this state")] = None


@router.post("/runs", auth=BearerToken("run", JSON), response={202: RunDocument}, summary="Start a run")
def submit_run(request: HttpRequest, new: NewRun) -> HttpResponse:
    """422 where the spec contradicts itself or what is already known of the table; what only reading the table shows ends the run as failed(bad_input)."""
    who = caller(request)
    dataset = _named(Dataset, who, new.dataset, "/dataset")
    test = _named(Dataset, who, new.test_dataset, "/test_dataset") if new.test_dataset else None
    answer = answer_once(
        request, who, "POST /runs", lambda: hashlib.sha256(request.body).hexdigest(), Run,
        make=lambda: _submit(who, dataset, "training", new.spec, test), answer=_accepted)
    return created(answer)


@router.post("/runs:plan", auth=BearerToken("run", JSON), response=PlanDocument, summary="What a run would do")
def plan_run(request: HttpRequest, new: NewRun) -> object:
    """Nothing is started. The plan in words and the spec as it would be stored, or the refusal that `POST /runs` would answer with.
    409 while the table is being read: ask again after `Retry-After`."""
    who = caller(request)
    dataset = _named(Dataset, who, new.dataset, "/dataset")
    if new.test_dataset:
        _named(Dataset, who, new.test_dataset, "/test_dataset")
    if new.spec.parent:
        _named(Run, who, new.spec.parent, "/spec/parent")
    profile = profiles.request_profile(dataset, new.spec.table, new.spec.missing)
    try:
        runs.check(new.spec, dataset)
    except BadInput as error:
        raise _invalid_spec(error) from error
    if profile.state == "failed":
        raise Problem("conflict", f"The table cannot be read: {profile.failure_text}")
    if profile.state != "ready":
        raise Problem("conflict", "The table is being read; the plan needs to know what it holds.", headers={"Retry-After": "2"})
    table = DatasetProfile.model_validate(profile.document)
    return PlanDocument(id=dataset.pk, plan=drafts.plan_of(new.spec, table), spec=new.spec.model_dump(mode="json"))


@router.post("/audits", auth=BearerToken("run", MULTIPART), response={202: RunDocument}, summary="Audit predictions made elsewhere")
def submit_audit(request: HttpRequest, file: Annotated[UploadedFile, File()], spec: SpecText) -> HttpResponse:
    """`spec` is a JSON object: `sensitive`, and `score` or `decision` (or both), `label` where it is known. The result is a run of kind `predictions`."""
    who = caller(request)
    policy = _predictions_spec(spec)
    answer = answer_once(
        request, who, "POST /audits", lambda: upload_digest(file, spec), Run,
        make=lambda: _store_and_submit(request, who, file, policy), answer=_accepted)
    return created(answer)


@router.get("/runs", auth=BearerToken("read"), response=RunPage, summary="List runs")
def list_runs(request: HttpRequest, page: Annotated[RunQuery, Query()]) -> HttpResponseBase:
    rows = results.with_reports(Run.objects.filter(workspace=caller(request).workspace).select_related("created_by", "model"))
    if page.state:
        rows = rows.filter(state=page.state)
    return page_of(request, rows, page, run_document)


@router.get("/runs/{run_id}", auth=BearerToken("read"), response=RunDocument, summary="Where a run stands")
def get_run(request: HttpRequest, run_id: RowId) -> object:
    """Poll it with `If-None-Match`: 304 while nothing has changed."""
    return document_with_etag(request, run_document(find(Run.objects.select_related("created_by", "model"), caller(request), run_id)).model_dump(mode="json"))


@router.post("/runs/{run_id}/cancel", auth=BearerToken("cancel"), response={202: RunDocument}, summary="Cancel a run")
def cancel_run(request: HttpRequest, run_id: RowId) -> object:
    """A waiting run is cancelled at once, a running one within seconds; nothing of it is kept. Twice is once."""
    who = caller(request)
    run = runs.request_cancel(find(Run, who, run_id), who.user)
    if run.state in ("succeeded", "failed"):
        raise Problem("conflict", f"The run has already {run.state}; there is nothing left to cancel.")
    return run_document(run)


@router.post("/runs/{run_id}/finish", auth=BearerToken("cancel"), response={202: RunDocument}, summary="Stop tuning, keep the best so far")
def finish_run(request: HttpRequest, run_id: RowId) -> object:
    who = caller(request)
    run = runs.request_finish(find(Run, who, run_id), who.user)
    if run.state in runs.ENDED and run.finish_requested_at is None:
        raise Problem("conflict", f"The run has already ended ({run.state}); there is nothing left to finish.")
    return run_document(run)


@router.delete("/runs/{run_id}", auth=BearerToken("delete"), response=Removed, summary="Delete an ended run")
def delete_run(request: HttpRequest, run_id: RowId) -> object:
    """Removes its files, model and report. 409 while it waits or runs: cancel it first."""
    who = caller(request)
    try:
        removed = runs.delete_run(find(Run, who, run_id), who.user)
    except runs.StillActive as error:
        raise Problem("conflict", f"{error}.".capitalize()) from error
    return {"id": run_id, "removed": {"files": removed.files, "sha256": list(removed.bytes_removed)}}


def _named(model: type[_Row], who: Caller, row_id: str, pointer: str) -> _Row:
    """A row that the body names: a stranger's is as little there as one that never was."""
    try:
        return find(model, who, row_id)
    except Http404:
        detail = f"There is no {model._meta.verbose_name} with this id."
        raise Problem("not-found", detail, [{"pointer": pointer, "detail": detail, "code": "not_found"}]) from None


def _submit(who: Caller, dataset: Dataset, kind: runs.Kind, spec: TaskSpec | PredictionsSpec, test: Dataset | None = None) -> Run:
    parent = _named(Run, who, spec.parent, "/spec/parent") if spec.parent else None
    try:
        return runs.submit(workspace=who.workspace, dataset=dataset, kind=kind, spec=spec, user=who.user, test_dataset=test, parent=parent)
    except runs.QueueFull as error:
        raise Problem("queue-full", f"{error.sentence}.", headers={"Retry-After": "30"}) from error
    except BadInput as error:
        raise _invalid_spec(error) from error


def _store_and_submit(request: HttpRequest, who: Caller, file: UploadedFile, spec: PredictionsSpec) -> Run:
    dataset = store(request, file, spec.title)
    try:
        return _submit(who, dataset, "predictions", spec)
    except BaseException:
        # The table came for this audit only
        datasets.delete_dataset(dataset, who.user)
        raise


def _predictions_spec(text: str) -> PredictionsSpec:
    document = read_json(text, "field spec")
    if not isinstance(document, dict):
        raise Problem("invalid", "spec: a JSON object is needed.", [{"pointer": "/spec", "detail": "not a JSON object", "code": "object_type"}])
    try:
        return cast(PredictionsSpec, parse_spec(document, "predictions"))
    except BadInput as error:
        raise _invalid_spec(error) from error


def _invalid_spec(error: BadInput) -> Problem:
    pointer = "/spec" + ("" if error.pointer in (None, "/") else str(error.pointer))
    return Problem("invalid", error.sentence, [{"pointer": pointer, "detail": error.sentence, "code": "bad_input"}])


def _accepted(run: Run) -> Answer:
    return Answer(202, run_document(run).model_dump(mode="json"), f"{V1}/runs/{run.pk}")
