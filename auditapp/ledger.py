"""The append-only, hash-chained audit log of a workspace: the only writer of LedgerEntry.

hash = sha256(previous hash as hex text || canonical JSON of the row without its hash). The database refuses UPDATE and DELETE
(migration 0003); whoever goes round the database leaves a chain that `verify` finds broken. Cutting off the newest entries
cannot be seen from inside: `head` is there to be kept elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils import timezone

from auditapp.models import LedgerEntry
from automl.evidence import canonical_json

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

    from auditapp.models import Workspace

GENESIS = "0" * 64
"""What the first entry of a chain names as the hash before it."""


def actor_of(user: User | AnonymousUser | None) -> str:
    """How a person is written down; None is the service itself."""
    return f"user:{user.get_username()}"[:200] if user is not None and user.pk else "service"


def append(workspace: Workspace | None, actor: str, action: str, subject: str, data: dict[str, Any] | None = None) -> LedgerEntry:
    """Add one entry to the chain of ``workspace`` (None: of the installation), in the caller's transaction.

    Call it last in a transaction: it holds the chain's lock until the commit.
    """
    workspace_id = workspace.pk if workspace is not None else None
    with transaction.atomic():
        _lock_chain(workspace_id)
        last = _chain(workspace_id).last()
        entry = LedgerEntry(
            workspace_id=workspace_id, number=last.number + 1 if last else 1, at=timezone.now(), actor=actor, action=action, subject=subject,
            data=data or {}, previous_hash=last.hash if last else GENESIS,
        )
        entry.hash = _hash_of(entry)
        entry.save(force_insert=True)
    return entry


def verify(workspace: Workspace | None) -> list[str]:
    """What is wrong with the chain, one sentence each; empty when every entry follows from the one before it."""
    return _broken_links(workspace.pk if workspace is not None else None)


def verify_all() -> list[str]:
    """As `verify`, of every chain there is: those of deleted workspaces stay too. Each sentence names its chain."""
    chains = LedgerEntry.objects.order_by("workspace_id").values_list("workspace_id", flat=True).distinct()
    return [f"ledger of {chain or 'the installation'}: {problem}" for chain in chains for problem in _broken_links(chain)]


def _broken_links(workspace_id: str | None) -> list[str]:
    problems = []
    number, previous = 0, GENESIS
    for entry in _chain(workspace_id).iterator():
        number += 1
        if entry.number != number:
            problems.append(f"entry {number} is missing; entry {entry.number} follows entry {number - 1}")
            number = entry.number
        if entry.previous_hash != previous:
            problems.append(f"entry {entry.number} does not follow from the entry before it")
        if entry.hash != _hash_of(entry):
            problems.append(f"entry {entry.number} ({entry.action} of {entry.subject}) was altered")
        previous = entry.hash
    return problems


def head(workspace: Workspace | None) -> tuple[int, str]:
    """Number and hash of the newest entry; (0, GENESIS) for an empty chain. Kept elsewhere, it shows a chain that was cut short."""
    last = _chain(workspace.pk if workspace is not None else None).last()
    return (last.number, last.hash) if last else (0, GENESIS)


def knows_file(sha256: str) -> bool:
    """Whether an entry of any chain names a signed report with these bytes. Of a deleted run too: entries stay."""
    return LedgerEntry.objects.filter(data__pdf_sha256=sha256).exists()


def _chain(workspace_id: str | None) -> Any:
    return LedgerEntry.objects.filter(workspace_id=workspace_id).order_by("number")


def _lock_chain(workspace_id: str | None) -> None:
    # SQLite's IMMEDIATE transactions already come one after the other
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"ledger:{workspace_id}"])


def about(workspace: Workspace, subjects: Sequence[str]) -> Iterator[LedgerEntry]:
    """The entries of a workspace's chain on ``subjects`` (public ids), the oldest first."""
    yield from _chain(workspace.pk).filter(subject__in=subjects)


def row_of(entry: LedgerEntry) -> dict[str, Any]:
    """What, with the hash before it, an entry's hash is taken of."""
    return {
        "workspace": entry.workspace_id, "number": entry.number, "at": entry.at.isoformat(timespec="microseconds"), "actor": entry.actor,
        "action": entry.action, "subject": entry.subject, "data": entry.data,
    }


def _hash_of(entry: LedgerEntry) -> str:
    return hashlib.sha256(entry.previous_hash.encode() + canonical_json(row_of(entry))).hexdigest()
