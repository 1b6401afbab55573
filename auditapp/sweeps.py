"""Everything the reconciler does, in one call: by Celery beat, at a worker's start, by a busy worker, and by `manage.py reconcile`."""

from __future__ import annotations

from contextlib import suppress

import redis
from django.conf import settings

from auditapp import parts, profiles, removal, report_versions, retention, runs, staging, storage
from auditapp.people import members, notices, sessions, workspaces
from auditapp.redis_store import store
from auditapp.webhooks import outbox as webhooks

SWEPT = "plumbline:swept"
MISSED = 4
"""Sweeps that may be left out before `/readyz` says that nobody sweeps."""
PATIENCE_SECONDS = 2.0


def sweep_all() -> dict[str, int]:
    """Idempotent and safe in parallel; returns what was done."""
    done = {
        **runs.sweep(), **parts.sweep(), **profiles.sweep(), **report_versions.sweep(), **webhooks.sweep(),
        "staging_removed": staging.sweep_staging(), "drafts_removed": storage.sweep_drafts(), **removal.sweep(),
        **sessions.sweep(), **members.sweep(), **notices.sweep(), **retention.sweep(), **workspaces.sweep(),
    }
    with suppress(redis.RedisError):
        store(settings.REDIS_URL, PATIENCE_SECONDS).set(SWEPT, 1, px=int(1000 * MISSED * settings.SWEEP_SECONDS))
    return done


def are_going_on() -> bool:
    """Whether anybody has swept of late. Raises redis.RedisError."""
    return bool(store(settings.REDIS_URL, PATIENCE_SECONDS).exists(SWEPT))
