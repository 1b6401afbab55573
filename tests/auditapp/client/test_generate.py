"""The client is that of the schema as it is now."""

from __future__ import annotations

import ast
from typing import Any

from auditapp.client.generate import TARGET, source_of


def _schema() -> dict[str, Any]:
    from auditapp.api import openapi

    return openapi()


def test_the_client_is_fresh() -> None:
    assert source_of(_schema()) == TARGET.read_text(), "stale: run `make client`"


def test_every_route_is_a_method() -> None:
    operations = {operation["operationId"] for methods in _schema()["paths"].values() for operation in methods.values()}
    (client,) = [node for node in ast.parse(TARGET.read_text()).body if isinstance(node, ast.ClassDef) and node.name == "Client"]
    assert {node.name for node in client.body if isinstance(node, ast.FunctionDef)} == operations | {"wait"}


def test_it_needs_pydantic_and_nothing_else() -> None:
    import sys

    imported = {name.split(".")[0] for node in ast.walk(ast.parse(TARGET.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)
                for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [str(node.module)])}
    assert imported - sys.stdlib_module_names == {"pydantic"}
