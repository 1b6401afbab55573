"""The state machine of a run, and the only writer of Run, RunEvent, RunTrial, Artifact, AuditedModel and the first Report
(one that waits for its signature gets it from `auditapp.report.waiting`).

    queued -> running -> succeeded | failed | cancelled        queued -> cancelled
    running -> queued        only by `sweep`, while attempt < max_attempts; else failed(worker_lost)

The row is the job: the message that woke a worker decides nothing. Claiming is one conditional UPDATE that raises ``attempt``; every
later write is fenced by ``id, state='running', attempt``, so a worker that wakes up late gets LeaseLost and has written nothing. Times are
the database's. Every change writes a RunEvent, and where a person or an auditor will ask, a ledger entry, in the same transaction; the
ledger comes last in each because it locks the workspace's chain.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, FloatField, OuterRef, QuerySet, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Now

from auditapp import dispatch, leases, ledger, removal, storage
from auditapp.bundles import check_plain, media_type_of, open_checked, open_plain
from auditapp.failpoints import failpoint
from auditapp.leases import Fence, LeaseLost
from auditapp.models import (
    Artifact,
    AuditedModel,
    Dataset,
    LedgerEntry,
    Membership,
    Report,
    Run,
    RunEvent,
    RunTrial,
    SignOffEntry,
    StatementsVersion,
    Workspace,
)
from auditapp.people import accounts, notices
from auditapp.submission import check_against_profile, check_parallel
from auditapp.webhooks import outbox as webhooks
from automl.bundle import MANIFEST, Bundle, reseal
from automl.errors import BadInput
from automl.hooks import Progress
from automl.spec import Spec, TaskSpec

if TYPE_CHECKING:
    from django.contrib.auth.models import User

logger = logging.getLogger(__name__)

Kind = Literal["training", "predictions"]
Wish = Literal["finish", "cancel"]
ENDED = ("succeeded", "failed", "cancelled")
_BATCH = 100


class QueueFull(BadInput):
    """The workspace has as many waiting runs as it may have."""


class StillActive(Exception):
    """What was asked needs an ended run; the run is waiting or running."""


class SignedReport(Protocol):
    """What `auditapp.report.sign` gives back."""

    @property
    def bytes(self) -> bytes: ...
    @property
    def signer(self) -> str: ...
    @property
    def signed_at(self) -> datetime: ...


@dataclass(frozen=True)
class Lease:
    """What a worker needs to do the run, and the fence behind which it writes."""

    run_id: str
    attempt: int
    kind: Kind
    title: str
    parent: str | None
    spec: dict[str, Any]
    dataset_sha256: str
    test_sha256: str | None
    audit_number: int
    spent_seconds: float
    """What earlier attempts used of the budget."""
    trials: tuple[tuple[int, str], ...]
    """Number and sha256 of the trials that earlier attempts finished."""

    @property
    def fence(self) -> Fence:
        return Fence(self.run_id, self.attempt)

    @property
    def parallel(self) -> int:
        """How many workers may search; this one leads (`auditapp.parts`)."""
        return int(self.spec.get("parallel", 1))


@dataclass(frozen=True)
class RemovedRun:
    run: str
    files: int
    bytes_removed: tuple[str, ...]
    """sha256 of what went; files that another run or dataset shares stay."""


# --- what people ask for


def submit(
    *, workspace: Workspace, dataset: Dataset, kind: Kind, spec: Spec, user: User | None, test_dataset: Dataset | None = None, parent: Run | None = None,
) -> Run:
    """Queue a run and ring for a worker. Raises BadInput where the profile already contradicts the spec, QueueFull at the limit."""
    for table in filter(None, (dataset, test_dataset)):
        if table.workspace_id != workspace.pk or table.deleted_at is not None:
            raise BadInput("dataset: there is no such dataset (any more)", pointer="/dataset")
    if (kind == "training") != isinstance(spec, TaskSpec):
        raise BadInput(f"spec: it does not describe a run of kind {kind}", pointer="/")
    check(spec, dataset)
    with transaction.atomic():
        # One submission of a workspace at a time, so that the limit is kept; and none on a dataset that is just being deleted
        Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
        if Dataset.objects.select_for_update(no_key=True).filter(pk__in=[t.pk for t in (dataset, test_dataset) if t], deleted_at__isnull=False):
            raise BadInput("dataset: there is no such dataset (any more)", pointer="/dataset")
        if Run.objects.filter(workspace=workspace, state="queued").count() >= settings.RUNS_QUEUED:
            raise QueueFull(f"{settings.RUNS_QUEUED} runs of this workspace are waiting, which is the limit; wait for one to start or cancel one")
        run = Run.objects.create(
            workspace=workspace, kind=kind, dataset=dataset, test_dataset=test_dataset, title=(spec.title or dataset.name)[:200],
            spec=spec.model_dump(mode="json"), parent=parent, created_by=user, max_attempts=settings.MAX_ATTEMPTS)
        _tell(run.pk, 0, "submitted")
        dispatch.ring_run(run.pk)
        ledger.append(workspace, ledger.actor_of(user), "run.submitted", run.pk, {
            "kind": kind, "role": _role(user, workspace), "dataset": dataset.pk, "dataset_sha256": dataset.sha256, "test_sha256": test_dataset.sha256 if test_dataset else None})
    return run


def _role(user: User | None, workspace: Workspace) -> str | None:
    """What the person is in the workspace at this moment; None: not a person of it."""
    return Membership.objects.filter(user=user, workspace=workspace).values_list("role", flat=True).first() if user is not None else None


def check(spec: Spec, dataset: Dataset) -> None:
    """Raises BadInput where this installation or the dataset's profile already contradicts the spec."""
    check_parallel(spec)
    check_against_profile(spec, dataset, settings.TABLE_GROUPS)


