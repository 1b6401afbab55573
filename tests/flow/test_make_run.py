"""`make run` as somebody on a fresh machine types it: a clone, an empty home, the sample's signed PDF; kills, Ctrl-C, and once more."""

from __future__ import annotations

import http.cookiejar
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.fresh_clone import MakeRun, free_port, make_clone, readme_blocks, run_block, until

pytestmark = [pytest.mark.story, pytest.mark.timeout(900)]


def _processes_of(home: Path) -> list[psutil.Process]:
    """Every living process that was started for this home: by its environment, or by the log, for redis-server writes its title over its environment."""
    log = home / "logs" / "run.log"
    named = set(re.findall(r"started \(pid=(\d+)\)", log.read_text(errors="replace"))) if log.exists() else set()
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get("PLUMBLINE_HOME") == str(home) or (str(process.pid) in named and process.create_time() > home.stat().st_ctime - 3600)
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address + "/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clone(tmp_path_factory.mktemp("clone"))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    # Longer than a unix socket's path may be
    yield tmp_path / ("a-home-with-a-long-name-" * 4)
    left = _processes_of(tmp_path / ("a-home-with-a-long-name-" * 4))
    for process in left:
        process.kill()
    assert not left, f"left behind: {left}"


def test_make_run_from_nothing_to_the_signed_pdf_and_on(clone: Path, home: Path, tmp_path: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    first = MakeRun(clone, home, port)
    try:
        page = first.until_printed(rf"page +({address}/\S+)", 700)[1]
        link = first.until_printed(rf"login link +({address}/\S+)", 10)[1]
        pdf = Path(first.until_printed(r"signed PDF +(/\S+\.pdf)", 10)[1])
        first.until_printed("Ctrl-C stops", 10)
        _the_page_opens_by_the_link_once(page, link)
        _the_pdf_verifies(clone, home, pdf)
        _a_second_one_is_refused(clone, home, tmp_path, port)
        _what_is_killed_comes_back(first, address)
    finally:
        first.end(signal.SIGINT)
    assert "Plumbline has stopped" in first.text
    until(lambda: not _processes_of(home), 20, lambda: f"all gone after Ctrl-C: {_processes_of(home)}")

    second = MakeRun(clone, home, port)
    try:
        assert second.until_printed(rf"page +({address}/\S+)", 200)[1] == page, "the same run, not a second one"
        assert second.until_printed(rf"login link +({address}/\S+)", 10)[1] != link
        assert "is being audited" not in second.text
        _the_readmes_calls_do_what_they_say(clone, home, port)
    finally:
        second.end(signal.SIGTERM)
    until(lambda: not _processes_of(home), 20, lambda: f"all gone after SIGTERM: {_processes_of(home)}")


def _the_page_opens_by_the_link_once(page: str, link: str) -> None:
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    with browser.open(link, timeout=30) as landed:
        assert landed.status == 200
        form = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', landed.read().decode())
    with browser.open(page, timeout=30) as opened:
        if "/login" in opened.url:  # the link asks for a click, so that a mail scanner does not use it up
            assert form is not None
            click = urllib.request.Request(link, data=f"csrfmiddlewaretoken={form[1]}".encode(), headers={"Referer": link})
            browser.open(click, timeout=30).close()
    with browser.open(page, timeout=30) as opened:
        assert opened.url.startswith(page)
        assert "approved" in opened.read().decode()
    stranger = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    try:
        stranger.open(link, timeout=30).close()
    except urllib.error.HTTPError as refused:
        refused.close()
    with stranger.open(page, timeout=30) as opened:
        assert "/login" in opened.url, "the link worked twice"


def _the_pdf_verifies(clone: Path, home: Path, pdf: Path) -> None:
    assert pdf == home / "sample" / "audit.pdf"
    done = subprocess.run([".venv/bin/python", "manage.py", "verify", str(pdf)], cwd=clone, env={**os.environ, "PLUMBLINE_HOME": str(home)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def _the_readmes_calls_do_what_they_say(clone: Path, home: Path, port: int) -> None:
    """The blocks that are run while it serves, as they stand; only the port is another one."""
    for code in (code for mark, code in readme_blocks() if mark == "run while it serves"):
        run_block(code.replace("127.0.0.1:8000", f"127.0.0.1:{port}"), clone, home)
    run_block(".venv/bin/python manage.py verify report.pdf", clone, home)
    assert (clone / "evidence.json").read_bytes()[:1] == b"{"


def _a_second_one_is_refused(clone: Path, home: Path, tmp_path: Path, port: int) -> None:
    for other_home, said in ((home, f"Plumbline already runs on {home} (process "), (tmp_path / "other", f"Port {port} of 127.0.0.1 is in use; choose another one: make run PORT=")):
        refused = MakeRun(clone, other_home, port)
        assert refused.wait(120) != 0
        assert said in refused.text
        assert len([line for line in refused.lines if not line.startswith("make")]) == 1, refused.text


def _what_is_killed_comes_back(run: MakeRun, address: str) -> None:
    for name in ("redis", "web", "runs"):
        started = re.findall(rf"{name} started \(pid=(\d+)\)", run.log())
        assert len(started) == 1, name
        os.kill(int(started[0]), signal.SIGKILL)
        until(lambda: f"{name} ended unexpectedly (-9); starting it again" in run.log(), 30, lambda: f"{name} is started again:\n{run.log()}")  # noqa: B023 - called at once
    until(lambda: _answers(address), 60, lambda: f"web answers again:\n{run.log()}")
