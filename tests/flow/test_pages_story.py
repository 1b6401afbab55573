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

from tests.browser import Browser
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
def axe() -> Any:
    return pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed").Axe()


def browser_of(chromium: Any, made: dict[str, Any], **context: Any) -> Browser:
    opened = chromium.new_context(**context)
    opened.set_default_timeout(60_000)
    name, value = made["cookie"]
    opened.add_cookies([{"name": name, "value": value, "url": made["base"]}])
    return Browser(opened.new_page())


CUT_CAPTIONS = "[...document.querySelectorAll('caption')].filter(one => one.checkVisibility() && one.getBoundingClientRect().right > window.innerWidth).map(one => one.textContent)"
SMALL, LARGE = {"width": 360, "height": 780}, {"width": 1280, "height": 900}


@pytest.mark.timeout(600)
def test_t28_t34_no_page_runs_what_a_stranger_wrote_or_is_wider_than_a_small_screen_and_axe_finds_nothing(axe: Any, chromium: Any, made: dict[str, Any]) -> None:
    """Each page once, as it comes: small and dark, then wide with everything unfolded in both themes. What is dark or small is the style sheet's alone, so no page is fetched again for it."""
    browser = browser_of(chromium, made, viewport=LARGE, reduced_motion="reduce")  # colours change at once
    page, found = browser.page, []

    def look(address: str, theme: str, *rules: str) -> None:
        for violation in axe.run(page, options={"runOnly": list(rules), "resultTypes": ["violations"]}).response["violations"]:
            found.append(f"{address} ({theme}): {violation['id']} ({violation['help']}): {[node['html'][:120] for node in violation['nodes'][:2]]}")

    for address in made["pages"]:
        page.emulate_media(color_scheme="light")
        page.goto(made["base"] + address)
        browser.keep_picture(f"light {address}")
        page.emulate_media(color_scheme="dark")
        browser.keep_picture(f"dark {address}")
        page.set_viewport_size(SMALL)
        browser.keep_picture(f"small {address}")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), address
        look(address, "small", "scrollable-region-focusable", "target-size")
        page.evaluate("document.querySelectorAll('details').forEach(folded => { folded.open = true })")
        assert page.evaluate(CUT_CAPTIONS) == [], address
        page.set_viewport_size(LARGE)
        look(address, "dark", "color-contrast")
        page.emulate_media(color_scheme="light")
        look(address, "light", *EVERYTHING)
    assert not found, "\n".join(found)
    assert browser.complaints == []


def sections_of(made: dict[str, Any], *names: str) -> list[str]:
    return [address for address in made["pages"] if address.split("/")[-1] in names and "/results/" in address]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_explore_draws_every_picture_live_without_eval_or_styles_of_its_own(axe: Any, chromium: Any, made: dict[str, Any], theme: str) -> None:
    browser = browser_of(chromium, made, color_scheme=theme, viewport={"width": 1280, "height": 900})
    page = browser.page
    drawn = 0
    sections = sections_of(made, "summary", "leaderboard", "performance", "fairness", "explanation")
    # Colours are all that the dark theme changes
    for address in sections[:10] if theme == "light" else [one for one in sections if "performance" in one or "explanation" in one][:2]:
        page.goto(made["base"] + address)
        assert page.evaluate("window.vegaEmbed === undefined"), "the library comes when it is asked for"
        page.evaluate("document.querySelectorAll('details').forEach(folded => { folded.open = true })")
        figures = page.locator("figure.chart").all()
        for figure in figures:
            figure.locator("button.explore").click()
            figure.locator(".live svg g.mark-group, .live [role=status]").first.wait_for()
            assert figure.locator(".live [role=status]").count() == 0, (address, figure.get_attribute("id"), browser.complaints)
            assert figure.locator("picture").is_hidden()
            drawn += 1
        page.mouse.move(0, 0)
        page.wait_for_timeout(400)  # a button under the pointer changes its colours slowly
        found = axe.run(page, options={"runOnly": EVERYTHING if theme == "light" else ["color-contrast"], "resultTypes": ["violations"]}).response["violations"]
        assert not found, (address, [(one["id"], one["nodes"][0]["html"][:200]) for one in found])
    assert drawn > (40 if theme == "light" else 10)
    assert browser.complaints == []


