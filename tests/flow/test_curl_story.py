"""The internal tool's story, with the curl binary alone: upload, run, poll, evidence, signed PDF, verify, an audit of predictions, deletion.

Real gunicorn, real workers, a real Redis, the real pipeline; only the table and the budget are small.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from automl.spec import OPTIONAL_PARTS
from tests.flow.house import REST, ROOT, RUNS, House
from tests.listener import Listener, listening
from tests.web import running_web

pytestmark = pytest.mark.story

ROWS = 1_200
SPEC = {
    "title": "Lending, over REST", "target": "approved", "sensitive": ["sex", "race"], "budget": {"trials": 2}, "families": ["linear", "lgbm"], "seed": 7, "threads": 1,
    "leave_out": ["mitigation", "robustness", "explanation_checks"],
}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass
class Curl:
    base: str
    token: str
    folder: Path

    def __call__(self, path: str, *arguments: str) -> Answer:
        body, headers = self.folder / "body", self.folder / "headers"
        body.unlink(missing_ok=True)
        done = subprocess.run(
            ["curl", "-sS", "-m", "60", "-o", str(body), "-D", str(headers), "-w", "%{http_code}", "-H", f"Authorization: Bearer {self.token}", *arguments, self.base + path],
            capture_output=True, text=True, check=True)
        last = headers.read_text().strip().split("\n\n")[-1]
        named = dict(line.split(": ", 1) for line in last.splitlines()[1:])
        return Answer(int(done.stdout), {name.lower(): value.strip() for name, value in named.items()}, body.read_bytes() if body.exists() else b"")


@pytest.fixture(scope="module")
def service(module_redis: Any) -> Iterator[tuple[House, Curl]]:
    house = House(module_redis, None, scripted={}, settings={"WEBHOOK_NETWORKS": "127.0.0.0/8", "RUN_MEMORY": str(3 * 2**30), "RUNS_QUEUED": "20", "LEASE_SECONDS": "20", "BEAT_SECONDS": "2"})
    try:
        made = subprocess.run([sys.executable, "manage.py", "token", "demo"], cwd=ROOT, env=house.environment, capture_output=True, text=True, check=True)
        with running_web(house.environment, house.folder / "web.log") as web:
            house.start_worker(("-Q", f"{REST[1]},webhooks", *REST[2:]))
            house.start_worker(RUNS)
            yield house, Curl(f"{web.base}/api/v1", made.stdout.split()[-1], house.folder)
    finally:
        house.stop()


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from automl.data.sample import make_sample

    path = tmp_path_factory.mktemp("sample") / "lending.csv"
    path.write_text(make_sample(ROWS))
    return path


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as server:
        yield server


def _until_ended(house: House, curl: Curl, run: str) -> tuple[dict[str, Any], list[str]]:
    """The ended run and the stages seen on the way, polling as the documentation says: with the ETag."""
    etag, seen, stages = "", {}, []

    def ended() -> bool:
        nonlocal etag, seen
        answer = curl(f"/runs/{run}", *(["-H", f"If-None-Match: {etag}"] if etag else []))
        if answer.status == 304:
            assert answer.body == b""
            return False
        assert answer.status == 200
        etag, seen = answer.headers["etag"], answer.document
        if seen["stage"] and seen["stage"] not in stages:
            stages.append(seen["stage"])
        return seen["state"] not in ("queued", "running")

    house.until(ended, 300, f"run {run} ends: {seen}")
    return seen, stages


@pytest.mark.timeout(600)
def test_t02_gunicorn_killed_between_commit_and_doorbell(service: tuple[House, Curl], table: Path) -> None:
    """The caller hears nothing, the row is there, and asking again with the same key makes no second run."""
    house, curl = service
    dataset = curl("/datasets", "-F", f"file=@{table}", "-F", "name=Killed").document
    asked = ["--json", json.dumps({"dataset": dataset["id"], "spec": {**SPEC, "families": ["linear"], "leave_out": OPTIONAL_PARTS}}), "-H", "Idempotency-Key: killed"]
    house.fail_at("after_commit:kill")
    with pytest.raises(subprocess.CalledProcessError):
        curl("/runs", *asked)
    house.fail_at()
    [run] = [one["id"] for one in curl("/runs").document["items"]]
    assert curl("/runs", *asked).document["id"] == run
    ended, _ = _until_ended(house, curl, run)
    assert (ended["state"], ended["attempt"]) == ("succeeded", 1), house.logs()
    curl(f"/runs/{run}", "-X", "DELETE")
    curl(f"/datasets/{dataset['id']}", "-X", "DELETE")


def _say_something(house: House, curl: Curl, run: str, first: bytes, pdf: Path) -> None:
    """A statement makes version 2, signed by a worker; version 1 stays as it was. It needs a scope of its own."""
    change = ["-X", "PATCH", "--json", json.dumps({"version": 0, "fields": {"purpose": "To rank loan requests."}})]
    assert curl(f"/runs/{run}/statements", *change).status == 403
    made = subprocess.run([sys.executable, "manage.py", "token", "demo", "--scopes", "read,statements"], cwd=ROOT, env=house.environment, capture_output=True, text=True, check=True)
    said = Curl(curl.base, made.stdout.split()[-1], curl.folder)(f"/runs/{run}/statements", *change)
    assert (said.status, said.document["fields"]["purpose"]["author"]) == (200, "demo")
    house.until(lambda: curl(f"/runs/{run}/reports").document["items"][0]["state"] in ("signed", "failed"), 120, "version 2 is made")
    assert [(one["version"], one["state"]) for one in curl(f"/runs/{run}/reports").document["items"]] == [(2, "signed"), (1, "signed")], house.logs()
    second = curl(f"/runs/{run}/report.pdf").body
    assert curl(f"/runs/{run}/reports/1.pdf").body == first != second
    for version in (second, first):
        pdf.write_bytes(version)
        verdict = curl("/verify", "-F", f"pdf=@{pdf}").document
        assert (verdict["valid"], verdict["run"]) == (True, run)


@pytest.mark.timeout(600)
def test_the_whole_job_with_curl_alone(service: tuple[House, Curl], table: Path, tmp_path: Path) -> None:
    house, curl = service

    uploaded = curl("/datasets", "-F", f"file=@{table}", "-F", "name=Lending")
    assert uploaded.status == 201
    dataset = uploaded.document
    assert dataset["sha256"] == hashlib.sha256(table.read_bytes()).hexdigest()
    house.until(lambda: curl(f"/datasets/{dataset['id']}/profile").document["state"] in ("ready", "failed"), 120, "the profile is ready")
    profile = curl(f"/datasets/{dataset['id']}/profile").document
    assert profile["state"] == "ready", profile
    assert profile["profile"]["rows"] == ROWS
    columns = [column["name"] for column in profile["profile"]["columns"]]
    assert {"sex", "race", SPEC["target"]} <= set(columns)

    refused = curl("/runs", "--json", json.dumps({"dataset": dataset["id"], "spec": {**SPEC, "target": "salary"}}))
    assert (refused.status, refused.headers["content-type"], refused.document["errors"][0]["pointer"]) == (422, "application/problem+json", "/spec/target")

    started = ["--json", json.dumps({"dataset": dataset["id"], "spec": SPEC}), "-H", "Idempotency-Key: curl-story"]
    accepted = curl("/runs", *started)
    assert accepted.status == 202
    assert curl("/runs", *started).body == accepted.body
    run = accepted.document["id"]
    assert accepted.headers["location"] == f"/api/v1/runs/{run}"
    ended, stages = _until_ended(house, curl, run)
    assert ended["state"] == "succeeded", (ended["failure"], house.logs())
    assert (ended["percent"], ended["attempt"], ended["failure"]) == (100, 1, None)
    assert "tune" in stages or "evidence" in stages

    evidence = curl(f"/runs/{run}/evidence")
    assert evidence.document["run"]["id"] == run
    assert evidence.headers["etag"] == f'"{hashlib.sha256(evidence.body).hexdigest()}"'
    report = curl(f"/runs/{run}/report.pdf")
    assert (report.status, report.headers["content-type"], report.body[:5]) == (200, "application/pdf", b"%PDF-")
    pdf = tmp_path / "audit.pdf"
    pdf.write_bytes(report.body)

    verdict = curl("/verify", "-F", f"pdf=@{pdf}").document
    assert (verdict["valid"], verdict["run"], verdict["problems"]) == (True, run, [])
    assert verdict["digest"] == evidence.document["digest"] == ended["report"]["evidence_digest"]
    altered = bytearray(report.body)
    altered[len(altered) // 2] ^= 1
    pdf.write_bytes(altered)
    verdict = curl("/verify", "-F", f"pdf=@{pdf}").document
    assert verdict["valid"] is False
    assert verdict["problems"]

    _say_something(house, curl, run, report.body, pdf)
    assert curl(f"/runs/{run}/evidence").body == evidence.body, "no statement touches the evidence"

    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(curl(f"/runs/{run}/bundle.zip").body)
    with zipfile.ZipFile(bundle) as archive:
        names = archive.namelist()
        assert archive.read("evidence.json") == evidence.body
        predictions = tmp_path / "predictions.csv"
        predictions.write_bytes(archive.read("predictions.csv"))
    chart = next(name for name in names if re.fullmatch(r"charts/[a-z0-9-]+\.svg", name))
    assert b"<svg" in curl(f"/runs/{run}/{chart}").body
    card = curl(f"/models/{ended['model']}/card")
    assert card.headers["content-type"].startswith("text/markdown")
    assert curl(f"/models/{ended['model']}").document["target"] == SPEC["target"]

    positive = evidence.document["data"]["target"]["positive"]
    audited = curl("/audits", "-F", f"file=@{predictions}", "-F", "spec=" + json.dumps({
        "title": "Predictions, over REST", "label": "label", "score": f"proba_{positive}", "decision": "prediction", "sensitive": ["sex"], "positive": positive}))
    assert audited.status == 202, audited.document
    second, _ = _until_ended(house, curl, audited.document["id"])
    assert (second["state"], second["kind"], second["model"]) == ("succeeded", "predictions", None), (second["failure"], house.logs())
    assert curl(f"/runs/{second['id']}/report.pdf").body[:5] == b"%PDF-"

    assert [one["id"] for one in curl("/runs").document["items"]] == [second["id"], run]
    removed = curl(f"/runs/{run}", "-X", "DELETE").document
    assert (removed["id"], removed["ledger"]) == (run, "kept")
    assert curl(f"/runs/{run}").status == 404
    assert curl(f"/datasets/{dataset['id']}", "-X", "DELETE").document["removed"]["bytes"] is True

    # The secret of a token is in no log and no file of the service
    secret = curl.token.rsplit("_", 1)[1]
    assert {path.name for path in house.files_with(secret)} <= {"body", "headers"}


@pytest.mark.timeout(600)
def test_the_documented_lines_with_the_client_that_the_service_hands_out(service: tuple[House, Curl], table: Path, tmp_path: Path, listener: Listener) -> None:
    """docs/rest.md, in a folder that holds nothing else of Plumbline's; and a webhook hears of it, with a signature that holds."""
    house, curl = service
    made = subprocess.run([sys.executable, "manage.py", "token", "demo", "--scopes", "admin"], cwd=ROOT, env=house.environment, capture_output=True, text=True, check=True)
    webhook = Curl(curl.base, made.stdout.split()[-1], curl.folder)("/webhooks", "--json", json.dumps({"url": f"{listener.url}/hook", "events": ["run.succeeded", "report.signed"]})).document
    documented = (ROOT / "docs" / "rest.md").read_text()
    found, found_check = (re.search(rf"```python\n({begin}.*?)```", documented, re.DOTALL) for begin in ("from pathlib", "import base64"))
    assert found is not None
    assert found_check is not None
    (tmp_path / "plumbline_client.py").write_bytes(curl("/client.py").body)
    (tmp_path / "loans.csv").write_bytes(table.read_bytes())
    lines = f"URL, TOKEN = {curl.base.removesuffix('/api/v1')!r}, {curl.token!r}\n{found[1]}"
    done = subprocess.run([sys.executable, "-c", lines], cwd=tmp_path, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("succeeded ["), done.stdout
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    house.until(lambda: len(listener.received) == 2, 60, "both events arrive")
    namespace: dict[str, Any] = {}
    exec(found_check[1], namespace)
    for _, headers, body in listener.received:
        assert namespace["is_genuine"](webhook["secret"], headers, body)
        assert not namespace["is_genuine"](webhook["secret"], headers, body + b" ")
    assert {json.loads(body)["type"] for _, _, body in listener.received} == {"run.succeeded", "report.signed"}
