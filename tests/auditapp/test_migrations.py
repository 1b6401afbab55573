"""T-51 of the fault list: a database of the version before, with runs that wait and one that runs, goes on under this version and loses nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BEFORE = "0006_statements_guard"
"""The newest migration of the version before."""

STORY = f"""
import json
import django
django.setup()
from datetime import timedelta
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

executor = MigrationExecutor(connection)
newest = executor.loader.graph.leaf_nodes()
executor.migrate([node for node in newest if node[0] != "auditapp"] + [("auditapp", "{BEFORE}")])
old = MigrationExecutor(connection).loader.project_state(("auditapp", "{BEFORE}")).apps
tables = sorted(name for name in connection.introspection.table_names() if name.startswith("auditapp_"))
model = lambda name: old.get_model("auditapp", name)
for place in ("one", "two"):
    workspace = model("Workspace").objects.create(id=f"ws_{{place}}", name=place)
    dataset = model("Dataset").objects.create(id=f"ds_{{place}}", workspace=workspace, name="t", filename="t.csv", sha256="0" * 64, bytes=1)
    model("Profile").objects.create(dataset=dataset, options={{"table": {{}}, "missing": []}}, options_sha256="0" * 64)
    model("Run").objects.create(id=f"run_{{place}}_queued", workspace=workspace, dataset=dataset, kind="training", title="t", spec={{"target": "a"}})
first = model("Run").objects.get(id="run_one_queued")
run = model("Run").objects.create(
    id="run_one_a", workspace=first.workspace, dataset=first.dataset, kind="training", title="t", spec=first.spec, state="running", attempt=1, owner="gone",
    started_at=timezone.now(), lease_until=timezone.now() - timedelta(seconds=1))
model("RunEvent").objects.create(run=run, attempt=1, kind="claimed")
model("RunTrial").objects.create(run=run, number=0, attempt=1, sha256="1" * 64, bytes=1)
count = lambda: {{table: connection.cursor().execute(f"SELECT COUNT(*) FROM {{table}}").fetchone()[0] for table in tables}}
before = count()

MigrationExecutor(connection).migrate(newest)
assert not MigrationExecutor(connection).migration_plan(newest)
after = count()

from auditapp import profiles, runs, sweeps
from auditapp.models import Profile, Run
swept = sweeps.sweep_all()
leases = {{key: runs.claim(key, "new") for key in ("run_two_queued", "run_one_a", "run_one_queued")}}
print(json.dumps({{
    "before": before, "after": after, "requeued": swept["runs_requeued"],
    "attempts": {{key: lease and lease.attempt for key, lease in leases.items()}}, "trials": runs.trials_of(leases["run_one_a"], ()),
    "profiles": [profiles.claim_profile(key, "new") is not None for key in Profile.objects.values_list("pk", flat=True)],
}}))
"""


def test_t51_runs_of_the_version_before_go_on(tmp_path: Path) -> None:
    """In a process of its own: this one's database is already of this version."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PLUMBLINE_")}
    done = subprocess.run(
        [sys.executable, "-c", STORY], cwd=ROOT, capture_output=True, text=True, timeout=120,
        env=environment | {"PLUMBLINE_HOME": str(tmp_path), "PLUMBLINE_REDIS_URL": f"redis+socket://{tmp_path}/none.sock", "DJANGO_SETTINGS_MODULE": "auditapp.settings"})
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["before"]["auditapp_run"] == 3
    assert told["after"] == told["before"], "no row is lost, and none appears"
    assert told["requeued"] == 1
    assert told["attempts"] == {"run_two_queued": 1, "run_one_a": 2, "run_one_queued": None}, "each in its turn; the one that was interrupted first"
    assert told["trials"] == [[0, "1" * 64]]
    assert told["profiles"] == [True, True]
