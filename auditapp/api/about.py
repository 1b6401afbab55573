"""About the caller and the interface itself: who am I, verify a report, schemas, the catalogue of problems."""

from __future__ import annotations

import hashlib
import tempfile
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import File, Router
from ninja.files import UploadedFile

from auditapp import ledger
from auditapp.access import SCOPES
from auditapp.api.bearer import MULTIPART, BearerToken, caller
from auditapp.api.documents import MeDocument, VerdictDocument
from auditapp.api.files import document_with_etag, download
from auditapp.client.generate import TARGET
from auditapp.problems import CATALOGUE, CATALOGUE_URL, Problem
from auditapp.report.turns import RETRY_SECONDS, Busy
from auditapp.report.verify import MAX_BYTES, verify_in_child
from auditapp.uploads import file_sha256, passing_through, too_large_sentence
from automl.evidence import Evidence

router = Router(tags=["about"])


@router.get("/me", auth=BearerToken("read"), response=MeDocument, summary="Whose token this is")
def get_me(request: HttpRequest) -> object:
    who = caller(request)
    assert who.token is not None
    me = MeDocument.model_validate({
        "id": who.user.get_username(), "workspace": {"id": who.workspace.pk, "name": who.workspace.name}, "role": who.role,
        "scopes": [scope for scope in SCOPES if scope in who.scopes],
        "token": {"id": who.token.pk, "name": who.token.name, "expires_at": who.token.expires_at},
    })
    return document_with_etag(request, me.model_dump(mode="json"))


@router.post("/verify", auth=BearerToken("verify", MULTIPART), response=VerdictDocument, summary="Verify a report")
def verify(request: HttpRequest, pdf: Annotated[UploadedFile, File()]) -> object:
    """Who signed the PDF, when, for which run, and whether anything in it has changed since. Read in a child process; nothing of it is kept."""
    if (pdf.size or 0) > MAX_BYTES:
        raise Problem("too-large", too_large_sentence(MAX_BYTES))
    with tempfile.TemporaryDirectory(dir=passing_through()) as folder:
        path = Path(folder) / "to-verify.pdf"
        with path.open("wb") as file:
            for chunk in pdf.chunks():
                file.write(chunk)
        try:
            verdict = verify_in_child(path)
        except Busy as why:
            raise Problem("unavailable", str(why), headers={"Retry-After": str(RETRY_SECONDS)}) from why
    sha256 = file_sha256(pdf)
    return {
        "id": sha256, "valid": verdict.valid, "signer": verdict.signer, "signed_at": verdict.signed_at,
        "time_source": verdict.time_source if verdict.signed_at else None, "run": verdict.run, "digest": verdict.digest, "problems": list(verdict.problems),
        "numbers": verdict.numbers, "in_ledger": verdict.valid and ledger.knows_file(sha256),
    }


@router.get("/schemas/evidence.json", auth=None, summary="JSON Schema of evidence.json", openapi_extra={"responses": {200: {"content": {
    "application/json": {"schema": {"type": "object"}}}}}})
def get_evidence_schema(request: HttpRequest) -> object:
    return document_with_etag(request, _evidence_schema())


@router.get("/client.py", auth=None, summary="A typed Python client of this interface", openapi_extra={"responses": {200: {"content": {
    "text/x-python": {"schema": {"type": "string"}}}}}})
def get_client(request: HttpRequest) -> HttpResponseBase:
    """One file; it needs pydantic 2 and nothing else."""
    return download(request, TARGET.open("rb"), name=TARGET.name, media_type="text/x-python; charset=utf-8", sha256=_client_sha256())


@router.get("/problems", auth=None, summary="Every kind of problem", openapi_extra={"responses": {200: {"content": {
    "application/json": {"schema": {"type": "object"}}}}}})
def get_problems(request: HttpRequest) -> object:
    """What `type` in a problem document points into."""
    return document_with_etag(request, {"id": "problems", "problems": [
        {"id": name, "type": f"{CATALOGUE_URL}#{name}", "status": kind.status, "title": kind.title, "meaning": kind.meaning} for name, kind in CATALOGUE.items()]})


@cache
def _client_sha256() -> str:
    return hashlib.sha256(TARGET.read_bytes()).hexdigest()


@cache
def _evidence_schema() -> dict[str, Any]:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "evidence.json", **Evidence.model_json_schema(mode="serialization")}