def request_cancel(run: Run, user: User | None) -> Run:
    """A waiting run is cancelled at once, a running one is asked to stop; an ended one stays what it is. Twice is once."""
    with transaction.atomic():
        if Run.objects.filter(pk=run.pk, state="queued").update(state="cancelled", cancel_requested_at=Now(), finished_at=Now()):
            _tell(run.pk, run.attempt, "cancelled", "before it started")
            _forget_trials(run.pk)
            _after_end(run.workspace_id)
            ledger.append(run.workspace, ledger.actor_of(user), "run.cancelled", run.pk)
        elif Run.objects.filter(pk=run.pk, state="running", cancel_requested_at__isnull=True).update(cancel_requested_at=Now()):
            _tell(run.pk, run.attempt, "cancel_requested")
            ledger.append(run.workspace, ledger.actor_of(user), "run.cancel_requested", run.pk)
    run.refresh_from_db()
    return run


def request_finish(run: Run, user: User | None) -> Run:
    """Ask the search to stop and keep the best so far. Asked of a waiting run, it ends tuning with the first trial; an ended one stays what it is."""
    with transaction.atomic():
        if Run.objects.filter(pk=run.pk, state__in=["queued", "running"], finish_requested_at__isnull=True).update(finish_requested_at=Now()):
            _tell(run.pk, run.attempt, "finish_requested")
            ledger.append(run.workspace, ledger.actor_of(user), "run.finish_requested", run.pk)
    run.refresh_from_db()
    return run


def delete_run(run: Run, user: User | None) -> RemovedRun:
    """Remove an ended run with its files, model and report; the ledger keeps its entries. Raises StillActive: cancel it first."""
    with transaction.atomic():
        held = Run.objects.select_for_update().get(pk=run.pk)
        if held.state not in ENDED:
            raise StillActive("the run has not ended; cancel it, then delete it")
        shas = _files_of(held)
        workspace, files = held.workspace, held.artifacts.count()
        # Fetched apart: Django's own cascade would be one query a table anyway, and the fence is the row lock above
        held.delete()
        ledger.append(workspace, ledger.actor_of(user), "run.deleted", run.pk, {"files": files})
        # After the ledger's entry: the database lets them go only then
        StatementsVersion.objects.filter(run_id=run.pk).delete()
        SignOffEntry.objects.filter(run_id=run.pk).delete()
    return RemovedRun(run.pk, files, tuple(removal.remove_unreferenced(shas)))


