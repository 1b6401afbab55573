"""A further version of a report: the run's own files and what people said by then, drawn again and signed. The evidence and the pictures are those of the run, byte for byte."""

from __future__ import annotations

import io
import shutil
from functools import partial
from pathlib import Path

from django.conf import settings

from auditapp import report_versions, storage
from auditapp.bundles import open_plain
from auditapp.report.signature_level import levels_asked
from auditapp.report_versions import RenderingLease
from auditapp.staging import staging_folder
from automl.evidence import canonical_json
from workers.jobs import failure, render_limits
from workers.process import run_render
from workers.render import PDF_NAME, PICTURE_NAME, STATEMENTS_NAME
from workers.supervise import Keeper, every_end, owner, sign_or_wait

NOT_FOR_DRAWING = frozenset({"predictions.csv", "reasons.csv", "audit.pdf", PDF_NAME, PICTURE_NAME, STATEMENTS_NAME})
"""Rows of persons, and what is made anew."""


def make_report(rendering_id: int) -> bool:
    """Draw, sign and store the version if it still waits; False when somebody else did, a normal answer to a doorbell."""
    lease = report_versions.claim(rendering_id, owner())
    if lease is None:
        return False
    give_up = partial(report_versions.lose, lease)
    with (
        # Drawing is short: where the worker is stopped, the lease ends at once and the next sweep has it done elsewhere
        every_end(f"report version {rendering_id}, attempt {lease.attempt}", fail=partial(report_versions.fail, lease), lose=lambda why: give_up(), stop=give_up),
        staging_folder(f"report-{rendering_id}", lease.attempt) as staging,
    ):
        _lay_out(lease, staging / "bundle")
        keeper = Keeper(lambda progress: report_versions.beat(lease))
        limits = render_limits()
        ending = run_render(staging, limits=limits, wish=keeper.wish, again=True, verify_at=settings.VERIFY_URL, levels=levels_asked())
        if ending.kind == "died":
            give_up()
        elif ending.kind != "done":
            report_versions.fail(lease, *failure(ending, limits))
        else:
            _sign_and_store(lease, staging / "bundle", keeper)
    return True


def _lay_out(lease: RenderingLease, bundle: Path) -> None:
    """What drawing reads: evidence, charts with their pictures, what travels beside the evidence, and `statements.json`."""
    bundle.mkdir()
    for name, sha256 in lease.files:
        is_picture = name.startswith("charts/") and name.endswith(".svg") and not name.endswith(".dark.svg")
        if is_picture or ("/" not in name and name not in NOT_FOR_DRAWING):
            (bundle / name).parent.mkdir(exist_ok=True)
            with storage.open_verified(sha256) as source, (bundle / name).open("wb") as target:
                shutil.copyfileobj(source, target, 2**20)
    (bundle / STATEMENTS_NAME).write_bytes(canonical_json(lease.document.model_dump(mode="json")))


def _sign_and_store(lease: RenderingLease, bundle: Path, keeper: Keeper) -> None:
    signed = sign_or_wait(bundle)
    with open_plain(bundle / PDF_NAME) as file:
        unsigned = file.read()
    with open_plain(bundle / PICTURE_NAME) as file:
        first_page = file.read()
    keeper.now()
    stored = storage.put(io.BytesIO(unsigned))
    pdf = storage.put(io.BytesIO(signed.bytes)) if signed else None
    report_versions.finish(lease, stored, pdf, signed, picture=storage.put(io.BytesIO(first_page)))
