"""Workspaces themselves: made, renamed and deleted by their owners.

Deleting has two steps. Asking takes every member, token and link away at once, so that nobody is inside any more, and asks the runs to stop. The sweep then removes
run by run and table by table what is left, as `auditapp.runs` and `auditapp.datasets` do it, however long it takes and whatever dies meanwhile. The ledger stays.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from auditapp import datasets, ledger, runs
from auditapp.access import OWNER, Caller
from auditapp.models import ApiToken, Dataset, Invitation, Membership, Run, ShareLink, Workspace
from auditapp.people.members import Refused

MOST_OWNED = 20
"""Of one person: a workspace has a queue of its own, so each takes a share of the machine."""
A_SWEEP = 10
"""Runs and tables that one sweep removes: a worker sweeps between two beats of its run."""


def make(user: User, name: str) -> Workspace:
    """A new workspace with ``user`` as its owner. Raises Refused at the limit."""
    with transaction.atomic():
        # One at a time for a person, so that the limit is kept
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if Membership.objects.filter(user=user, role=OWNER).count() >= MOST_OWNED:
            raise Refused(_("You own %(number)d workspaces, which is the limit.") % {"number": MOST_OWNED})
        workspace = Workspace.objects.create(name=name)
        Membership.objects.create(workspace=workspace, user=user, role=OWNER)
        ledger.append(workspace, ledger.actor_of(user), "workspace.made", workspace.pk, {"name": name})
    return workspace


def rename(caller: Caller, name: str) -> None:
    with transaction.atomic():
        workspace = Workspace.objects.select_for_update(no_key=True).get(pk=caller.workspace.pk)
        if workspace.name != name:
            Workspace.objects.filter(pk=workspace.pk).update(name=name)
            ledger.append(workspace, caller.actor, "workspace.renamed", workspace.pk, {"from": workspace.name, "to": name})


@dataclass(frozen=True)
class Content:
    """What deleting a workspace removes."""

    runs: int
    datasets: int
    members: int
    tokens: int


def content(workspace: Workspace) -> Content:
    return Content(
        Run.objects.filter(workspace=workspace).count(), Dataset.objects.filter(workspace=workspace, deleted_at=None).count(),
        Membership.objects.filter(workspace=workspace).count(), ApiToken.objects.filter(workspace=workspace, revoked_at=None).count())


def ask_deletion(caller: Caller) -> Content:
    """Nobody is inside any more when this returns; `sweep` does the rest."""
    with transaction.atomic():
        workspace = Workspace.objects.select_for_update().get(pk=caller.workspace.pk)
        what = content(workspace)
        Workspace.objects.filter(pk=workspace.pk).update(deletion_asked_at=timezone.now())
        # Tokens die with the membership and go with the row
        for rows in (Membership, Invitation, ShareLink):
            rows._default_manager.filter(workspace=workspace).delete()
        ledger.append(workspace, caller.actor, "workspace.deletion_asked", workspace.pk, asdict(what))
    return what


def sweep() -> dict[str, int]:
    """A few things of each workspace whose deletion was asked for. Idempotent and safe in parallel."""
    counts = {"workspace_runs_deleted": 0, "workspace_datasets_deleted": 0, "workspaces_deleted": 0}
    for workspace in Workspace.objects.filter(deletion_asked_at__isnull=False):
        for run in Run.objects.filter(workspace=workspace).order_by("pk")[:A_SWEEP]:
            counts["workspace_runs_deleted"] += _delete_run(run)
        for dataset in Dataset.objects.filter(workspace=workspace, deleted_at=None)[:A_SWEEP]:
            counts["workspace_datasets_deleted"] += _delete_dataset(dataset)
        counts["workspaces_deleted"] += _remove_if_empty(workspace)
    return counts


def _delete_run(run: Run) -> bool:
    """A run that still works goes with a later sweep: deleting its table asks it to stop."""
    try:
        runs.delete_run(run, None)
    except (runs.StillActive, Run.DoesNotExist):
        return False
    return True


def _delete_dataset(dataset: Dataset) -> bool:
    try:
        datasets.delete_dataset(dataset, None, unwanted=Dataset.objects.filter(pk=dataset.pk, deleted_at=None).exists)
    except (datasets.StillWanted, Dataset.DoesNotExist):
        return False  # another sweep was quicker
    return True


def _remove_if_empty(workspace: Workspace) -> bool:
    with transaction.atomic():
        held = Workspace.objects.select_for_update().filter(pk=workspace.pk).first()
        if held is None or Run.objects.filter(workspace=held).exists() or Dataset.objects.filter(workspace=held, deleted_at=None).exists():
            return False
        Dataset.objects.filter(workspace=held).delete()
        held.delete()
        ledger.append(workspace, "service", "workspace.deleted", workspace.pk, {})
    return True
