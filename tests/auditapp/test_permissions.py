"""Every address and method against everybody: what they get is written down here, and an address without a row fails.

REST rows: anonymous, stranger (owner of another workspace), a token of the owner without the scope, viewer, owner.
Page rows: anonymous, a token instead of a session, stranger, viewer, owner.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from auditapp.access import Caller
from auditapp.models import Delivery, Membership, SavedCohort, Webhook
from auditapp.people import members, share_links
from tests.auditapp.conftest import Rest, make_ready

WEBHOOK = {"url": "https://93.184.215.14/hook", "events": ["run.failed"]}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# Whoever asks for a thing of others gets 404; whoever asks for a list gets their own
REST: dict[tuple[str, str], tuple[int, int, int, int, int]] = {
    ("POST", "/datasets"): (401, 201, 403, 403, 201),
    ("GET", "/datasets"): (401, 200, 403, 200, 200),
    ("GET", "/datasets/{dataset_id}"): (401, 404, 403, 200, 200),
    ("GET", "/datasets/{dataset_id}/profile"): (401, 404, 403, 200, 200),
    ("GET", "/datasets/{dataset_id}/preview"): (401, 404, 403, 200, 200),
    ("DELETE", "/datasets/{dataset_id}"): (401, 404, 403, 403, 200),
    ("POST", "/runs"): (401, 404, 403, 403, 202),
    ("POST", "/runs:plan"): (401, 404, 403, 403, 200),
    ("POST", "/audits"): (401, 202, 403, 403, 202),
    ("GET", "/runs"): (401, 200, 403, 200, 200),
    ("GET", "/runs/{run_id}"): (401, 404, 403, 200, 200),
    ("DELETE", "/runs/{run_id}"): (401, 404, 403, 403, 200),
    ("POST", "/runs/{run_id}/repeat"): (401, 404, 403, 403, 202),
    ("GET", "/runs/{run_id}/comparison"): (401, 404, 403, 409, 409),
    ("POST", "/runs/{run_id}/cancel"): (401, 404, 403, 403, 409),
    ("POST", "/runs/{run_id}/finish"): (401, 404, 403, 403, 409),
    ("GET", "/runs/{run_id}/evidence"): (401, 404, 403, 200, 200),
    ("GET", "/runs/{run_id}/report.pdf"): (401, 404, 403, 200, 200),
    ("GET", "/runs/{run_id}/charts/{name}.svg"): (401, 404, 403, 200, 200),
    ("GET", "/runs/{run_id}/bundle.zip"): (401, 404, 403, 200, 200),
    ("GET", "/runs/{run_id}/reasons.csv"): (401, 404, 403, 200, 200),
    ("GET", "/runs/{run_id}/exports"): (401, 404, 403, 200, 200),
    ("GET", "/runs/{run_id}/exports/{export}"): (401, 404, 403, 200, 200),
    ("GET", "/runs/{run_id}/statements"): (401, 404, 403, 200, 200),
    ("PUT", "/runs/{run_id}/statements"): (401, 404, 403, 403, 200),
    ("PATCH", "/runs/{run_id}/statements"): (401, 404, 403, 403, 200),
    ("GET", "/runs/{run_id}/statements/{version}"): (401, 404, 403, 404, 404),
    ("GET", "/runs/{run_id}/reports"): (401, 404, 403, 200, 200),
    ("GET", "/runs/{run_id}/reports/{version}.pdf"): (401, 404, 403, 200, 200),
    ("GET", "/models/{model_id}"): (401, 404, 403, 200, 200),
    ("GET", "/models/{model_id}/card"): (401, 404, 403, 200, 200),
    ("GET", "/models/{model_id}/export"): (401, 404, 403, 200, 200),
    ("POST", "/cohorts"): (401, 404, 403, 403, 422),
    ("GET", "/cohorts"): (401, 200, 403, 200, 200),
    ("DELETE", "/cohorts/{cohort_id}"): (401, 404, 403, 403, 200),
    ("POST", "/webhooks"): (401, 201, 403, 403, 201),
    ("GET", "/webhooks"): (401, 200, 403, 403, 200),
    ("GET", "/webhooks/{webhook_id}"): (401, 404, 403, 403, 200),
    ("PATCH", "/webhooks/{webhook_id}"): (401, 404, 403, 403, 200),
    ("DELETE", "/webhooks/{webhook_id}"): (401, 404, 403, 403, 200),
    ("POST", "/webhooks/{webhook_id}/rotate"): (401, 404, 403, 403, 200),
    ("GET", "/webhooks/{webhook_id}/deliveries"): (401, 404, 403, 403, 200),
    ("POST", "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay"): (401, 404, 403, 403, 202),
    ("GET", "/members"): (401, 200, 403, 403, 200),
    ("POST", "/verify"): (401, 200, 403, 200, 200),
    ("GET", "/me"): (401, 200, 403, 200, 200),
    # What the interface looks like is no secret
    ("GET", "/schemas/evidence.json"): (200, 200, 200, 200, 200),
    ("GET", "/schemas/statements.json"): (200, 200, 200, 200, 200),
    ("GET", "/client.py"): (200, 200, 200, 200, 200),
    ("GET", "/problems"): (200, 200, 200, 200, 200),
    ("GET", "/openapi.json"): (200, 200, 200, 200, 200),
}
SCOPE_MISSING = {"read": "owner/run", "run": "owner/read", "statements": "owner/run", "admin": "owner/run"}
"""Which token lacks the scope that a method needs: reading needs read, saying something statements, looking after the workspace admin, everything else run; verifying is reading."""

PAGES: dict[tuple[str, str], tuple[int, int, int, int, int]] = {
    ("GET", "home"): (302, 302, 200, 200, 200),
    ("GET", "login"): (200, 200, 302, 302, 302),
    ("POST", "login"): (200, 200, 302, 302, 302),
    ("GET", "login-link"): (410, 410, 410, 410, 410),
    ("POST", "logout"): (302, 302, 302, 302, 302),
    ("GET", "new"): (302, 302, 200, 403, 200),
    ("POST", "new"): (302, 302, 422, 403, 422),
    ("POST", "new-sample"): (302, 302, 302, 403, 302),
    ("POST", "new-begin"): (302, 302, 404, 403, 302),
    ("GET", "new-reading"): (302, 302, 404, 403, 200),
    ("POST", "new-reading"): (302, 302, 404, 403, 302),
    ("GET", "new-step"): (302, 302, 404, 403, 302),
    ("POST", "new-step"): (302, 302, 404, 403, 302),
    ("GET", "run"): (302, 302, 404, 200, 200),
    ("GET", "run-live"): (302, 302, 404, 200, 200),
    ("POST", "run-cancel"): (302, 302, 404, 403, 302),
    ("POST", "run-finish"): (302, 302, 404, 403, 302),
    ("POST", "run-again"): (302, 302, 404, 403, 302),
    ("GET", "run-delete"): (302, 302, 404, 403, 200),
    ("POST", "run-delete"): (302, 302, 404, 403, 302),
    ("GET", "dataset-delete"): (302, 302, 404, 403, 200),
    ("POST", "dataset-delete"): (302, 302, 404, 403, 302),
    ("POST", "run-repeat"): (302, 302, 404, 403, 302),
    ("POST", "run-cohort"): (302, 302, 404, 403, 302),
    ("POST", "cohort-remove"): (302, 302, 404, 403, 302),
    ("GET", "results"): (302, 302, 404, 200, 200),
    ("GET", "results-section"): (302, 302, 404, 200, 200),
    ("GET", "run-report-page"): (302, 302, 404, 200, 200),
    ("GET", "run-report-version"): (302, 302, 404, 200, 200),
    ("GET", "run-report-picture"): (302, 302, 404, 404, 404),
    ("POST", "run-report-again"): (302, 302, 404, 403, 404),
    ("GET", "run-statements"): (302, 302, 404, 200, 200),
    ("GET", "run-statements-edit"): (302, 302, 404, 403, 200),
    ("POST", "run-statements-edit"): (302, 302, 404, 403, 422),
    ("POST", "run-sign-off"): (302, 302, 404, 403, 422),
    ("GET", "run-shares"): (302, 302, 404, 403, 200),
    ("POST", "run-shares"): (302, 302, 404, 403, 422),
    ("POST", "run-share-revoke"): (302, 302, 404, 403, 302),
    ("GET", "shared"): (410, 410, 410, 410, 410),
    ("GET", "shared-pdf"): (410, 410, 410, 410, 410),
    ("GET", "run-report"): (302, 302, 404, 200, 200),
    ("GET", "run-evidence"): (302, 302, 404, 200, 200),
    ("GET", "run-card"): (302, 302, 404, 200, 200),
    ("GET", "run-onnx"): (302, 302, 404, 200, 200),
    ("GET", "run-reasons"): (302, 302, 404, 200, 200),
    ("GET", "run-bundle"): (302, 302, 404, 200, 200),
    ("GET", "run-export"): (302, 302, 404, 200, 200),
    ("GET", "run-chart"): (302, 302, 404, 200, 200),
    ("GET", "run-chart-csv"): (302, 302, 404, 200, 200),
    ("GET", "run-chart-spec"): (302, 302, 404, 200, 200),
    ("GET", "help"): (200, 200, 200, 200, 200),
    ("POST", "language"): (302, 302, 302, 302, 302),
    ("GET", "api-docs"): (200, 200, 200, 200, 200),
    ("GET", "compare"): (302, 302, 200, 200, 200),
    ("GET", "verify"): (200, 200, 200, 200, 200),
    ("POST", "verify"): (422, 422, 422, 422, 422),
    ("GET", "verify-certificate"): (200, 200, 200, 200, 200),
    ("GET", "tokens"): (302, 302, 200, 403, 200),
    ("POST", "tokens"): (302, 302, 422, 403, 422),
    ("POST", "token-revoke"): (302, 302, 404, 403, 302),
    ("GET", "webhooks"): (302, 302, 200, 403, 200),
    ("POST", "webhooks"): (302, 302, 422, 403, 422),
    ("GET", "webhook"): (302, 302, 404, 403, 200),
    ("POST", "webhook-rotate"): (302, 302, 404, 403, 200),
    ("POST", "webhook-switch"): (302, 302, 404, 403, 302),
    ("POST", "webhook-delete"): (302, 302, 404, 403, 302),
    ("POST", "webhook-replay"): (302, 302, 404, 403, 302),
    ("GET", "members"): (302, 302, 200, 200, 200),
    ("POST", "change-workspace"): (302, 302, 404, 302, 302),
    ("GET", "ledger"): (302, 302, 200, 200, 200),
    ("POST", "member-invite"): (302, 302, 422, 403, 422),
    ("POST", "member-leave"): (302, 302, 409, 302, 409),
    ("POST", "member-role"): (302, 302, 404, 403, 422),
    ("POST", "member-remove"): (302, 302, 404, 403, 302),
    ("POST", "invitation-withdraw"): (302, 302, 404, 403, 302),
    ("GET", "invitation"): (410, 410, 410, 410, 410),
    ("POST", "invitation"): (410, 410, 410, 410, 410),
    ("GET", "account"): (302, 302, 200, 200, 200),
    ("GET", "account-email"): (302, 302, 200, 200, 200),
    ("POST", "account-email"): (302, 302, 302, 302, 302),
    ("GET", "account-email-proved"): (302, 302, 410, 410, 410),
    ("POST", "account-email-proved"): (302, 302, 410, 410, 410),
    ("GET", "account-password"): (302, 302, 200, 200, 200),
    ("POST", "account-password"): (302, 302, 422, 422, 422),
    ("GET", "account-notices"): (302, 302, 200, 200, 200),
    ("POST", "account-notices"): (302, 302, 422, 422, 422),
    ("GET", "second-step"): (302, 302, 200, 200, 200),
    ("POST", "second-step"): (302, 302, 422, 422, 422),
    ("POST", "second-step-begin"): (302, 302, 302, 302, 302),
    ("POST", "second-step-codes"): (302, 302, 422, 422, 422),
    ("POST", "second-step-off"): (302, 302, 422, 422, 422),
    ("GET", "login-second"): (302, 302, 302, 302, 302),
    ("POST", "login-second"): (302, 302, 302, 302, 302),
    ("POST", "session-end"): (302, 302, 404, 404, 404),
    ("POST", "sessions-end-others"): (302, 302, 302, 302, 302),
    ("GET", "password-forgotten"): (200, 200, 200, 200, 200),
    ("POST", "password-forgotten"): (200, 200, 200, 200, 200),
    ("GET", "password-sent"): (200, 200, 200, 200, 200),
    ("GET", "password-new"): (200, 200, 200, 200, 200),
    ("POST", "password-new"): (200, 200, 200, 200, 200),
    ("GET", "workspace"): (302, 302, 200, 403, 200),
    ("POST", "workspace"): (302, 302, 422, 403, 422),
    ("POST", "workspace-retention"): (302, 302, 302, 403, 302),
    ("GET", "workspace-delete"): (302, 302, 200, 403, 200),
    ("POST", "workspace-delete"): (302, 302, 422, 403, 422),
    ("GET", "workspace-new"): (302, 302, 200, 403, 200),
    ("POST", "workspace-new"): (302, 302, 422, 403, 422),
    ("GET", "healthz"): (200, 200, 200, 200, 200),
    ("GET", "readyz"): (503, 503, 503, 503, 503),  # no Redis in the tests
}


def _patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        where = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _patterns(entry, where)
        else:
            yield where, entry


def _operations() -> set[tuple[str, str]]:
    from auditapp.api import api

    return {(method, path) for router in api._get_bound_routers() for path, view in router.path_operations.items()
            for operation in view.operations for method in operation.methods} | {("GET", "/openapi.json")}


def test_every_route_has_a_row() -> None:
    assert _operations() == set(REST)


def test_every_address_has_a_row() -> None:
    addresses = list(_patterns(get_resolver()))
    pages = {entry.name for where, entry in addresses if not where.startswith(("api/v1/", "^api/"))}
    assert None not in pages, "every page has a name"
    assert pages == {name for _, name in PAGES}
    under_api = {where for where, _ in addresses if where.startswith(("api/v1/", "^api/"))}
    paths = {path.lstrip("/").replace("{", "<").replace("}", ">") for _, path in REST}
    assert under_api == {f"api/v1/{path}" for path in paths} | {"api/v1/", "^api/"}


NOBODYS = {
    "name": "roc", "step": "columns", "section": "fairness", "export": "annex-iv.md", "secret": "0" * 64, "version": "1", "number": "3", "session_id": "0" * 32, "token": "0" * 39, "proof": "none",
    "uidb64": "MQ",
}
"""What an address may name without a row of the database."""


@pytest.fixture(autouse=True)
def _a_certificate(settings: Any, identity: Path) -> None:
    settings.SIGNING_CERTIFICATE = identity / "certificate.pem"


@pytest.fixture
def things(people: Any, succeeded_run: Any) -> dict[str, str]:
    run = succeeded_run()
    webhook = Webhook.objects.create(workspace=people.workspace, url=WEBHOOK["url"], events=WEBHOOK["events"])
    delivery = Delivery.objects.create(webhook=webhook, type="run.failed", body={"data": {}}, state="failed", due_at=webhook.created_at, ended_at=webhook.created_at)
    owner = Caller(people.users["owner"], people.workspace, "owner")
    return {
        **NOBODYS, "cohort_id": SavedCohort.objects.create(workspace=people.workspace, run=run, name="Young women", where=[], words="").pk, "webhook_id": webhook.pk, "delivery_id": delivery.pk, "dataset_id": run.dataset_id, "run_id": run.pk, "model_id": run.model.pk, "token_id": people.tokens["viewer"].removeprefix("plb_").rsplit("_", 1)[0],
        "link_id": share_links.share(owner, run.reports.get(), "Auditor", 1)[0].pk, "member_id": str(Membership.objects.get(user=people.users["analyst"]).pk),
        "invitation_id": members.invite(owner, "new@example.org", "viewer")[0].pk,
    }


def _state() -> dict[str, list[Any]]:
    """Everything in the database but sessions and the time of a token's last use."""
    state = {}
    with connection.cursor() as cursor:
        for label, question in _questions().items():
            cursor.execute(question)
            state[label] = sorted(map(repr, cursor.fetchall()))
    return state


