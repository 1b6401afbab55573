"""How many files are verified at once on this machine: each may take a core and `auditapp.report.verify.MEMORY`, and anybody may send one."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

AT_ONCE = 2
PATIENCE_SECONDS = 5.0
POLL_SECONDS = 0.1
RETRY_SECONDS = 5


class Busy(Exception):
    """Every turn is taken, and none came free in time; the text is shown."""

    def __init__(self) -> None:
        super().__init__("Other files are being verified at the moment. Nothing is wrong with yours: please try again in a few seconds.")


@contextmanager
def turn(folder: Path, *, at_once: int = AT_ONCE, patience: float | None = None) -> Iterator[None]:
    """One of ``at_once`` turns, shared by every process that names the same ``folder``; the kernel gives a turn back when its holder dies. Raises Busy after ``patience`` seconds (default: PATIENCE_SECONDS)."""
    deadline = time.monotonic() + (PATIENCE_SECONDS if patience is None else patience)
    while (held := _taken(folder, at_once)) is None:
        if time.monotonic() >= deadline:
            raise Busy
        time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        os.close(held)


def _taken(folder: Path, at_once: int) -> int | None:
    """An open file that holds a turn; None where all are taken."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(at_once):
        file = os.open(folder / f"turn-{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            continue
        except BaseException:
            os.close(file)
            raise
        return file
    return None
