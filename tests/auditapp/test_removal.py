"""Bytes that nothing names any more."""

from __future__ import annotations

import io
import os
import time
from typing import Any

import pytest

from auditapp import datasets, removal, storage
from auditapp.models import Workspace

pytestmark = pytest.mark.django_db


def _age(settings: Any, sha256: str, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(storage.place_in(settings.STORAGE_ROOT, sha256), (then, then))


def _sweep_everything(settings: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    """Every folder's turn."""
    now, removed = time.time(), 0
    for turn in range(256):
        monkeypatch.setattr("auditapp.removal.time.time", lambda: now + turn * settings.SWEEP_SECONDS)  # noqa: B023 - called at once
        removed += removal.sweep()["orphans_removed"]
    return removed


def test_what_no_row_names_goes_after_a_day_and_nothing_else(workspace: Workspace, analyst: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SWEEP_SECONDS = 0.001
    kept = datasets.store_upload(io.BytesIO(b"a,b\n1,2\n"), name="table", filename="t.csv", workspace=workspace, user=analyst).sha256
    left, coming = storage.put(io.BytesIO(b"its process died")).sha256, storage.put(io.BytesIO(b"its row is about to come")).sha256
    for sha256, age in ((kept, 90_000), (left, 90_000), (coming, 80_000)):
        _age(settings, sha256, age)
    assert _sweep_everything(settings, monkeypatch) == 1
    assert [storage.exists(sha256) for sha256 in (kept, left, coming)] == [True, False, True]
