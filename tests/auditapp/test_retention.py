"""Tables that no run uses go after the time that an owner chose, and not before everybody could see it."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from auditapp import datasets, ledger, retention, storage
from auditapp.access import Caller
from auditapp.models import Dataset, LedgerEntry, Run, Workspace
from tests.auditapp.conftest import Cast

NOW = timezone.now()


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture
def table(people: Cast) -> Any:
    def make(uploaded: float, content: bytes = b"a\n1\n") -> Dataset:
        made = datasets.store_upload(io.BytesIO(content), name="T", filename="t.csv", workspace=people.workspace, user=None)
        Dataset.objects.filter(pk=made.pk).update(created_at=ago(uploaded))
        return made

    return make


def choose(people: Cast, days: int | None, since: float) -> Workspace:
    retention.set_days(Caller(people.users["owner"], people.workspace, "owner"), days)
    if days:
        Workspace.objects.filter(pk=people.workspace.pk).update(retention_since=ago(since))
    return Workspace.objects.get(pk=people.workspace.pk)


def run_on(table: Dataset, **columns: Any) -> None:
    Run.objects.create(workspace=table.workspace, dataset=table, kind="training", spec={}, **columns)


def test_an_old_unused_table_goes_with_its_bytes_and_the_rest_stays(people: Cast, table: Any) -> None:
    old, young, used, waiting = table(40, b"a\n1\n"), table(20, b"a\n2\n"), table(40, b"a\n3\n"), table(40, b"a\n4\n")
    run_on(used, state="succeeded", finished_at=ago(1))
    run_on(waiting)
    workspace = choose(people, 30, since=8)
    assert [one.dataset for one in retention.due(workspace)] == [old, young, used]
    assert retention.sweep() == {"datasets_past_retention": 1}
    assert set(Dataset.objects.filter(deleted_at=None)) == {young, used, waiting}
    assert not storage.exists(old.sha256)
    assert storage.exists(used.sha256)
    entry = LedgerEntry.objects.get(action="dataset.deleted")
    assert (entry.actor, entry.subject) == ("service", old.pk)
    assert ledger.verify(people.workspace) == []
    assert retention.sweep() == {"datasets_past_retention": 0}


def test_nothing_goes_within_a_week_of_the_choice(people: Cast, table: Any) -> None:
    old = table(400)
    workspace = choose(people, 30, since=6.9)
    assert retention.sweep() == {"datasets_past_retention": 0}
    assert retention.due(workspace) == [retention.Due(old, ago(6.9) + timedelta(days=7))]


def test_without_a_choice_nothing_ever_goes(people: Cast, table: Any) -> None:
    table(4000)
    choose(people, 30, since=8)
    workspace = choose(people, None, since=0)
    assert (retention.sweep(), retention.due(workspace)) == ({"datasets_past_retention": 0}, [])
    assert [entry.data for entry in LedgerEntry.objects.filter(action="workspace.retention_set")] == [{"from": None, "to": 30}, {"from": 30, "to": None}]


def test_a_table_that_somebody_takes_at_the_last_moment_stays(people: Cast, table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    old = table(40)
    choose(people, 30, since=8)
    delete = datasets.delete_dataset

    def somebody_is_quicker(dataset: Dataset, *arguments: Any, **options: Any) -> Any:
        run_on(dataset)
        return delete(dataset, *arguments, **options)

    monkeypatch.setattr(datasets, "delete_dataset", somebody_is_quicker)
    assert retention.sweep() == {"datasets_past_retention": 0}
    old.refresh_from_db()
    assert old.deleted_at is None
    assert Run.objects.get().state == "queued"
