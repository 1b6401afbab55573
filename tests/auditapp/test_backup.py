"""The copy of a home; tests/flow/test_backup_story.py takes one in the middle of a run and goes on from it."""

from __future__ import annotations

import io
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from django.core.management import call_command
from django.db import connection

from auditapp import backup, runs, storage
from auditapp.backup import NoBackup, take_backup

pytestmark = pytest.mark.django_db


@pytest.fixture
def home(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose database file is written by `save`: the tests' own database is in memory."""
    settings.HOME = tmp_path / "home"
    (settings.HOME / "signing").mkdir(parents=True)
    for name in ("secret_key", "signing/key.pem"):
        (settings.HOME / name).write_text("secret")
    monkeypatch.setitem(settings.DATABASES["default"], "NAME", str(settings.HOME / "db.sqlite3"))
    save(settings.HOME)
    return settings.HOME


def save(home: Path) -> None:
    (home / "db.sqlite3").write_bytes(connection.connection.serialize())


def files_in(folder: Path) -> set[str]:
    return {path.name for path in (folder / "storage").rglob("*") if path.is_file()}


def test_a_backup_is_a_home(succeeded_run: Any, home: Path, tmp_path: Path) -> None:
    run = succeeded_run()
    save(home)
    out = io.StringIO()
    call_command("backup", str(tmp_path / "copy"), stdout=out)
    wanted = {run.dataset.sha256, *run.artifacts.values_list("sha256", flat=True)}
    assert files_in(tmp_path / "copy") == wanted
    assert f"{len(wanted)} files" in out.getvalue()
    for sha in wanted:
        with storage.open_stored(sha) as file:
            assert storage.place_in(tmp_path / "copy" / "storage", sha).read_bytes() == file.read()
    with closing(sqlite3.connect(tmp_path / "copy" / "db.sqlite3")) as database:
        assert database.execute("SELECT id, state FROM auditapp_run").fetchall() == [(run.pk, "succeeded")]
    assert (tmp_path / "copy" / "signing" / "key.pem").read_text() == (tmp_path / "copy" / "secret_key").read_text() == "secret"
    for private in ("", "db.sqlite3"):
        assert stat.S_IMODE((tmp_path / "copy" / private).stat().st_mode) & 0o077 == 0


def test_what_is_deleted_meanwhile_is_not_in_the_backup(succeeded_run: Any, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, other = succeeded_run(), succeeded_run()
    save(home)
    opened = storage.open_stored

    def deleting(sha256: str) -> BinaryIO:
        monkeypatch.setattr(storage, "open_stored", opened)
        runs.delete_run(run, None)
        save(home)
        return opened(sha256)

    monkeypatch.setattr(storage, "open_stored", deleting)
    take_backup(tmp_path / "copy")
    assert files_in(tmp_path / "copy") == {other.dataset.sha256, *other.artifacts.values_list("sha256", flat=True)}


def test_what_is_lost_is_named(succeeded_run: Any, home: Path, tmp_path: Path) -> None:
    run = succeeded_run()
    save(home)
    storage.delete(run.dataset.sha256)
    with pytest.raises(NoBackup, match=f"1 files that the database names are not in the storage, such as {run.dataset.sha256}"):
        take_backup(tmp_path / "copy")


def test_refusals(home: Path, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoBackup, match="is there already"):
        take_backup(home)
    with pytest.raises(NoBackup, match="lies in the storage"):
        take_backup(Path(settings.STORAGE_ROOT) / "copy")
    monkeypatch.setattr(backup.settings, "STORAGE_URL", "s3://bucket")
    with pytest.raises(SystemExit) as ended:
        call_command("backup", str(tmp_path / "copy"), stderr=io.StringIO())
    assert ended.value.code == 2
    assert not (tmp_path / "copy").exists()
