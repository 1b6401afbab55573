from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _ask(what: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "auditapp.healthcheck", what], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60)


class Web(BaseHTTPRequestHandler):
    """Answers as Django does: only to its own name."""

    def do_GET(self) -> None:
        fine = self.path == "/healthz" and self.headers["Host"] == "audit.example.org"
        self.send_response(200 if fine else 400)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Web) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield str(server.server_port)
        server.shutdown()
        thread.join()


def test_web_is_asked_by_its_own_name(port: str) -> None:
    assert _ask("web", PORT=port, PLUMBLINE_ALLOWED_HOSTS="audit.example.org, other.example.org").returncode == 0
    wrong = _ask("web", PORT=port, PLUMBLINE_ALLOWED_HOSTS="other.example.org")
    assert wrong.returncode == 1
    assert "400" in wrong.stderr


def test_web_that_is_not_there() -> None:
    gone = _ask("web", PORT="1")
    assert gone.returncode == 1
    assert gone.stderr.startswith("/healthz does not answer")
    assert gone.stderr.count("\n") == 1


def test_worker_needs_a_process_and_the_queue() -> None:
    none = _ask("worker", PLUMBLINE_REDIS_URL="redis://127.0.0.1:1/0")
    assert none.returncode == 1
    # Another worker may run on this machine at the same time; then it is the queue that does not answer
    assert none.stderr.startswith(("no celery process is alive", "the queue does not answer"))
