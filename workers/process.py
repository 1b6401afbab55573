"""A fresh interpreter for hostile data: started, listened to, watched and ended. Knows no database and no queue: worker and commands both use it.

The supervisor's wall on memory is what the child's whole process group holds resident; on time, the wall clock. Ending a group is SIGTERM, ten
seconds, SIGKILL.
"""

from __future__ import annotations

import json
import math
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import psutil

from auditapp.confinement import ROOT, child_environment
from auditapp.failpoints import testing

POLL_SECONDS = 0.1
LISTING_SECONDS = 1.0
"""Between two listings of a child's own children, for which every process of the machine is looked at."""
GRACE_SECONDS = 10.0
"""Between SIGTERM and SIGKILL where a limit was broken."""
CANCEL_SECONDS = 4.0
"""How long a child may take to stop by itself when asked to cancel; then SIGTERM, and SIGKILL after as long again: under 15 s in all."""
NEARLY_ALL = 0.9
"""A child that dies by a signal with its peak memory above this share of the limit was out of memory."""
_LINE = 64 * 1024
_LOG_TAIL = 4_000

Wish = Literal["finish", "cancel"]
End = Literal["done", "bad_input", "stopped", "failed", "out_of_memory", "time_limit", "died"]


@dataclass(frozen=True)
class Limits:
    """``memory`` in bytes, resident, of the whole process group; ``seconds`` of wall clock; ``threads`` for numerical libraries; ``niceness``: how much later than others it is served, of 0 to 19."""

    memory: int
    seconds: float
    threads: int = 1
    niceness: int = 0


@dataclass(frozen=True)
class Ending:
    """How a child ended. ``peak`` is the most memory that was seen, in bytes; ``text`` is for the log, ``sentence`` for the person."""

    kind: End
    sentence: str = ""
    pointer: str | None = None
    text: str = ""
    signal: int | None = None
    peak: int = 0


def run_child(
    job: dict[str, Any], staging: Path, *, limits: Limits, on_event: Callable[[dict[str, Any]], None], wish: Callable[[], Wish | None],
    study: tuple[int, int] | None = None,
) -> Ending:
    """Do ``job`` (see docs/architecture.md, job.json) in a child that works in ``staging`` and leaves ``staging/bundle``.

    ``on_event`` gets each progress and trial event; ``wish`` is asked several times a second and may raise, which ends the child and is raised on.
    ``study``: the descriptors by which the child asks who keeps a shared study, and hears the answers (`workers.kept_study`).
    """
    (staging / "tmp").mkdir(exist_ok=True)
    (staging / "trials").mkdir(exist_ok=True)
    job = {**job, "memory": limits.memory, "cpu_seconds": limits.seconds * limits.threads, "threads": limits.threads}
    (staging / "job.json").write_text(json.dumps(job, allow_nan=False))
    command = [sys.executable, "-m", "workers.child", str(staging)]
    with _Group(command, staging, limits, study) as group:
        return _watch(group, limits, staging / "control", on_event, wish)


def run_render(staging: Path, *, limits: Limits, wish: Callable[[], Wish | None], again: bool = False, verify_at: str = "", lang: str = "", pictures_in: str = "", levels: Sequence[str] = ()) -> Ending:
    """Draw ``staging/bundle``: chart pictures and audit.unsigned.pdf, in an interpreter of its own without key or network. ``again``: a further version of a report, in a folder that we laid out.
    ``verify_at``: the address that the report names for having a copy checked. ``lang``: of the report; "": as people have said, or asked for with the run. ``pictures_in``: a further language for the pictures of pages. ``levels``: at which it may be signed, a
    draft for each."""
    (staging / "tmp").mkdir(exist_ok=True)
    # A scripted renderer may stand in for the real one in tests of everything around it
    module = os.environ.get("PLUMBLINE_TESTING_RENDER") if testing() else None
    options = [*(["--again"] if again else []), *(["--verify-at", verify_at] if verify_at else []), *(["--lang", lang] if lang else []), *(["--pictures-in", pictures_in] if pictures_in else []),
               *(["--levels", ",".join(levels)] if levels else [])]
    with _Group([sys.executable, "-m", module or "workers.render", str(staging / "bundle"), *options], staging, limits) as group:
        return _watch(group, limits, staging / "control", lambda event: None, wish)


def _watch(group: _Group, limits: Limits, control: Path, on_event: Callable[[dict[str, Any]], None], wish: Callable[[], Wish | None]) -> Ending:
    deadline = time.monotonic() + limits.seconds
    said: dict[str, Any] = {}
    wished: Wish | None = None
    while True:
        alive = group.alive()
        for event in group.events(POLL_SECONDS if alive else 0):
            if event["event"] in ("progress", "trial"):
                on_event(event)
            else:
                said = said or event
        if not alive:
            return _ending(group, limits, said)
        if group.resident() > limits.memory:
            group.end(GRACE_SECONDS, meanwhile=wish)
            return Ending("out_of_memory", peak=group.peak)
        if time.monotonic() > deadline:
            group.end(CANCEL_SECONDS if wished == "cancel" else GRACE_SECONDS, meanwhile=wish)
            return Ending("stopped" if wished == "cancel" else "time_limit", peak=group.peak)
        asked = wish()
        if asked != wished and wished != "cancel" and asked is not None:
            wished = asked
            _tell(control, asked)
            if asked == "cancel":
                deadline = min(deadline, time.monotonic() + CANCEL_SECONDS)


