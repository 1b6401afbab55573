"""The verify page: public, and of real bytes only."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from auditapp.report.turns import turn
from auditapp.signing_identity import ensure_signing_identity
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


def test_the_certificate_is_public_and_nothing_beside_it_leaves(client: Client, settings: Any, tmp_path: Path) -> None:
    """An operator may keep key and certificates in one file."""
    ensure_signing_identity(tmp_path / "signing")
    key, certificate = ((tmp_path / "signing" / name).read_text() for name in ("key.pem", "certificate.pem"))
    settings.SIGNING_CERTIFICATE = tmp_path / "both.pem"
    settings.SIGNING_CERTIFICATE.write_text(f"{key}subject=Example\n{certificate}{certificate}")
    answer = client.get("/verify/certificate.pem")
    assert (answer["Content-Type"], answer.content.decode()) == ("application/x-pem-file", certificate * 2)
    settings.SIGNING_CERTIFICATE = tmp_path / "none.pem"
    assert client.get("/verify/certificate.pem").status_code == 404
