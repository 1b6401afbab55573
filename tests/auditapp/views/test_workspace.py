"""The workspace's own pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from auditapp.models import Membership, Workspace

pytestmark = pytest.mark.django_db


def test_an_owner_renames_and_makes_workspaces(page: Client) -> None:
    Membership.objects.update(role="owner")
    assert page.post("/settings/workspace", {"name": "Credit <b>"})["Location"] == "/settings/workspace"
    assert "Settings of Credit &lt;b&gt;" in page.get("/settings/workspace").content.decode()
    assert page.post("/settings/workspace", {"name": "a\u202eb"}).status_code == 422
    page.post("/settings/workspace/new", {"name": "Second"})
    assert Membership.objects.get(workspace__name="Second").role == "owner"
    assert "Audits of Second" in page.get("/").content.decode()
    assert Workspace.objects.count() == 2


def test_what_goes_is_told_beforehand(page: Client, dataset: Any) -> None:
    Membership.objects.update(role="owner")
    assert page.post("/settings/workspace/retention", {"days": "7"}).status_code == 422
    assert page.post("/settings/workspace/retention", {"days": "90"})["Location"] == "/settings/workspace"
    assert Workspace.objects.get().retention_days == 90
    shown = page.get("/settings/workspace").content.decode()
    assert "People &lt;b&gt;" in shown
    assert (timezone.now() + timedelta(days=90)).strftime("%Y-%m-%d") in shown
    page.post("/settings/workspace/retention", {"days": ""})
    assert Workspace.objects.get().retention_days is None


def test_deleting_needs_the_name_and_says_what_goes_and_what_stays(page: Client, finished_run: Any) -> None:
    Membership.objects.update(role="owner")
    asked = page.get("/settings/workspace/delete").content.decode()
    assert "1 run, with its evidence" in asked
    assert "What is kept" in asked
    assert page.post("/settings/workspace/delete", {"typed": "Ada"}).status_code == 422
    assert Membership.objects.count() == 1
    name = Workspace.objects.get().name
    answer = page.post("/settings/workspace/delete", {"typed": name})
    assert Workspace.objects.get().pk in answer.content.decode()
    assert page.get(f"/runs/{finished_run.pk}").status_code == 403
