"""Verification finds every change, says it in words, and survives what strangers send."""

from __future__ import annotations

import hashlib
import io
import json
import random
import subprocess
import sys
import zlib
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from asn1crypto import cms, core
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from django.conf import settings as django_settings
from django.core.management import call_command
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers

from auditapp import ledger
from auditapp.report import verify
from auditapp.report.render import Attachment, compile_pdf
from auditapp.report.sign import sign_pdf
from auditapp.report.verify import Verdict, check_pdf, verify_in_child
from auditapp.signing_identity import ensure_signing_identity
from automl.evidence import canonical_json
from tests.auditapp.report.conftest import draw_bundle, signer_in
from tests.auditapp.report.test_render import document
from tests.evidence_example import make_evidence

pytestmark = pytest.mark.slow

FLIPS = 300


def container_of(signed: bytes) -> tuple[int, int]:
    """First and one past the last byte of /Contents, angle brackets included."""
    begin = signed.rindex(b"/Contents <") + len(b"/Contents ")
    return begin, signed.index(b">", begin) + 1


def flipped(data: bytes, position: int, bit: int) -> bytes:
    changed = bytearray(data)
    changed[position] ^= 1 << bit
    return bytes(changed)


def test_an_unchanged_report_is_valid_and_says_who_when_and_which_run(signed: bytes, ours: list[Any]) -> None:
    verdict = check_pdf(signed, ours)
    assert verdict.valid
    assert verdict.problems == ()
    assert verdict.signer is not None
    assert verdict.signer.startswith("Plumbline installation")
    assert verdict.signed_at is not None
    assert verdict.signed_at.endswith("+00:00")
    assert verdict.run == "run_01example0000000000000000000"
    assert verdict.digest == make_evidence().digest


@pytest.mark.filterwarnings("ignore::UserWarning")  # asn1crypto warns of what the flips make of the certificate's dates
@pytest.mark.parametrize("inside", [False, True], ids=["outside", "inside"])
def test_every_flipped_bit_is_found(signed: bytes, ours: list[Any], inside: bool) -> None:
    begin, end = container_of(signed)
    chance = random.Random(20261121)
    places = list(range(begin, end)) if inside else [place for place in range(len(signed)) if not begin <= place < end]
    missed = [(place, bit) for place, bit in ((chance.choice(places), chance.randrange(8)) for _ in range(FLIPS)) if check_pdf(flipped(signed, place, bit), ours).valid]
    assert missed == []


def test_flips_in_padding_and_letter_case_are_found_by_the_container_alone(signed: bytes, ours: list[Any]) -> None:
    begin, end = container_of(signed)
    padding = end - 20
    assert signed[padding:padding + 1] == b"0"
    letter = next(place for place in range(begin + 1, end) if signed[place:place + 1] in b"ABCDEF")
    for place, bit in ((padding, 0), (letter, 5)):
        verdict = check_pdf(flipped(signed, place, bit), ours)
        assert verdict.problems == ("the signature container was altered (its bytes are not those that were written)",)


@pytest.mark.parametrize("what", ["nothing", "other form of the signature", "an attribute that nobody signed"])
def test_a_container_written_anew_is_found(signed: bytes, ours: list[Any], what: str) -> None:
    """Anybody can turn (r, s) into (r, n - s), which every signature check takes, and add attributes that no signature covers."""
    begin, end = container_of(signed)
    written = cms.ContentInfo.load(bytes.fromhex(signed[begin + 1:end - 1].decode()))
    [signer] = written["content"]["signer_infos"]
    if what == "other form of the signature":
        r, s = decode_dss_signature(signer["signature"].native)
        signer["signature"] = encode_dss_signature(r, ec.SECP256R1().group_order - s)
    elif what == "an attribute that nobody signed":
        signer["unsigned_attrs"] = cms.CMSAttributes([cms.CMSAttribute({"type": "1.3.6.1.4.1.99999.1", "values": [core.UTF8String("Approved")]})])
    anew = written.dump(force=True).hex().upper().encode().ljust(end - begin - 2, b"0")
    verdict = check_pdf(signed[:begin + 1] + anew + signed[end - 1:], ours)
    assert verdict.problems == (() if what == "nothing" else ("the signature container was altered (it holds something that no signature of ours has)",))


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.9999])
def test_truncated(signed: bytes, ours: list[Any], keep: float) -> None:
    verdict = check_pdf(signed[:int(len(signed) * keep)], ours)
    assert not verdict.valid
    assert verdict.is_pdf


@pytest.mark.parametrize("more", [b"\n", b"x", b"\n%%EOF\n", b"1 0 obj\n<<>>\nendobj\n"])
def test_appended_bytes(signed: bytes, ours: list[Any], more: bytes) -> None:
    assert not check_pdf(signed + more, ours).valid


