"""Who signed a report, when, and whether anything in it has changed since.

A PDF to be verified is a stranger's bytes, so it is read in a fresh interpreter with limits: `verify_in_child` starts
``python -m auditapp.report.verify FILE --trust CERTIFICATE``, which prints one JSON object and imports no Django.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from asn1crypto import x509

from auditapp.report.long_term import NOBODY, Authorities, authorities_in, common_name
from automl.visible_text import visible

if TYPE_CHECKING:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import EmbeddedPdfSignature

    from auditapp.report.stamps import Stamp

MAX_BYTES = 64 * 2**20
MEMORY = 1536 * 2**20
CPU_SECONDS = 30
WALL_SECONDS = 60
LONGEST_SHOWN = 300
"""Characters of anything that a stranger's file says of itself: it reaches a page, a document and a terminal."""
MANIFEST_NAME = "manifest.sha256"
MOST_NAMED = 10
NOT_A_PDF = "this is not a PDF"
SAME_NAME = "it was signed by somebody else who bears the same name: this installation does not know the certificate"
UNREADABLE = f"the file could not be read within the limits ({MEMORY // 2**20} MiB of memory, {CPU_SECONDS} seconds)"


@dataclass(frozen=True)
class Verdict:
    """What a report's signature says. ``valid`` only where nothing at all stands under ``problems``."""

    valid: bool
    signer: str | None = None
    """Common name in the signer's certificate; given for unknown signers too, who can call themselves anything."""
    signed_at: str | None = None
    """ISO 8601, UTC."""
    run: str | None = None
    """Id of the run, from the attached evidence."""
    problems: tuple[str, ...] = ()
    is_pdf: bool = True
    time_source: str = "the clock of the machine that signed: PAdES B-B"
    """With the level."""
    level: str | None = None
    """The PAdES level that the signature really reaches: B-B, B-T with a time stamp, B-LT with what its later validation needs, B-LTA with a time stamp over that."""
    digest: str | None = None
    """Digest of the attached evidence, as computed here; of a document for others, which carries none, the one that it names."""
    numbers: str | None = None
    """Of a report that holds: whether each number on its pages is one of the attached documents'. None where that was not looked at."""


def verify_in_child(path: Path, trust: Path | None = None, authorities: Path | None = None) -> Verdict:
    """The verdict on the file at ``path``, against the certificates in ``trust`` and ``authorities`` (default: this installation's). Never raises on account of the file.

    Raises Busy where as many files are being verified as may be at once, and none is done soon.
    """
    from django.conf import settings

    from auditapp.confinement import child_environment
    from auditapp.report.turns import turn
    from auditapp.uploads import passing_through

    command = [sys.executable, "-m", "auditapp.report.verify", str(path.resolve()), "--trust", str(trust or settings.SIGNING_CERTIFICATE)]
    known = authorities or settings.AUTHORITIES
    if known is not None:
        command += ["--authorities", str(known)]
    try:
        with turn(passing_through() / "verifying"):
            done = subprocess.run(command, cwd=settings.BASE_DIR, env=child_environment(), stdin=subprocess.DEVNULL, capture_output=True, timeout=WALL_SECONDS, check=False)
        return _heard(json.loads(done.stdout))
    except (subprocess.TimeoutExpired, ValueError, TypeError, KeyError):
        # Killed by its limits, or crashed: either way the file is not one of ours
        return Verdict(False, problems=(UNREADABLE,))


def _heard(said: dict[str, Any]) -> Verdict:
    """What the child said, its texts cut and without characters that steer a terminal, turn a line around or that UTF-8 cannot say."""
    shown: dict[str, Any] = {name: visible(value, LONGEST_SHOWN) if isinstance(value, str) else value for name, value in said.items()}
    shown["problems"] = tuple(visible(problem, LONGEST_SHOWN) for problem in said["problems"])
    return Verdict(**shown)


def check_pdf(data: bytes, certificates: Sequence[x509.Certificate], authorities: Authorities = NOBODY, *, numbers: bool = False) -> Verdict:
    """The verdict on the bytes of a PDF. ``certificates``: ours; each is trusted by itself, none of what it may have signed. ``authorities``: of time stamps. ``numbers``: read the pages of a
    report that holds, too."""
    from pyhanko.pdf_utils.misc import PdfError
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.general import SigningError
    from pyhanko.sign.validation.errors import SignatureValidationError

    if not data.startswith(b"%PDF-"):
        return Verdict(False, problems=(NOT_A_PDF,), is_pdf=False)
    try:
        reader = PdfFileReader(io.BytesIO(data))
        if not reader.embedded_regular_signatures:
            return Verdict(False, problems=("it carries no signature",))
        verdict = _check_signed(data, reader, certificates, authorities)
        return replace(verdict, numbers=_check_numbers(reader)) if numbers and verdict.valid else verdict
    except MemoryError:
        return Verdict(False, problems=(UNREADABLE,))
    except RecursionError:
        return Verdict(False, problems=("its structure is nested without end",))
    except (PdfError, SigningError, SignatureValidationError) as error:
        return Verdict(False, problems=(f"its structure is damaged ({error})"[:300],))
    except Exception as error:  # noqa: BLE001  whatever a parser raises on a stranger's bytes is a statement about those bytes
        return Verdict(False, problems=(f"its structure is damaged ({type(error).__name__})",))


