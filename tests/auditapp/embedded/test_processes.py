"""Real processes under the real honcho: started again after a kill, stopped together, never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import os, sys
from pathlib import Path
from auditapp.embedded.processes import ProcessGroup
with open(sys.argv[2], "a") as log:
    group = ProcessGroup(Path(sys.argv[1]), os.environ, log)
    group.loop()
sys.exit(0 if group.asked_to_stop else 3)
"""


class Group:
    """A ProcessGroup in a process of its own, over a Procfile in ``folder``; each line writes its pid to ``folder/NAME``."""

    def __init__(self, folder: Path, script: str = SCRIPT, /, **commands: str) -> None:
        self.folder, self.names = folder, list(commands)
        (folder / "Procfile").write_text("".join(f"{name}: echo $$ > {name}.new && mv {name}.new {name}.pid && exec {command}\n" for name, command in commands.items()))
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen([sys.executable, "-c", script, str(folder / "Procfile"), str(folder / "log")], env=environment, start_new_session=True)

    def pid(self, name: str, other_than: int = 0) -> int:
        for _ in range(200):
            path = self.folder / f"{name}.pid"
            if path.exists() and (pid := int(path.read_text())) != other_than:
                return pid
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def log(self) -> str:
        return (self.folder / "log").read_text()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for path in tmp_path.glob("*.pid"):
        assert _gone(int(path.read_text())), f"{path.stem} was left behind"


def _gone(pid: int, within: float = 10) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all(folder: Path, sign: signal.Signals) -> None:
    group = Group(folder, one="sleep 600", two="sleep 600")
    one, two = group.pid("one"), group.pid("two")
    group.process.send_signal(sign)
    assert group.process.wait(20) == 0
    assert _gone(one)
    assert _gone(two)


def test_a_wish_to_stop_that_comes_before_a_start_is_heard_of(folder: Path) -> None:
    """The manager reads what its watchers say one after the other: here it hears of the starts a second late."""
    late = SCRIPT.replace("    group.loop()", "    get = group.events.get\n    import time\n    def slow(timeout):\n        time.sleep(1)\n        return get(timeout=timeout)\n    group.events.get = slow\n    group.loop()")
    group = Group(folder, late, one="sleep 600", two="sleep 600")
    one, two = group.pid("one"), group.pid("two")
    group.process.send_signal(signal.SIGTERM)
    assert group.process.wait(20) == 0
    assert _gone(one)
    assert _gone(two)


def test_a_killed_process_is_started_again(folder: Path) -> None:
    group = Group(folder, one="sleep 600", two="sleep 600")
    first, other = group.pid("one"), group.pid("two")
    os.kill(first, signal.SIGKILL)
    second = group.pid("one", other_than=first)
    assert psutil.pid_exists(other), "the other process was not disturbed"
    assert "one ended unexpectedly (-9); starting it again" in group.log()
    group.process.terminate()
    assert group.process.wait(20) == 0
    assert _gone(second)


def test_a_process_that_never_gets_going_ends_all_after_three_attempts(folder: Path) -> None:
    group = Group(folder, broken="sh -c 'echo no such thing; exit 7'", two="sleep 600")
    two = group.pid("two")
    assert group.process.wait(30) == 3
    assert group.log().count("no such thing") == 3
    assert _gone(two)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_nothing_outlives_a_killed_launcher(folder: Path) -> None:
    group = Group(folder, one="sleep 600", two="sleep 600")
    one, two = group.pid("one"), group.pid("two")
    group.process.kill()
    group.process.wait()
    assert _gone(one)
    assert _gone(two)