@cache
def _questions() -> dict[str, str]:
    """In SQL: putting the same questions together anew is a third of this file's time."""
    models = [model for model in apps.get_models() if model._meta.label not in ("sessions.Session", "auditapp.BrowserSession") and model._meta.app_label != "axes"]
    return {
        model._meta.label: str(model._base_manager.values_list(
            *[field.attname for field in model._meta.concrete_fields if field.attname not in ("last_used_at", "last_login")]).query)
        for model in models
    }


def _file(name: str) -> io.BytesIO:
    file = io.BytesIO(b"score,sex\n0.1,F\n0.2,M\n")
    file.name = name
    return file


def _call(rest: Rest, method: str, path: str, things: dict[str, str]) -> int:
    return _read(_answer(rest, method, path, path.format(**things), things))


def _read(response: Any) -> int:
    """The status, after the whole answer has been read: the test client closes files at their end."""
    if response.streaming:
        assert b"".join(response.streaming_content)
    return int(response.status_code)


def _answer(rest: Rest, method: str, path: str, address: str, things: dict[str, str]) -> Any:
    if method == "POST" and path == "/datasets":
        return rest.upload()
    if path == "/audits":
        return rest.send(address, file=_file("p.csv"), spec=json.dumps({"score": "score", "sensitive": ["sex"]}))
    if path == "/verify":
        return rest.send(address, pdf=_file("r.pdf"))
    if method == "POST" and path == "/webhooks":
        return rest.post(address, WEBHOOK)
    if method == "POST" and path == "/cohorts":
        return rest.post(address, {"run": things["run_id"], "slice": 0, "name": "Young women"})  # the run has no slices: 422 for who may
    if path == "/webhooks/{webhook_id}" and method == "PATCH":
        return rest.change(method, address, {"description": "Nightly"})
    if method == "POST" and path in ("/runs", "/runs:plan"):
        return rest.post(address, {"dataset": things["dataset_id"], "spec": {"target": "income"}})
    if method in ("PUT", "PATCH"):
        return rest.change(method, address, {"version": 0, "fields": {"purpose": "To rank loan requests."}})
    return {"GET": rest.get, "DELETE": rest.delete, "POST": rest.post}[method](address)


