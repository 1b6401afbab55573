"""REST is English; numbers and dates of pages are those of the page's language."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils import translation

from auditapp.languages.chosen import numbers
from auditapp.templatetags import audit
from automl.evidence import Estimate, NotMeasured

GERMAN = {"Accept-Language": "de"}


def text_of(markup: str) -> str:
    return re.sub(r"<[^>]+>", "", markup)


@pytest.mark.django_db
def test_rest_is_english_whatever_is_asked_for_and_whoever_was_answered_before(client: Client) -> None:
    client.get("/help", headers=GERMAN)
    response = client.generic("POST", "/api/v1/datasets", headers=GERMAN, CONTENT_LENGTH=str(10**12))
    assert response.status_code == 413
    assert response["Content-Type"] == "application/problem+json"
    assert "The limit for a file is 5,242,880 bytes" in response.getvalue().decode()
    assert "Accept-Language" not in response.get("Vary", "")


def test_numbers_and_dates_by_language() -> None:
    at = datetime(2026, 11, 22, 5, 30, tzinfo=UTC)
    value = Estimate(value=-0.0214, low=-0.0301, high=-0.0127, method="newcombe", n=12_240)
    with translation.override("de"):
        assert numbers("12,240 of 1,000,000, 0.927 (0.92 to 1), version 2.") == "12.240 of 1.000.000, 0,927 (0,92 to 1), version 2."
        assert text_of(audit.estimate(value, as_percent=True, signed=True)) == "−2,1 Prozentpunkte (−3,0 bis −1,3) n = 12.240"
        assert audit.date(at, "Y-m-d H:i") == "22. November 2026 05:30"
        assert audit.date(at, "H:i:s") == "05:30:00"
        assert text_of(audit.not_measured(NotMeasured(reason="2.5 is too few"))) == "nicht gemessen: 2.5 is too few"
        assert text_of(audit.verdict("below")) == "Unterhalb der Grenze, über den Stichprobenfehler hinaus"
        assert audit.in_its_language("The sensitive attribute sex is an input of the model.") == "Das sensible Attribut sex ist eine Eingabe des Modells."
        assert audit.in_its_language("There is <b>no</b> such sentence.", 12) == '<span lang="en">There is &lt;b…</span>'
        assert (audit.english("All findings"), audit.english("No such sentence.")) == ("", ' lang="en"')
        assert [audit.cell(value) for value in ("not measured: there is no score", "yes", "New York", 0.25)] == ["nicht gemessen: es gibt keinen Score", "yes", "New York", "0,2500"]
    with translation.override("en"):
        assert audit.in_its_language("All findings of the 3", 7) == "All fi…"
        assert numbers("12,240") == "12,240"
        assert audit.date(at, "Y-m-d H:i") == "2026-11-22 05:30"
