"""That the check of everything finds what is wrong; tests/flow/test_backup_story.py sees it find nothing where a real report was signed."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import call_command

from auditapp import storage
from auditapp.whole import check_all

pytestmark = pytest.mark.django_db


def stored_path(sha256: str) -> Any:
    return storage.place_in(storage.settings.STORAGE_ROOT, sha256)


def test_everything_is_whole(succeeded_run: Any) -> None:
    run = succeeded_run(signed=False)
    checked = check_all()
    assert checked.problems == ()
    assert checked.reports == 0
    assert checked.files == len({run.dataset.sha256, *run.artifacts.values_list("sha256", flat=True)})
    assert checked.entries >= 3


def test_altered_and_missing_files_and_reports_are_named(succeeded_run: Any) -> None:
    run = succeeded_run()
    altered, missing = (run.artifacts.get(name=name).sha256 for name in ("evidence.json", "modelcard.md"))
    stored_path(altered).chmod(0o600)
    stored_path(altered).write_text("{}")
    stored_path(missing).unlink()
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_all", stdout=out)
    assert ended.value.code == 1
    assert f"- file {altered}: what is stored as {altered} was altered" in out.getvalue()
    assert f"- file {missing} is missing from the storage" in out.getvalue()
    assert f"- report 1 of {run.pk}: its structure is damaged" in out.getvalue(), "what the test signed is no PDF"
    assert out.getvalue().endswith("1 signed reports: 3 problems.\n")


def test_a_report_that_the_ledger_does_not_have_is_named(succeeded_run: Any) -> None:
    run = succeeded_run()
    run.reports.update(pdf_sha256=run.artifacts.get(name="modelcard.md").sha256)
    assert check_all().problems == (f"report 1 of {run.pk}: the ledger does not have it",)
