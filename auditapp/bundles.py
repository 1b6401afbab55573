"""The bundle that a child left, looked at as a stranger's folder before anything in it is stored."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from automl.bundle import BrokenBundle, Bundle, open_bundle

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,5}")
_FILES = 2_000

_MEDIA_TYPES = {
    ".json": "application/json", ".md": "text/markdown; charset=utf-8", ".csv": "text/csv; charset=utf-8", ".svg": "image/svg+xml", ".pdf": "application/pdf",
    ".txt": "text/plain; charset=utf-8",
}


def media_type_of(name: str) -> str:
    return _MEDIA_TYPES.get(os.path.splitext(name)[1], "application/octet-stream")


def open_checked(folder: Path, run_id: str) -> Bundle:
    """The bundle, with every file read and compared with the manifest; raises BrokenBundle.

    A link would make the worker, which has the credentials, read for the child, which has none: only plain files and folders with plain names count.
    """
    if folder.is_symlink():
        raise BrokenBundle("the bundle is a link")
    count = 0
    for where, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(where) / name
            relative = path.relative_to(folder).as_posix()
            mode = path.lstat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) or (stat.S_ISREG(mode) and path.lstat().st_nlink != 1):
                raise BrokenBundle(f"{relative[:200]!r} is not a plain file")
            if not _NAME.fullmatch(relative) or len(relative) > 200:
                raise BrokenBundle(f"{relative[:200]!r} is not a name for a file of a bundle")
            count += 1
            if count > _FILES:
                raise BrokenBundle(f"the bundle holds more than {_FILES:,} files")
    bundle = open_bundle(folder)
    if bundle.evidence.run.id != run_id:
        raise BrokenBundle("evidence.json belongs to another run")
    return bundle
