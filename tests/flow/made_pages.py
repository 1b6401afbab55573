"""Run in a process that Django was set up in: fills a home with tables and ended runs as hostile as their names can be, for a story that only looks at pages.

Prints JSON: the session of the user demo, half-way through the questions of a new audit, and the address of every page there is to see.
"""

from __future__ import annotations

import io
import json
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from auditapp import cohorts, datasets, profiles
from auditapp.access import Caller, workspace_of
from auditapp.models import Dataset, Profile, Run, Workspace
from auditapp.people import accounts
from auditapp.statements import changes as statements
from auditapp.views.results import SECTIONS
from automl.charts import draw_charts
from automl.evidence import Evidence
from tests.auditapp.views.conftest import finish_run
from tests.auditapp.views.test_new_audit import ATTRIBUTES, BUDGET, COLUMNS, GROUPS, OUTCOME, TARGET
from tests.evidence_example import make_evidence
from tests.evidence_variants import HOSTILE, hostile, regression, with_record
from tests.profile_example import make_profile
from tests.weakness_example import with_weaknesses


def made() -> dict[str, Any]:
    user = User.objects.get(username="demo")
    workspace = workspace_of(user)
    assert workspace is not None
    title = HOSTILE[1] + HOSTILE[4] + '<img src=x onerror="alert(1)">'
    dataset = datasets.store_upload(io.BytesIO(b"age,sex\n39,Male\n"), name=title, filename=HOSTILE[1], workspace=workspace, user=user)
    row = profiles.request_profile(dataset)
    Profile.objects.filter(pk=row.pk).update(state="ready", document=make_profile().model_dump(mode="json"), finished_at=timezone.now())
    failing = _finished(workspace, user, dataset, title, with_weaknesses())
    runs = [_finished(workspace, user, dataset, title, evidence) for evidence in (hostile(), with_record(), regression())]
    cohorts.save(failing, 0, "Young <b>women</b>", Caller(user=user, workspace=workspace, role="owner"))
    statements.change(runs[0], Caller(user=user, workspace=workspace, role="owner"), {"intended_use": title}, base=0)
    failed = Run.objects.create(workspace=workspace, kind="training", dataset=dataset, title=title, spec=make_evidence().spec.model_dump(mode="json"), created_by=user)
    Run.objects.filter(pk=failed.pk).update(state="failed", failure_code="bad_input", failure_text=title, finished_at=timezone.now())
    waiting = Run.objects.create(workspace=workspace, kind="training", dataset=dataset, title=title, spec=make_evidence().spec.model_dump(mode="json"), created_by=user)
    return {"cookie": [settings.SESSION_COOKIE_NAME, _session_with_answers(user, dataset)], "pages": _addresses(user, dataset, runs, failing, [failed, waiting])}


def _finished(workspace: Workspace, user: User, dataset: Dataset, title: str, evidence: Evidence) -> Run:
    run = Run.objects.create(workspace=workspace, kind="training", dataset=dataset, title=title, spec=evidence.spec.model_dump(mode="json"), created_by=user)
    return finish_run(run, evidence, draw_charts(evidence))


def _session_with_answers(user: User, dataset: Dataset) -> str:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    for step, answers in (("columns", COLUMNS), ("target", TARGET), ("outcome", OUTCOME), ("attributes", ATTRIBUTES), ("groups", GROUPS), ("budget", BUDGET)):
        response = client.post(f"/new/{dataset.pk}/{step}", answers)
        assert response.status_code == 302, (step, response.content)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def _addresses(user: User, dataset: Dataset, finished: list[Run], failing: Run, others: list[Run]) -> list[str]:
    hostile_run, usual, _ = finished
    results = [f"/runs/{run.pk}/results/{section}" for run in finished for section in SECTIONS] + [f"/runs/{failing.pk}/results/weaknesses"]
    steps = [f"/new/{dataset.pk}/{step}" for step in ("columns", "target", "outcome", "attributes", "groups", "budget", "check")]
    of_report = [f"/runs/{hostile_run.pk}/{page}" for page in ("report", "statements", "statements/1", "statements/3")]
    return [
        "/", "/new", *steps, *(f"/runs/{run.pk}" for run in [hostile_run, *others]), *results, *of_report, f"/compare?a={hostile_run.pk}&b={usual.pk}&anyway=1",
        "/verify", "/help", "/api/docs", "/settings/tokens", "/settings/members", "/settings/webhooks",
        "/settings/account", "/settings/account/email", f"/settings/account/email/{accounts.email_proof(user, 'demo@example.org')}", "/settings/account/password", "/settings/account/notices", "/settings/account/second-step", "/settings/ledger",
        "/settings/workspace", "/settings/workspace/new", "/settings/workspace/delete", f"/runs/{usual.pk}/delete", "/password/forgotten"]


def main() -> None:
    print(json.dumps(made()))