@pytest.mark.parametrize(("method", "path"), REST, ids=lambda part: part)
def test_t30_rest(method: str, path: str, people: Any, things: dict[str, str]) -> None:
    scopeless = SCOPE_MISSING["admin" if path.startswith(("/webhooks", "/members")) else "read" if method == "GET" or path == "/verify" else "statements" if path.endswith("/statements") else "run"]
    if path == "/runs:plan":
        make_ready(things["dataset_id"], ["age", "sex", "income"])
    asking = ("nobody", "stranger", scopeless, "viewer", "owner")
    for who, expected in zip(asking, REST[method, path], strict=True):
        rest = people.rest(who)
        before = _state()
        assert _call(rest, method, path, things) == expected, who
        if expected >= 400:
            assert _state() == before, f"{who} was refused and yet something was written"


def test_every_answer_in_json_has_a_strong_etag(people: Any, things: dict[str, str]) -> None:
    """Of the body alone, so that it is the same for every token; asked with it, nothing is sent that has not changed."""
    rest = people.rest("owner")
    for path in [path for method, path in REST if method == "GET" and REST[method, path][-1] == 200]:
        first = rest.get(path.format(**things))
        body = _body(first)
        if first["Content-Type"] != "application/json":
            continue
        assert first["ETag"] == f'"{hashlib.sha256(body).hexdigest()}"', path
        again = rest.get(path.format(**things), **{"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"]), path


