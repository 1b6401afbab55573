"""`manage.py demo`: the bundled sample's audit, without a server, under PLUMBLINE_HOME/demo."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from auditapp.sample import SAMPLE_FILENAME, SAMPLE_SPEC, sample_csv
from automl.spec import parse_spec
from workers.job_command import JobCommand, seconds_since_start
from workers.whole_job import Job


class Command(JobCommand):
    help = "Audit the bundled sample into PLUMBLINE_HOME/demo (what an earlier demo left there is replaced)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", metavar="DIR", type=Path, help="another folder, empty or absent")

    def job(self, options: dict[str, Any]) -> Job:
        out = options["out"]
        if out is None:
            out = settings.HOME / "demo"
            shutil.rmtree(out, ignore_errors=True)
        table = settings.HOME / SAMPLE_FILENAME
        table.write_bytes(sample_csv())
        return Job("training", table, None, parse_spec(SAMPLE_SPEC, "training"), out, seconds_since_start)
