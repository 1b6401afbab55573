"""The Celery app: a doorbell with a clock. What must not be lost is in the database, so messages are acknowledged at once and results ignored.

Two workers, so that reading a table for the upload form never waits behind a run (in production a third one, that mails):
    celery -A workers.app worker -Q runs -c 1 -n runs@%h
    celery -A workers.app worker -Q profiles,sweeps,webhooks,mail -c 2 -B -n profiles@%h
"""

from __future__ import annotations

import os
import sys
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "auditapp.settings")
# Django's checks import every page; a worker has none. `manage.py` and the web run them
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

import django

django.setup()

from django.conf import settings  # noqa: E402

from workers import stopping  # noqa: E402

HEAVY = frozenset({
    "torch", "lightgbm", "shap", "optuna", "fairlearn", "sklearn", "pandas", "pyarrow", "typst", "altair", "vl_convert", "statsmodels", "scipy",
})
"""Libraries that hang after a fork or start threads; they belong into the child only."""

app = Celery("plumbline", broker=settings.REDIS_URL, include=["workers.tasks"])
app.conf.update(
    accept_content=["json"], task_serializer="json", result_serializer="json", task_ignore_result=True,
    # Measured: with acks_late a killed worker's task comes back after 103 s to an hour, and long runs start twice. The lease does it instead
    task_acks_late=False, task_reject_on_worker_lost=False, worker_prefetch_multiplier=1, worker_disable_prefetch=True,
    worker_hijack_root_logger=False, worker_send_task_events=False, worker_enable_remote_control=False, worker_proc_alive_timeout=30,
    broker_connection_retry_on_startup=True, broker_connection_max_retries=None,
    # Without a timeout a worker waits for ever on a broker that was reset under it
    broker_transport_options={"socket_timeout": 30, "socket_connect_timeout": 5, "socket_keepalive": True, "health_check_interval": 10},
    task_default_queue="sweeps", timezone="UTC", beat_schedule_filename=str(settings.HOME / "celerybeat-schedule"),
    beat_schedule={
        "reconcile": {"task": "workers.tasks.reconcile", "schedule": settings.SWEEP_SECONDS, "options": {"queue": "sweeps", "expires": 60}},
        # To the worker that holds the key
        "sign": {"task": "workers.tasks.sign_reports", "schedule": 60, "options": {"queue": "runs", "expires": 60}},
    },
)


@signals.worker_init.connect
def refuse_heavy_parent(**_: Any) -> None:
    """The parent forks: a library loaded here would hang in its children."""
    loaded = sorted(HEAVY & set(sys.modules))
    if loaded:
        sys.exit(f"the worker must not start: {', '.join(loaded)} is loaded in the process that forks its pool; only workers.child may import it")


@signals.worker_process_init.connect
def load_signer(**_: Any) -> None:
    """Importing the signer takes a second or more; between two beats of a run that would be time without a beat. Who takes no runs signs nothing."""
    if "runs" in app.amqp.queues.consume_from:
        import auditapp.report.sign  # noqa: F401


@signals.worker_ready.connect
def sweep_at_start(**_: Any) -> None:
    """Whatever happened while no worker was there is put right at once, not at the next tick."""
    from auditapp.sweeps import sweep_all

    sweep_all()


@signals.worker_shutting_down.connect
def hand_back_runs(**_: Any) -> None:
    stopping.ask()
