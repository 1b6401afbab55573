from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

from automl.evidence import Evidence, canonical_json, measured_digest_of
from tests.auditapp.test_repeats import renumbered, sealed
from tests.evidence_example import make_evidence


def folder_of(evidence: Evidence, path: Path) -> str:
    path.mkdir()
    (path / "evidence.json").write_bytes(canonical_json(evidence.model_dump(mode="json")))
    return str(path)


def test_two_folders_are_the_same_or_differ_where_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sealed(make_evidence())
    one = folder_of(before, tmp_path / "one")
    call_command("compare", one, one)
    assert capsys.readouterr().out == f"Same digest: {before.digest}\n"
    again = sealed(before, plan=renumbered(before.plan))
    call_command("compare", one, folder_of(again, tmp_path / "again"))
    assert f"Same digest of what was measured: {measured_digest_of(before.model_dump(mode='json'))}." in capsys.readouterr().out
    assert before.digest != again.digest
    other = folder_of(sealed(before, design=before.design.model_copy(update={"unit": "a household"})), tmp_path / "other")
    with pytest.raises(SystemExit) as ended:
        call_command("compare", one, other)
    assert ended.value.code == 1
    assert f'/design/unit: "{before.design.unit}" -> "a household"' in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        call_command("compare", one, str(tmp_path))
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
