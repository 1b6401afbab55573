"""Logging in by password and by link, and that the way never leads out."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from auditapp.access import make_login_link

pytestmark = pytest.mark.django_db


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
