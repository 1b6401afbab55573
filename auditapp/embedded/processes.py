"""The Procfile's processes side by side under honcho, kept alive: one that dies is started again, and none outlives `make run`."""

from __future__ import annotations

import ctypes
import multiprocessing
import multiprocessing.synchronize
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from honcho import environ, manager
from honcho.printer import Printer
from honcho.process import Popen, Process

STEADY_SECONDS = 5
"""A process that lived this long had started; its death is an accident, not a wrong configuration."""
GIVE_UP_AFTER = 3
"""Deaths in a row, each before it was steady."""

# honcho's five seconds are fewer than a worker needs to end its child and put its run back
manager.KILL_WAIT = 15

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(sign: signal.Signals) -> None:
    """Ask the kernel to send this process ``sign`` when its parent ends, however that ends. Linux only; elsewhere nothing."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(sign))


class KeptProcess(Process):
    """A honcho process that is started again when it dies by accident; a wish to stop, or three deaths at the start, end it."""

    def __init__(self, stopping: multiprocessing.synchronize.Event, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._stopping = stopping
        self._child_ctor = self._start

    def _start(self, command: str, **options: Any) -> Popen:
        return Popen(command, preexec_fn=self._become_child, **options)

    @staticmethod
    def _become_child() -> None:
        die_with_parent(signal.SIGTERM)
        for sign in (signal.SIGINT, signal.SIGTERM):  # what the watcher ignores, its child would inherit as ignored
            signal.signal(sign, signal.SIG_DFL)

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        # The watcher itself cannot be asked to stop; only the end of `make run` takes it along
        die_with_parent(signal.SIGKILL)
        if ignore_signals:
            for sign in (signal.SIGINT, signal.SIGTERM):
                signal.signal(sign, signal.SIG_IGN)
        self._events = events
        early_deaths = 0
        while True:
            began = time.monotonic()
            self._child = self._child_ctor(self.cmd, env=self.env, cwd=self.cwd)
            self._send_message({"pid": self._child.pid}, type="start")
            for line in iter(self._child.stdout.readline, b""):
                self._send_message(line)
            self._child.stdout.close()
            ended = self._child.wait()
            early_deaths = early_deaths + 1 if time.monotonic() - began < STEADY_SECONDS else 0
            if self._stopping.is_set() or ended == 0 or early_deaths >= GIVE_UP_AFTER:
                break
            self._send_message(f"{self.name} ended unexpectedly ({ended}); starting it again\n".encode())
            time.sleep(0.5 * (1 + early_deaths))
        self._send_message({"returncode": ended}, type="stop")


class ProcessGroup(manager.Manager):
    """honcho's manager with processes that are kept alive. `loop` blocks until SIGINT, SIGTERM or the end of one process has ended all."""

    def __init__(self, procfile: Path, environment: Mapping[str, str], log: IO[str]) -> None:
        super().__init__(Printer(log, colour=False))
        self._stopping = multiprocessing.Event()
        self._process_ctor = self._kept
        self._procmgr = _Leaders()
        self._asked: set[int] = set()
        self.on_stopping: Callable[[], None] = lambda: None
        for name, command in environ.parse_procfile(procfile.read_text()).processes.items():
            self.add_process(name, command, env=dict(environment), cwd=str(procfile.parent))

    def _kept(self, *arguments: Any, **options: Any) -> KeptProcess:
        return KeptProcess(self._stopping, *arguments, **options)

    @property
    def asked_to_stop(self) -> bool:
        """Whether a signal ended the loop, and not a process that could not be kept alive."""
        return self.returncode in (130, 143)

    def terminate(self) -> None:
        if not self._stopping.is_set():
            self._stopping.set()
            self.on_stopping()
        super().terminate()

    def _all_started(self) -> bool:
        """Asked at each turn of the loop. A process of whose start, or start again, it hears only after the wish to stop is asked to stop now."""
        if self._stopping.is_set():
            self._killall()
        return bool(super()._all_started())

    def _killall(self, force: bool = False) -> None:
        """Each process is asked once. honcho's own fails on one whose start it has not heard of yet."""
        for name, state in self._processes.items():
            if "pid" in state and "returncode" not in state and (force or state["pid"] not in self._asked):
                self._asked.add(state["pid"])
                self._system_print(f"{'killing' if force else 'stopping'} {name} (pid {state['pid']})\n")
                (self._procmgr.kill if force else self._procmgr.terminate)(state["pid"])


class _Leaders:
    """Asks each process alone to stop, so that a worker can put its run back and end its children in order; force still takes the whole group."""

    def terminate(self, pid: int) -> None:
        self._send(os.kill, pid, signal.SIGTERM)

    def kill(self, pid: int) -> None:
        self._send(os.killpg, pid, signal.SIGKILL)

    def _send(self, how: Callable[[int, int], None], pid: int, sign: signal.Signals) -> None:
        try:
            how(pid, sign)
        except (ProcessLookupError, PermissionError):
            return  # it has ended already
