"""A report says at which level it is signed, before it is signed; what it says is what verification finds."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms
from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.signers.pdf_signer import DSSContentSettings
from pyhanko.sign.timestamps.requests_client import RequestsHTTPTimeStamper

from auditapp.report.long_term import authorities_in, context_for_signing
from auditapp.report.sign import FIELD_NAME, sign_pdf
from auditapp.report.signature_level import compared, in_words, keyword, levels_asked, printed_in
from auditapp.report.signing_key import NoSigningKey
from auditapp.report.verify import Verdict, check_pdf
from automl.evidence import canonical_json
from tests.auditapp.report.certificate_authority import CertificateAuthority
from tests.auditapp.report.conftest import signer_in
from tests.evidence_example import make_evidence
from workers.render import PDF_NAME, STATEMENTS_NAME, render_bundle
from workers.signature import sign_drafts

LEVELS = ("B-LTA", "B-T", "B-B")
NOWHERE = "http://127.0.0.1:9/"


@pytest.mark.parametrize(("url", "level", "least", "asked"), [
    ("", "", "", ("B-B",)), ("", "", "B-T", ("B-B",)), ("x", "", "", ("B-T",)), ("x", "", "B-B", ("B-T", "B-B")), ("x", "B-LTA", "", ("B-LTA",)), ("x", "B-LTA", "B-T", ("B-LTA", "B-T")), ("x", "B-LTA", "B-B", LEVELS),
])
def test_no_less_is_signed_than_the_operator_takes(settings: Any, url: str, level: str, least: str, asked: tuple[str, ...]) -> None:
    settings.TIMESTAMP_URL, settings.SIGNATURE_LEVEL, settings.SIGNATURE_AT_LEAST = url, level, least
    assert levels_asked() == asked


def test_the_level_is_read_from_the_keywords_alone() -> None:
    assert [printed_in(f"Plumbline, run run_1, {keyword(level)}") for level in LEVELS] == list(LEVELS)
    assert printed_in("Plumbline, run run_1, report version 1") is None
    assert printed_in("signature PAdES B-LT") is None
    assert in_words("B-T", "B-T") in in_words("B-T", "B-LTA")
    assert in_words("B-T", "B-LTA").endswith("B-LTA was asked for: what the authorities say of revoked certificates could not be had")


@pytest.mark.parametrize(("printed", "found", "what"), [
    (None, "B-T", ""), ("B-T", "B-T", ""), ("B-T", "B-B", "problem"), ("B-LTA", "B-T", "problem"), ("B-LTA", "B-LT", "problem"), ("B-B", "B-T", "problem"), ("B-T", "B-LTA", "remark"),
])
def test_less_than_is_printed_is_a_problem_and_so_is_a_stamp_where_none_is_printed(printed: str | None, found: str, what: str) -> None:
    problem, remark = compared(printed, found)
    assert (bool(problem), bool(remark)) == (what == "problem", what == "remark")


@pytest.fixture(scope="module")
def drawn(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example drawn for an installation that asks for B-LTA and takes less."""
    folder = shutil.copytree(bundle, tmp_path_factory.mktemp("levels") / "bundle")
    draw_again(folder, LEVELS)
    return folder


def draw_again(folder: Path, levels: tuple[str, ...]) -> None:
    from auditapp.statements.document import nothing_said

    evidence = make_evidence()
    (folder / STATEMENTS_NAME).write_bytes(canonical_json(nothing_said(evidence.run.id, evidence.digest).model_dump(mode="json")))
    render_bundle(folder, again=True, levels=levels)


@pytest.fixture
def drafts(drawn: Path, tmp_path: Path, issued_key: Path, settings: Any) -> Path:
    settings.SIGNATURE_LEVEL, settings.SIGNATURE_AT_LEAST = "B-LTA", "B-B"
    return shutil.copytree(drawn, tmp_path / "drafts")


def verdict_on(signed: bytes, key: Path, authority: CertificateAuthority) -> Verdict:
    return check_pdf(signed, list(load_certs_from_pemder_data((key / "certificate.pem").read_bytes())), authorities_in(authority.pem.read_bytes()))


