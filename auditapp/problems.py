"""Every error of the REST interface as RFC 9457 `application/problem+json`: one catalogue, one shape, never a trace.

Routes raise `Problem`; whatever else goes wrong under ``/api/`` (unknown path, wrong method, a defect of ours) is turned into one by the middleware.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from auditapp.request_ids import request_id

MEDIA_TYPE = "application/problem+json"
API_PREFIX = "/api/"
CATALOGUE_URL = "/api/v1/problems"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kind:
    """One kind of problem. ``type`` in an answer is the address of its entry in the published catalogue."""

    status: int
    title: str
    meaning: str


CATALOGUE: dict[str, Kind] = {
    "malformed": Kind(400, "The request cannot be read", "The body is not valid JSON or not valid multipart, or a header is malformed."),
    "unauthenticated": Kind(401, "No valid token", "Send `Authorization: Bearer plb_...` with a token that exists, has not expired and was not revoked."),
    "not-allowed": Kind(403, "Not allowed", "The token's scopes or the role of its user do not cover this call; `detail` says what would."),
    "not-found": Kind(404, "Not found", "Nothing with this address exists for the caller's workspace."),
    "method-not-allowed": Kind(405, "Method not allowed", "The address exists; the header `Allow` lists its methods."),
    "conflict": Kind(409, "Not in this state", "The thing exists, but its present state does not allow the call; `detail` says why."),
    "in-flight": Kind(409, "Still being answered", "The first call with this Idempotency-Key has not ended; ask again after `Retry-After` seconds."),
    "changed-meanwhile": Kind(412, "Changed meanwhile", "The thing is no longer what `If-Match` names. Nothing was written; read it again and send the change once more."),
    "too-large": Kind(413, "Too large", "The body is larger than the limit that `detail` names."),
    "unsupported-media-type": Kind(415, "Unsupported media type", "The body has another Content-Type than this call reads."),
    "invalid": Kind(422, "Invalid input", "The input was read and cannot be used; each entry of `errors` points at a fault."),
    "key-reused": Kind(422, "Idempotency-Key used for something else", "The key belongs to another call of the last 24 hours; use a new one."),
    "base-missing": Kind(428, "What the change is based on is missing", "Send `If-Match` with the ETag, or `version` in the body: the change must not undo what others have said since."),
    "queue-full": Kind(429, "Too many waiting runs", "The workspace has as many waiting runs as it may have; wait for one to end or cancel one."),
    "crowded": Kind(429, "Too much is asked at once", "The call waited longer than anybody should before it could be looked at, and was sent away; call again after `Retry-After` seconds."),
    "rate-limited": Kind(429, "Too many calls", "The token has used up its calls of this minute; `RateLimit` says what is left, `Retry-After` when to call again. An answer 304 is not counted."),
    "internal": Kind(500, "Something went wrong on our side", "Nothing is wrong with the request. Quote `request_id` when asking for help."),
    "unavailable": Kind(503, "Not available now", "The service cannot answer for the moment; ask again after `Retry-After` seconds."),
    "storage-full": Kind(507, "Storage full", "There is no room left to store this; nothing that was stored is lost."),
}

_KIND_OF_STATUS = {
    400: "malformed", 401: "unauthenticated", 403: "not-allowed", 404: "not-found", 405: "method-not-allowed", 409: "conflict", 413: "too-large",
    415: "unsupported-media-type", 422: "invalid", 500: "internal", 503: "unavailable", 507: "storage-full",
}

_KIND_OF_ERROR: dict[type[Exception], str] = {
    Http404: "not-found", PermissionDenied: "not-allowed", RequestDataTooBig: "too-large", SuspiciousOperation: "malformed", MultiPartParserError: "malformed",
    BadRequest: "malformed",
}


@dataclass
class Problem(Exception):
    """Raised by a route: the call ends with this answer. ``errors`` are ``{pointer | parameter, detail, code}``."""

    kind: str
    detail: str = ""
    errors: Sequence[Mapping[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> HttpResponse:
        return problem_response(self.kind, self.detail, self.errors, self.headers)


def problem_response(kind: str, detail: str = "", errors: Sequence[Mapping[str, str]] = (), headers: Mapping[str, str] | None = None) -> HttpResponse:
    entry = CATALOGUE[kind]
    document = _document(f"{CATALOGUE_URL}#{kind}", entry.title, entry.status, detail or entry.meaning)
    if errors:
        document["errors"] = [dict(error) for error in errors]
    return _answer(document, dict(headers or {}))


def _document(type_: str, title: str, status: int, detail: str) -> dict[str, Any]:
    return {"type": type_, "title": title, "status": status, "detail": detail, "request_id": request_id()}


def _answer(document: dict[str, Any], headers: dict[str, str]) -> HttpResponse:
    # Texts from data may hold lone surrogates, which UTF-8 cannot say; JSON's own escapes can
    response = HttpResponse(json.dumps(document, ensure_ascii=True), status=document["status"], content_type=MEDIA_TYPE)
    for name, value in {"Cache-Control": "no-store", **headers}.items():
        response[name] = value
    return response


@csrf_exempt
def unknown_address(request: HttpRequest) -> HttpResponse:
    """View for every address under ``/api/`` that nothing else answers."""
    return problem_response("not-found")


class ProblemAnswers:
    """Middleware: an error under ``/api/`` that is not a problem document yet (a plain 405, a refused host, a defect of ours) becomes one."""

    _CARRIED = ("Allow", "Retry-After", "WWW-Authenticate", "Connection")

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not request.path_info.startswith(API_PREFIX) or response.status_code < 400 or response.get("Content-Type", "").startswith(MEDIA_TYPE):
            return response
        headers = {name: response[name] for name in self._CARRIED if response.has_header(name)}
        # Not closed: closing an answer tells Django that the request is over
        return _for_status(response.status_code, headers)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """What a view did not foresee: logged with its trace, told without it, and without the page that a person would get."""
        if not request.path_info.startswith(API_PREFIX):
            return None
        for known, kind in _KIND_OF_ERROR.items():
            if isinstance(error, known):
                return problem_response(kind)
        logger.error("%s %s: %s", request.method, request.path, error, exc_info=error)
        got_request_exception.send(sender=type(self), request=request)
        if isinstance(error, OperationalError):
            # The database is gone or too busy: nothing was written, and the same call may succeed soon
            return problem_response("unavailable", headers={"Retry-After": "5"})
        return problem_response("internal")


def _for_status(status: int, headers: dict[str, str]) -> HttpResponse:
    kind = _KIND_OF_STATUS.get(status)
    if kind is not None:
        return problem_response(kind, headers=headers)
    return _answer(_document("about:blank", HTTPStatus(status).phrase, status, HTTPStatus(status).description), headers)
