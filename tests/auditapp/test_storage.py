"""Content-addressed bytes: whole or absent, never under a name that somebody else chose."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from auditapp import storage

ABC = hashlib.sha256(b"abc").hexdigest()


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_put_names_bytes_by_their_sha256_and_makes_them_read_only(settings: Any) -> None:
    stored = storage.put(io.BytesIO(b"abc"))
    assert (stored.sha256, stored.bytes) == (ABC, 3)
    [path] = files_under(settings.STORAGE_ROOT)
    assert path == settings.STORAGE_ROOT / "sha256" / ABC[:2] / ABC[2:4] / ABC
    assert stat.S_IMODE(path.stat().st_mode) == 0o440
    with storage.open_stored(ABC) as file, storage.local_path(ABC) as local:
        assert file.read() == local.read_bytes() == b"abc"


def test_same_bytes_are_stored_once(settings: Any) -> None:
    assert storage.put(io.BytesIO(b"abc")) == storage.put(io.BytesIO(b"abc"))
    assert len(files_under(settings.STORAGE_ROOT)) == 1


def test_a_local_path_stays_the_same_file_whatever_happens_to_the_stored_one(settings: Any) -> None:
    """A child's walls are put around the file, not around its name: one that took its place could not be read."""
    storage.put(io.BytesIO(b"abc"))
    with storage.local_path(ABC) as local:
        file = local.stat().st_ino
        storage.put(io.BytesIO(b"abc"))
        assert local.stat().st_ino == file
        storage.delete(ABC)
        assert local.read_bytes() == b"abc"
    assert files_under(settings.STORAGE_ROOT) == []
    with pytest.raises(FileNotFoundError), storage.local_path(ABC):
        pass


def test_limit_is_kept_to_the_byte_and_leaves_nothing_behind(settings: Any) -> None:
    assert storage.put(io.BytesIO(b"x" * 100), limit=100).bytes == 100
    with pytest.raises(storage.TooLarge, match="limit of 100 bytes"):
        storage.put(io.BytesIO(b"y" * 101), limit=100)
    assert len(files_under(settings.STORAGE_ROOT)) == 1


@pytest.mark.parametrize("at", [0, 1, 3])
def test_interrupted_stream_leaves_nothing_behind(settings: Any, at: int) -> None:
    class Cut(io.BytesIO):
        reads = 0

        def read(self, size: int | None = -1) -> bytes:
            if self.reads == at:
                raise ConnectionResetError
            self.reads += 1
            return b"z" * 1000

    with pytest.raises(ConnectionResetError):
        storage.put(Cut())
    assert files_under(settings.STORAGE_ROOT) == []


def test_t16_full_disk_is_named_and_earlier_bytes_stay(settings: Any) -> None:
    storage.put(io.BytesIO(b"abc"))
    child = os.fork()
    if child == 0:
        # A real refusal of the kernel's: no file may grow beyond 64 KiB
        import resource
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
        try:
            storage.put(io.BytesIO(b"x" * 200_000))
        except storage.StorageFull as full:
            os._exit(0 if "full" in str(full) else 2)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert [path.name for path in files_under(settings.STORAGE_ROOT)] == [ABC]


@pytest.mark.parametrize("key", ["", "abc", "../../etc/passwd", ABC.upper(), ABC + "0", ABC[:-1] + "/", ABC + "\n", "sha256/" + ABC])
def test_nothing_but_a_sha256_becomes_a_path(key: str) -> None:
    for use in (storage.open_stored, storage.exists, storage.delete):
        with pytest.raises(ValueError, match="not a sha256"):
            use(key)


def test_absent_bytes() -> None:
    assert not storage.exists(ABC)
    assert not storage.delete(ABC)
    with pytest.raises(FileNotFoundError):
        storage.open_stored(ABC)
    with pytest.raises(FileNotFoundError), storage.local_path(ABC):
        pass


def test_t45_altered_bytes_are_noticed(settings: Any) -> None:
    storage.put(io.BytesIO(b"abc"))
    with storage.open_verified(ABC) as file:
        assert file.read() == b"abc"
    [path] = files_under(settings.STORAGE_ROOT)
    path.chmod(0o600)
    path.write_bytes(b"abd")
    with pytest.raises(storage.Damaged, match=ABC):
        storage.open_verified(ABC)


def test_delete_gives_the_file_back_where_it_is_needed_after_all() -> None:
    storage.put(io.BytesIO(b"abc"))
    assert not storage.delete(ABC, needed_after_all=lambda: True)
    assert storage.exists(ABC)
    assert storage.delete(ABC)
    assert not storage.exists(ABC)


def test_parallel_writers_of_the_same_bytes(settings: Any) -> None:
    threads = [threading.Thread(target=lambda: storage.put(io.BytesIO(b"q" * 300_000))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [path] = files_under(settings.STORAGE_ROOT)
    assert path.read_bytes() == b"q" * 300_000


def test_sweep_removes_old_drafts_only(settings: Any) -> None:
    storage.put(io.BytesIO(b"abc"))
    drafts = settings.STORAGE_ROOT / "drafts"
    for name, age in (("old", 7200), ("new", 10)):
        (drafts / name).write_bytes(b"half")
        then = (drafts / name).stat().st_mtime - age
        os.utime(drafts / name, (then, then))
    assert storage.sweep_drafts() == 1
    assert [path.name for path in drafts.iterdir()] == ["new"]
    assert storage.exists(ABC)


def test_sweep_removes_what_a_killed_request_left(settings: Any) -> None:
    """A PDF to be verified is not kept, whatever ends the process that asked."""
    from auditapp.uploads import passing_through

    left, coming = passing_through() / "left", passing_through() / "coming"
    for folder in (left, coming):
        folder.mkdir()
        (folder / "to-verify.pdf").write_bytes(b"%PDF-")
    os.utime(left, (0, 0))
    assert storage.sweep_drafts() == 1
    assert list(passing_through().iterdir()) == [coming]


def test_object_store_holds_the_same_keys(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Django's own in-memory storage has the interface of django-storages; S3 itself is not at hand here."""
    from django.core.files.storage import InMemoryStorage

    store = InMemoryStorage()
    settings.STORAGE_URL = "s3://bucket"
    monkeypatch.setattr(storage, "_object_store", lambda: store)
    assert storage.put(io.BytesIO(b"abc")).sha256 == ABC
    storage.put(io.BytesIO(b"abc"))
    assert store.listdir(f"sha256/{ABC[:2]}/{ABC[2:4]}")[1] == [ABC]
    with storage.open_verified(ABC) as file:
        assert file.read() == b"abc"
    with storage.local_path(ABC) as local:
        assert local.read_bytes() == b"abc"
    assert not local.exists()
    assert storage.delete(ABC)
    assert not storage.exists(ABC)
    assert files_under(settings.STORAGE_ROOT) == [], "nothing stays on this machine"
