"""Where a child works: one private folder an attempt, gone when the attempt has ended."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet

from auditapp.models import Run, RunPart


@contextmanager
def staging_folder(key: str, attempt: int) -> Iterator[Path]:
    """A new folder for one attempt. Its name carries the attempt: a worker that wakes up late never writes into its successor's."""
    root = Path(settings.STAGING_ROOT)
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = Path(tempfile.mkdtemp(dir=root, prefix=f"{key}.{attempt}."))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep_staging(older_than_seconds: float = 3600) -> int:
    """Remove the folders of attempts that no longer run (their worker was killed) and are older than an hour; returns how many."""
    root = Path(settings.STAGING_ROOT)
    removed = 0
    for folder in root.iterdir() if root.is_dir() else ():
        with suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > older_than_seconds and not _in_use(folder.name):
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
    return removed


def _in_use(name: str) -> bool:
    key, _, rest = name.partition(".")
    attempt = rest.partition(".")[0]
    if not attempt.isdigit():
        return False
    run_id, _, part = key.partition("-")
    held: QuerySet = RunPart.objects.filter(run_id=run_id, number=int(part)) if part.isdigit() else Run.objects.filter(pk=key)
    return held.filter(attempt=int(attempt), state="running").exists()
