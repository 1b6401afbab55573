"""The bundle that a child left, looked at as a stranger's folder before anything in it is stored."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import BinaryIO

from automl.bundle import BrokenBundle, Bundle, open_bundle

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,5}")
_FILES = 2_000

_MEDIA_TYPES = {
    ".json": "application/json", ".md": "text/markdown; charset=utf-8", ".csv": "text/csv; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png", ".pdf": "application/pdf",
    ".txt": "text/plain; charset=utf-8", ".py": "text/x-python; charset=utf-8",
}


def media_type_of(name: str) -> str:
    return _MEDIA_TYPES.get(os.path.splitext(name)[1], "application/octet-stream")


def check_plain(folder: Path) -> None:
    """Raise BrokenBundle unless ``folder`` holds nothing but plain files and folders with plain names.

    A link would make the worker, which has the credentials, read for the child, which has none.
    """
    if folder.is_symlink():
        raise BrokenBundle("the bundle is a link")
    count = 0
    for where, folders, names in os.walk(folder):
        for name in (*folders, *names):
            _check_entry(folder, Path(where) / name)
            count += 1
            if count > _FILES:
                raise BrokenBundle(f"the bundle holds more than {_FILES:,} files")


def open_checked(folder: Path, run_id: str) -> Bundle:
    """The bundle of ``run_id``, with every file read and compared with the manifest; raises BrokenBundle."""
    check_plain(folder)
    bundle = open_bundle(folder)
    if bundle.evidence.run.id != run_id:
        raise BrokenBundle("evidence.json belongs to another run")
    return bundle


def open_plain(path: Path) -> BinaryIO:
    """The plain file at ``path``, for reading; raises BrokenBundle. No link is followed, neither for the file nor for its folder: a child that still runs
    could put one there after any look at them."""
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            # Not waiting: a pipe of that name would have the worker wait for ever
            descriptor = os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise BrokenBundle(f"{path.name} cannot be read: {error.strerror}") from error
    entry = os.fstat(descriptor)
    if not (stat.S_ISREG(entry.st_mode) and entry.st_nlink == 1):
        os.close(descriptor)
        raise BrokenBundle(f"{path.name} is not a plain file")
    return os.fdopen(descriptor, "rb")


def _check_entry(folder: Path, path: Path) -> None:
    relative = path.relative_to(folder).as_posix()
    entry = path.lstat()
    if not (stat.S_ISDIR(entry.st_mode) or (stat.S_ISREG(entry.st_mode) and entry.st_nlink == 1)):
        raise BrokenBundle(f"{relative[:200]!r} is not a plain file")
    if not _NAME.fullmatch(relative) or len(relative) > 200:
        raise BrokenBundle(f"{relative[:200]!r} is not a name for a file of a bundle")
