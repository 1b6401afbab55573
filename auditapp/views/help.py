"""Words about the service itself: first steps and terms, and every call of the REST interface with a line of curl. Public: neither holds anybody's data."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from auditapp.api import api
from auditapp.report.glossary import all_entries
from auditapp.views.guard import public


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[tuple[str, str, str], ...]
    """Name, where it goes (path, query, header), and what it is."""
    body: tuple[tuple[str, str], ...]
    """Fields of the body and whether they are required ("" or "optional"); empty where there is none."""
    media_type: str
    answers: tuple[str, ...]
    curl: str
    """One line for a shell, ``{base}`` in place of the host."""


@require_safe
@public
def help_page(request: HttpRequest) -> HttpResponse:
    return render(request, "help.html", {"terms": all_entries()})


@require_safe
@public
def api_docs(request: HttpRequest) -> HttpResponse:
    base = f"{request.scheme}://{request.get_host()}"
    groups = {tag: [(operation, operation.curl.replace("{base}", base)) for operation in operations] for tag, operations in operations_by_tag().items()}
    return render(request, "api_docs.html", {"groups": groups, "base": base})


@cache
def operations_by_tag() -> dict[str, list[Operation]]:
    """Every operation of the schema that is served, in its order."""
    schema: dict[str, Any] = api.get_openapi_schema(path_prefix="/api/v1/")
    found: dict[str, list[Operation]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            found.setdefault((operation.get("tags") or ["other"])[0], []).append(_operation(schema, path, method.upper(), operation))
    return found


def _operation(schema: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> Operation:
    parameters = tuple((one["name"], one["in"], _kind(one.get("schema", {}))) for one in operation.get("parameters", ()))
    content = operation.get("requestBody", {}).get("content", {})
    media_type = next(iter(content), "")
    shape = _resolved(schema, content[media_type].get("schema", {})) if media_type else {}
    required = shape.get("required", [])
    body = tuple((name, "" if name in required else "optional") for name in shape.get("properties", {}))
    return Operation(
        method, path, operation.get("summary", ""), operation.get("description", ""), parameters, body, media_type, tuple(operation.get("responses", {})),
        _curl(path, method, [name for name, where, _ in parameters if where == "path"], body, media_type, bool(operation.get("security"))))


def _resolved(schema: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in shape:
        return shape
    name = shape["$ref"].rsplit("/", 1)[-1]
    resolved: dict[str, Any] = schema["components"]["schemas"][name]
    return resolved


def _kind(shape: dict[str, Any]) -> str:
    kinds = [one.get("type", "") for one in shape.get("anyOf", [shape])]
    return " or ".join(kind for kind in kinds if kind and kind != "null")


def _curl(path: str, method: str, names: list[str], body: tuple[tuple[str, str], ...], media_type: str, needs_token: bool) -> str:
    for name in names:
        path = path.replace(f"{{{name}}}", f"${name.upper()}")
    parts = ["curl -sS"]
    if method != "GET":
        parts.append(f"-X {method}")
    if needs_token:
        parts.append('-H "Authorization: Bearer $TOKEN"')
    if media_type == "multipart/form-data":
        parts += [f"-F {name}=@{name}" if name in ("file", "pdf") else f"-F {name}=..." for name, optional in body if not optional]
    elif media_type:
        document = ", ".join(f'"{name}": ...' for name, optional in body if not optional)
        parts.append(f"-H 'Content-Type: {media_type}' -d {shlex.quote('{' + document + '}')}")
    return " ".join([*parts, f'"{{base}}{path}"'])
