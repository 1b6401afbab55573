"""Keys of every kind sign the same report; what cannot be used is said in one sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import load_pem_x509_certificate
from pyhanko.keys import load_certs_from_pemder_data

from auditapp.report.sign import sign_pdf
from auditapp.report.signing_key import NoSigningKey, signing_key
from auditapp.report.verify import check_pdf
from auditapp.signing_identity import ensure_signing_identity

PIN = "1234"
TOKENS = Path(os.environ.get("SOFTHSM2_MODULE", "/usr/lib/softhsm/libsofthsm2.so"))
"""SoftHSM: a token in files (Debian: softhsm2)."""


def private_key(folder: Path) -> Any:
    return serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)


def valid(small_report: bytes, folder: Path) -> bool:
    return check_pdf(sign_pdf(small_report).bytes, list(load_certs_from_pemder_data((folder / "certificate.pem").read_bytes()))).valid


@pytest.mark.slow
def test_a_pkcs12_file_and_an_encrypted_pem_sign_with_their_passphrase(small_report: bytes, own_key: Path, settings: Any, tmp_path: Path) -> None:
    key, encryption = private_key(own_key), serialization.BestAvailableEncryption(b"open sesame")
    (tmp_path / "signing_key").write_bytes(pkcs12.serialize_key_and_certificates(b"report", key, load_pem_x509_certificate((own_key / "certificate.pem").read_bytes()), None, encryption))
    (tmp_path / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))
    for name in ("signing_key", "key.pem"):
        settings.SIGNING_KEY, settings.SIGNING_PASSPHRASE = tmp_path / name, "open sesame"
        assert valid(small_report, own_key), name
        for wrong in ("", "open barley"):
            settings.SIGNING_PASSPHRASE = wrong
            with pytest.raises(NoSigningKey, match="PLUMBLINE_SIGNING_PASSPHRASE is not its passphrase"), signing_key():
                pass


@pytest.mark.parametrize(("address", "words"), [
    ("pkcs11:token=Audit?module-path=/x.so", "must name the key"), ("pkcs11:object=report", "must name the key"), ("pkcs11:object=report;slot-id=3?module-path=/x.so", "a part 'slot-id'"),
    ("pkcs11:object=report?module-path=/nonexistent.so", "the token with the signing key cannot be used"),
])
def test_an_address_of_a_token_that_leads_nowhere_is_refused_in_words(own_key: Path, settings: Any, address: str, words: str) -> None:
    settings.SIGNING_KEY = address
    with pytest.raises(NoSigningKey, match=words), signing_key():
        pass


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a token named Audit in it, and the certificates of its two keys."""
    tool = shutil.which("softhsm2-util") or str(TOKENS.parent.parent.parent / "bin" / "softhsm2-util")
    if not TOKENS.exists() or not Path(tool).exists():
        pytest.skip("no token to sign with is at hand (Debian: softhsm2)")
    folder = tmp_path_factory.mktemp("tokens")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")  # read once, when the library is loaded

    def use(*arguments: str) -> None:
        subprocess.run([tool, "--module", str(TOKENS), *arguments], check=True, capture_output=True)

    use("--init-token", "--free", "--label", "Audit", "--so-pin", PIN, "--pin", PIN)
    for name, number in (("report", "a1"), ("other", "b2")):
        ensure_signing_identity(folder / name)
        use("--import", str(folder / name / "key.pem"), "--token", "Audit", "--label", name, "--id", number, "--pin", PIN)
    return folder


@pytest.mark.slow
def test_a_key_on_a_token_signs_and_never_leaves_it(small_report: bytes, own_key: Path, settings: Any, token: Path) -> None:
    settings.SIGNING_CERTIFICATE, settings.SIGNING_PASSPHRASE = token / "report" / "certificate.pem", PIN
    for key in ("object=report", "id=%A1"):
        settings.SIGNING_KEY = f"pkcs11:token=Audit;{key}?module-path={TOKENS}"
        assert valid(small_report, token / "report"), key
    settings.SIGNING_KEY = f"pkcs11:token=Audit;object=other?module-path={TOKENS}"
    with pytest.raises(NoSigningKey, match="does not belong"), signing_key():
        pass
    for address, pin in ((f"pkcs11:token=Audit;object=absent?module-path={TOKENS}", PIN), (f"pkcs11:token=Elsewhere;object=report?module-path={TOKENS}", PIN),
                         (f"pkcs11:token=Audit;object=report?module-path={TOKENS}", "9999")):
        settings.SIGNING_KEY, settings.SIGNING_PASSPHRASE = address, pin
        with pytest.raises(NoSigningKey, match="token with the signing key cannot be used"), signing_key():
            pass


def test_a_certificate_that_cannot_be_read_is_said(own_key: Path, settings: Any, tmp_path: Path) -> None:
    settings.SIGNING_CERTIFICATE = tmp_path / "absent.pem"
    with pytest.raises(NoSigningKey, match="the signing certificate cannot be read"), signing_key():
        pass
    (tmp_path / "certificate.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    settings.SIGNING_CERTIFICATE = tmp_path / "certificate.pem"
    with pytest.raises(NoSigningKey, match="the signing certificate is damaged"), signing_key():
        pass
