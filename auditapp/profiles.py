"""What a table holds, read once per way of reading: the only writer of Profile. Same lease rules as runs, own slot.

``queued -> running -> ready | failed``; ``running -> queued`` only by `sweep`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from auditapp import dispatch, leases
from auditapp.leases import Fence, LeaseLost
from auditapp.models import Dataset, Profile
from automl.errors import BadInput
from automl.evidence import DatasetProfile, canonical_json
from automl.spec import DEFAULT_MISSING, TableOptions

__all__ = ["LeaseLost", "ProfileLease", "QueueFull", "beat", "claim_profile", "fail", "finish", "lose", "ready_profile", "request_profile", "sweep"]

_BATCH = 100


class QueueFull(BadInput):
    """As many readings of the workspace's tables wait as may."""


@dataclass(frozen=True)
class ProfileLease:
    """What a worker needs to read the table."""

    profile_id: int
    attempt: int
    dataset_sha256: str
    options: dict[str, Any]
    missing: tuple[str, ...]

    @property
    def fence(self) -> Fence:
        return Fence(self.profile_id, self.attempt)


def request_profile(dataset: Dataset, options: TableOptions | None = None, missing: tuple[str, ...] = DEFAULT_MISSING) -> Profile:
    """The profile of ``dataset`` read in this way, asked for when it is not there yet. What failed for a reason of ours is tried again. Raises QueueFull at the limit."""
    reading = _reading(options or TableOptions(), missing)
    with transaction.atomic():
        profile, new = Profile.objects.get_or_create(
            dataset=dataset, options_sha256=_sha256_of(reading), defaults={"options": reading, "max_attempts": settings.MAX_ATTEMPTS})
        again = Profile.objects.filter(pk=profile.pk, state="failed").exclude(failure_code="bad_input").update(
            state="queued", failure_code="", failure_text="", finished_at=None, queued_at=Now(), rung_at=None,
            max_attempts=F("attempt") + settings.MAX_ATTEMPTS)
        if (new or again) and _rows().filter(dataset__workspace=dataset.workspace_id, state="queued").count() > settings.READINGS_QUEUED:
            raise QueueFull(f"{settings.READINGS_QUEUED} readings of this workspace's tables are waiting, which is the limit; wait for one to be done")
        if new or again:
            dispatch.ring_profile(profile.pk)
    if again:
        profile.refresh_from_db()
    return profile


def ready_profile(dataset: Dataset, options: TableOptions, missing: tuple[str, ...]) -> DatasetProfile | None:
    """The table as it was read in this way; None where it was not (yet)."""
    row = Profile.objects.filter(dataset=dataset, options_sha256=_sha256_of(_reading(options, missing)), state="ready").first()
    return DatasetProfile.model_validate(row.document) if row else None


def claim_profile(profile_id: int, owner: str) -> ProfileLease | None:
    """Take the profile if it still waits; None when somebody else has it, a normal answer."""
    with transaction.atomic():
        if not leases.take(Profile.objects.filter(pk=profile_id), owner):
            return None
        row = Profile.objects.select_related("dataset").get(pk=profile_id)
    return ProfileLease(profile_id, row.attempt, row.dataset.sha256, row.options["table"], tuple(row.options["missing"]))


def beat(lease: ProfileLease) -> None:
    """Keep the lease; raises LeaseLost."""
    leases.write(_rows(), lease.fence, **leases.extension())


def finish(lease: ProfileLease, document: DatasetProfile) -> None:
    leases.write(_rows(), lease.fence, state="ready", document=document.model_dump(mode="json"), finished_at=Now(), **leases.end_of_lease())


def fail(lease: ProfileLease, code: str, text: str) -> None:
    """The table cannot be read; ``code`` is one of models.FAILURE_CODES."""
    leases.write(_rows(), lease.fence, state="failed", failure_code=code, failure_text=text, finished_at=Now(), **leases.end_of_lease())


def lose(lease: ProfileLease) -> None:
    """The child died: the lease ends at once and `sweep` decides."""
    leases.write(_rows(), lease.fence, lease_until=Now())


def sweep() -> dict[str, int]:
    """Ring again for profiles that nobody took, take back those whose worker is gone. Idempotent, safe in parallel."""
    return leases.sweep_short(_rows(), dispatch.ring_profile, _BATCH, named="profiles", made="read the table")


def _rows() -> QuerySet[Profile]:
    return Profile.objects.all()


def _reading(options: TableOptions, missing: tuple[str, ...]) -> dict[str, Any]:
    return {"table": options.model_dump(mode="json"), "missing": list(missing)}


def _sha256_of(reading: dict[str, Any]) -> str:
    return hashlib.sha256(canonical_json(reading)).hexdigest()
