"""From the upload to the signed PDF by keyboard alone, and to the results without scripts: what a person does who uses no pointer, and one whose browser runs nothing.

Wherever the focus comes to lie it must be seen: with an outline, inside the window, and with nothing over it. What a screen reader is told stands in the accessibility tree.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from auditapp.sample import sample_csv
from tests.browser import Browser
from tests.flow.site import RUN_SECONDS, Site, until_results

pytestmark = [pytest.mark.story, pytest.mark.browser]

ROWS = 1_500
"""Of the sample: enough to measure, few enough to be quick."""
FOCUS = """() => {
    const element = document.activeElement, box = element.getBoundingClientRect(), style = getComputedStyle(element);
    const seen = document.elementFromPoint(Math.min(Math.max(box.x + box.width / 2, 1), innerWidth - 1), Math.min(Math.max(box.y + Math.min(box.height / 2, 30), 1), innerHeight - 1));
    return {
        what: element.outerHTML.slice(0, 160), where: [box.x, box.y, box.width, box.height].map(Math.round), outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        inside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth, covered: !(seen && (element.contains(seen) || seen.contains(element))),
    };
}"""


@pytest.fixture(scope="module")
def loans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    table = tmp_path_factory.mktemp("loans") / "loans.csv"
    table.write_bytes(b"".join(sample_csv().splitlines(keepends=True)[:ROWS + 1]))
    return table


def opened(chromium: Any, site: Site, **context: Any) -> Browser:
    # Who scrolls slowly has no focus to look at yet
    made = chromium.new_context(viewport={"width": 1280, "height": 700}, reduced_motion="reduce", **context)
    made.set_default_timeout(60_000)
    browser = Browser(made.new_page())
    browser.page.goto(site.login_link())
    return browser


class Keys:
    """A person at a keyboard: Tab, Enter, Space, arrows and letters, and a look at where the focus is after each Tab."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.stops = 0

    def to(self, target: Any, most: int = 120) -> None:
        target.first.wait_for(state="attached")
        wanted = target.first.element_handle()
        for _ in range(most):
            if self.page.evaluate("wanted => document.activeElement === wanted", wanted):
                return
            self.page.keyboard.press("Tab")
            self.stops += 1
            if self.page.evaluate("document.activeElement !== document.body"):
                at = self.page.evaluate(FOCUS)
                assert at["outlined"], f"the focus cannot be seen: {at}"
                assert at["inside"], f"the focus is outside of the window: {at}"
                assert not at["covered"], f"something lies over the focus: {at}"
        raise AssertionError(f"not reached with {most} times Tab: {target}")

    def press(self, target: Any, key: str = "Enter") -> None:
        self.to(target)
        self.page.keyboard.press(key)

    def go(self, target: Any) -> None:
        """To a link or button, and until the page that it leads to is there."""
        self.to(target)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def write(self, target: Any, text: str) -> None:
        self.to(target)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def choose(self, group: Any, wanted: Any) -> None:
        """Of radio buttons: to the group, then with arrows."""
        for at in range(group.count()):
            if group.nth(at).is_checked():
                self.to(group.nth(at))
                break
        else:
            self.press(group.first, "Space")
        for _ in range(group.count()):
            if wanted.is_checked():
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError("no arrow leads there")


