"""Sign an unsigned report, or a document for others that was made of one: PAdES B-B (B-T with a time stamp authority), certified so that no change is allowed after it."""

from __future__ import annotations

import datetime
import io
import json
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from django.conf import settings
from pyhanko.keys import load_certs_from_pemder_data, load_private_key_from_pemder_data
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign import fields, signers, timestamps
from pyhanko.sign.timestamps.requests_client import RequestsHTTPTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from auditapp.report.attachment import EVIDENCE_NAME, EXPORT_NAME, attached_files
from auditapp.report.verify import check_pdf, common_name

FIELD_NAME = "PlumblineSignature"
TIMESTAMP_SECONDS = 20


class NoSigningKey(Exception):
    """The report cannot be signed now; the text says why. It waits as ``awaiting_signature``, and is not given out as final."""


@dataclass(frozen=True)
class Signed:
    bytes: bytes
    signer: str
    """Common name of the certificate."""
    signed_at: datetime.datetime
    """By this machine's clock, UTC, whole seconds: what the signature itself states."""


def sign_pdf(unsigned: bytes) -> Signed:
    """The report with an invisible certification signature over every byte of it.

    Raises NoSigningKey where the key or certificate cannot be read, do not belong together or have run out, or the time stamp
    authority does not answer. Raises ValueError where the signed bytes do not stand up to our own verification: a defect of ours.
    """
    signer = _load_signer(Path(settings.SIGNING_KEY), Path(settings.SIGNING_CERTIFICATE))
    assert signer.signing_cert is not None
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    certificate = signer.signing_cert
    if not certificate.not_valid_before <= now <= certificate.not_valid_after:
        raise NoSigningKey(f"the signing certificate is valid from {certificate.not_valid_before:%Y-%m-%d} to {certificate.not_valid_after:%Y-%m-%d} only")
    # One line end first: PDF/A asks for it before the incremental update (6.1.9-1), and the compiler leaves none
    stream = io.BytesIO(unsigned + b"\n")
    name = common_name(certificate)
    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD_NAME, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES, certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES, name=name, reason=_what_it_is(unsigned))
    # Out of bounds, never hidden: PDF/A refuses the hidden flag, PDF/UA refuses an untagged box on the page
    field = fields.SigFieldSpec(FIELD_NAME, invis_sig_settings=fields.InvisSigSettings(box_out_of_bounds=True), readable_field_name="Signature")
    out = io.BytesIO()
    try:
        signers.PdfSigner(metadata, signer, timestamper=_timestamper(), new_field_spec=field).sign_pdf(IncrementalPdfFileWriter(stream), output=out)
    except (timestamps.TimestampRequestError, OSError) as error:
        raise NoSigningKey(f"the time stamp authority did not answer: {error}") from error
    signed = out.getvalue()
    verdict = check_pdf(signed, [certificate])
    if not verdict.valid:
        raise ValueError(f"our own signature does not verify: {'; '.join(verdict.problems)}")
    return Signed(signed, name, now if verdict.signed_at is None else datetime.datetime.fromisoformat(verdict.signed_at))


def _load_signer(key_path: Path, certificate_path: Path) -> signers.SimpleSigner:
    try:
        key_data, certificate_data = key_path.read_bytes(), certificate_path.read_bytes()
    except OSError as error:
        raise NoSigningKey(f"the signing key cannot be read: {error.strerror}") from error
    try:
        key = load_private_key_from_pemder_data(key_data, passphrase=None)
        certificate, *chain = load_certs_from_pemder_data(certificate_data)
        private = serialization.load_der_private_key(key.dump(), password=None)
    except (ValueError, TypeError) as error:
        raise NoSigningKey("the signing key or its certificate is damaged") from error
    if _public_der(private) != certificate.public_key.dump():
        raise NoSigningKey("the signing key does not belong to the signing certificate")
    registry = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    registry.register_multiple(chain)
    return signers.SimpleSigner(signing_cert=certificate, signing_key=key, cert_registry=registry)


def _public_der(private: PrivateKeyTypes) -> bytes:
    return private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _timestamper() -> timestamps.TimeStamper | None:
    url = settings.TIMESTAMP_URL
    return RequestsHTTPTimeStamper(url, timeout=TIMESTAMP_SECONDS) if url else None  # type: ignore[no-untyped-call]


def _what_it_is(unsigned: bytes) -> str:
    """In words, with the id of the run, read from what travels inside, so that the two cannot differ."""
    try:
        files = attached_files(IncrementalPdfFileWriter(io.BytesIO(unsigned)).prev)
    except PdfError as error:
        raise ValueError("the unsigned report is not a PDF that can be read") from error
    if EVIDENCE_NAME in files:
        return f"Report of run {json.loads(files[EVIDENCE_NAME])['run']['id']}, as drawn from its evidence"
    if EXPORT_NAME in files:
        return f"Document made of run {json.loads(files[EXPORT_NAME])['run']}, as drawn from its evidence"
    raise ValueError("the unsigned report carries no evidence.json")