def _body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else bytes(response.content)


def test_rest_knows_no_other_methods(people: Any, things: dict[str, str]) -> None:
    rest = people.rest("owner")
    for path, method in product(sorted({path for _, path in REST} - {"/openapi.json"}), METHODS):
        if (method, path) not in REST:
            response = rest.client.generic(method, f"/api/v1{path.format(**things)}", headers=rest.headers())
            assert response.status_code == 405, (method, path)


def test_a_list_holds_only_ones_own(people: Any, things: dict[str, str]) -> None:
    for path in ("/runs", "/datasets"):
        assert people.rest("stranger").get(path).json()["items"] == []
        assert len(people.rest("viewer").get(path).json()["items"]) == 1


@cache
def _wanted(name: str) -> frozenset[str]:
    """What the address of a page names."""
    (entry,) = [entry for where, entry in _patterns(get_resolver()) if entry.name == name and not where.startswith("api/v1/")]
    return frozenset(entry.pattern.regex.groupindex) - set(entry.default_args)


def _address(name: str, things: dict[str, str]) -> str:
    from django.urls import reverse

    return reverse(name, kwargs={key: things[key] for key in _wanted(name)})


def _clients(people: Any) -> dict[str, Client]:
    clients = {who: Client(raise_request_exception=False) for who in ("anonymous", "token", "stranger", "viewer", "owner")}
    clients["token"] = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {people.tokens['owner']}"})
    for who in ("stranger", "viewer", "owner"):
        clients[who].force_login(people.users[who], backend="django.contrib.auth.backends.ModelBackend")
    return clients


