"""The whole story of a report: drawn and signed by a worker, stated, reviewed, approved; each version its own PDF that verifies, on evidence that nobody touched."""

from __future__ import annotations

import io
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils.reader import PdfFileReader

from auditapp import access, datasets, ledger, report_versions, results, storage
from auditapp.bundles import media_type_of
from auditapp.models import Artifact, Membership, Report, ReportRendering, Run, Workspace
from auditapp.report.attachment import attached_file
from auditapp.report.blocks import spoken
from auditapp.report.render import compile_pdf
from auditapp.report.sign import sign_pdf
from auditapp.report.verify import check_pdf
from auditapp.report.waiting import sign_waiting
from auditapp.statements import changes as statements, sign_offs
from auditapp.statements.fields import FIELDS
from automl.evidence import Evidence
from tests.auditapp.report.test_render import document
from workers import report_version
from workers.process import Ending
from workers.report_version import make_report

pytestmark = pytest.mark.slow


@pytest.fixture
def run(bundle: Path, own_key: Path, workspace: Workspace, analyst: Any) -> Run:
    """A run that has succeeded, with the drawn bundle as its files and its signed report as version 1."""
    evidence = Evidence.model_validate_json((bundle / "evidence.json").read_bytes())
    dataset = datasets.store_upload(io.BytesIO(b"a,b\n1,2\n"), name="t", filename="t.csv", workspace=workspace, user=analyst)
    run = Run.objects.create(
        pk=evidence.run.id, workspace=workspace, kind="training", dataset=dataset, title="t", spec={}, state="succeeded", finished_at="2026-11-22T05:00:00Z", created_by=analyst)
    for path in sorted(bundle.rglob("*")):
        if path.is_file():
            stored = storage.put(io.BytesIO(path.read_bytes()))
            Artifact.objects.create(run=run, name=path.relative_to(bundle).as_posix(), sha256=stored.sha256, bytes=stored.bytes, media_type=media_type_of(path.name))
    unsigned = (bundle / "audit.unsigned.pdf").read_bytes()
    signed = sign_pdf(unsigned)
    Report.objects.create(run=run, version=1, state="signed", evidence_digest=evidence.digest, unsigned_sha256=storage.put(io.BytesIO(unsigned)).sha256,
                          pdf_sha256=storage.put(io.BytesIO(signed.bytes)).sha256, signer=signed.signer, signed_at=signed.signed_at)
    return run


def made(run: Run, version: int) -> bytes:
    """The PDF of the version, made now by a worker where it waits."""
    for key in ReportRendering.objects.filter(run=run, state="queued").values_list("pk", flat=True):
        assert make_report(key)
        assert not make_report(key), "a doorbell that rings twice changes nothing"
    row = ReportRendering.objects.filter(run=run, version=version).first()
    assert row is None or row.state == "done", (row.failure_code, row.failure_text)
    with results.open_report(run, version) as file:
        return file.read()


def words_of(pdf: bytes, folder: Path) -> str:
    (folder / "report.pdf").write_bytes(pdf)
    done = subprocess.run(["pdftotext", "-layout", str(folder / "report.pdf"), "-"], capture_output=True, text=True, check=True)
    # Long words may break anywhere
    return re.sub(r"\s+", " ", done.stdout)


def caller(run: Run, name: str, role: str, django_user_model: Any) -> access.Caller:
    user = django_user_model.objects.create_user(name)
    Membership.objects.create(workspace=run.workspace, user=user, role=role)
    return access.Caller(user, run.workspace, role)


def test_from_nothing_said_to_approved(run: Run, own_key: Path, bundle: Path, tmp_path: Path, django_user_model: Any) -> None:
    officer, reviewer = caller(run, "olive", "owner", django_user_model), caller(run, "rene", "reviewer", django_user_model)
    certificates = list(load_certs_from_pemder_data((own_key / "certificate.pem").read_bytes()))
    first = made(run, 1)
    assert re.search(r"NOT PROVIDED [^()]*\bDeployer; [^()]*\(to be provided by the deployer\)", words_of(first, tmp_path))

    statements.change(run, officer, {"deployer": "Bank of #Typst$ [x] \\ 銀行", "risk_register": "One risk\nAnother risk"}, base=0)
    second = made(run, 2)
    text = words_of(second, tmp_path)
    assert re.search(r"Bank of #Typst\$ \[x\] \\ \[U\+9280 U\+884C\] \(olive, owner, 20", text), "a text is a value, never markup, and no character stops the compiler"
    assert re.search(r"NOT PROVIDED [^()]*\(to be provided by the deployer\)", text), "what else the deployer should say"
    assert not re.search(r"NOT PROVIDED [^()]*\bDeployer\b", text)
    assert "version 2, with statements version 1" in text
    assert re.search(r"2 statements: Deployer; Risk register olive", text)

    sign_offs.sign_off(run, reviewer, "review", "The numbers agree with the evidence.", report_version=2)
    third = made(run, 3)
    sign_offs.sign_off(run, officer, "approval", "Agreed.", report_version=3)
    fourth = made(run, 4)
    text = words_of(fourth, tmp_path)
    rows = {report.version: report for report in Report.objects.filter(run=run)}
    assert re.search(r"Review The numbers agree with the evidence\. \(rene, reviewer, 20.*?of report version 2 with statements version 1", text)
    assert re.search(r"Approval Agreed\. \(olive, owner, 20.*?of report version 3", text)
    assert rows[3].pdf_sha256 in text.replace(" ", "")
    assert f"2 of {len(FIELDS)} statements are provided; reviewed by rene and approved by olive" in text

    evidence = (bundle / "evidence.json").read_bytes()
    for version, pdf in enumerate((first, second, third, fourth), start=1):
        verdict = check_pdf(pdf, certificates)
        assert (verdict.valid, verdict.run, verdict.problems) == (True, run.pk, ()), version
        reader = PdfFileReader(io.BytesIO(pdf))
        assert attached_file(reader, "evidence.json") == evidence, "byte for byte"
        said = json.loads(attached_file(reader, "statements.json") or b"")
        assert (said["report_version"], said["version"], len(said["sign_offs"])) == (version, min(version - 1, 1), max(version - 2, 0))
        with pikepdf.open(io.BytesIO(pdf)) as opened:
            kinds = {str(entry.UF): (str(entry.AFRelationship), str(entry.EF.F.Subtype)) for entry in opened.Root.AF}
        assert kinds["statements.json"] == ("/Data", "/application/json")
    pictures = []
    for version in (2, 3, 4):
        with results.open_picture(rows[version]) as file:
            pictures.append(file.read())
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert pictures[0] != pictures[1], "the first page says how far the sign-off is"
    made_entries = [entry for entry in ledger._chain(run.workspace_id) if entry.action == "report.made"]
    assert [(entry.data["version"], entry.data["pdf_sha256"]) for entry in made_entries] == [(version, rows[version].pdf_sha256) for version in (2, 3, 4)]
    assert ledger.verify(run.workspace) == []


