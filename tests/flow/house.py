"""A whole service of real processes for one story: database, Redis, workers, and a driver that does what the web would."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import cache, partial
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent.parent
SHORT = {"LEASE_SECONDS": "2", "BEAT_SECONDS": "0.5", "SWEEP_SECONDS": "0.5", "RING_AGAIN_SECONDS": "1"}
# A scripted PDF cannot be signed: reports of these stories wait for their signature
SCRIPTED_RENDER = {"PLUMBLINE_TESTING_RENDER": "tests.flow.scripted_render", "PLUMBLINE_SIGNING_KEY": "/nonexistent/key.pem"}
SCRIPTED = {"PLUMBLINE_TESTING_PIPELINE": "tests.flow.scripted_pipeline", **SCRIPTED_RENDER}
RUNS = ("-Q", "runs", "-c", "1")
REST = ("-Q", "profiles,sweeps", "-c", "1", "-B")
SWEEPS = ("-Q", "sweeps", "-c", "1", "-B")
"""Instead of `REST` where nobody reads a table's profile."""


class Driver:
    """Talks to tests/flow/driver.py."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.flow.driver"], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)

    def __call__(self, do: str, **arguments: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise BrokenPipeError(f"the driver died at {do!r} with {self.process.wait()}")
        return json.loads(answer)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()


def _is_keeper(process: psutil.Process, run: str, part: int) -> bool:
    try:
        return process.cmdline()[1:5] == ["-m", "workers.study", run, str(part)]
    except psutil.Error:
        return False


def _ready(log: Path) -> bool:
    return b" ready." in log.read_bytes()


def _prepare(environment: dict[str, str]) -> None:
    """By any command, as a first one does: folders, keys, every migration."""
    subprocess.run([sys.executable, "manage.py", "reconcile"], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


@cache
def _prepared_home() -> Path:
    """A home on SQLite as the first command leaves it, made once in a process: the migrations are most of what a small story would do."""
    folder = Path(tempfile.mkdtemp(prefix="plt-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _prepare({name: value for name, value in os.environ.items() if not name.startswith(("PLUMBLINE_", "DJANGO_", "COV_"))} | {"PLUMBLINE_HOME": str(folder / "home")})
    return folder / "home"


class House:
    def __init__(self, redis: Any, database_url: str | None, *, settings: dict[str, str] | None = None, scripted: dict[str, str] = SCRIPTED) -> None:
        """``scripted``: what stands in for engine and renderer; nothing for the real ones."""
        self.folder = Path(tempfile.mkdtemp(prefix="plh-"))
        self.redis = redis
        (self.folder / "once").mkdir()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PLUMBLINE_", "DJANGO_", "COV_"))}
        self.environment = inherited | {
            "PLUMBLINE_HOME": str(self.folder / "home"), "PLUMBLINE_REDIS_URL": redis.url, "PLUMBLINE_TESTING": "1", "DJANGO_SETTINGS_MODULE": "auditapp.settings",
            "PLUMBLINE_FAILPOINT_ONCE": str(self.folder / "once"), "PLUMBLINE_RUNS_QUEUED": "1000", "PLUMBLINE_RUN_NICENESS": "0", **({"PLUMBLINE_DATABASE_URL": database_url} if database_url else {}),
            **scripted, **{f"PLUMBLINE_{name}": value for name, value in (SHORT | (settings or {})).items()},
        }
        self.log = self.folder / "log"
        if database_url is None:
            shutil.copytree(_prepared_home(), self.folder / "home")
        else:
            _prepare(self.environment)
        self.workers: list[subprocess.Popen[bytes]] = []
        self.do = Driver(self.environment, self.log)

    def new_driver(self, **extra: str) -> Driver:
        return Driver(self.environment | extra, self.log)

    def start_worker(self, arguments: tuple[str, ...] = RUNS, **extra: str) -> subprocess.Popen[bytes]:
        """A real `celery worker` in a process group of its own; returns once it takes messages."""
        return self.start_workers(arguments, **extra)[0]

    def start_workers(self, *each: tuple[str, ...], **extra: str) -> list[subprocess.Popen[bytes]]:
        """Several at once, which is quicker than one after the other."""
        begun = [self._begin_worker(arguments, extra) for arguments in each]
        for _, log in begun:
            self.until(partial(_ready, log), 120, f"worker {log.stem} is ready")
        return [worker for worker, _ in begun]

    def _begin_worker(self, arguments: tuple[str, ...], extra: dict[str, str]) -> tuple[subprocess.Popen[bytes], Path]:
        name = f"w{len(self.workers)}"
        log = self.folder / f"{name}.log"
        with log.open("wb") as out:
            worker = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "workers.app", "worker", *arguments, "-n", f"{name}@%h", "--loglevel", "INFO"],
                cwd=ROOT, env=self.environment | extra, stdout=out, stderr=out, start_new_session=True)
        self.workers.append(worker)
        return worker, log

    def fail_at(self, *pairs: str) -> None:
        """The next strikes, each once."""
        for marker in (self.folder / "once").iterdir():
            marker.unlink()
        (self.folder / "once" / "failpoint").write_text(",".join(pairs))

    def struck(self, pair: str) -> bool:
        return (self.folder / "once" / pair.replace(":", "-")).exists()

    def until(self, holds: Callable[[], Any], seconds: float, what: str) -> Any:
        """Wait until ``holds`` gives something true; a bound, generous because the machine is shared, not a measurement."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            answer = holds()
            if answer:
                return answer
            time.sleep(0.2)
        raise AssertionError(f"not within {seconds} s: {what}\n{self.logs()}")

    def files_with(self, text: str) -> list[Path]:
        """Files of this house, logs among them, that hold ``text``."""
        found = []
        for folder, _, names in os.walk(self.folder):  # unlike rglob, goes on where a folder went meanwhile
            for path in (Path(folder, name) for name in names):
                try:
                    if path.is_file() and text.encode() in path.read_bytes():
                        found.append(path)
                except OSError:  # it went meanwhile
                    continue
        return found

    def until_state(self, run: str, *states: str, seconds: float = 60) -> dict[str, Any]:
        return self.until(lambda: (seen := self.do("look", run=run))["state"] in states and seen, seconds, f"{run} is {states}: {self.do('look', run=run)}")

    def until_trials(self, run: str, count: int, seconds: float = 60) -> dict[str, Any]:
        return self.until(lambda: len((seen := self.do("look", run=run))["trials"]) >= count and seen, seconds, f"{count} trials: {self.do('look', run=run)}")

    def children(self, run: str = "") -> list[psutil.Process]:
        """The children of workers that work for ``run`` (default: any run) of this house."""
        wanted = str(self.folder / "home" / "staging" / run)
        found = []
        for process in psutil.process_iter():
            try:
                if any(wanted in part for part in process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def keepers(self, run: str, part: int) -> list[psutil.Process]:
        """The processes that keep the shared study of ``run`` for its part ``part``."""
        return [process for process in psutil.process_iter() if _is_keeper(process, run, part)]

    def pool_of(self, worker: subprocess.Popen[bytes]) -> list[psutil.Process]:
        """The pool's processes: the worker's children that are not beat."""
        return [child for child in psutil.Process(worker.pid).children() if "beat" not in " ".join(child.cmdline()).lower().split("worker")[0]]

    def signal_group(self, worker: subprocess.Popen[bytes], number: signal.Signals) -> None:
        """To the worker's parent and pool; its run children live in sessions of their own."""
        os.killpg(worker.pid, number)

    def kill_worker(self, worker: subprocess.Popen[bytes]) -> None:
        self.signal_group(worker, signal.SIGKILL)
        worker.wait()

    def freeze(self, worker: subprocess.Popen[bytes]) -> None:
        """SIGSTOP outside of a transaction. In the middle of one, a writer to SQLite that stands still stops every other; no lease can help that."""
        self.signal_group(worker, signal.SIGSTOP)
        while not self._can_be_written():
            self.signal_group(worker, signal.SIGCONT)
            time.sleep(0.05)
            self.signal_group(worker, signal.SIGSTOP)

    def _can_be_written(self) -> bool:
        if "PLUMBLINE_DATABASE_URL" in self.environment:
            return True
        try:
            with closing(sqlite3.connect(self.folder / "home" / "db.sqlite3", timeout=1, isolation_level=None)) as database:
                database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        return True

    def logs(self) -> str:
        return "\n".join(f"== {path.name}\n{path.read_text(errors='replace')[-3000:]}" for path in sorted(self.folder.glob("*log")))

    def stop(self) -> None:
        self.do.stop()
        for worker in self.workers:
            if worker.poll() is None:
                # A frozen one dies too
                self.kill_worker(worker)
        left = self.children()
        for process in left:
            process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
