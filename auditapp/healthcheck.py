"""`python -m auditapp.healthcheck web|worker`: a container asks itself whether it still works. Light: no Django, for it runs every few seconds."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

SECONDS = 4


def main(what: str) -> int:
    """0 when it works, 1 with the reason when it does not."""
    problem = _web() if what == "web" else _worker()
    if problem:
        print(problem, file=sys.stderr)
    return 1 if problem else 0


def _web() -> str:
    # The name has to be one of ours, or Django refuses to answer
    host = os.environ.get("PLUMBLINE_ALLOWED_HOSTS", "127.0.0.1").split(",")[0].strip()
    request = urllib.request.Request(f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/healthz", headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            return "" if answer.status == 200 else f"/healthz answered {answer.status}"
    except (urllib.error.URLError, OSError) as error:
        return f"/healthz does not answer: {error}"


def _worker() -> str:
    import redis

    if not any(b"workers.app" in _command(process) for process in Path("/proc").glob("[0-9]*")):
        return "no celery process is alive"
    try:
        redis.Redis.from_url(os.environ["PLUMBLINE_REDIS_URL"], socket_timeout=SECONDS, socket_connect_timeout=SECONDS).ping()
    except redis.RedisError as error:
        return f"the queue does not answer: {error}"
    return ""


def _command(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""  # it ended while we looked


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
