"""A worker for tests of everything around it: makes the versions that wait, without drawing anything."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

from auditapp import report_versions, storage
from auditapp.models import ReportRendering
from auditapp.report.sign import Signed


def make_waiting(*, signed: bool = True) -> list[int]:
    """Claim and finish every version that waits; the PDF's bytes name the version. Returns the versions."""
    made = []
    for key in ReportRendering.objects.filter(state="queued").order_by("pk").values_list("pk", flat=True):
        lease = report_versions.claim(key, "test")
        assert lease is not None
        unsigned = storage.put(io.BytesIO(b"%%PDF-1.7 unsigned %d" % lease.version))
        pdf = Signed(b"%%PDF-1.7 version %d" % lease.version, "A test", datetime(2026, 11, 22, tzinfo=UTC))
        stored: Any = storage.put(io.BytesIO(pdf.bytes)) if signed else None
        report_versions.finish(lease, unsigned, stored, pdf if signed else None)
        made.append(lease.version)
    return made
