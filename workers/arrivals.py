"""For the worker that leads a run in several parts: the others' finished trials are laid beside its child's own, as they come."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from auditapp import runs, storage
from auditapp.runs import Lease
from workers.jobs import trial_name

LOOK_SECONDS = 1.0


@contextmanager
def arriving_trials(lease: Lease, folder: Path) -> Iterator[Arrivals]:
    """For the leading worker: ``folder`` is its child's ``trials``, opened before the child can put anything in its place."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield Arrivals(lease, descriptor, {number for number, _sha256 in lease.trials})
    finally:
        os.close(descriptor)


class Arrivals:
    """Lays the finished trials of other parts beside the child's own, each whole or not at all.

    The folder is the child's to change: it is held by descriptor, and names that the child cannot foresee are made new.
    """

    def __init__(self, lease: Lease, folder: int, known: set[int]) -> None:
        self._lease, self._folder, self._known = lease, folder, known
        self._looked = time.monotonic()

    def known(self, number: int) -> None:
        """A trial of the child's own."""
        self._known.add(number)

    def look(self, now: float) -> None:
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        for number, sha256 in runs.trials_of(self._lease, beyond=self._known):
            self._lay(number, sha256)
            self._known.add(number)

    def _lay(self, number: int, sha256: str) -> None:
        draft = f".{secrets.token_hex(16)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=self._folder)
        with storage.open_verified(sha256) as source, os.fdopen(descriptor, "wb") as target:
            shutil.copyfileobj(source, target, 2**20)
        os.rename(draft, trial_name(number), src_dir_fd=self._folder, dst_dir_fd=self._folder)
