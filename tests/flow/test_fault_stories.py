"""What real signals do to real processes (faults.md, section 4), on SQLite and on PostgreSQL. Every story ends with the same invariants."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.flow.house import RUNS, House

pytestmark = [pytest.mark.story, pytest.mark.postgres]


@pytest.fixture(autouse=True)
def _invariants(house: House) -> Iterator[None]:
    house.fail_at()
    yield
    house.fail_at()
    assert house.do("trouble") == []


def runs_worker(house: House) -> subprocess.Popen[bytes]:
    """The worker that takes runs: the newest that lives, or a new one."""
    living = [worker for worker in house.workers[1:] if worker.poll() is None]
    return living[-1] if living else house.start_worker(RUNS)


def test_a_run_goes_from_submission_to_report(house: House) -> None:
    runs_worker(house)
    [run] = house.do("submit", title="trials=2")
    seen = house.until_state(run, "succeeded", "failed")
    assert seen["state"] == "succeeded"
    assert [kind for kind, *_ in seen["events"] if kind in ("submitted", "claimed", "succeeded")] == ["submitted", "claimed", "succeeded"]
    assert [text for kind, _, text in seen["events"] if kind == "stage"] == ["read", "split", "tune", "ensemble", "evidence", "draw", "sign"]
    assert {"evidence.json", "charts.json", "manifest.json", "modelcard.md", "predictions.csv", "model/model.json", "charts/roc.svg"} <= set(seen["artifacts"])
    assert seen["report"] == "awaiting_signature"


def test_t02_web_killed_between_commit_and_doorbell(house: House) -> None:
    runs_worker(house)
    web = house.new_driver(PLUMBLINE_FAILPOINT="after_commit:kill", PLUMBLINE_FAILPOINT_ONCE="")
    before = house.do("states")
    with pytest.raises(BrokenPipeError):
        web("submit", title="trials=0")
    web.stop()
    assert sum(house.do("states").values()) == sum(before.values()) + 1
    house.until(lambda: house.do("states").get("succeeded", 0) == before.get("succeeded", 0) + 1, 60, "the run that nobody rang for is done")


def test_t03_worker_killed_while_running(house: House) -> None:
    worker = runs_worker(house)
    [run] = house.do("submit", title="trials=8 sleep=0.5")
    house.until_trials(run, 2)
    children = house.children(run)
    assert children
    house.kill_worker(worker)
    house.until(lambda: not house.children(run), 10, "the child dies with its worker")
    runs_worker(house)
    seen = house.until_state(run, "succeeded", "failed")
    assert (seen["state"], seen["attempt"]) == ("succeeded", 2), seen
    assert ("requeued", 1, "its worker was lost") in map(tuple, seen["events"])
    attempts = [attempt for _, attempt in seen["trials"]]
    assert len(attempts) == 8
    assert attempts[:2] == [1, 1], "what was finished is not repeated"
    assert attempts[-1] == 2


def test_t04_pool_process_killed(house: House) -> None:
    worker = runs_worker(house)
    [run] = house.do("submit", title="trials=6 sleep=0.5")
    house.until_trials(run, 1)
    for process in house.pool_of(worker):
        process.kill()
    seen = house.until_state(run, "succeeded", "failed")
    assert (seen["state"], seen["attempt"]) == ("succeeded", 2), seen
    assert worker.poll() is None, "the worker itself goes on"


@pytest.mark.parametrize("place", ["read", "split", "trial-1", "ensemble", "evidence", "bundle", "draw", "sign", "before_commit"])
def test_t05_killed_at_each_stage(house: House, place: str) -> None:
    runs_worker(house)
    house.fail_at(f"{place}:kill")
    [run] = house.do("submit", title="trials=3")
    seen = house.until_state(run, "succeeded", "failed")
    assert house.struck(f"{place}:kill")
    assert (seen["state"], seen["attempt"]) == ("succeeded", 2), seen


def test_t05_killed_after_the_commit(house: House) -> None:
    runs_worker(house)
    house.fail_at("committed:kill")
    [run, following] = house.do("submit", title="trials=1", times=2)
    seen = house.until_state(run, "succeeded")
    house.until(lambda: house.struck("committed:kill"), 10, "killed")
    assert seen["attempt"] == 1
    assert house.until_state(following, "succeeded", "failed")["state"] == "succeeded", "the next in line starts although nobody rang"


def test_t06_killed_twice(house: House) -> None:
    runs_worker(house)
    house.fail_at("read:kill", "split:kill")
    [run] = house.do("submit", title="trials=1")
    seen = house.until_state(run, "succeeded", "failed")
    assert (seen["state"], seen["attempt"], seen["code"]) == ("failed", 2, "worker_lost"), seen
    assert "died 2 times" in seen["text"]


def test_t07_frozen_worker_wakes_up_late(house: House) -> None:
    zombie = runs_worker(house)
    [run] = house.do("submit", title="trials=5 sleep=0.5")
    house.until_trials(run, 1)
    house.freeze(zombie)
    other = house.start_worker(RUNS)
    seen = house.until_state(run, "succeeded", "failed")
    assert (seen["state"], seen["attempt"]) == ("succeeded", 2), seen
    house.signal_group(zombie, signal.SIGCONT)
    house.until(lambda: not house.children(run), 30, "the late attempt's child is ended")
    assert house.do("look", run=run) == seen, "the late attempt wrote nothing"
    house.kill_worker(other)
    # The one that was frozen still works
    [after] = house.do("submit", title="trials=0")
    assert house.until_state(after, "succeeded", "failed")["state"] == "succeeded"


@pytest.mark.parametrize("emptied", [False, True], ids=["t08", "t09"])
def test_t08_t09_redis_killed(house: House, emptied: bool) -> None:
    """With all that it had written down, or with nothing of it."""
    runs_worker(house)
    running, *waiting = house.do("submit", title="trials=3 sleep=0.5", times=3)
    house.until_trials(running, 1)
    house.redis.kill()
    for path in house.redis.folder.rglob("*.aof*") if emptied else ():
        path.unlink()
    [late] = house.do("submit", title="trials=0")
    house.redis.start()
    for run in (running, *waiting, late):
        seen = house.until_state(run, "succeeded", "failed", seconds=120)
        assert (seen["state"], seen["attempt"]) == ("succeeded", 1), seen


def test_t13_doorbell_rings_five_times_and_for_a_finished_run(house: House) -> None:
    runs_worker(house)
    [run] = house.do("submit", title="trials=2 sleep=0.2")
    house.do("ring", run=run, times=5)
    first = house.until_state(run, "succeeded", "failed")
    house.do("ring", run=run)
    [after] = house.do("submit", title="trials=0")
    house.until_state(after, "succeeded")
    assert house.do("look", run=run) == first
    assert (first["state"], first["attempt"]) == ("succeeded", 1)


def test_t19_child_needs_more_memory_than_the_limit(house: House) -> None:
    runs_worker(house)
    house.fail_at("evidence:memory")
    [run] = house.do("submit", title="trials=1")
    seen = house.until_state(run, "succeeded", "failed")
    assert (seen["state"], seen["attempt"], seen["code"]) == ("failed", 1, "out_of_memory"), seen
    assert "0.4 GiB" in seen["text"]


def test_t20_child_spins_for_ever(house: House) -> None:
    house.kill_worker(runs_worker(house))
    worker = house.start_worker(RUNS, PLUMBLINE_RUN_SECONDS="5")
    house.fail_at("split:spin")
    [run] = house.do("submit", title="trials=1")
    seen = house.until_state(run, "succeeded", "failed")
    assert (seen["state"], seen["attempt"], seen["code"]) == ("failed", 1, "time_limit"), seen
    assert not house.children(run)
    house.kill_worker(worker)


def test_t21_cancel_while_waiting_and_again(house: House) -> None:
    runs_worker(house)
    [first, waiting] = house.do("submit", title="trials=4 sleep=0.3", times=2)
    house.until_trials(first, 1)
    assert house.do("look", run=waiting)["place"] == 1
    assert house.do("cancel", run=waiting) == "cancelled"
    assert house.do("cancel", run=waiting) == "cancelled"
    assert house.until_state(first, "succeeded", "failed")["state"] == "succeeded"
    assert house.do("cancel", run=first) == "succeeded", "done stays done"


@pytest.mark.parametrize("strike", ["", "tune:spin", "draw:sleep"])
def test_t21_cancel_while_running(house: House, strike: str) -> None:
    """Between trials, in C code that hears nothing, and while the worker itself is busy."""
    runs_worker(house)
    house.fail_at(strike)
    [run] = house.do("submit", title="trials=200 sleep=0.2" if not strike else "trials=1")
    if strike:
        house.until(lambda: house.struck(strike), 30, "struck")
    else:
        house.until_trials(run, 1)
    house.do("cancel", run=run)
    house.do("cancel", run=run)
    asked = time.monotonic()
    if strike == "draw:sleep":
        # The worker's own process hangs: its lease runs out and the reconciler answers instead
        for process in house.pool_of(runs_worker(house)):
            process.kill()
    seen = house.until_state(run, "cancelled", "succeeded", "failed", seconds=15)
    house.until(lambda: not house.children(run), 15 - (time.monotonic() - asked), "the child is gone within 15 s")
    assert (seen["state"], seen["attempt"]) == ("cancelled", 1), seen


def test_t21_cancel_and_kill(house: House) -> None:
    worker = runs_worker(house)
    [run] = house.do("submit", title="trials=200 sleep=0.2")
    house.until_trials(run, 1)
    house.do("cancel", run=run)
    house.kill_worker(worker)
    assert house.until_state(run, "cancelled", "succeeded", "failed")["state"] == "cancelled"


def test_finish_now_keeps_the_best_so_far(house: House) -> None:
    runs_worker(house)
    [run] = house.do("submit", title="trials=300 sleep=0.2")
    house.until_trials(run, 2)
    house.do("finish", run=run)
    seen = house.until_state(run, "succeeded", "failed")
    assert seen["state"] == "succeeded"
    assert 2 <= len(seen["trials"]) < 300


def test_stopped_worker_hands_its_run_back(house: House) -> None:
    worker = runs_worker(house)
    [run] = house.do("submit", title="trials=6 sleep=0.5")
    house.until_trials(run, 1)
    worker.terminate()
    worker.wait(30)
    seen = house.do("look", run=run)
    assert seen["state"] == "queued"
    runs_worker(house)
    seen = house.until_state(run, "succeeded", "failed")
    assert (seen["state"], seen["attempt"]) == ("succeeded", 2), seen
    assert ("requeued", 1, "the worker was stopped") in map(tuple, seen["events"])
