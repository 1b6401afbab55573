"""A copy of an embedded home, whole at one moment, taken while everything runs: the database first, then every file that this copy of it names.

The copy is a home itself: restoring is putting it where PLUMBLINE_HOME points. Redis is left out, for messages are only doorbells. Installations on
PostgreSQL or an object store are copied by the tools of those (docs/operating.md).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from auditapp import removal, storage
from auditapp.home import make_private

TRIES = 5
"""A run that is deleted between the copy of the database and that of its files makes that copy name files that are gone: then both are taken anew."""


class NoBackup(Exception):
    """None was made; the text says why, in one sentence."""


@dataclass(frozen=True)
class Backup:
    files: int
    bytes: int


def take_backup(folder: Path) -> Backup:
    """Leave a copy of the home in ``folder``, which must be absent or empty; raises NoBackup."""
    if settings.ENVIRONMENT.database_url or settings.STORAGE_URL:
        raise NoBackup("this installation keeps its data in PostgreSQL or an object store, which are backed up with their own tools: see docs/operating.md")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NoBackup(f"{folder} is there already and is not an empty folder")
    if folder.resolve().is_relative_to(Path(settings.STORAGE_ROOT).resolve()):
        raise NoBackup(f"{folder} lies in the storage that is to be copied")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    copied: set[str] = set()
    for _ in range(TRIES):
        wanted = _copy_database(folder / "db.sqlite3")
        gone = _copy_files(folder / "storage", wanted, copied)
        if not gone:
            break
    else:
        raise NoBackup(f"{len(gone)} files that the database names are not in the storage, such as {min(gone)}; `manage.py verify_all` says whose they are")
    _copy_keys(folder)
    return Backup(len(wanted), sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))


def _copy_database(target: Path) -> set[str]:
    """Every commit before this moment and none after it; returns the sha256 of each file that the copy names."""
    target.unlink(missing_ok=True)
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with closing(sqlite3.connect(settings.DATABASES["default"]["NAME"], timeout=20)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        # The copy is asked, not the database: that has gone on since
        return {sha for query in removal.every_reference() for (sha,) in copy.execute(*query.query.sql_with_params()) if sha}


def _copy_files(root: Path, wanted: set[str], copied: set[str]) -> set[str]:
    """Copy what is not in ``copied`` yet and let go of what is no longer wanted; returns what is not there any more."""
    for sha in copied - wanted:
        storage.place_in(root, sha).unlink()
    copied &= wanted
    gone = set()
    for sha in wanted - copied:
        target = storage.place_in(root, sha)
        try:
            with storage.open_stored(sha) as source:
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                with target.open("wb") as file:
                    shutil.copyfileobj(source, file)
            target.chmod(0o440)
            copied.add(sha)
        except FileNotFoundError:
            gone.add(sha)
    return gone


def _copy_keys(folder: Path) -> None:
    """What only this installation has. Keys that were brought by settings are the business of those who brought them."""
    shutil.copy2(settings.HOME / "secret_key", folder / "secret_key")
    if (settings.HOME / "signing").is_dir():
        shutil.copytree(settings.HOME / "signing", folder / "signing")
    make_private(folder / "staging")
