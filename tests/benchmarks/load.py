"""`make bench BENCH=load`: what people and programs wait for while a model is being trained on the same machine, and how the service comes back from four times as much.

A whole service of real processes on its own home and Redis (the Procfile's web process, both workers), 300 ended runs, 40 people with a token and a session each, and one run that
searches with one thread all the while. The calls come at a steady rate (`tests.benchmarks.open_loop`), half of them from programs and half from browsers.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import psutil

from auditapp.sample import SAMPLE_SPEC
from tests.benchmarks.open_loop import Asked, Stream, play, quantile
from tests.conftest import running_redis
from tests.flow.house import REST, ROOT, RUNS, House
from tests.web import Web, running_web

PEOPLE, ENDED_RUNS = 40, 300
READS, POLLS, OVERLOAD = 60, 100, 4
"""Calls a second, and how many times as many as the service must come back from."""
READ_LIMIT, POLL_LIMIT, RECOVERY_LIMIT = 0.200, 0.150, 30.0
"""Seconds: of 95 in 100 calls, and until the service is back."""
REAL = {"LEASE_SECONDS": "60", "BEAT_SECONDS": "15", "SWEEP_SECONDS": "15", "RING_AGAIN_SECONDS": "30", "RUN_NICENESS": "10"}
SPEC = SAMPLE_SPEC | {"budget": {"seconds": 1800}, "threads": 1}

SEED = """
import json, sys
import django; django.setup()
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from auditapp import access
from auditapp.models import AuditedModel, Membership, Report, Run, Workspace

people, ended, running = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
busy = Run.objects.select_related("workspace", "dataset").get(pk=running)
made = []
for number in range(people):
    user = User.objects.create_user(f"person-{number}", password=None)
    Membership.objects.create(workspace=busy.workspace, user=user, role="analyst")
    token = access.issue_token(user=user, workspace=busy.workspace, name="bench", scopes=("read",), actor="bench")[1]
    browser = Client()
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    made.append([token, browser.cookies["sessionid"].value])
now = timezone.now()
runs = [Run(workspace=busy.workspace, kind="training", dataset=busy.dataset, title=f"Run {n}", spec=busy.spec, state="succeeded", percent=100, attempt=1, progress={"best": 0.9, "metric": "roc_auc", "trials": 40},
    started_at=now, finished_at=now, created_by=busy.created_by) for n in range(ended)]
