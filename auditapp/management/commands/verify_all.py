"""``python manage.py verify_all``: whether everything that this installation keeps is still what it was."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from auditapp.one_sentence import OneSentenceCommand
from auditapp.whole import check_all


class Command(OneSentenceCommand):
    help = "Check every ledger chain, the sha256 of every stored file the signature of every report, and the ledger against its daily heads (exit 0), or say what is wrong (exit 1)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--trust", type=Path, help="PEM file with the certificates that reports may be signed by (default: this installation's own)")
        parser.add_argument("--heads", type=Path, help="folder with copies of the ledger's daily signed heads (default: where this installation writes them)")

    def handle(self, *args: Any, **options: Any) -> None:
        checked = check_all(options["trust"], options["heads"])
        for problem in checked.problems:
            self.stdout.write(f"- {problem}")
        self.stdout.write(f"{checked.entries:,} ledger entries, {checked.heads:,} daily heads of the ledger, {checked.files:,} files, {checked.reports:,} signed reports: {len(checked.problems) or 'no'} problems.")
        if checked.problems:
            sys.exit(1)
