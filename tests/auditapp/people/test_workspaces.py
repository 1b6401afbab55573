"""Workspaces are made, renamed and deleted by their owners."""

from __future__ import annotations

from typing import Any

import pytest

from auditapp import ledger, runs, storage
from auditapp.access import Caller, caller_of_token
from auditapp.models import LedgerEntry, Membership, Run, Workspace
from auditapp.people import members, share_links, workspaces
from auditapp.people.members import Refused
from automl.spec import TaskSpec
from tests.auditapp.conftest import Cast


def test_whoever_makes_a_workspace_owns_it_up_to_a_limit(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    user = people.users["owner"]
    made = workspaces.make(user, "Second")
    assert Membership.objects.get(workspace=made).role == "owner"
    monkeypatch.setattr(workspaces, "MOST_OWNED", 2)
    with pytest.raises(Refused, match="You own 2 workspaces"):
        workspaces.make(user, "Third")
    assert Workspace.objects.filter(name="Third").count() == 0


def test_a_new_name_stands_in_the_ledger(people: Cast) -> None:
    owner = Caller(people.users["owner"], people.workspace, "owner")
    workspaces.rename(owner, "Credit risk")
    workspaces.rename(Caller(owner.user, Workspace.objects.get(pk=people.workspace.pk), "owner"), "Credit risk")
    (entry,) = LedgerEntry.objects.filter(action="workspace.renamed")
    assert entry.data == {"from": "Ada's", "to": "Credit risk"}
    assert ledger.verify(people.workspace) == []


def test_deleting_lets_nobody_in_and_takes_everything_but_the_ledger(people: Cast, succeeded_run: Any) -> None:
    run = succeeded_run()
    files = {*run.artifacts.values_list("sha256", flat=True), run.dataset.sha256}
    other = succeeded_run(owner="stranger")
    kept = {*other.artifacts.values_list("sha256", flat=True), other.dataset.sha256}
    queued = runs.submit(workspace=people.workspace, dataset=run.dataset, kind="training", spec=TaskSpec(target="income", sensitive=("sex",)), user=None)
    header = f"Bearer {people.tokens['owner']}"
    owner = Caller(people.users["owner"], people.workspace, "owner")
    invitation, link = members.invite(owner, "new@example.org", "owner")[1], share_links.share(owner, run.reports.get(), "x", 1)[1]
    asked = workspaces.ask_deletion(owner)
    assert (asked.runs, asked.datasets, asked.members) == (2, 1, 4)
    assert (caller_of_token(header), members.invitation_of(invitation), share_links.link_of(link)) == (None, None, None)
    assert not Membership.objects.filter(workspace=people.workspace).exists()
    for _ in range(3):
        workspaces.sweep()
    assert not Workspace.objects.filter(pk=people.workspace.pk).exists()
    assert set(Run.objects.all()) == {other}
    assert [sha for sha in files - kept if storage.exists(sha)] == []
    assert all(storage.exists(sha) for sha in kept)
    assert ledger.verify(people.workspace) == []
    actions = list(LedgerEntry.objects.filter(workspace_id=people.workspace.pk).order_by("number").values_list("action", flat=True))
    assert actions[-1] == "workspace.deleted"
    assert {"workspace.deletion_asked", "run.cancelled", "run.deleted", "dataset.deleted"} <= set(actions)
    assert LedgerEntry.objects.filter(subject=queued.pk, action="run.cancelled").count() == 1
    assert workspaces.sweep() == {"workspace_runs_deleted": 0, "workspace_datasets_deleted": 0, "workspaces_deleted": 0}


def test_a_run_that_works_is_asked_to_stop_and_goes_when_it_has(people: Cast, succeeded_run: Any) -> None:
    dataset = succeeded_run().dataset
    run = runs.submit(workspace=people.workspace, dataset=dataset, kind="training", spec=TaskSpec(target="income", sensitive=("sex",)), user=None)
    lease = runs.claim(run.pk, "test")
    assert lease is not None
    workspaces.ask_deletion(Caller(people.users["owner"], people.workspace, "owner"))
    for _ in range(3):
        workspaces.sweep()
    assert runs.wish(lease) == "cancel"
    assert Workspace.objects.filter(pk=people.workspace.pk).exists()
    runs.end_cancelled(lease)
    workspaces.sweep()
    assert not Workspace.objects.filter(pk=people.workspace.pk).exists()
