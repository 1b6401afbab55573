"""`manage.py audit TABLE --target COL --out DIR`: a table becomes a model and its signed audit, without a server."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from workers.job_command import JobCommand, seconds_since_start
from workers.options import add_shared_options, add_training_options, spec_of
from workers.whole_job import Job


class Command(JobCommand):
    help = "Train a model on TABLE, audit it on rows it never saw, and write model, evidence and the signed PDF to DIR."

    def add_arguments(self, parser: CommandParser) -> None:
        add_shared_options(parser)
        add_training_options(parser)

    def job(self, options: dict[str, Any]) -> Job:
        return Job("training", options["table"], options["test"], spec_of(options, "training"), options["out"], seconds_since_start, options["lang"])
