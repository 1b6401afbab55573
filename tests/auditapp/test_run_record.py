"""What the evidence of a run records of its installation, and that its chain can be checked from the evidence alone."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import pytest

from auditapp import datasets, ledger, runs
from auditapp.models import Dataset, Workspace
from auditapp.run_record import circumstances
from automl.evidence import LoggedEvent, canonical_json
from automl.spec import TaskSpec


@pytest.fixture
def dataset(workspace: Workspace, analyst: Any) -> Dataset:
    return datasets.store_upload(io.BytesIO(b"a,b\n1,2\n"), name="table", filename="t.csv", workspace=workspace, user=analyst)


def test_the_entries_of_the_run_and_its_table_are_there_with_all_that_their_hashes_are_made_of(
        workspace: Workspace, dataset: Dataset, analyst: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENVIRONMENT, "image_digest", "sha256:ab")
    ledger.append(workspace, "user:ada", "dataset.uploaded", "ds_of_nobody", {})
    run = runs.submit(workspace=workspace, dataset=dataset, kind="training", spec=TaskSpec(target="a"), user=analyst)
    found = circumstances(run.pk)
    log = [LoggedEvent.model_validate(one) for one in found["log"]]
    assert [(one.action, one.subject) for one in log][-2:] == [("dataset.uploaded", dataset.pk), ("run.submitted", run.pk)]
    assert "ds_of_nobody" not in {one.subject for one in log}
    assert log[-1].data["role"] == "analyst"
    for one in log:
        row = one.model_dump(mode="json", exclude={"hash", "previous_hash"})
        assert hashlib.sha256(one.previous_hash.encode() + canonical_json(row)).hexdigest() == one.hash
    assert (found["image"], found["kept_days"]) == ("sha256:ab", None)
    Workspace.objects.filter(pk=workspace.pk).update(retention_days=90)
    assert circumstances(run.pk)["kept_days"] == 90
