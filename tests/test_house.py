"""The house rules that a test can read: what the light processes never import, sizes, names, words, pins."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CODE = ("automl", "auditapp", "workers")
HEAVY = ("torch", "lightgbm", "shap", "optuna", "fairlearn", "sklearn", "pandas", "pyarrow", "typst", "altair", "vl_convert", "onnx", "onnxruntime")
TOP_LEVEL = {
    "manage.py", "auditapp", "automl", "workers", "templates", "tests", "requirements.txt", "docker-compose.yml", "pyproject.toml", "README.md", "CHANGELOG.md",
    "DECISIONS.md", "Makefile", "Procfile", "Dockerfile", ".dockerignore", ".env.example", ".gitignore", ".gitattributes", ".ci", "docs",
}
DRAWER_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}
LONGEST_FILE = 700
GENERATED = {"auditapp/client/plumbline_client.py"}
"""Made by a script, and one file because it is to be copied."""


def _tracked() -> list[Path]:
    """What belongs to the project: tracked and new files, without what git ignores and without vendored text of others."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout: which files belong to the project cannot be told")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def _ours(*suffixes: str) -> Iterator[Path]:
    for path in _tracked():
        if path.suffix in suffixes and not {"vendor", "migrations", "fonts", "vectors", "data"} & set(path.relative_to(ROOT).parts[:-1]):
            yield path


def _python(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in _ours(".py"):
        if path.relative_to(ROOT).parts[0] in folders:
            yield path, ast.parse(path.read_text(), filename=str(path))


def _heavy_after(code: str, home: Path) -> set[str]:
    """Which heavy libraries a fresh process holds after ``code``."""
    script = code + f"\nimport sys\nprint('HEAVY', *[name for name in {HEAVY!r} if name in sys.modules])\n"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "auditapp.settings", "PLUMBLINE_HOME": str(home)}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rsplit("HEAVY", 1)[1].split())


def test_the_check_for_heavy_libraries_can_fail(tmp_path: Path) -> None:
    assert _heavy_after("import pyarrow", tmp_path) == {"pyarrow"}


def test_the_web_process_stays_light(tmp_path: Path) -> None:
    loads_everything = """
from auditapp.wsgi import application
from django.urls import get_resolver
from django.template import engines
get_resolver().url_patterns
import importlib, pkgutil, auditapp
engines["django"].engine.template_libraries
"""
    assert _heavy_after(loads_everything, tmp_path) == set()


def test_the_celery_processes_stay_light(tmp_path: Path) -> None:
    assert _heavy_after("from workers.app import app\napp.loader.import_default_modules()\napp.finalize(auto=True)\nimport workers.tasks, workers.supervise", tmp_path) == set()


def test_the_types_that_everybody_imports_are_light(tmp_path: Path) -> None:
    assert _heavy_after("import automl, automl.spec, automl.evidence, automl.hooks, automl.errors, automl.bundle", tmp_path) == set()


def test_no_file_is_too_long_to_read() -> None:
    long = {str(path.relative_to(ROOT)): lines for path in _ours(".py", ".html", ".typ", ".js", ".css") if (lines := len(path.read_text().splitlines())) > LONGEST_FILE and str(path.relative_to(ROOT)) not in GENERATED}
    assert long == {}


def test_no_file_is_a_drawer() -> None:
    assert [str(path.relative_to(ROOT)) for path in _ours(".py") if path.stem in DRAWER_NAMES or DRAWER_NAMES & set(path.relative_to(ROOT).parts[:-1])] == []


def test_the_top_level_is_as_designed() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in _tracked()} - TOP_LEVEL == set()


@pytest.mark.parametrize("name", ["requirements.txt", "tests/requirements.txt"])
def test_every_requirement_is_pinned(name: str) -> None:
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
    assert [line for line in lines if line and not re.fullmatch(r"[A-Za-z0-9._-]+(\[[a-z0-9,]+\])?==[0-9][A-Za-z0-9.+]*", line)] == []


def _names_imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_nothing_is_pickled() -> None:
    """A pickle runs code when it is read; models are numbers and text."""
    picklers = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    assert [str(path) for path, tree in _python(*CODE) if picklers & set(_names_imported(tree))] == []