def test_an_incremental_update_after_signing(signed: bytes, ours: list[Any]) -> None:
    writer = IncrementalPdfFileWriter(io.BytesIO(signed))
    writer.set_info(writer.add_object(generic.DictionaryObject({generic.NameObject("/Title"): generic.TextStringObject("Another title")})))
    out = io.BytesIO()
    writer.write(out)
    verdict = check_pdf(out.getvalue(), ours)
    assert not verdict.valid
    assert "something was added after it was signed" in verdict.problems


def test_another_signer_is_unknown(unsigned: bytes, ours: list[Any], settings: Any, tmp_path: Path) -> None:
    ensure_signing_identity(tmp_path / "stranger")
    settings.SIGNING_KEY, settings.SIGNING_CERTIFICATE = tmp_path / "stranger" / "key.pem", tmp_path / "stranger" / "certificate.pem"
    verdict = check_pdf(sign_pdf(unsigned).bytes, ours)
    assert not verdict.valid
    # Nobody has altered it, and nothing says that somebody has
    assert verdict.problems == ("it was signed by somebody else: this installation does not know the certificate",)


def test_changed_content_is_not_blamed_on_the_certificate(signed: bytes, ours: list[Any]) -> None:
    changed = bytearray(signed)
    changed[len(changed) // 3] ^= 1
    verdict = check_pdf(bytes(changed), ours)
    assert "its content was changed after it was signed" in verdict.problems
    assert "its certificate was not valid when this was checked" not in verdict.problems


def test_no_certificates_trust_nobody(signed: bytes) -> None:
    assert not check_pdf(signed, []).valid


def test_unsigned_and_not_a_pdf(unsigned: bytes, ours: list[Any]) -> None:
    assert check_pdf(unsigned, ours) == Verdict(False, problems=("it carries no signature",))
    assert check_pdf(b"PK\x03\x04 something else", ours) == Verdict(False, problems=("this is not a PDF",), is_pdf=False)
    assert not check_pdf(b"%PDF-1.7\n" + b"\x00" * 1000, ours).valid


def test_evidence_that_is_not_its_digests_is_said_even_where_the_signature_holds(own_key: Path, ours: list[Any], tmp_path: Path) -> None:
    """Signed by us or not: an evidence.json that was changed before signing does not match what it says of itself."""
    evidence = make_evidence()
    folder = draw_bundle(evidence.model_copy(update={"digest": "0" * 64}), tmp_path / "bundle")
    with pytest.raises(ValueError, match="does not match its own digest"):
        sign_pdf((folder / "audit.unsigned.pdf").read_bytes())
    assert canonical_json(evidence.model_dump(mode="json")) != (folder / "evidence.json").read_bytes()


def report_with(own_key: Path, evidence_bytes: bytes, digest: str, listed: bytes, text: str = "Nothing.") -> bytes:
    """A small report, signed by our key without our own look at it."""
    attachments = [Attachment("evidence.json", evidence_bytes, "application/json", "data", "e"), Attachment("manifest.sha256", listed, "text/plain", "supplement", "m")]
    unsigned = compile_pdf(document(blocks=[{"kind": "text", "text": text}], keywords=[f"evidence {digest}"]), {}, attachments)
    signer = signer_in(own_key)
    metadata = signers.PdfSignatureMetadata(field_name="S", md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES, certify=True, docmdp_permissions=fields.MDPPerm.NO_CHANGES)
    return signers.PdfSigner(metadata, signer).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(unsigned + b"\n"))).getvalue()


def test_attachments_that_are_not_those_listed_are_said_and_numbers_that_are_not_the_evidences_named(own_key: Path, ours: list[Any]) -> None:
    evidence = make_evidence()
    data, digest = canonical_json(evidence.model_dump(mode="json")), evidence.digest
    right = f"{hashlib.sha256(data).hexdigest()}  evidence.json\n".encode()
    good = check_pdf(report_with(own_key, data, digest, right, "A rate of 0.294, not 0.2949."), ours, numbers=True)
    assert good.valid, good.problems
    assert good.numbers == "on its pages stand numbers that no attached document has: 0.2949"
    for listed, problem in (
        (b"0" * 64 + b"  evidence.json\n", "its attachment evidence.json is not the one that it lists"), (b"", "its attachment evidence.json is not on its list"),
        (right + b"0" * 64 + b"  lock.txt\n", "its attachment lock.txt is missing"),
    ):
        assert check_pdf(report_with(own_key, data, digest, listed), ours).problems == (problem,)


def test_the_child_says_the_same(signed: bytes, own_key: Path, tmp_path: Path) -> None:
    (tmp_path / "audit.pdf").write_bytes(signed)
    verdict = verify_in_child(tmp_path / "audit.pdf")
    assert verdict.valid
    assert verdict.run == "run_01example0000000000000000000"
    (tmp_path / "changed.pdf").write_bytes(flipped(signed, 5000, 0))
    assert not verify_in_child(tmp_path / "changed.pdf").valid


