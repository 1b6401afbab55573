"""``python manage.py compare DIR1 DIR2``: whether two finished folders of `manage.py audit` hold the same evidence, and where they do not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from pydantic import ValidationError

from auditapp.one_sentence import OneSentenceCommand
from auditapp.repeats import compare
from automl.evidence import Evidence


class Command(OneSentenceCommand):
    help = "Say that two audits came to the same evidence (exit 0), or which places differ (exit 1)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("before", type=Path, metavar="DIR1", help="the folder that an audit has written; its evidence.json is read")
        parser.add_argument("after", type=Path, metavar="DIR2")

    def handle(self, *args: Any, **options: Any) -> None:
        found = compare(self._read(options["before"]), self._read(options["after"]))
        if found.verdict == "same_digest":
            self.stdout.write(f"Same digest: {found.after}")
            return
        self.stdout.write(
            f"Same digest of what was measured: {found.measured_after}. Only the number of the audit differs." if found.verdict == "same_but_number"
            else f"The evidence differs: digest {found.before} before, {found.after} now; of what was measured {found.measured_before} before, {found.measured_after} now.")
        for part in found.parts:
            self.stdout.write(f"{part.name}: {part.count} differ")
            for one in part.first:
                self.stdout.write(f"  {one.pointer}: {'nothing' if one.before is None else one.before} -> {'nothing' if one.after is None else one.after}")
        if found.verdict == "different":
            sys.exit(1)

    def _read(self, folder: Path) -> Evidence:
        path = folder / "evidence.json"
        try:
            return Evidence.model_validate_json(path.read_bytes())
        except OSError as error:
            self.refuse(f"{path} cannot be read: {error.strerror}")
        except ValidationError:
            self.refuse(f"{path} is no evidence of ours")