def test_a_live_picture_is_moved_by_buttons_and_says_what_is_under_the_pointer(chromium: Any, made: dict[str, Any]) -> None:
    browser = browser_of(chromium, made, viewport={"width": 1280, "height": 900})
    page = browser.page
    page.goto(made["base"] + sections_of(made, "performance")[1])
    figure = page.locator("#chart-roc")
    button = figure.get_by_role("button", name="Explore")
    button.focus()
    page.keyboard.press("Enter")
    figure.locator(".live svg g.mark-group").first.wait_for()
    axis = "#chart-roc .live g.role-axis-label"
    figure.get_by_role("button", name="Zoom in").press("Enter")
    page.wait_for_function("axis => !document.querySelector(axis).textContent.includes('1.0')", arg=axis)
    figure.get_by_role("button", name="All of it").press("Enter")
    page.wait_for_function("axis => document.querySelector(axis).textContent.includes('1.0')", arg=axis)
    figure.locator(".live svg g.mark-symbol path").nth(1).hover(force=True)
    page.locator(".tip").wait_for(state="visible")
    assert ": " in page.locator(".tip").inner_text()
    figure.get_by_role("button", name="Show the still picture").press("Enter")
    assert figure.locator(".live").count() == 0
    assert figure.locator("picture").is_visible()
    assert browser.complaints == []


def test_a_part_that_is_not_with_the_page_comes_when_it_is_opened(chromium: Any, made: dict[str, Any]) -> None:
    """By a script where scripts run, by a link where they do not."""
    browser = browser_of(chromium, made)
    page = browser.page
    address = next(address for address in sections_of(made, "fairness", "explanation") if page.goto(made["base"] + address) and page.locator(".later").count())
    part = page.locator("details:has(> .later)").last
    name = part.get_attribute("id")
    part.locator("> summary").press("Enter")
    page.locator(f"#{name}:not(:has(> .later))").wait_for()
    said = page.locator(f"#{name} > .table-responsive td").all_text_contents()
    assert said
    assert browser.complaints == []

    plain = browser_of(chromium, made, java_script_enabled=False).page
    plain.goto(made["base"] + address)
    plain.locator(f"#{name} > summary").click()
    with plain.expect_navigation():
        plain.locator(f"#{name}").get_by_role("link", name="Load this part").click()
    plain.locator(f"#{name}[open] table").first.wait_for(state="attached")
    assert plain.locator(f"#{name} > .table-responsive td").all_text_contents() == said


def test_an_officer_is_three_clicks_from_the_signed_report(chromium: Any, made: dict[str, Any]) -> None:
    """Home, the run, its results, the PDF; and the first thing on the results says how groups fare and how sure that is."""
    browser = browser_of(chromium, made, viewport={"width": 1280, "height": 900})
    page, clicks = browser.page, 0
    page.goto(made["base"] + "/")
    finished = page.locator("tbody tr", has=page.get_by_role("link", name="Results")).nth(1)
    with page.expect_navigation():
        finished.get_by_role("rowheader").get_by_role("link").click()
    clicks += 1
    with page.expect_navigation():
        page.get_by_role("link", name="See the results").click()
    clicks += 1
    seen = page.evaluate("[...document.querySelectorAll('#limits, .tally')].every(part => part.getBoundingClientRect().bottom < innerHeight)")
    assert seen, "against the limits, before any scrolling"
    answers = page.locator("#limits ~ .table-responsive")
    assert answers.evaluate("table => table.querySelector('tbody tr').getBoundingClientRect().bottom < innerHeight"), "sex: both rates, their ratio with its interval, and what can be told, before any scrolling"
    assert "Female: " in answers.inner_text()
    browser.keep_picture("officer summary")
    assert "Inconclusive at this sample size" in page.locator(".tally").inner_text()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download the signed PDF").click()
    clicks += 1
    assert waiting.value.suggested_filename.endswith(".pdf")
    assert clicks <= 3
    page.goto(made["base"] + "/")
    with page.expect_download():
        page.get_by_role("link", name="PDF").first.click()
    assert browser.complaints == []


def test_paper_is_light_and_shows_what_is_folded(chromium: Any, made: dict[str, Any]) -> None:
    browser = browser_of(chromium, made, color_scheme="dark", viewport={"width": 1280, "height": 900})
    page = browser.page
    page.goto(made["base"] + sections_of(made, "performance")[1])
    picture = page.locator("figure.chart img").first
    picture.scroll_into_view_if_needed()
    page.wait_for_function("picture => picture.currentSrc.endsWith('theme=dark')", arg=picture.element_handle())
    assert page.locator("figure.chart details .table").first.is_hidden()
    page.emulate_media(media="print", color_scheme="dark")
    page.wait_for_function("picture => picture.currentSrc.endsWith('.svg')", arg=picture.element_handle())
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.get_by_role("navigation", name="Main").is_hidden()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("figure.chart details:not([open])").count() == 0
    assert page.locator("figure.chart details .table").first.is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("figure.chart details[open]").count() == 0
    assert browser.complaints == []