@pytest.mark.parametrize(("run_id", "shown"), [("\ud800", "[U+D800]"), ("r" * 3_000_000, "r" * 299 + "\N{HORIZONTAL ELLIPSIS}"), ("\x1b]0;x\x07\u202er", "[U+001B]]0;x[U+0007][U+202E]r")])
def test_what_a_strangers_report_says_of_itself_is_cut_and_cannot_steer_a_page_or_a_terminal(
    run_id: str, shown: str, own_key: Path, tmp_path: Path, client: Any, monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As the child prints it for a PDF of a stranger's making, whose evidence names this run
    verdict = asdict(Verdict(False, signer=run_id, run=run_id, problems=(run_id,)))
    monkeypatch.setattr(verify.subprocess, "run", lambda *_, **__: SimpleNamespace(stdout=json.dumps(verdict).encode()))
    heard = verify_in_child(tmp_path / "any.pdf")
    assert (heard.run, heard.signer, heard.problems) == (shown, shown, (shown,))
    file = io.BytesIO(b"%PDF-")
    file.name = "r.pdf"
    answer = client.post("/verify", {"file": file})
    assert answer.status_code == 200
    assert shown in answer.content.decode()


def test_the_child_imports_no_django(signed: bytes, own_key: Path, tmp_path: Path) -> None:
    (tmp_path / "audit.pdf").write_bytes(signed)
    code = ("import sys; sys.argv = ['verify', sys.argv[1], '--trust', sys.argv[2]]; from auditapp.report import verify; verify.main(sys.argv[1:]); "
            "print(sorted({name.split('.')[0] for name in sys.modules} & {'django', 'pandas', 'typst', 'vl_convert', 'celery', 'pydantic'}))")
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "audit.pdf"), str(own_key / "certificate.pem")], cwd=django_settings.BASE_DIR, capture_output=True, text=True, check=True)
    assert '"valid": true' in done.stdout
    assert done.stdout.rstrip().endswith("[]")


def bomb() -> bytes:
    """A PDF whose embedded files' tree is a stream that unpacks to 256 MiB of spaces."""
    packer = zlib.compressobj(9)
    block = b" " * 2**24
    packed = b"".join(packer.compress(block) for _ in range(16)) + packer.flush()
    head = b"%PDF-1.7\n"
    stream = b"1 0 obj\n<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>\nstream\n" % len(packed) + packed + b"\nendstream\nendobj\n"
    xref_at = len(head) + len(stream)
    entries = bytes([1]) + len(head).to_bytes(4, "big") + bytes([0]) + bytes([2]) + (1).to_bytes(4, "big") + bytes([0])
    xref = b"3 0 obj\n<</Type/XRef/Size 4/Root 2 0 R/W[1 4 1]/Index[1 2]/Length %d>>\nstream\n" % len(entries) + entries + b"\nendstream\nendobj\n"
    return head + stream + xref + b"startxref\n%d\n%%%%EOF" % xref_at


def test_a_bomb_ends_at_the_limits(own_key: Path, tmp_path: Path) -> None:
    (tmp_path / "bomb.pdf").write_bytes(bomb())
    assert (tmp_path / "bomb.pdf").stat().st_size < 2**20
    verdict = verify_in_child(tmp_path / "bomb.pdf")
    assert not verdict.valid
    assert "exceeds the limit" in verdict.problems[0]


def test_too_large_a_file_is_not_even_read(own_key: Path, tmp_path: Path) -> None:
    with (tmp_path / "large.pdf").open("wb") as file:
        file.write(b"%PDF-1.7\n")
        file.truncate(verify.MAX_BYTES + 1)
    verdict = verify_in_child(tmp_path / "large.pdf")
    assert verdict.problems == ("it is larger than 64 MiB, which no report of ours is",)


@pytest.mark.django_db
def test_the_command_exits_0_1_and_2(signed: bytes, own_key: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good.pdf").write_bytes(signed)
    (tmp_path / "bad.pdf").write_bytes(flipped(signed, 9_000, 3))
    (tmp_path / "no.pdf").write_text("plain text")
    call_command("verify", str(tmp_path / "good.pdf"))
    said_of_good = capsys.readouterr().out
    assert "intact. Signed by Plumbline installation" in said_of_good
    assert "Every number on its pages is one of the attached evidence's, at the digits printed." in said_of_good
    assert "The ledger of this installation does not have this file" in said_of_good
    ledger.append(None, "service", "report.signed", "run_x", {"pdf_sha256": hashlib.sha256(signed).hexdigest()})
    call_command("verify", str(tmp_path / "good.pdf"))
    assert "The ledger of this installation has this very file." in capsys.readouterr().out
    for name, code in (("bad.pdf", 1), ("no.pdf", 2), ("absent.pdf", 2)):
        with pytest.raises(SystemExit) as ended:
            call_command("verify", str(tmp_path / name))
        assert ended.value.code == code, name
    said = capsys.readouterr()
    assert "altered or unknown" in said.out
    assert "this is not a PDF" in said.err
