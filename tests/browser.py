"""The machine's Chromium, driven by Playwright: a page that remembers everything it complained about."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.suite import CHROMIUM, found

SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@dataclass
class Browser:
    """``complaints``: messages of the content security policy and of scripts, dialogs, and answers of 400 or above that were not ``expected``."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    expected: set[int] = field(default_factory=set)
    """Statuses that this story provokes on purpose."""

    def __post_init__(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"page error on {self.page.url}: {error}"))
        self.page.on("response", self._answered)
        self.page.on("dialog", self._interrupted)

    def keep_picture(self, name: str) -> None:
        """The whole page as DIR/name.png where PICTURES=DIR is set, for somebody who looks at each page of a story; else nothing."""
        if folder := os.environ.get("PICTURES"):
            place = Path(folder)
            place.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=place / f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}.png", full_page=True)

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning") and not any(f"status of {status}" in message.text for status in self.expected):
            self.complaints.append(f"{message.type} on {self.page.url}: {message.text}")

    def _answered(self, response: Any) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.complaints.append(f"{response.status} for {response.url}")

    def _interrupted(self, dialog: Any) -> None:
        self.complaints.append(f"a dialog on {self.page.url}: {dialog.message}")
        dialog.dismiss()


@contextmanager
def running_chromium() -> Iterator[Any]:
    """Skips the test, out loud, where there is no browser or nothing to drive it."""
    api = pytest.importorskip("playwright.sync_api", reason="no browser driver: the playwright wheel is not installed")
    binary = found(CHROMIUM)
    if binary is None:
        pytest.skip("no Chromium on this machine (Debian: chromium)")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=SWITCHES)
        yield browser
        browser.close()
