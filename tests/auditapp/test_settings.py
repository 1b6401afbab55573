"""Settings that are more than a name for a variable."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from auditapp.settings import _mail


@pytest.mark.parametrize(("address", "said"), [
    ("smtp://ada:p%40ss@mail.example.org", ("mail.example.org", 587, "ada", "p@ss", True, False)),
    ("smtps://ada:x@mail.example.org", ("mail.example.org", 465, "ada", "x", False, True)),
    ("smtp+plain://relay:2525", ("relay", 2525, "", "", False, False)),
])
def test_a_mail_server_in_one_address(address: str, said: tuple[object, ...]) -> None:
    read = _mail(address)
    assert tuple(read[f"EMAIL_{name}"] for name in ("HOST", "PORT", "HOST_USER", "HOST_PASSWORD", "USE_TLS", "USE_SSL")) == said


@pytest.mark.parametrize("address", ["ftp://mail.example.org", "mail.example.org", "smtp://"])
def test_what_is_no_mail_server_is_refused(address: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="PLUMBLINE_MAIL_URL begins with"):
        _mail(address)


# --- T-42: what every answer says about itself, and what it does not believe of a request. HSTS: `tests/flow/test_production.py`

POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "font-src 'self'", "connect-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"}


@pytest.fixture
def page(client: Client, analyst: Any, workspace: Any) -> Client:
    client.force_login(analyst, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/login", "/help", "/no-such-page", "/settings/tokens", "/api/v1/problems", "/api/v1/nothing", "/healthz"])
def test_t42_every_answer_has_the_policy(path: str, client: Client) -> None:
    answer = client.get(path)
    assert {part.strip() for part in answer["Content-Security-Policy"].split(";")} >= POLICY, path
    for name, value in {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin"}.items():
        assert answer[name] == value, (path, name)


@pytest.mark.django_db
def test_t42_cookies_are_not_for_scripts_and_not_for_other_sites(page: Client) -> None:
    answer = page.get("/")
    session, csrf = page.cookies["sessionid"], page.get("/new").cookies["csrftoken"]
    assert answer.status_code == 200
    assert (session["httponly"], session["samesite"], csrf["samesite"]) == (True, "Lax", "Lax")


@pytest.mark.django_db
@pytest.mark.parametrize("headers", [{"Host": "evil.example.org"}, {"Host": "testserver@evil.example.org"}, {"Host": "testserver:80:evil"}])
def test_t42_another_host_is_refused(headers: dict[str, str], client: Client) -> None:
    assert client.get("/login", headers=headers).status_code == 400
    problem = client.get("/api/v1/runs", headers=headers)
    assert (problem.status_code, problem["Content-Type"]) == (400, "application/problem+json")


@pytest.mark.django_db
def test_t42_what_proxies_say_is_not_believed_where_there_is_none(page: Client) -> None:
    answer: Any = page.get("/settings/members", headers={"X-Forwarded-Host": "evil.example.org", "X-Forwarded-Proto": "https", "X-Forwarded-For": "8.8.8.8"})
    assert b"evil.example.org" not in answer.content
    assert page.trace("/help").status_code == 405
