"""`make bench`: our engine beside other AutoML systems on the same splits, by the harness in ../shared/bench.

Ours is always run anew. Peers named by --peers are installed in environments of their own (never in ours) and run anew too, in turns with ours; the others are
read from the harness's own record, each with the date on which it was measured. Printed: a row a cell, then each system's mean rank, where a score within a
tie of a better one shares its rank, the share of cells within a tie of the best, size of the model and time to predict.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
HARNESS = ROOT.parent / "shared" / "bench"
OURS = "cmd:ours"
TIE_OF_SCORE, TIE_OF_LOSS = 0.0005, 0.005
"""Absolute for an area under the curve, relative for a loss."""
ENVIRONMENT_OF = {"ag_best": "ag", "ag_medium": "ag", "ag_good": "ag", "ag_v150": "ag", "flaml_ens": "flaml", "lgbm_default": "diy", "mljar_perform": "mljar"}


@dataclass(frozen=True)
class Cell:
    """One system on one split of one table."""

    system: str
    dataset: str
    seed: int
    score: float
    is_loss: bool
    predict_us: float | None
    """Per row."""
    model_mb: float | None
    fit_s: float | None
    measured: str

    def beats(self, other: Cell) -> bool:
        """By more than a tie."""
        if self.is_loss:
            return self.score < other.score * (1 - TIE_OF_LOSS)
        return self.score > other.score + TIE_OF_SCORE


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bench", description="Our engine beside others.")
    parser.add_argument("--datasets", default="open", help="names, groups or all (default: open)")
    parser.add_argument("--seeds", default="0,1")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--peers", default="", help="installed and run anew, for example ag_best,flaml")
    options = parser.parse_args(arguments)
    if not (HARNESS / "bench.py").is_file():
        print(f"The comparison needs the project's shared folder: there is no {HARNESS / 'bench.py'}", file=sys.stderr)
        return 2
    home = Path(os.environ.get("BENCH_HOME") or Path.home() / ".cache" / "plumbline-bench")
    home.mkdir(parents=True, exist_ok=True)
    results = home / "results.jsonl"
    if not results.exists():
        shutil.copyfile(HARNESS / "peers.jsonl", results)
    peers = [name for name in options.peers.split(",") if name]
    if peers:
        environments = sorted({ENVIRONMENT_OF.get(name, name) for name in peers})
        subprocess.run(["bash", str(HARNESS / "install.sh"), *environments], check=True, env={**os.environ, "BENCH_HOME": str(home)})
    command = f"{HARNESS}/ours.sh {{train}} {{test}} {{out}} {{target}} {{task}} {{budget}} {{threads}} {{seed}}"
    began = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for seed in options.seeds.split(","):
        subprocess.run(
            [sys.executable, str(HARNESS / "bench.py"), "--system", ",".join([OURS, *peers]), "--cmd", command, "--dataset", options.datasets, "--seed", seed,
             "--budget", str(options.seconds), "--force"],
            check=True, env={**os.environ, "BENCH_HOME": str(home), "PROJECT": str(ROOT), "PROJECT_PYTHON": sys.executable})
    print("\n".join(report(read_cells(results.read_text().splitlines(), options.seconds), began)))
    return 0


def read_cells(lines: Iterable[str], seconds: int) -> list[Cell]:
    """The newest record of each system, dataset and seed with this budget."""
    found: dict[tuple[str, str, int], Cell] = {}
    for line in lines:
        record = json.loads(line)
        if record.get("ok") and record["budget"] == seconds:
            cell = _cell(record)
            found[cell.system, cell.dataset, cell.seed] = cell
    return list(found.values())


def _cell(record: dict[str, Any]) -> Cell:
    predict = record.get("predict_s")
    return Cell(
        system=record["system"], dataset=record["dataset"], seed=record["seed"], score=record["score"], is_loss=record["task"] != "binary",
        predict_us=None if predict is None else predict / record["n_test"] * 1e6, model_mb=record.get("model_mb"), fit_s=record.get("fit_s"), measured=record["at"])


def rank(cell: Cell, rivals: Iterable[Cell]) -> int:
    """1 + how many rivals are better by more than a tie."""
    return 1 + sum(rival.beats(cell) for rival in rivals)


def report(cells: Sequence[Cell], began: str) -> list[str]:
    """The tables, as markdown, over the cells that ours was run on since ``began``."""
    ours = {(cell.dataset, cell.seed): cell for cell in cells if cell.system == OURS and cell.measured >= began}
    beside = {key: [cell for cell in cells if (cell.dataset, cell.seed) == key and (cell.system != OURS)] for key in ours}
    lines = ["", "| table | seed | ours | rank | best other | by | us/row | MB | fit s |", "|---|---|---|---|---|---|---|---|---|"]
    for key, cell in sorted(ours.items()):
        others = sorted(beside[key], key=lambda each: each.score if each.is_loss else -each.score)
        best = f"{others[0].score:.5g} | {others[0].system}" if others else " | "
        lines.append(f"| {cell.dataset} | {cell.seed} | {cell.score:.5g} | {rank(cell, others)} of {len(others) + 1} | {best} | {_shown(cell.predict_us)} | {_shown(cell.model_mb)} | {_shown(cell.fit_s)} |")
    lines += ["", "| system | cells | mean rank | within a tie of the best | median us/row | median MB | measured |", "|---|---|---|---|---|---|---|"]
    for system in sorted({cell.system for each in beside.values() for cell in each} | {OURS}, key=lambda name: (name != OURS, name)):
        mine = [(cell, [rival for rival in (ours[key], *beside[key]) if rival is not cell]) for key in ours for cell in (ours[key], *beside[key]) if cell.system == system]
        ranks = [rank(cell, rivals) for cell, rivals in mine]
        best = sum(not any(rival.beats(cell) for rival in rivals) for cell, rivals in mine)
        lines.append(
            f"| {system} | {len(mine)} | {mean(ranks):.2f} | {best} of {len(mine)} | {_middle(cell.predict_us for cell, _ in mine)} | {_middle(cell.model_mb for cell, _ in mine)} | "
            f"{min(cell.measured for cell, _ in mine)[:10]} |")
    return lines


def _shown(number: float | None) -> str:
    return "" if number is None else f"{number:.3g}"


def _middle(numbers: Iterable[float | None]) -> str:
    known = [number for number in numbers if number is not None]
    return f"{median(known):.3g}" if known else ""


if __name__ == "__main__":
    sys.exit(main())
