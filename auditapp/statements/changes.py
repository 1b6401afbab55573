"""What people say of a run, version by version: the only writer of StatementsVersion. A change is a new row, and makes the next version of the report.

Nothing here fills a field in, and nothing touches the evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from auditapp import ledger, report_versions
from auditapp.access import Caller
from auditapp.models import Run, StatementsVersion
from auditapp.statements.fields import checked


class NoResults(Exception):
    """Statements are about the results of a run, and this one has none (yet)."""


class ChangedMeanwhile(Exception):
    """Somebody else has said something since the version that the caller had before them. Nothing was written."""

    def __init__(self, current: int, fields: tuple[str, ...]) -> None:
        super().__init__(f"the statements are at version {current} by now")
        self.current, self.fields = current, fields
        """The newest version, and which of the caller's fields others have changed."""


def fields_at(run: Run, version: int) -> dict[str, Any]:
    """{name: {text, author, role, at}} as of ``version``; version 0 is empty. Raises StatementsVersion.DoesNotExist."""
    said: dict[str, Any] = StatementsVersion.objects.get(run=run, version=version).fields if version else {}
    return said


def change(run: Run, caller: Caller, said: Mapping[str, str | None], *, base: int, replace: bool = False, only_these: bool = False) -> bool:
    """Say ``said`` (None: take back) of ``run``; False where nothing of it is new, and then nothing is written. One transaction: version, next report, ledger.

    ``base`` is the version that the person had before them. Where another has come since, ChangedMeanwhile is raised; with ``only_these`` only if it has changed one of these fields.
    ``replace``: whatever is not in ``said`` is taken back. A text that stands already keeps its author and time. Raises BadInput (`statement_fields.checked`,
    `report_versions.TooMany`) and NoResults.
    """
    texts = {name: checked(name, text) if text is not None else None for name, text in said.items()}
    with transaction.atomic():
        held = Run.objects.select_for_update(no_key=True).select_related("workspace").get(pk=run.pk)
        if held.state != "succeeded":
            raise NoResults(f"The run is {held.state}; statements are made about the results of a run that has succeeded.")
        newest = StatementsVersion.objects.filter(run=held).order_by("-version").first()
        version, before = (newest.version, newest.fields) if newest else (0, {})
        _check_base(held, base, version, before, tuple(texts), only_these)
        if replace:
            texts = dict.fromkeys(before) | texts
        now = timezone.now()
        after = dict(before)
        for name, text in texts.items():
            if text is None:
                after.pop(name, None)
            elif before.get(name, {}).get("text") != text:
                after[name] = {"text": text, "author": caller.user.get_username(), "role": caller.role, "at": report_versions.moment(now)}
        changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        if not changed:
            return False
        row = StatementsVersion.objects.create(run=held, version=version + 1, fields=after, changed=changed, author=caller.user.get_username(), role=caller.role, at=now)
        rendering = report_versions.ask(held, what="statements", author=row.author, at=now, fields=changed)
        # The texts stay out of it: the ledger is kept when a run and what was said of it are deleted
        ledger.append(held.workspace, caller.actor, "statements.changed", held.pk, {
            "statements_version": row.version, "fields": changed, "sha256": report_versions.sha256_of(after), "report_version": rendering.version})
    return True


def _check_base(run: Run, base: int, version: int, now: Mapping[str, Any], names: tuple[str, ...], only_these: bool) -> None:
    if base == version:
        return
    then = StatementsVersion.objects.filter(run=run, version=base).values_list("fields", flat=True).first() if base else {}
    if then is None or not only_these:
        raise ChangedMeanwhile(version, names)
    touched = tuple(name for name in names if then.get(name) != now.get(name))
    if touched:
        raise ChangedMeanwhile(version, touched)
