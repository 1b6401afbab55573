"""Uploaded tables: the only writer of Dataset. No byte of a table is looked at here; reading is the child's work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Sum
from django.db.models.functions import Now

from auditapp import ledger, profiles, removal, runs, storage
from auditapp.models import Dataset, Profile, Workspace
from automl.errors import BadInput

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@dataclass(frozen=True)
class RemovedDataset:
    """What deleting a dataset removed, and what stays because it is evidence."""

    dataset: str
    sha256: str
    bytes_removed: bool
    """False where another dataset of the installation is the same file."""
    runs_cancelled: tuple[str, ...]
    runs_kept: tuple[str, ...]
    """Ended runs: their evidence stays until they are deleted themselves."""


class StillWanted(Exception):
    """Somebody has begun to use the table since its deletion was decided; nothing was removed."""


def store_upload(stream: IO[bytes], *, name: str, filename: str, workspace: Workspace, user: User | None) -> Dataset:
    """Keep the uploaded bytes and ask for their profile. Raises BadInput (empty, larger than the limit, more than the workspace may keep) and storage.StorageFull."""
    stored = storage.put(stream, limit=settings.UPLOAD_BYTES)
    if stored.bytes == 0:
        removal.remove_unreferenced([stored.sha256])
        raise BadInput("the file is empty: 0 bytes were received")
    try:
        with transaction.atomic():
            # One upload of a workspace at a time, so that its limits are kept
            Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
            _check_room(workspace, stored.bytes)
            dataset = Dataset.objects.create(
                workspace=workspace, name=_shown(name) or _shown(filename) or "table", filename=_shown(filename), sha256=stored.sha256,
                bytes=stored.bytes, created_by=user)
            profiles.request_profile(dataset)
            ledger.append(workspace, ledger.actor_of(user), "dataset.uploaded", dataset.pk, {"sha256": stored.sha256, "bytes": stored.bytes})
    except BadInput:
        removal.remove_unreferenced([stored.sha256])
        raise
    if not storage.exists(stored.sha256):
        # A deletion of the same bytes came between: ours are still in the stream
        stream.seek(0)
        storage.put(stream)
    return dataset


def delete_dataset(dataset: Dataset, user: User | None, *, unwanted: Callable[[], bool] = lambda: True) -> RemovedDataset:
    """Remove the table's bytes and everything that was read from it; waiting and running runs on it are cancelled. The ledger keeps its entries.

    ``unwanted`` is asked once no run can be submitted on it any more; StillWanted where it says no.
    """
    with transaction.atomic():
        Dataset.objects.select_for_update().get(pk=dataset.pk)
        if not unwanted():
            raise StillWanted
        Dataset.objects.filter(pk=dataset.pk, deleted_at__isnull=True).update(deleted_at=Now())
        Profile.objects.filter(dataset=dataset).delete()
        cancelled, kept = runs.let_go_of_dataset(dataset, user)
        ledger.append(dataset.workspace, ledger.actor_of(user), "dataset.deleted", dataset.pk,
                      {"sha256": dataset.sha256, "runs_cancelled": list(cancelled), "runs_kept": list(kept)})
    removed = removal.remove_unreferenced([dataset.sha256])
    dataset.refresh_from_db()
    return RemovedDataset(dataset.pk, dataset.sha256, dataset.sha256 in removed, cancelled, kept)


def _check_room(workspace: Workspace, more: int) -> None:
    kept = Dataset.objects.filter(workspace=workspace, deleted_at=None).aggregate(tables=Count("pk"), bytes=Sum("bytes"))
    if kept["tables"] >= settings.WORKSPACE_TABLES:
        raise BadInput(f"this workspace keeps {kept['tables']:,} tables, which is the limit; delete one first")
    if (kept["bytes"] or 0) + more > settings.WORKSPACE_BYTES:
        raise BadInput(f"with this file the tables of this workspace would take more than the limit of {settings.WORKSPACE_BYTES / 2**30:,.3g} GiB; delete one first")


def _shown(text: str) -> str:
    """A name as it may be stored and shown: no control characters (PostgreSQL refuses NUL), at most 200 characters."""
    return "".join(character for character in text if character.isprintable()).strip()[:200]
