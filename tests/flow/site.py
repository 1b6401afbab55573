"""A whole site for stories in a browser: real gunicorn, real workers, a real Redis, the real pipeline, and a way in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.flow.house import REST, ROOT, RUNS, House
from tests.web import running_web

RUN_SECONDS = 780
"""A bound and no measurement: four stories share two cores."""


@dataclass
class Site:
    house: House
    base: str

    def login_link(self) -> str:
        code = ("import django; django.setup(); from auditapp.access import make_login_link; from django.contrib.auth.models import User; "
                "print(make_login_link(User.objects.get(username='demo')))")
        made = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=self.house.environment, capture_output=True, text=True, check=True)
        return f"{self.base}/login/link/{made.stdout.split()[-1]}"


@contextmanager
def running_site(redis: Any) -> Iterator[Site]:
    house = House(redis, None, scripted={}, settings={"RUN_MEMORY": str(3 * 2**30), "RUNS_QUEUED": "20", "LEASE_SECONDS": "20", "BEAT_SECONDS": "1"})
    try:
        # Any command prepares the home: keys, certificate, demo user
        subprocess.run([sys.executable, "manage.py", "token", "demo"], cwd=ROOT, env=house.environment, capture_output=True, check=True)
        with running_web(house.environment, house.folder / "web.log") as web:
            house.start_worker(REST)
            house.start_worker(RUNS)
            yield Site(house, web.base)
    finally:
        house.stop()


def until_results(page: Any) -> None:
    """Waits on the live page, which moves by itself, until the run has ended."""
    from playwright.sync_api import TimeoutError as TooLong

    ended = page.get_by_role("link", name="See the results").or_(page.get_by_text("Start again with these answers"))
    try:
        ended.first.wait_for(timeout=RUN_SECONDS * 1000)
    except TooLong:
        pytest.fail(f"the run has not ended after {RUN_SECONDS} s: {page.locator('main').inner_text()}")
    assert page.get_by_role("link", name="See the results").is_visible(), page.locator("main").inner_text()
