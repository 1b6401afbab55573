"""Documents for others as PDF: drawn when one is first asked for, signed by whoever holds the key, and kept. The only writer of SignedExport.

The web process draws (in a child) and has no key; a worker signs and has no pages to answer. So the row waits between the two, as a report does whose key could not be read.
What is kept is of one version of the statements: once people say more, the next asking makes the next document, and the earlier one stays what it was.
"""

from __future__ import annotations

import hashlib
import io
import logging
import time
from typing import BinaryIO

from django.db import transaction

from auditapp import dispatch, ledger, removal, report_versions, results, storage
from auditapp.exports import EXPORTS, PDF, make_export
from auditapp.models import Run, SignedExport

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 6.0
POLL_SECONDS = 0.2
BEING_SIGNED = "The document is drawn and awaits its signature; ask again in a minute."


class BeingSigned(Exception):
    """It is drawn and awaits its signature; the text is one sentence."""

    def __init__(self) -> None:
        super().__init__(BEING_SIGNED)


def export_bytes(run: Run, name: str, *, withhold: bool = False) -> tuple[BinaryIO, str]:
    """The export ``name``, to be handed out, and its sha256: a PDF signed, the others as they are made. Raises as `signed_export`."""
    if EXPORTS[name].media_type == PDF:
        row = signed_export(run, name, withhold=withhold)
        return storage.open_verified(row.pdf_sha256), row.pdf_sha256
    made = make_export(run, name, withhold=withhold)
    return io.BytesIO(made), hashlib.sha256(made).hexdigest()


def signed_export(run: Run, name: str, *, withhold: bool = False) -> SignedExport:
    """The PDF export ``name`` of a run that has succeeded, signed, with what people have said by now. Raises BeingSigned where nobody signed it in time, and as `exports.make_export`."""
    version = report_versions.document_of(run).version if run.state == "succeeded" else 0
    wanted = SignedExport.objects.filter(run=run, name=name, withhold=withhold, statements_version=version)
    row = wanted.first()
    if row is None:
        unsigned = storage.put(io.BytesIO(make_export(run, name, withhold=withhold)))
        with transaction.atomic():
            # Two who ask at once draw the same bytes, and one row is kept
            row, _ = SignedExport.objects.get_or_create(run=run, name=name, withhold=withhold, statements_version=version, defaults={"unsigned_sha256": unsigned.sha256})
    if not row.pdf_sha256:
        dispatch.ring_exports()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not row.pdf_sha256:
        if time.monotonic() >= deadline:
            raise BeingSigned
        time.sleep(POLL_SECONDS)
        row = wanted.get()
    return row


def sign_waiting_exports(most: int = 10) -> int:
    """Sign up to ``most`` that wait, the oldest first; returns how many were. Idempotent and safe in parallel; a key that cannot be used ends it, and nothing has changed."""
    waiting = list(SignedExport.objects.filter(pdf_sha256="")[:most])
    if not waiting:
        return 0
    # Not before there is something to sign: the signing library is larger than all that a worker's parent holds
    from auditapp.report.sign import sign_pdf
    from auditapp.report.signing_key import NoSigningKey

    done = 0
    for row in waiting:
        try:
            with storage.open_verified(row.unsigned_sha256) as unsigned:
                signed = sign_pdf(unsigned.read())
        except NoSigningKey as why:
            logger.info("%d documents wait for their signature: %s", len(waiting), why)
            break
        except (ValueError, OSError, storage.Damaged) as error:
            logger.warning("the document %s of run %s cannot be signed: %s", row.name, row.run_id, error)
            continue
        done += _keep(row, signed.bytes)
    return done


def _keep(row: SignedExport, signed: bytes) -> bool:
    """The signed bytes, and what the ledger says of them. False where somebody was first, or the run is gone."""
    pdf = storage.put(io.BytesIO(signed))
    with transaction.atomic():
        kept = bool(SignedExport.objects.filter(pk=row.pk, pdf_sha256="").update(pdf_sha256=pdf.sha256))
        if kept:
            run = Run.objects.select_related("workspace").get(pk=row.run_id)
            evidence_digest = results.read_evidence(run).digest
            ledger.append(run.workspace, "service", "export.signed", run.pk, {
                "name": row.name, "small_cells": "withheld" if row.withhold else "shown", "statements_version": row.statements_version, "evidence_digest": evidence_digest, "pdf_sha256": pdf.sha256})
    if not kept:
        removal.remove_unreferenced([pdf.sha256])
    return kept
