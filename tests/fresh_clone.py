"""A fresh clone of the checkout, `make run` in it, and the README's blocks: what the stories about setting up stand on."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from auditapp.embedded.install import COMPILED

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"<!-- (?P<mark>[^>]+) -->\n```sh\n(?P<code>.*?)```\n", re.DOTALL)


def make_clone(folder: Path) -> Path:
    """What a clone of the checkout holds, with the virtual environment that the tests run in and what setting up has compiled."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)  # with its time, by which its machine code is known
    for source in COMPILED:
        (kept := folder / source.parent.relative_to(ROOT) / "__pycache__").mkdir(exist_ok=True)
        for file in (source.parent / "__pycache__").glob(f"{source.stem}.*.nb?"):
            shutil.copy2(file, kept / file.name)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    return folder


def clean_environment(home: Path) -> dict[str, str]:
    """This process's environment without what belongs to the tests or to a developer."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith(("PLUMBLINE_", "DJANGO_", "COV_", "MAKE", "PYTEST"))}, "PLUMBLINE_HOME": str(home)}


def readme_blocks(page: str = "README.md") -> list[tuple[str, str]]:
    """Mark and code of each block of shell in the README, or in another ``page``."""
    return [(found["mark"], found["code"]) for found in BLOCK.finditer((ROOT / page).read_text())]


def run_block(code: str, clone: Path, home: Path) -> None:
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", code], cwd=clone, env=clean_environment(home), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{code}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def until(holds: Callable[[], Any], seconds: float, what: Callable[[], str]) -> Any:
    """Wait until ``holds`` gives something true; a bound, generous because the machine is shared, not a measurement."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := holds():
            return answer
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s: {what()}")


class MakeRun:
    """One `make run` in a process group of its own, as a terminal would start it, with everything it prints."""

    def __init__(self, clone: Path, home: Path, port: int) -> None:
        self.home = home
        self.process = subprocess.Popen(
            ["make", "run", f"PORT={port}"], cwd=clone, env=clean_environment(home), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.lines.append(line)

    @property
    def text(self) -> str:
        return "".join(self.lines)

    def until_printed(self, pattern: str, seconds: float) -> re.Match[str]:
        found: re.Match[str] = until(lambda: re.search(pattern, self.text), seconds, lambda: f"{pattern!r} in\n{self.text}\n{self.log()[-6000:]}")
        return found

    def log(self) -> str:
        path = self.home / "logs" / "run.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def wait(self, seconds: float) -> int:
        code = self.process.wait(seconds)
        self._reader.join(10)
        return code

    def end(self, sign: signal.Signals) -> None:
        """The whole foreground group gets the signal, as from a terminal."""
        os.killpg(self.process.pid, sign)
        self.wait(60)
