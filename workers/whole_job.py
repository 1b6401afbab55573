"""The whole job in one folder, without server, queue or database: the same child, the same drawing, the same signature as a run of the service."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from django.conf import settings
from pydantic import TypeAdapter

from auditapp.bundles import check_plain
from auditapp.models import new_id
from auditapp.report.signature_level import levels_asked
from auditapp.run_record import image
from automl.bundle import BrokenBundle, Bundle, open_bundle, reseal
from automl.errors import BadInput
from automl.hooks import Progress
from automl.spec import Spec
from workers.jobs import failure, job_document, render_limits, run_limits
from workers.process import Ending, Limits, run_child, run_render
from workers.render import PDF_NAME
from workers.signature import sign_drafts

_PROGRESS = TypeAdapter(Progress)


class JobFailed(Exception):
    """The job did not end in a report, and not because of its input; the text says why."""


@dataclass(frozen=True)
class Job:
    """What is asked: ``kind``, the table, what about it, and the folder that is made. ``spent_seconds`` of the budget are gone already."""

    kind: Literal["training", "predictions"]
    table: Path
    test: Path | None
    spec: Spec
    out: Path
    spent_seconds: Callable[[], float] = lambda: 0.0
    lang: str = ""
    """Of the report; "": English."""


def do_whole_job(job: Job, on_progress: Callable[[Progress], None]) -> Bundle:
    """Train (or read predictions), audit, draw and sign into ``job.out``; what the folder then holds.

    Raises BadInput with a sentence for the person, `JobFailed`, and `auditapp.report.signing_key.NoSigningKey`. On any of them the folder is not made.
    """
    for option, path in (("TABLE", job.table), ("--test", job.test)):
        _check_table(option, path)
    check_out(job.out)
    with _working_folder() as staging:
        _train_and_audit(job, staging, on_progress)
        bundle = staging / "bundle"
        _draw_and_sign(bundle, staging, on_progress, job.lang)
        open_bundle(bundle)
        _hand_over(bundle, job.out)
    return open_bundle(job.out)


def check_out(out: Path) -> None:
    """Refuse a folder that holds something, or that cannot be made: before an hour of work, not after it."""
    try:
        if out.is_dir():
            if any(out.iterdir()):
                raise BadInput(f"--out: {out} is not empty; name a folder that is empty or does not exist yet")
        elif out.exists():
            raise BadInput(f"--out: {out} is a file; name a folder that is empty or does not exist yet")
        # Only trying tells: rights, read-only disks and special file systems all look alike
        above = next(folder for folder in out.absolute().parents if folder.exists())
        Path(tempfile.mkdtemp(prefix=".plumbline-", dir=above)).rmdir()
    except OSError as error:
        raise BadInput(f"--out: {out} cannot be made: {error.strerror}") from error


def _check_table(option: str, path: Path | None) -> None:
    if path is None:
        return
    try:
        if path.is_dir():
            raise BadInput(f"{option}: {path} is a folder, not a table")
        with path.open("rb"):
            return
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "the name holds a NUL character"
        raise BadInput(f"{option}: {path} cannot be read: {why}") from error


@contextmanager
def _working_folder() -> Iterator[Path]:
    # Not among the runs' staging folders: a worker beside us clears those up
    root = settings.HOME / "commands"
    root.mkdir(mode=0o700, exist_ok=True)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite kill ends the child and removes the folder, as Ctrl-C does
    try:
        with tempfile.TemporaryDirectory(dir=root) as folder:
            yield Path(folder)
    finally:
        signal.signal(signal.SIGTERM, before)


def _train_and_audit(job: Job, staging: Path, on_progress: Callable[[Progress], None]) -> None:
    def on_event(event: dict[str, Any]) -> None:
        if event["event"] == "progress":
            on_progress(_PROGRESS.validate_python({key: value for key, value in event.items() if key != "event"}))

    limits = run_limits(job.spec.threads)
    _check_ending(run_child(_job_document(job), staging, limits=limits, on_event=on_event, wish=lambda: None), limits)


def _job_document(job: Job) -> dict[str, Any]:
    title = job.spec.title or job.table.name[:200]
    return job_document(
        job.kind, job.table.absolute(), job.test.absolute() if job.test else None, spec=job.spec.model_dump(mode="json"),
        run={"id": new_id("run"), "kind": job.kind, "title": title, "parent": None, **image()}, spent_seconds=job.spent_seconds())


def _draw_and_sign(bundle: Path, staging: Path, on_progress: Callable[[Progress], None], lang: str) -> None:
    on_progress(Progress("draw"))
    _check_plain(bundle)
    _check_ending(run_render(staging, limits=render_limits(), wish=lambda: None, verify_at=settings.VERIFY_URL, lang=lang, levels=levels_asked()), render_limits())
    on_progress(Progress("sign"))
    _check_plain(bundle)
    signed = sign_drafts(bundle)
    (bundle / "audit.pdf").write_bytes(signed.bytes)
    (bundle / PDF_NAME).unlink()
    reseal(bundle)


def _check_plain(bundle: Path) -> None:
    """No links: what we write or copy by a name in the bundle would go to, or come from, a file that the child has no access to."""
    try:
        check_plain(bundle)
    except BrokenBundle as error:
        raise JobFailed(f"The work left something that is no result: {error}; nothing was written.") from error


def _check_ending(ending: Ending, limits: Limits) -> None:
    if ending.kind == "done":
        return
    if ending.kind == "bad_input":
        raise BadInput(ending.sentence, pointer=ending.pointer)
    if ending.kind in ("out_of_memory", "time_limit"):
        _, why = failure(ending, limits)
        raise JobFailed(f"{why[0].upper()}{why[1:]}.")
    raise JobFailed(f"{ending.text.strip()}\nThe work ended unexpectedly ({ending.kind}); nothing was written.".strip())


def _hand_over(bundle: Path, out: Path) -> None:
    """Copy the finished folder beside ``out`` and rename it: ``out`` is whole or untouched."""
    out = out.absolute()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{out.name[:100]}.", dir=out.parent))
        try:
            shutil.copytree(bundle, draft, dirs_exist_ok=True)
            draft.chmod(0o755)
            draft.rename(out)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise JobFailed(f"The finished folder could not be written to {out}: {error.strerror}.") from error
