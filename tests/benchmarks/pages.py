"""`make bench BENCH=pages`: how long each results page of a run on a million rows takes to answer and how much it weighs, alone and with everything that a first visit fetches.

The table is made from Adult, its numbers shaken so that no two rows are alike; the run is a real one. ``--home DIR`` keeps what was made, and a second time measures only.
Each time is the median of several answers after a first one; on a busy machine the processor time of the web process, which stands beside it, says more.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil

from tests.browser import running_chromium
from tests.web import ROOT, Web, running_web

REPEATS = 7
MOST_MS, MOST_KB, MOST_FIRST_KB = 300, 150, 60
ADULT = ROOT.parent / "shared" / "data" / "adult.csv.gz"
SPEC = {
    "title": "A million rows", "target": "income", "positive": ">50K", "sensitive": ["sex", "race", "age"], "bins": {"age": [24, 39, 59]},
    "budget": {"seconds": 60}, "reference": {"sex": "Male"}, "governing": {"metric": "equal_opportunity_difference", "reason": "A refusal cannot be made good."},
    "cohorts": [{"name": "Part-time", "where": [{"column": "hours_per_week", "what": "range", "high": 34}]}, {"name": "Government", "where": [{"column": "workclass", "what": "is", "level": "State-gov"}]}],
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bench BENCH=pages")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--home", type=Path, help="a folder that is kept")
    parser.add_argument("--make", type=Path, metavar="TABLE", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.make:
        return _make_run(options.make)
    with ExitStack() as stack:
        folder = options.home or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plp-")))
        folder.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "PLUMBLINE_HOME": str(folder / "home"), "DJANGO_SETTINGS_MODULE": "auditapp.settings", "PLUMBLINE_ALLOWED_HOSTS": "127.0.0.1,testserver"}
        made = folder / "made.json"
        if not made.exists():
            made.write_text(_run_of(folder, options.rows, environment))
        about = json.loads(made.read_text())
        print(f"{about['rows']:,} rows; the run took {about['seconds']:.0f} s", flush=True)
        web = stack.enter_context(running_web(environment, folder / "web.log"))
        _measure(web, about)
    return 0


def _run_of(folder: Path, rows: int, environment: dict[str, str]) -> str:
    table = folder / "table.csv"
    if not table.exists():
        write_table(table, rows)
    subprocess.run([sys.executable, "manage.py", "token", "demo"], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run([sys.executable, "-m", "tests.benchmarks.pages", "--make", str(table)], cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.splitlines()[-1]


def write_table(path: Path, rows: int, seed: int = 0) -> None:
    """Adult over and over, ages and hours a little off, weights quite."""
    import numpy as np
    import pandas as pd

    adult, draw = pd.read_csv(ADULT, keep_default_na=False), np.random.default_rng(seed)
    frame = adult.iloc[draw.integers(0, len(adult), rows)].reset_index(drop=True)
    for name, spread in (("age", 3), ("hours_per_week", 4)):
        frame[name] = (frame[name].astype(int) + draw.integers(-spread, spread + 1, rows)).clip(lower=1)
    frame["fnlwgt"] = (frame["fnlwgt"].astype(int) * draw.uniform(0.8, 1.25, rows)).astype(int)
    frame.to_csv(path, index=False)


def _make_run(table: Path) -> int:
    """In the run's own home: the table stored, the run submitted and done, the session of a person who looks at it."""
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test import Client

    from auditapp import datasets, runs
    from auditapp.access import workspace_of
    from auditapp.models import Run
    from automl.spec import parse_spec
    from workers.supervise import do_run

    user = User.objects.get(username="demo")
    workspace = workspace_of(user)
    assert workspace is not None
    with table.open("rb") as stream:
        dataset = datasets.store_upload(stream, name="Adult, a million rows", filename=table.name, workspace=workspace, user=user)
    run = runs.submit(workspace=workspace, dataset=dataset, kind="training", spec=parse_spec(SPEC, "training"), user=user)
    began = time.monotonic()
    do_run(run.pk)
    run = Run.objects.get(pk=run.pk)
    if run.state != "succeeded":
        print(run.state, run.failure_text, file=sys.stderr)
        return 1
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    from auditapp import results
    from auditapp.views.results import SECTIONS

    print(json.dumps({
        "run": run.pk, "seconds": time.monotonic() - began, "rows": results.read_evidence(run).data.rows, "sections": list(SECTIONS),
        "cookie": [settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value]}))
    return 0


def _measure(web: Web, about: dict[str, Any]) -> None:
    run, (name, value) = f"/runs/{about['run']}", about["cookie"]
    addresses = ["/", run, *(f"{run}/results/{section}" for section in about["sections"]), f"{run}/report", f"{run}/statements", "/new"]
    print("| page | ms (median) | ms of a processor | KB | KB sent | KB of a first visit |\n|---|---|---|---|---|---|")
    workers = psutil.Process(web.pid).children()
    with running_chromium() as chromium:
        worst = [0.0, 0.0, 0.0]
        for address in addresses:
            times, body, used = [], b"", 0.0
            for turn in range(REPEATS + 1):
                used = _processor_seconds(workers) if turn == 1 else used
                began = time.perf_counter()
                request = urllib.request.Request(web.base + address, headers={"Cookie": f"{name}={value}", "Accept-Encoding": "gzip"})
                with urllib.request.urlopen(request) as answer:
                    body = answer.read()
                times.append(1000 * (time.perf_counter() - began))
            used = 1000 * (_processor_seconds(workers) - used) / REPEATS
            whole = gzip.decompress(body)
            median, first = statistics.median(times[1:]), _first_visit(chromium, web.base, address, about["cookie"])
            print(f"| {address.replace(run, '..')} | {median:.0f} | {used:.0f} | {len(whole) / 1000:.0f} | {len(body) / 1000:.1f} | {first / 1000:.0f} |", flush=True)
            worst = [max(pair) for pair in zip(worst, (median, len(whole) / 1000, first / 1000), strict=True)]
    print(f"Most: {worst[0]:.0f} ms, {worst[1]:.0f} KB, first visit {worst[2]:.0f} KB (limits: {MOST_MS} ms, {MOST_KB} KB, {MOST_FIRST_KB} KB)")


def _processor_seconds(processes: Sequence[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def _first_visit(chromium: Any, base: str, address: str, cookie: list[str]) -> float:
    """Bytes that an empty cache fetches for what is seen without scrolling: the page, its looks, its scripts and the pictures in view."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.add_cookies([{"name": cookie[0], "value": cookie[1], "url": base}])
    page = context.new_page()
    sent = [0.0]
    protocol = context.new_cdp_session(page)
    protocol.send("Network.enable")
    protocol.on("Network.loadingFinished", lambda event: sent.__setitem__(0, sent[0] + event["encodedDataLength"]))
    page.goto(base + address, wait_until="networkidle")
    context.close()
    return sent[0]


if __name__ == "__main__":
    sys.exit(main())
