"""What a child is told (job.json), how far it may go, and how its end reads: the same for the worker and for the commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings

from workers.process import Ending, Limits

RENDER_SECONDS = 300.0
INTERNAL = "something in Plumbline failed; the log of the worker has the details, and the run can be started again"


def job_document(kind: str, table: Path, test: Path | None = None, **more: Any) -> dict[str, Any]:
    """The fields of docs/architecture.md, job.json; what ``more`` does not give is absent for this kind of job."""
    limits = {"bytes": settings.UPLOAD_BYTES, "rows": settings.TABLE_ROWS, "columns": settings.TABLE_COLUMNS, "groups": settings.TABLE_GROUPS}
    absent: dict[str, Any] = {"spec": None, "options": None, "missing": None, "run": None, "audit_number": 1, "spent_seconds": 0.0}
    return {"kind": kind, "table": str(table), "test": str(test) if test else None, "limits": limits, **absent, **more}


def trial_name(number: int) -> str:
    """The file of a trial in ``trials/``: what the engine writes, and what a resumed attempt finds again."""
    return f"{number:04d}.trial"


def run_limits(threads: int | None, niceness: int = 0) -> Limits:
    """Of the child that trains or audits; ``threads`` is what the spec asks for, if anything."""
    return Limits(settings.RUN_MEMORY, settings.RUN_SECONDS, min(threads or settings.RUN_THREADS, settings.RUN_THREADS), niceness)


def render_limits(niceness: int = 0) -> Limits:
    return Limits(settings.RUN_MEMORY, RENDER_SECONDS, 1, niceness)


def failure(ending: Ending, limits: Limits) -> tuple[str, str]:
    """Code (`auditapp.models.FAILURE_CODES`) and sentence for the person, of a child that ended without a result."""
    if ending.kind == "bad_input":
        return "bad_input", ending.sentence
    if ending.kind == "out_of_memory":
        return "out_of_memory", (f"it needs more memory than the limit of {limits.memory / 2**30:.1f} GiB (PLUMBLINE_RUN_MEMORY); "
                                 f"it held {ending.peak / 2**30:.1f} GiB when it was ended")
    if ending.kind == "time_limit":
        return "time_limit", f"it took longer than the limit of {limits.seconds:,.0f} seconds and was ended"
    return "internal", INTERNAL
