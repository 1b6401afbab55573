"""The key an installation signs its reports with, made once when nobody brought one: P-256, self-signed, private to its owner.

A self-made certificate proves that a report is unchanged and came from this installation, not who runs it; production brings
its own by ``PLUMBLINE_SIGNING_KEY`` and ``PLUMBLINE_SIGNING_CERTIFICATE``.
"""

from __future__ import annotations

import datetime
import os
import shutil
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

YEARS_VALID = 10
"""Longer than any retention rule the reports answer to: without a time stamp, a signature is only as good as its certificate's dates."""


def ensure_signing_identity(folder: Path) -> None:
    """Make ``folder/key.pem`` (mode 0600) and ``folder/certificate.pem`` unless they exist. Two first starts at once end with one pair."""
    if (folder / "key.pem").exists() and (folder / "certificate.pem").exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Made aside and moved as a whole, so that nobody ever meets a key without its certificate
    aside = Path(tempfile.mkdtemp(prefix=".signing-", dir=folder.parent))
    try:
        _write_pair(aside)
        aside.rename(folder)
    except OSError:
        # Renaming onto a folder that holds something is refused: another process was first, and its pair stands
        if not (folder / "certificate.pem").exists():
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _write_pair(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with os.fdopen(os.open(folder / "key.pem", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    (folder / "certificate.pem").write_bytes(_self_signed(key).public_bytes(serialization.Encoding.PEM))


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    short = x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest.hex()[:8]
    name = x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Plumbline"),
        x509.NameAttribute(NameOID.COMMON_NAME, f"Plumbline installation {short}"),
    ])
    # One day back: the clock of the machine that verifies may be behind
    begin = datetime.datetime.now(datetime.UTC).replace(microsecond=0) - datetime.timedelta(days=1)
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=False, data_encipherment=False, key_agreement=False,
        key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False)
    return (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=365 * YEARS_VALID))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
