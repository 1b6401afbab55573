"""Links to one report: hashed, expiring, revocable, counted, each download in the ledger."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from auditapp import ledger
from auditapp.access import Caller
from auditapp.models import LedgerEntry, ShareLink
from auditapp.people import share_links
from tests.auditapp.conftest import Cast


@pytest.fixture
def reviewer(people: Cast) -> Caller:
    return Caller(people.users["reviewer"], people.workspace, "reviewer")


def test_a_link_opens_one_version_until_it_is_revoked(people: Cast, reviewer: Caller, succeeded_run: Any) -> None:
    report = succeeded_run().reports.get()
    link, secret = share_links.share(reviewer, report, "The regulator", 14)
    assert secret not in str(list(ShareLink.objects.values()))
    found = share_links.link_of(secret)
    assert found is not None
    assert (found, found.report) == (link, report)
    assert share_links.note_download(link)
    assert share_links.note_download(link)
    assert share_links.revoke(reviewer, link)
    assert not share_links.revoke(reviewer, link)
    assert share_links.link_of(secret) is None
    assert not share_links.note_download(link)
    assert ShareLink.objects.get().downloads == 2
    entries = LedgerEntry.objects.filter(subject=report.run_id, number__gt=2).exclude(action__startswith="run.").order_by("number")
    assert [(entry.actor, entry.action) for entry in entries] == [
        ("user:reviewer", "report.shared"), (f"link:{link.pk}", "report.downloaded"), (f"link:{link.pk}", "report.downloaded"), ("user:reviewer", "report.share_revoked")]
    assert entries[1].data["pdf_sha256"] == report.pdf_sha256
    assert ledger.verify(people.workspace) == []


def test_an_expired_link_opens_nothing(reviewer: Caller, succeeded_run: Any) -> None:
    _link, secret = share_links.share(reviewer, succeeded_run().reports.get(), "x", 1)
    ShareLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert share_links.link_of(secret) is None


def test_an_unsigned_report_is_not_shared(reviewer: Caller, succeeded_run: Any) -> None:
    with pytest.raises(ValueError, match="not signed"):
        share_links.share(reviewer, succeeded_run(signed=False).reports.get(), "x", 1)
