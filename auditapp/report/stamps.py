"""Time stamps in a signed report: whose they are, whether they belong to it, and whether every byte of their containers is what it was.

A time stamp stands where no signature of ours covers it: in the signature's own container, or at the end of the file. So whoever holds a report could put another one in its place;
hence one that is far from the time that was signed, or of an authority that is not known here where some are, is a problem.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cryptography.x509
from asn1crypto import cms, core, x509
from cryptography.exceptions import InvalidSignature

from auditapp.report.container import written_der
from auditapp.report.long_term import Authorities, common_name, context_for_stamps, data_suffice

if TYPE_CHECKING:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import EmbeddedPdfSignature
    from pyhanko.sign.validation.dss import DocumentSecurityStore
    from pyhanko.sign.validation.status import PdfSignatureStatus, TimestampSignatureStatus

APART = datetime.timedelta(days=1)
"""Between the time that a signature states and that of its stamp: clocks differ, and an authority that does not answer has a report signed later with a later time."""
NOT_ITS_OWN = "its time stamp does not belong to it"
ALTERED = "its time stamp was altered (it holds something that was not verified)"
UNKNOWN = "its time stamp is of an authority that this installation does not know"


@dataclass(frozen=True)
class Stamp:
    at: datetime.datetime | None = None
    authority: str = ""
    vouched: bool = False
    """The authority is one that this installation names."""
    problems: tuple[str, ...] = ()


def dss_of(reader: PdfFileReader) -> DocumentSecurityStore | None:
    """What the file holds for its own later validation."""
    from pyhanko.sign.validation.dss import DocumentSecurityStore
    from pyhanko.sign.validation.errors import NoDSSFoundError

    try:
        return DocumentSecurityStore.read_dss(reader)
    except NoDSSFoundError:
        return None


def check_archive(data: bytes, reader: PdfFileReader, authorities: Authorities) -> tuple[datetime.datetime | None, list[str]]:
    """The time of the newest time stamp over the file, and what is wrong with any; (None, []) where there is none."""
    from pyhanko.sign.diff_analysis import ModificationLevel
    from pyhanko.sign.validation import validate_pdf_timestamp
    from pyhanko.sign.validation.status import SignatureCoverageLevel

    problems: list[str] = []
    at: datetime.datetime | None = None
    for stamp in reversed(reader.embedded_timestamp_signatures):
        # Those before the newest are judged at the time of the one that covers them
        status = validate_pdf_timestamp(stamp, context_for_stamps(authorities, dss_of(reader), at))
        if not (status.intact and status.valid):
            problems.append("the time stamp over it does not belong to it, or it was changed since")
        elif not status.trusted:
            problems.append("the time stamp over it is of an authority that this installation does not know")
        needed = SignatureCoverageLevel.ENTIRE_FILE if at is None else SignatureCoverageLevel.ENTIRE_REVISION
        if status.coverage < needed or (status.modification_level or ModificationLevel.NONE) > ModificationLevel.LTA_UPDATES:
            problems.append("something was added after it was signed")
        der = written_der(data, stamp)
        if der is None or not _is_whole(cms.ContentInfo.load(der)["content"], status.signing_cert, authorities, der):
            problems.append(ALTERED)
        at = at or status.timestamp
    return at, problems


def check_stamp(signature: EmbeddedPdfSignature, stamp: TimestampSignatureStatus | None, authorities: Authorities) -> Stamp:
    """The signature's own time stamp, as pyHanko found it."""
    if stamp is None:
        return Stamp()
    from pyhanko.sign.validation.generic_cms import extract_tst_data_iter

    problems = []
    token = next(extract_tst_data_iter(signature.signer_info, signed=False))
    if not (stamp.intact and stamp.valid):
        problems.append(NOT_ITS_OWN)
    elif authorities and not stamp.trusted:
        problems.append(UNKNOWN)
    stated = signature.self_reported_timestamp
    if stated is None or abs(stamp.timestamp - stated) > APART:
        problems.append("its time stamp is of another time than the signature states")
    if not _is_whole(token, stamp.signing_cert, authorities, cms.ContentInfo({"content_type": "signed_data", "content": token}).dump()):
        problems.append(ALTERED)
    return Stamp(stamp.timestamp, common_name(stamp.signing_cert), stamp.trusted, tuple(problems))


def level_of(status: PdfSignatureStatus, reader: PdfFileReader, authorities: Authorities, archived: bool) -> str:
    """The PAdES level that is really reached. Data for later validation count where they are complete, whatever the file says of itself."""
    stamp = status.timestamp_validity
    if stamp is None:
        return "B-B"
    if not data_suffice([status.signing_cert, stamp.signing_cert], authorities, dss_of(reader), stamp.timestamp):
        return "B-T"
    return "B-LTA" if archived else "B-LT"


def _is_whole(token: cms.SignedData, own: x509.Certificate, authorities: Authorities, der: bytes) -> bool:
    """Whether the token is, byte for byte, what RFC 3161 has written around what is signed; ``der``: its bytes. ``own``: the certificate that verified it, and that it names by its digest."""
    try:
        return _all_issued([choice.chosen for choice in token["certificates"]], own, authorities) and der == _rebuilt(token, own)
    except (ValueError, TypeError, KeyError):
        return False


def _rebuilt(token: cms.SignedData, own: x509.Certificate) -> bytes:
    [signer] = token["signer_infos"]
    kind = signer["sid"].name
    by_name = {"issuer": own.issuer, "serial_number": own.serial_number}
    digest = _algorithm(signer["digest_algorithm"])
    signed_by = {
        "version": "v1" if kind == "issuer_and_serial_number" else "v3",
        "sid": cms.SignerIdentifier({kind: cms.IssuerAndSerialNumber(by_name) if kind == "issuer_and_serial_number" else own.key_identifier}),
        "digest_algorithm": digest, "signed_attrs": cms.CMSAttributes.load(signer["signed_attrs"].untag().dump()), "signature_algorithm": _algorithm(signer["signature_algorithm"]),
        "signature": signer["signature"].native,
    }
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData({
        "version": "v3", "digest_algorithms": cms.DigestAlgorithms([_algorithm(token["digest_algorithms"][0])]),
        "encap_content_info": cms.EncapsulatedContentInfo({"content_type": "tst_info", "content": core.ParsableOctetString(bytes(token["encap_content_info"]["content"]))}),
        "certificates": cms.CertificateSet.load(token["certificates"].untag().dump()), "signer_infos": [cms.SignerInfo(signed_by)],
    })}).dump())


def _algorithm(one: Any) -> Any:
    """Written anew, without parameters or with the empty ones that some write; those of RSASSA-PSS are used in verifying."""
    parameters = one["parameters"].dump()
    name = one["algorithm"].native
    if parameters not in (b"", b"\x05\x00") and name != "rsassa_pss":
        raise ValueError("parameters that no such algorithm has")
    return type(one)({"algorithm": name, **({"parameters": one["parameters"]} if parameters else {})})


def _all_issued(certificates: Sequence[x509.Certificate], own: x509.Certificate, authorities: Authorities) -> bool:
    """Whether each of them is the one that the stamp names, or was issued by another of them or by an authority that is known here: nothing else says that it is what it was."""
    issuers = [cryptography.x509.load_der_x509_certificate(one.dump()) for one in (*certificates, *authorities.roots, *authorities.others)]
    return all(one.dump() == own.dump() or any(_issued(cryptography.x509.load_der_x509_certificate(one.dump()), issuer) for issuer in issuers) for one in certificates)


def _issued(certificate: cryptography.x509.Certificate, issuer: cryptography.x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
