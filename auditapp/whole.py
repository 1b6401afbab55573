"""Whether everything that is kept is still what it was: ledger, stored bytes, signed reports. For after a restore, and now and then."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from auditapp import ledger, ledger_heads, removal, storage
from auditapp.models import LedgerEntry, Report
from auditapp.report.verify import verify_in_child


@dataclass(frozen=True)
class Checked:
    entries: int
    files: int
    reports: int
    heads: int
    """Daily files of the ledger's newest entries."""
    problems: tuple[str, ...]


def check_all(trust: Path | None = None, heads: Path | None = None) -> Checked:
    """Every ledger chain, the sha256 of every stored file that a row names, every signed report, and the ledger against the daily files of its heads. Reads only; raises report.turns.Busy.

    ``trust``: PEM file with the certificates that reports may be signed by; default: this installation's. ``heads``: where copies of the daily files are; default: where they are written.
    """
    shas = {sha for query in removal.every_reference() for sha in query.distinct() if sha}
    signed = list(Report.objects.filter(state="signed").order_by("pk"))
    held = ledger_heads.check_heads(heads or settings.LEDGER_HEADS, trust or Path(settings.SIGNING_CERTIFICATE))
    problems = (*ledger.verify_all(), *held.problems, *filter(None, map(_problem_of_file, sorted(shas))), *(said for report in signed for said in _problems_of(report, trust)))
    return Checked(LedgerEntry.objects.count(), len(shas), len(signed), held.files, problems)


def _problem_of_file(sha256: str) -> str:
    try:
        storage.open_verified(sha256).close()
    except FileNotFoundError:
        # Deleted since the list was made: then nothing names it any more
        return f"file {sha256} is missing from the storage" if removal.referenced(sha256) else ""
    except (OSError, storage.Damaged) as error:
        return f"file {sha256}: {error}"
    return ""


def _problems_of(report: Report, trust: Path | None) -> list[str]:
    name = f"report {report.version} of {report.run_id}"
    if not ledger.knows_file(report.pdf_sha256):
        return [f"{name}: the ledger does not have it"]
    try:
        with storage.local_path(report.pdf_sha256) as path:
            return [f"{name}: {problem}" for problem in verify_in_child(path, trust).problems]
    except FileNotFoundError:
        return []  # said of its file already, or deleted since
