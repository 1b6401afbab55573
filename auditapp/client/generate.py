"""Writes `plumbline_client.py`: `transport.py`, a pydantic model for each schema that a route reads or answers, and a method for each route.

    python -m auditapp.client.generate      (or `make client`)
"""

from __future__ import annotations

import keyword
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
TARGET = FOLDER / "plumbline_client.py"

_HEAD = '''"""A typed client of Plumbline's REST interface. Made from its OpenAPI document by `make client`; changes made here are lost.

One file, to be copied: Python 3.11 and pydantic 2 are all that it needs.
"""

# ruff: noqa
'''

_WAIT = '''
    def wait(self, run_id: str, *, seconds: float = 2.0) -> RunDocument:
        """The run, once it has ended: `state` is then succeeded, failed or cancelled."""
        while (run := self.get_run(run_id)).state in ("queued", "running"):
            time.sleep(seconds)
        return run
'''

_PRIMITIVES = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def source_of(schema: dict[str, Any]) -> str:
    """The client's source for an OpenAPI document of ours."""
    schemas = schema["components"]["schemas"]
    operations = [(path, method, operation) for path, methods in schema["paths"].items() for method, operation in methods.items()]
    asked = _reached([operation.get("requestBody", {}) for _, _, operation in operations], schemas)
    answered = _reached([operation["responses"] for _, _, operation in operations], schemas) - {"Problem"}
    models = [_model(name, schemas[name], is_asked=name in asked) for name in sorted(asked | answered) if "properties" in schemas[name]]
    methods = [_method(path, method, operation, schemas) for path, method, operation in operations]
    client = "class Client(Transport):\n" + _docstring(schema["info"]["description"], 4) + "\n\n" + "\n".join(methods) + _WAIT
    return _HEAD + "\n" + _transport() + "\n\n" + "\n\n".join([*models, client])


def _transport() -> str:
    """Without its docstring, and with what models and methods import beside it."""
    code = (FOLDER / "transport.py").read_text().split('"""', 2)[2].lstrip()
    for old, new in (("import json\n", "import json\nimport time\n"), ("from pathlib", "from datetime import datetime\nfrom pathlib"), ("BinaryIO, TypeVar", "BinaryIO, Literal, TypeVar")):
        code = code.replace(old, new, 1)
    return code


def _reached(begin: Any, schemas: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    waiting = list(_references(begin))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _references(schemas[name])
    return found


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield _named(part)
        for inner in part.values():
            yield from _references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def _named(reference: dict[str, Any]) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _model(name: str, schema: dict[str, Any], *, is_asked: bool) -> str:
    """What is sent names the values that are taken; of what comes back any text is read, since a later version may know more of them."""
    lines = [f"class {name}(BaseModel):"]
    if "description" in schema:
        lines += [_docstring(schema["description"], 4), ""]
    needed = set(schema.get("required", ()))
    for field, said in sorted(schema["properties"].items(), key=lambda item: item[0] not in needed):
        kind = _type(said, is_asked)
        lines.append(f"    {field}: {kind}" if field in needed else f"    {field}: {_optional(kind)} = None")
    return "\n".join(lines) + "\n"


def _type(schema: dict[str, Any], is_asked: bool) -> str:
    if "$ref" in schema:
        return _named(schema)
    if "allOf" in schema:
        return _type(schema["allOf"][0], is_asked)
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(one, is_asked) for one in schema["anyOf"]))
    if "const" in schema or "enum" in schema:
        return f"Literal[{', '.join(map(repr, schema.get('enum', [schema.get('const')])))}]" if is_asked else "str"
    kind = schema.get("type")
    if kind == "array":
        return f"list[{_type(schema['items'], is_asked)}]" if "items" in schema else "list[Any]"
    if kind == "object":
        # Names of columns have a pattern; those of other things have none
        inner = next(iter(schema.get("patternProperties", {}).values()), None) or schema.get("additionalProperties")
        return f"dict[str, {_type(inner, is_asked)}]" if isinstance(inner, dict) and inner else "dict[str, Any]"
    if kind == "string" and schema.get("format") == "date-time":
        return "datetime"
    return _PRIMITIVES.get(str(kind), "Any")


def _method(path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    taken, given = _body(operation, schemas)
    parameters = operation.get("parameters", [])
    in_path = [f"{one['name']}: {_type(one['schema'], True)}" for one in parameters if one["in"] == "path"]
    queried = [one for one in parameters if one["in"] == "query"]
    named = [f"{_safe(one['name'])}: {_optional(_type(one['schema'], True))} = None" for one in queried]
    header = "If-Match" if method in ("put", "patch") else "Idempotency-Key" if taken and {"201", "202"} & set(operation["responses"]) else None
    if header is not None:
        name = header.lower().replace("-", "_")
        named.append(f"{name}: str | None = None")
        given.append(f'headers={{"{header}": {name}}}')
    if queried:
        given.append("query={" + ", ".join(f'"{one["name"]}": {_safe(one["name"])}' for one in queried) + "}")
    signature = ", ".join(["self", *in_path, *taken, *(["*", *named] if named else [])])
    address = f'f"{_filled(path)}"' if in_path else f'"{path}"'
    answered, read = _answer(operation, f'self._call({", ".join([chr(34) + method.upper() + chr(34), address, *given])})')
    said = operation["summary"] + (f"\n\n{operation['description']}" if "description" in operation else "")
    return f"    def {operation['operationId']}({signature}) -> {answered}:\n{_docstring(said, 8)}\n        return {read}\n"


def _body(operation: dict[str, Any], schemas: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Parameters for the body, and what is passed on of it."""
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        return [f"document: {_type(content['application/json']['schema'], True)} | dict[str, Any]"], ["document=document"]
    if "multipart/form-data" not in content:
        return [], []
    form = content["multipart/form-data"]["schema"]
    form = schemas[_named(form)] if "$ref" in form else form
    needed = set(form.get("required", ()))
    fields = sorted(form["properties"], key=lambda field: field not in needed)
    kinds = {field: "File" if form["properties"][field].get("format") == "binary" else "str | dict[str, Any]" if field == "spec" else "str" for field in fields}
    taken = [f"{field}: {kinds[field]}" if field in needed else f"{field}: {kinds[field]} | None = None" for field in fields]
    return taken, ["form={" + ", ".join(f'"{field}": {field}' for field in fields) + "}"]


def _answer(operation: dict[str, Any], call: str) -> tuple[str, str]:
    """What the method returns, and how that is made of the body."""
    content: dict[str, Any] = next((said.get("content", {}) for status, said in operation["responses"].items() if status.startswith("2")), {})
    if "application/json" not in content:
        return "bytes", call
    schema = content["application/json"]["schema"]
    return (_named(schema), f"self._read({_named(schema)}, {call})") if "$ref" in schema else ("Any", f"json.loads({call})")


def _filled(path: str) -> str:
    return path.replace("{", "{_part(").replace("}", ")}")


def _optional(kind: str) -> str:
    return kind if kind == "Any" or "None" in kind.split(" | ") else f"{kind} | None"


def _safe(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def _docstring(text: str, indent: int) -> str:
    space = " " * indent
    lines = [line.strip() for line in text.replace("\\", "\\\\").strip().splitlines()]
    return space + '"""' + "\n".join(line and (space if number else "") + line for number, line in enumerate(lines)) + (f"\n{space}" if len(lines) > 1 else "") + '"""'


def main() -> int:
    import django

    django.setup()
    from auditapp.api import openapi

    TARGET.write_text(source_of(openapi()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