def test_without_a_key_a_version_waits_for_its_signature_and_gets_it(run: Run, own_key: Path, settings: Any, django_user_model: Any) -> None:
    settings.SIGNING_KEY = "/nonexistent"
    statements.change(run, caller(run, "olive", "owner", django_user_model), {"deployer": "A bank"}, base=0)
    assert make_report(ReportRendering.objects.get(run=run).pk)
    report = Report.objects.get(run=run, version=2)
    assert (report.state, report.pdf_sha256) == ("awaiting_signature", "")
    assert results.signed_report(run).version == 1
    settings.SIGNING_KEY = own_key / "key.pem"
    files = set(run.artifacts.values_list("name", "sha256"))
    assert sign_waiting() == 1
    with results.open_report(run) as file:
        assert check_pdf(file.read(), list(load_certs_from_pemder_data((own_key / "certificate.pem").read_bytes()))).valid
    assert results.signed_report(run).version == 2
    assert set(run.artifacts.values_list("name", "sha256")) == files, "the files of the run are those of its first version"


def test_what_a_child_leaves_under_the_name_of_statements_says_nothing(bundle: Path, tmp_path: Path) -> None:
    """Only people's own words are printed as theirs: a stranger's table must not bring its approval along."""
    import shutil

    from workers.render import render_bundle

    folder = shutil.copytree(bundle, tmp_path / "bundle")
    before = (folder / "audit.unsigned.pdf").read_bytes()
    (folder / "statements.json").write_text("{}")
    (folder / "charts.json").write_text('{"charts": []}')
    render_bundle(folder)
    with pikepdf.open(folder / "audit.unsigned.pdf") as opened, pikepdf.open(io.BytesIO(before)) as untouched:
        assert opened.attachments["statements.json"].get_file().read_bytes() == untouched.attachments["statements.json"].get_file().read_bytes()


@pytest.mark.parametrize(("ending", "state", "code"), [
    (Ending("failed", text="a trace"), "failed", "internal"), (Ending("out_of_memory", peak=2**31), "failed", "out_of_memory"), (Ending("died", signal=9), "running", ""),
])
def test_a_renderer_that_fails_ends_in_a_sentence_and_no_report(
        run: Run, ending: Ending, state: str, code: str, monkeypatch: pytest.MonkeyPatch, settings: Any, django_user_model: Any) -> None:
    monkeypatch.setattr(report_version, "run_render", lambda *_, **__: ending)
    statements.change(run, caller(run, "olive", "owner", django_user_model), {"deployer": "A bank"}, base=0)
    rendering = ReportRendering.objects.get(run=run)
    assert make_report(rendering.pk)
    rendering.refresh_from_db()
    assert (rendering.state, rendering.failure_code) == (state, code)
    assert not Report.objects.filter(run=run, version=2).exists()
    assert not list(Path(settings.STAGING_ROOT).iterdir()), "nothing is left behind"
    # Died: whoever sweeps next has it done by another worker
    assert report_versions.sweep()["reports_requeued"] == (state == "running")


def test_no_text_of_a_person_stops_the_compiler_or_becomes_markup(tmp_path: Path) -> None:
    texts = ["x" * 4_000, "#panic()\n= Heading\n$ sum $ [x] \\ `code` @ref <label>", "שלום עולם\nمرحبا بالعالم", "\U0001f469\u200d\U0001f52c\n\ufeffBOM", "\n".join("line" for _ in range(1_000)), "\u00ad" * 99 + "soft"]
    pdf = compile_pdf(document(blocks=[spoken([("Label", text, "somebody, owner, 2026-11-22T05:00:00Z") for text in texts])]), {}, [])
    text = words_of(pdf, tmp_path)
    assert "#panic() = Heading $ sum $ [x] \\ `code` @ref <label>" in text
    assert text.count("line line line") > 300
    assert "[U+05E9" in text
