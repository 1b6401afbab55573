"""The README's code blocks, run as they stand in a fresh clone. Each block says whether it is run, and if not, why."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from automl.bundle import open_bundle
from tests.fresh_clone import make_clone, readme_blocks, run_block

ROOT = Path(__file__).resolve().parent.parent
STATES = {"run", "run after the audit", "run while it serves"}


def test_every_block_says_whether_it_is_run() -> None:
    assert (ROOT / "README.md").read_text().count("```sh\n") == len(readme_blocks())
    for mark, _code in readme_blocks():
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
    """All but those that are run while it serves: they are in tests/flow/test_make_run.py."""
    clone, home = make_clone(tmp_path / "clone"), tmp_path / "home"
    for wanted in ("run", "run after the audit"):
        for code in (code for mark, code in readme_blocks() if mark == wanted):
            run_block(code, clone, home)
    assert (open_bundle(clone / "out").evidence.run.kind, open_bundle(clone / "out-elsewhere").evidence.run.kind) == ("training", "predictions")
    assert (clone / "predictions.csv").read_text().startswith("prediction,proba_no,proba_yes\n")
