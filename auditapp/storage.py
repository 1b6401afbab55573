"""Content-addressed bytes: what is stored under a sha256 never changes, and no user's string ever becomes a path.

Files lie under ``STORAGE_ROOT/sha256/ab/cd/<sha256>``; with ``STORAGE_URL`` (s3://bucket?endpoint=..) an object store holds the same keys.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any, BinaryIO

from django.conf import settings

from automl.errors import BadInput

_CHUNK = 2**20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class StorageFull(Exception):
    """The bytes do not fit. Nothing that was stored before is touched."""


class TooLarge(BadInput):
    """The stream holds more than the limit that the caller set."""


class Damaged(Exception):
    """What lies under a sha256 has another one."""


@dataclass(frozen=True)
class Stored:
    sha256: str
    bytes: int


def put(stream: IO[bytes], limit: int | None = None) -> Stored:
    """Store all of ``stream``. At most ``limit`` bytes: else TooLarge. Nothing half-written is ever seen under its key; raises StorageFull."""
    with full_disk_named():
        draft, stored = _write_draft(stream, limit)
    try:
        if settings.STORAGE_URL:
            _upload(draft, stored.sha256)
        else:
            with full_disk_named():
                _rename_into_place(draft, _path(stored.sha256))
    finally:
        draft.unlink(missing_ok=True)
    return stored


def put_file(path: Path) -> Stored:
    with path.open("rb") as file:
        return put(file)


def exists(sha256: str) -> bool:
    if settings.STORAGE_URL:
        return bool(_object_store().exists(_key(sha256)))
    return _path(sha256).is_file()


def open_stored(sha256: str) -> BinaryIO:
    """The stored bytes, readable; raises FileNotFoundError."""
    if settings.STORAGE_URL:
        file: BinaryIO = _object_store().open(_key(sha256), "rb")
        return file
    return _path(sha256).open("rb")


def open_verified(sha256: str) -> BinaryIO:
    """As `open_stored`, but read through once first: raises Damaged where the bytes are no longer what they were."""
    file = open_stored(sha256)
    if hashlib.file_digest(file, "sha256").hexdigest() != sha256:  # type: ignore[arg-type]
        file.close()
        raise Damaged(f"what is stored as {sha256} was altered")
    file.seek(0)
    return file


@contextmanager
def local_path(sha256: str) -> Iterator[Path]:
    """A path at which the bytes can be read for as long as the context lasts; raises FileNotFoundError."""
    if not settings.STORAGE_URL:
        with tempfile.TemporaryDirectory(dir=_drafts()) as folder:
            yield _second_name(_path(sha256), Path(folder))
        return
    with tempfile.TemporaryDirectory(dir=_drafts()) as folder, open_stored(sha256) as source:
        path = Path(folder) / sha256
        with full_disk_named(), path.open("wb") as target:
            shutil.copyfileobj(source, target, _CHUNK)
        yield path


def _second_name(path: Path, folder: Path) -> Path:
    """The same file under a name of its own. Storing the same bytes once more puts another file at ``path``, and a child's walls open this one only."""
    if not path.is_file():
        raise FileNotFoundError(path)
    link = folder / path.name
    try:
        os.link(path, link)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without links
        return path
    return link


def delete(sha256: str, needed_after_all: Callable[[], bool] = lambda: False) -> bool:
    """Remove the bytes; False where there were none, or where somebody came to need them in the meantime.

    The file is first moved aside and then asked about again: a writer that commits its row before the question gets the file back,
    one that commits later finds it missing (`exists`) and puts it anew.
    """
    if settings.STORAGE_URL:
        there = exists(sha256) and not needed_after_all()
        if there:
            _object_store().delete(_key(sha256))
        return there
    aside = _drafts() / f"removing-{secrets.token_hex(8)}"
    try:
        _path(sha256).rename(aside)
    except FileNotFoundError:
        return False
    if needed_after_all():
        aside.rename(_path(sha256))
        return False
    aside.unlink()
    return True


def sweep_drafts(older_than_seconds: float = 3600) -> int:
    """Remove what interrupted writers and requests (`auditapp.uploads.passing_through`) left behind; returns how many files."""
    removed = 0
    passing = Path(settings.STORAGE_ROOT) / "passing"
    for path in [*_drafts().iterdir(), *(passing.iterdir() if passing.is_dir() else ())]:
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > older_than_seconds:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                removed += 1
    return removed


def stored_in(folder: int, *, older_than_seconds: float) -> set[str]:
    """The sha256 of each file in one of the 256 folders on this machine that was put there so long ago; none of an object store."""
    root = Path(settings.STORAGE_ROOT) / "sha256" / f"{folder:02x}"
    found = set()
    for path in () if settings.STORAGE_URL else root.glob("*/*"):
        with suppress(FileNotFoundError):
            if _SHA256.fullmatch(path.name) and time.time() - path.stat().st_mtime > older_than_seconds:
                found.add(path.name)
    return found


def _key(sha256: str) -> str:
    if not _SHA256.fullmatch(sha256):
        raise ValueError("not a sha256")
    return f"sha256/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def place_in(root: Path, sha256: str) -> Path:
    """Where the bytes lie if ``root`` is STORAGE_ROOT."""
    return root / _key(sha256)


def _path(sha256: str) -> Path:
    return place_in(Path(settings.STORAGE_ROOT), sha256)


def _drafts() -> Path:
    """Beside the stored files, so that a rename never crosses a file system."""
    folder = Path(settings.STORAGE_ROOT) / "drafts"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _write_draft(stream: IO[bytes], limit: int | None) -> tuple[Path, Stored]:
    digest, size = hashlib.sha256(), 0
    descriptor, name = tempfile.mkstemp(dir=_drafts())
    try:
        with os.fdopen(descriptor, "wb") as file:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                if limit is not None and size > limit:
                    raise TooLarge(f"the file is larger than the limit of {limit:,} bytes")
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o440)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name), Stored(digest.hexdigest(), size)


def _rename_into_place(draft: Path, target: Path) -> None:
    # Also where the target exists: a deletion that is under way then removes the older file, not this one
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft.rename(target)
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _upload(draft: Path, sha256: str) -> None:
    from django.core.files import File

    store = _object_store()
    if not store.exists(_key(sha256)):
        with draft.open("rb") as file:
            store.save(_key(sha256), File(file))


@contextmanager
def full_disk_named() -> Iterator[None]:
    """Raises StorageFull where the kernel refuses to let a file grow."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull("the storage is full; nothing that was there is lost, and the same can be asked for again when there is room") from error
        raise


@cache
def _object_store() -> Any:
    from storages.backends.s3 import S3Storage

    url = urllib.parse.urlsplit(settings.STORAGE_URL)
    if url.scheme != "s3" or not url.hostname:
        raise ValueError("PLUMBLINE_STORAGE_URL must look like s3://bucket?endpoint=https://host")
    query = dict(urllib.parse.parse_qsl(url.query))
    return S3Storage(
        bucket_name=url.netloc, endpoint_url=query.get("endpoint"), region_name=query.get("region"), location=url.path.strip("/"),
        file_overwrite=True, default_acl=None, querystring_auth=True, signature_version="s3v4", addressing_style=query.get("addressing", "auto"),
    )
