"""T-14: several workers, many runs, each claimed once. The child does nothing, so that claiming is all there is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flow.house import RUNS, SWEEPS, House

WORKSPACES = 20
RUNS_OF_EACH = 10


def claim_them_all(redis: Any, database_url: str | None, repeats: int) -> None:
    # Leases as in production: here no worker dies, and a busy machine must not look like a dead one
    house = House(redis, database_url, settings={"LEASE_SECONDS": "60", "BEAT_SECONDS": "15", "SWEEP_SECONDS": "1", "RING_AGAIN_SECONDS": "2"})
    try:
        for repeat in range(repeats):
            for number in range(WORKSPACES):
                if not repeat and number == WORKSPACES // 2:  # half of the runs wait already; the others come in while four ask for them
                    house.start_workers(SWEEPS, *[RUNS] * 4)
                house.do("submit", title="nothing", workspace_name=f"w{number}", times=RUNS_OF_EACH)
            total = WORKSPACES * RUNS_OF_EACH * (repeat + 1)
            house.until(lambda: house.do("states").get("cancelled", 0) == total, 400, f"{total} runs have ended: {house.do('states')}")  # noqa: B023 - called at once
            assert house.do("highest_attempt") == 1
            assert house.do("trouble") == []
    finally:
        house.stop()


@pytest.mark.story
@pytest.mark.postgres
@pytest.mark.timeout(1_200)
def test_t14_four_workers_two_hundred_runs(redis_server: Any, fresh_database_url: str | None) -> None:
    claim_them_all(redis_server, fresh_database_url, 1)


@pytest.mark.soak
@pytest.mark.postgres
@pytest.mark.timeout(4_800)
def test_t14_twenty_times(redis_server: Any, fresh_database_url: str | None) -> None:
    claim_them_all(redis_server, fresh_database_url, 20)
