"""The hash chain: nobody changes it, and whoever goes round the database is found."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from auditapp import ledger
from auditapp.models import LedgerEntry, Workspace

guard = importlib.import_module("auditapp.migrations.0003_ledger_guard")


@pytest.fixture
def chain(workspace: Workspace) -> list[LedgerEntry]:
    return [ledger.append(workspace, "user:ada", f"did.{number}", f"thing_{number}", {"n": number, "é": "\u202e"}) for number in range(5)]


def test_entries_follow_from_each_other(workspace: Workspace, chain: list[LedgerEntry]) -> None:
    assert [entry.number for entry in chain] == [1, 2, 3, 4, 5]
    assert chain[0].previous_hash == ledger.GENESIS
    assert [entry.previous_hash for entry in chain[1:]] == [entry.hash for entry in chain[:-1]]
    assert ledger.verify(workspace) == []
    assert ledger.head(workspace) == (5, chain[-1].hash)


def test_chains_of_workspaces_are_apart(workspace: Workspace, chain: list[LedgerEntry]) -> None:
    other = Workspace.objects.create(name="Bo's")
    assert ledger.append(other, "service", "did", "x").number == 1
    assert ledger.append(None, "service", "did", "x").number == 1
    assert ledger.verify(other) == ledger.verify(None) == ledger.verify(workspace) == []


@pytest.mark.parametrize("change", [
    lambda: LedgerEntry.objects.filter(number=2).update(actor="nobody"),
    lambda: LedgerEntry.objects.filter(number=2).delete(),
    lambda: LedgerEntry.objects.get(number=2).save(),
    lambda: connection.cursor().execute("DELETE FROM auditapp_ledgerentry"),
])
def test_t46_database_refuses_to_change_or_remove(chain: list[LedgerEntry], workspace: Workspace, change: Any) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        change()
    assert LedgerEntry.objects.count() == 5
    assert ledger.verify(workspace) == []


def test_deleting_a_workspace_keeps_its_entries(chain: list[LedgerEntry], workspace: Workspace) -> None:
    workspace.delete()
    assert LedgerEntry.objects.count() == 5
    ledger.append(None, "service", "did", "x")
    assert ledger.verify_all() == []
    guard.take_down(connection)
    LedgerEntry.objects.filter(number=4).update(actor="user:eve")
    guard.put_up(connection)
    assert ledger.verify_all() == [f"ledger of {chain[0].workspace_id}: entry 4 (did.3 of thing_3) was altered"]


@pytest.mark.parametrize(("change", "found"), [
    ({"actor": "user:eve"}, "entry 3 .* was altered"), ({"action": "other"}, "entry 3 .* was altered"), ({"data": {"n": 99}}, "entry 3 .* was altered"),
    ({"subject": "x"}, "entry 3 .* was altered"), ({"previous_hash": "f" * 64}, "entry 3 does not follow"), ({"hash": "f" * 64}, "entry 4 does not follow"),
    ({"number": 30}, "entry 3 is missing"),
])
def test_verify_names_the_altered_entry(workspace: Workspace, chain: list[LedgerEntry], change: dict[str, Any], found: str) -> None:
    guard.take_down(connection)
    LedgerEntry.objects.filter(number=3).update(**change)
    guard.put_up(connection)
    problems = ledger.verify(workspace)
    assert any(__import__("re").search(found, problem) for problem in problems), problems


def test_t45_verify_notices_a_removed_and_a_swapped_entry(workspace: Workspace, chain: list[LedgerEntry]) -> None:
    guard.take_down(connection)
    LedgerEntry.objects.filter(number=2).update(number=99)
    LedgerEntry.objects.filter(number=3).update(number=2)
    LedgerEntry.objects.filter(number=99).update(number=3)
    assert ledger.verify(workspace)
    LedgerEntry.objects.filter(number=4).delete()
    assert any("entry 4 is missing" in problem for problem in ledger.verify(workspace))
    guard.put_up(connection)


def test_entry_is_gone_with_the_change_that_was_rolled_back(workspace: Workspace) -> None:
    with transaction.atomic():
        ledger.append(workspace, "service", "did", "x")
        transaction.set_rollback(True)
    assert ledger.head(workspace) == (0, ledger.GENESIS)
