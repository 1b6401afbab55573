"""Sharing one report with somebody without an account."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from auditapp.models import Membership, Report, ShareLink

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(page: Client, finished_run: Any) -> str:
    Membership.objects.update(role="reviewer")
    answer = page.post(f"/runs/{finished_run.pk}/shares", {"name": "Regulator <b>", "days": "14"})
    assert answer["Cache-Control"] == "no-store"
    found = re.search(r"http://testserver(/shared/[0-9a-f]{64})", answer.content.decode())
    assert found is not None
    return found[1]


def test_whoever_has_the_link_reads_that_report_and_is_counted(path: str, page: Client, finished_run: Any) -> None:
    anybody = Client()
    shown = anybody.get(path)
    assert "Adult &lt;i&gt;income&lt;/i&gt;" in shown.content.decode()
    looked = anybody.head(f"{path}/report.pdf")
    looked.close()
    assert looked.status_code == 200
    assert ShareLink.objects.get().downloads == 0
    pdf = anybody.get(f"{path}/report.pdf")
    assert b"".join(pdf.streaming_content) == b"%PDF-1.7 a stand-in"
    for answer in (shown, pdf):
        assert answer["X-Robots-Tag"].startswith("noindex")
        assert "no-store" in answer["Cache-Control"]
        assert answer["Referrer-Policy"] == "no-referrer"
    assert anybody.get(f"/runs/{finished_run.pk}").status_code == 302
    listed = page.get(f"/runs/{finished_run.pk}/shares").content.decode()
    assert "Regulator &lt;b&gt;" in listed
    assert '<td class="num">1</td><td class="nowrap">20' in listed  # one download, and when
    assert path not in listed


def test_a_revoked_link_opens_nothing(path: str, page: Client, finished_run: Any) -> None:
    page.post(f"/runs/{finished_run.pk}/shares/{ShareLink.objects.get().pk}/revoke")
    for where in (path, f"{path}/report.pdf"):
        answer = Client().get(where)
        assert (answer.status_code, answer["X-Robots-Tag"][:7]) == (410, "noindex")
    assert ShareLink.objects.get().downloads == 0


def test_what_is_not_signed_cannot_be_shared(page: Client, finished_run: Any) -> None:
    Membership.objects.update(role="reviewer")
    Report.objects.update(state="awaiting_signature", pdf_sha256="")
    assert page.post(f"/runs/{finished_run.pk}/shares", {"name": "x", "days": "1"}).status_code == 409
    assert ShareLink.objects.count() == 0


@pytest.mark.parametrize("said", [{"name": "", "days": "1"}, {"name": "x", "days": "366"}, {"name": "a\u202eb", "days": "1"}])
def test_a_form_that_is_not_filled_in_makes_no_link(page: Client, finished_run: Any, said: dict[str, str]) -> None:
    Membership.objects.update(role="owner")
    assert page.post(f"/runs/{finished_run.pk}/shares", said).status_code == 422
    assert ShareLink.objects.count() == 0