Run.objects.bulk_create(runs)
AuditedModel.objects.bulk_create([AuditedModel(workspace=busy.workspace, run=run, model_sha256="0" * 64) for run in runs])
Report.objects.bulk_create([Report(run=run, version=1, state="signed", evidence_digest="0" * 64, unsigned_sha256="0" * 64, pdf_sha256="0" * 64, signer="A bench", signed_at=now) for run in runs])
print(json.dumps({"people": made, "runs": [run.pk for run in runs]}))
"""


@dataclass(frozen=True)
class Target:
    """Who may ask, and what for."""

    people: Sequence[tuple[str, str]]
    ended: Sequence[str]
    running: str


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bench BENCH=load")
    parser.add_argument("--seconds", type=float, default=30, help="of each phase")
    seconds = parser.parse_args(arguments).seconds
    kept = False
    for redis in running_redis():  # to its end, which is Redis's
        house = House(redis, None, settings=REAL, scripted={})
        try:
            house.start_workers(REST, RUNS)
            table = house.folder / "sample.csv"
            table.write_bytes(subprocess.run([sys.executable, "-m", "automl.data.sample"], cwd=ROOT, capture_output=True, check=True).stdout)
            [running] = house.do("submit", title="Busy", path=str(table), spec=SPEC)
            target = _seeded(house, running)
            house.until_trials(running, 1, seconds=120)
            with running_web(house.environment, house.folder / "web.log") as web:
                kept = _measure(web, target, house, seconds)
        finally:
            house.stop()
    return 0 if kept else 1


def _seeded(house: House, running: str) -> Target:
    done = subprocess.run([sys.executable, "-c", SEED, str(PEOPLE), str(ENDED_RUNS), running], cwd=ROOT, env=house.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    return Target([(token, session) for token, session in made["people"]], made["runs"], running)


def _measure(web: Web, target: Target, house: House, seconds: float) -> bool:
    print(f"{os.cpu_count()} cores, load {psutil.getloadavg()[0]:.1f}; {PEOPLE} people, {ENDED_RUNS} ended runs, one that searches with one thread; {seconds:g} s a phase\n", flush=True)
    play(web.port, [*_reads(target, 0.3), *_polls(target, 0.3)], 5)  # what is compiled or read once
    print("| phase | calls | a second | p50 ms | p95 ms | p99 ms | worst ms | limit p95 | answers |\n|---|---|---|---|---|---|---|---|---|", flush=True)
    kept, backs = [], []
    for phase, streams, limit in (("lists and details", _reads, READ_LIMIT), ("status polling", _polls, POLL_LIMIT)):
        usual, crowd, after = streams(target), streams(target, OVERLOAD), streams(target)
        play(web.port, usual, seconds)
        kept.append(_say(phase, usual, limit))
        play(web.port, crowd, seconds)
        kept.append(_say(f"{OVERLOAD} times as many", crowd, None))
        began = time.perf_counter()
        play(web.port, after, RECOVERY_LIMIT / 2)
        _say("right after that", after, None)
        backs.append(began - max(answer.due for stream in crowd for answer in stream.answers) + _back_after(after, began, limit))
    both = [*_reads(target), *_polls(target)]
    play(web.port, both, seconds)
    _say("both together", both, None)
    print(f"\nback within the limits {backs[0]:.0f} and {backs[1]:.0f} s after the last of the many (limit {RECOVERY_LIMIT:g} s)")
    seen = house.do("look", run=target.running)
    print(f"meanwhile the run is {seen['state']} with {len(seen['trials'])} trials, attempt {seen['attempt']}")
    return all(kept) and max(backs) <= RECOVERY_LIMIT


def _reads(target: Target, times: float = 1) -> list[Stream]:
    runs = itertools.cycle(target.ended)
    each: Mapping[str, Callable[[], str]] = {"list, REST": lambda: "/api/v1/runs", "one, REST": lambda: f"/api/v1/runs/{next(runs)}", "list, page": lambda: "/", "one, page": lambda: f"/runs/{next(runs)}"}
    return [Stream(name, READS / len(each) * times, _asking(target, path)) for name, path in each.items()]


def _polls(target: Target, times: float = 1) -> list[Stream]:
    return [_poll(target, "poll, REST", f"/api/v1/runs/{target.running}", POLLS / 2 * times), _poll(target, "poll, page", f"/runs/{target.running}/live", POLLS / 2 * times)]


def _poll(target: Target, name: str, path: str, rate: float) -> Stream:
    """Like a browser or our client: whoever has an answer asks whether it still stands."""
    known: dict[str, str] = {}
    ask = _asking(target, lambda: path)

    def asked() -> Asked:
        path, headers = ask()
        return path, {**headers, **({"If-None-Match": known[path]} if path in known else {})}

    def heard(path: str, status: int, etag: str) -> None:
        if etag:
            known[path] = etag

    return Stream(name, rate, asked, heard)


def _asking(target: Target, path: Callable[[], str]) -> Callable[[], Asked]:
    """``path`` by one person after the other."""
    people = itertools.cycle(target.people)

    def ask() -> Asked:
        token, session = next(people)
        where = path()
        return where, {"Authorization": f"Bearer {token}"} if where.startswith("/api/") else {"Cookie": f"sessionid={session}"}

    return ask


def _say(phase: str, streams: Sequence[Stream], limit: float | None) -> bool:
    """Prints a line for the phase and each of its streams; whether it kept its limit without an error of ours."""
    everything = Stream(phase, sum(stream.rate for stream in streams), lambda: ("", {}), answers=[answer for stream in streams for answer in stream.answers])
    for stream in (everything, *streams):
        said = ", ".join(f"{count:,} x {status or 'none in time'}" for status, count in sorted(stream.statuses().items()))
        times = " | ".join(f"{1000 * stream.at(share):.0f}" for share in (0.5, 0.95, 0.99, 1))
        print(f"| {phase} | {'all' if stream is everything else stream.name} | {stream.rate:g} | {times} | {f'{1000 * limit:g}' if limit else ''} | {said} |", flush=True)
    statuses = everything.statuses()
    # A crowd may be sent away, in words and with a time to come back; ordinary use may not
    return not any(status >= 500 for status in statuses) and (limit is None or (everything.at(0.95) < limit and set(statuses) <= {200, 304}))


def _back_after(streams: Sequence[Stream], began: float, limit: float) -> float:
    """The first second from which on 95 of 100 calls of every second were answered within the limit."""
    late = 0.0
    answers = [answer for stream in streams for answer in stream.answers]
    for second in range(int(max(answer.due for answer in answers) - began)):
        within = [answer.seconds if answer.status in (200, 304) else float("inf") for answer in answers if second <= answer.due - began < second + 1]
        if within and quantile(within, 0.95) >= limit:
            late = second + 1.0
    return late


if __name__ == "__main__":
    sys.exit(main())