def _check_signed(data: bytes, reader: PdfFileReader, certificates: Sequence[x509.Certificate], authorities: Authorities) -> Verdict:
    from pyhanko.sign.diff_analysis import ModificationLevel
    from pyhanko.sign.fields import MDPPerm
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    from auditapp.report.container import container_problems
    from auditapp.report.long_term import context_for_stamps
    from auditapp.report.signature_level import compared, printed_in
    from auditapp.report.stamps import check_archive, check_stamp, dss_of, level_of

    signature = reader.embedded_regular_signatures[-1]
    archived_at, problems = check_archive(data, reader, authorities)
    if len(reader.embedded_regular_signatures) > 1:
        problems.append("it carries more than one signature; our reports carry one")

    def validated(at: datetime.datetime | None) -> Any:
        context = ValidationContext(trust_roots=list(certificates), allow_fetching=False, revocation_mode="soft-fail", moment=at)
        return validate_pdf_signature(signature, signer_validation_context=context, ts_validation_context=context_for_stamps(authorities, dss_of(reader), archived_at))

    status = validated(None)
    stamp = check_stamp(signature, status.timestamp_validity, authorities)
    if stamp.vouched and not status.trusted:  # the certificate may have run out since: what counts is the time that somebody else saw the signature
        status = validated(stamp.at)
    ours = {certificate.dump() for certificate in certificates}
    unchanged = status.intact and status.valid
    if not unchanged:
        problems.append("its content was changed after it was signed")
    known = signature.signer_cert.dump() in ours
    if not known:
        same_name = any(signature.signer_cert.subject == certificate.subject for certificate in certificates)
        problems.append(SAME_NAME if same_name else "it was signed by somebody else: this installation does not know the certificate")
    elif unchanged and not status.trusted:  # a changed report is never trusted, which says nothing about the certificate
        problems.append("its certificate was not valid when this was checked")
    covered, added = (SignatureCoverageLevel.ENTIRE_FILE, ModificationLevel.NONE) if archived_at is None else (SignatureCoverageLevel.ENTIRE_REVISION, ModificationLevel.LTA_UPDATES)
    if status.coverage < covered or (status.modification_level or ModificationLevel.NONE) > added:
        problems.append("something was added after it was signed")
        problems += _attachments_since(reader, signature)
    if signature.docmdp_level != MDPPerm.NO_CHANGES:
        problems.append("its signature does not forbid changes, as ours do")
    if known:  # a stranger's container cannot be the one that we would have written, altered or not
        problems += container_problems(data, signature, certificates)
    evidence_problems, run, digest = _check_evidence(reader)
    at = stamp.at or signature.self_reported_timestamp
    level = level_of(status, reader, authorities, archived_at is not None)
    less, more = compared(printed_in(keywords_of(reader)), level)
    problems += [*stamp.problems, *evidence_problems, *([less] if less else [])]
    return Verdict(
        not problems, common_name(signature.signer_cert), None if at is None else at.astimezone(datetime.UTC).isoformat(), run,
        tuple(dict.fromkeys(problems)), digest=digest, level=level, time_source=f"{_clock(stamp)}: PAdES {level}{more}")


def _attachments_since(reader: PdfFileReader, signature: EmbeddedPdfSignature) -> list[str]:
    """Sentences on attachments that the file has now and that are not those of the revision that was signed."""
    from auditapp.report.attachment import attached_files

    try:
        then, now = attached_files(reader, signature.signed_revision), attached_files(reader)
    except Exception:  # noqa: BLE001  that something was added is said already; a stranger's file may be built so that its earlier revisions cannot be read
        return []
    wrong = [name for name in sorted(then.keys() | now.keys()) if then.get(name) != now.get(name)][:MOST_NAMED]
    return [f"its attachment {name} was added after it was signed" if name not in then else f"its attachment {name} was taken away after it was signed" if name not in now
            else f"its attachment {name} was exchanged after it was signed" for name in wrong]


def _clock(stamp: Stamp) -> str:
    if stamp.at is None:
        return "the clock of the machine that signed"
    return f"the time stamp authority {stamp.authority}" if stamp.vouched else f"a time stamp authority that calls itself {stamp.authority} and is not among those known here"


