"""The real engine, renderer and signature under a real kill; and the real lease values once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from automl.data.sample import make_sample
from automl.spec import OPTIONAL_PARTS
from tests.flow.house import REST, House

pytestmark = pytest.mark.story


def test_child_killed_in_tuning_still_ends_in_a_signed_report(redis_server: Any, tmp_path: Path) -> None:
    """On the embedded database; what a kill does to rows is asked of both by the stories of faults, with a scripted engine."""
    table = tmp_path / "sample.csv"
    table.write_text(make_sample(rows=1_200))
    # The machine may be busy with other tests: only death ends a lease here, not slowness
    house = House(redis_server, None, scripted={}, settings={"LEASE_SECONDS": "30", "RUN_THREADS": "2"})
    try:
        house.start_worker(REST)
        house.start_worker()
        house.fail_at("trial-2:kill")
        spec = {"target": "approved", "sensitive": ["sex", "race"], "budget": {"trials": 3}, "families": ["linear", "lgbm"], "leave_out": OPTIONAL_PARTS}
        [run] = house.do("submit", title="The sample", path=str(table), spec=spec)
        seen = house.until_state(run, "succeeded", "failed", seconds=400)
        assert house.struck("trial-2:kill")
        assert (seen["state"], seen["attempt"], seen["report"]) == ("succeeded", 2, "signed"), seen
        assert {"audit.pdf", "audit.unsigned.pdf", "evidence.json", "modelcard.md", "predictions.csv", "model/model.json", "model/model.onnx"} <= set(seen["artifacts"])
        attempts = dict(seen["trials"])
        assert [attempts[0], attempts[1]] == [1, 1], "what was finished is not repeated"
        assert attempts[max(attempts)] == 2
        assert [state for state, *_ in house.do("profile_state")] == ["ready"]
        assert house.do("trouble") == []
    finally:
        house.stop()


def test_real_lease_values(redis_server: Any) -> None:
    """Lease 60 s, beat and sweep 15 s: a run whose worker is killed is claimed again within lease and sweep."""
    house = House(redis_server, None, settings={"LEASE_SECONDS": "60", "BEAT_SECONDS": "15", "SWEEP_SECONDS": "15", "RING_AGAIN_SECONDS": "30"})
    try:
        house.start_worker(REST)
        victim = house.start_worker()
        [run] = house.do("submit", title="trials=2 sleep=2")
        house.until_trials(run, 1)
        house.kill_worker(victim)
        killed = time.monotonic()
        house.start_worker()
        seen = house.until_state(run, "succeeded", "failed", seconds=100)
        assert (seen["state"], seen["attempt"]) == ("succeeded", 2), seen
        claimed_again = [at for kind, at in seen["times"] if kind == "claimed"][1]
        # 60 s of lease since the last beat, one sweep, and what a busy machine takes
        assert claimed_again - (time.time() - (time.monotonic() - killed)) < 60 + 15 + 10
        assert house.do("trouble") == []
    finally:
        house.stop()
