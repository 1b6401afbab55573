"""Tables in: upload, look, delete. Their bytes are stored here and read in a child."""

from __future__ import annotations

import hashlib
from typing import Annotated

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from ninja import File, Form, Query, Router
from ninja.files import UploadedFile

from auditapp import datasets, profiles, storage
from auditapp.access import find
from auditapp.api.bearer import MULTIPART, BearerToken, caller
from auditapp.api.documents import (
    V1,
    DatasetDocument,
    DatasetPage,
    PreviewDocument,
    ProfileDocument,
    Removed,
    dataset_document,
    preview_document,
    profile_document,
)
from auditapp.api.files import document_with_etag
from auditapp.api.ids import RowId
from auditapp.api.paging import PageParameters, page_of
from auditapp.idempotency import Answer, answer_once
from auditapp.models import Dataset
from auditapp.problems import Problem
from auditapp.uploads import file_sha256, too_large_sentence

router = Router(tags=["datasets"])

MOST_PREVIEWED = 20
"""Rows; a profile keeps no more."""

ShownName = Annotated[str, Form(max_length=200, pattern=r"^[^\x00]*$")]


@router.post("/datasets", auth=BearerToken("upload", MULTIPART), response={201: DatasetDocument}, summary="Upload a table")
def upload_dataset(request: HttpRequest, file: Annotated[UploadedFile, File()], name: ShownName = "") -> HttpResponse:
    """CSV or TSV (also gzipped), Parquet or XLSX. The bytes are kept as they are; what they hold is at `/datasets/{id}/profile` a little later."""
    answer = answer_once(
        request, caller(request), "POST /datasets", lambda: upload_digest(file, name), Dataset,
        make=lambda: store(request, file, name),
        answer=lambda dataset: Answer(201, dataset_document(dataset).model_dump(mode="json"), f"{V1}/datasets/{dataset.pk}"))
    return created(answer)


@router.get("/datasets", auth=BearerToken("read"), response=DatasetPage, summary="List tables")
def list_datasets(request: HttpRequest, page: PageParameters) -> HttpResponseBase:
    rows = Dataset.objects.filter(workspace=caller(request).workspace, deleted_at=None).select_related("created_by")
    return page_of(request, rows, page, dataset_document)


@router.get("/datasets/{dataset_id}", auth=BearerToken("read"), response=DatasetDocument, summary="One table")
def get_dataset(request: HttpRequest, dataset_id: RowId) -> object:
    return document_with_etag(request, dataset_document(find(Dataset, caller(request), dataset_id)).model_dump(mode="json"))


@router.get("/datasets/{dataset_id}/profile", auth=BearerToken("read"), response=ProfileDocument, summary="What the table holds")
def get_profile(request: HttpRequest, dataset_id: RowId) -> object:
    """Columns with types, proposed roles and their reasons. Until `state` is `ready` or `failed`, ask again (with the ETag)."""
    dataset = find(Dataset, caller(request), dataset_id)
    return document_with_etag(request, profile_document(dataset, profiles.request_profile(dataset)).model_dump(mode="json"))


@router.get("/datasets/{dataset_id}/preview", auth=BearerToken("read"), response=PreviewDocument, summary="The first rows of a table")
def get_preview(request: HttpRequest, dataset_id: RowId, rows: Annotated[int, Query(ge=1, le=MOST_PREVIEWED, description="rows at most")] = MOST_PREVIEWED) -> HttpResponseBase:
    """As the profile read them: where that is not ready yet, ask again (with the ETag)."""
    dataset = find(Dataset, caller(request), dataset_id)
    return document_with_etag(request, preview_document(dataset, profiles.request_profile(dataset), rows).model_dump(mode="json"))


@router.delete("/datasets/{dataset_id}", auth=BearerToken("delete"), response=Removed, summary="Delete a table")
def delete_dataset(request: HttpRequest, dataset_id: RowId) -> object:
    """Removes its bytes and what was read from it, and cancels what waits for it. Evidence of ended runs stays until those are deleted."""
    who = caller(request)
    removed = datasets.delete_dataset(find(Dataset, who, dataset_id), who.user)
    return {"id": dataset_id, "removed": {
        "bytes": removed.bytes_removed, "sha256": removed.sha256, "runs_cancelled": list(removed.runs_cancelled), "runs_kept": list(removed.runs_kept)}}


def store(request: HttpRequest, file: UploadedFile, name: str) -> Dataset:
    who = caller(request)
    try:
        return datasets.store_upload(file, name=name, filename=file.name or "", workspace=who.workspace, user=who.user)
    except storage.TooLarge as error:
        raise Problem("too-large", too_large_sentence(settings.UPLOAD_BYTES)) from error


def upload_digest(file: UploadedFile, *fields: str) -> str:
    """What "the same body" means for a form: its file and its fields, whatever the boundary between them was."""
    digest = hashlib.sha256(file_sha256(file).encode())
    for field in (file.name or "", *fields):
        digest.update(hashlib.sha256(field.encode(errors="surrogatepass")).digest())
    return digest.hexdigest()


def created(answer: Answer) -> HttpResponse:
    """The answer of a creating call, the same bytes each time."""
    response = JsonResponse(answer.document, status=answer.status, json_dumps_params={"ensure_ascii": False, "sort_keys": True})
    if answer.location:
        response["Location"] = answer.location
    if answer.status == 202:
        response["Retry-After"] = "2"
    return response
