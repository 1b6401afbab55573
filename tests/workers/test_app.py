"""The Celery app: light, JSON only, at most once, and it refuses to fork a heavy parent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from workers import tasks  # noqa: F401 - registers
from workers.app import HEAVY, app


def test_t38_messages_are_doorbells() -> None:
    assert app.conf.task_acks_late is False
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_ignore_result is True
    assert app.conf.worker_disable_prefetch is True
    assert app.conf.broker_transport_options["socket_timeout"] > 0


def test_names_that_dispatch_rings_exist() -> None:
    assert {"workers.tasks.run_hint", "workers.tasks.profile_hint", "workers.tasks.reconcile"} <= set(app.tasks)
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)


def test_t54_heavy_parent_refuses_to_start(tmp_path: Path) -> None:
    code = "import sys, types; sys.modules['lightgbm'] = types.ModuleType('lightgbm')\nfrom workers.app import refuse_heavy_parent; refuse_heavy_parent()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={"PATH": "/usr/bin", "PLUMBLINE_HOME": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "lightgbm is loaded" in done.stderr


def test_worker_parent_is_light(tmp_path: Path) -> None:
    code = f"import sys, workers.app, workers.tasks, auditapp.report.sign; print(sorted({set(HEAVY)!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={"PATH": "/usr/bin", "PLUMBLINE_HOME": str(tmp_path)}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
