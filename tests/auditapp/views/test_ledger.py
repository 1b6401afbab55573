"""The ledger as members read it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from auditapp import ledger
from auditapp.models import LedgerEntry, Workspace
from auditapp.views import ledger as view

pytestmark = pytest.mark.django_db


def test_it_shows_ones_own_workspaces_entries_newest_first(page: Client, workspace: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Nothing has been written yet" in page.get("/settings/ledger").content.decode()
    for number in range(1, 4):
        ledger.append(workspace, "user:ada", "test.done", f"thing-{number}", {"note": f"<b>{number}</b>"})
    ledger.append(Workspace.objects.create(name="Eve's"), "user:eve", "test.done", "of-eve", {})
    monkeypatch.setattr(view, "ENTRIES_A_PAGE", 2)
    first, second = (page.get(f"/settings/ledger?page={number}").content.decode() for number in (1, 2))
    assert first.index("thing-3") < first.index("thing-2")
    assert "thing-1" not in first
    assert "thing-1" in second
    assert "of-eve" not in first + second
    assert "&lt;b&gt;3&lt;/b&gt;" in first
    assert ledger.head(workspace)[1] in first


def test_the_chain_is_checked_when_asked(page: Client, workspace: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.append(workspace, "user:ada", "test.done", "x", {})
    assert "The chain" not in page.get("/settings/ledger").content.decode()
    assert "The chain holds: 1 entry." in page.get("/settings/ledger?check=1").content.decode()
    # By hand: the database would refuse to alter the first one
    LedgerEntry.objects.create(workspace=workspace, number=2, at="2026-11-22T00:00:00Z", actor="x", action="forged", subject="x", previous_hash="0" * 64, hash="0" * 64)
    broken = page.get("/settings/ledger?check=1").content.decode()
    assert "The chain is broken" in broken
    assert "entry 2 does not follow from the entry before it" in broken
