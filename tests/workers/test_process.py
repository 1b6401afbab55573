"""A child from the outside: what it says, what it may use, and every way in which it can end. Real interpreters throughout."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from workers import process
from workers.process import Ending, Limits, run_child

pytestmark = pytest.mark.slow

MEMORY = 400 * 2**20


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the scripted engine with a script and a failpoint; (ending, events)."""
    monkeypatch.setenv("PLUMBLINE_TESTING", "1")
    monkeypatch.setenv("PLUMBLINE_TESTING_PIPELINE", "tests.flow.scripted_pipeline")
    monkeypatch.delenv("PLUMBLINE_FAILPOINT_ONCE", raising=False)
    (tmp_path / "table.csv").write_text("a\n1\n")
    staging = tmp_path / "staging"
    staging.mkdir()

    def child(script: str = "trials=0", strike: str = "", *, seconds: float = 60, memory: int = MEMORY, wish: Callable[[], Any] = lambda: None, **job: Any) -> tuple[Ending, list[Any]]:
        monkeypatch.setenv("PLUMBLINE_FAILPOINT", strike)
        events: list[Any] = []
        whole = {
            "kind": "training", "table": str(tmp_path / "table.csv"), "test": None, "spec": {"title": script, "target": "a"}, "options": None, "missing": None,
            "run": {"id": "run_x", "kind": "training", "title": "x", "parent": None}, "audit_number": 1, "spent_seconds": 0.0, "limits": {},
        } | job
        return run_child(whole, staging, limits=Limits(memory, seconds), on_event=events.append, wish=wish), events

    yield child
    for running in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            assert str(staging) not in " ".join(running.cmdline()) or running.status() == psutil.STATUS_ZOMBIE, "a child was left behind"


def test_done(child: Any, tmp_path: Path) -> None:
    ending, events = child("trials=2")
    assert ending.kind == "done", ending
    assert ending.peak > 10 * 2**20
    assert [event["stage"] for event in events if event["event"] == "progress"] == ["read", "split", "tune", "tune", "tune", "ensemble", "evidence"]
    assert [(event["number"], event["path"]) for event in events if event["event"] == "trial"] == [(0, "trials/0000.trial"), (1, "trials/0001.trial")]
    assert (tmp_path / "staging" / "bundle" / "manifest.json").is_file()
    job = json.loads((tmp_path / "staging" / "job.json").read_text())
    assert (job["memory"], job["threads"]) == (MEMORY, 1)


