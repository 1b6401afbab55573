"""T-55: many runs while about one in twenty of them meets a fault, drawn with a seed. Not for CI: `make soak`."""

from __future__ import annotations

import os
import random
from typing import Any

import psutil
import pytest

from tests.flow.house import REST, RUNS, House

RUNS_IN_ALL = int(os.environ.get("SOAK_RUNS", "500"))
AT_ONCE = 20
FAULT_IN = 20
PLACES = ("read", "split", "trial-1", "ensemble", "evidence", "bundle", "draw", "sign", "before_commit", "committed")
WARM_UP = 1
"""Rounds after which memory and open files are first looked at."""


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_t55_one_run_in_twenty_meets_a_fault(redis_server: Any) -> None:
    draw = random.Random(55)
    house = House(redis_server, None, settings={"RUN_MEMORY": str(400 * 2**20)})
    try:
        sweeper, worker = house.start_workers(REST, RUNS)
        first: tuple[int, int] | None = None
        for round_number in range(RUNS_IN_ALL // AT_ONCE):
            house.fail_at(*(f"{place}:{draw.choice(('kill', 'fail', 'full'))}" for place in draw.sample(PLACES, AT_ONCE // FAULT_IN)))
            runs = house.do("submit", title="trials=3", times=AT_ONCE)
            for run in runs:
                seen = house.until_state(run, "succeeded", "failed", seconds=300)
                assert seen["state"] == "succeeded" or seen["code"] in ("internal", "storage_full", "worker_lost"), seen
            assert house.do("trouble") == []
            assert (sweeper.poll(), worker.poll()) == (None, None)
            if round_number == WARM_UP:
                first = _held(house)
        assert first is not None
        last = _held(house)
        print(f"{RUNS_IN_ALL} runs: memory {first[0] / 2**20:.1f} -> {last[0] / 2**20:.1f} MiB, open files {first[1]} -> {last[1]}")
        assert last[0] < 1.05 * first[0]
        assert last[1] <= first[1] + 2
    finally:
        house.stop()


def _held(house: House) -> tuple[int, int]:
    """Bytes and open files of the workers' own processes; what dies in a fault is started anew and counts as it is."""
    parents = [psutil.Process(worker.pid) for worker in house.workers]
    return sum(parent.memory_info().rss for parent in parents), sum(parent.num_fds() for parent in parents)
