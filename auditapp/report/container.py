"""The one place in a signed PDF that its signature does not cover is the signature container itself, /Contents.

A validator notices a flipped bit there only where it happens to look; the zero padding, the letter case of the hex digits and several
fields of the CMS structure are read by nobody. So the container must be, byte for byte, the one that would be written for what was verified.
"""

from __future__ import annotations

from collections.abc import Iterable

from asn1crypto import cms, x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pyhanko.sign.validation import EmbeddedPdfSignature


def container_problems(data: bytes, signature: EmbeddedPdfSignature, known: Iterable[x509.Certificate]) -> list[str]:
    """Sentences on what in the container of ``signature`` is not as it was written. ``known``: our certificates and their chains."""
    if not _says_its_gap(data, signature):
        return ["the signature does not say which bytes it covers in the one way that our reports do"]
    der = written_der(data, signature)
    if der is None:
        return ["the signature container was altered (its bytes are not those that were written)"]
    if der != _rebuilt(der, tuple(known)):
        return ["the signature container was altered (it holds something that no signature of ours has)"]
    return []


def written_der(data: bytes, signature: EmbeddedPdfSignature) -> bytes | None:
    """What stands in the container, a signature or a time stamp: DER in capital hex digits and zeros up to its end, byte for byte; None where it is written otherwise."""
    if not _says_its_gap(data, signature):
        return None
    begin, end = _gap(signature)
    written = data[begin + 1:end - 1]
    der = _der(written)
    return der if der is not None and written == der.hex().upper().encode().ljust(len(written), b"0") else None


def _says_its_gap(data: bytes, signature: EmbeddedPdfSignature) -> bool:
    begin, end = _gap(signature)
    return begin > 0 and data[begin:begin + 1] == b"<" and data[end - 1:end] == b">"


def _gap(signature: EmbeddedPdfSignature) -> tuple[int, int]:
    numbers = [int(number) for number in signature.byte_range]
    if len(numbers) != 4 or numbers[0] != 0:
        return 0, 0
    return numbers[1], numbers[2]


def _der(written: bytes) -> bytes | None:
    """The DER value at the start of the hex digits ``written``; its own length says where it ends and the padding begins."""
    try:
        raw = bytes.fromhex(written.decode("ascii"))
        return bytes(cms.ContentInfo.load(raw).dump())
    except (ValueError, TypeError):
        return None


def _rebuilt(der: bytes, known: tuple[x509.Certificate, ...]) -> bytes | None:
    """The container as we write it, from the parts that verification has looked at: attributes, signature, signer; all else is fixed."""
    try:
        signed_data = cms.ContentInfo.load(der)["content"]
        [signer] = signed_data["signer_infos"]
        serial = signer["sid"].chosen["serial_number"].native
        [own] = [certificate for certificate in known if certificate.serial_number == serial]
        inside = {choice.chosen.dump() for choice in signed_data["certificates"]}
        algorithm = {"algorithm": "sha256"}
        rebuilt_signer = {
            "version": "v1",
            "sid": cms.SignerIdentifier({"issuer_and_serial_number": cms.IssuerAndSerialNumber({"issuer": own.issuer, "serial_number": own.serial_number})}),
            "digest_algorithm": cms.DigestAlgorithm(algorithm),
            "signature_algorithm": cms.SignedDigestAlgorithm({"algorithm": _mechanism(own)}),
            "signed_attrs": cms.CMSAttributes.load(signer["signed_attrs"].untag().dump()),
            "signature": canonical_signature(signer["signature"].native, own),
        }
        # a time stamp token, which verification checks by itself, and nothing else
        stamps = [one for one in cms.CMSAttributes.load(signer["unsigned_attrs"].untag().dump()) if one["type"].native == "signature_time_stamp_token"] if signer["unsigned_attrs"] else []
        if stamps:
            rebuilt_signer["unsigned_attrs"] = cms.CMSAttributes(stamps[:1])
        rebuilt = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData({
            "version": "v1",
            "digest_algorithms": cms.DigestAlgorithms([cms.DigestAlgorithm(algorithm)]),
            "encap_content_info": {"content_type": "data"},
            "certificates": [certificate for certificate in known if certificate.dump() in inside],
            "signer_infos": [cms.SignerInfo(rebuilt_signer)],
        })})
        return bytes(rebuilt.dump())
    except (ValueError, TypeError, KeyError):
        return None


def canonical_signature(signature: bytes, certificate: x509.Certificate) -> bytes:
    """Of the two forms that anybody can turn an ECDSA signature into, (r, s) and (r, n - s), the one with the smaller s, which ours have; every other signature as it is."""
    public = load_der_public_key(certificate.public_key.dump())
    if not isinstance(public, ec.EllipticCurvePublicKey):
        return signature
    try:
        r, s = decode_dss_signature(signature)
    except ValueError:  # the room that is reserved before there is one
        return signature
    order = public.curve.group_order
    return encode_dss_signature(r, min(s, order - s)) if 0 < s < order else signature


def _mechanism(certificate: x509.Certificate) -> str:
    return "sha256_ecdsa" if certificate.public_key.algorithm == "ec" else "sha256_rsa"
