"""Every address and method against everybody: what they get is written down here, and an address without a row fails.

REST rows: anonymous, stranger (owner of another workspace), a token of the owner without the scope, viewer, owner.
Page rows: anonymous, a token instead of a session, stranger, viewer, owner.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.auditapp.conftest import Rest

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# Whoever asks for a thing of others gets 404; whoever asks for a list gets their own
REST: dict[tuple[str, str], tuple[int, int, int, int, int]] = {
    ("POST", "/datasets"): (401, 201, 403, 403, 201),
    ("GET", "/datasets"): (401, 200, 403, 200, 200),
    ("GET", "/datasets/{dataset_id}"): (401, 404, 403, 200, 200),
    ("GET", "/datasets/{dataset_id}/profile"): (401, 404, 403, 200, 200),
    ("DELETE", "/datasets/{dataset_id}"): (401, 404, 403, 403, 200),
    ("POST", "/runs"): (401, 404, 403, 403, 202),
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
    ("POST", "/verify"): (401, 200, 403, 200, 200),
    ("GET", "/me"): (401, 200, 403, 200, 200),
    # What the interface looks like is no secret
    ("GET", "/schemas/evidence.json"): (200, 200, 200, 200, 200),
    ("GET", "/schemas/statements.json"): (200, 200, 200, 200, 200),
    ("GET", "/problems"): (200, 200, 200, 200, 200),
    ("GET", "/openapi.json"): (200, 200, 200, 200, 200),
}
SCOPE_MISSING = {"read": "owner/run", "run": "owner/read", "statements": "owner/run"}
"""Which token lacks the scope that a method needs: reading needs read, saying something statements, everything else run; verifying is reading."""

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
    ("POST", "run-repeat"): (302, 302, 404, 403, 302),
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
    ("GET", "run-report"): (302, 302, 404, 200, 200),
    ("GET", "run-evidence"): (302, 302, 404, 200, 200),
    ("GET", "run-card"): (302, 302, 404, 200, 200),
    ("GET", "run-onnx"): (302, 302, 404, 200, 200),
    ("GET", "run-reasons"): (302, 302, 404, 200, 200),
    ("GET", "run-bundle"): (302, 302, 404, 200, 200),
    ("GET", "run-export"): (302, 302, 404, 200, 200),
    ("GET", "run-chart"): (302, 302, 404, 200, 200),
    ("GET", "run-chart-csv"): (302, 302, 404, 200, 200),
    ("GET", "verify"): (200, 200, 200, 200, 200),
    ("POST", "verify"): (422, 422, 422, 422, 422),
    ("GET", "tokens"): (302, 302, 200, 403, 200),
    ("POST", "tokens"): (302, 302, 422, 403, 422),
    ("POST", "token-revoke"): (302, 302, 404, 403, 302),
    ("GET", "members"): (302, 302, 200, 200, 200),
    ("POST", "change-workspace"): (302, 302, 404, 302, 302),
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
    pages = {entry.name for where, entry in addresses if not where.startswith(("api/", "^api/"))}
    assert None not in pages, "every page has a name"
    assert pages == {name for _, name in PAGES}
    under_api = {where for where, _ in addresses if where.startswith(("api/", "^api/"))}
    paths = {path.lstrip("/").replace("{", "<").replace("}", ">") for _, path in REST}
    assert under_api == {f"api/v1/{path}" for path in paths} | {"api/v1/", "^api/"}


@pytest.fixture
def things(people: Any, succeeded_run: Any) -> dict[str, str]:
    run = succeeded_run()
    return {
        "dataset_id": run.dataset_id, "run_id": run.pk, "model_id": run.model.pk, "name": "roc", "token_id": people.tokens["viewer"].removeprefix("plb_").rsplit("_", 1)[0],
        "workspace": people.workspace.pk, "step": "columns", "section": "fairness", "export": "annex-iv.md", "secret": "0" * 64, "version": "1", "number": "3",
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
    models = [model for model in apps.get_models() if model._meta.label != "sessions.Session" and model._meta.app_label != "axes"]
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
    if method == "POST" and path == "/runs":
        return rest.post(address, {"dataset": things["dataset_id"], "spec": {"target": "income"}})
    if method in ("PUT", "PATCH"):
        return rest.change(method, address, {"version": 0, "fields": {"purpose": "To rank loan requests."}})
    return {"GET": rest.get, "DELETE": rest.delete, "POST": rest.post}[method](address)


@pytest.mark.parametrize(("method", "path"), REST, ids=lambda part: part)
def test_rest(method: str, path: str, people: Any, things: dict[str, str]) -> None:
    scopeless = SCOPE_MISSING["read" if method == "GET" or path == "/verify" else "statements" if path.endswith("/statements") else "run"]
    asking = ("nobody", "stranger", scopeless, "viewer", "owner")
    for who, expected in zip(asking, REST[method, path], strict=True):
        rest = people.rest(who)
        before = _state()
        assert _call(rest, method, path, things) == expected, who
        if expected >= 400:
            assert _state() == before, f"{who} was refused and yet something was written"


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


def _address(name: str, things: dict[str, str]) -> str:
    from django.urls import reverse

    (entry,) = [entry for where, entry in _patterns(get_resolver()) if entry.name == name and not where.startswith("api/")]
    wanted = [key for key in entry.pattern.regex.groupindex if key not in entry.default_args]
    return reverse(name, kwargs={key: things[key] for key in wanted})


def _clients(people: Any) -> dict[str, Client]:
    clients = {who: Client(raise_request_exception=False) for who in ("anonymous", "token", "stranger", "viewer", "owner")}
    clients["token"] = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {people.tokens['owner']}"})
    for who in ("stranger", "viewer", "owner"):
        clients[who].force_login(people.users[who], backend="django.contrib.auth.backends.ModelBackend")
    return clients


@pytest.mark.parametrize(("method", "name"), PAGES, ids=lambda part: part)
def test_pages(method: str, name: str, people: Any, things: dict[str, str]) -> None:
    address = _address(name, things)
    for (who, client), expected in zip(_clients(people).items(), PAGES[method, name], strict=True):
        before = _state()
        response = client.get(address) if method == "GET" else client.post(address, {"workspace": things["workspace"]})
        assert _read(response) == expected, who
        if expected == 302 and who in ("anonymous", "token") and name not in ("logout",):
            assert response["Location"].startswith("/login?next=") or name.startswith("login"), who
        if expected in (403, 404, 405) or who in ("anonymous", "token"):
            assert _state() == before, f"{who} was refused and yet something was written"


def test_pages_know_no_other_methods(people: Any, things: dict[str, str]) -> None:
    client = _clients(people)["owner"]
    for name, method in product(sorted({name for _, name in PAGES}), METHODS):
        if (method, name) not in PAGES:
            assert client.generic(method, _address(name, things)).status_code in (405, *((302,) if name == "login" else ())), (method, name)


def test_no_page_is_posted_to_without_its_csrf_token(people: Any, things: dict[str, str]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.users["owner"], backend="django.contrib.auth.backends.ModelBackend")
    before = _state()
    for name in [name for method, name in PAGES if method == "POST"]:
        assert client.post(_address(name, things), {}).status_code == 403, name
        assert client.post(_address(name, things), "{}", content_type="text/plain", headers={"Origin": "https://evil.example"}).status_code == 403, name
        assert _state() == before, name
