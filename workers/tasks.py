"""The doorbell's other end. Each task looks at the row and does what the row says; a task that comes twice, late or never changes nothing."""

from __future__ import annotations

from auditapp import dispatch
from auditapp.ledger_heads import export_heads
from auditapp.people.notices import send_due
from auditapp.report.waiting import sign_waiting
from auditapp.signed_exports import sign_waiting_exports
from auditapp.sweeps import sweep_all
from workers.app import app
from workers.report_version import make_report
from workers.supervise import do_run, read_profile
from workers.taking_part import do_part
from workers.webhooks import deliver_due


@app.task(name="workers.tasks.run_hint")
def run_hint(run_id: str) -> None:
    do_run(run_id)


@app.task(name="workers.tasks.part_hint")
def part_hint(part_id: int) -> None:
    do_part(part_id)


@app.task(name="workers.tasks.profile_hint")
def profile_hint(profile_id: int) -> None:
    read_profile(profile_id)


@app.task(name="workers.tasks.report_hint")
def report_hint(rendering_id: int) -> None:
    make_report(rendering_id)


@app.task(name="workers.tasks.webhook_hint")
def webhook_hint(webhook_id: str) -> None:
    deliver_due(webhook_id)


@app.task(name="workers.tasks.reconcile")
def reconcile() -> None:
    sweep_all()


@app.task(name="workers.tasks.sign_exports")
def sign_exports() -> None:
    if not sign_waiting_exports():
        dispatch.ring_signing()  # the key is elsewhere


@app.task(name="workers.tasks.sign_reports")
def sign_reports() -> None:
    sign_waiting()
    sign_waiting_exports()
    export_heads()


@app.task(name="workers.tasks.send_notices")
def send_notices() -> None:
    send_due()
