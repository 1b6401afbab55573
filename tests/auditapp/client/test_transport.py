"""The client against a real web process: what it sends arrives, what is refused is said."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from auditapp.client.plumbline_client import Client, NewRun, ProblemError, TaskSpec
from tests.auditapp.conftest import TABLE

pytestmark = pytest.mark.slow


@pytest.fixture
def client(web_server: Any) -> Client:
    return Client(web_server.url.removesuffix("/api/v1"), web_server.token)


def test_upload_submit_list_cancel_delete(client: Client, tmp_path: Path) -> None:
    (tmp_path / "people é.csv").write_bytes(TABLE)
    dataset = client.upload_dataset(tmp_path / "people é.csv", name="People ü", idempotency_key="one")
    assert (dataset.name, dataset.bytes) == ("People ü", len(TABLE))
    assert client.upload_dataset(tmp_path / "people é.csv", name="People ü", idempotency_key="one") == dataset
    assert client.upload_dataset(io.BytesIO(TABLE)).sha256 == client.upload_dataset(TABLE).sha256 == dataset.sha256
    made = [client.submit_run(NewRun(dataset=dataset.id, spec=TaskSpec(target="income", sensitive=["sex"]))), client.submit_run({"dataset": dataset.id, "spec": {"target": "income"}})]
    assert made[0].spec["sensitive"] == ["sex"]
    listed = [run.id for run in client.every(client.list_runs(limit=1, state="queued"))]
    assert listed[:2] == [made[1].id, made[0].id]
    assert client.submit_audit(b"score,sex\n0.1,F\n", {"score": "score", "sensitive": ["sex"]}).kind == "predictions"
    for run in client.every(client.list_runs(state="queued")):
        assert client.cancel_run(run.id).state == "cancelled"
    assert client.wait(made[0].id).state == "cancelled"
    assert client.get_me().id == "demo"
    assert client.delete_run(made[0].id).ledger == "kept"


def test_a_refusal_is_an_error_with_what_the_problem_said(client: Client) -> None:
    with pytest.raises(ProblemError) as refused:
        client.get_run("run_none")
    assert (refused.value.status, refused.value.type, len(refused.value.request_id)) == (404, "not-found", 32)
    with pytest.raises(ProblemError, match="income") as invalid:
        client.submit_run({"dataset": client.upload_dataset(TABLE).id, "spec": {"target": "income", "sensitive": ["income"]}})
    assert (invalid.value.status, invalid.value.errors[0]["pointer"]) == (422, "/spec")


def test_the_token_is_carried_nowhere_else(client: Client) -> None:
    """A page of a list names the next; were it of another host, ours would be asked."""
    page = client.list_datasets()
    page.next, page.items = "http://elsewhere.invalid/api/v1/datasets?limit=1", []
    assert next(client.every(page)).id == client.list_datasets().items[0].id
