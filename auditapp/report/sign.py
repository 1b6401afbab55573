"""Sign an unsigned report, or a document for others that was made of one: PAdES B-B (B-T with a time stamp authority; B-LTA where asked for), certified so that no change is allowed after it.

A report says on its pages at which level it is signed, so that is the level it gets, or none. A document that says nothing gets the highest that this installation can reach of those it takes.
"""

from __future__ import annotations

import datetime
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign import fields, signers, timestamps
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.pdf_signer import DSSContentSettings
from pyhanko.sign.timestamps.requests_client import RequestsHTTPTimeStamper
from pyhanko_certvalidator.errors import InsufficientRevinfoError, PathError, ValidationError

from auditapp.report.attachment import EVIDENCE_NAME, EXPORT_NAME, attached_files
from auditapp.report.long_term import NOBODY, Authorities, authorities_in, common_name, context_for_signing
from auditapp.report.signature_level import levels_asked, printed_in
from auditapp.report.signing_key import NoSigningKey, signing_key
from auditapp.report.stamps import ALTERED, UNKNOWN
from auditapp.report.verify import check_pdf, keywords_of

FIELD_NAME = "PlumblineSignature"
TIMESTAMP_SECONDS = 20


@dataclass(frozen=True)
class Signed:
    bytes: bytes
    signer: str
    """Common name of the certificate."""
    signed_at: datetime.datetime
    """By this machine's clock, UTC, whole seconds: what the signature itself states."""


class LevelNotReached(NoSigningKey):
    """The level cannot be had now; ``instead``: the highest that may still be."""

    def __init__(self, why: str, instead: str) -> None:
        super().__init__(why)
        self.instead = instead


def sign_pdf(unsigned: bytes) -> Signed:
    """The report with an invisible certification signature over every byte of it.

    Raises NoSigningKey where the key or certificate cannot be used, the time stamp authority is not known or does not answer, or the level is not reached (LevelNotReached, of a report that prints its level: another
    draft, which prints less, may still be signed). Raises ValueError where the signed bytes do not stand up to our own verification: a defect of ours.
    """
    with signing_key() as signer:
        what, printed = _what_it_is(unsigned)
        if printed is not None:
            return _signed(unsigned, what, printed, signer)
        levels = levels_asked()
        level = levels[0]
        while True:
            try:
                return _signed(unsigned, what, level, signer)
            except LevelNotReached as why:
                if why.instead not in levels:
                    raise
                level = why.instead


def _signed(unsigned: bytes, what: str, level: str, signer: signers.Signer) -> Signed:
    certificate, authorities, later = signer.signing_cert, _authorities(), level == "B-LTA"
    assert certificate is not None
    if later and not (authorities and settings.TIMESTAMP_URL):
        raise NoSigningKey(f"PLUMBLINE_SIGNATURE_LEVEL={level} needs a time stamp authority (PLUMBLINE_TIMESTAMP_URL) and the certificates of those who issued (PLUMBLINE_AUTHORITIES)")
    if level != "B-B" and not settings.TIMESTAMP_URL:
        raise LevelNotReached(f"the report says that it is signed at {level}, and no time stamp authority is named any more (PLUMBLINE_TIMESTAMP_URL)", "B-B")
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    # One line end first: PDF/A asks for it before the incremental update (6.1.9-1), and the compiler leaves none
    stream = io.BytesIO(unsigned + b"\n")
    name = common_name(certificate)
    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD_NAME, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES, certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES, name=name, reason=what, **(_for_later(authorities) if later else {}))
    # Out of bounds, never hidden: PDF/A refuses the hidden flag, PDF/UA refuses an untagged box on the page
    field = fields.SigFieldSpec(FIELD_NAME, invis_sig_settings=fields.InvisSigSettings(box_out_of_bounds=True), readable_field_name="Signature")
    out = io.BytesIO()
    try:
        signers.PdfSigner(metadata, signer, timestamper=None if level == "B-B" else _timestamper(), new_field_spec=field).sign_pdf(IncrementalPdfFileWriter(stream), output=out)
    except (timestamps.TimestampRequestError, OSError) as error:
        raise LevelNotReached(f"the time stamp authority did not answer: {error}", "B-B") from error
    except (SigningError, PathError, ValidationError) as error:  # a chain that does not hold, or of which nobody says whether it was revoked
        sentence = f"what {level} needs for its later validation could not be had: {error.__cause__ or error}"[:400]
        # Nobody said anything; what is said, such as that a certificate was revoked, is no reason to ask for less
        raise (LevelNotReached(sentence, "B-T") if isinstance(error.__cause__ or error, InsufficientRevinfoError) else NoSigningKey(sentence)) from error
    signed = out.getvalue()
    verdict = check_pdf(signed, [certificate], authorities)
    if {UNKNOWN, ALTERED} & set(verdict.problems):
        raise NoSigningKey("the answer of the time stamp authority leads to nobody known; its issuers belong into PLUMBLINE_AUTHORITIES")
    if verdict.level not in (None, level):
        raise LevelNotReached(f"{level} is asked for, and {verdict.level} is what the signature reached", str(verdict.level))
    if not verdict.valid:
        raise ValueError(f"our own signature does not verify: {'; '.join(verdict.problems)}")
    return Signed(signed, name, now if verdict.signed_at is None else datetime.datetime.fromisoformat(verdict.signed_at))


def _authorities() -> Authorities:
    if settings.AUTHORITIES is None:
        return NOBODY
    try:
        return authorities_in(Path(settings.AUTHORITIES).read_bytes())
    except (OSError, ValueError) as error:
        raise NoSigningKey(f"the certificates of the authorities cannot be read: {error}") from error


def _for_later(authorities: Authorities) -> dict[str, Any]:
    """Data for later validation, together with a time stamp over the file that holds them: alone, nothing would cover them."""
    return {"embed_validation_info": True, "use_pades_lta": True, "validation_context": context_for_signing(authorities), "dss_settings": DSSContentSettings(include_vri=False)}


def _timestamper() -> timestamps.TimeStamper | None:
    url = settings.TIMESTAMP_URL
    return RequestsHTTPTimeStamper(url, timeout=TIMESTAMP_SECONDS) if url else None  # type: ignore[no-untyped-call]


def _what_it_is(unsigned: bytes) -> tuple[str, str | None]:
    """In words, with the id of the run, read from what travels inside, so that the two cannot differ; and the level that it prints."""
    try:
        reader = IncrementalPdfFileWriter(io.BytesIO(unsigned)).prev
        files, printed = attached_files(reader), printed_in(keywords_of(reader))
    except PdfError as error:
        raise ValueError("the unsigned report is not a PDF that can be read") from error
    if EVIDENCE_NAME in files:
        return f"Report of run {json.loads(files[EVIDENCE_NAME])['run']['id']}, as drawn from its evidence", printed
    if EXPORT_NAME in files:
        return f"Document made of run {json.loads(files[EXPORT_NAME])['run']}, as drawn from its evidence", printed
    raise ValueError("the unsigned report carries no evidence.json")
