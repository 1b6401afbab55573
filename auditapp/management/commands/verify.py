"""``python manage.py verify FILE.pdf``: who signed a report, when, and whether it has changed since."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from auditapp import ledger
from auditapp.one_sentence import OneSentenceCommand
from auditapp.report.turns import Busy
from auditapp.report.verify import verify_in_child

IN_LEDGER = "The ledger of this installation has this very file."
NOT_IN_LEDGER = "The ledger of this installation does not have this file: it was signed elsewhere, or before this ledger began."


class Command(OneSentenceCommand):
    help = "Say who signed a report and when (exit 0), what is wrong with it (exit 1), or that it is not a PDF (exit 2)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.pdf")
        parser.add_argument("--trust", type=Path, help="PEM file with the certificates to trust (default: this installation's own)")
        parser.add_argument("--authorities", type=Path, help="PEM file with the authorities of time stamps (default: this installation's own)")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        if not file.is_file():
            self.refuse(f"{file}: there is no such file")
        try:
            verdict = verify_in_child(file, options["trust"], options["authorities"])
        except Busy as why:
            self.refuse(f"{file}: {why}")
        if not verdict.is_pdf:
            self.refuse(f"{file}: {'; '.join(verdict.problems)}")
        if verdict.valid:
            self.stdout.write(f"{file}: intact. Signed by {verdict.signer} on {verdict.signed_at} (by {verdict.time_source}). "
                              f"Run {verdict.run}, evidence {verdict.digest}.")
            self.stdout.write(f"  {(verdict.numbers or '')[:1].upper()}{(verdict.numbers or '')[1:]}.")
            self.stdout.write(f"  {IN_LEDGER if ledger.knows_file(_sha256_of(file)) else NOT_IN_LEDGER}")
            return
        self.stdout.write(f"{file}: altered or unknown.")
        for problem in verdict.problems:
            self.stdout.write(f"  - {problem}")
        if verdict.signer:
            self.stdout.write(f"  The signature names {verdict.signer} and {verdict.signed_at}, which proves nothing here.")
        sys.exit(1)


def _sha256_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
