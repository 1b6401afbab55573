"""`manage.py reconcile`: one sweep of the reconciler, by hand or by cron."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from auditapp.ledger_heads import export_heads
from auditapp.report.waiting import sign_waiting
from auditapp.signed_exports import sign_waiting_exports
from auditapp.sweeps import sweep_all


class Command(BaseCommand):
    help = "Ring again for runs that wait, take back runs whose worker is gone, sign reports and exports that wait, export the ledger's heads of the day, remove what interrupted work left behind."

    def handle(self, *args: Any, **options: Any) -> None:
        counts = sweep_all() | {"reports_signed": sign_waiting(), "exports_signed": sign_waiting_exports(), "ledger_heads_exported": int(export_heads() is not None)}
        self.stdout.write(", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in counts.items()))
