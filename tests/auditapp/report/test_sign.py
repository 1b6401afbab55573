from __future__ import annotations

import datetime
import io
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyhanko.keys import load_cert_from_pemder, load_certs_from_pemder_data
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.timestamps.requests_client import RequestsHTTPTimeStamper
from pyhanko_certvalidator import ValidationContext

from auditapp.report.long_term import authorities_in, context_for_signing
from auditapp.report.sign import FIELD_NAME, sign_pdf
from auditapp.report.signing_key import NoSigningKey
from auditapp.report.stamps import check_stamp
from auditapp.report.verify import check_pdf
from auditapp.signing_identity import ensure_signing_identity
from tests.auditapp.report.certificate_authority import CertificateAuthority, certificate_authority
from tests.auditapp.report.conftest import signer_in

pytestmark = pytest.mark.slow
STAMP_FLIPS = 120


def write_pair(folder: Path, *, begin: datetime.datetime, days: int) -> Path:
    """A key and certificate valid for ``days`` from ``begin``."""
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A test's own")])
    builder = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=days)))
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


@pytest.mark.parametrize(("asked", "reached"), [("", "B-T"), ("B-LTA", "B-LTA")])
def test_the_level_that_is_asked_for_is_reached_and_named(small_report: bytes, issued_key: Path, authority: CertificateAuthority, settings: Any, asked: str, reached: str) -> None:
    settings.SIGNATURE_LEVEL = asked
    signed = sign_pdf(small_report)
    verdict = check_pdf(signed.bytes, certificates(issued_key), authorities_in(authority.pem.read_bytes()))
    assert (verdict.problems, verdict.level, verdict.time_source) == ((), reached, f"the time stamp authority stamps: PAdES {reached}")
    assert authority.asked == (1 if asked else 0), "revoked certificates are asked for where the level needs it"
    stranger = check_pdf(signed.bytes, certificates(issued_key))
    assert stranger.level == "B-T", "without the roots, data for later validation lead nowhere"
    assert stranger.problems == (("the time stamp over it is of an authority that this installation does not know",) if asked == "B-LTA" else ())


def test_a_level_that_cannot_be_reached_leaves_the_report_unsigned(small_report: bytes, issued_key: Path, authority: CertificateAuthority, settings: Any) -> None:
    settings.SIGNATURE_LEVEL = "B-LTA"
    authority.silent = True
    with pytest.raises(NoSigningKey, match="later validation could not be had"):
        sign_pdf(small_report)
    authority.silent, authority.revoked = False, [certificates(issued_key)[0].serial_number]
    with pytest.raises(NoSigningKey, match="revoked"):
        sign_pdf(small_report)
    settings.AUTHORITIES = None
    with pytest.raises(NoSigningKey, match="PLUMBLINE_AUTHORITIES"):
        sign_pdf(small_report)


@pytest.mark.parametrize(("ask", "level"), [(True, "B-LT"), (False, "B-T")])
def test_data_for_later_validation_count_where_they_are_complete_and_are_an_addition_where_no_stamp_covers_them(
        small_report: bytes, issued_key: Path, authority: CertificateAuthority, ask: bool, level: str) -> None:
    """With certificates alone many call it B-LT; the EU's DSS does not either (test_structure.py)."""
    verdict = check_pdf(as_b_lt(small_report, issued_key, authority, ask=ask), certificates(issued_key), authorities_in(authority.pem.read_bytes()))
    assert (verdict.level, verdict.problems) == (level, ("something was added after it was signed",))


def as_b_lt(unsigned: bytes, key: Path, authority: CertificateAuthority, *, ask: bool = True) -> bytes:
    """Our report with data for later validation and no time stamp over them, which we do not make. ``ask``: with what the authority says of revoked certificates."""
    signer = signer_in(key)
    roots = [load_cert_from_pemder(authority.pem)]
    context = context_for_signing(authorities_in(authority.pem.read_bytes())) if ask else ValidationContext(trust_roots=roots, allow_fetching=False, revocation_mode="soft-fail")
    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD_NAME, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES, certify=True, docmdp_permissions=fields.MDPPerm.NO_CHANGES, embed_validation_info=True,
        validation_context=context, reason="Report")
    field = fields.SigFieldSpec(FIELD_NAME, invis_sig_settings=fields.InvisSigSettings(box_out_of_bounds=True), readable_field_name="Signature")
    stamper = RequestsHTTPTimeStamper(authority.address)
    return bytes(signers.PdfSigner(metadata, signer, timestamper=stamper, new_field_spec=field).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(unsigned + b"\n"))).getvalue())


@pytest.mark.parametrize("level", ["", "B-LTA"])
def test_no_flipped_bit_of_a_time_stamp_goes_unseen(small_report: bytes, issued_key: Path, authority: CertificateAuthority, settings: Any, level: str) -> None:
    """Nothing of ours covers a stamp: neither the one within the signature's container nor the one at the file's end."""
    settings.SIGNATURE_LEVEL = level
    signed, known = sign_pdf(small_report).bytes, authorities_in(authority.pem.read_bytes())
    begin = signed.rindex(b"/Contents <") + len(b"/Contents <")
    token = bytes.fromhex(signed[begin:signed.index(b">", begin)].decode())
    stamp = token.index(b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x04")  # id-ct-TSTInfo: the stamp begins a little before
    places = range(begin + 2 * (stamp - 40), begin + 2 * len(token.rstrip(b"\0")))
    chance = random.Random(11)
    missed = [(place, bit) for place, bit in ((place, chance.randrange(8)) for place in chance.sample(places, STAMP_FLIPS))
              if check_pdf(signed[:place] + bytes([signed[place] ^ 1 << bit]) + signed[place + 1:], certificates(issued_key), known).valid]
    assert missed == []


def test_a_time_stamp_of_another_day_or_of_a_stranger_is_a_problem(small_report: bytes, issued_key: Path, authority: CertificateAuthority, settings: Any, tmp_path: Path) -> None:
    """Whoever holds a report can have it stamped anew; what they get is not what was signed."""
    with certificate_authority(tmp_path / "elsewhere") as elsewhere:
        settings.TIMESTAMP_URL = elsewhere.address
        with pytest.raises(NoSigningKey, match="leads to nobody known"):
            sign_pdf(small_report)
        settings.AUTHORITIES = None
        signed = sign_pdf(small_report).bytes
    ours = certificates(issued_key)
    assert check_pdf(signed, ours).time_source == "a time stamp authority that calls itself stamps and is not among those known here: PAdES B-T"
    assert check_pdf(signed, ours, authorities_in(authority.pem.read_bytes())).problems == ("its time stamp is of an authority that this installation does not know",)
    signature: Any = SimpleNamespace(self_reported_timestamp=datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=2), signer_info=embedded(signed).signer_info)
    stamp: Any = SimpleNamespace(intact=True, valid=True, trusted=True, timestamp=datetime.datetime.now(datetime.UTC), signing_cert=ours[0])
    assert "its time stamp is of another time than the signature states" in check_stamp(signature, stamp, authorities_in(authority.pem.read_bytes())).problems


def embedded(pdf: bytes) -> Any:
    return PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures[-1]


def test_an_authority_that_does_not_answer_leaves_the_report_unsigned(unsigned: bytes, own_key: Path, settings: Any) -> None:
    settings.TIMESTAMP_URL = "http://127.0.0.1:9/"
    with pytest.raises(NoSigningKey, match="did not answer"):
        sign_pdf(unsigned)
