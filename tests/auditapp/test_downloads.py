"""What is taken out of a workspace stands in its ledger; what is only looked at does not."""

from __future__ import annotations

from typing import Any

from django.test import Client

from auditapp import ledger
from auditapp.models import LedgerEntry
from tests.auditapp.conftest import Cast


def noted() -> list[tuple[str, str, Any]]:
    entries = LedgerEntry.objects.filter(action__endswith=".downloaded").order_by("number")
    return [(entry.actor, entry.action, entry.data.get("file") or entry.data["version"]) for entry in entries]


def taken(answer: Any) -> int:
    """The status, of a body that was read to its end."""
    if answer.streaming:
        b"".join(answer.streaming_content)
    answer.close()
    return int(answer.status_code)


def test_every_file_that_leaves_over_rest_is_noted_with_who_took_it(people: Cast, succeeded_run: Any) -> None:
    run = succeeded_run()
    rest = people.rest("viewer")
    for path in (f"/runs/{run.pk}/report.pdf", f"/runs/{run.pk}/reports/1.pdf", f"/runs/{run.pk}/evidence", f"/runs/{run.pk}/bundle.zip", f"/runs/{run.pk}/reasons.csv", f"/runs/{run.pk}/exports/modelcard.md"):
        assert taken(rest.get(path)) == 200, path
    assert [(action, what) for _, action, what in noted()] == [
        ("report.downloaded", 1), ("report.downloaded", 1), ("file.downloaded", "evidence.json"), ("file.downloaded", "bundle.zip"), ("file.downloaded", "reasons.csv"), ("file.downloaded", "modelcard.md")]
    assert all(who.startswith("user:viewer token:") for who, _, _ in noted())
    assert LedgerEntry.objects.filter(action="report.downloaded").first().data["pdf_sha256"] == run.reports.get().pdf_sha256
    assert ledger.verify(people.workspace) == []


def test_pictures_answers_to_who_has_it_already_and_refusals_are_no_downloads(people: Cast, succeeded_run: Any) -> None:
    run = succeeded_run()
    rest = people.rest("viewer")
    first = rest.get(f"/runs/{run.pk}/report.pdf")
    assert taken(first) == 200
    before = noted()
    assert rest.get(f"/runs/{run.pk}/report.pdf", **{"If-None-Match": first["ETag"]}).status_code == 304
    assert taken(rest.get(f"/runs/{run.pk}/charts/roc.svg")) == 200
    assert people.rest("stranger").get(f"/runs/{run.pk}/report.pdf").status_code == 404
    assert noted() == before


def test_pages_note_them_too(people: Cast, succeeded_run: Any) -> None:
    run = succeeded_run()
    client = Client()
    client.force_login(people.users["reviewer"], backend="django.contrib.auth.backends.ModelBackend")
    for path in ("report.pdf", "bundle.zip", "exports/modelcard.md"):
        assert taken(client.head(f"/runs/{run.pk}/{path}")) == taken(client.get(f"/runs/{run.pk}/{path}")) == 200, path
    assert noted() == [("user:reviewer", "report.downloaded", 1), ("user:reviewer", "file.downloaded", "bundle.zip"), ("user:reviewer", "file.downloaded", "modelcard.md")]
