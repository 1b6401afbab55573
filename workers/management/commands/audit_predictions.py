"""`manage.py audit_predictions TABLE --score COL --sensitive A,B --out DIR`: the audit of predictions that somebody else's model made."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from workers.job_command import JobCommand
from workers.options import add_prediction_options, add_shared_options, spec_of
from workers.whole_job import Job


class Command(JobCommand):
    help = "Audit the scores or decisions in TABLE, whoever made them, and write evidence and the signed PDF to DIR."

    def add_arguments(self, parser: CommandParser) -> None:
        add_shared_options(parser)
        add_prediction_options(parser)

    def job(self, options: dict[str, Any]) -> Job:
        return Job("predictions", options["table"], None, spec_of(options, "predictions"), options["out"], lang=options["lang"])
