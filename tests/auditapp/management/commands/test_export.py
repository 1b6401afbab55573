"""Documents for others from a folder, and every refusal one sentence with exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

from auditapp.statements.document import Statement, Statements
from automl.evidence import Evidence, canonical_json
from tests.evidence_example import make_evidence
from tests.evidence_variants import with_law


def folder_of(evidence: Evidence, path: Path) -> Path:
    path.mkdir()
    (path / "evidence.json").write_bytes(canonical_json(evidence.model_dump(mode="json")))
    return path


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    with pytest.raises(SystemExit) as ended:
        call_command("export", *map(str, arguments))
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_a_folder_becomes_a_document_with_what_people_have_said(tmp_path: Path) -> None:
    evidence = with_law()
    folder = folder_of(evidence, tmp_path / "out")
    said = Statements(run=evidence.run.id, evidence_digest=evidence.digest, version=1, fields={"system": Statement(text="Scorer 2.1", author="ada", role="owner", at="2026-11-21T10:00:00Z")})
    (tmp_path / "statements.json").write_bytes(canonical_json(said.model_dump(mode="json")))
    call_command("export", str(folder), "local-law-144.html", "--statements", str(tmp_path / "statements.json"), "--out", str(tmp_path / "summary.html"))
    assert "Scorer 2.1" in (tmp_path / "summary.html").read_text()
    call_command("export", str(folder), "annex-iv.md", "--out", str(tmp_path / "annex.md"))
    assert (tmp_path / "annex.md").read_text().startswith("# Technical documentation")


def test_refusals_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(make_evidence(), tmp_path / "out")
    out = tmp_path / "made"
    assert "There is no summary for Local Law 144" in refusal(capsys, folder, "local-law-144.html", "--out", out)
    assert "evidence.json cannot be read" in refusal(capsys, tmp_path / "nothing", "annex-iv.md", "--out", out)
    assert "is there already" in refusal(capsys, folder, "annex-iv.md", "--out", folder)
    assert "cannot be written" in refusal(capsys, folder, "annex-iv.md", "--out", tmp_path / "no" / "such" / "folder")
    (tmp_path / "other.json").write_bytes(canonical_json(Statements(run="run_x", evidence_digest="0" * 64).model_dump(mode="json")))
    assert "is about other evidence" in refusal(capsys, folder, "annex-iv.md", "--statements", tmp_path / "other.json", "--out", out)
    (folder / "evidence.json").write_text("{}")
    assert "is not what it should be" in refusal(capsys, folder, "annex-iv.md", "--out", out)
    assert not out.exists()
