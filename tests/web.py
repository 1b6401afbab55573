"""gunicorn as the Procfile starts it, on a free port: one way to have a real web process in a test."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Web:
    port: int
    pid: int

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running_web(environment: dict[str, str], log: Path) -> Iterator[Web]:
    """Answers when it is given; ended with a polite signal. The home must have been prepared by some command before."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "auditapp.wsgi:application", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--workers", "2", "--threads", "8",
             "--timeout", "60", "--graceful-timeout", "5", "--no-control-socket", "--logger-class", "auditapp.access_log.MaskingLogger", "--access-logfile", "-"],
            env=environment, cwd=ROOT, stdout=out, stderr=out)
    web = Web(port, process.pid)
    try:
        _until_it_answers(web, log)
        yield web
    finally:
        process.terminate()
        process.wait(30)


def _until_it_answers(web: Web, log: Path) -> None:
    for _ in range(400):
        try:
            with urllib.request.urlopen(f"{web.base}/healthz", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(log.read_text(errors="replace"))
