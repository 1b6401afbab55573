"""People, tables and runs for the pages: real rows and real stored bytes, only the work of the child is handed in ready-made."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from auditapp import datasets, profiles, storage
from auditapp.models import Artifact, Dataset, Membership, Profile, Report, Run, RunEvent, Workspace
from automl.evidence import Charts, DatasetProfile, Evidence, canonical_json
from tests.evidence_example import make_charts, make_evidence
from tests.profile_example import make_profile


@pytest.fixture
def page(client: Client, analyst: Any, workspace: Workspace) -> Client:
    """A browser in which the analyst is logged in."""
    client.force_login(analyst, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def stranger(django_user_model: Any) -> Client:
    """Somebody in a workspace of their own."""
    user = django_user_model.objects.create_user("eve")
    Membership.objects.create(workspace=Workspace.objects.create(name="Eve's"), user=user, role="owner")
    other = Client()
    other.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return other


@pytest.fixture
def dataset(analyst: Any, workspace: Workspace) -> Dataset:
    return datasets.store_upload(io.BytesIO(b"age,sex\n39,Male\n"), name="People <b>", filename="people.csv", workspace=workspace, user=analyst)


@pytest.fixture
def profile(dataset: Dataset) -> DatasetProfile:
    """The dataset, read."""
    document = make_profile()
    row = profiles.request_profile(dataset)
    Profile.objects.filter(pk=row.pk).update(state="ready", document=document.model_dump(mode="json"), finished_at=timezone.now())
    return document


def finish_run(run: Run, evidence: Evidence, charts: Charts, *, signed: bool = True) -> Run:
    """What `runs.succeed` leaves, with the example as its result."""
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 10"><text x="1" y="8" font-size="6">picture</text></svg>'
    files = {"evidence.json": canonical_json(evidence.model_dump(mode="json")), "charts.json": canonical_json(charts.model_dump(mode="json")), "modelcard.md": b"# A card\n", "model/model.onnx": b"ONNX", "reasons.csv": b"row,score\n"}
    for chart in charts.charts:
        files |= {f"charts/{chart.name}.svg": svg, f"charts/{chart.name}.dark.svg": svg.replace(b"picture", b"dark")}
    types = {".json": "application/json", ".md": "text/markdown; charset=utf-8", ".svg": "image/svg+xml", ".onnx": "application/octet-stream", ".csv": "text/csv; charset=utf-8"}
    for name, data in files.items():
        stored = storage.put(io.BytesIO(data))
        Artifact.objects.create(run=run, name=name, sha256=stored.sha256, bytes=stored.bytes, media_type=types[Path(name).suffix])
    pdf = storage.put(io.BytesIO(b"%PDF-1.7 a stand-in"))
    now = timezone.now()
    Report.objects.create(run=run, version=1, state="signed" if signed else "awaiting_signature", evidence_digest=evidence.digest, unsigned_sha256=pdf.sha256,
                          pdf_sha256=pdf.sha256 if signed else "", signer="Plumbline test" if signed else "", signed_at=now if signed else None)
    Run.objects.filter(pk=run.pk).update(state="succeeded", stage="sign", percent=100, started_at=now, finished_at=now)
    RunEvent.objects.create(run=run, attempt=1, kind="succeeded")
    run.refresh_from_db()
    return run


@pytest.fixture
def waiting_run(dataset: Dataset, workspace: Workspace, analyst: Any) -> Run:
    return Run.objects.create(workspace=workspace, kind="training", dataset=dataset, title="Adult <i>income</i>", spec=make_evidence().spec.model_dump(mode="json"), created_by=analyst)


@pytest.fixture
def finished_run(waiting_run: Run) -> Run:
    evidence = make_evidence()
    return finish_run(waiting_run, evidence, make_charts(evidence))
