"""Deleting runs and tables on pages: what goes, what stays, and who may."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from auditapp import storage
from auditapp.models import Dataset, LedgerEntry, Membership, Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(page: Client) -> Client:
    Membership.objects.update(role="owner")
    return page


def test_a_run_goes_with_its_files_and_its_table_stays(owner: Client, finished_run: Any) -> None:
    files = list(finished_run.artifacts.values_list("sha256", flat=True))
    told = owner.get(f"/runs/{finished_run.pk}/delete").content.decode()
    assert f"{len(files)} files (" in told
    assert "The table People &lt;b&gt;" in told
    assert Run.objects.count() == 1
    assert f"{len(files)} files" in owner.post(f"/runs/{finished_run.pk}/delete", follow=True).content.decode()
    assert (Run.objects.count(), Dataset.objects.filter(deleted_at=None).count()) == (0, 1)
    assert [sha for sha in files if storage.exists(sha)] == []
    assert LedgerEntry.objects.get(action="run.deleted").actor == "user:ada"


def test_a_run_that_has_not_ended_is_cancelled_first(owner: Client, waiting_run: Any) -> None:
    answer = owner.post(f"/runs/{waiting_run.pk}/delete", follow=True)
    assert "cancelled first" in answer.content.decode()
    assert Run.objects.count() == 1


def test_a_table_goes_and_evidence_stays(owner: Client, finished_run: Any, dataset: Any) -> None:
    told = owner.get(f"/datasets/{dataset.pk}/delete").content.decode()
    assert "1 ended run, with its evidence" in told
    assert "0 runs were cancelled, 1 keep their evidence" in owner.post(f"/datasets/{dataset.pk}/delete", follow=True).content.decode()
    assert not storage.exists(dataset.sha256)
    assert owner.get(f"/datasets/{dataset.pk}/delete").status_code == 404
    assert owner.get(f"/runs/{finished_run.pk}/results").status_code == 200


@pytest.mark.parametrize("role", ["viewer", "analyst", "reviewer", "owner"])
def test_the_way_is_shown_to_owners_only(page: Client, finished_run: Any, role: str) -> None:
    Membership.objects.update(role=role)
    assert (f"/runs/{finished_run.pk}/delete" in page.get(f"/runs/{finished_run.pk}").content.decode()) == (role == "owner")
    if role in ("analyst", "owner"):
        assert (f"/datasets/{finished_run.dataset_id}/delete" in page.get("/new").content.decode()) == (role == "owner")
