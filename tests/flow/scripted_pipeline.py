"""An engine that does nothing but take its time, for stories about everything around an engine. The title is its script: "trials=6 sleep=0.2".

Stands in for automl.pipeline where PLUMBLINE_TESTING_PIPELINE names it. A trial that lies in ``trials`` is taken up and not repeated; each
trial's file says which process made it.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from automl.bundle import write_bundle
from automl.errors import Stopped
from automl.evidence import RunInfo, digest_of
from automl.hooks import Hooks, Progress
from automl.spec import TaskSpec
from tests.evidence_example import make_charts, make_evidence


def run_training(spec: TaskSpec, table: Path, out: Path, hooks: Hooks, *, run: dict[str, Any], trials: Path, **_: Any) -> None:
    script = dict(part.split("=") for part in spec.title.split() if "=" in part)
    total, pause = int(script.get("trials", "0")), float(script.get("sleep", "0"))
    assert table.read_bytes(), "the table can be read"
    hooks.progress(Progress("split"))
    hooks.progress(Progress("tune", 0, total))
    for number in range(total):
        asked = hooks.stop_requested()
        if asked == "cancel":
            raise Stopped
        if asked == "finish":
            break
        path = trials / f"{number:04d}.trial"
        if path.exists():
            print(f"trial {number} taken up", file=sys.stderr)
            continue
        time.sleep(pause)
        path.write_text(f"trial {number} by process {os.getpid()}")
        hooks.trial_finished(number, path, family="scripted", score=0.5 + (0.01 if number % 2 else 0.0))
        hooks.progress(Progress("tune", number + 1, total, best=0.5 + number / 100, metric="roc_auc", trials=number + 1))
    hooks.progress(Progress("ensemble"))
    hooks.progress(Progress("evidence"))
    _write(out, spec, run)


def _write(out: Path, spec: TaskSpec, run: dict[str, Any]) -> None:
    evidence = make_evidence(run=RunInfo(id=run["id"], kind="training", title=run["title"], parent=run["parent"]))
    evidence = evidence.model_copy(update={"digest": digest_of(evidence.model_dump(mode="json"))})

    def save_model(folder: Path) -> None:
        (folder / "model.json").write_text("{}")

    write_bundle(out, evidence=evidence, charts=make_charts(evidence), card="# A model\n", predictions=lambda path: path.write_text("row\n") and None, save_model=save_model)
