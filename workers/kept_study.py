"""Starts the process that keeps a shared study beside a child, and ends it with the child. Imports nothing heavy: the worker's process does this."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from auditapp.confinement import ROOT


@dataclass(frozen=True)
class KeptStudy:
    """``lent``: the two descriptors for the child, to ask and to hear."""

    lent: tuple[int, int]
    process: subprocess.Popen[bytes]

    @property
    def has_failed(self) -> bool:
        """Whether its process ended otherwise than by the child's closing its end: what the child then says is not its own fault."""
        return self.process.poll() not in (None, 0)


@contextmanager
def kept_study(run_id: str, part: int, attempt: int) -> Iterator[KeptStudy]:
    """A `workers.study` for this attempt of this part of the run. It has this worker's credentials; the child has two pipes."""
    to_read, asks = os.pipe()
    answers, to_write = os.pipe()
    try:
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "workers.study", run_id, str(part), str(attempt)], cwd=ROOT, stdin=to_read, stdout=to_write,
                env=os.environ | {"PLUMBLINE_PARENT": str(os.getpid())}, start_new_session=True)
        finally:
            os.close(to_read)
            os.close(to_write)
        try:
            yield KeptStudy((asks, answers), process)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()
    finally:
        os.close(asks)
        os.close(answers)
