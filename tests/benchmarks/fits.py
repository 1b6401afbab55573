"""One fit by the contract's command, with its wall time from start to end and the peak memory of all its processes."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Fit:
    seconds: float
    peak_mb: float
    members: list[dict[str, Any]]


def fit(table: Path, *options: str, threads: int = 2) -> Fit:
    """Raises CalledProcessError with what the command said."""
    with tempfile.TemporaryDirectory(prefix="plumbline-bench-") as folder:
        out = Path(folder) / "model"
        begun = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "automl", "fit", str(table), "--target", "y", "--threads", str(threads), *options, "--out", str(out)], cwd=ROOT,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        watch = _Watch(process.pid)
        said = process.communicate()[1]
        seconds = time.monotonic() - begun
        watch.over.set()
        watch.join()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args, stderr=said)
        return Fit(seconds, watch.peak / 2**20, json.loads((out / "model.json").read_text())["members"])


class _Watch(threading.Thread):
    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.over, self.peak = pid, threading.Event(), 0
        self.start()

    def run(self) -> None:
        while not self.over.wait(0.1):
            try:
                family = [psutil.Process(self.pid), *psutil.Process(self.pid).children(recursive=True)]
                self.peak = max(self.peak, sum(each.memory_info().rss for each in family))
            except psutil.Error:
                continue
