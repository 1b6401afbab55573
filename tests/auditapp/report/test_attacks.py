"""What somebody who holds a genuine report may try with it: another file inside, a signature of their own, the signature of another report. Verification names each, in its own process and on the page."""

from __future__ import annotations

import hashlib
import html
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.timestamps.requests_client import RequestsHTTPTimeStamper

from auditapp.report.attachment import attached_files
from auditapp.report.sign import sign_pdf
from auditapp.report.verify import check_pdf, verify_in_child
from automl.canonical import digest_of
from automl.evidence import canonical_json
from tests.auditapp.report.certificate_authority import CertificateAuthority
from tests.auditapp.report.conftest import signer_in

pytestmark = pytest.mark.slow

ADDED = "something was added after it was signed"
NAMESAKE = "it was signed by somebody else who bears the same name: this installation does not know the certificate"
TWO = "it carries more than one signature; our reports carry one"
CHANGED = "its content was changed after it was signed"


@pytest.fixture
def stranger(own_key: Path, tmp_path: Path) -> Path:
    """A key of somebody else, whose certificate has the subject, the issuer and the serial number of ours."""
    genuine = x509.load_pem_x509_certificate((own_key / "certificate.pem").read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (x509.CertificateBuilder().subject_name(genuine.subject).issuer_name(genuine.issuer).serial_number(genuine.serial_number).public_key(key.public_key())
               .not_valid_before(genuine.not_valid_before_utc).not_valid_after(genuine.not_valid_after_utc))
    for extension in genuine.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    folder = tmp_path / "stranger"
    folder.mkdir()
    (folder / "certificate.pem").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return folder


def updated(pdf: bytes, change: Callable[[IncrementalPdfFileWriter], None]) -> bytes:
    """The file with an incremental update: every byte of it stays, and what a reader shows is another."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    assert out.getvalue().startswith(pdf)
    return out.getvalue()


def specifications(root: Any) -> Iterator[tuple[str, Any]]:
    nodes = [root["/Names"]["/EmbeddedFiles"]]
    while nodes:
        node = nodes.pop()
        pairs = list(node.get("/Names", ()))
        yield from ((str(name), specification.get_object()) for name, specification in zip(pairs[::2], pairs[1::2], strict=True))
        nodes += [kid.get_object() for kid in node.get("/Kids", ())]


def exchange(writer: IncrementalPdfFileWriter, name: str, data: bytes) -> None:
    [file] = [specification["/EF"] for found, specification in specifications(writer.root) if found == name]
    for key in file:
        file[key] = writer.add_object(generic.StreamObject(stream_data=data))
    writer.update_container(file)


def with_other_evidence(pdf: bytes) -> bytes:
    """Evidence that says something else, its digest, the list of digests and the keywords made to fit: only the signature can tell."""
    files = attached_files(PdfFileReader(io.BytesIO(pdf)))
    document = json.loads(files["evidence.json"])
    before = document["digest"]
    document["findings"] = []
    document["digest"] = digest_of(document)
    data = canonical_json(document)
    listed = files["manifest.sha256"].replace(hashlib.sha256(files["evidence.json"]).hexdigest().encode(), hashlib.sha256(data).hexdigest().encode())

    def change(writer: IncrementalPdfFileWriter) -> None:
        exchange(writer, "evidence.json", data)
        exchange(writer, "manifest.sha256", listed)
        said = writer.prev.trailer_view["/Info"]
        info = generic.DictionaryObject({key: said.raw_get(key) for key in said})
        info[generic.pdf_name("/Keywords")] = generic.pdf_string(str(said["/Keywords"]).replace(before, document["digest"]))
        writer.set_info(writer.add_object(info))

    changed = updated(pdf, change)
    reader = PdfFileReader(io.BytesIO(changed))
    assert attached_files(reader)["evidence.json"] == data, "what a reader of the file gets is the forged one"
    assert document["digest"] in str(reader.trailer_view["/Info"]["/Keywords"])
    return changed


def with_other_tables(pdf: bytes) -> bytes:
    return updated(pdf, lambda writer: exchange(writer, "tables.csv", b"section,table\n"))


def with_a_file_more(pdf: bytes) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        stream = generic.StreamObject(stream_data=b"Approved by the regulator.")
        stream[generic.pdf_name("/Type")] = generic.pdf_name("/EmbeddedFile")
        embedded = generic.DictionaryObject({generic.pdf_name("/F"): writer.add_object(stream)})
        specification = generic.DictionaryObject({
            generic.pdf_name("/Type"): generic.pdf_name("/Filespec"), generic.pdf_name("/F"): generic.pdf_string("approval.txt"), generic.pdf_name("/UF"): generic.pdf_string("approval.txt"),
            generic.pdf_name("/EF"): embedded})
        names = writer.root["/Names"]["/EmbeddedFiles"]["/Names"]
        names.append(generic.pdf_string("approval.txt"))
        names.append(writer.add_object(specification))
        writer.update_container(names)

    return updated(pdf, change)


def countersigned(pdf: bytes, key: Path) -> bytes:
    """With a second signature, by a program that does not care what the first forbids."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signers.PdfSigner, "_enforce_certification_constraints", lambda *_: None)
        metadata = signers.PdfSignatureMetadata(field_name="Approval", md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES, reason="Approved")
        return bytes(signers.PdfSigner(metadata, signer_in(key)).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf))).getvalue())


def container_of(pdf: bytes) -> tuple[int, int]:
    """The hex digits of /Contents: the first, and one past the last."""
    begin = pdf.rindex(b"/Contents <") + len(b"/Contents <")
    return begin, pdf.index(b">", begin)


