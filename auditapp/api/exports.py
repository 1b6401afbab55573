"""Documents for others that are made of a run: the summary of Local Law 144, the skeleton of Annex IV, the model card; and what a report profile asks for."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from ninja import Query, Router
from pydantic import BaseModel

from auditapp import results
from auditapp.api.bearer import BearerToken, caller
from auditapp.api.files import document_with_etag, download
from auditapp.api.ids import RowId, ShortName
from auditapp.api.results import succeeded
from auditapp.downloads import noted_file
from auditapp.exports import EXPORTS, NoExport, NotDrawn, obstacle
from auditapp.problems import Problem
from auditapp.signed_exports import BeingSigned, export_bytes

router = Router(tags=["exports"])

SmallCells = Annotated[Literal["shown", "withheld"], Query(description="Of the summary of Local Law 144, whose rule asks for all categories: whether those of few people are shown.")]


class ExportDocument(BaseModel):
    name: str
    media_type: str
    url: str
    obstacle: str | None
    """Why this run has none of it; null where it has."""


class ExportList(BaseModel):
    id: str
    items: list[ExportDocument]


@router.get("/runs/{run_id}/exports", auth=BearerToken("read"), response=ExportList, summary="Documents for others that can be made of a run")
def list_exports(request: HttpRequest, run_id: RowId) -> object:
    run = succeeded(request, run_id)
    evidence = results.read_evidence(run)
    items = [ExportDocument(name=name, media_type=one.media_type, url=f"/api/v1/runs/{run.pk}/exports/{name}", obstacle=obstacle(evidence, name) or None) for name, one in EXPORTS.items()]
    return document_with_etag(request, ExportList(id=run.pk, items=items).model_dump(mode="json"))


_ANY: dict[str, Any] = {"responses": {200: {"content": {one.media_type.split(";")[0]: {"schema": {"type": "string"}} for one in EXPORTS.values()}}}}


@router.get("/runs/{run_id}/exports/{export}", auth=BearerToken("read"), summary="One of them", openapi_extra=_ANY)
def get_export_document(request: HttpRequest, run_id: RowId, export: ShortName, small_cells: SmallCells = "shown") -> HttpResponseBase:
    """Made of the evidence and of what people have said by now. A PDF is signed as the report is, and 503 until it is; the others are not signed. 409 with the reason where this run has none of it."""
    run = succeeded(request, run_id)
    if export not in EXPORTS:
        raise Http404
    try:
        made, sha256 = export_bytes(run, export, withhold=small_cells == "withheld")
    except NoExport as why:
        raise Problem("conflict", str(why)) from why
    except (NotDrawn, BeingSigned) as why:
        raise Problem("unavailable", str(why), headers={"Retry-After": "60" if isinstance(why, NotDrawn) else "5"}) from why
    answer = download(request, made, name=f"{run.pk}-{export}", media_type=EXPORTS[export].media_type, sha256=sha256)
    return noted_file(answer, request, caller(request), run, export, sha256)
