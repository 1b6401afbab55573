"""The verify page: public, and of real bytes only."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.test import Client

from auditapp.report.turns import turn
from auditapp.uploads import passing_through

pytestmark = pytest.mark.django_db


def test_verify_is_public_and_refuses_what_is_not_a_pdf(client: Client) -> None:
    assert client.get("/verify").status_code == 200
    refused = client.post("/verify", {"file": io.BytesIO(b"hello")})
    assert refused.status_code == 422
    assert "not a PDF" in refused.content.decode()


def test_where_others_are_being_verified_one_is_asked_to_come_again(client: Client, people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page and REST say so at once and take no core; the file is not called bad."""
    monkeypatch.setattr("auditapp.report.turns.PATIENCE_SECONDS", 0.0)
    with turn(passing_through() / "verifying"), turn(passing_through() / "verifying"):
        page = client.post("/verify", {"file": io.BytesIO(b"%PDF-1.7")})
        answer = people.rest("viewer").send("/verify", pdf=io.BytesIO(b"%PDF-1.7"))
    assert (page.status_code, page["Retry-After"]) == (503, "5")
    assert "try again in a few seconds" in page.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "try again in a few seconds" in answer.json()["detail"]
