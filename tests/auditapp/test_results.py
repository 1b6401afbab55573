"""What a run ended in, read back; altered bytes are not handed out."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from auditapp import datasets, results, runs, storage
from auditapp.models import Report, Run, Workspace
from automl.spec import TaskSpec
from tests.auditapp.test_runs import Signed, make_bundle


@pytest.fixture
def run(workspace: Workspace, analyst: Any, tmp_path: Path) -> Run:
    dataset = datasets.store_upload(io.BytesIO(b"a\n1\n"), name="t", filename="t", workspace=workspace, user=analyst)
    run = runs.submit(workspace=workspace, dataset=dataset, kind="training", spec=TaskSpec(target="a"), user=analyst)
    lease = runs.claim(run.pk, "x")
    assert lease is not None
    runs.succeed(lease, make_bundle(tmp_path, run.pk), Signed())
    return Run.objects.get(pk=run.pk)


def test_run_without_results(workspace: Workspace, analyst: Any) -> None:
    dataset = datasets.store_upload(io.BytesIO(b"a\n1\n"), name="t", filename="t", workspace=workspace, user=analyst)
    run = runs.submit(workspace=workspace, dataset=dataset, kind="training", spec=TaskSpec(target="a"), user=analyst)
    for read in (results.read_evidence, results.read_charts, lambda run: results.open_artifact(run, "evidence.json"), lambda run: results.write_bundle_zip(run, io.BytesIO())):
        with pytest.raises(results.NoSuchArtifact):
            read(run)
    with pytest.raises(results.NotSigned):
        results.open_report(run)
    assert results.newest_report(run) is None


@pytest.mark.parametrize("name", ["", "nope", "../evidence.json", "evidence.json/", "EVIDENCE.JSON", "charts", "evidence.json\x00", "/etc/passwd"])
def test_only_the_names_of_the_bundle(run: Run, name: str) -> None:
    with pytest.raises(results.NoSuchArtifact):
        results.open_artifact(run, name)


def test_evidence_report_and_zip(run: Run) -> None:
    assert results.read_evidence(run).run.id == run.pk
    with results.open_report(run) as file:
        assert file.read() == b"%PDF-signed"
    first, second = io.BytesIO(), io.BytesIO()
    results.write_bundle_zip(run, first)
    results.write_bundle_zip(run, second)
    assert first.getvalue() == second.getvalue()
    with zipfile.ZipFile(first) as archive:
        assert archive.namelist() == results.artifact_names(run)
        with results.open_artifact(run, "evidence.json") as file:
            assert archive.read("evidence.json") == file.read()


def test_awaiting_report_is_not_handed_out(run: Run) -> None:
    Report.objects.update(state="awaiting_signature", pdf_sha256="")
    with pytest.raises(results.NotSigned):
        results.open_report(run)


@pytest.mark.parametrize("name", ["evidence.json", "audit.pdf"])
def test_altered_file_is_not_handed_out(run: Run, name: str) -> None:
    path = storage._path(run.artifacts.get(name=name).sha256)
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(storage.Damaged):
        results.open_artifact(run, name)
    with pytest.raises(storage.Damaged):
        results.write_bundle_zip(run, io.BytesIO())
