"""Pages without a login, and what stands around all pages: login, verify, health, errors, the content security policy."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from auditapp.access import issue_token, make_login_link
from auditapp.models import ApiToken, Membership, Run
from auditapp.views.guard import page as guarded_page
from auditapp.views.home import RUNS_A_PAGE

pytestmark = pytest.mark.django_db
TEMPLATES = sorted(path for path in Path(django_settings.BASE_DIR / "templates").rglob("*.html"))


def test_a_password_logs_in_and_the_way_leads_on(client: Client, analyst: Any, workspace: Any) -> None:
    analyst.set_password("correct horse battery")
    analyst.save()
    assert client.get("/new")["Location"] == "/login?next=/new"
    wrong = client.post("/login", {"username": "ada", "password": "wrong", "next": "/new"})
    assert "<title>Error:" in wrong.content.decode()
    assert client.post("/login", {"username": "ada", "password": "correct horse battery", "next": "/new"})["Location"] == "/new"


@pytest.mark.parametrize("target", ["//evil.example", "\\\\evil.example", "https:evil.example", "https://evil.example/"])
def test_the_way_never_leads_out(client: Client, analyst: Any, workspace: Any, target: str) -> None:
    analyst.set_password("correct horse battery")
    analyst.save()
    assert client.post("/login", {"username": "ada", "password": "correct horse battery", "next": target})["Location"] == "/"


def test_too_many_wrong_passwords_pause_this_user_here(client: Client, analyst: Any, settings: Any) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = client.post("/login", {"username": "ada", "password": "wrong"})
    assert answer.status_code == 429
    assert "Too many wrong passwords" in answer.content.decode()


def test_a_login_link_works_once(client: Client, analyst: Any, workspace: Any) -> None:
    link = f"/login/link/{make_login_link(analyst)}"
    assert client.head(link).status_code == 200  # a link checker spends nothing
    assert client.get(link)["Location"] == "/"
    assert client.get("/").status_code == 200
    assert Client().get(link).status_code == 410


def test_logging_out_needs_a_post(page: Client) -> None:
    assert page.get("/logout").status_code == 405
    page.post("/logout")
    assert page.get("/")["Location"].startswith("/login")


def test_home_is_empty_then_lists_runs(page: Client, waiting_run: Run) -> None:
    assert "waiting or running" in page.get("/").content.decode()
    Run.objects.all().delete()
    empty = page.get("/").content.decode()
    assert "No audit yet" in empty
    assert "Use the sample data" in empty


def test_home_shows_a_page_of_runs(page: Client, waiting_run: Run, workspace: Any, dataset: Any) -> None:
    Run.objects.bulk_create(Run(workspace=workspace, kind="training", dataset=dataset, title=f"Run {i}", spec=waiting_run.spec) for i in range(RUNS_A_PAGE))
    first = page.get("/").content.decode()
    assert first.count("Waiting</span>") == RUNS_A_PAGE
    assert "?page=2" in first
    assert page.get("/?page=2").content.decode().count("Waiting</span>") == 1
    assert page.get("/?page=x").status_code == 200


def test_home_shows_no_runs_of_others(stranger: Client, waiting_run: Run) -> None:
    assert waiting_run.pk not in stranger.get("/").content.decode()


def test_verify_is_public_and_refuses_what_is_not_a_pdf(client: Client) -> None:
    assert client.get("/verify").status_code == 200
    refused = client.post("/verify", {"file": io.BytesIO(b"hello")})
    assert refused.status_code == 422
    assert "not a PDF" in refused.content.decode()


def test_health_answers_without_a_login_and_readiness_names_the_silent_queue(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["checks"]["database"] == "ok"
    assert ready.json()["checks"]["queue"].startswith("does not answer")


def test_what_is_not_there_is_said_in_words_with_the_request_id(page: Client) -> None:
    response = page.get("/no-such-page", headers={"X-Request-ID": "my-id-1"})
    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()
    assert "my-id-1" in response.content.decode()


def test_a_fault_of_ours_shows_no_trace(page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from auditapp.views import home

    def broken(*_args: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(home, "Paginator", broken)
    page.raise_request_exception = False
    response = page.get("/")
    assert response.status_code == 500
    assert "secret detail" not in response.content.decode()
    assert "Something went wrong on our side" in response.content.decode()


def test_a_form_from_another_session_is_refused_in_words(page: Client, analyst: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(analyst, backend="django.contrib.auth.backends.ModelBackend")
    response = strict.post("/new/sample")
    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()


def test_every_page_carries_the_strict_policy_and_obeys_it(page: Client, finished_run: Run) -> None:
    for path in ("/", "/new", "/login", "/verify", "/settings/members", f"/runs/{finished_run.pk}", f"/runs/{finished_run.pk}/results/fairness"):
        response = page.get(path, follow=True)
        assert "unsafe" not in response["Content-Security-Policy"]
        body = response.content.decode()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)", body), path


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_switches_escaping_off(path: Path) -> None:
    text = path.read_text()
    assert "|safe" not in text
    assert "autoescape off" not in text


def test_a_token_is_shown_once_and_can_be_revoked(page: Client, workspace: Any) -> None:
    Membership.objects.update(role="owner")
    made = page.post("/settings/tokens", {"name": "Nightly <b>", "scopes": ["read", "run"], "days": "30"})
    secret = re.search(r"plb_tok_[0-9a-z]{26}_[0-9a-f]{64}", made.content.decode())
    assert secret is not None
    assert made["Cache-Control"] == "no-store"
    assert secret[0] not in page.get("/settings/tokens").content.decode()
    token = ApiToken.objects.get()
    page.post(f"/settings/tokens/{token.pk}/revoke")
    assert client_says(page, "is revoked")
    token.refresh_from_db()
    assert token.revoked_at is not None


def client_says(page: Client, text: str) -> bool:
    return text in page.get("/settings/tokens").content.decode()


def test_tokens_are_the_owners_business(page: Client, stranger: Client, analyst: Any, workspace: Any) -> None:
    assert page.get("/settings/tokens").status_code == 403
    token, _ = issue_token(user=analyst, workspace=workspace, name="x", actor="test")
    assert stranger.post(f"/settings/tokens/{token.pk}/revoke").status_code == 404


def test_somebody_without_a_workspace_is_told_so(client: Client, django_user_model: Any) -> None:
    client.force_login(django_user_model.objects.create_user("nobody"), backend="django.contrib.auth.backends.ModelBackend")
    response = client.get("/")
    assert response.status_code == 403
    assert "not a member of any workspace" in response.content.decode()


def test_every_page_but_the_public_ones_is_guarded() -> None:
    from auditapp.urls import urlpatterns

    public = {"login", "login-link", "logout", "verify", "healthz", "readyz"}
    for pattern in urlpatterns:
        name = getattr(pattern, "name", None)
        if name and name not in public:
            view = pattern.callback
            assert guarded_page.__module__ in _modules_of(view), name


def _modules_of(view: Any) -> set[str]:
    """Modules of the functions wrapped around a view, outermost first."""
    modules = set()
    while view is not None:
        modules.add(getattr(getattr(view, "__code__", None), "co_filename", "").replace("/", ".").removesuffix(".py").split("main.")[-1])
        view = getattr(view, "__wrapped__", None)
    return {"auditapp.views.guard"} if any(module.endswith("auditapp.views.guard") for module in modules) else modules
