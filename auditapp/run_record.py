"""What a run's evidence records of the installation that made it: who did what before it began, as the ledger has it, how long it is kept, and the image that it ran in."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from auditapp import ledger
from auditapp.models import Run


def circumstances(run_id: str) -> dict[str, Any]:
    """For `automl.evidence.RunInfo`: ``log``, ``kept_days`` and ``image``, as they are now."""
    run = Run.objects.select_related("workspace").get(pk=run_id)
    subjects = [subject for subject in (run.dataset_id, run.test_dataset_id, run.pk) if subject]
    return {"log": [event_of(entry) for entry in ledger.about(run.workspace, subjects)], "kept_days": run.workspace.retention_days, **image()}


def image() -> dict[str, Any]:
    """The digest of the image that this process runs in, where the operator has named it."""
    return {"image": settings.ENVIRONMENT.image_digest or None}


def event_of(entry: Any) -> dict[str, Any]:
    """A ledger entry with all that its hash is taken of."""
    return ledger.row_of(entry) | {"previous_hash": entry.previous_hash, "hash": entry.hash}
