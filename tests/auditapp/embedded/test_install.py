"""The install as `make` starts it, with the standard library only; what stops it is one sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """As much of a fresh clone as installing needs, with requirements that need no network: none."""
    folder = tmp_path / "clone"
    (folder / "auditapp" / "embedded").mkdir(parents=True)
    shutil.copy(ROOT / "auditapp" / "embedded" / "install.py", folder / "auditapp" / "embedded")
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "requirements.txt").write_text("# nothing\n")
    return folder


def _install(clone: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("PLUMBLINE_VENV", "PYTHONPATH")}
    return subprocess.run([sys.executable, "auditapp/embedded/install.py", "requirements.txt"], cwd=clone, env={**clean, **environment}, capture_output=True, text=True, timeout=300)


def test_it_installs_once_and_again_when_the_requirements_change(clone: Path) -> None:
    first = _install(clone)
    assert first.returncode == 0, first.stderr
    assert "Making the virtual environment .venv" in first.stdout
    assert "Installing requirements.txt" in first.stdout
    assert _install(clone).stdout == "", "nothing to do, nothing said"
    (clone / "requirements.txt").write_text("# nothing, but another nothing\n")
    again = _install(clone)
    assert "Installing requirements.txt" in again.stdout
    assert "Making" not in again.stdout


def test_our_compiled_sources_are_compiled_again_when_they_change(clone: Path) -> None:
    package = clone / "automl" / "learn"
    package.mkdir(parents=True)
    (package / "trees.py").write_text("")
    (package / "tree_shap.py").write_text("def warm_up():\n    open('compiled', 'a').write('once ')\n")
    for _ in range(2):
        assert _install(clone).returncode == 0
    assert (clone / "compiled").read_text() == "once "
    os.utime(package / "trees.py", (1, 1))
    assert _install(clone).returncode == 0
    assert (clone / "compiled").read_text() == "once once "


def test_a_requirement_that_cannot_be_had_is_said_in_one_sentence_below_pips_own(clone: Path) -> None:
    assert _install(clone).returncode == 0
    (clone / "requirements.txt").write_text("./there-is-no-such-folder\n")
    failed = _install(clone, PIP_NO_INDEX="1")
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1] == "the requirements could not be installed: pip's own words stand above"
    assert _install(clone, PIP_NO_INDEX="1").returncode == 1, "a failed install is not remembered as done"


def test_a_python_without_the_venv_module_is_named_with_its_debian_package(clone: Path, tmp_path: Path) -> None:
    (tmp_path / "shadow" / "venv").mkdir(parents=True)
    (tmp_path / "shadow" / "venv" / "__init__.py").write_text("")
    (tmp_path / "shadow" / "venv" / "__main__.py").write_text("import sys; sys.exit('The virtual environment was not created successfully because ensurepip is not\\navailable.')")
    refused = _install(clone, PYTHONPATH=str(tmp_path / "shadow"))
    assert refused.returncode == 1
    assert refused.stderr == "this Python cannot make virtual environments: the Debian package python3.11-venv is needed\n"


def _make(clone: Path, *arguments: str, path: Path) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHON", "MAKEFLAGS", "MAKELEVEL")}
    return subprocess.run(["make", "run", *arguments], cwd=clone, env={**clean, "PATH": f"{path}:/usr/bin:/bin"}, capture_output=True, text=True, timeout=60)


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """Pythons that are not 3.11, under every name that make tries."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("python3.11", "python3", "python"):
        (folder / name).write_text("#!/bin/sh\necho False\n")
        (folder / name).chmod(0o755)
    return folder


def test_no_python_3_11_is_one_sentence(clone: Path, wrong: Path) -> None:
    refused = _make(clone, path=wrong)
    assert refused.returncode != 0
    said = [line for line in refused.stderr.splitlines() if not line.startswith("make")]
    assert said == ["Plumbline needs Python 3.11 (Debian: python3.11 and python3.11-venv); none was found, name one with: make run PYTHON=/path/to/python3.11"]


def test_a_named_python_that_is_another_is_one_sentence(clone: Path, wrong: Path) -> None:
    refused = _make(clone, f"PYTHON={wrong}/python3", path=wrong)
    assert refused.returncode != 0
    said = [line for line in refused.stderr.splitlines() if not line.startswith("make")]
    assert said == [f"Plumbline needs Python 3.11; {wrong}/python3 is not one"]
