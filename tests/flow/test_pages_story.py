"""Every page in real Chromium, in two themes and on a small screen, with names that try to break out: T-28 and T-34 of the fault list, and what axe-core finds.

The trap is the browser itself: a dialog, a message of the content security policy, an error on the console or an answer of 400 fails it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import Browser, running_chromium
from tests.flow.house import ROOT, House
from tests.web import running_web

pytestmark = [pytest.mark.story, pytest.mark.browser]

EVERYTHING = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
"""Tags of axe-core's rules. A theme changes colours only, so the dark one is held against the rule of contrast alone."""


@pytest.fixture(scope="module")
def made(module_redis: Any) -> Iterator[dict[str, Any]]:
    house = House(module_redis, None)
    try:
        subprocess.run([sys.executable, "manage.py", "token", "demo"], cwd=ROOT, env=house.environment, capture_output=True, check=True)
        # The testing client names a host of its own
        done = subprocess.run([sys.executable, "-c", "import django; django.setup(); from tests.flow import made_pages; made_pages.main()"], cwd=ROOT, env=house.environment | {"PLUMBLINE_ALLOWED_HOSTS": "testserver,127.0.0.1"}, capture_output=True, text=True, check=True)
        with running_web(house.environment, house.folder / "web.log") as web:
            yield {**json.loads(done.stdout), "base": web.base}
    finally:
        house.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def axe() -> Any:
    return pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed").Axe()


def browser_of(chromium: Any, made: dict[str, Any], **context: Any) -> Browser:
    opened = chromium.new_context(**context)
    opened.set_default_timeout(30_000)
    name, value = made["cookie"]
    opened.add_cookies([{"name": name, "value": value, "url": made["base"]}])
    return Browser(opened.new_page())


@pytest.mark.timeout(600)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_t34_no_page_runs_what_a_stranger_wrote_and_axe_finds_nothing(axe: Any, chromium: Any, made: dict[str, Any], theme: str) -> None:
    browser = browser_of(chromium, made, color_scheme=theme, viewport={"width": 1280, "height": 900})
    found = []
    for address in made["pages"]:
        browser.page.goto(made["base"] + address)
        browser.page.evaluate("document.querySelectorAll('details').forEach(folded => { folded.open = true })")
        for violation in axe.run(browser.page, options={"runOnly": EVERYTHING if theme == "light" else ["color-contrast"], "resultTypes": ["violations"]}).response["violations"]:
            found.append(f"{address}: {violation['id']} ({violation['help']}): {[node['html'][:120] for node in violation['nodes'][:2]]}")
    assert not found, "\n".join(found)
    assert browser.complaints == []


@pytest.mark.timeout(300)
def test_t28_on_a_small_screen_no_name_makes_a_page_wider(axe: Any, chromium: Any, made: dict[str, Any]) -> None:
    browser = browser_of(chromium, made, color_scheme="dark", viewport={"width": 360, "height": 780})
    for address in made["pages"]:
        browser.page.goto(made["base"] + address)
        assert browser.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), address
        found = axe.run(browser.page, options={"runOnly": ["scrollable-region-focusable", "target-size"], "resultTypes": ["violations"]}).response["violations"]
        assert not found, (address, [node["html"][:200] for node in found[0]["nodes"]])
    assert browser.complaints == []
