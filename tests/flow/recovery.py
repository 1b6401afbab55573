"""`python -m tests.flow.recovery`: how long a run, or the service, takes to come back after a kill -9, with the real lease, beat and sweep (60, 15, 15 s)."""

from __future__ import annotations

import time
import urllib.request

import psutil

from tests.conftest import running_redis
from tests.flow.house import REST, RUNS, House
from tests.web import running_web

REAL = {"LEASE_SECONDS": "60", "BEAT_SECONDS": "15", "SWEEP_SECONDS": "15", "RING_AGAIN_SECONDS": "30"}


def main() -> None:
    for redis in running_redis():
        house = House(redis, None, settings=REAL)
        try:
            house.start_worker(REST)
            house.start_worker(RUNS)
            print(f"child killed: claimed again after {_child(house):.1f} s")
            house.start_worker(RUNS)
            print(f"worker killed, another one idle: claimed again after {_worker(house):.1f} s")
            print(f"Redis killed for 5 s and emptied: a run submitted meanwhile is claimed {_redis(house):.1f} s after its return")
            print(f"a web process killed: the next answer after {_web(house):.2f} s")
            assert house.do("trouble") == []
        finally:
            house.stop()


def _running(house: House) -> str:
    [run] = house.do("submit", title="trials=4 sleep=2")
    house.until_trials(run, 1)
    return str(run)


def _claimed_again(house: House, run: str, killed: float) -> float:
    seen = house.until_state(run, "succeeded", "failed", seconds=150)
    assert (seen["state"], seen["attempt"]) == ("succeeded", 2), seen
    claimed: list[float] = [at for kind, at in seen["times"] if kind == "claimed"]
    return claimed[1] - killed


def _child(house: House) -> float:
    run = _running(house)
    killed = time.time()
    for process in house.children(run):
        process.kill()
    return _claimed_again(house, run, killed)


def _worker(house: House) -> float:
    run = _running(house)
    owner = house.do("look", run=run)["owner"]
    victim = next(worker for worker in house.workers[1:] if any(str(process.pid) in owner for process in house.pool_of(worker)))
    killed = time.time()
    house.kill_worker(victim)
    return _claimed_again(house, run, killed)


def _redis(house: House) -> float:
    house.redis.kill()
    for path in house.redis.folder.rglob("*.aof*"):
        path.unlink()
    [run] = house.do("submit", title="trials=0")
    time.sleep(5)
    house.redis.start()
    back = time.time()
    seen = house.until_state(run, "succeeded", "failed", seconds=150)
    assert (seen["state"], seen["attempt"]) == ("succeeded", 1), seen
    claimed: float = next(at for kind, at in seen["times"] if kind == "claimed")
    return claimed - back


def _web(house: House) -> float:
    with running_web(house.environment, house.folder / "web.log") as web:
        killed = time.monotonic()
        for process in psutil.Process(web.pid).children():
            process.kill()
        while True:
            try:
                urllib.request.urlopen(web.base + "/healthz", timeout=5).close()
                return time.monotonic() - killed
            except OSError:
                time.sleep(0.01)


if __name__ == "__main__":
    main()
