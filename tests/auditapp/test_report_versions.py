"""Versions that wait to be made: one worker at a time has one, a lost worker's is taken up, and a late one writes nothing."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.db.models.functions import Now

from auditapp import access, dispatch, leases, removal, report_versions, runs, storage
from auditapp.leases import LeaseLost
from auditapp.models import Report, ReportRendering, Run
from auditapp.statements import changes as statements
from tests.auditapp.report_maker import make_waiting

UNSIGNED = b"%PDF-1.7 late"


@pytest.fixture
def run(succeeded_run: Any) -> Run:
    made: Run = succeeded_run()
    return made


@pytest.fixture
def waiting(people: Any, run: Run) -> ReportRendering:
    statements.change(run, access.Caller(people.users["owner"], people.workspace, "owner"), {"purpose": "a"}, base=0)
    return ReportRendering.objects.get(run=run)


def test_one_of_two_gets_it(waiting: ReportRendering) -> None:
    lease = report_versions.claim(waiting.pk, "one")
    assert lease is not None
    assert report_versions.claim(waiting.pk, "two") is None
    assert (lease.version, lease.document.fields["purpose"].text) == (2, "a")
    assert "evidence.json" in dict(lease.files)


def test_a_lost_workers_version_waits_again_and_the_late_one_writes_nothing(waiting: ReportRendering, run: Run) -> None:
    late = report_versions.claim(waiting.pk, "one")
    assert late is not None
    report_versions.lose(late)
    assert report_versions.sweep()["reports_requeued"] == 1
    stored = storage.put(io.BytesIO(UNSIGNED))
    with pytest.raises(LeaseLost):
        report_versions.finish(late, stored, None, None)
    assert not storage.exists(stored.sha256), "nothing refers to it"
    with pytest.raises(LeaseLost):
        report_versions.beat(late)
    assert make_waiting() == [2]
    assert Report.objects.get(run=run, version=2).state == "signed"


def test_after_its_attempts_it_has_failed_and_can_be_tried_again(waiting: ReportRendering, run: Run) -> None:
    for _ in range(waiting.max_attempts):
        lease = report_versions.claim(waiting.pk, "one")
        assert lease is not None
        report_versions.lose(lease)
        counts = report_versions.sweep()
    assert counts["reports_lost"] == 1
    waiting.refresh_from_db()
    assert (waiting.state, waiting.failure_code) == ("failed", "worker_lost")
    assert [row.state for row in report_versions.versions_of(run)] == ["failed", "signed"]
    assert report_versions.ask_again(waiting)
    assert not report_versions.ask_again(waiting), "it waits already"
    assert make_waiting() == [2]


def test_a_beat_keeps_it_and_a_doorbell_that_nobody_heard_rings_again(waiting: ReportRendering) -> None:
    ReportRendering.objects.update(queued_at=leases.from_now(-3600))
    assert report_versions.sweep()["reports_rung"] == 1
    assert report_versions.sweep()["reports_rung"] == 0
    lease = report_versions.claim(waiting.pk, "one")
    assert lease is not None
    ReportRendering.objects.update(lease_until=Now())
    report_versions.beat(lease)
    assert report_versions.sweep()["reports_requeued"] == 0


def test_what_is_made_without_a_key_rings_for_the_one_who_has_it(waiting: ReportRendering, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr(dispatch, "ring_signing", lambda: rung.append("sign"))
    make_waiting(signed=False)
    assert rung == ["sign"]


def test_a_run_that_is_deleted_meanwhile_takes_its_version_along(people: Any, waiting: ReportRendering, run: Run) -> None:
    lease = report_versions.claim(waiting.pk, "one")
    assert lease is not None
    runs.delete_run(run, people.users["owner"])
    with pytest.raises(LeaseLost):
        report_versions.finish(lease, storage.put(io.BytesIO(UNSIGNED)), None, None)
    assert not Report.objects.exists()


def test_the_picture_of_a_version_lives_as_long_as_the_version(people: Any, waiting: ReportRendering, run: Run) -> None:
    lease = report_versions.claim(waiting.pk, "one")
    assert lease is not None
    picture = storage.put(io.BytesIO(b"\x89PNG of a page"))
    report_versions.finish(lease, storage.put(io.BytesIO(UNSIGNED)), None, None, picture=picture)
    assert removal.remove_unreferenced([picture.sha256]) == []
    runs.delete_run(run, people.users["owner"])
    assert not storage.exists(picture.sha256)
