"""Reports that wait for their signature get it once the key can be used again (T-47): version and evidence stay, the signed PDF is added."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from auditapp import ledger, removal, storage
from auditapp.models import Artifact, Report, Run, RunEvent
from auditapp.webhooks import outbox as webhooks
from automl.bundle import MANIFEST
from automl.evidence import canonical_json

if TYPE_CHECKING:
    from auditapp.report.sign import Signed

logger = logging.getLogger(__name__)

SIGNED_NAME = "audit.pdf"


def sign_waiting(most: int = 10) -> int:
    """Sign up to ``most`` reports that wait, the oldest first; returns how many were. Idempotent and safe in parallel.

    A key that still cannot be used ends it, and nothing has changed; a report whose bytes cannot be signed is logged and passed over.
    """
    waiting = list(Report.objects.filter(state="awaiting_signature").order_by("created_at", "pk")[:most])
    if not waiting:
        return 0
    # Not before there is something to sign: the signing library is larger than all that a worker's parent holds
    from auditapp.report.sign import LevelNotReached, sign_pdf
    from auditapp.report.signing_key import NoSigningKey

    done = 0
    for report in waiting:
        try:
            with storage.open_verified(report.unsigned_sha256) as unsigned:
                signed = sign_pdf(unsigned.read())
        except LevelNotReached as why:  # it prints its level; what reaches less is its next version
            logger.info("report %s waits for its signature: %s", report.pk, why)
            if settings.TIMESTAMP_URL:  # the next one would wait for the authority as long
                break
            continue
        except NoSigningKey as why:
            logger.info("%d reports wait for their signature: %s", len(waiting), why)
            break
        except (ValueError, OSError, storage.Damaged) as error:
            logger.warning("report %s cannot be signed: %s", report.pk, error)
            continue
        done += _add_signature(report.pk, signed)
    return done


def _add_signature(report_id: str, signed: Signed) -> bool:
    """One transaction: the report's state, the ledger and, of a first version, the signed PDF among the run's files and the manifest that names it. False where somebody was first."""
    pdf = storage.put(io.BytesIO(signed.bytes))
    replaced, added = pdf.sha256, False
    with transaction.atomic():
        updated = Report.objects.filter(pk=report_id, state="awaiting_signature").update(
            state="signed", pdf_sha256=pdf.sha256, signer=signed.signer[:200], signed_at=signed.signed_at)
        if updated:
            report = Report.objects.select_related("run__workspace").get(pk=report_id)
            run, added = report.run, True
            replaced = _among_the_files(run, pdf) if report.version == 1 else ""
            RunEvent.objects.create(run=run, attempt=run.attempt, kind="report_signed")
            webhooks.announce_report(report)
            ledger.append(run.workspace, "service", "report.signed", run.pk, {"report": report_id, "version": report.version, "pdf_sha256": pdf.sha256})
    removal.remove_unreferenced([replaced])
    return added


def _among_the_files(run: Run, pdf: storage.Stored) -> str:
    """The sha256 of the manifest that did not name the PDF."""
    manifest = Artifact.objects.get(run=run, name=MANIFEST)
    replaced: str = manifest.sha256
    stored = storage.put(io.BytesIO(_manifest_with(manifest, pdf)))
    Artifact.objects.filter(pk=manifest.pk).update(sha256=stored.sha256, bytes=stored.bytes)
    Artifact.objects.create(run=run, name=SIGNED_NAME, sha256=pdf.sha256, bytes=pdf.bytes, media_type="application/pdf")
    return replaced


def _manifest_with(manifest: Artifact, pdf: storage.Stored) -> bytes:
    with storage.open_verified(manifest.sha256) as file:
        document = json.loads(file.read())
    document["files"][SIGNED_NAME] = {"sha256": pdf.sha256, "bytes": pdf.bytes}
    return canonical_json(document)
