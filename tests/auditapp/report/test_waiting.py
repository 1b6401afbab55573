from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from auditapp import datasets, ledger, results, runs, storage
from auditapp.models import Report, Run, Workspace
from auditapp.report import sign
from auditapp.report.waiting import sign_waiting
from auditapp.sweeps import sweep_all
from automl.bundle import open_bundle
from automl.spec import TaskSpec
from tests.auditapp.drawn_bundle import make_bundle

UNSIGNED = b"%PDF-unsigned"


class Signatures:
    """Stands for the key: absent, present, or refusing these very bytes. The signature itself has tests of its own."""

    def __init__(self) -> None:
        self.present, self.seen = False, []

    def __call__(self, unsigned: bytes) -> sign.Signed:
        self.seen.append(unsigned)
        if not self.present:
            raise sign.NoSigningKey("the signing key cannot be read: No such file or directory")
        if b"bad" in unsigned:
            raise ValueError("the unsigned report carries no evidence.json")
        return sign.Signed(unsigned + b"-signed", "Somebody", sign.datetime.datetime(2026, 11, 21, tzinfo=sign.datetime.UTC))


@pytest.fixture
def signatures(monkeypatch: pytest.MonkeyPatch) -> Signatures:
    signatures = Signatures()
    monkeypatch.setattr(sign, "sign_pdf", signatures)
    return signatures


@pytest.fixture
def waiting(workspace: Workspace, analyst: Any, tmp_path: Path) -> Any:
    dataset = datasets.store_upload(io.BytesIO(b"a,b\n1,2\n"), name="table", filename="t.csv", workspace=workspace, user=analyst)

    def make(name: str, unsigned: bytes = UNSIGNED) -> Run:
        (tmp_path / name).mkdir()
        run = runs.submit(workspace=workspace, dataset=dataset, kind="training", spec=TaskSpec(target="a"), user=analyst)
        lease = runs.claim(run.pk, "here:1")
        assert lease is not None
        bundle = make_bundle(tmp_path / name, lease.run_id)
        (bundle / "audit.unsigned.pdf").write_bytes(unsigned)
        runs.succeed(lease, bundle, None)
        return Run.objects.get(pk=lease.run_id)

    return make


def test_t47_a_report_waits_for_its_key_and_is_signed_when_it_comes(waiting: Any, signatures: Signatures, tmp_path: Path) -> None:
    run = waiting("one")
    before = run.artifacts.get(name="manifest.json").sha256
    assert sign_waiting() == 0
    with pytest.raises(results.NotSigned):
        results.open_report(run)
    signatures.present = True
    call_command("reconcile")
    report = Report.objects.get(run=run)
    assert (report.version, report.state, report.signer) == (1, "signed", "Somebody")
    with results.open_report(run) as file:
        assert file.read() == UNSIGNED + b"-signed"
    assert not storage.exists(before), "the manifest that did not name the PDF"
    assert run.events.last().kind == "report_signed"
    assert ledger._chain(run.workspace_id).last().data["pdf_sha256"] == hashlib.sha256(UNSIGNED + b"-signed").hexdigest()
    assert ledger.verify(run.workspace) == []
    # The run's files still vouch for each other
    folder = tmp_path / "again"
    for artifact in run.artifacts.all():
        (folder / artifact.name).parent.mkdir(parents=True, exist_ok=True)
        with results.open_artifact(run, artifact.name) as file:
            (folder / artifact.name).write_bytes(file.read())
    assert "audit.pdf" in open_bundle(folder).manifest.files
    assert sign_waiting() == 0
    assert len(signatures.seen) == 2


def test_one_that_cannot_be_signed_does_not_hold_up_the_others(waiting: Any, signatures: Signatures) -> None:
    bad, good = waiting("bad", b"%PDF-bad"), waiting("good")
    signatures.present = True
    assert sign_waiting() == 1
    assert [Report.objects.get(run=run).state for run in (bad, good)] == ["awaiting_signature", "signed"]


def test_two_at_once_sign_once(waiting: Any, signatures: Signatures, monkeypatch: pytest.MonkeyPatch) -> None:
    run = waiting("one")
    signatures.present = True

    def while_another_signs(unsigned: bytes) -> sign.Signed:
        monkeypatch.setattr(sign, "sign_pdf", signatures)
        assert sign_waiting() == 1
        return sign.Signed(b"%PDF-late", "Somebody else", sign.datetime.datetime.now(sign.datetime.UTC))

    monkeypatch.setattr(sign, "sign_pdf", while_another_signs)
    assert sign_waiting() == 0
    assert Report.objects.get(run=run).signer == "Somebody"
    assert not storage.exists(hashlib.sha256(b"%PDF-late").hexdigest())
    with results.open_artifact(run, "manifest.json") as file:
        assert json.loads(file.read())["files"]["audit.pdf"]["sha256"] == Report.objects.get(run=run).pdf_sha256


def test_a_busy_workers_sweep_signs_nothing(waiting: Any, signatures: Signatures) -> None:
    """A time stamp authority that does not answer would hold up the run that is being watched."""
    waiting("one")
    signatures.present = True
    sweep_all()
    assert signatures.seen == []