def test_child_knows_nothing_of_ours(child: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLUMBLINE_DATABASE_URL", "postgresql://u:hunter2@h/d")
    environments: list[str] = []

    def look() -> None:
        for running in psutil.Process().children():
            with contextlib.suppress(psutil.Error):
                environments.append(json.dumps(running.environ()))

    child("trials=1 sleep=1", wish=look)
    assert environments
    assert not any("hunter2" in environment for environment in environments)


def test_bad_input_names_the_place(child: Any) -> None:
    ending, _ = child(spec={"title": "x"})
    assert (ending.kind, ending.pointer) == ("bad_input", "/target")
    assert ending.sentence == "spec/target: this field is needed"


def test_defect_is_told_to_the_log_and_not_to_the_person(child: Any) -> None:
    ending, _ = child(strike="tune:fail")
    assert (ending.kind, ending.sentence) == ("failed", "")
    assert "RuntimeError: failpoint tune" in ending.text


def test_unknown_kind(child: Any) -> None:
    assert child(kind="dance")[0].kind == "failed"


def test_too_much_memory_is_ended_before_the_machine_suffers(child: Any) -> None:
    ending, _ = child(strike="evidence:memory")
    assert ending.kind == "out_of_memory"
    assert 0.5 * MEMORY < ending.peak < 6 * MEMORY


def test_memory_is_watched_from_outside_too(tmp_path: Path) -> None:
    """A process without walls of its own, which would sleep on with what it holds."""
    command = [process.sys.executable, "-c", "import time; hoard = bytearray(b'x') * (600 * 2**20); time.sleep(60)"]
    limits = Limits(MEMORY, 30)
    with process._Group(command, _staging(tmp_path), limits) as group:
        ending = process._watch(group, limits, tmp_path / "control", lambda event: None, lambda: None)
    assert ending.kind == "out_of_memory"
    assert ending.peak > MEMORY


def test_memory_error_of_the_second_wall_says_so_itself(child: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # The supervisor looks away, so that only RLIMIT_DATA is left
    monkeypatch.setattr(process._Group, "resident", lambda self: 0)
    assert child(strike="evidence:memory")[0].kind == "out_of_memory"


@pytest.mark.parametrize(("peak", "kind"), [(0.95, "out_of_memory"), (0.5, "died")])
def test_killed_child_was_out_of_memory_if_it_held_nearly_all(child: Any, monkeypatch: pytest.MonkeyPatch, peak: float, kind: str) -> None:
    def resident(self: Any) -> int:
        self.peak = int(MEMORY * peak)
        return 0

    monkeypatch.setattr(process._Group, "resident", resident)
    ending, _ = child(strike="tune:kill")
    assert (ending.kind, ending.signal) == (kind, signal.SIGKILL)


def test_time_limit_kills_what_is_deaf(child: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", 1.0)
    assert child(strike="split:spin", seconds=4)[0].kind == "time_limit"


def test_processor_time_is_limited_too(child: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # The supervisor's own clock stands still, so that only RLIMIT_CPU is left
    monkeypatch.setattr(process.time, "monotonic", lambda: 0.0)
    assert child(strike="split:spin", seconds=3)[0].kind == "time_limit"


def test_cancel_between_trials_is_the_childs_own_end(child: Any) -> None:
    began = time.monotonic()
    ending, _ = child("trials=1000 sleep=0.2", wish=lambda: "cancel" if time.monotonic() - began > 2 else None)
    assert ending.kind == "stopped"
    assert ending.signal is None


def test_cancel_of_a_deaf_child(child: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "CANCEL_SECONDS", 1.0)
    assert child(strike="tune:spin", wish=lambda: "cancel")[0].kind == "stopped"
    # What the real bounds add up to: asked every 2 s at most, then twice the patience
    assert 2 + 2 * 4.0 < 15


def test_finish_then_cancel(child: Any) -> None:
    began = time.monotonic()
    ending, _ = child("trials=0", strike="ensemble:sleep", wish=lambda: "finish" if time.monotonic() - began < 3 else "cancel")
    assert ending.kind == "stopped"


def test_finish_keeps_what_there_is(child: Any, tmp_path: Path) -> None:
    began = time.monotonic()
    ending, events = child("trials=1000 sleep=0.1", wish=lambda: "finish" if time.monotonic() - began > 3 else None)
    assert ending.kind == "done"
    assert 0 < len([event for event in events if event["event"] == "trial"]) < 1000
    assert (tmp_path / "staging" / "control").read_text() == "finish"


def test_whatever_wish_raises_ends_the_child(child: Any) -> None:
    class Lost(Exception):
        pass

    def wish() -> None:
        raise Lost

    with pytest.raises(Lost):
        child("trials=10 sleep=1", wish=wish)


def test_stranger_on_the_pipe_is_not_listened_to(tmp_path: Path) -> None:
    for line in (b"", b"no json", b"[1]", b'{"no": "event"}', b'{"event": 3}', b"\xff\xfe", b'{"event": "progress", "x": "' + b"y" * 70_000 + b'"}', b"[" * 60_000):
        assert process._event(line) is None
    assert process._event(b'{"event": "done"}') == {"event": "done"}


def test_grandchildren_count_and_end_with_the_group(tmp_path: Path) -> None:
    code = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'x = bytearray(150 * 2**20); import time; time.sleep(60)']); time.sleep(60)"
    with process._Group([process.sys.executable, "-c", code], _staging(tmp_path), Limits(MEMORY, 60)) as group:
        deadline = time.monotonic() + 30
        while group.resident() < 150 * 2**20:
            assert time.monotonic() < deadline, "the grandchild's memory is not seen"
            group.events(0.1)
        members = [running.pid for running in psutil.process_iter() if _group_of(running.pid) == group.process.pid]
        assert len(members) == 2
    gone_by = time.monotonic() + 5
    while any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in members):
        assert time.monotonic() < gone_by
        time.sleep(0.05)


def test_a_run_of_the_service_is_served_later_than_pages_and_so_is_what_it_starts(tmp_path: Path) -> None:
    code = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); time.sleep(60)"
    with process._Group([process.sys.executable, "-c", code], _staging(tmp_path), Limits(MEMORY, 60, niceness=10)) as group:
        deadline = time.monotonic() + 30
        while len(members := [running for running in psutil.process_iter() if _group_of(running.pid) == group.process.pid]) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert {running.nice() for running in members} == {10}


def test_links_in_the_staging_folder_lead_the_supervisor_nowhere(tmp_path: Path) -> None:
    """It has rights that the child lacks: whatever it writes under a name of the child's folder must end up in that folder."""
    ours = tmp_path / "db.sqlite3"
    ours.write_text("ours")
    staging = tmp_path / "staging"
    staging.mkdir()
    _staging(staging)
    for name in ("log", "control", "control.draft"):
        (staging / name).symlink_to(ours)
    with process._Group([process.sys.executable, "-c", "print('from the child')"], staging, Limits(MEMORY, 60)) as group:
        process._tell(staging / "control", "cancel")
        group.process.wait(30)
        assert group.log_tail() == "from the child\n"
    assert ours.read_text() == "ours"
    assert (staging / "control").read_text() == "cancel"
    assert not (staging / "control").is_symlink()


def _staging(tmp_path: Path) -> Path:
    (tmp_path / "tmp").mkdir()
    return tmp_path


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None
