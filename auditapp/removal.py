"""Bytes go when the last row that refers to them is gone, and not before."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from django.db.models import Q

from auditapp import storage
from auditapp.models import Artifact, Dataset, Report, RunTrial, SignedExport


def referenced(sha256: str) -> bool:
    """Whether any row of any workspace still needs the bytes: the same file may have been uploaded twice."""
    return (
        Dataset.objects.filter(sha256=sha256, deleted_at__isnull=True).exists()
        or Artifact.objects.filter(sha256=sha256).exists()
        or RunTrial.objects.filter(sha256=sha256).exists()
        or Report.objects.filter(Q(unsigned_sha256=sha256) | Q(pdf_sha256=sha256) | Q(picture_sha256=sha256)).exists()
        or SignedExport.objects.filter(Q(unsigned_sha256=sha256) | Q(pdf_sha256=sha256)).exists()
    )


def remove_unreferenced(shas: Iterable[str]) -> list[str]:
    """Delete from storage those of ``shas`` that nothing refers to; returns them. Call it after the rows are gone and committed."""
    return [sha for sha in sorted(set(shas)) if sha and not referenced(sha) and storage.delete(sha, needed_after_all=partial(referenced, sha))]
