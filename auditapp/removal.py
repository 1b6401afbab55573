"""Bytes go when the last row that refers to them is gone, and not before."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings

from auditapp import storage
from auditapp.models import Artifact, Dataset, Report, RunTrial, SignedExport

if TYPE_CHECKING:
    from django.db.models import QuerySet

ORPHAN_SECONDS = 24 * 3600
"""Bytes are stored before the row that names them is committed; what is so much older has none to come."""


def _references() -> tuple[tuple[QuerySet[Any], str], ...]:
    """Every column that names stored bytes, with the rows that still count."""
    return (
        (Dataset.objects.filter(deleted_at__isnull=True), "sha256"), (Artifact.objects.all(), "sha256"), (RunTrial.objects.all(), "sha256"),
        (Report.objects.all(), "unsigned_sha256"), (Report.objects.all(), "pdf_sha256"), (Report.objects.all(), "picture_sha256"),
        (SignedExport.objects.all(), "unsigned_sha256"), (SignedExport.objects.all(), "pdf_sha256"),
    )


def referenced(sha256: str) -> bool:
    """Whether any row of any workspace still needs the bytes: the same file may have been uploaded twice."""
    return any(rows.filter(**{column: sha256}).exists() for rows, column in _references())


def every_reference() -> list[QuerySet[Any]]:
    """For those who copy or check all that is kept: one query a column, of sha256 texts; an empty text names nothing."""
    return [rows.order_by().values_list(column, flat=True) for rows, column in _references()]


def remove_unreferenced(shas: Iterable[str]) -> list[str]:
    """Delete from storage those of ``shas`` that nothing refers to; returns them. Call it after the rows are gone and committed."""
    return [sha for sha in sorted(set(shas)) if sha and not referenced(sha) and storage.delete(sha, needed_after_all=partial(referenced, sha))]


def sweep() -> dict[str, int]:
    """Remove what a process stored that died before its row was written. Looks at one of the storage's 256 folders a time: at all of them in little more than an hour.

    Of files on this machine only: listing an object store that often would cost more than what it finds.
    """
    folder = int(time.time() // settings.SWEEP_SECONDS) % 256
    old = storage.stored_in(folder, older_than_seconds=ORPHAN_SECONDS)
    for rows, column in _references() if old else ():
        old.difference_update(rows.filter(**{f"{column}__in": old}).values_list(column, flat=True))
    return {"orphans_removed": len(remove_unreferenced(old))}
