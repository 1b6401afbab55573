"""How long a workspace keeps tables that no run uses. The evidence of ended runs stays; only the tables go, as if an owner had deleted them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from auditapp import datasets, ledger
from auditapp.access import Caller
from auditapp.models import Dataset, Run, Workspace

GRACE_DAYS = 7
"""Nothing goes within a week of the choice: whoever chose too short has time to see what would go."""
_A_SWEEP = 5


@dataclass(frozen=True)
class Due:
    dataset: Dataset
    at: datetime


def set_days(caller: Caller, days: int | None) -> None:
    """The week of grace begins anew with each change."""
    with transaction.atomic():
        workspace = Workspace.objects.select_for_update(no_key=True).get(pk=caller.workspace.pk)
        if workspace.retention_days == days:
            return
        Workspace.objects.filter(pk=workspace.pk).update(retention_days=days, retention_since=timezone.now() if days else None)
        ledger.append(workspace, caller.actor, "workspace.retention_set", workspace.pk, {"from": workspace.retention_days, "to": days})


def due(workspace: Workspace) -> list[Due]:
    """Every table that will go if nobody uses it, the next one first."""
    if workspace.retention_days is None or workspace.retention_since is None:
        return []
    earliest = workspace.retention_since + timedelta(days=GRACE_DAYS)
    keep = timedelta(days=workspace.retention_days)
    return [Due(dataset, max(dataset.last_use + keep, earliest)) for dataset in _unused(workspace).order_by("last_use")]


def sweep() -> dict[str, int]:
    """Delete what is due, a few tables at a time."""
    now, deleted = timezone.now(), 0
    for workspace in Workspace.objects.filter(retention_days__isnull=False, retention_since__lte=now - timedelta(days=GRACE_DAYS), deletion_asked_at=None):
        assert workspace.retention_days is not None
        unused = _unused(workspace).filter(last_use__lte=now - timedelta(days=workspace.retention_days))
        for dataset in unused[:_A_SWEEP]:
            try:
                datasets.delete_dataset(dataset, None, unwanted=unused.filter(pk=dataset.pk).exists)
            except datasets.StillWanted:
                continue
            deleted += 1
    return {"datasets_past_retention": deleted}


def _unused(workspace: Workspace) -> QuerySet[Any]:
    """Tables that no run waits for or works on, with ``last_use``: the end of their last run, else the upload."""
    of_it = Run.objects.filter(Q(dataset=OuterRef("pk")) | Q(test_dataset=OuterRef("pk")))
    ended = of_it.filter(finished_at__isnull=False).order_by("-finished_at").values("finished_at")[:1]
    return Dataset.objects.filter(workspace=workspace, deleted_at=None).exclude(Exists(of_it.filter(finished_at=None))).annotate(last_use=Coalesce(Subquery(ended), "created_at"))
