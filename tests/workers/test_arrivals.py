"""Other parts' trials beside a child's own: whole, once, and never where the child would have them."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest

from auditapp import runs, storage
from auditapp.runs import Lease
from workers import arrivals
from workers.arrivals import arriving_trials

LEASE = Lease("run_1", 1, "training", "", None, {"parallel": 2}, "", None, 1, 0.0, ((0, "earlier"),))


@pytest.fixture
def finished(monkeypatch: pytest.MonkeyPatch) -> dict[int, str]:
    """Number and sha256 of what all parts have finished."""
    rows: dict[int, str] = {0: "earlier"}
    monkeypatch.setattr(runs, "trials_of", lambda lease, beyond: [(number, sha) for number, sha in rows.items() if number not in beyond])
    monkeypatch.setattr(arrivals, "LOOK_SECONDS", 0.0)
    return rows


def stored(content: bytes) -> str:
    return storage.put(io.BytesIO(content)).sha256


def folder(tmp_path: Path) -> Path:
    made = tmp_path / "staging" / "trials"
    made.mkdir(parents=True)
    return made


def test_each_comes_once_and_our_own_never(tmp_path: Path, finished: dict[int, str]) -> None:
    trials = folder(tmp_path)
    finished |= {3: stored(b"three"), 4: "the child's own"}
    with arriving_trials(LEASE, trials) as coming:
        coming.known(4)
        coming.look(1e9)
        (trials / "0003.trial").unlink()
        coming.look(2e9)
        assert list(trials.iterdir()) == []
        finished[5] = stored(b"five")
        coming.look(3e9)
    assert [(path.name, path.read_bytes()) for path in trials.iterdir()] == [("0005.trial", b"five")]


def test_a_child_that_moves_its_folder_or_plants_links_gains_nothing(tmp_path: Path, finished: dict[int, str]) -> None:
    trials, ours = folder(tmp_path), tmp_path / "ours"
    ours.mkdir()
    (ours / "secret").write_text("kept")
    finished |= {3: stored(b"three"), 4: stored(b"four")}
    with arriving_trials(LEASE, trials) as coming:
        (trials / "0003.trial").symlink_to(ours / "secret")
        moved = trials.rename(trials.with_name("moved"))
        trials.symlink_to(ours)
        coming.look(1e9)
    assert [path.name for path in ours.iterdir()] == ["secret"]
    assert (ours / "secret").read_text() == "kept"
    assert {path.name: path.read_bytes() for path in moved.iterdir()} == {"0003.trial": b"three", "0004.trial": b"four"}
    assert not (moved / "0003.trial").is_symlink()


def test_a_folder_that_is_a_link_is_not_opened(tmp_path: Path, finished: Any) -> None:
    trials = folder(tmp_path)
    trials.rmdir()
    trials.symlink_to(tmp_path)
    with pytest.raises(OSError, match=r"Not a directory|symbolic"), arriving_trials(LEASE, trials):
        pass
    assert os.listdir(tmp_path / "staging") == ["trials"]
