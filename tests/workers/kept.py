"""A shared study without the processes around it: its parts, who holds a lease, and a child's end of the pipe."""

from __future__ import annotations

import json
import os
import threading
import urllib.parse
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from workers.asking import AskingStudy
from workers.study import LONGEST, KeptStudies, Part, open_storage

LEAD = Part("run_1", 0, 1, ("linear", "lgbm"), seed=7, trials=None)


class Run:
    """The parts of one run, and who of them holds a lease."""

    def __init__(self, database: tuple[Any, Any], name: str) -> None:
        self.database, self.name = database, name
        self.holders = {(0, 1), (1, 1), (2, 1)}
        self.stored: set[int] = set()

    def part(self, number: int = 0, attempt: int = 1, **changes: Any) -> KeptStudies:
        return KeptStudies(*self.database, replace(LEAD, run=self.name, number=number, attempt=attempt, **changes), lambda: set(self.holders), lambda: set(self.stored))


class piped:
    """A child's end of ``studies``, answered by a thread."""

    def __init__(self, studies: KeptStudies) -> None:
        (to_read, asks), (answers, to_write) = os.pipe(), os.pipe()
        self.study = AskingStudy(asks, answers, leads=studies.part.number == 0)

        def serve() -> None:
            with open(to_read, "rb") as questions, open(to_write, "wb") as out:
                for line in iter(lambda: questions.readline(LONGEST + 1), b""):
                    out.write(json.dumps(studies.answer(line)).encode() + b"\n")
                    out.flush()

        self.thread = threading.Thread(target=serve)

    def __enter__(self) -> AskingStudy:
        self.thread.start()
        return self.study

    def __exit__(self, *_: Any) -> None:
        let_go(self.study)
        self.thread.join()


def let_go(study: AskingStudy) -> None:
    study._answers.close()
    try:
        study._asks.close()
    except BrokenPipeError:
        study._asks.raw.close()  # what could not be sent is not sent again


# --- fixtures, for the files that import them


@pytest.fixture(scope="module", name="study_database")
def a_study_database(postgres_server: Any) -> Iterator[tuple[Any, Any]]:
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


@pytest.fixture(name="run")
def a_run(study_database: Any, request: pytest.FixtureRequest) -> Run:
    return Run(study_database, f"run_{request.node.name}")
