"""Reading a table once per way of reading it, under the same lease rules as runs."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from auditapp import datasets, profiles
from auditapp.leases import LeaseLost
from auditapp.models import Dataset, Profile, Workspace
from automl.evidence import DatasetProfile, TableReading
from automl.spec import DEFAULT_MISSING, TableOptions


@pytest.fixture
def dataset(workspace: Workspace, analyst: Any) -> Dataset:
    return datasets.store_upload(io.BytesIO(b"a,b\n1,2\n"), name="table", filename="t.csv", workspace=workspace, user=analyst)


def document(dataset: Dataset) -> DatasetProfile:
    return DatasetProfile(sha256=dataset.sha256, bytes=dataset.bytes, rows=1, reading=TableReading(format="csv"), columns=())


def claim(dataset: Dataset) -> profiles.ProfileLease:
    lease = profiles.claim_profile(dataset.profiles.get().pk, "here:1")
    assert lease is not None
    return lease


def expire() -> None:
    Profile.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


def test_asked_twice_is_read_once_and_other_options_are_another_reading(dataset: Dataset) -> None:
    assert profiles.request_profile(dataset) == profiles.request_profile(dataset, TableOptions(), DEFAULT_MISSING)
    assert profiles.request_profile(dataset, TableOptions(delimiter=";")) != profiles.request_profile(dataset)
    assert profiles.request_profile(dataset, missing=()) != profiles.request_profile(dataset)
    assert Profile.objects.count() == 3


def test_ready_profile_is_found_by_its_reading_only(dataset: Dataset) -> None:
    lease = claim(dataset)
    assert (lease.dataset_sha256, lease.missing, lease.options["delimiter"]) == (dataset.sha256, DEFAULT_MISSING, None)
    assert profiles.ready_profile(dataset, TableOptions(), DEFAULT_MISSING) is None
    profiles.finish(lease, document(dataset))
    assert profiles.ready_profile(dataset, TableOptions(), DEFAULT_MISSING) == document(dataset)
    assert profiles.ready_profile(dataset, TableOptions(delimiter=";"), DEFAULT_MISSING) is None


def test_lost_reader_is_replaced_and_its_late_writes_are_refused(dataset: Dataset) -> None:
    late = claim(dataset)
    assert profiles.claim_profile(late.profile_id, "there") is None
    expire()
    assert profiles.sweep()["profiles_requeued"] == 1
    second = claim(dataset)
    for write in (lambda: profiles.beat(late), lambda: profiles.finish(late, document(dataset)), lambda: profiles.fail(late, "internal", "x"), lambda: profiles.lose(late)):
        with pytest.raises(LeaseLost):
            write()
    profiles.beat(second)
    expire()
    assert profiles.sweep()["profiles_lost"] == 1
    assert Profile.objects.get().failure_code == "worker_lost"


def test_failure_of_ours_is_tried_again_and_bad_input_is_not(dataset: Dataset) -> None:
    profiles.fail(claim(dataset), "bad_input", "row 3 has 4 fields")
    assert profiles.request_profile(dataset).state == "failed"
    Profile.objects.update(failure_code="internal")
    assert profiles.request_profile(dataset).state == "queued"
    assert claim(dataset).attempt == 2


def test_sweep_rings_again(dataset: Dataset) -> None:
    assert profiles.sweep()["profiles_rung"] == 0
    Profile.objects.update(queued_at=timezone.now() - timedelta(seconds=31))
    assert profiles.sweep()["profiles_rung"] == 1
    assert profiles.sweep()["profiles_rung"] == 0