def with_the_container_of(pdf: bytes, other: bytes) -> bytes:
    """The container of another genuine report in the place of its own."""
    (begin, end), (first, last) = container_of(pdf), container_of(other)
    digits = other[first:last].rstrip(b"0")
    assert len(digits) <= end - begin
    return pdf[:begin] + digits.ljust(end - begin, b"0") + pdf[end:]


def with_the_dictionary_of(pdf: bytes, other: bytes) -> bytes:
    """The field made to point to a signature dictionary that is, entry by entry, another genuine report's."""
    genuine = PdfFileReader(io.BytesIO(other)).embedded_regular_signatures[-1].sig_object

    def change(writer: IncrementalPdfFileWriter) -> None:
        [field] = [one.get_object() for one in writer.root["/AcroForm"]["/Fields"]]
        dictionary = generic.DictionaryObject({generic.pdf_name(key): _plain(genuine[key]) for key in genuine if key not in ("/Reference",)})
        field[generic.pdf_name("/V")] = writer.add_object(dictionary)
        writer.update_container(field)

    return updated(pdf, change)


def _plain(value: Any) -> Any:
    """A value without its ties to the file that it was read from."""
    if isinstance(value, generic.ArrayObject):
        return generic.ArrayObject([_plain(one) for one in value])
    if isinstance(value, generic.DictionaryObject):
        return generic.DictionaryObject({generic.pdf_name(key): _plain(value[key]) for key in value})
    if isinstance(value, generic.ByteStringObject | bytes):
        return generic.ByteStringObject(bytes(value))
    if isinstance(value, generic.NameObject):
        return generic.pdf_name(str(value))
    return generic.NumberObject(int(value)) if isinstance(value, generic.NumberObject) else generic.pdf_string(str(value))


@pytest.fixture
def attacks(signed: bytes, small_report: bytes, unsigned: bytes, stranger: Path) -> dict[str, tuple[bytes, tuple[str, ...]]]:
    """Files by what was tried, and what is to be said of each."""
    other = sign_pdf(small_report).bytes
    return {
        "other evidence": (with_other_evidence(signed), (ADDED, "its attachment evidence.json was exchanged after it was signed", "its attachment manifest.sha256 was exchanged after it was signed")),
        "other tables": (with_other_tables(signed), (ADDED, "its attachment tables.csv was exchanged after it was signed", "its attachment tables.csv is not the one that it lists")),
        "a file more": (with_a_file_more(signed), (ADDED, "its attachment approval.txt was added after it was signed", "its attachment approval.txt is not on its list")),
        "a second signature": (countersigned(signed, stranger), (TWO, NAMESAKE)),
        "a namesake": (signed_by(unsigned, stranger), (NAMESAKE,)),
        "the container of another report": (with_the_container_of(signed, other), (CHANGED,)),
        "the signature of another report": (with_the_dictionary_of(signed, other), (CHANGED,)),
    }


def signed_by(unsigned: bytes, key: Path) -> bytes:
    metadata = signers.PdfSignatureMetadata(
        field_name="PlumblineSignature", md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES, certify=True, docmdp_permissions=fields.MDPPerm.NO_CHANGES, reason="Report")
    return bytes(signers.PdfSigner(metadata, signer_in(key)).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(unsigned + b"\n"))).getvalue())


def test_each_is_named(attacks: dict[str, tuple[bytes, tuple[str, ...]]], ours: list[Any]) -> None:
    verdicts = {name: check_pdf(data, ours) for name, (data, _) in attacks.items()}
    assert {name for name, verdict in verdicts.items() if verdict.valid} == set()
    unsaid = {name: (set(said) - set(verdicts[name].problems), verdicts[name].problems) for name, (_, said) in attacks.items() if not set(said) <= set(verdicts[name].problems)}
    assert unsaid == {}


@pytest.mark.django_db
def test_the_process_and_the_page_say_the_same(attacks: dict[str, tuple[bytes, tuple[str, ...]]], client: Any, tmp_path: Path) -> None:
    for name, (data, said) in attacks.items():
        (tmp_path / "tried.pdf").write_bytes(data)
        verdict = verify_in_child(tmp_path / "tried.pdf")
        assert not verdict.valid, name
        assert set(said) <= set(verdict.problems), name
        with (tmp_path / "tried.pdf").open("rb") as file:
            page = html.unescape(client.post("/verify", {"file": file}).content.decode())
        assert "Not the report that was signed here" in page, name
        assert all(sentence in page for sentence in said), name


def test_a_fresh_time_stamp_over_it_covers_nothing_up(small_report: bytes, issued_key: Path, authority: CertificateAuthority, settings: Any) -> None:
    """Anybody can have a file stamped by the authority that this installation knows."""
    from auditapp.report.long_term import authorities_in

    settings.SIGNATURE_LEVEL = "B-LTA"
    signed = sign_pdf(small_report).bytes
    forged = updated(signed, lambda writer: exchange(writer, "evidence.json", b"{}"))
    out = io.BytesIO()
    signers.PdfTimeStamper(RequestsHTTPTimeStamper(authority.address)).timestamp_pdf(IncrementalPdfFileWriter(io.BytesIO(forged)), "sha256", output=out)
    known = list(load_certs_from_pemder_data((issued_key / "certificate.pem").read_bytes()))
    verdict = check_pdf(out.getvalue(), known, authorities_in(authority.pem.read_bytes()))
    assert not verdict.valid
    assert {ADDED, "its attachment evidence.json was exchanged after it was signed"} <= set(verdict.problems)
