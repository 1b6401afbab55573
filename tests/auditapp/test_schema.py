"""The OpenAPI document: what it promises, and that the service keeps it against hostile calls (T-43)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditapp.api import openapi


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    return openapi()["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _unbounded(schema: dict[str, Any], where: str, seen: tuple[str, ...] = ()) -> Iterator[str]:
    """Places of texts and numbers that may be as long or as large as one likes."""
    if schema.get("$ref") in seen:
        return
    seen = (*seen, schema.get("$ref", ""))
    schema = _resolved(schema)
    kind = schema.get("type")
    if "enum" in schema or "const" in schema:
        return
    if kind == "string" and "maxLength" not in schema and schema.get("format") != "binary":
        yield where
    if kind == "integer" and not ({"maximum", "exclusiveMaximum"} & set(schema) and {"minimum", "exclusiveMinimum"} & set(schema)):
        yield where
    if kind == "array" and "maxItems" not in schema:
        yield f"{where}[]"
    for part in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from _unbounded(part, where, seen)
    if isinstance(schema.get("items"), dict):
        yield from _unbounded(schema["items"], f"{where}[]", seen)
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _unbounded(schema["additionalProperties"], f"{where}{{}}", seen)
    for inner in schema.get("patternProperties", {}).values():
        yield from _unbounded(inner, f"{where}{{}}", seen)
    for name, inner in schema.get("properties", {}).items():
        yield from _unbounded(inner, f"{where}.{name}", seen)


def test_every_text_number_and_list_that_is_sent_is_bounded() -> None:
    found = []
    for path, methods in openapi()["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", ()):
                found += _unbounded(parameter["schema"], f"{method} {path} {parameter['name']}")
            for said in operation.get("requestBody", {}).get("content", {}).values():
                found += _unbounded(said["schema"], f"{method} {path} ")
    assert found == []
