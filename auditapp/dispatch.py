"""The doorbell: tells the workers that a row waits. Losing it, doubling it or ringing late changes nothing; `sweeps` rings again.

Rings after commit, by task name (auditapp never imports workers), best effort, and never holds a request longer than about two seconds.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from auditapp.failpoints import failpoint

if TYPE_CHECKING:
    from celery import Celery

logger = logging.getLogger(__name__)

RUNS, PROFILES, WEBHOOKS, MAIL = "runs", "profiles", "webhooks", "mail"
"""Reading a table for the upload form never waits behind a run of two hours. What sends webhooks and mail may reach the outside, and a server that hangs there holds up nothing else."""


def ring_run(run_id: str) -> None:
    """Tell the workers, once the transaction is committed, that the run ``run_id`` waits."""
    _after_commit("workers.tasks.run_hint", run_id, RUNS)


def ring_part(part_id: int) -> None:
    """Tell the workers that take runs, once the transaction is committed, that the part ``part_id`` of one waits."""
    _after_commit("workers.tasks.part_hint", part_id, RUNS)


def ring_profile(profile_id: int) -> None:
    """Tell the workers, once the transaction is committed, that the profile ``profile_id`` waits."""
    _after_commit("workers.tasks.profile_hint", profile_id, PROFILES)


def ring_report(rendering_id: int) -> None:
    """Tell the workers that read tables, once the transaction is committed, that a report version waits to be drawn: it never waits behind a run of two hours."""
    _after_commit("workers.tasks.report_hint", rendering_id, PROFILES)


def ring_webhook(webhook_id: str) -> None:
    """Tell the workers that may reach the outside, once the transaction is committed, that something waits to be sent to the webhook ``webhook_id``."""
    # Every sweep rings again while something waits: rings that nobody hears must not pile up
    _after_commit("workers.tasks.webhook_hint", webhook_id, WEBHOOKS, expires=60)


def ring_signing() -> None:
    """Tell the worker that holds the key, once the transaction is committed, that a report waits for its signature."""
    _after_commit("workers.tasks.sign_reports", None, RUNS)


def ring_notices() -> None:
    """Tell the worker that mails, once the transaction is committed, that notices are due."""
    _after_commit("workers.tasks.send_notices", None, MAIL)


def ring_exports() -> None:
    """Tell the workers that read tables, once the transaction is committed, that a document awaits its signature; where they have no key they ring for those who do."""
    _after_commit("workers.tasks.sign_exports", None, PROFILES)


def _after_commit(task: str, argument: str | int | None, queue: str, *, expires: float | None = None) -> None:
    def ring() -> None:
        failpoint("after_commit")
        try:
            _bell().send_task(task, args=[] if argument is None else [argument], queue=queue, retry=False, ignore_result=True, expires=expires)
        except Exception as error:  # noqa: BLE001 - whatever the broker does, the row is there and the reconciler rings again
            logger.warning("the doorbell for %s %s did not ring: %s", task, argument or "", error)

    transaction.on_commit(ring)


@cache
def _bell() -> Celery:
    from celery import Celery

    app = Celery("plumbline-doorbell", broker=settings.REDIS_URL, set_as_current=False)
    app.conf.update(
        task_serializer="json", accept_content=["json"], task_ignore_result=True, task_store_errors_even_if_ignored=False,
        broker_transport_options={
            "socket_connect_timeout": 0.5, "socket_timeout": 1, "max_retries": 0, "interval_start": 0, "interval_step": 0, "interval_max": 0,
            "retry_on_timeout": False,
        },
    )
    return app