def _check_evidence(reader: PdfFileReader) -> tuple[list[str], str | None, str | None]:
    """Problems of the attached evidence, the run it names and the digest computed from it."""
    from auditapp.report.attachment import EVIDENCE_NAME, EXPORT_NAME, attached_files
    from automl.canonical import digest_of

    files = attached_files(reader)
    evidence = files.get(EVIDENCE_NAME)
    if evidence is None:
        return _check_export(files[EXPORT_NAME], keywords_of(reader)) if EXPORT_NAME in files else (["it carries no evidence.json"], None, None)
    try:
        document = json.loads(evidence)
        run, stated, digest = str(document["run"]["id"]), document["digest"], digest_of(document)
    except (ValueError, TypeError, KeyError):
        return ["the evidence it carries is not a document of ours"], None, None
    problems = _check_manifest(files)
    if stated != digest:
        problems.append("the evidence it carries does not match its own digest")
    if f"evidence {digest}" not in keywords_of(reader):
        problems.append("the evidence it carries is not the one that the report names")
    return problems, run, digest


def _check_export(inside: bytes, keywords: str) -> tuple[list[str], str | None, str | None]:
    """The same of a document for others, which carries what it prints in place of the evidence."""
    try:
        document = json.loads(inside)
        run, digest = str(document["run"]), str(document["digest"])
    except (ValueError, TypeError, KeyError):
        return ["what it carries as its content is not a document of ours"], None, None
    named = (f"export {hashlib.sha256(inside).hexdigest()}", f"run {run}", f"evidence {digest}")
    return [] if all(words in keywords for words in named) else ["what it carries as its content is not what it names"], run, digest


def _check_manifest(files: dict[str, bytes]) -> list[str]:
    """Sentences on attachments that are not what the attached list of digests says. A report from before there was a list has none, and nothing is said."""
    if MANIFEST_NAME not in files:
        return []
    listed = dict(line.partition("  ")[::2][::-1] for line in files[MANIFEST_NAME].decode(errors="replace").splitlines())
    found = {name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name != MANIFEST_NAME}
    wrong = [name for name in sorted(listed.keys() | found.keys()) if listed.get(name) != found.get(name)][:MOST_NAMED]
    return [f"its attachment {name} is not the one that it lists" if name in listed and name in found else f"its attachment {name} is missing" if name in listed else f"its attachment {name} is not on its list"
            for name in wrong]


def _check_numbers(reader: PdfFileReader) -> str:
    from auditapp.report.attachment import EVIDENCE_NAME, attached_files
    from auditapp.report.printed import page_texts, unfounded

    try:
        files = attached_files(reader)
        documents = [json.loads(data) for name, data in files.items() if name.endswith(".json")]
        missing = unfounded(page_texts(reader), documents, str(reader.root.get("/Lang", "en"))[:2])
    except Exception as error:  # noqa: BLE001  the signature holds; that its pages could not be read is what is to be said
        return f"the numbers on its pages were not compared with the evidence: they could not be read ({type(error).__name__})"
    if missing:
        return f"on its pages stand numbers that no attached document has: {', '.join(missing[:MOST_NAMED])}"
    return f"every number on its pages is one of the attached {'evidence' if EVIDENCE_NAME in files else 'document'}'s, at the digits printed"


def keywords_of(reader: PdfFileReader) -> str:
    """What a document says of itself in its information dictionary; "" where it says nothing."""
    info = reader.trailer_view.get("/Info")
    return "" if info is None else str(info.get_object().get("/Keywords", ""))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m auditapp.report.verify", description="Print, as one JSON object, what the signature of a report says.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--trust", type=Path, required=True, help="PEM file with the certificates of this installation")
    parser.add_argument("--authorities", type=Path, help="PEM file with the authorities of time stamps")
    options = parser.parse_args(arguments)
    _confine(*(path for path in (options.file, options.trust, options.authorities) if path))
    sys.modules.setdefault("aiohttp", _Nothing("aiohttp"))  # pyHanko loads it to ask others, which nobody does without a network; it takes as long as all else of pyHanko
    print(json.dumps(asdict(_verdict_on(options.file, options.trust, options.authorities))))
    return 0


class _Nothing(ModuleType):
    """A module that has every name, and nothing behind it."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def _confine(*readable: Path) -> None:
    from auditapp.confinement import confine

    confine(memory=MEMORY, cpu_seconds=CPU_SECONDS, file_bytes=2**20, open_files=64, readable=readable)


def _verdict_on(file: Path, trust: Path, known: Path | None) -> Verdict:
    from pyhanko.keys import load_certs_from_pemder_data

    if file.stat().st_size > MAX_BYTES:
        return Verdict(False, problems=(f"it is larger than {MAX_BYTES // 2**20} MiB, which no report of ours is",))
    data = file.read_bytes()
    try:
        certificates = list(load_certs_from_pemder_data(trust.read_bytes()))
    except (OSError, ValueError):
        certificates = []
    try:
        authorities = authorities_in(known.read_bytes()) if known else NOBODY
    except (OSError, ValueError):
        authorities = NOBODY
    return check_pdf(data, certificates, authorities, numbers=True)


if __name__ == "__main__":
    sys.exit(main())