@pytest.mark.parametrize(("method", "name"), PAGES, ids=lambda part: part)
def test_t30_pages(method: str, name: str, people: Any, request: pytest.FixtureRequest) -> None:
    # A run that has come all the way is half of such a test's time: it is made where the address names something of it, and for the page that lists it
    address = _address(name, NOBODYS if _wanted(name) <= set(NOBODYS) and name != "home" else request.getfixturevalue("things"))
    for (who, client), expected in zip(_clients(people).items(), PAGES[method, name], strict=True):
        before = _state()
        response = client.get(address) if method == "GET" else client.post(address, {"workspace": people.workspace.pk})
        assert _read(response) == expected, who
        if expected == 302 and who in ("anonymous", "token") and name not in ("logout", "language"):
            assert response["Location"].startswith("/login?next=") or name.startswith("login"), who
        if expected in (403, 404, 405) or who in ("anonymous", "token"):
            assert _state() == before, f"{who} was refused and yet something was written"


def test_pages_know_no_other_methods(people: Any, things: dict[str, str]) -> None:
    client = _clients(people)["owner"]
    for name, method in product(sorted({name for _, name in PAGES}), METHODS):
        if (method, name) not in PAGES:
            assert client.generic(method, _address(name, things)).status_code in (405, *((302,) if name == "login" else ())), (method, name)


def test_t32_no_page_is_posted_to_without_its_csrf_token(people: Any, things: dict[str, str]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.users["owner"], backend="django.contrib.auth.backends.ModelBackend")
    before = _state()
    for name in [name for method, name in PAGES if method == "POST"]:
        assert client.post(_address(name, things), {}).status_code == 403, name
        assert client.post(_address(name, things), "{}", content_type="text/plain", headers={"Origin": "https://evil.example"}).status_code == 403, name
        assert _state() == before, name


def test_figures_of_the_matrix() -> None:
    """For `docs/measured.md`: `pytest tests/auditapp/test_permissions.py -k figures -s` prints them."""
    cells = [status for rows in (REST, PAGES) for row in rows.values() for status in row]
    refused = sum(status in (302, 401, 403, 404) for status in cells)
    unknown = len({path for _, path in REST}) * len(METHODS) - len(REST)
    print(f"\n{len(REST)} REST operations, {len(PAGES)} pages and forms, five callers each: {len(cells)} cells, {refused} of them refused or sent on; {unknown} other methods of REST: 405")
    assert len(cells) == 5 * (len(REST) + len(PAGES))
