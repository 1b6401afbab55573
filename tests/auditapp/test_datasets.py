"""Uploads in, and out again without a trace but the ledger's."""

from __future__ import annotations

import io
from typing import Any

import pytest

from auditapp import datasets, ledger, runs, storage
from auditapp.models import Dataset, Profile, Run, Workspace
from automl.errors import BadInput
from automl.spec import TaskSpec
from tests.auditapp.test_storage import files_under


def store(workspace: Workspace, user: Any, data: bytes = b"a,b\n1,2\n", name: str = "table", filename: str = "t.csv") -> Dataset:
    return datasets.store_upload(io.BytesIO(data), name=name, filename=filename, workspace=workspace, user=user)


def test_upload_is_stored_and_asked_to_be_read(workspace: Workspace, analyst: Any) -> None:
    dataset = store(workspace, analyst)
    assert (dataset.name, dataset.filename, dataset.bytes, dataset.created_by) == ("table", "t.csv", 8, analyst)
    assert storage.exists(dataset.sha256)
    assert [profile.state for profile in dataset.profiles.all()] == ["queued"]
    assert ledger._chain(workspace.pk).get().data == {"sha256": dataset.sha256, "bytes": 8}


@pytest.mark.parametrize(("name", "filename", "shown"), [
    ("", "x.csv", "x.csv"), ("", "", "table"), ("a\x00b\nc", "x", "abc"), ("  ", "\u202e", "table"), ("é" * 500, "x", "é" * 200), ("../../etc/passwd", "x", "../../etc/passwd"),
])
def test_names_are_shown_and_never_used(workspace: Workspace, analyst: Any, name: str, filename: str, shown: str) -> None:
    assert store(workspace, analyst, name=name, filename=filename).name == shown


def test_empty_and_too_large(workspace: Workspace, analyst: Any, settings: Any) -> None:
    with pytest.raises(BadInput, match="empty"):
        store(workspace, analyst, b"")
    settings.UPLOAD_BYTES = 10
    with pytest.raises(storage.TooLarge, match="limit of 10 bytes"):
        store(workspace, analyst, b"x" * 11)
    assert Dataset.objects.count() == 0
    assert not [path for path in settings.STORAGE_ROOT.rglob("*") if path.is_file()]


def test_t52_deleting_cancels_what_waits_and_keeps_what_has_ended(workspace: Workspace, analyst: Any) -> None:
    dataset = store(workspace, analyst)
    ended, running, waiting = (runs.submit(workspace=workspace, dataset=dataset, kind="training", spec=TaskSpec(target="a"), user=analyst) for _ in range(3))
    lease = runs.claim(ended.pk, "x")
    assert lease is not None
    runs.fail(lease, "internal", "x")
    assert runs.claim(running.pk, "x") is not None
    removed = datasets.delete_dataset(dataset, analyst)
    assert removed.bytes_removed
    assert set(removed.runs_cancelled) == {running.pk, waiting.pk}
    assert removed.runs_kept == (ended.pk,)
    assert not storage.exists(dataset.sha256)
    assert Profile.objects.count() == 0, "a profile holds values of the table"
    assert Run.objects.get(pk=waiting.pk).state == "cancelled"
    assert Run.objects.get(pk=running.pk).cancel_requested_at is not None
    assert ledger.verify(workspace) == []


@pytest.mark.parametrize(("limit", "value", "sentence"), [
    ("WORKSPACE_TABLES", 1, "keeps 1 tables, which is the limit"), ("WORKSPACE_BYTES", 11, "more than the limit of"), ("READINGS_QUEUED", 1, "1 readings of this workspace's tables are waiting")])
def test_a_workspace_keeps_so_much_and_a_refused_table_leaves_nothing(workspace: Workspace, analyst: Any, settings: Any, limit: str, value: int, sentence: str) -> None:
    setattr(settings, limit, value)
    kept = datasets.store_upload(io.BytesIO(b"a,b\n1,2\n"), name="first", filename="t.csv", workspace=workspace, user=analyst)
    with pytest.raises(BadInput, match=sentence):
        datasets.store_upload(io.BytesIO(b"a,b\n1,3\n"), name="second", filename="t.csv", workspace=workspace, user=analyst)
    assert Dataset.objects.count() == 1
    assert [path.name for path in files_under(settings.STORAGE_ROOT)] == [kept.sha256]
    elsewhere = Workspace.objects.create(name="Elsewhere")
    assert datasets.store_upload(io.BytesIO(b"a,b\n1,3\n"), name="theirs", filename="t.csv", workspace=elsewhere, user=analyst).workspace == elsewhere
    datasets.delete_dataset(kept, analyst)
    assert datasets.store_upload(io.BytesIO(b"a,b\n1,3\n"), name="third", filename="t.csv", workspace=workspace, user=analyst)


def test_bytes_that_another_dataset_shares_stay(workspace: Workspace, analyst: Any) -> None:
    first, second = store(workspace, analyst), store(workspace, analyst)
    assert not datasets.delete_dataset(first, analyst).bytes_removed
    assert storage.exists(second.sha256)
    assert datasets.delete_dataset(second, analyst).bytes_removed
    assert not storage.exists(second.sha256)
