from __future__ import annotations

import datetime
import io
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.keys import load_certs_from_pemder_data

from auditapp.report.sign import NoSigningKey, sign_pdf
from auditapp.report.verify import check_pdf
from auditapp.signing_identity import ensure_signing_identity

pytestmark = pytest.mark.slow


def write_pair(folder: Path, *, begin: datetime.datetime, days: int, time_stamping: bool = False) -> Path:
    """A key and certificate valid for ``days`` from ``begin``."""
    folder.mkdir(parents=True, exist_ok=True)
    # pyHanko's own authority for tests knows RSA only
    key = rsa.generate_private_key(65537, 2048) if time_stamping else ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A test's own")])
    builder = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=days)))
    if time_stamping:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    (folder / "certificate.pem").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return folder


def certificates(folder: Path) -> list[Any]:
    return list(load_certs_from_pemder_data((folder / "certificate.pem").read_bytes()))


def test_a_signed_report_names_its_run_and_forbids_changes(unsigned: bytes, own_key: Path) -> None:
    signed = sign_pdf(unsigned)
    assert signed.bytes.startswith(unsigned + b"\n")
    assert signed.signer.startswith("Plumbline installation ")
    assert abs(datetime.datetime.now(datetime.UTC) - signed.signed_at) < datetime.timedelta(minutes=10)
    with pikepdf.open(io.BytesIO(signed.bytes)) as pdf:
        [field] = pdf.Root.AcroForm.Fields
        assert "run_01example0000000000000000000" in str(field.V.Reason)
        assert str(field.V.SubFilter) == "/ETSI.CAdES.detached"
        assert pdf.Root.Perms.DocMDP.Reference[0].TransformParams.P == 1
        # Neither hidden (PDF/A) nor within the page (PDF/UA)
        assert not int(field.F) & 2
        assert float(field.Rect[0]) < 0


def test_no_key_no_signature(unsigned: bytes, settings: Any, tmp_path: Path) -> None:
    settings.SIGNING_KEY, settings.SIGNING_CERTIFICATE = tmp_path / "key.pem", tmp_path / "certificate.pem"
    with pytest.raises(NoSigningKey, match="cannot be read"):
        sign_pdf(unsigned)


@pytest.mark.parametrize(("begin_days_ago", "days"), [(400, 365), (-2, 30)])
def test_a_certificate_out_of_its_dates_does_not_sign(unsigned: bytes, settings: Any, tmp_path: Path, begin_days_ago: int, days: int) -> None:
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=begin_days_ago)
    folder = write_pair(tmp_path / "old", begin=begin, days=days)
    settings.SIGNING_KEY, settings.SIGNING_CERTIFICATE = folder / "key.pem", folder / "certificate.pem"
    with pytest.raises(NoSigningKey, match="is valid from"):
        sign_pdf(unsigned)


def test_a_key_of_another_certificate_does_not_sign(unsigned: bytes, own_key: Path, settings: Any, tmp_path: Path) -> None:
    ensure_signing_identity(tmp_path / "other")
    settings.SIGNING_KEY = tmp_path / "other" / "key.pem"
    with pytest.raises(NoSigningKey, match="does not belong"):
        sign_pdf(unsigned)


def test_a_damaged_key_does_not_sign(unsigned: bytes, own_key: Path, settings: Any, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    settings.SIGNING_KEY = tmp_path / "key.pem"
    with pytest.raises(NoSigningKey, match="damaged"):
        sign_pdf(unsigned)


def test_what_is_no_report_is_not_signed(own_key: Path) -> None:
    with pytest.raises(ValueError, match="not a PDF"):
        sign_pdf(b"not a PDF at all")
    plain = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(plain)
    with pytest.raises(ValueError, match=r"no evidence\.json"):
        sign_pdf(plain.getvalue())


def test_with_an_authority_the_time_is_stamped(unsigned: bytes, own_key: Path, settings: Any, authority: str) -> None:
    settings.TIMESTAMP_URL = authority
    verdict = check_pdf(sign_pdf(unsigned).bytes, certificates(own_key))
    assert verdict.valid
    assert verdict.time_source == "a time stamp authority: PAdES B-T"


def test_an_authority_that_does_not_answer_leaves_the_report_unsigned(unsigned: bytes, own_key: Path, settings: Any) -> None:
    settings.TIMESTAMP_URL = "http://127.0.0.1:9/"
    with pytest.raises(NoSigningKey, match="did not answer"):
        sign_pdf(unsigned)
