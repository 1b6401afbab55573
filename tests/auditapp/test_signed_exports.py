"""PDFs for others: drawn when asked for, handed out only once they are signed, and kept as they were."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.core.management import call_command

from auditapp import access, ledger, runs, signed_exports, storage
from auditapp.models import SignedExport
from auditapp.report import sign
from auditapp.signed_exports import BeingSigned, sign_waiting_exports, signed_export
from auditapp.statements import changes as statements
from tests.auditapp.conftest import Cast
from tests.auditapp.report.test_waiting import Signatures

NAME = "annex-iv.pdf"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Stands for the compiler: what it has drawn. Drawing has tests of its own."""
    made: list[bytes] = []

    def draw(run: Any, name: str, *, withhold: bool = False) -> bytes:
        made.append(b"%%PDF-1.7 %d" % len(made))
        return made[-1]

    monkeypatch.setattr(signed_exports, "make_export", draw)
    monkeypatch.setattr(signed_exports, "PATIENCE_SECONDS", 0)
    return made


@pytest.fixture
def signatures(monkeypatch: pytest.MonkeyPatch) -> Signatures:
    signatures = Signatures()
    monkeypatch.setattr(sign, "sign_pdf", signatures)
    return signatures


def read(row: SignedExport) -> bytes:
    with storage.open_verified(row.pdf_sha256) as file:
        return file.read()


def test_it_is_drawn_once_and_handed_out_only_when_it_is_signed(succeeded_run: Any, drawn: list[bytes], signatures: Signatures) -> None:
    run = succeeded_run()
    for _ in range(2):
        with pytest.raises(BeingSigned, match="awaits its signature"):
            signed_export(run, NAME)
    assert sign_waiting_exports() == 0, "there is no key"
    signatures.present = True
    call_command("reconcile")
    row = signed_export(run, NAME)
    assert read(row) == b"%PDF-1.7 0-signed"
    assert len(drawn) == 1
    assert sign_waiting_exports() == 0
    entry = ledger._chain(run.workspace_id).last()
    assert (entry.action, entry.data["name"], entry.data["small_cells"], entry.data["pdf_sha256"]) == ("export.signed", NAME, "shown", row.pdf_sha256)
    assert ledger.knows_file(row.pdf_sha256)
    assert ledger.verify(run.workspace) == []


def test_once_people_say_more_the_next_is_made_and_the_earlier_stays(people: Cast, succeeded_run: Any, drawn: list[bytes], signatures: Signatures) -> None:
    run = succeeded_run()
    signatures.present = True
    for withhold in (False, True):
        with pytest.raises(BeingSigned):
            signed_export(run, NAME, withhold=withhold)
    statements.change(run, access.Caller(people.users["owner"], people.workspace, "owner"), {"purpose": "a"}, base=0)
    with pytest.raises(BeingSigned):
        signed_export(run, NAME)
    assert sign_waiting_exports() == 3
    assert read(signed_export(run, NAME)) == b"%PDF-1.7 2-signed"
    assert [(row.withhold, row.statements_version) for row in SignedExport.objects.all()] == [(False, 0), (True, 0), (False, 1)]


def test_what_cannot_be_signed_holds_up_nobody_and_is_gone_with_its_run(people: Cast, succeeded_run: Any, drawn: list[bytes], signatures: Signatures, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = succeeded_run(), succeeded_run()
    monkeypatch.setattr(signed_exports, "make_export", lambda run, name, **_: b"%PDF-bad" if run.pk == bad.pk else b"%PDF-good")
    for run in (bad, good):
        with pytest.raises(BeingSigned):
            signed_export(run, NAME)
    signatures.present = True
    assert sign_waiting_exports() == 1
    row = signed_export(good, NAME)
    runs.delete_run(good, people.users["owner"])
    assert not storage.exists(row.pdf_sha256)
    assert not storage.exists(hashlib.sha256(b"%PDF-good").hexdigest())
    assert not SignedExport.objects.filter(pk=row.pk).exists()


def test_over_rest_and_pages_it_is_asked_for_again_until_it_is_there(people: Cast, succeeded_run: Any, drawn: list[bytes], signatures: Signatures) -> None:
    from django.test import Client

    run, rest, client = succeeded_run(), people.rest("viewer"), Client()
    client.force_login(people.users["viewer"], backend="django.contrib.auth.backends.ModelBackend")
    waiting = rest.get(f"/runs/{run.pk}/exports/{NAME}")
    assert (waiting.status_code, waiting["Retry-After"]) == (503, "5")
    page = client.get(f"/runs/{run.pk}/exports/{NAME}")
    assert page.status_code == 503
    assert "not ready yet" in page.content.decode()
    signatures.present = True
    sign_waiting_exports()
    for answer in (rest.get(f"/runs/{run.pk}/exports/{NAME}"), client.get(f"/runs/{run.pk}/exports/{NAME}")):
        assert (answer.status_code, b"".join(answer.streaming_content)) == (200, b"%PDF-1.7 0-signed")
        assert answer["Content-Type"] == "application/pdf"
