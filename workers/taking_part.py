"""What a worker does with a part of somebody else's run: claim it, have a child search, record its trials, and stop when the run needs it no longer."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from django.conf import settings

from auditapp import parts, storage
from auditapp.parts import NotNeeded, PartLease
from auditapp.staging import staging_folder
from workers import supervise
from workers.jobs import failure, job_document, run_limits
from workers.kept_study import kept_study
from workers.process import Ending, Limits, run_child

logger = logging.getLogger(__name__)


def do_part(part_id: int) -> bool:
    """Take part if the run can use it; False when there is nothing to do for us, a normal answer to a doorbell."""
    lease = parts.claim(part_id, supervise.owner())
    if lease is None:
        return False
    what = f"part {lease.number} of {lease.run_id}, attempt {lease.attempt}"
    with (
        supervise.every_end(what, fail=partial(parts.fail, lease), lose=partial(parts.lose, lease), stop=partial(parts.hand_back, lease)),
        staging_folder(f"{lease.run_id}-{lease.number}", lease.attempt) as staging,
    ):
        try:
            _take_part(lease, staging)
        except NotNeeded as why:
            logger.info("%s: %s", what, why)
            parts.hand_back(lease)
    return True


def _take_part(lease: PartLease, staging: Path) -> None:
    keeper = supervise.RunKeeper(lease, staging, parts)
    with ExitStack() as stack:
        table = stack.enter_context(storage.local_path(lease.dataset_sha256))
        test = stack.enter_context(storage.local_path(lease.test_sha256)) if lease.test_sha256 else None
        study = stack.enter_context(kept_study(lease.run_id, lease.number, lease.attempt))
        limits = run_limits(lease.spec.get("threads"), settings.RUN_NICENESS)
        job = job_document("part", table, test, spec=lease.spec, spent_seconds=lease.spent_seconds)
        ending = run_child(job, staging, limits=limits, on_event=keeper.event, wish=keeper.wish, study=study.lent)
        study_failed = study.has_failed
    keeper.record_trials()
    _end(lease, ending, limits, study_failed)


def _end(lease: PartLease, ending: Ending, limits: Limits, study_failed: bool) -> None:
    if ending.kind in ("done", "stopped"):
        parts.end(lease)
        return
    logger.info("part %d of %s, attempt %d: child ended: %s (signal %s) %s", lease.number, lease.run_id, lease.attempt, ending.kind, ending.signal, ending.text)
    if ending.kind == "died":
        parts.lose(lease, f"signal {ending.signal}")
    elif study_failed:
        parts.lose(lease, "the process that keeps the study ended")
    else:
        parts.fail(lease, *failure(ending, limits))
