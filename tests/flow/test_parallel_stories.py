"""One run, two workers, a real PostgreSQL and the real engine: what is shared, and what a kill costs."""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from automl.data.sample import make_sample
from automl.learn.shared_search import LOST
from automl.spec import OPTIONAL_PARTS
from tests.conftest import new_database
from tests.flow.house import RUNS, SCRIPTED_RENDER, SWEEPS, House

pytestmark = [pytest.mark.story, pytest.mark.postgres, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "sample.csv"
    path.write_text(make_sample(rows=1_200))
    return path


# The machine may be busy with other tests: only death ends a lease here, not slowness
SETTINGS = {"LEASE_SECONDS": "10", "RUN_THREADS": "1"}


@pytest.fixture(scope="module")
def long_lived_house(module_redis: Any, postgres_server: Any) -> Iterator[House]:
    """The real engine, and reports that nobody reads."""
    for url in new_database(postgres_server):
        house = House(module_redis, url, scripted=SCRIPTED_RENDER, settings=SETTINGS)
        house.start_worker(SWEEPS)
        yield house
        house.stop()


@pytest.fixture
def house(long_lived_house: House) -> House:
    """Two workers live in it, whoever was killed before."""
    living = [worker for worker in long_lived_house.workers[1:] if worker.poll() is None]
    long_lived_house.start_workers(*[RUNS] * (2 - len(living)))
    return long_lived_house


MANY = 12
"""Trials, besides the first of all, which is not counted: enough that both workers make some."""


def submit(house: House, table: Path, trials: int) -> str:
    spec = {"target": "approved", "sensitive": ["sex"], "budget": {"trials": trials}, "families": ["linear", "lgbm"], "parallel": 2, "threads": 1, "leave_out": OPTIONAL_PARTS}
    [run] = house.do("submit", title="Shared", path=str(table), spec=spec)
    return str(run)


def worker_of(house: House, owner: str) -> subprocess.Popen[bytes]:
    return next(worker for worker in house.workers[1:] if worker.poll() is None and any(f":{process.pid}" in owner for process in house.pool_of(worker)))


def until_both_search(house: House, run: str) -> dict[str, Any]:
    """Both parts have a child that has been given a trial."""
    def seen() -> Any:
        look = house.do("look", run=run)
        joined = [part for part in look["parts"] if part[1] == "running"]
        return joined and len(house.do("open_trials", run=run)) >= 2 and look
    return dict(house.until(seen, 90, "two parts are at work"))


def freeze_at_a_trial(house: House, run: str, worker: subprocess.Popen[bytes], part: int) -> None:
    """Trials are short here: the helper's child may be between two of them. It stands still where one of its own is open, and stays open when what it had said was heard."""
    pool = house.pool_of(worker)

    def stands_at_one() -> bool:
        children = [child for child in house.children(run) if any(member in child.parents() for member in pool)]
        for child in children:
            child.suspend()
        time.sleep(0.5)
        if children and part in house.do("open_trials", run=run):
            return True
        for child in children:
            child.resume()
        return False
    house.until(stands_at_one, 60, f"part {part} stands still at a trial")


def trials(house: House, run: str) -> list[tuple[int, str, str]]:
    return [(number, state, note) for number, state, note in house.do("trials_in_evidence", run=run)]


def test_two_workers_make_one_run(house: House, table: Path) -> None:
    run = submit(house, table, trials=MANY)
    until_both_search(house, run)
    seen = house.until_state(run, "succeeded", "failed", seconds=300)
    assert (seen["state"], seen["attempt"], seen["report"]) == ("succeeded", 1, "awaiting_signature"), seen
    found = trials(house, run)
    assert [number for number, *_ in found] == list(range(MANY + 1))
    assert LOST not in {note for *_, note in found}
    assert {(number, attempt) for number, attempt in seen["trials"]} == {(number, 1) for number in range(MANY + 1)}, "all of them are kept"
    made = Counter(house.do("parts_of_trials", run=run))
    assert set(made) == {0, 1}
    assert min(made.values()) >= 2, f"both did their share: {made}"
    house.until(lambda: house.do("look", run=run)["parts"][0][1] == "ended", 30, "the part has ended")
    assert "order_depends_on_timing" in house.do("finding_ids", run=run)
    assert house.do("trouble") == []


def test_a_killed_helper_costs_its_own_trial_only(house: House, table: Path) -> None:
    run = submit(house, table, trials=MANY)
    seen = until_both_search(house, run)
    [(part, _, _, owner)] = seen["parts"]
    helper = worker_of(house, owner)
    freeze_at_a_trial(house, run, helper, part)
    house.kill_worker(helper)
    before = dict(house.do("look", run=run)["trials"])
    seen = house.until_state(run, "succeeded", "failed", seconds=300)
    assert (seen["state"], seen["attempt"], seen["report"]) == ("succeeded", 1, "awaiting_signature"), seen
    found = trials(house, run)
    lost = [number for number, _, note in found if note == LOST]
    assert 1 <= len(lost) <= 2, "what it was at, which is one trial, or two where a fold of the next had begun"
    assert [number for number, *_ in found] == list(range(MANY + 1 + len(lost))), "as many as asked for, and the lost ones"
    assert not set(lost) & set(before), "nothing finished is lost"
    assert house.do("trouble") == []


def test_a_killed_lead_is_followed_by_the_helper(house: House, table: Path) -> None:
    """The only worker that is left helps, and must let go to lead; what both had finished is not repeated."""
    run = submit(house, table, trials=MANY)
    until_both_search(house, run)
    seen = house.until_trials(run, 5, seconds=90)
    house.kill_worker(worker_of(house, seen["owner"]))
    before = dict(house.do("look", run=run)["trials"])
    seen = house.until_state(run, "succeeded", "failed", seconds=400)
    assert (seen["state"], seen["attempt"], seen["report"]) == ("succeeded", 2, "awaiting_signature"), seen
    after = dict(seen["trials"])
    assert all(after[number] == 1 for number in before), "nothing finished is repeated"
    numbers = [number for number, *_ in trials(house, run)]
    assert numbers == list(range(len(numbers)))
    assert len([note for *_, note in trials(house, run) if note != LOST]) == MANY + 1
    assert house.do("trouble") == []


def test_cancelled_both_stop_and_nothing_is_kept(house: House, table: Path) -> None:
    run = submit(house, table, trials=5_000)
    until_both_search(house, run)
    house.do("cancel", run=run)
    seen = house.until_state(run, "cancelled", "failed", "succeeded", seconds=60)
    assert (seen["state"], seen["trials"]) == ("cancelled", [])
    house.until(lambda: not house.children(run), 30, "no child is left")
    house.until(lambda: house.do("look", run=run)["parts"][0][1] == "ended", 30, "the part has ended")
    assert house.do("look", run=run)["trials"] == []
    assert house.do("trouble") == []


def test_asked_to_finish_both_stop_and_the_best_is_kept(house: House, table: Path) -> None:
    run = submit(house, table, trials=5_000)
    until_both_search(house, run)
    house.until_trials(run, 4, seconds=90)
    house.do("finish", run=run)
    seen = house.until_state(run, "succeeded", "failed", seconds=200)
    assert (seen["state"], seen["report"]) == ("succeeded", "awaiting_signature"), seen
    assert house.do("trouble") == []


def test_a_keeper_that_is_killed_loses_the_attempt_and_not_the_run(house: House, table: Path) -> None:
    run = submit(house, table, trials=6)
    until_both_search(house, run)
    [keeper] = house.keepers(run, part=0)
    keeper.send_signal(signal.SIGKILL)
    seen = house.until_state(run, "succeeded", "failed", seconds=400)
    assert (seen["state"], seen["attempt"]) == ("succeeded", 2), seen
    assert house.do("trouble") == []