def words_of(pdf: Path) -> str:
    return " ".join(subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.slow
@pytest.mark.parametrize(("fails", "reached"), [("", "B-LTA"), ("revocation", "B-T"), ("stamp", "B-B")])
def test_the_level_on_the_page_is_the_one_that_is_reached(drafts: Path, issued_key: Path, authority: CertificateAuthority, settings: Any, fails: str, reached: str) -> None:
    authority.silent = fails == "revocation"
    if fails == "stamp":
        settings.TIMESTAMP_URL = NOWHERE
    signed = sign_drafts(drafts)
    assert signed.bytes.startswith((drafts / PDF_NAME).read_bytes() + b"\n"), "what is kept as unsigned is what was signed"
    assert [path.name for path in drafts.glob("*.pdf")] == [PDF_NAME]
    verdict = verdict_on(signed.bytes, issued_key, authority)
    assert (verdict.problems, verdict.level) == ((), reached)
    on_paper = words_of(drafts / PDF_NAME)
    assert "Level of the signature" in on_paper
    assert set(re.findall(r"PAdES (B-[A-Z]+)", on_paper)) == {reached}
    assert ("B-LTA was asked for" in on_paper, "did not answer" in on_paper, "could not be had" in on_paper) == (fails != "", fails == "stamp", fails == "revocation")


@pytest.mark.slow
def test_where_no_less_is_taken_the_report_waits_for_what_was_asked(drafts: Path, authority: CertificateAuthority, settings: Any) -> None:
    asked = (drafts / PDF_NAME).read_bytes()
    settings.SIGNATURE_AT_LEAST, authority.silent = "", True
    with pytest.raises(NoSigningKey, match="later validation could not be had"):
        sign_drafts(drafts)
    settings.SIGNATURE_AT_LEAST, settings.TIMESTAMP_URL = "B-T", NOWHERE
    with pytest.raises(NoSigningKey, match="did not answer"):
        sign_drafts(drafts)
    assert (drafts / PDF_NAME).read_bytes() == asked


@pytest.mark.slow
def test_a_revoked_certificate_is_no_reason_to_ask_for_less(drafts: Path, issued_key: Path, authority: CertificateAuthority) -> None:
    authority.revoked = [load.serial_number for load in load_certs_from_pemder_data((issued_key / "certificate.pem").read_bytes())]
    with pytest.raises(NoSigningKey, match="revoked"):
        sign_drafts(drafts)


@pytest.mark.slow
def test_the_same_evidence_and_level_give_the_same_bytes(drawn: Path, bundle: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(bundle, tmp_path / "again")
    draw_again(folder, LEVELS)
    assert {path.name: path.read_bytes() for path in folder.glob("*.pdf")} == {path.name: path.read_bytes() for path in drawn.glob("*.pdf")}
    draw_again(folder, ("B-B",))
    assert (folder / PDF_NAME).read_bytes() != (drawn / "audit.unsigned.B-B.pdf").read_bytes(), "the one was asked for, the other took the place of more"
    assert (folder / "page-one.png").read_bytes() == (drawn / "page-one.png").read_bytes()


@pytest.mark.slow
def test_a_time_stamp_that_was_taken_away_is_missed(drafts: Path, issued_key: Path, authority: CertificateAuthority) -> None:
    """It stands in the container, which no signature covers: what is left is a sound B-B signature of ours."""
    signed = sign_pdf((drafts / "audit.unsigned.B-T.pdf").read_bytes()).bytes
    begin = signed.rindex(b"/Contents <") + len(b"/Contents <")
    end = signed.index(b">", begin)
    written = cms.ContentInfo.load(bytes.fromhex(signed[begin:end].decode()))
    [signer] = written["content"]["signer_infos"]
    del signer["unsigned_attrs"]
    without = written.dump(force=True).hex().upper().encode().ljust(end - begin, b"0")
    assert verdict_on(signed, issued_key, authority).valid
    assert verdict_on(signed[:begin] + without + signed[end:], issued_key, authority).problems == ("its pages say PAdES B-T, and B-B is what is found",)


@pytest.mark.slow
def test_a_stamp_that_the_pages_do_not_speak_of_is_a_problem_and_an_archives_is_said(drafts: Path, issued_key: Path, authority: CertificateAuthority) -> None:
    stamped = verdict_on(as_others_sign(drafts / "audit.unsigned.B-B.pdf", issued_key, authority), issued_key, authority)
    assert stamped.problems == ("its pages say PAdES B-B, and B-T is what is found",)
    archived = verdict_on(as_others_sign(drafts / "audit.unsigned.B-T.pdf", issued_key, authority, archive=True), issued_key, authority)
    assert (archived.problems, archived.level) == ((), "B-LTA")
    assert archived.time_source.endswith(": PAdES B-LTA; its pages say B-T: the rest was added by whoever keeps it")


def as_others_sign(unsigned: Path, key: Path, authority: CertificateAuthority, *, archive: bool = False) -> bytes:
    """Stamped, whatever the pages say."""
    later: dict[str, Any] = {
        "embed_validation_info": True, "use_pades_lta": True, "validation_context": context_for_signing(authorities_in(authority.pem.read_bytes())), "dss_settings": DSSContentSettings(include_vri=False),
    } if archive else {}
    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD_NAME, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES, certify=True, docmdp_permissions=fields.MDPPerm.NO_CHANGES, reason="Report", **later)
    field = fields.SigFieldSpec(FIELD_NAME, invis_sig_settings=fields.InvisSigSettings(box_out_of_bounds=True), readable_field_name="Signature")
    stamper = RequestsHTTPTimeStamper(authority.address)
    return bytes(signers.PdfSigner(metadata, signer_in(key), timestamper=stamper, new_field_spec=field).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(unsigned.read_bytes() + b"\n"))).getvalue())
