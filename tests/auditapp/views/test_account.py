"""Tokens and members of a workspace."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from auditapp.access import issue_token
from auditapp.models import ApiToken, Membership

pytestmark = pytest.mark.django_db


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