def test_nothing_is_swallowed_silently() -> None:
    swallowed = []
    for path, tree in _python(*CODE, "tests"):
        for node in ast.walk(tree):
            if not isinstance(node, ast.ExceptHandler):
                continue
            catches_all = node.type is None or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))
            does_nothing = all(isinstance(line, ast.Pass | ast.Continue) or (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)) for line in node.body)
            if node.type is None or (catches_all and does_nothing):
                swallowed.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert swallowed == []


SCRIPT = "automl/audit/recompute.py"
"""Handed out by itself, held under 200 lines by its own test and explained at its head."""


def test_every_public_function_of_the_library_is_explained() -> None:
    silent = []
    for path, tree in _python("automl"):
        if path == ROOT / SCRIPT:
            continue
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and node.name != "main" and not ast.get_docstring(node):
                silent.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert silent == []


VERDICTS = re.compile(r"\b(non-?compliant|compliant|certified|unbiased|bias-free|guaranteed? fair|legally (safe|sound)|passes the (audit|law|rule|test)|debias(ed)?)\b", re.IGNORECASE)


def test_no_page_report_or_code_gives_a_verdict() -> None:
    """Evidence is values, intervals and "inconclusive"; the verdict is for people. Tests and decisions may name the words to refuse them."""
    found = []
    for path in _ours(".py", ".html", ".typ", ".md", ".txt", ".js"):
        if path.relative_to(ROOT).parts[0] in ("tests", "docs") or path.name in ("DECISIONS.md", "CHANGELOG.md"):
            continue
        text = "\n".join(_printable(ast.parse(path.read_text()))) if path.suffix == ".py" else path.read_text()
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in VERDICTS.finditer(text)]
    assert found == []


def _printable(tree: ast.Module) -> Iterator[str]:
    """The strings of a module that a person may get to see: all but docstrings and notes under a field."""
    notes = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)}
    yield from (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in notes)


def test_no_file_names_the_machine_it_was_written_on() -> None:
    here = re.compile(r"(?<![\w./-])/work/|/root/\.pyenv|(?<![\w.])farm-[a-z]+\b")
    found = []
    for path in _ours(".py", ".html", ".typ", ".md", ".txt", ".toml", ".yml", ".js", ".css", "", ".example", ".sh"):
        if path == Path(__file__).resolve():
            continue
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in here.finditer(path.read_text(errors="replace"))]
    assert found == []


def test_no_html_carries_script_or_style_of_its_own() -> None:
    """The content security policy has no unsafe-inline; what it would block must not be written."""
    inline = re.compile(r"<style[\s>]|<script(?![^>]*\ssrc=)[^>]*>|\sstyle=|\son[a-z]+=\"|javascript:", re.IGNORECASE)
    found = []
    for path in _ours(".html"):
        if path.relative_to(ROOT).parts[0] == "templates":
            found += [f"{path.relative_to(ROOT)}: {match.group().strip()}" for match in inline.finditer(path.read_text())]
    assert found == []


def test_templates_never_mark_data_as_safe() -> None:
    unsafe = re.compile(r"\|\s*safe\b|autoescape off|mark_safe\(")
    found = [f"{path.relative_to(ROOT)}" for path in _ours(".html", ".py") if path.relative_to(ROOT).parts[0] in ("templates", *CODE) and unsafe.search(path.read_text())]
    assert found == []


ABOUT_MORE_THAN_ONE_FILE = {"attacks", "permissions", "structure", "on_postgresql", "public_pages", "schema", "migrations"}
"""Tests of a rule that many files keep together; each name added here is a decision."""


def test_each_test_file_mirrors_a_code_file() -> None:
    """tests/auditapp/test_runs.py is about auditapp/runs.py: where a file moves, its test moves."""
    strays = []
    for path in _ours(".py"):
        parts = path.relative_to(ROOT).parts
        if parts[0] != "tests" or len(parts) < 3 or parts[1] not in CODE or not path.name.startswith("test_"):
            continue
        folder, stem = ROOT.joinpath(*parts[1:-1]), path.stem.removeprefix("test_")
        if stem in ABOUT_MORE_THAN_ONE_FILE:
            continue
        stem = "__main__" if stem == "main" else stem
        if not any((folder / f"{stem}{suffix}").exists() for suffix in (".py", ".typ", "")):
            strays.append(str(path.relative_to(ROOT)))
    assert strays == []
