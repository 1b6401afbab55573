"""What `make run` looks at before it starts anything: each thing that would stop it is one sentence."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

LEAST_FREE_BYTES = 2**30


class CannotStart(Exception):
    """`make run` cannot start here; the text is one sentence that says why and what to do."""


def port_of(environment: Mapping[str, str]) -> int:
    """The port that ``PORT`` names, 8000 when it names none."""
    text = environment.get("PORT") or "8000"
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise CannotStart(f"PORT is {text!r}; a port is a number from 1 to 65535.")
    return int(text)


def check_port(port: int) -> None:
    """Refuse when something listens on 127.0.0.1:``port`` already, or this user may not."""
    with socket.socket() as probe:
        # As gunicorn will bind it: a port whose last connection is still closing is free
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError as error:
            raise CannotStart(f"Port {port} needs more rights than this user has; choose one above 1023: make run PORT=8001") from error
        except OSError as error:
            raise CannotStart(f"Port {port} of 127.0.0.1 is in use; choose another one: make run PORT={port + 1 if port < 65_535 else 8000}") from error


def check_disk(home: Path) -> None:
    """Refuse to begin on a disk that is all but full: runs would fail half-way."""
    free = shutil.disk_usage(home).free
    if free < LEAST_FREE_BYTES:
        raise CannotStart(f"Only {free / 2**20:,.0f} MB are free for PLUMBLINE_HOME {home}; at least 1,024 MB are needed.")


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Hold the home for this `make run`; a second one beside it is refused. The kernel lets go when the holder dies, however it dies."""
    with open(home / ".running", "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            raise CannotStart(f"Plumbline already runs on {home} (process {lock.read().strip() or 'unknown'}); stop it first or set another PLUMBLINE_HOME.") from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
