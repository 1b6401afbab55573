"""What `audit`, `audit_predictions` and `demo` share: one sentence for bad input, the progress, the exit codes 0, 1, 2 and 3."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import psutil

from auditapp.one_sentence import BAD_INPUT, OneSentenceCommand
from auditapp.report.signing_key import NoSigningKey
from automl.errors import BadInput
from automl.evidence import Evidence
from automl.terminal import ProgressDisplay
from workers.summary import reaches, summary
from workers.whole_job import Job, JobFailed, do_whole_job

DONE, FAILED, FINDING = 0, 1, 3


class JobCommand(OneSentenceCommand):
    """A command that ends in a folder with a signed report."""

    requires_system_checks: list[str] = []  # the service's own settings do not concern it, and seconds count

    def job(self, options: dict[str, Any]) -> Job:
        """What is asked; may raise BadInput."""
        raise NotImplementedError

    def handle(self, *arguments: Any, **options: Any) -> None:
        sys.exit(self._do(options))

    def _do(self, options: dict[str, Any]) -> int:
        display = ProgressDisplay()
        done = False
        try:
            job = self.job(options)
            evidence = do_whole_job(job, display).evidence
            done = True
        except BadInput as refusal:
            return _refuse(display, refusal.sentence, BAD_INPUT)
        except (JobFailed, NoSigningKey) as failure:
            return _refuse(display, str(failure), FAILED)
        except KeyboardInterrupt:
            return _refuse(display, "Stopped; nothing was written.", FAILED)
        try:
            display.close(done=done)
            _tell(evidence, job)
            sys.stdout.flush()
        except BrokenPipeError:
            # Nobody reads on, and the folder is there; Python must not try again when it ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINDING if options.get("fail_on") and reaches(evidence, options["fail_on"]) else DONE


def seconds_since_start() -> float:
    """Seconds since this process began: the budget of ``--seconds`` counts from there."""
    return max(0.0, time.time() - psutil.Process().create_time())


def _refuse(display: ProgressDisplay, sentence: str, code: int) -> int:
    display.close(done=False)
    print(sentence, file=sys.stderr)
    return code


def _tell(evidence: Evidence, job: Job) -> None:
    print(summary(evidence))
    print(f"Signed report  {job.out / 'audit.pdf'}")
