"""Switching the second step on, logging in with it, switching it off."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from auditapp.access import make_login_link
from auditapp.people import second_step
from tests.auditapp.people.test_second_step import code, forget_time

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def on(analyst: Any, workspace: Any) -> list[str]:
    """Ada has a password and a second step; her recovery codes."""
    analyst.set_password(PASSWORD)
    analyst.save()
    second_step.begin(analyst)
    codes = second_step.confirm(analyst, code(analyst))
    assert codes is not None
    forget_time(analyst)
    return codes


def half_way(path: str = "/login?next=/new", then: str = "/new") -> Client:
    client = Client()
    answer = client.post(path, {"username": "ada", "password": PASSWORD, "next": then}) if path.startswith("/login?") else client.get(path)
    assert answer["Location"] == "/login/second"
    return client


def test_it_is_switched_on_with_codes_shown_once(page: Client, analyst: Any) -> None:
    assert "Begin" in page.get("/settings/account/second-step").content.decode()
    page.post("/settings/account/second-step/begin")
    shown = page.get("/settings/account/second-step")
    assert shown["Cache-Control"] == "no-store"
    assert 'role="img"' in shown.content.decode()
    assert page.post("/settings/account/second-step", {"code": "no"}).status_code == 422
    forget_time(analyst)
    answer = page.post("/settings/account/second-step", {"code": code(analyst)})
    assert len(re.findall(r"[a-z2-7]{6}(?:-[a-z2-7]{6}){3}", answer.content.decode())) == 10
    assert answer["Cache-Control"] == "no-store"
    assert "10 recovery codes are left" in page.get("/settings/account/second-step").content.decode()


def test_the_password_alone_opens_nothing(on: list[str], analyst: Any) -> None:
    client = half_way()
    assert client.get("/")["Location"].startswith("/login")
    assert client.post("/login/second", {"code": "123"}).status_code == 422
    forget_time(analyst)
    assert client.post("/login/second", {"code": code(analyst)})["Location"] == "/new"
    assert client.get("/").status_code == 200


def test_the_way_never_leads_out(on: list[str]) -> None:
    assert half_way(then="//evil.example").post("/login/second", {"code": on[0]})["Location"] == "/"


def test_a_login_link_asks_for_it_too(on: list[str], analyst: Any) -> None:
    client = half_way(f"/login/link/{make_login_link(analyst)}")
    assert client.get("/").status_code == 302
    assert client.post("/login/second", {"code": on[0]})["Location"] == "/"
    assert half_way().post("/login/second", {"code": on[0]}).status_code == 422


@pytest.mark.parametrize("change", ["password", "inactive", "late"])
def test_half_way_is_no_place_to_stay(on: list[str], analyst: Any, change: str) -> None:
    client = half_way()
    if change == "password":
        analyst.set_password("another horse battery")
    elif change == "inactive":
        analyst.is_active = False
    else:
        session = client.session
        session["half_way"] = {**session["half_way"], "at": 0}
        session.save()
    analyst.save()
    assert client.post("/login/second", {"code": code(analyst)})["Location"] == "/login"


def test_switching_it_off_needs_a_code(on: list[str], page: Client, analyst: Any) -> None:
    assert page.post("/settings/account/second-step/off", {"code": "wrong"}).status_code == 422
    assert page.post("/settings/account/second-step/codes", {"code": on[0]}).status_code == 200
    assert second_step.is_on(analyst)
    assert page.post("/settings/account/second-step/off", {"code": code(analyst)})["Location"] == "/settings/account"
    assert not second_step.is_on(analyst)


def test_who_has_lost_everything_is_helped_by_the_operator(on: list[str], analyst: Any, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("member", "ada", "Ada's", "--role", "analyst", "--forget-second-step")
    assert Client().get(capsys.readouterr().out.strip().removeprefix("http://127.0.0.1:8000"))["Location"] == "/"
