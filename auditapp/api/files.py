"""How stored bytes leave: with a fixed type, as a download, with a strong ETag where the sha256 is known."""

from __future__ import annotations

import hashlib
import json
from typing import IO, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import parse_etags

from auditapp.problems import Problem


def download(request: HttpRequest, file: IO[bytes], *, name: str, media_type: str, sha256: str) -> HttpResponseBase:
    """``file`` whole; 304 where the client has these bytes already. ``name`` is made by us, never by a user."""
    answer = get_conditional_response(request, etag=f'"{sha256}"')
    if answer is not None:
        file.close()
        return _private(answer, sha256)
    return _private(FileResponse(file, as_attachment=True, filename=name, content_type=media_type), sha256)


def body_of(document: Any) -> bytes:
    """The very bytes that `document_with_etag` answers with, whose sha256 is the ETag."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, cls=DjangoJSONEncoder).encode()


def document_with_etag(request: HttpRequest, document: Any) -> HttpResponseBase:
    """JSON whose ETag hashes the body only, so that polling costs a client nothing while nothing changes."""
    response = HttpResponse(body_of(document), content_type="application/json")
    sha256 = hashlib.sha256(response.content).hexdigest()
    # Of a change, `If-Match` speaks of what was there before it, and has been heard by then
    answer = get_conditional_response(request, etag=f'"{sha256}"', response=response) if request.method in ("GET", "HEAD") else response
    assert isinstance(answer, HttpResponse)
    return _private(answer, sha256)


def refuse_where_changed(request: HttpRequest, document: Any, detail: str = "") -> None:
    """Raises Problem(changed-meanwhile) where `If-Match` is sent and names another document than this, which is what stands now."""
    header = request.headers.get("If-Match")
    if header is None:
        return
    # Strong comparison (RFC 9110, 13.1.1): a weak tag matches nothing
    if "*" not in (tags := parse_etags(header)) and f'"{hashlib.sha256(body_of(document)).hexdigest()}"' not in tags:
        raise Problem("changed-meanwhile", detail)


def _private(response: HttpResponseBase, sha256: str) -> HttpResponseBase:
    response["ETag"] = f'"{sha256}"'
    response["Cache-Control"] = "private, no-cache"
    return response
