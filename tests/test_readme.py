"""The README's code blocks, run as they stand in a fresh clone; only the port is a free one. Each block says whether it is run, and if not, why."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import pytest

from automl.bundle import open_bundle
from tests.fresh_clone import MakeRun, clean_environment, free_port, make_clone

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"<!-- (?P<mark>[^>]+) -->\n```sh\n(?P<code>.*?)```\n", re.DOTALL)
STATES = {"run", "run after the audit", "run while it serves"}


def _blocks() -> list[tuple[str, str]]:
    return [(found["mark"], found["code"]) for found in BLOCK.finditer((ROOT / "README.md").read_text())]


def test_every_block_says_whether_it_is_run() -> None:
    assert (ROOT / "README.md").read_text().count("```sh\n") == len(_blocks())
    for mark, _code in _blocks():
        assert mark in STATES or re.fullmatch(r"not run here: .{10,}", mark), mark


def test_every_file_that_is_named_exists() -> None:
    text = (ROOT / "README.md").read_text()
    for path in re.findall(r"\]\(([^)#]+)\)", text) + re.findall(r"\btests/\w+/test_\w+\.py", text):
        assert path.startswith("http") or (ROOT / path).exists(), path


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(" ".join(re.findall(r"^([a-z][a-z -]*):", makefile, re.MULTILINE)).split())
    for target in re.findall(r"\bmake ([a-z]+)\b", " ".join(re.findall(r"`[^`]+`", (ROOT / "README.md").read_text()))):
        assert target in targets, target


@pytest.mark.story
@pytest.mark.timeout(900)
def test_the_blocks_do_what_they_say(tmp_path: Path) -> None:
    clone, home = make_clone(tmp_path / "clone"), tmp_path / "home"
    blocks = _blocks()
    for wanted in ("run", "run after the audit"):
        for code in (code for mark, code in blocks if mark == wanted):
            _shell(code, clone, home)
    assert (open_bundle(clone / "out").evidence.run.kind, open_bundle(clone / "out-elsewhere").evidence.run.kind) == ("training", "predictions")
    assert (clone / "predictions.csv").read_text().startswith("prediction,proba_no,proba_yes\n")

    port = free_port()
    service = MakeRun(clone, home, port)
    try:
        service.until_printed("Plumbline answers on", 200)
        for code in (code for mark, code in blocks if mark == "run while it serves"):
            _shell(code.replace("127.0.0.1:8000", f"127.0.0.1:{port}"), clone, home)
    finally:
        service.end(signal.SIGINT)
    _shell(".venv/bin/python manage.py verify report.pdf", clone, home)
    assert (clone / "evidence.json").read_bytes()[:1] == b"{"


def _shell(code: str, clone: Path, home: Path) -> None:
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", code], cwd=clone, env=clean_environment(home), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{code}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
