"""What went wrong, in words, with the request id and without a trace."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

pytestmark = pytest.mark.django_db


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


def test_a_database_that_does_not_answer_is_a_503_with_a_time_to_come_back(page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from auditapp.views import home

    def gone(*_args: Any) -> None:
        raise OperationalError("could not connect to 10.0.0.7")

    monkeypatch.setattr(home, "Paginator", gone)
    response = page.get("/")
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert "10.0.0.7" not in response.content.decode()
    assert "Not available for the moment" in response.content.decode()


def test_a_form_from_another_session_is_refused_in_words(page: Client, analyst: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(analyst, backend="django.contrib.auth.backends.ModelBackend")
    response = strict.post("/new/sample")
    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()
