"""T-50 of the fault list: a backup as docs/operating.md says, taken in the middle of a run; restored into an empty folder, all of it is there and the run goes on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.flow.house import ROOT, RUNS, House

pytestmark = pytest.mark.story


@pytest.fixture
def house(redis_server: Any) -> Iterator[House]:
    """With the real renderer and signature: the first run ends in a report that can be verified."""
    house = House(redis_server, None, scripted={"PLUMBLINE_TESTING_PIPELINE": "tests.flow.scripted_pipeline"}, settings={"LEASE_SECONDS": "5"})
    house.start_worker(RUNS)
    yield house
    house.stop()


def manage(environment: dict[str, str], *arguments: str, code: int = 0) -> str:
    done = subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


LOOK = ("import json; from auditapp.models import Run; run = Run.objects.get(pk={run!r}); "
        "print(json.dumps([run.state, run.attempt, list(run.trials.values_list('number', flat=True)), [event.kind for event in run.events.all()]]))")


@pytest.mark.timeout(300)
def test_t50_backup_while_a_run_is_going_on(house: House, tmp_path: Path) -> None:
    [ended] = house.do("submit", title="trials=1")
    assert house.until_state(ended, "succeeded", "failed", seconds=120)["report"] == "signed"
    [going] = house.do("submit", title="trials=40 sleep=0.4")
    house.until_trials(going, 3)
    manage(house.environment, "backup", str(tmp_path / "backup"))
    at_backup = house.do("look", run=going)
    assert at_backup["state"] == "running", "the backup stopped nothing"
    house.do("finish", run=going)
    house.until_state(going, "succeeded")
    house.kill_worker(house.workers[0])

    shutil.copytree(tmp_path / "backup", tmp_path / "restored")
    restored = house.environment | {"PLUMBLINE_HOME": str(tmp_path / "restored")}
    assert ", 1 signed reports: no problems." in manage(restored, "verify_all")
    state, attempt, trials, _ = json.loads(manage(restored, "shell", "-v", "0", "-c", LOOK.format(run=going)))
    assert (state, attempt) == ("running", 1)
    assert len(trials) >= 3

    # Nobody beats its lease: the next worker's first sweep takes it back and goes on with what was kept
    shutil.rmtree(house.folder / "home")
    house.until(lambda: "runs requeued: 1" in manage(restored, "reconcile"), 30, "the run is taken back")
    manage(restored, "shell", "-v", "0", "-c", f"from auditapp import runs; from auditapp.models import Run; runs.request_finish(Run.objects.get(pk={going!r}), None)")
    house.environment = restored
    house.start_worker(RUNS)
    ended_as = house.until(lambda: (seen := json.loads(manage(restored, "shell", "-v", "0", "-c", LOOK.format(run=going))))[0] not in ("queued", "running") and seen, 120, "the run ends")
    assert ended_as[:2] == ["succeeded", 2]
    assert ", 2 signed reports: no problems." in manage(restored, "verify_all")

    # And the check can fail
    next(path for path in (tmp_path / "restored" / "storage" / "sha256").rglob("*") if path.is_file()).unlink()
    assert "is missing from the storage" in manage(restored, "verify_all", code=1)
