"""Further workers of one run: who may join and when, every fence, and what a sweep does; on both databases (test_on_postgresql)."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from auditapp import datasets, parts, runs
from auditapp.leases import LeaseLost
from auditapp.models import Run, RunPart, Workspace
from auditapp.parts import NotNeeded, PartLease
from auditapp.staging import _in_use
from automl.errors import BadInput
from automl.hooks import Progress
from automl.spec import TaskSpec


@pytest.fixture
def leading(workspace: Workspace, analyst: Any, monkeypatch: pytest.MonkeyPatch) -> runs.Lease:
    """A claimed run that asked for three workers, and has invited two more."""
    monkeypatch.setattr(runs, "check_parallel", lambda spec: None)  # the state code itself is the same on SQLite
    dataset = datasets.store_upload(io.BytesIO(b"a,b\n1,2\n"), name="table", filename="t.csv", workspace=workspace, user=analyst)
    run = runs.submit(workspace=workspace, dataset=dataset, kind="training", spec=TaskSpec(target="a", parallel=3), user=analyst)
    return claimed(run.pk)


def claimed(run_id: str) -> runs.Lease:
    lease = runs.claim(run_id, "lead:1")
    assert lease is not None
    parts.invite(lease)
    return lease


def rows(run_id: str) -> list[tuple[int, str, int]]:
    return list(RunPart.objects.filter(run_id=run_id).order_by("number").values_list("number", "state", "attempt"))


def join(lease: runs.Lease, number: int = 1) -> PartLease:
    part = parts.claim(RunPart.objects.get(run_id=lease.run_id, number=number).pk, "helper:1")
    assert part is not None
    return part


def expire(part: PartLease) -> None:
    RunPart.objects.filter(pk=part.part_id).update(lease_until=timezone.now() - timedelta(seconds=1))


def said(run_id: str) -> list[str]:
    return list(Run.objects.get(pk=run_id).events.filter(kind="part").values_list("text", flat=True))


def trial(folder: Path, text: bytes = b"a trial") -> Path:
    path = folder / "0003.trial"
    path.write_bytes(text)
    return path


def test_more_than_one_worker_needs_postgresql(workspace: Workspace, analyst: Any) -> None:
    dataset = datasets.store_upload(io.BytesIO(b"a,b\n1,2\n"), name="table", filename="t.csv", workspace=workspace, user=analyst)
    asked = {"workspace": workspace, "dataset": dataset, "kind": "training", "spec": TaskSpec(target="a", parallel=2), "user": analyst}
    if connection.vendor == "postgresql":
        assert runs.submit(**asked).state == "queued"
        return
    with pytest.raises(BadInput, match=r"2 workers on one search need a PostgreSQL database.*ask for 1") as refused:
        runs.submit(**asked)
    assert refused.value.pointer == "/parallel"
    assert not Run.objects.exists()


def test_who_is_free_joins_and_knows_the_time_that_is_gone(leading: runs.Lease) -> None:
    assert rows(leading.run_id) == [(1, "queued", 0), (2, "queued", 0)]
    part = join(leading)
    assert (part.run_id, part.run_attempt, part.number, part.attempt) == (leading.run_id, 1, 1, 1)
    assert part.dataset_sha256 == leading.dataset_sha256
    assert 0 <= part.spent_seconds < 60
    assert parts.claim(part.part_id, "another:1") is None, "one worker a part"
    assert rows(leading.run_id) == [(1, "running", 1), (2, "queued", 0)]
    assert said(leading.run_id) == ["part 1 joined"]


@pytest.mark.parametrize("change", [{"stage": "ensemble"}, {"cancel_requested_at": timezone.now()}, {"finish_requested_at": timezone.now()}])
def test_nobody_joins_a_run_that_needs_nobody(leading: runs.Lease, change: dict[str, Any]) -> None:
    Run.objects.filter(pk=leading.run_id).update(**change)
    assert parts.claim(RunPart.objects.get(run_id=leading.run_id, number=1).pk, "helper:1") is None


def test_wishes_reach_the_parts_and_so_does_the_end_of_tuning(leading: runs.Lease) -> None:
    part = join(leading)
    assert parts.beat(part, Progress("tune")) is None
    assert Run.objects.get(pk=leading.run_id).stage == "", "a part's progress is not the run's"
    runs.beat(leading, Progress("ensemble"))
    assert parts.wish(part) == "finish"
    runs.request_cancel(Run.objects.get(pk=leading.run_id), None)
    assert parts.wish(part) == "cancel"


def test_a_part_records_trials_of_its_run(leading: runs.Lease, tmp_path: Path) -> None:
    part = join(leading)
    parts.record_trial(part, 3, trial(tmp_path), Progress("tune", best=0.75, metric="roc_auc"), family="lgbm", score=0.75)
    [(number, sha256)] = runs.trials_of(leading, beyond=())
    assert number == 3
    assert runs.trials_of(leading, beyond={3}) == []
    assert parts.stored_trials(leading.run_id) == {3}
    [event] = Run.objects.get(pk=leading.run_id).events.filter(kind="trial")
    assert (event.data["score"], event.data["best"]) == (0.75, None), "its own best is not the run's"
    runs.lose(leading, "gone")
    runs.sweep()
    assert claimed(leading.run_id).trials == ((3, sha256),), "the next attempt takes it up"


def test_a_part_that_lost_its_lease_writes_nothing(leading: runs.Lease, tmp_path: Path) -> None:
    part = join(leading)
    expire(part)
    assert parts.sweep()["parts_requeued"] == 1
    for write in (lambda: parts.record_trial(part, 3, trial(tmp_path)), lambda: parts.beat(part), lambda: parts.end(part), lambda: parts.hand_back(part)):
        with pytest.raises(LeaseLost):
            write()
    assert runs.trials_of(leading, beyond=()) == []
    assert join(leading).attempt == 2
    assert said(leading.run_id) == ["part 1 joined", "part 1 lost its worker", "part 1 joined"]


def test_a_run_that_lost_its_lead_lets_its_helpers_go(leading: runs.Lease, tmp_path: Path) -> None:
    """The worker that helps must be free to lead."""
    part = join(leading)
    runs.lose(leading, "gone")
    runs.sweep()
    for act in (lambda: parts.beat(part), lambda: parts.wish(part), lambda: parts.record_trial(part, 3, trial(tmp_path))):
        with pytest.raises(NotNeeded):
            act()
    parts.hand_back(part)
    assert parts.claim(part.part_id, "helper:1") is None, "nobody leads"
    again = claimed(leading.run_id)
    with pytest.raises(NotNeeded):
        parts.wish(part)
    joined = join(again)
    assert (joined.run_attempt, joined.attempt) == (2, 2)


def test_a_part_is_tried_as_often_as_a_run_and_its_run_goes_on(leading: runs.Lease, settings: Any) -> None:
    for _ in range(settings.MAX_ATTEMPTS):
        expire(join(leading))
        counts = parts.sweep()
    assert counts["parts_lost"] == 1
    part = RunPart.objects.get(run_id=leading.run_id, number=1)
    assert (part.state, part.failure_code) == ("failed", "worker_lost")
    assert Run.objects.get(pk=leading.run_id).state == "running"
    parts.invite(leading)
    assert rows(leading.run_id)[0][1] == "failed", "inviting again does not open it"


def test_a_part_that_fails_or_loses_its_child_says_so(leading: runs.Lease) -> None:
    first, second = join(leading, 1), join(leading, 2)
    parts.fail(first, "out_of_memory", "it needs more memory")
    parts.lose(second, "signal 9")
    parts.sweep()
    assert rows(leading.run_id) == [(1, "failed", 1), (2, "queued", 1)]
    assert "part 1 failed: it needs more memory" in said(leading.run_id)
    assert Run.objects.get(pk=leading.run_id).state == "running"


def test_holders_are_those_whose_lease_stands(leading: runs.Lease) -> None:
    first, second = join(leading, 1), join(leading, 2)
    assert parts.holders(leading.run_id) == {(0, 1), (1, 1), (2, 1)}
    expire(first)
    parts.end(second)
    assert parts.holders(leading.run_id) == {(0, 1)}
    assert parts.still_active([leading.run_id, "run_gone"]) == {leading.run_id}


def test_parts_of_an_ended_run_end(leading: runs.Lease) -> None:
    part = join(leading)
    runs.fail(leading, "internal", "why")
    parts.hand_back(part)
    parts.sweep()
    assert [state for _, state, _ in rows(leading.run_id)] == ["ended", "ended"]
    assert parts.holders(leading.run_id) == set()
    assert parts.still_active([leading.run_id]) == set()
    runs.delete_run(Run.objects.get(pk=leading.run_id), None)
    assert not RunPart.objects.exists()


def test_the_doorbell_rings_again_for_parts_that_are_wanted(leading: runs.Lease, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[int] = []
    monkeypatch.setattr(parts.dispatch, "ring_part", rung.append)
    RunPart.objects.update(queued_at=timezone.now() - timedelta(hours=1))
    assert parts.sweep()["parts_rung"] == 2
    assert parts.sweep()["parts_rung"] == 0, "once in a while, not at every sweep"
    RunPart.objects.update(rung_at=None)
    Run.objects.filter(pk=leading.run_id).update(stage="evidence")
    assert parts.sweep()["parts_rung"] == 0
    assert len(rung) == 2


def test_the_folder_of_a_part_at_work_is_not_swept(leading: runs.Lease) -> None:
    part = join(leading)
    name = f"{leading.run_id}-1.{part.attempt}.abcd"
    assert _in_use(name)
    parts.end(part)
    assert not _in_use(name)
    assert not _in_use(f"{leading.run_id}-x.1.abcd")
