"""The key that signs: in a PEM file, in a PKCS#12 file, or on a token (PKCS#11), which it never leaves. Only the process that signs comes here."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

from asn1crypto import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import pkcs12
from django.conf import settings
from pyhanko.keys import load_certs_from_pemder_data, load_private_key_from_pemder_data
from pyhanko.sign import signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from auditapp.report.container import canonical_signature

SCHEME = "pkcs11:"
ADDRESS_PARTS = ("token", "object", "id", "module-path")
PROBE = b"whether the key on the token belongs to the certificate"


class NoSigningKey(Exception):
    """The report cannot be signed now; the text says why. It waits as ``awaiting_signature``, and is not given out as final."""


@contextmanager
def signing_key() -> Iterator[signers.Signer]:
    """The signer with the installation's key and its certificate, the first of the certificate file. Raises NoSigningKey where one of them cannot be used, and where a token fails meanwhile."""
    certificate, chain = _certificates(Path(settings.SIGNING_CERTIFICATE))
    now = datetime.datetime.now(datetime.UTC)
    if not certificate.not_valid_before <= now <= certificate.not_valid_after:
        raise NoSigningKey(f"the signing certificate is valid from {certificate.not_valid_before:%Y-%m-%d} to {certificate.not_valid_after:%Y-%m-%d} only")
    address = str(settings.SIGNING_KEY)
    if address.startswith(SCHEME):
        with _on_a_token(address, certificate, chain) as signer:
            yield signer
    else:
        yield _in_a_file(Path(address), certificate, chain)


class KeyInAFile(signers.SimpleSigner):
    """Signs in the one form that verification takes (`canonical_signature`)."""

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        return canonical_signature(await super().async_sign_raw(data, digest_algorithm, dry_run), self.signing_cert)


def _certificates(path: Path) -> tuple[x509.Certificate, list[x509.Certificate]]:
    try:
        certificate, *chain = load_certs_from_pemder_data(path.read_bytes())
    except OSError as error:
        raise NoSigningKey(f"the signing certificate cannot be read: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise NoSigningKey("the signing certificate is damaged") from error
    return certificate, chain


def _in_a_file(path: Path, certificate: x509.Certificate, chain: list[x509.Certificate]) -> signers.Signer:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NoSigningKey(f"the signing key cannot be read: {error.strerror}") from error
    passphrase = settings.SIGNING_PASSPHRASE.encode() or None
    try:
        private = _private_key(data, passphrase)
    except (ValueError, TypeError) as error:
        raise NoSigningKey("the signing key is damaged, or PLUMBLINE_SIGNING_PASSPHRASE is not its passphrase") from error
    if private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo) != certificate.public_key.dump():
        raise NoSigningKey("the signing key does not belong to the signing certificate")
    plain = private.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return KeyInAFile(signing_cert=certificate, signing_key=load_private_key_from_pemder_data(plain, passphrase=None), cert_registry=_store(chain))


def _private_key(data: bytes, passphrase: bytes | None) -> PrivateKeyTypes:
    """Of a PEM or PKCS#12 file. A passphrase that a plain PEM does not need is passed over, as it may be there for the other kind."""
    if b"-----BEGIN" in data:
        return serialization.load_pem_private_key(data, password=passphrase if b"ENCRYPTED" in data else None)
    key = pkcs12.load_key_and_certificates(data, passphrase)[0]
    if key is None:
        raise ValueError("no key in it")
    return key


def _store(chain: list[x509.Certificate]) -> SimpleCertificateStore:
    registry = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    registry.register_multiple(chain)
    return registry


@contextmanager
def _on_a_token(address: str, certificate: x509.Certificate, chain: list[x509.Certificate]) -> Iterator[signers.Signer]:
    from pkcs11.exceptions import PKCS11Error
    from pyhanko.config.pkcs11 import TokenCriteria
    from pyhanko.sign.pkcs11 import PKCS11Signer, open_pkcs11_session

    class OnAToken(PKCS11Signer):
        async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
            return canonical_signature(await super().async_sign_raw(data, digest_algorithm, dry_run), certificate)

    parts = _parts_of(address)
    criteria = TokenCriteria(label=parts["token"]) if "token" in parts else None
    try:
        session = open_pkcs11_session(parts["module-path"], token_criteria=criteria, user_pin=settings.SIGNING_PASSPHRASE or None)
    except (PKCS11Error, RuntimeError, OSError) as error:
        raise _no_token(error) from error
    with session:
        signer = OnAToken(
            session, signing_cert=certificate, key_label=parts.get("object"), key_id=parts["id"].encode("latin-1") if "id" in parts else None,
            use_raw_mechanism=certificate.public_key.algorithm == "ec")  # few tokens hash for a curve
        signer._cert_registry = _store(chain)  # it counts the signing certificate among the others, and would write it twice
        try:
            _probe(signer, certificate)
            yield signer
        except PKCS11Error as error:
            raise _no_token(error) from error


def _no_token(error: Exception) -> NoSigningKey:
    return NoSigningKey(f"the token with the signing key cannot be used: {str(error) or type(error).__name__}"[:300])


def _parts_of(address: str) -> dict[str, str]:
    """Of an address as RFC 7512 writes it: pkcs11:token=Audit;object=report?module-path=/usr/lib/softhsm/libsofthsm2.so."""
    path, _, query = address.removeprefix(SCHEME).partition("?")
    pairs = [part.partition("=") for part in [*path.split(";"), *query.split("&")] if part]
    parts = {name: unquote(value, encoding="latin-1" if name == "id" else "utf-8") for name, _, value in pairs}
    strange = next((name for name in parts if name not in ADDRESS_PARTS), None)
    if strange is not None:
        raise NoSigningKey(f"the address of the signing key has a part {strange!r}; known are {', '.join(ADDRESS_PARTS)}")
    if "module-path" not in parts or not ("object" in parts or "id" in parts):
        raise NoSigningKey("the address of the signing key must name the key (object or id) and the token's library (module-path)")
    return parts


def _probe(signer: signers.Signer, certificate: x509.Certificate) -> None:
    """A token does not show its keys, so whether it is the right one is seen from what it signs."""
    signature = asyncio.run(signer.async_sign_raw(PROBE, "sha256"))
    public = serialization.load_der_public_key(certificate.public_key.dump())
    try:
        if isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, PROBE, ec.ECDSA(hashes.SHA256()))
        elif isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, PROBE, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise NoSigningKey("the signing key does not belong to the signing certificate") from error
