"""The pages under docs/: what they name exists, what is made from the code is fresh, and the blocks that say so are run in a fresh clone."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from automl.bundle import open_bundle
from tests import reference
from tests.fresh_clone import make_clone, readme_blocks, run_block

ROOT = Path(__file__).resolve().parent.parent
GUIDES = ("docs/tutorial.md", "docs/how-to.md", "docs/operating.md")
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("docs/*.md"), ROOT / "README.md"])


def test_the_reference_is_fresh() -> None:
    assert reference.PAGE.read_text() == reference.page(), "make reference"


def test_every_setting_is_in_the_reference() -> None:
    from auditapp.settings import Environment

    said = reference.attribute_docstrings(Environment)
    assert {name for name in Environment.model_fields if f"| `PLUMBLINE_{name.upper()}` |" not in reference.page()} == set()
    assert said["timestamp_url"].startswith("An RFC 3161")


@pytest.mark.parametrize("page", GUIDES)
def test_every_block_says_whether_it_is_run(page: str) -> None:
    blocks = readme_blocks(page)
    assert (ROOT / page).read_text().count("```sh\n") == len(blocks)
    for mark, _code in blocks:
        assert mark == "run" or re.fullmatch(r"not run here: .{10,}", mark), mark


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", (ROOT / page).read_text()):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}, target


def test_every_picture_is_used_and_small() -> None:
    text = "".join((ROOT / page).read_text() for page in PAGES)
    for picture in (ROOT / "docs" / "pictures").iterdir():
        assert f"pictures/{picture.name})" in text, picture.name
        assert picture.stat().st_size <= 120 * 1024, picture.name


@pytest.mark.story
@pytest.mark.timeout(900)
def test_the_blocks_do_what_they_say(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("a recipe makes a certificate with openssl, which is not on this machine (Debian: openssl)")
    clone, home = make_clone(tmp_path / "clone"), tmp_path / "home"
    for page in ("docs/how-to.md", "docs/operating.md"):
        for code in (code for mark, code in readme_blocks(page) if mark == "run"):
            run_block(code, clone, home)
    assert {open_bundle(clone / folder).evidence.run.kind for folder in ("out", "out-later", "out-again")} == {"training"}
    assert "Local Law 144" in (clone / "summary.html").read_text()
    assert (clone / "merged.csv").read_text().count("Asian or other") > 700
    assert (clone / "restored" / "db.sqlite3").exists()
