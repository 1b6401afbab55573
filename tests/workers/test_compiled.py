"""The machine code of trees and their explainer in a child's folder: taken over from beside the code, never written there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditapp.embedded.install import COMPILED, ROOT

pytestmark = pytest.mark.slow

PLACE = COMPILED[0].parent
CHILD = """
import json, sys
from pathlib import Path
from auditapp.confinement import confine
from workers.compiled import lend_compiled
staging = Path(sys.argv[1])
confine(writable=[staging], readable=[])
lend_compiled(staging / "compiled")
from automl.learn import tree_shap, trees
tree_shap.warm_up()
stats = [function.stats for function in (tree_shap._add_trees, trees._add_scores)]
print(json.dumps({"found": sum(sum(each.cache_hits.values()) for each in stats), "made": sum(sum(each.cache_misses.values()) for each in stats)}))
"""


def _child(staging: Path) -> dict[str, int]:
    staging.mkdir()
    done = subprocess.run([sys.executable, "-c", CHILD, str(staging)], cwd=ROOT, capture_output=True, text=True, env={**os.environ, "HOME": str(staging)})
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, int] = json.loads(done.stdout)
    return found


def test_a_child_behind_its_walls_finds_what_was_compiled_and_writes_nothing_beside_the_code(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", "from automl.learn.tree_shap import warm_up; warm_up()"], cwd=ROOT, check=True)
    beside = {path: path.stat().st_mtime_ns for path in (PLACE / "__pycache__").iterdir()}
    assert any(path.suffix == ".nbc" for path in beside)
    assert _child(tmp_path / "staging") == {"found": 2, "made": 0}
    assert {path: path.stat().st_mtime_ns for path in (PLACE / "__pycache__").iterdir() if path in beside} == beside


def test_a_child_that_is_lent_nothing_of_use_compiles_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    monkeypatch.setenv("NUMBA_CPU_FEATURES", "")
    assert _child(tmp_path / "staging") == {"found": 0, "made": 2}
