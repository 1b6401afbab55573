"""The state machine: every allowed move, every fence, every refusal; on the database that the settings name (test_on_postgresql runs it on the other)."""

from __future__ import annotations

import hashlib
import io
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from auditapp import datasets, ledger, results, runs, storage
from auditapp.leases import LeaseLost
from auditapp.models import Artifact, AuditedModel, Dataset, Report, Run, RunTrial, Workspace
from automl.bundle import BrokenBundle
from automl.errors import BadInput
from automl.hooks import Progress
from automl.spec import PredictionsSpec, TaskSpec
from tests.auditapp.drawn_bundle import make_bundle
from tests.evidence_example import make_charts


@pytest.fixture
def dataset(workspace: Workspace, analyst: Any) -> Dataset:
    return datasets.store_upload(io.BytesIO(b"a,b\n1,2\n"), name="table", filename="t.csv", workspace=workspace, user=analyst)


@pytest.fixture
def submit(workspace: Workspace, dataset: Dataset, analyst: Any) -> Any:
    def submit(**changes: Any) -> Run:
        arguments = {"workspace": workspace, "dataset": dataset, "kind": "training", "spec": TaskSpec(target="a"), "user": analyst}
        return runs.submit(**{**arguments, **changes})

    return submit


@pytest.fixture
def claim(submit: Any) -> Any:
    def claim(run: Run | None = None) -> runs.Lease:
        lease = runs.claim((run or submit()).pk, "here:1")
        assert lease is not None
        return lease

    return claim


def state(run_id: str) -> Run:
    return Run.objects.get(pk=run_id)


def kinds(run_id: str) -> list[str]:
    return list(state(run_id).events.values_list("kind", flat=True))


def expire(lease: runs.Lease) -> None:
    Run.objects.filter(pk=lease.run_id).update(lease_until=timezone.now() - timedelta(seconds=1))


def actions(workspace: Workspace, subject: str) -> list[str]:
    assert ledger.verify(workspace) == []
    return list(ledger._chain(workspace.pk).filter(subject=subject).values_list("action", flat=True))


class Signed:
    bytes = b"%PDF-signed"
    signer = "Plumbline of this house"
    signed_at = timezone.now()


# --- submitting and waiting


def test_submitted_run_waits(workspace: Workspace, submit: Any, analyst: Any) -> None:
    run = submit(spec=TaskSpec(target="a", title="My audit"))
    assert (run.state, run.attempt, run.title, run.created_by) == ("queued", 0, "My audit", analyst)
    assert kinds(run.pk) == ["submitted"]
    assert actions(workspace, run.pk) == ["run.submitted"]


def test_runs_wait_in_order_and_show_their_place(submit: Any, claim: Any) -> None:
    first, second, third = submit(), submit(), submit()
    assert [runs.place_in_queue(run) for run in (first, second, third)] == [1, 2, 3]
    assert runs.claim(third.pk, "x") is None
    assert runs.claim(second.pk, "x") is None
    lease = claim(first)
    assert [runs.place_in_queue(state(run.pk)) for run in (first, second, third)] == [0, 1, 2]
    assert runs.claim(second.pk, "x") is None, "one run of a workspace at a time"
    runs.fail(lease, "internal", "x")
    assert claim(second).run_id == second.pk


def test_another_workspace_does_not_wait(submit: Any, claim: Any, analyst: Any) -> None:
    claim(submit())
    other = Workspace.objects.create(name="Bo's")
    table = datasets.store_upload(io.BytesIO(b"a\n1\n"), name="t", filename="t", workspace=other, user=analyst)
    assert claim(submit(workspace=other, dataset=table)).attempt == 1


def test_database_itself_refuses_two_running_runs_of_a_workspace(submit: Any, claim: Any) -> None:
    claim(submit())
    second = submit()
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.filter(pk=second.pk).update(state="running", lease_until=timezone.now(), attempt=1)


def test_queue_limit(settings: Any, submit: Any) -> None:
    settings.RUNS_QUEUED = 2
    submit(), submit()
    with pytest.raises(runs.QueueFull, match="2 runs of this workspace are waiting, which is the limit"):
        submit()
    assert Run.objects.count() == 2


def test_dataset_of_another_workspace_or_deleted_is_refused(submit: Any, dataset: Dataset, analyst: Any) -> None:
    other = Workspace.objects.create(name="Bo's")
    with pytest.raises(BadInput, match="no such dataset"):
        submit(workspace=other)
    datasets.delete_dataset(dataset, analyst)
    with pytest.raises(BadInput, match="no such dataset"):
        submit()