def place_in_queue(run: Run) -> int:
    """1 for the run that starts next in its workspace; 0 for one that does not wait."""
    if run.state != "queued":
        return 0
    return Run.objects.filter(workspace_id=run.workspace_id, state="queued", pk__lt=run.pk).count() + 1


def let_go_of_dataset(dataset: Dataset, user: User | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The dataset is being deleted: cancel what waits for it or reads it. Returns the ids of the runs cancelled and of those that had ended."""
    runs = (dataset.runs.all() | dataset.runs_as_test.all()).distinct().select_related("workspace")
    active = [run for run in runs if run.state not in ENDED]
    for run in active:
        request_cancel(run, user)
    return tuple(run.pk for run in active), tuple(run.pk for run in runs if run.state in ENDED and run not in active)


# --- what a worker does, each fenced by the attempt


def pictures_in(run_id: str) -> str:
    """The further language that a run's pictures are drawn in: that of who asked for it, where it is not English; else ""."""
    language = accounts.language_of(Run.objects.select_related("created_by").get(pk=run_id).created_by)
    return "" if language == settings.LANGUAGE_CODE else language


def claim(run_id: str, owner: str) -> Lease | None:
    """Take the run if its turn has come: it waits, no older run of its workspace waits, and none is running. None is a normal answer."""
    try:
        with transaction.atomic():
            if not leases.take(_next_in_turn().filter(pk=run_id), owner):
                return None
            run = Run.objects.select_related("dataset", "test_dataset", "workspace").get(pk=run_id)
            number = _earlier_audits(run) + 1
            Run.objects.filter(pk=run_id).update(audit_number=number)
            _tell(run_id, run.attempt, "claimed", data={"owner": owner})
            return _lease(run, number)
    except IntegrityError:
        # Two runs of one workspace were claimed at the same moment; the other one has it
        return None


def beat(lease: Lease, progress: Progress | None = None) -> Wish | None:
    """Keep the lease and tell where the run stands; returns what the person wishes. Raises LeaseLost."""
    columns: dict[str, Any] = leases.extension()
    if progress is not None:
        columns |= {"stage": progress.stage, "percent": progress.percent, "progress": progress.as_json()}
    with transaction.atomic():
        before = Run.objects.filter(pk=lease.run_id).values_list("stage", flat=True).first()
        leases.write(_runs(), lease.fence, **columns)
        if progress is not None and progress.stage != before:
            _tell(lease.run_id, lease.attempt, "stage", progress.stage)
    return wish(lease)


def wish(lease: Lease) -> Wish | None:
    """What the person asked of the running run; reads only. Raises LeaseLost."""
    asked = leases.fenced(_runs(), lease.fence).values_list("cancel_requested_at", "finish_requested_at").first()
    if asked is None:
        raise LeaseLost(f"attempt {lease.attempt} of {lease.run_id} no longer holds the lease")
    return "cancel" if asked[0] else "finish" if asked[1] else None


def record_trial(lease: Lease, number: int, path: Path, progress: Progress | None = None, *, family: str = "", score: float | None = None) -> None:
    """Keep the finished trial's file, so that any host can go on after it; its event says what was tried and how it scored.

    Raises LeaseLost, storage.StorageFull, and automl.bundle.BrokenBundle where the file is not a plain one.
    """
    stored = store_trial(path)
    with transaction.atomic():
        leases.write(_runs(), lease.fence, **leases.extension())
        keep_trial(lease.run_id, lease.attempt, number, stored, progress, family=family, score=score)


def store_trial(path: Path) -> storage.Stored:
    """The bytes of a finished trial; raises storage.StorageFull, and automl.bundle.BrokenBundle where the file is not a plain one."""
    with open_plain(path) as file:
        return storage.put(file)


def keep_trial(run_id: str, attempt: int, number: int, stored: storage.Stored, progress: Progress | None, *, family: str, score: float | None) -> None:
    """The row and the event of a stored trial; for who has just shown, in the same transaction, that it still holds its lease."""
    RunTrial.objects.update_or_create(run_id=run_id, number=number, defaults={"attempt": attempt, "sha256": stored.sha256, "bytes": stored.bytes})
    _tell(run_id, attempt, "trial", data={
        "number": number, "family": family, "score": score, "best": progress.best if progress else None, "metric": progress.metric if progress else None})


def trials_of(lease: Lease, beyond: Collection[int]) -> list[tuple[int, str]]:
    """Number and sha256 of the finished trials of all parts, without those of the numbers ``beyond``."""
    return list(RunTrial.objects.filter(run_id=lease.run_id).exclude(number__in=beyond).values_list("number", "sha256"))


def succeed(lease: Lease, bundle: Path, signed: SignedReport | None, keep: Callable[[], object] = lambda: None) -> None:
    """Store every file of the drawn bundle and commit the run: artifacts, model, report and state in one transaction.

    ``signed`` is None where no signing key can be read: the report then awaits its signature. ``keep`` is called between files, to beat.
    Cancelled until that transaction, the run is cancelled and nothing of it kept. Raises LeaseLost, storage.StorageFull and automl.bundle.BrokenBundle.
    """
    check_plain(bundle)
    if signed is not None:
        (bundle / "audit.pdf").write_bytes(signed.bytes)
    reseal(bundle)
    opened = open_checked(bundle, lease.run_id)
    stored: dict[str, storage.Stored] = {}
    for name in (*opened.manifest.files, MANIFEST):
        keep()
        stored[name] = storage.put_file(bundle / name)
    failpoint("before_commit")
    try:
        _commit(lease, opened, stored, signed)
    except LeaseLost:
        try:
            end_cancelled(lease)  # what refused the commit; LeaseLost again where it was not
        finally:
            removal.remove_unreferenced(file.sha256 for file in stored.values())
        return
    failpoint("committed")
    for file in [file for name, file in stored.items() if not storage.exists(file.sha256)]:
        # A deletion of the same bytes came between; ours still lie in the bundle
        storage.put_file(bundle / next(name for name, kept in stored.items() if kept == file))


def _commit(lease: Lease, opened: Bundle, stored: dict[str, storage.Stored], signed: SignedReport | None) -> None:
    with transaction.atomic():
        leases.write(_runs().filter(cancel_requested_at__isnull=True), lease.fence, state="succeeded", stage="sign", percent=100, finished_at=Now(),
                     **leases.end_of_lease())
        run = Run.objects.select_related("workspace").get(pk=lease.run_id)
        Artifact.objects.bulk_create(
            Artifact(run=run, name=name, sha256=file.sha256, bytes=file.bytes, media_type=media_type_of(name)) for name, file in stored.items())
        model_sha256 = opened.evidence.provenance.model_sha256
        if lease.kind == "training":
            AuditedModel.objects.create(workspace=run.workspace, run=run, model_sha256=model_sha256 or "")
        report = Report.objects.create(
            run=run, version=1, state="signed" if signed else "awaiting_signature", evidence_digest=opened.evidence.digest,
            unsigned_sha256=stored["audit.unsigned.pdf"].sha256, pdf_sha256=stored["audit.pdf"].sha256 if signed else "",
            picture_sha256=stored["page-one.png"].sha256 if "page-one.png" in stored else "",
            signer=signed.signer[:200] if signed else "", signed_at=signed.signed_at if signed else None)
        _tell(lease.run_id, lease.attempt, "succeeded")
        if signed is not None:
            webhooks.announce_report(report)
        _after_end(run.workspace_id)
        notices.ask(run)
        ledger.append(run.workspace, "service", "run.succeeded", run.pk, {
            "audited_sha256": lease.test_sha256 or lease.dataset_sha256, "plan_sha256": opened.evidence.plan.sha256, "evidence_digest": opened.evidence.digest, "model_sha256": model_sha256,
            "report": "signed" if signed else "awaiting_signature", "pdf_sha256": stored["audit.pdf"].sha256 if signed else None})


def fail(lease: Lease, code: str, text: str) -> None:
    """The run ends without a result; ``code`` is one of models.FAILURE_CODES, ``text`` is shown to the person. Raises LeaseLost."""
    with transaction.atomic():
        leases.write(_runs(), lease.fence, state="failed", failure_code=code, failure_text=text, finished_at=Now(), **leases.end_of_lease())
        _ended(lease.run_id, lease.attempt, "failed", text, {"code": code})


def end_cancelled(lease: Lease) -> None:
    """The child has stopped because the person asked for it. Raises LeaseLost."""
    with transaction.atomic():
        leases.write(_runs(), lease.fence, state="cancelled", finished_at=Now(), **leases.end_of_lease())
        _forget_trials(lease.run_id)
        _ended(lease.run_id, lease.attempt, "cancelled")


def lose(lease: Lease, why: str) -> None:
    """The child died in a way that another attempt may survive: the lease ends at once and `sweep` decides. Raises LeaseLost."""
    with transaction.atomic():
        leases.write(_runs(), lease.fence, lease_until=Now())
        _tell(lease.run_id, lease.attempt, "child_died", why)


def hand_back(lease: Lease) -> None:
    """The worker is being stopped on purpose: the run waits for the next one, and this attempt does not count against its limit. Raises LeaseLost."""
    with transaction.atomic():
        seconds = _seconds_of_attempt(lease.run_id, lease.attempt)
        leases.write(_runs(), lease.fence, state="queued", queued_at=Now(), max_attempts=F("max_attempts") + 1, stage="", percent=0, progress={},
                     **leases.end_of_lease())
        _tell(lease.run_id, lease.attempt, "requeued", "the worker was stopped", {"seconds": seconds})
        dispatch.ring_run(lease.run_id)


# --- what the reconciler does


def sweep() -> dict[str, int]:
    """Take back what dead workers held and ring again for what nobody took. Idempotent, safe in parallel, a hundred rows at a time."""
    counts = {"runs_rung": 0, "runs_requeued": 0, "runs_lost": 0, "runs_cancelled": 0}
    for run_id, attempt in leases.expired(_runs()).values_list("pk", "attempt")[:_BATCH]:
        what = _take_back(run_id, attempt)
        if what:
            counts[what] += 1
    counts["runs_rung"] = leases.ring_again(_next_in_turn(), _runs(), dispatch.ring_run, _BATCH)
    return counts


def _take_back(run_id: str, attempt: int) -> str | None:
    with transaction.atomic():
        mine = leases.expired(_runs()).filter(pk=run_id, attempt=attempt)
        seconds = _seconds_of_attempt(run_id, attempt)
        ended = {"finished_at": Now(), **leases.end_of_lease()}
        if mine.filter(cancel_requested_at__isnull=False).update(state="cancelled", **ended):
            _forget_trials(run_id)
            _ended(run_id, attempt, "cancelled")
            return "runs_cancelled"
        if mine.filter(attempt__lt=F("max_attempts")).update(state="queued", queued_at=Now(), stage="", percent=0, progress={}, **leases.end_of_lease()):
            _tell(run_id, attempt, "requeued", "its worker was lost", {"seconds": seconds})
            dispatch.ring_run(run_id)
            return "runs_requeued"
        text = f"the worker died {attempt} times; the dataset and the log are kept, and the run can be started again"
        if mine.update(state="failed", failure_code="worker_lost", failure_text=text, **ended):
            _ended(run_id, attempt, "failed", text, {"code": "worker_lost"})
            return "runs_lost"
    return None


# --- the pieces

def _runs() -> QuerySet[Run]:
    return Run.objects.all()


def _next_in_turn() -> QuerySet[Run]:
    """Waiting runs that could start now: first of their workspace, and nothing of the workspace is running."""
    same = Run.objects.filter(workspace=OuterRef("workspace"))
    return _runs().filter(state="queued").filter(~Exists(same.filter(state="running")), ~Exists(same.filter(state="queued", pk__lt=OuterRef("pk"))))


def _after_end(workspace_id: str) -> None:
    """A place is free: ring for the next of the workspace."""
    following = Run.objects.filter(workspace_id=workspace_id, state="queued").order_by("pk").values_list("pk", flat=True).first()
    if following:
        dispatch.ring_run(following)


def _ended(run_id: str, attempt: int, how: str, text: str = "", data: dict[str, Any] | None = None) -> None:
    run = Run.objects.select_related("workspace").get(pk=run_id)
    _tell(run_id, attempt, how, text, data)
    _after_end(run.workspace_id)
    notices.ask(run)
    ledger.append(run.workspace, "service", f"run.{how}", run_id, data)


def _forget_trials(run_id: str) -> None:
    """Nothing of a cancelled run is kept; its trials hold predictions for the table's rows, and levels of its columns."""
    trials = RunTrial.objects.filter(run_id=run_id)
    shas = list(trials.values_list("sha256", flat=True))
    trials.delete()
    transaction.on_commit(partial(removal.remove_unreferenced, shas))


def _tell(run_id: str, attempt: int, kind: str, text: str = "", data: dict[str, Any] | None = None) -> None:
    RunEvent.objects.create(run_id=run_id, attempt=attempt, kind=kind, text=text, data=data or {})
    if kind in ENDED:
        webhooks.announce(run_id, f"run.{kind}")


def _lease(run: Run, number: int) -> Lease:
    return Lease(
        run_id=run.pk, attempt=run.attempt, kind=run.kind, title=run.title, parent=run.parent_id, spec=run.spec, dataset_sha256=run.dataset.sha256,  # type: ignore[arg-type]
        test_sha256=run.test_dataset.sha256 if run.test_dataset else None, audit_number=number, spent_seconds=seconds_spent(run),
        trials=tuple(run.trials.values_list("number", "sha256")))


def seconds_spent(run: Run) -> float:
    """What earlier attempts used of the budget."""
    spent: float | None = run.events.filter(kind="requeued").aggregate(seconds=Sum(Cast(KT("data__seconds"), FloatField())))["seconds"]
    return spent or 0.0


def _seconds_of_attempt(run_id: str, attempt: int) -> float:
    """From the claim to the last beat: what the attempt used of the budget, without the time until its loss was noticed."""
    claimed = RunEvent.objects.filter(run_id=run_id, attempt=attempt, kind="claimed").values_list("at", flat=True).first()
    last = Run.objects.filter(pk=run_id).values_list("heartbeat_at", flat=True).first()
    return max((last - claimed).total_seconds(), 0.0) if claimed and last else 0.0


def _earlier_audits(run: Run) -> int:
    """How many audits of this audit part have succeeded in the workspace. Counted in the ledger: deleting a run does not reset it."""
    audited = (run.test_dataset or run.dataset).sha256
    return LedgerEntry.objects.filter(workspace_id=run.workspace_id, action="run.succeeded", data__audited_sha256=audited).count()


def _files_of(run: Run) -> set[str]:
    documents = [*run.reports.values_list("unsigned_sha256", "pdf_sha256", "picture_sha256"), *run.signed_exports.values_list("unsigned_sha256", "pdf_sha256")]
    return {*run.artifacts.values_list("sha256", flat=True), *run.trials.values_list("sha256", flat=True), *(sha for one in documents for sha in one if sha)}
