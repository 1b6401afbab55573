"""The ledger's heads of each day, signed: what goes round the database is found by whoever kept the files."""

from __future__ import annotations

import datetime
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from auditapp import ledger
from auditapp.ledger_heads import check_heads, export_heads
from auditapp.models import LedgerEntry, Workspace
from auditapp.signing_identity import ensure_signing_identity

pytestmark = pytest.mark.django_db


@pytest.fixture
def key(settings: Any, tmp_path: Path) -> Path:
    ensure_signing_identity(tmp_path / "signing")
    settings.SIGNING_KEY, settings.SIGNING_CERTIFICATE = tmp_path / "signing" / "key.pem", tmp_path / "signing" / "certificate.pem"
    settings.LEDGER_HEADS = tmp_path / "heads"
    return Path(settings.SIGNING_CERTIFICATE)


def day(number: int) -> datetime.datetime:
    return datetime.datetime(2026, 11, number, 12, tzinfo=datetime.UTC)


@pytest.fixture
def exported(key: Path, workspace: Workspace, settings: Any) -> Path:
    """Two days with entries of a workspace and of the installation."""
    for number in range(3):
        ledger.append(workspace, "user:ada", "did", f"thing_{number}")
    ledger.append(None, "service", "did", "x")
    assert export_heads(day(21)) is not None
    ledger.append(workspace, "user:ada", "did", "thing_3")
    assert export_heads(day(22)) is not None
    return Path(settings.LEDGER_HEADS)


def test_one_signed_file_a_day_that_other_programs_can_read(exported: Path, key: Path, workspace: Workspace) -> None:
    assert [path.name for path in sorted(exported.iterdir())] == ["2026-11-21.p7m", "2026-11-22.p7m"]
    assert export_heads(day(22)) is None, "never written again"
    held = check_heads(exported, key)
    assert (held.files, held.problems) == (2, ())
    said = subprocess.run(["openssl", "cms", "-verify", "-inform", "DER", "-in", str(exported / "2026-11-22.p7m"), "-certfile", str(key), "-noverify"], capture_output=True, text=True, check=True).stdout
    number, head = ledger.head(workspace)
    assert f'{{"hash":"{head}","number":{number},"workspace":"{workspace.pk}"}}' in said


def test_a_chain_that_was_cut_short_or_made_anew_is_found(exported: Path, key: Path, workspace: Workspace) -> None:
    with connection.cursor() as cursor:  # round the guard, as somebody with the database's own rights may
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'auditapp_ledgerentry'")
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TRIGGER {name}")
    LedgerEntry.objects.filter(workspace=workspace, number=4).delete()
    assert ledger.verify(workspace) == [], "from inside it cannot be seen"
    assert check_heads(exported, key).problems == (f"2026-11-22.p7m: the ledger of {workspace.pk} had entry 4, which is gone: it was cut short",)
    ledger.append(workspace, "user:ada", "did something else", "thing_3")
    assert check_heads(exported, key).problems == (f"2026-11-22.p7m: entry 4 of the ledger of {workspace.pk} is not the one that was there",)


def test_files_that_were_altered_left_out_or_signed_elsewhere_are_named(exported: Path, key: Path, tmp_path: Path) -> None:
    first = exported / "2026-11-21.p7m"
    kept = first.read_bytes()
    at = kept.index(b'"number":3')
    first.write_bytes(kept[:at + 9] + b"2" + kept[at + 10:])
    assert "2026-11-21.p7m: it was altered, or signed by somebody else" in check_heads(exported, key).problems
    first.write_bytes(kept)
    ensure_signing_identity(tmp_path / "other")
    assert check_heads(exported, tmp_path / "other" / "certificate.pem").problems == tuple(f"2026-11-{number}.p7m: it was altered, or signed by somebody else" for number in (21, 22))
    export_heads(day(23))
    (exported / "2026-11-22.p7m").unlink()
    assert check_heads(exported, key).problems == ("2026-11-23.p7m: it does not follow from the file before it",)


def test_without_a_key_the_next_call_tries_again(key: Path, workspace: Workspace, settings: Any) -> None:
    ledger.append(workspace, "user:ada", "did", "thing")
    right, settings.SIGNING_KEY = settings.SIGNING_KEY, "/nonexistent"
    assert export_heads(day(21)) is None
    settings.SIGNING_KEY = right
    assert export_heads(day(21)) is not None