def test_kind_and_spec_agree(submit: Any) -> None:
    with pytest.raises(BadInput, match="kind predictions"):
        submit(kind="predictions")
    with pytest.raises(BadInput, match="kind training"):
        submit(spec=PredictionsSpec(score="s", sensitive=("a",)))


# --- claim, beat, fence


def test_claim_gives_everything_a_worker_needs(submit: Any, claim: Any, dataset: Dataset) -> None:
    parent = submit()
    runs.request_cancel(parent, None)
    lease = claim(submit(parent=parent, test_dataset=dataset))
    assert (lease.attempt, lease.kind, lease.parent, lease.trials, lease.spent_seconds) == (1, "training", parent.pk, (), 0.0)
    assert (lease.dataset_sha256, lease.test_sha256) == (dataset.sha256, dataset.sha256)
    assert lease.spec["target"] == "a"
    run = state(lease.run_id)
    assert run.state == "running"
    assert run.owner == "here:1"
    assert timedelta(seconds=50) < run.lease_until - timezone.now() < timedelta(seconds=70)


def test_second_claim_gets_nothing(claim: Any) -> None:
    lease = claim()
    assert runs.claim(lease.run_id, "there:2") is None
    assert state(lease.run_id).owner == "here:1"
    assert runs.claim("run_nobody", "there:2") is None


def test_beat_extends_the_lease_and_writes_progress(claim: Any) -> None:
    lease = claim()
    expire(lease)
    assert runs.beat(lease, Progress("tune", 5, 10, best=0.9, metric="roc_auc", trials=5)) is None
    run = state(lease.run_id)
    assert run.lease_until > timezone.now()
    assert (run.stage, run.percent, run.progress["best"]) == ("tune", 38, 0.9)
    runs.beat(lease, Progress("tune", 6, 10))
    runs.beat(lease)
    assert kinds(lease.run_id).count("stage") == 1


def late_writes(lease: runs.Lease, tmp_path: Path) -> dict[str, Any]:
    trial = tmp_path / "trial"
    trial.write_bytes(b"t")
    return {
        "beat": lambda: runs.beat(lease, Progress("tune")), "wish": lambda: runs.wish(lease), "trial": lambda: runs.record_trial(lease, 1, trial),
        "succeed": lambda: runs.succeed(lease, make_bundle(tmp_path, lease.run_id), None), "fail": lambda: runs.fail(lease, "internal", "x"),
        "cancelled": lambda: runs.end_cancelled(lease), "lose": lambda: runs.lose(lease, "x"), "hand_back": lambda: runs.hand_back(lease),
    }


@pytest.mark.parametrize("write", ["beat", "wish", "trial", "succeed", "fail", "cancelled", "lose", "hand_back"])
@pytest.mark.parametrize("since", ["requeued", "claimed again", "cancelled", "succeeded elsewhere"])
def test_late_attempt_writes_nothing(claim: Any, write: str, since: str, tmp_path: Path, workspace: Workspace) -> None:
    lease = claim()
    expire(lease)
    runs.sweep()
    if since == "claimed again":
        claim(state(lease.run_id))
    elif since == "cancelled":
        runs.request_cancel(state(lease.run_id), None)
    elif since == "succeeded elsewhere":
        (tmp_path / "other").mkdir()
        runs.succeed(claim(state(lease.run_id)), make_bundle(tmp_path / "other", lease.run_id), None)
    before = Run.objects.filter(pk=lease.run_id).values().get(), kinds(lease.run_id), actions(workspace, lease.run_id), Artifact.objects.count(), Report.objects.count()
    with pytest.raises(LeaseLost):
        late_writes(lease, tmp_path)[write]()
    after = Run.objects.filter(pk=lease.run_id).values().get(), kinds(lease.run_id), actions(workspace, lease.run_id), Artifact.objects.count(), Report.objects.count()
    assert after == before
    assert RunTrial.objects.count() == 0


# --- the reconciler


def test_sweep_leaves_a_living_run_alone(claim: Any) -> None:
    lease = claim()
    assert set(runs.sweep().values()) == {0}
    runs.beat(lease)


def test_expired_lease_is_taken_back_and_counted(claim: Any, workspace: Workspace) -> None:
    lease = claim()
    expire(lease)
    assert runs.sweep()["runs_requeued"] == 1
    assert runs.sweep()["runs_requeued"] == 0, "idempotent"
    run = state(lease.run_id)
    assert (run.state, run.attempt, run.lease_until) == ("queued", 1, None)
    second = claim(run)
    assert second.attempt == 2
    expire(second)
    assert runs.sweep()["runs_lost"] == 1
    run = state(lease.run_id)
    assert (run.state, run.failure_code) == ("failed", "worker_lost")
    assert "died 2 times" in run.failure_text
    assert kinds(lease.run_id) == ["submitted", "claimed", "requeued", "claimed", "failed"]
    assert actions(workspace, lease.run_id) == ["run.submitted", "run.failed"]