def _ending(group: _Group, limits: Limits, said: dict[str, Any]) -> Ending:
    code = group.process.returncode
    kind = said.get("event")
    if code == 0 and kind in ("done", None):
        return Ending("done", peak=group.peak)
    if kind == "bad_input" and code == 2:
        pointer = said.get("pointer")
        return Ending("bad_input", sentence=str(said.get("sentence", ""))[:2_000], pointer=str(pointer)[:500] if pointer else None, peak=group.peak)
    if kind == "stopped":
        return Ending("stopped", peak=group.peak)
    if kind == "out_of_memory":
        return Ending("out_of_memory", peak=group.peak)
    if code < 0:
        if -code == signal.SIGXCPU:
            return Ending("time_limit", peak=group.peak)
        if group.peak > NEARLY_ALL * limits.memory:
            return Ending("out_of_memory", signal=-code, peak=group.peak)
        return Ending("died", signal=-code, text=group.log_tail(), peak=group.peak)
    return Ending("failed", text=str(said.get("text", ""))[:_LOG_TAIL] or group.log_tail(), peak=group.peak)


def _tell(control: Path, wish: Wish) -> None:
    """Written whole or not at all: the child reads it at any moment. And under a name of chance: where the child may have put a link, we would write for it."""
    descriptor, draft = tempfile.mkstemp(dir=control.parent)
    with os.fdopen(descriptor, "w") as file:
        file.write(wish)
    os.rename(draft, control)


def _serve_later(pid: int, niceness: int) -> None:
    """Of a process that has just been started, before it has threads, and of all it starts. Where the kernel shares the processor out by session (autogroups), the session's share as well."""
    with suppress(ProcessLookupError):
        os.setpriority(os.PRIO_PROCESS, pid, niceness)
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(niceness))


class _Group:
    """A child in a session and process group of its own, with its events, its memory and its end."""

    def __init__(self, command: list[str], staging: Path, limits: Limits, study: tuple[int, int] | None = None) -> None:
        self.peak = 0
        self._buffer = b""
        # Without a name: one in the staging folder could be a link to a file of ours by the time the next child begins
        self._log = tempfile.TemporaryFile(dir=staging)  # noqa: SIM115 - __exit__ closes it
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        environment = child_environment(staging / "tmp", limits.threads) | {"PLUMBLINE_EVENTS": str(writer)}
        if study is not None:
            environment["PLUMBLINE_STUDY"] = "{},{}".format(*study)
        try:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, pass_fds=[writer, *(study or ())], stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, start_new_session=True)
        except BaseException:
            os.close(self._reader)
            self._log.close()
            raise
        finally:
            os.close(writer)
        if limits.niceness:
            _serve_later(self.process.pid, limits.niceness)
        self._leader = psutil.Process(self.process.pid)
        self._descendants: list[psutil.Process] = []
        self._listed = -math.inf

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._signal(signal.SIGKILL)
        self.process.wait()
        os.close(self._reader)
        self._log.close()

    def alive(self) -> bool:
        return self.process.poll() is None

    def events(self, wait: float) -> list[dict[str, Any]]:
        """What the child said since last time; waits at most ``wait`` seconds for something. What is no event is dropped."""
        if not select.select([self._reader], [], [], wait)[0]:
            return []
        try:
            data = os.read(self._reader, 2**20)
        except BlockingIOError:
            return []
        if not data:
            # The child closed its end: nothing will come, so the wait is ours to keep
            time.sleep(wait)
        *lines, rest = (self._buffer + data).split(b"\n")
        self._buffer = rest[:_LINE]
        return [event for event in map(_event, lines) if event is not None]

    def resident(self) -> int:
        """Resident memory of the group in bytes, now."""
        total, now = 0, time.monotonic()
        with suppress(psutil.Error):
            if now - self._listed >= LISTING_SECONDS:
                self._listed, self._descendants = now, self._leader.children(recursive=True)
        for process in (self._leader, *self._descendants):
            with suppress(psutil.Error):
                total += process.memory_info().rss
        self.peak = max(self.peak, total)
        return total

    def end(self, grace: float, meanwhile: Callable[[], object]) -> None:
        """SIGTERM to the group, SIGKILL after ``grace`` seconds; ``meanwhile`` is called several times a second, for the lease goes on running."""
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + grace
        while self.alive() and time.monotonic() < deadline:
            meanwhile()
            time.sleep(POLL_SECONDS)
        self._signal(signal.SIGKILL)
        self.process.wait()

    def log_tail(self) -> str:
        # The child writes at the same place in the file, which must not move
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), _LOG_TAIL, max(0, size - _LOG_TAIL)).decode(errors="replace")

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


def _event(line: bytes) -> dict[str, Any] | None:
    if len(line) > _LINE:
        return None
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None
