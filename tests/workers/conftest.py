"""A real PostgreSQL with Optuna's tables, made once for a module."""

from __future__ import annotations

import urllib.parse
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.workers.kept import Run
from workers.study import open_storage


@pytest.fixture(scope="module")
def database(postgres_server: Any) -> Iterator[tuple[Any, Any]]:
    """Optuna's storage and an engine beside it; each test has runs of its own."""
    name = f"study_{uuid.uuid4().hex[:12]}"
    postgres_server.psql(f"CREATE DATABASE {name};")
    url = urllib.parse.urlsplit(postgres_server.get_uri(database=name))
    query = dict(urllib.parse.parse_qsl(url.query))
    storage, engine = open_storage({
        "HOST": query.get("host", url.hostname or ""), "USER": "postgres", "PASSWORD": "", "PORT": str(url.port or ""), "NAME": name, "OPTIONS": {"connect_timeout": 5}})
    yield storage, engine
    storage._backend.engine.dispose()  # type: ignore[attr-defined]
    engine.dispose()
    postgres_server.psql(f"DROP DATABASE {name} WITH (FORCE);")


@pytest.fixture
def run(database: Any, request: pytest.FixtureRequest) -> Run:
    return Run(database, f"run_{request.node.name}")