@pytest.mark.parametrize("hours", [2, -2])
def test_t18_leases_go_by_the_databases_clock(claim: Any, submit: Any, monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    """A worker whose own clock is wrong takes nothing early and holds nothing too long."""
    real = timezone.now
    monkeypatch.setattr("django.utils.timezone.now", lambda: real() + timedelta(hours=hours))
    lease = claim()
    runs.beat(lease)
    assert abs(state(lease.run_id).lease_until - real() - timedelta(seconds=60)) < timedelta(seconds=30)
    runs.sweep()
    assert state(lease.run_id).state == "running"
    Run.objects.filter(pk=lease.run_id).update(lease_until=real() - timedelta(seconds=1))
    runs.sweep()
    assert state(lease.run_id).state == "queued"


def test_child_that_died_is_taken_back_at_once(claim: Any) -> None:
    lease = claim()
    runs.lose(lease, "the child died by signal 9")
    assert runs.sweep()["runs_requeued"] == 1


def test_cancelled_run_of_a_dead_worker_is_cancelled(claim: Any) -> None:
    lease = claim()
    runs.request_cancel(state(lease.run_id), None)
    expire(lease)
    assert runs.sweep()["runs_cancelled"] == 1
    assert state(lease.run_id).state == "cancelled"


@pytest.mark.parametrize("how", ["waiting again", "asked the child", "its worker died"])
def test_nothing_is_kept_of_a_cancelled_run(how: str, claim: Any, tmp_path: Path, django_capture_on_commit_callbacks: Any) -> None:
    lease = claim()
    (tmp_path / "t").write_bytes(b"predictions for the rows of the table")
    runs.record_trial(lease, 1, tmp_path / "t")
    kept = RunTrial.objects.get().sha256
    if how == "waiting again":
        expire(lease)
        runs.sweep()
    with django_capture_on_commit_callbacks(execute=True):
        runs.request_cancel(state(lease.run_id), None)
        if how == "asked the child":
            runs.end_cancelled(lease)
        elif how == "its worker died":
            expire(lease)
            runs.sweep()
    assert state(lease.run_id).state == "cancelled"
    assert RunTrial.objects.count() == 0
    assert not storage.exists(kept)


def test_cancelled_while_its_files_are_stored_is_cancelled(claim: Any, tmp_path: Path, workspace: Workspace) -> None:
    """Whoever deletes a dataset is told which runs that cancels; none of them may end with predictions for its rows."""
    lease = claim()
    bundle = make_bundle(tmp_path, lease.run_id)
    runs.succeed(lease, bundle, None, keep=lambda: runs.request_cancel(state(lease.run_id), None))
    assert state(lease.run_id).state == "cancelled"
    assert kinds(lease.run_id)[-2:] == ["cancel_requested", "cancelled"]
    assert (Artifact.objects.count(), AuditedModel.objects.count(), Report.objects.count()) == (0, 0, 0)
    assert not storage.exists(hashlib.sha256((bundle / "evidence.json").read_bytes()).hexdigest())
    assert ledger.verify(workspace) == []


def test_sweep_rings_again_for_who_could_start(settings: Any, submit: Any) -> None:
    first, second = submit(), submit()
    assert runs.sweep()["runs_rung"] == 0
    Run.objects.update(queued_at=timezone.now() - timedelta(seconds=31))
    assert runs.sweep()["runs_rung"] == 1, "the second waits for the first and needs no bell"
    assert runs.sweep()["runs_rung"] == 0, "not at every sweep"
    assert state(first.pk).rung_at is not None
    assert state(second.pk).rung_at is None
    Run.objects.filter(pk=first.pk).update(rung_at=timezone.now() - timedelta(seconds=31))
    assert runs.sweep()["runs_rung"] == 1


def test_next_attempt_takes_up_trials_and_what_is_left_of_the_budget(claim: Any, tmp_path: Path) -> None:
    lease = claim()
    for number in (0, 1):
        (tmp_path / "t").write_bytes(b"trial %d" % number)
        runs.record_trial(lease, number, tmp_path / "t", Progress("tune", best=0.7, metric="roc_auc"), family="lgbm", score=0.69)
    Run.objects.get(pk=lease.run_id).events.filter(kind="claimed").update(at=timezone.now() - timedelta(seconds=40))
    expire(lease)
    runs.sweep()
    second = claim(state(lease.run_id))
    assert [number for number, _ in second.trials] == [0, 1]
    with storage.open_verified(second.trials[1][1]) as file:
        assert file.read() == b"trial 1"
    assert 39 < second.spent_seconds < 45
    assert state(lease.run_id).events.filter(kind="trial").first().data == {
        "number": 0, "family": "lgbm", "score": 0.69, "best": 0.7, "metric": "roc_auc"}


def test_trial_that_became_a_link_after_it_was_told_is_not_read(claim: Any, tmp_path: Path) -> None:
    """The worker may read the signing key, the child may not; what is kept as a trial is given back to the next attempt."""
    lease = claim()
    (tmp_path / "key.pem").write_bytes(b"secret")
    (tmp_path / "0003.trial").symlink_to(tmp_path / "key.pem")
    with pytest.raises(BrokenBundle):
        runs.record_trial(lease, 3, tmp_path / "0003.trial")
    assert RunTrial.objects.count() == 0
    assert not storage.exists(hashlib.sha256(b"secret").hexdigest())


def test_trial_told_twice_is_one_row(claim: Any, tmp_path: Path) -> None:
    lease = claim()
    (tmp_path / "t").write_bytes(b"x")
    runs.record_trial(lease, 3, tmp_path / "t")
    runs.record_trial(lease, 3, tmp_path / "t")
    assert RunTrial.objects.count() == 1


def test_handed_back_attempt_does_not_count_against_the_limit(claim: Any) -> None:
    lease = claim()
    for _ in range(4):
        runs.hand_back(lease)
        assert state(lease.run_id).state == "queued"
        lease = claim(state(lease.run_id))
    assert lease.attempt == 5
    expire(lease)
    assert runs.sweep()["runs_requeued"] == 1


# --- wishes


def test_cancel_of_a_waiting_run_is_at_once_and_twice_is_once(submit: Any, workspace: Workspace) -> None:
    run = submit()
    assert runs.request_cancel(run, None).state == "cancelled"
    assert runs.request_cancel(run, None).state == "cancelled"
    assert runs.claim(run.pk, "x") is None
    assert actions(workspace, run.pk) == ["run.submitted", "run.cancelled"]


def test_cancel_of_a_running_run_is_a_wish(claim: Any, workspace: Workspace) -> None:
    lease = claim()
    assert runs.request_cancel(state(lease.run_id), None).state == "running"
    runs.request_cancel(state(lease.run_id), None)
    assert runs.beat(lease) == runs.wish(lease) == "cancel"
    runs.end_cancelled(lease)
    assert kinds(lease.run_id)[-2:] == ["cancel_requested", "cancelled"]
    assert actions(workspace, lease.run_id)[1:] == ["run.cancel_requested", "run.cancelled"]


def test_cancel_outweighs_finish(claim: Any) -> None:
    lease = claim()
    runs.request_finish(state(lease.run_id), None)
    assert runs.wish(lease) == "finish"
    runs.request_cancel(state(lease.run_id), None)
    assert runs.wish(lease) == "cancel"


def test_done_stays_done(claim: Any, workspace: Workspace) -> None:
    lease = claim()
    runs.fail(lease, "time_limit", "too long")
    ended = state(lease.run_id)
    assert runs.request_cancel(ended, None).state == runs.request_finish(ended, None).state == "failed"
    assert actions(workspace, lease.run_id) == ["run.submitted", "run.failed"]


@pytest.mark.parametrize("code", ["oom", "", "Internal"])
def test_failure_codes_are_a_closed_list(claim: Any, code: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        runs.fail(claim(), code, "x")


# --- success


@pytest.mark.parametrize("signed", [Signed(), None])
def test_success_is_everything_at_once(claim: Any, tmp_path: Path, workspace: Workspace, signed: Any) -> None:
    lease = claim()
    beats: list[None] = []
    runs.succeed(lease, make_bundle(tmp_path, lease.run_id), signed, keep=lambda: beats.append(None))
    run = state(lease.run_id)
    assert (run.state, run.percent, run.lease_until) == ("succeeded", 100, None)
    assert AuditedModel.objects.get(run=run).model_sha256 == "d1" * 32
    report = Report.objects.get(run=run)
    assert (report.version, report.state) == (1, "signed" if signed else "awaiting_signature")
    evidence = results.read_evidence(run)
    assert report.evidence_digest == evidence.digest
    assert results.read_charts(run) == make_charts(evidence)
    names = ["audit.pdf"] * bool(signed) + ["audit.unsigned.pdf", "charts.json", "charts/roc.svg", "evidence.json", "manifest.json", "model/model.json", "modelcard.md", "predictions.csv"]
    assert results.artifact_names(run) == names
    assert len(beats) == len(names)
    for artifact in run.artifacts.all():
        with results.open_artifact(run, artifact.name) as file:
            assert hashlib.sha256(file.read()).hexdigest() == artifact.sha256
    entry = ledger._chain(workspace.pk).get(action="run.succeeded")
    assert entry.data["evidence_digest"] == evidence.digest
    assert entry.data["pdf_sha256"] == (hashlib.sha256(b"%PDF-signed").hexdigest() if signed else None)


def link_to_a_file(bundle: Path) -> None:
    (bundle / "predictions.csv").unlink()
    (bundle / "predictions.csv").symlink_to("/etc/passwd")


def link_to_a_folder(bundle: Path) -> None:
    (bundle / "extra").symlink_to("/etc")


def second_name_of_a_file(bundle: Path) -> None:
    os.link(bundle / "modelcard.md", bundle / "card2.md")


def name_with_a_space(bundle: Path) -> None:
    (bundle / "a file").write_text("x")


def hidden_name(bundle: Path) -> None:
    (bundle / ".hidden").write_text("x")


def pipe(bundle: Path) -> None:
    os.mkfifo(bundle / "pipe")


def other_evidence(bundle: Path) -> None:
    """The manifest is written anew after drawing, so only the digest can tell."""
    data = (bundle / "evidence.json").read_bytes()
    (bundle / "evidence.json").write_bytes(data.replace(b'"audit_number":1', b'"audit_number":2', 1))


@pytest.mark.parametrize("spoil", [link_to_a_file, link_to_a_folder, second_name_of_a_file, name_with_a_space, hidden_name, pipe, other_evidence])
def test_bundle_that_is_not_what_it_should_be_is_not_stored(claim: Any, tmp_path: Path, spoil: Any) -> None:
    lease = claim()
    bundle = make_bundle(tmp_path, lease.run_id)
    spoil(bundle)
    with pytest.raises(BrokenBundle):
        runs.succeed(lease, bundle, None)
    assert Artifact.objects.count() == 0
    assert state(lease.run_id).state == "running"


def test_evidence_of_another_run_is_refused(claim: Any, tmp_path: Path) -> None:
    lease = claim()
    with pytest.raises(BrokenBundle, match="another run"):
        runs.succeed(lease, make_bundle(tmp_path, "run_other"), None)


def test_audit_number_counts_what_succeeded_and_survives_deletion(submit: Any, claim: Any, tmp_path: Path, analyst: Any) -> None:
    numbers = []
    for attempt in range(3):
        lease = claim(submit())
        numbers.append(lease.audit_number)
        (tmp_path / str(attempt)).mkdir()
        runs.succeed(lease, make_bundle(tmp_path / str(attempt), lease.run_id), None)
        runs.delete_run(state(lease.run_id), analyst)
    failed = claim(submit())
    runs.fail(failed, "internal", "x")
    numbers.append(claim(submit()).audit_number)
    assert numbers == [1, 2, 3, 4]


# --- deletion


def test_deleting_removes_the_bytes_that_nobody_else_needs(submit: Any, claim: Any, tmp_path: Path, workspace: Workspace, analyst: Any, dataset: Dataset) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    first = claim(submit())
    runs.succeed(first, make_bundle(tmp_path / "one", first.run_id), Signed())
    second = claim(submit())
    runs.succeed(second, make_bundle(tmp_path / "two", second.run_id), None)
    own = set(state(first.run_id).artifacts.values_list("sha256", flat=True)) - set(state(second.run_id).artifacts.values_list("sha256", flat=True))
    removed = runs.delete_run(state(first.run_id), analyst)
    assert set(removed.bytes_removed) == own
    assert not any(storage.exists(sha) for sha in own)
    for artifact in state(second.run_id).artifacts.all():
        storage.open_verified(artifact.sha256).close()
    assert storage.exists(dataset.sha256)
    assert not Run.objects.filter(pk=first.run_id).exists()
    assert actions(workspace, first.run_id)[-1] == "run.deleted"


def test_active_run_is_not_deleted(submit: Any, claim: Any, analyst: Any) -> None:
    waiting, running = submit(), None
    with pytest.raises(runs.StillActive):
        runs.delete_run(waiting, analyst)
    running = claim(waiting)
    with pytest.raises(runs.StillActive):
        runs.delete_run(state(running.run_id), analyst)
