"""`make run` in order: look whether it can start, prepare the home, keep the processes alive, audit the sample beside them, stop all together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from auditapp.embedded.preflight import CannotStart, check_disk, check_port, only_one, port_of

ROOT = Path(__file__).resolve().parents[2]
LONGEST_LOG_BYTES = 20 * 2**20


def main() -> int:
    """Serve until Ctrl-C or SIGTERM. 0 when it was asked to stop, 1 with one sentence when it could not start or go on."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "auditapp.settings")
    from django.core.exceptions import ImproperlyConfigured

    from auditapp.home import HomeUnusable

    try:
        return _serve()
    except (CannotStart, HomeUnusable, ImproperlyConfigured) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _serve() -> int:
    port = port_of(os.environ)
    import django
    from django.conf import settings
    from django.db import connections

    from auditapp.home import make_private, prepare_home

    django.setup()
    if settings.PRODUCTION:
        raise CannotStart("PLUMBLINE_PROFILE is production: `make run` is the embedded profile; production is started by docker-compose.yml.")
    make_private(settings.HOME)
    with only_one(settings.HOME):
        check_disk(settings.HOME)
        check_port(port)
        print(f"Preparing {settings.HOME} ...", flush=True)
        prepare_home()
        connections.close_all()
        with _log(settings.HOME) as log:
            return _keep_alive(port, settings.HOME, log)


def _keep_alive(port: int, home: Path, log: IO[str]) -> int:
    from auditapp.embedded.processes import ProcessGroup, die_with_parent

    environment = {
        **os.environ, "PORT": str(port), "PLUMBLINE_HOME": str(home), "PYTHONUNBUFFERED": "1", "DJANGO_SETTINGS_MODULE": "auditapp.settings",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }
    group = ProcessGroup(ROOT / "Procfile", environment, log)
    # Its lines go straight to the terminal; the processes' own go to the log
    welcome = subprocess.Popen(
        [sys.executable, "-m", "auditapp.embedded.first_audit"], cwd=ROOT, env=environment, start_new_session=True,
        preexec_fn=lambda: die_with_parent(signal.SIGTERM))
    group.on_stopping = welcome.terminate
    try:
        group.loop()
    finally:
        welcome.terminate()
        welcome.wait()
    if group.asked_to_stop:
        print("\nPlumbline has stopped; `make run` goes on with the same data.", flush=True)
        return 0
    with open(log.name, encoding="utf-8", errors="replace") as written:
        print("".join(deque(written, maxlen=20)), file=sys.stderr)
    print(f"A process ended and could not be kept alive, so everything was stopped; its last lines stand above, all of them in {log.name}.", file=sys.stderr)
    return 1


@contextmanager
def _log(home: Path) -> Iterator[IO[str]]:
    from auditapp.home import make_private

    make_private(home / "logs")
    path = home / "logs" / "run.log"
    if path.exists() and path.stat().st_size > LONGEST_LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    with open(path, "a", encoding="utf-8") as log:
        yield log
