"""Everything the reconciler does, in one call: by Celery beat, at a worker's start, by a busy worker, and by `manage.py reconcile`."""

from __future__ import annotations

from auditapp import members, notices, parts, profiles, report_versions, retention, runs, sessions, staging, storage, webhooks, workspaces


def sweep_all() -> dict[str, int]:
    """Idempotent and safe in parallel; returns what was done."""
    return {
        **runs.sweep(), **parts.sweep(), **profiles.sweep(), **report_versions.sweep(), **webhooks.sweep(),
        "staging_removed": staging.sweep_staging(), "drafts_removed": storage.sweep_drafts(),
        **sessions.sweep(), **members.sweep(), **notices.sweep(), **retention.sweep(), **workspaces.sweep(),
    }
