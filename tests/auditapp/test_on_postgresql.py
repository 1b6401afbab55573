"""The state code once more, on PostgreSQL: the same tests in a session of their own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

FILES = ["test_runs.py", "test_parts.py", "test_ledger.py", "test_datasets.py", "test_profiles.py", "test_submission.py", "test_results.py", "statements/test_changes.py", "statements/test_sign_offs.py", "test_report_versions.py",
         "people/test_members.py", "people/test_workspaces.py", "test_retention.py", "people/test_notices.py", "people/test_sessions.py", "webhooks/test_outbox.py"]


@pytest.mark.story
@pytest.mark.postgres
def test_state_code_on_postgresql(postgres_url: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")} | {"PLUMBLINE_DATABASE_URL": postgres_url}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--create-db", *(f"tests/auditapp/{name}" for name in FILES)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
