"""`manage.py audit`, `audit_predictions` and `verify` as a person types them: real commands, real children, a real signature."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from automl.bundle import open_bundle
from automl.spec import OPTIONAL_PARTS

ROOT = Path(__file__).resolve().parents[4]
pytestmark = pytest.mark.story


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """600 applications in which women are approved at 0.3 and men at 0.8 at equal merit, and somebody's model that decided just so."""
    draw = random.Random(5)
    path = tmp_path_factory.mktemp("table") / "loans.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["merit", "branch", "sex", "approved", "score", "decision"])
        for _ in range(600):
            sex = draw.choice(["Female", "Male"])
            merit = draw.random()
            rate = (0.3 if sex == "Female" else 0.8) * 0.9 + 0.1 * merit
            approved = "yes" if draw.random() < rate else "no"
            rows.writerow([f"{merit:.3f}", f"{'ABC'[draw.randrange(3)]}{sex[0]}", sex, approved, f"{rate:.3f}", "yes" if rate > 0.5 else "no"])
    return path


def _command(home: Path, *arguments: str | Path) -> list[str]:
    return [sys.executable, "manage.py", *map(str, arguments)]


def _environment(home: Path) -> dict[str, str]:
    return {**{name: value for name, value in os.environ.items() if not name.startswith("PLUMBLINE_")}, "PLUMBLINE_HOME": str(home)}


def _manage(home: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(_command(home, *arguments), cwd=ROOT, env=_environment(home), capture_output=True, text=True, timeout=500)


TRAIN = ("--target", "approved", "--positive", "yes", "--sensitive", "sex", "--trials", "1", "--families", "linear", "--seed", "1", "--threads", "1",
         "--leave-out", ",".join(OPTIONAL_PARTS))


@pytest.fixture(scope="module")
def audited(home: Path, table: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    out = tmp_path_factory.mktemp("audited") / "new" / "out"
    return out, _manage(home, "audit", table, *TRAIN, "--fail-on", "high", "--out", out)


def test_a_high_finding_is_exit_code_3_and_the_folder_is_whole(audited: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    out, done = audited
    assert done.returncode == 3, done.stdout + done.stderr
    assert done.stderr == ""
    bundle = open_bundle(out)
    assert bundle.evidence.spec.leave_out == OPTIONAL_PARTS
    assert any(finding.severity == "high" for finding in bundle.evidence.findings)
    assert {"audit.pdf", "evidence.json", "modelcard.md", "predictions.csv", "charts.json"} <= set(bundle.manifest.files)
    assert any(name.startswith("model/") for name in bundle.manifest.files)
    assert "audit.unsigned.pdf" not in bundle.manifest.files
    assert not [path for path in out.parent.iterdir() if path != out], "no draft is left beside it"


def test_the_terminal_shows_progress_and_the_findings(audited: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    out, done = audited
    lines = done.stdout.splitlines()
    assert any(line.strip().startswith("100 %  done") for line in lines)
    for finding in open_bundle(out).evidence.findings:
        assert finding.text in done.stdout
    assert lines[-1] == f"Signed report  {out / 'audit.pdf'}"


def test_the_predictions_are_the_audit_rows(audited: tuple[Path, subprocess.CompletedProcess[str]], table: Path) -> None:
    out, _done = audited
    source = list(csv.DictReader(table.read_text().splitlines()))
    rows = list(csv.DictReader((out / "predictions.csv").read_text().splitlines()))
    assert list(rows[0]) == ["row", "label", "prediction", "proba_no", "proba_yes", "sex"]
    assert 100 < len(rows) < 200, "a quarter of 600"
    for row in rows:
        written = source[int(row["row"])]  # counted from 0, below the header
        assert (row["label"], row["sex"]) == (written["approved"], written["sex"])
        assert float(row["proba_no"]) + float(row["proba_yes"]) == pytest.approx(1)
        assert row["prediction"] in ("no", "yes")


def test_the_report_verifies_and_one_flipped_byte_does_not(audited: tuple[Path, subprocess.CompletedProcess[str]], home: Path, tmp_path: Path) -> None:
    out, _done = audited
    intact = _manage(home, "verify", out / "audit.pdf")
    assert intact.returncode == 0, intact.stdout + intact.stderr
    data = bytearray((out / "audit.pdf").read_bytes())
    data[len(data) // 3] ^= 1
    (tmp_path / "altered.pdf").write_bytes(data)
    assert _manage(home, "verify", tmp_path / "altered.pdf").returncode == 1
    assert _manage(home, "verify", out / "evidence.json").returncode == 2


def test_the_second_audit_into_the_same_folder_is_refused(audited: tuple[Path, subprocess.CompletedProcess[str]], home: Path, table: Path) -> None:
    out, _done = audited
    before = (out / "manifest.json").read_bytes()
    refused = _manage(home, "audit", table, *TRAIN, "--out", out)
    assert refused.returncode == 2
    assert refused.stderr == f"--out: {out} is not empty; name a folder that is empty or does not exist yet\n"
    assert (out / "manifest.json").read_bytes() == before


def test_predictions_made_elsewhere(home: Path, table: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()  # empty is as good as absent
    done = _manage(home, "audit_predictions", table, "--label", "approved", "--score", "score", "--decision", "decision", "--positive", "yes",
                   "--sensitive", "sex", "--fail-on", "medium", "--out", tmp_path / "out")
    assert done.returncode == 3, done.stdout + done.stderr
    bundle = open_bundle(tmp_path / "out")
    assert bundle.evidence.run.kind == "predictions"
    assert not any(name.startswith("model/") for name in bundle.manifest.files)
    assert _manage(home, "verify", tmp_path / "out" / "audit.pdf").returncode == 0


def test_without_a_label_and_without_fail_on(home: Path, table: Path, tmp_path: Path) -> None:
    done = _manage(home, "audit_predictions", table, "--decision", "decision", "--positive", "yes", "--sensitive", "sex", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stdout + done.stderr
    evidence = json.loads((tmp_path / "out" / "evidence.json").read_text())
    assert evidence["performance"]["status"] == "not_measured"
    assert f"Performance  not measured: {evidence['performance']['reason']}" in done.stdout


@pytest.mark.parametrize(("arguments", "said"), [
    (("--target", "aproved"), "did you mean 'approved'"),
    (("--target", "approved", "--sensitive", "gender"), "gender"),
    (("--target", "approved", "--positive", "maybe"), "maybe"),
    (("--target", "approved", "--seconds", "soon"), "--seconds"),
    (("--target",), "--target"),
])
def test_bad_input_is_one_sentence_on_standard_error_and_exit_code_2(home: Path, table: Path, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    refused = _manage(home, "audit", table, *arguments, "--out", tmp_path / "out")
    assert refused.returncode == 2, refused.stdout + refused.stderr
    assert said in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_ctrl_c_ends_the_child_and_leaves_nothing(home: Path, table: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        _command(home, "audit", table, "--target", "approved", "--seconds", "300", "--out", tmp_path / "out"), cwd=ROOT, env=_environment(home),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "tune" in line:
                break
        process.send_signal(signal.SIGINT)
        _out, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 1
    assert errors == "Stopped; nothing was written.\n"
    assert not (tmp_path / "out").exists()
    deadline = time.monotonic() + 20
    while list((home / "commands").iterdir()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert list((home / "commands").iterdir()) == []
