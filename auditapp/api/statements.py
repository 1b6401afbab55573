"""What only people can say of a run, version by version, and the versions of its report. Signing off is for a person in a session: no route does it."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from ninja import Path, Router
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from auditapp import report_versions, results
from auditapp.access import Caller
from auditapp.api.bearer import JSON, BearerToken, caller
from auditapp.api.documents import (
    ReportVersions,
    StatementsDocument,
    StatementsVersionDocument,
    statements_document,
    statements_version_document,
    version_document,
)
from auditapp.api.files import document_with_etag, download, refuse_where_changed
from auditapp.api.ids import RowId
from auditapp.api.paging import PageParameters, page_of_numbered
from auditapp.api.results import succeeded
from auditapp.downloads import noted_report
from auditapp.models import Report, Run, StatementsVersion
from auditapp.problems import Problem
from auditapp.statements import changes as statements
from auditapp.statements.fields import FIELDS

router = Router(tags=["statements"])

VersionNumber = Annotated[int, Path(ge=1, le=10**6)]
_BASED_ON = Field(default=None, ge=0, le=10**6, description="The version that the change is based on; it may be left out where `If-Match` is sent.")


Text = Annotated[str, WithJsonSchema({"type": "string", "maxLength": max(field.limit for field in FIELDS.values())})]
"""Each field has a limit of its own, at `/schemas/statements.json`; `statements.change` refuses in its words."""


class SaidAgain(BaseModel):
    """Everything that is to be said: a field that is not here is taken back."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = _BASED_ON
    fields: Annotated[dict[str, Text], Field(max_length=len(FIELDS))]


class Change(BaseModel):
    """What is to be said differently; null takes a field back."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = _BASED_ON
    fields: Annotated[dict[str, Text | None], Field(max_length=len(FIELDS))]


@router.get("/runs/{run_id}/statements", auth=BearerToken("read"), response=StatementsDocument, summary="What people have said of a run")
def get_statements(request: HttpRequest, run_id: RowId) -> object:
    """Fields that nobody has said anything in are absent. What can be said is at `/schemas/statements.json`."""
    return document_with_etag(request, statements_document(succeeded(request, run_id)).model_dump(mode="json"))


@router.put("/runs/{run_id}/statements", auth=BearerToken("statements", JSON), response=StatementsDocument, summary="Say everything anew")
def put_statements(request: HttpRequest, run_id: RowId, said: SaidAgain) -> object:
    """A text that stands already keeps its author and time. Whatever changes makes the next version of the report. 409 or 412 where somebody else was first."""
    return _change(request, run_id, said.version, dict(said.fields), replace=True)


@router.patch("/runs/{run_id}/statements", auth=BearerToken("statements", JSON), response=StatementsDocument, summary="Say something")
def patch_statements(request: HttpRequest, run_id: RowId, said: Change) -> object:
    """The same, for some fields only."""
    return _change(request, run_id, said.version, said.fields)


@router.get("/runs/{run_id}/statements/{version}", auth=BearerToken("read"), response=StatementsVersionDocument, summary="What had been said as of one version")
def get_statements_version(request: HttpRequest, run_id: RowId, version: VersionNumber) -> object:
    row = StatementsVersion.objects.filter(run=succeeded(request, run_id), version=version).first()
    if row is None:
        raise Http404
    return document_with_etag(request, statements_version_document(row).model_dump(mode="json"))


@router.get("/runs/{run_id}/reports", auth=BearerToken("read"), response=ReportVersions, summary="The versions of a report")
def list_reports(request: HttpRequest, run_id: RowId, page: PageParameters) -> HttpResponseBase:
    """Newest first, with why each was made. Earlier ones stay and stay verifiable."""
    run = succeeded(request, run_id)
    return page_of_numbered(request, report_versions.versions_of(run), page, version_document, lambda version: version.number, id=run.pk)


@router.get("/runs/{run_id}/reports/{version}.pdf", auth=BearerToken("read"), summary="One version of the signed report",
            openapi_extra={"responses": {200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}}})
def get_report_version(request: HttpRequest, run_id: RowId, version: VersionNumber) -> HttpResponseBase:
    """404 for a version that nobody asked for, 409 for one that is not signed yet."""
    run = succeeded(request, run_id)
    if version not in {one.number for one in report_versions.versions_of(run)}:
        raise Http404
    try:
        report: Report = results.signed_report(run, version)
    except results.NotSigned as why:
        raise Problem("conflict", f"Report version {version} is not signed yet.", headers={"Retry-After": "5"}) from why
    answer = download(request, results.open_report(run, version), name=f"{run.pk}-v{version}.pdf", media_type="application/pdf", sha256=report.pdf_sha256)
    return noted_report(answer, request, caller(request), report)


@router.get("/schemas/statements.json", auth=None, summary="What can be said of a run, as a JSON Schema",
            openapi_extra={"responses": {200: {"content": {"application/json": {"schema": {"type": "object"}}}}}})
def get_statements_schema(request: HttpRequest) -> object:
    return document_with_etag(request, _schema())


def _change(request: HttpRequest, run_id: str, version: int | None, said: dict[str, str | None], *, replace: bool = False) -> HttpResponseBase:
    run, who = succeeded(request, run_id), caller(request)
    base = _based_on(request, run, version)
    _say(run, who, said, base, replace)
    return document_with_etag(request, statements_document(run).model_dump(mode="json"))


def _based_on(request: HttpRequest, run: Run, version: int | None) -> int:
    """The version that the caller had before them. Problem where `If-Match` names another document, or nothing says which it was."""
    if "If-Match" not in request.headers:
        if version is None:
            raise Problem("base-missing")
        return version
    current = statements_document(run)
    refuse_where_changed(request, current.model_dump(mode="json"), f"The statements are at version {current.version} by now.")
    return current.version if version is None else version


def _say(run: Run, who: Caller, said: dict[str, str | None], base: int, replace: bool) -> None:
    try:
        statements.change(run, who, said, base=base, replace=replace)
    except statements.ChangedMeanwhile as error:
        raise Problem("conflict", f"The change is based on version {base}, and the statements are at version {error.current} by now. Nothing was written.") from error
    except statements.NoResults as error:
        raise Problem("conflict", str(error)) from error


@cache
def _schema() -> dict[str, Any]:
    """Of `fields`: names, words, limits and who should say it."""
    properties = {}
    for field in FIELDS.values():
        said: dict[str, Any] = {"type": "string", "maxLength": field.limit, "title": field.label, "description": f"{field.help} To be provided by {field.who}.", "x-sections": list(field.sections)}
        if field.choices is not None:
            said |= {"enum": list(field.choices), "x-words": dict(field.choices)}
        if field.kind == "date":
            said["format"] = "date"
        properties[field.name] = said
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "statements.json", "title": "What only people can say of a run", "type": "object",
            "additionalProperties": False, "properties": properties}
