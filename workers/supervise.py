"""What a worker does with a run: claim it, have the child do it, beat meanwhile, then draw, sign and commit. Profiles in the same way, shorter.

There is no thread: the loop that watches the child asks `Keeper.wish` several times a second, and that beats, records trials and sweeps when it is time.
Whoever gets LeaseLost stops at once and has written nothing.
"""

from __future__ import annotations

import json
import logging
import math
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import OperationalError, close_old_connections
from pydantic import TypeAdapter, ValidationError

from auditapp import parts, profiles, runs, storage
from auditapp.bundles import open_checked, open_plain
from auditapp.failpoints import failpoint, testing
from auditapp.leases import LeaseLost
from auditapp.parts import PartLease
from auditapp.report.signature_level import levels_asked
from auditapp.run_record import circumstances
from auditapp.runs import Lease
from auditapp.staging import staging_folder
from auditapp.storage import StorageFull
from auditapp.sweeps import sweep_all
from automl.bundle import BrokenBundle
from automl.evidence import DatasetProfile
from automl.hooks import STAGES, Progress
from workers import stopping
from workers.arrivals import Arrivals, arriving_trials
from workers.jobs import INTERNAL, failure, job_document, render_limits, run_limits, trial_name
from workers.kept_study import KeptStudy, kept_study
from workers.process import Ending, Limits, Wish, run_child, run_render
from workers.signature import sign_drafts

logger = logging.getLogger(__name__)

WISH_SECONDS = 2.0
"""How often a run's row is asked whether the person wants it cancelled; a beat of 15 s would be too slow for that."""
PROGRESS_SECONDS = 1.0
"""How fresh the live page is."""
TRIAL_BYTES = 2**30
PROFILE_BYTES = 64 * 2**20

_PROGRESS = TypeAdapter(Progress)


class Stopping(Exception):
    """This worker is being stopped on purpose."""


def do_run(run_id: str) -> bool:
    """Do the run if its turn has come; False when there is nothing to do for us, a normal answer to a doorbell."""
    lease = runs.claim(run_id, owner())
    if lease is None:
        return False
    with (
        every_end(f"run {lease.run_id}, attempt {lease.attempt}", fail=partial(runs.fail, lease), lose=partial(runs.lose, lease), stop=partial(runs.hand_back, lease)),
        staging_folder(lease.run_id, lease.attempt) as staging,
    ):
        _attempt(lease, staging)
    return True


def read_profile(profile_id: int) -> bool:
    """Read the table if its profile still waits; False when somebody else did."""
    lease = profiles.claim_profile(profile_id, owner())
    if lease is None:
        return False
    give_up = partial(profiles.lose, lease)
    with (
        # Reading is short: where the worker is stopped, the lease ends at once and the next sweep has it done elsewhere
        every_end(f"profile {profile_id}, attempt {lease.attempt}", fail=partial(profiles.fail, lease), lose=lambda why: give_up(), stop=give_up),
        staging_folder(f"profile-{profile_id}", lease.attempt) as staging, storage.local_path(lease.dataset_sha256) as table,
    ):
        limits = Limits(settings.RUN_MEMORY, settings.PROFILE_SECONDS, 1)
        keeper = Keeper(lambda progress: profiles.beat(lease))
        job = job_document("profile", table, options=lease.options, missing=list(lease.missing))
        ending = run_child(job, staging, limits=limits, on_event=lambda event: None, wish=keeper.wish)
        _end_profile(lease, ending, limits, staging)
    return True


@contextmanager
def every_end(what: str, *, fail: Callable[[str, str], None], lose: Callable[[str], None], stop: Callable[[], None]) -> Iterator[None]:
    """However an attempt ends, its row says so: ``fail`` with code and sentence, ``lose`` where another attempt may do better, ``stop`` where this worker ends."""
    try:
        yield
    except LeaseLost as lost:
        logger.warning("%s; what this worker did since is thrown away", lost)
    except Stopping:
        _quietly(stop)
    except StorageFull as full:
        _quietly(partial(fail, "storage_full", str(full)))
    except OperationalError:
        # Not its own fault, and nothing of it was written: another attempt, now or when the lease has run out
        logger.exception("%s: the database", what)
        close_old_connections()
        _quietly(partial(lose, "the database did not answer"))
    except Exception:
        logger.exception("%s", what)
        _quietly(partial(fail, "internal", INTERNAL))


def owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


# --- a run


