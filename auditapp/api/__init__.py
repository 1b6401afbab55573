"""The REST interface under ``/api/v1``: routes parse, call the same functions as the pages, and return the same documents.

One file a resource. This one puts them together, and says how every error leaves: as a problem document (`auditapp.problems`).
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.responses import NinjaJSONEncoder

from auditapp import profiles, storage
from auditapp.api import about, cohorts, datasets, exports, members, repeats, results, runs, statements, webhooks
from auditapp.api.files import document_with_etag
from auditapp.api.strict_json import StrictParser
from auditapp.problems import MEDIA_TYPE, Problem, problem_response
from auditapp.report_versions import TooMany
from automl.errors import BadInput
from automl.spec import in_words

_DESCRIPTION = """A table goes in, a tuned model and signed evidence about it come out.

Send `Authorization: Bearer plb_...`; `manage.py token USER` makes one. Errors are RFC 9457 problem documents whose `type` is explained at `/api/v1/problems`.
Creating calls take an `Idempotency-Key`. Lists are pages: follow `next`. GET answers carry an ETag; poll with `If-None-Match`."""


class PlumblineApi(NinjaAPI):
    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The function's name alone: clients are made of it."""
        return operation.view_func.__name__

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None) -> OpenAPISchema:
        schema = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        schema["components"]["schemas"]["Problem"] = _PROBLEM_SCHEMA
        for path in schema["paths"].values():
            for method, operation in path.items():
                if method == "get":
                    operation["responses"].setdefault("304", {"description": "As it was, where `If-None-Match` names it"})
                operation["responses"].setdefault("4XX", {
                    "description": "A problem document", "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}})
        return schema


_PROBLEM_SCHEMA = {
    "title": "Problem", "type": "object", "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"}, "request_id": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object", "properties": {
            "pointer": {"type": "string"}, "parameter": {"type": "string"}, "detail": {"type": "string"}, "code": {"type": "string"}}}},
    },
}

# No docs page: ninja's loads its scripts from elsewhere, which the Content-Security-Policy forbids
api = PlumblineApi(title="Plumbline", version="1", description=_DESCRIPTION, docs_url=None, openapi_url=None, urls_namespace="api", parser=StrictParser())
for _router in (datasets.router, runs.router, repeats.router, results.router, exports.router, cohorts.router, statements.router, webhooks.router, members.router, about.router):
    api.add_router("", _router)


@api.get("/openapi.json", auth=None, include_in_schema=False)
def get_openapi(request: HttpRequest) -> object:
    """This interface as an OpenAPI 3.1 document."""
    return document_with_etag(request, openapi())


@cache
def openapi() -> Any:
    # Statuses are numbers in ninja's document and names in JSON
    return json.loads(json.dumps(api.get_openapi_schema(), cls=NinjaJSONEncoder))


@api.exception_handler(Problem)
def _problem(request: HttpRequest, error: Problem) -> HttpResponse:
    return error.response()


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    # ninja wraps whatever the body's parser raises
    if isinstance(error.__cause__, Problem):
        return error.__cause__.response()
    return problem_response({401: "unauthenticated", 403: "not-allowed"}.get(error.status_code, "malformed"))


@api.exception_handler(ValidationError)
def _validation_error(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = [_pointed(request, one) for one in error.errors[:50]]
    first = errors[0]
    return problem_response("invalid", f"{first.get('pointer', first.get('parameter', 'body')).lstrip('/') or 'body'}: {first['detail']}", errors)


@api.exception_handler(BadInput)
def _bad_input(request: HttpRequest, error: BadInput) -> HttpResponse:
    pointer = {"pointer": error.pointer} if error.pointer else {}
    return problem_response("invalid", error.sentence, [{**pointer, "detail": error.sentence, "code": "bad_input"}])


@api.exception_handler(TooMany)
@api.exception_handler(profiles.QueueFull)
def _too_many(request: HttpRequest, error: TooMany | profiles.QueueFull) -> HttpResponse:
    return problem_response("queue-full", f"{error.sentence}.", headers={"Retry-After": "60"})


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return problem_response("not-found")


@api.exception_handler(PermissionDenied)
def _not_allowed(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    return problem_response("not-allowed", str(error))


@api.exception_handler(RequestDataTooBig)
def _too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    # What is left of the body would be taken for the next request
    return problem_response("too-large", str(error), headers={"Connection": "close"})


@api.exception_handler(storage.StorageFull)
def _storage_full(request: HttpRequest, error: storage.StorageFull) -> HttpResponse:
    return problem_response("storage-full", f"{error}.")


@api.exception_handler(MultiPartParserError)
@api.exception_handler(SuspiciousOperation)
@api.exception_handler(UnreadablePostError)
def _malformed(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem_response("malformed", "The body cannot be read as multipart/form-data.")


@api.exception_handler(Exception)
def _defect(request: HttpRequest, error: Exception) -> HttpResponse:
    """A defect of ours: Django logs it with its trace, the middleware says 500 without one."""
    raise error


def _pointed(request: HttpRequest, error: dict[str, Any]) -> dict[str, str]:
    """A fault as pydantic found it, pointing at a place that the caller knows: in the body (JSON pointer) or at a parameter."""
    source, *rest = error["loc"]
    told = {"detail": in_words(error["type"], str(error["msg"])), "code": str(error["type"])}
    if source == "body":
        return {"pointer": _pointer(getattr(request, "json_document", None), rest[1:], error["type"] == "missing"), **told}
    if source in ("form", "file"):
        return {"pointer": "".join(f"/{part}" for part in rest[-1:]), **told}
    return {"parameter": str(rest[-1]) if rest else "", **told}


def _pointer(document: Any, parts: list[Any], is_missing: bool) -> str:
    """RFC 6901. Pydantic also names the members of unions it tried, which are no places in the document: those are left out."""
    pointer = ""
    for part in parts:
        known = (isinstance(document, dict) and part in document) or (isinstance(document, list) and isinstance(part, int) and part < len(document))
        if not known and not (is_missing and part == parts[-1]):
            break
        pointer += "/" + str(part).replace("~", "~0").replace("/", "~1")[:200]
        document = document[part] if known else None
    return pointer
