"""`make bench BENCH=outside_predictions`: how long somebody else's predictions take to audit, with five attributes and their pairs, and in how much memory."""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from automl.data.limits import TableLimits
from automl.hooks import Hooks, Progress
from automl.pipeline import run_audit_of_predictions
from automl.spec import PredictionsSpec

LEVELS = {"sex": ("Female", "Male"), "race": ("A", "B", "C", "D", "E"), "region": tuple(f"r{at}" for at in range(8)), "disability": ("no", "yes")}
SPEC = {"label": "label", "score": "score", "threshold": 0.5, "positive": "yes", "sensitive": [*LEVELS, "age"], "bins": {"age": [24, 39, 59]}}
MOST_SECONDS, MOST_GIB = 120, 4
"""Of a million rows."""


def write_table(path: Path, rows: int, seed: int = 0) -> Path:
    """Scores that rank well and lean by group; one person in fifty did not say their race."""
    draw = np.random.default_rng(seed)
    columns: dict[str, Any] = {name: pd.Categorical.from_codes(draw.integers(0, len(levels), rows), list(levels)) for name, levels in LEVELS.items()}
    columns["race"] = columns["race"].set_categories([*LEVELS["race"], ""])
    columns["race"][draw.random(rows) < 0.02] = ""
    columns["age"] = draw.integers(18, 90, rows)
    lean = 0.3 * (columns["sex"].codes - 0.5) + 0.1 * columns["race"].codes + 0.01 * (columns["age"] - 50)
    truth = draw.random(rows) < 1 / (1 + np.exp(-lean + 0.5))
    score = 1 / (1 + np.exp(-(lean + 1.5 * truth - 1 + draw.normal(size=rows))))
    frame = pd.DataFrame(columns | {"label": pd.Categorical.from_codes(truth.astype(np.int64), ["no", "yes"]), "score": score.round(5)})
    frame.to_csv(path, index=False)
    return path


class _Clock(Hooks):
    """How long each part of the work took, wall and processor: who tells of a part has ended it."""

    def __init__(self) -> None:
        self.parts, self.last = list[tuple[str, float, float]](), (time.perf_counter(), time.process_time())

    def progress(self, progress: Progress) -> None:
        self.ended(progress.note if progress.done else "reading" if progress.stage == "evidence" else "start")

    def ended(self, part: str) -> None:
        now = (time.perf_counter(), time.process_time())
        self.parts.append((part, now[0] - self.last[0], now[1] - self.last[1]))
        self.last = now


def audit(table: Path, out: Path, rows: int) -> None:
    """In this process; prints what it took."""
    clock = _Clock()
    limits = TableLimits(bytes=1 << 40, rows=rows, columns=20, cells=20 * rows)
    run_audit_of_predictions(PredictionsSpec.model_validate(SPEC), table, out, clock, run={"id": "bench"}, limits=limits)
    clock.ended("writing")
    print(json.dumps({"seconds": sum(wall for _, wall, _ in clock.parts), "processor": sum(cpu for _, _, cpu in clock.parts),
                      "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "parts": clock.parts}))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bench BENCH=outside_predictions")
    parser.add_argument("--rows", default="100000,1000000", help="also 10000000, which takes some minutes and much memory")
    parser.add_argument("--audit", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.audit:
        audit(Path(options.audit[0]), Path(options.audit[1]), int(options.audit[2]))
        return 0
    print("| rows | seconds | of a processor | peak GiB | within | the longest parts |\n|---|---|---|---|---|---|", flush=True)
    missed = 0
    with tempfile.TemporaryDirectory(prefix="plumbline-bench-") as folder:
        for rows in map(int, options.rows.split(",")):
            table = write_table(Path(folder) / f"{rows}.csv", rows)
            done = subprocess.run([sys.executable, "-m", "tests.benchmarks.outside_predictions", "--audit", str(table), str(Path(folder) / f"out-{rows}"), str(rows)],
                                  capture_output=True, text=True)
            table.unlink()
            if done.returncode:
                print(f"| {rows:,} | ended with {done.returncode}: {done.stderr.strip()[-200:]} | | | no | |", flush=True)
                missed += 1
                continue
            took = json.loads(done.stdout.splitlines()[-1])
            kept = rows > 1_000_000 or (took["seconds"] <= MOST_SECONDS and took["peak"] <= MOST_GIB * 2**30)
            missed += not kept
            longest = ", ".join(f"{part} {seconds:.1f} s" for part, seconds, _ in sorted(took["parts"], key=lambda one: -one[1])[:5])
            print(f"| {rows:,} | {took['seconds']:.1f} | {took['processor']:.1f} | {took['peak'] / 2**30:.2f} | {'yes' if kept else 'no'} | {longest} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