def _attempt(lease: Lease, staging: Path) -> None:
    keeper = RunKeeper(lease, staging)
    study: KeptStudy | None = None
    with ExitStack() as stack:
        table = stack.enter_context(storage.local_path(lease.dataset_sha256))
        test = stack.enter_context(storage.local_path(lease.test_sha256)) if lease.test_sha256 else None
        _restore_trials(lease, staging)
        limits = run_limits(lease.spec.get("threads"), settings.RUN_NICENESS)
        if lease.parallel > 1:
            study = stack.enter_context(kept_study(lease.run_id, parts.LEADS, lease.attempt))
            keeper.arrivals = stack.enter_context(arriving_trials(lease, staging / "trials"))
            parts.invite(lease)
        ending = run_child(
            _run_job(lease, table, test), staging, limits=limits, on_event=keeper.event, wish=keeper.wish, study=study.lent if study else None)
        keeper.arrivals = None
        study_failed = study is not None and study.has_failed
    keeper.record_trials()
    if ending.kind == "failed" and study_failed:
        logger.warning("run %s, attempt %d: %s", lease.run_id, lease.attempt, ending.text)
        runs.lose(lease, "the process that keeps the shared study ended")
    elif ending.kind != "done":
        _end_without_result(lease, ending, limits)
    elif _is_nothing(lease):
        runs.end_cancelled(lease)
    else:
        _draw_sign_commit(lease, staging, keeper)


def _draw_sign_commit(lease: Lease, staging: Path, keeper: RunKeeper) -> None:
    bundle = staging / "bundle"
    open_checked(bundle, lease.run_id)
    keeper.stage("draw")
    failpoint("draw")
    drawn = run_render(staging, limits=render_limits(settings.RUN_NICENESS), wish=keeper.wish, verify_at=settings.VERIFY_URL, pictures_in=runs.pictures_in(lease.run_id), levels=levels_asked())
    if drawn.kind != "done":
        _end_without_result(lease, drawn, render_limits())
        return
    keeper.stage("sign")
    failpoint("sign")
    signed = sign_or_wait(bundle)
    keeper.now()
    if keeper.wished == "cancel":
        runs.end_cancelled(lease)
        return
    runs.succeed(lease, bundle, signed, keep=keeper.keep)


def sign_or_wait(bundle: Path) -> Any | None:
    """The signed report (`auditapp.report.sign.Signed`) of a drawn bundle; None where no key can be used now. Raises BrokenBundle where nothing was drawn."""
    from auditapp.report.signing_key import NoSigningKey

    try:
        return sign_drafts(bundle)
    except NoSigningKey as why:
        logger.warning("the report waits for its signature: %s", why)
        return None


