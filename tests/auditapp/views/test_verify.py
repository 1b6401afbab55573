"""The verify page: public, and of real bytes only."""

from __future__ import annotations

import io

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_verify_is_public_and_refuses_what_is_not_a_pdf(client: Client) -> None:
    assert client.get("/verify").status_code == 200
    refused = client.post("/verify", {"file": io.BytesIO(b"hello")})
    assert refused.status_code == 422
    assert "not a PDF" in refused.content.decode()