@pytest.mark.timeout(1200)
def test_from_the_upload_to_the_signed_report_by_keyboard_alone(chromium: Any, site: Site, loans: Path, tmp_path: Path) -> None:
    browser = opened(chromium, site)
    page, keys = browser.page, Keys(browser.page)
    on = page.get_by_role("button", name="Continue")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    keys.go(page.get_by_role("link", name=re.compile("Start your first audit|^New audit")))
    keys.to(page.get_by_label("The table", exact=True))
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(loans)
    keys.write(page.get_by_label("Name", exact=True), "Loans by keyboard")
    keys.press(page.get_by_role("button", name="Upload and continue"))

    page.get_by_role("heading", name="What is in each column?").wait_for(timeout=90_000)
    page.wait_for_load_state()
    keys.go(on)
    target = page.get_by_label("Which column should be predicted?")
    keys.to(target)
    page.keyboard.type("approved")
    assert target.locator("option:checked").inner_text() == "approved"
    keys.go(on)
    keys.choose(page.locator("input[name=positive]"), page.get_by_label("yes", exact=True))
    keys.choose(page.locator("input[name=good]"), page.get_by_label("good: a loan"))
    keys.go(on)
    sex = page.get_by_label("sex", exact=True).get_attribute("id")
    for box in page.locator("input[name=sensitive]").all():
        if box.is_checked() != (box.get_attribute("id") == sex):
            keys.press(box, "Space")
    keys.go(on)
    keys.go(on)
    keys.choose(page.locator("input[name=preset]"), page.get_by_label("My own budget"))
    keys.write(page.get_by_label("Trials", exact=True), "1")
    keys.press(page.locator("summary", has_text="Models, split and seed"))
    for box in page.locator("input[name=families]").all():
        if box.is_checked() != (box.get_attribute("value") == "linear"):
            keys.press(box, "Space")
    for box in page.locator("input[name=leave_out]").all():
        keys.press(box, "Space")
    keys.go(on)
    keys.go(page.get_by_role("button", name="Start the audit"))
    page.wait_for_url("**/runs/run_*")
    until_results(page)

    keys.go(page.get_by_role("link", name="See the results"))
    keys.go(page.get_by_role("navigation", name="Sections of the results").get_by_role("link", name="Fairness"))
    keys.press(page.locator("figure.chart summary").first)
    assert page.locator("figure.chart details[open]").count()
    keys.press(page.get_by_role("button", name="Explore").last)
    page.locator(".live svg").wait_for()
    assert "linear" in page.locator("body").inner_text() or page.locator("h1").inner_text() == "Loans by keyboard"
    page.keyboard.press("Control+Home")
    page.goto(page.url)  # a new page begins at its top
    keys.to(page.get_by_role("link", name="Download the signed PDF"))
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    waiting.value.save_as(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")
    assert keys.stops > 60
    assert browser.complaints == []


@pytest.mark.timeout(1200)
def test_from_the_upload_to_the_results_without_scripts(chromium: Any, site: Site, loans: Path) -> None:
    browser = opened(chromium, site, java_script_enabled=False)
    page = browser.page
    page.goto(f"{site.base}/new")
    page.get_by_label("The table", exact=True).set_input_files(loans)
    page.get_by_label("Name", exact=True).fill("Loans without scripts")
    page.get_by_role("button", name="Upload and continue").click()
    page.get_by_role("heading", name="What is in each column?").wait_for(timeout=90_000)
    on = page.get_by_role("button", name="Continue")
    on.click()
    page.get_by_label("Which column should be predicted?").select_option(label="approved")
    on.click()
    page.locator("input[name=positive] + label", has_text="yes").click()
    page.get_by_label("good: a loan").check()
    on.click()
    for box in page.locator("input[name=sensitive]").all():
        box.uncheck()
    page.get_by_label("sex", exact=True).check()
    on.click()
    on.click()
    page.get_by_label("My own budget").check()
    page.get_by_label("Trials", exact=True).fill("1")
    page.locator("summary", has_text="Models, split and seed").click()
    for box in page.locator("input[name=families]").all():
        box.set_checked(box.get_attribute("value") == "linear")
    for box in page.locator("input[name=leave_out]").all():
        box.check()
    on.click()
    page.get_by_role("button", name="Start the audit").click()
    # The page asks again by itself: a refresh in its head, for browsers that run nothing
    page.get_by_role("link", name="See the results").wait_for(timeout=RUN_SECONDS * 1000)
    page.get_by_role("link", name="See the results").click()
    sections = page.get_by_role("navigation", name="Sections of the results").get_by_role("link")
    for address in [link.get_attribute("href") for link in sections.all()]:
        page.goto(site.base + address)
        assert page.locator("h1").inner_text() == "Loans without scripts"
        assert page.locator("button.explore:visible").count() == 0, "what only scripts can do is not offered"
        assert not page.get_by_text("Load this part").count() or page.get_by_text("Load this part").first.get_attribute("href")
    assert browser.complaints == []


def test_what_a_screen_reader_is_told(chromium: Any, site: Site, loans: Path) -> None:
    """Names and roles of the wizard's first pages, from the browser's own accessibility tree: no control without a name, headings in order, one main part."""
    browser = opened(chromium, site)
    page = browser.page
    page.goto(f"{site.base}/new")
    tree = page.locator("body").aria_snapshot()
    for line in ('- heading "New audit" [level=1]', '- button "Upload and continue"', '- button "The table"', '- radio "Train a model', '- textbox "Name"', '- navigation "Main"', "- main:", "- contentinfo:"):
        assert line in tree, f"{line}\n{tree}"
    page.get_by_role("button", name="Use the sample data").click()
    page.get_by_role("heading", name="What is in each column?").wait_for(timeout=60_000)
    page.wait_for_load_state()
    tree = page.locator("body").aria_snapshot()
    for line in ('- navigation "Steps of the new audit"', '- combobox "Role of sex"', '- table "Columns"', '- columnheader "Missing"', '- rowheader "sex"', '- button "Continue"'):
        assert line in tree, f"{line}\n{tree}"
    for address in ("/", "/new", page.url.removeprefix(site.base), "/verify", "/settings/account"):
        page.goto(site.base + address)
        tree = page.locator("body").aria_snapshot()
        nameless = re.findall(r"^\s*- (?:button|link|combobox|textbox|checkbox|radio|spinbutton|img|table|region|navigation)(?: \[[^\]]*\])*:?$", tree, flags=re.MULTILINE)
        assert not nameless, (address, nameless, tree)
    assert browser.complaints == []