def _end_without_result(lease: Lease, ending: Ending, limits: Limits) -> None:
    logger.info("run %s, attempt %d: child ended: %s (signal %s, peak %d MiB) %s",
                lease.run_id, lease.attempt, ending.kind, ending.signal, ending.peak // 2**20, ending.text)
    if ending.kind == "stopped":
        runs.end_cancelled(lease)
    elif ending.kind == "died":
        runs.lose(lease, f"the child died by signal {ending.signal}")
    else:
        runs.fail(lease, *failure(ending, limits))


def _restore_trials(lease: Lease, staging: Path) -> None:
    (staging / "trials").mkdir()
    for number, sha256 in lease.trials:
        with storage.open_verified(sha256) as source, (staging / "trials" / trial_name(number)).open("wb") as target:
            shutil.copyfileobj(source, target, 2**20)
        logger.info("run %s: trial %d taken up", lease.run_id, number)


def _run_job(lease: Lease, table: Path, test: Path | None) -> dict[str, Any]:
    kind = "nothing" if _is_nothing(lease) else lease.kind
    return job_document(
        kind, table, test, spec=lease.spec, run={"id": lease.run_id, "kind": lease.kind, "title": lease.title, "parent": lease.parent, **circumstances(lease.run_id)},
        audit_number=lease.audit_number, spent_seconds=lease.spent_seconds)


def _is_nothing(lease: Lease) -> bool:
    """T-14 counts claims of runs whose child does nothing; no such run exists outside tests."""
    return testing() and lease.title == "nothing"


# --- a profile


def _end_profile(lease: profiles.ProfileLease, ending: Ending, limits: Limits, staging: Path) -> None:
    if ending.kind == "done":
        with open_plain(staging / "bundle" / "profile.json") as file:
            document = file.read(PROFILE_BYTES + 1)
        if len(document) > PROFILE_BYTES:
            raise BrokenBundle("profile.json is larger than a child may leave it")
        profiles.finish(lease, DatasetProfile.model_validate_json(document))
    elif ending.kind == "died":
        profiles.lose(lease)
    else:
        logger.info("profile %s: child ended: %s %s", lease.profile_id, ending.kind, ending.text)
        profiles.fail(lease, *failure(ending, limits))


# --- between the child and the row


class Keeper:
    """Keeps a lease while something else is watched. The database may be away for as long as the lease lasts."""

    def __init__(self, beat: Callable[[Progress | None], Wish | None], ask: Callable[[], Wish | None] = lambda: None) -> None:
        self._beat, self._ask = beat, ask
        self.wished: Wish | None = None
        self._progress: Progress | None = None
        self._heard = self._beaten = self._asked = self._swept = time.monotonic()

    def wish(self) -> Wish | None:
        """Beat, ask and sweep where it is time; what the person wishes. Raises LeaseLost and Stopping."""
        if stopping.asked():
            raise Stopping
        now = time.monotonic()
        try:
            self._due(now)
            self._heard = now
        except OperationalError as error:
            logger.warning("the database does not answer: %s", error)
            close_old_connections()
            if now - self._heard > settings.LEASE_SECONDS:
                raise LeaseLost("the database did not answer for as long as a lease lasts") from error
        return self.wished

    def now(self) -> None:
        """Beat, whether it is time or not."""
        self.wished = self._beat(self._progress)
        self._progress = None
        self._beaten = self._asked = time.monotonic()

    def keep(self) -> None:
        """Beat where it is time, and nothing else: for the last steps, which no wish interrupts."""
        if time.monotonic() - self._beaten >= settings.BEAT_SECONDS:
            self.now()

    def _due(self, now: float) -> None:
        if now - self._beaten >= (min(PROGRESS_SECONDS, settings.BEAT_SECONDS) if self._progress else settings.BEAT_SECONDS):
            self.now()
        elif now - self._asked >= min(WISH_SECONDS, settings.BEAT_SECONDS):
            self.wished = self._ask()
            self._asked = now
        # Where every slot is busy, nobody else would sweep
        if now - self._swept >= settings.SWEEP_SECONDS:
            self._swept = now
            _sweep()


@dataclass
class _Trial:
    """A finished trial that is not recorded yet; ``progress`` is what the child said next, and names the best score so far."""

    number: int
    path: Path
    at: float
    family: str
    score: float | None
    progress: Progress | None = None


class RunKeeper(Keeper):
    """A Keeper that also turns the child's events into rows. ``book``: who writes them, `auditapp.runs` or, for a part of a run, `auditapp.parts`."""

    def __init__(self, lease: Lease | PartLease, staging: Path, book: Any = runs) -> None:
        super().__init__(lambda progress: book.beat(lease, progress), lambda: book.wish(lease))
        self._lease, self._staging, self._book = lease, staging, book
        self.arrivals: Arrivals | None = None
        """Where trials of other parts come in, while there is a child that leads some."""
        self._latest: Progress | None = None
        self._scored: Progress | None = None
        self._trials: list[_Trial] = []
        self._begun: list[Progress] = []

    def event(self, event: dict[str, Any]) -> None:
        """Take in what the child said; anything that is not as agreed is dropped, for the child may be a stranger's by now."""
        if event["event"] == "progress":
            self._take_progress({key: value for key, value in event.items() if key != "event"})
        elif event["event"] == "trial" and isinstance(event.get("number"), int) and 0 <= event["number"] <= 100_000:
            path = self._staging / "trials" / trial_name(event["number"])
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= TRIAL_BYTES:
                if self.arrivals:
                    self.arrivals.known(event["number"])
                self._trials.append(_Trial(event["number"], path, time.monotonic(), _family(event.get("family")), _score(event.get("score"))))

    def stage(self, stage: str) -> None:
        """A stage that is the worker's own."""
        self._take_progress({"stage": stage})
        self._due(time.monotonic())

    def record_trials(self, all_of_them: bool = True) -> None:
        """Keep the finished trials; unless ``all_of_them``, one waits up to a second for the progress that names its score."""
        while self._trials:
            trial = self._trials[0]
            if not all_of_them and trial.progress is None and time.monotonic() - trial.at < PROGRESS_SECONDS:
                return
            self._book.record_trial(self._lease, trial.number, trial.path, trial.progress, family=trial.family, score=trial.score)
            self._trials.pop(0)

    def _due(self, now: float) -> None:
        # Every stage gets its event with its time, also one that was over before it was time to beat
        while self._begun:
            self.wished = self._book.beat(self._lease, self._begun[0])
            self._begun.pop(0)
        self.record_trials(all_of_them=False)
        if self.arrivals:
            self.arrivals.look(now)
        super()._due(now)

    def _take_progress(self, fields: dict[str, Any]) -> None:
        try:
            progress = _PROGRESS.validate_python(fields)
            json.dumps(progress.as_json(), allow_nan=False)
        except (ValidationError, ValueError):
            return
        if progress.stage in STAGES and len(progress.note) <= 500 and "\x00" not in progress.note:
            if progress.stage != (self._latest.stage if self._latest else ""):
                self._begun.append(progress)
            self._progress = self._latest = progress
            if progress.best is not None:
                self._scored = progress
            for trial in self._trials:
                trial.progress = trial.progress or self._scored


def _family(said: object) -> str:
    return said if isinstance(said, str) and said.isascii() and said.isidentifier() and len(said) <= 40 else ""


def _score(said: object) -> float | None:
    return float(said) if isinstance(said, float) and math.isfinite(said) else None


def _sweep() -> None:
    try:
        sweep_all()
    except OperationalError:
        raise
    except Exception:
        # The run that is being watched must not suffer from what another one left behind
        logger.exception("sweep")


def _quietly(write: Callable[[], None]) -> None:
    """The last write of an attempt: where the lease is gone, somebody else has already decided."""
    try:
        write()
    except LeaseLost as lost:
        logger.warning("%s", lost)
