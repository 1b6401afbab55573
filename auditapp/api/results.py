"""What a run ended in, byte for byte as it was sealed: evidence, charts, signed report, bundle, model, its card and its export."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from django.http import FileResponse, Http404, HttpRequest
from django.http.response import HttpResponseBase
from ninja import Query, Router

from auditapp import results
from auditapp.access import find
from auditapp.api.bearer import BearerToken, caller
from auditapp.api.documents import V1, ModelDocument
from auditapp.api.files import document_with_etag, download
from auditapp.api.ids import RowId, ShortName
from auditapp.downloads import noted_file, noted_report
from auditapp.models import Artifact, AuditedModel, Run
from auditapp.problems import Problem
from auditapp.uploads import nameless_file
from automl.evidence import NotMeasured

router = Router(tags=["results"])

_CHART = re.compile(r"[a-z0-9-]{1,100}")


def _said(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"responses": {200: {"content": {media_type: {"schema": schema}}}}}


_BINARY = {"type": "string", "format": "binary"}
_TEXT = {"type": "string"}


@router.get("/runs/{run_id}/evidence", auth=BearerToken("read"), summary="evidence.json",
            openapi_extra=_said("application/json", {"type": "object", "externalDocs": {"url": f"{V1}/schemas/evidence.json"}}))
def get_evidence(request: HttpRequest, run_id: RowId) -> HttpResponseBase:
    """The evidence document, the very bytes that the report carries. Its JSON Schema is at `/schemas/evidence.json`."""
    return _artifact(request, succeeded(request, run_id), "evidence.json", f"{run_id}-evidence.json")


@router.get("/runs/{run_id}/report.pdf", auth=BearerToken("read"), summary="The signed report", openapi_extra=_said("application/pdf", _BINARY))
def get_report(request: HttpRequest, run_id: RowId) -> HttpResponseBase:
    """The newest signed version. 409 while the run has not ended or the report awaits its signature: an unsigned one is never handed out."""
    run = succeeded(request, run_id)
    try:
        report = results.signed_report(run)
    except results.NotSigned as why:
        raise Problem("conflict", "The report awaits its signature: the signing key could not be read when the run ended.") from why
    answer = download(request, results.open_report(run, report.version), name=f"{run.pk}.pdf", media_type="application/pdf", sha256=report.pdf_sha256)
    return noted_report(answer, request, caller(request), report)


@router.get("/runs/{run_id}/charts/{name}.svg", auth=BearerToken("read"), summary="One chart", openapi_extra=_said("image/svg+xml", _TEXT))
def get_chart(request: HttpRequest, run_id: RowId, name: ShortName, theme: Annotated[Literal["light", "dark"], Query()] = "light") -> HttpResponseBase:
    run = succeeded(request, run_id)
    if _CHART.fullmatch(name) is None:
        raise Http404
    return _artifact(request, run, f"charts/{name}.svg" if theme == "light" else f"charts/{name}.dark.svg", f"{run_id}-{name}.svg")


@router.get("/runs/{run_id}/bundle.zip", auth=BearerToken("read"), summary="Every file of the run", openapi_extra=_said("application/zip", _BINARY))
def get_bundle(request: HttpRequest, run_id: RowId) -> HttpResponseBase:
    """Evidence, charts, reports, model and `manifest.json` with the sha256 of each."""
    run = succeeded(request, run_id)
    # On disk, since a bundle may be large; the response closes it
    file = nameless_file()
    results.write_bundle_zip(run, file)
    file.seek(0)
    response = FileResponse(file, as_attachment=True, filename=f"{run.pk}.zip", content_type="application/zip")
    response["Cache-Control"] = "private, no-cache"
    return noted_file(response, request, caller(request), run, "bundle.zip")


@router.get("/runs/{run_id}/reasons.csv", auth=BearerToken("read"), summary="Reasons for unfavourable decisions, row by row", openapi_extra=_said("text/csv", _TEXT))
def get_reasons(request: HttpRequest, run_id: RowId) -> HttpResponseBase:
    """Personal data, as predictions are. 409 with the reason where none were measured."""
    run = succeeded(request, run_id)
    reasons = results.read_evidence(run).reasons
    if isinstance(reasons, NotMeasured):
        raise Problem("conflict", f"There are no reasons of this run: {reasons.reason}.")
    return _artifact(request, run, reasons.file, f"{run_id}-reasons.csv")


@router.get("/models/{model_id}", auth=BearerToken("read"), response=ModelDocument, summary="A model")
def get_model(request: HttpRequest, model_id: RowId) -> object:
    model = find(AuditedModel.objects.select_related("run"), caller(request), model_id)
    evidence = results.read_evidence(model.run)
    target = evidence.data.target
    search = evidence.search
    document = ModelDocument(
        id=model.pk, run=model.run_id, sha256=model.model_sha256, created_at=model.created_at, task=target.task if target else None,
        target=target.name if target else None, labels=list(target.labels) if target else [],
        metric=None if isinstance(search, NotMeasured) else search.metric)
    return document_with_etag(request, document.model_dump(mode="json"))


@router.get("/models/{model_id}/card", auth=BearerToken("read"), summary="The model card", openapi_extra=_said("text/markdown", _TEXT))
def get_card(request: HttpRequest, model_id: RowId) -> HttpResponseBase:
    model = find(AuditedModel.objects.select_related("run"), caller(request), model_id)
    return _artifact(request, model.run, "modelcard.md", f"{model.pk}.md")


@router.get("/models/{model_id}/export", auth=BearerToken("read"), summary="The model as a file for other programs", openapi_extra=_said("application/octet-stream", _BINARY))
def get_export(request: HttpRequest, model_id: RowId, format: Annotated[Literal["onnx"], Query()] = "onnx") -> HttpResponseBase:
    """The fitted model with its encoding. 409 with the reason where it could not be exported, or where the exported file did not say what the model says."""
    model = find(AuditedModel.objects.select_related("run"), caller(request), model_id)
    export = results.read_evidence(model.run).provenance.onnx
    if isinstance(export, NotMeasured):
        raise Problem("conflict", f"There is no ONNX file of this model: {export.reason}.")
    return _artifact(request, model.run, export.file, f"{model.pk}.onnx")


def succeeded(request: HttpRequest, run_id: str) -> Run:
    """The run, with its results. Problem(conflict) before it has any."""
    run = find(Run, caller(request), run_id)
    if run.state in ("queued", "running"):
        raise Problem("conflict", f"The run is {run.state}; its results come when it has succeeded.", headers={"Retry-After": "5"})
    if run.state != "succeeded":
        raise Problem("conflict", f"The run ended without results: {run.failure_text or run.state}.")
    return run


def _artifact(request: HttpRequest, run: Run, name: str, filename: str) -> HttpResponseBase:
    row = Artifact.objects.filter(run=run, name=name).first()
    if row is None:
        raise Http404
    answer = download(request, results.open_artifact(run, name), name=filename, media_type=row.media_type, sha256=row.sha256)
    return answer if name.startswith("charts/") else noted_file(answer, request, caller(request), run, name, row.sha256)
