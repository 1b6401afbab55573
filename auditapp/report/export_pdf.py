"""An export as PDF, set in an interpreter of its own: ``python -m auditapp.report.export_pdf TEMPLATE`` reads the document as JSON and writes the PDF.

The compiler is too heavy for the web process, and strings of strangers reach it. No key is there: whoever holds it signs what was drawn (`auditapp.signed_exports`). What is printed
travels inside as export.json, in English whatever it prints, and the keywords name its digest; the evidence itself does not, since such a document is for the public.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from auditapp.confinement import confine
from auditapp.report.attachment import EXPORT_NAME
from automl.evidence import canonical_json

TEMPLATES = Path(__file__).resolve().parent.parent.parent / "templates" / "report"
KNOWN = ("law_summary", "annex_iv")
SCALES = (10.0, 9.5, 9.0, 8.5, 8.0, 7.5, 7.0, 6.5, 6.0, 5.5)
"""Type sizes that are tried, in points, until a document has the pages that it may have."""
CPU_SECONDS = 60
WALL_SECONDS = 90
AT_ONCE = threading.BoundedSemaphore(2)
PATIENCE_SECONDS = 20


class NotDrawn(Exception):
    """The PDF could not be made; the text is one sentence for the person."""


def pdf_in_child(template: str, document: Mapping[str, Any]) -> bytes:
    """The PDF of ``document`` (see `compile_export`), made in a child without network, key or other people's files. Raises NotDrawn."""
    from django.conf import settings

    from auditapp.confinement import child_environment

    if not AT_ONCE.acquire(timeout=PATIENCE_SECONDS):
        raise NotDrawn("Several documents are being drawn at the moment; ask again in a minute.")
    try:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-m", "auditapp.report.export_pdf", template, folder], cwd=settings.BASE_DIR, env=child_environment(Path(folder)), input=json.dumps(document, allow_nan=False).encode(),
                capture_output=True, timeout=WALL_SECONDS, check=False)
    except subprocess.TimeoutExpired as slow:
        raise NotDrawn("The document could not be drawn in time.") from slow
    finally:
        AT_ONCE.release()
    if done.returncode == 3:
        raise NotDrawn(done.stderr.decode(errors="replace").strip()[-300:])
    if done.returncode != 0 or not done.stdout.startswith(b"%PDF-"):
        raise NotDrawn("The document could not be drawn.")
    return done.stdout


def compile_export(template: str, document: Mapping[str, Any], scratch: Path | None = None) -> bytes:
    """``document``, or what stands under its "printed" (the same in another language), set by ``templates/report/TEMPLATE.typ``: PDF/A-3a and PDF/UA-1 declared and held to by the compiler, the same input giving the same bytes.

    With "pages" in the document, the largest of `SCALES`, up to its "largest", that gives just so many pages. Raises NotDrawn where none does.
    """
    from auditapp.report.glyphs import printable_document, shortened

    pages = document.get("pages")
    said = {key: value for key, value in document.items() if key not in ("pages", "largest", "printed")}
    plain, changed = printable_document(shortened(document.get("printed", said)))
    plain["font_note"] = plain.get("words", {}).get("font_note", FONT_NOTE) if changed else ""
    inside = canonical_json(said)
    plain["keywords"] = ["Plumbline", f"run {document['run']}", f"evidence {document['digest']}", f"export {hashlib.sha256(inside).hexdigest()}"]
    for scale in (one for one in SCALES if one <= document.get("largest", SCALES[0])):
        pdf = _compile(template, {**plain, "scale": scale}, inside, scratch)
        if pages is None or _pages(pdf) == pages:
            return pdf
    raise NotDrawn(f"The tables and texts do not fit on {pages} pages; shorten the statements, or use the report, which has room for them.")


FONT_NOTE = "Characters in square brackets stand for characters of the data whose font is not installed; the evidence has them unaltered."


def _compile(template: str, document: Mapping[str, Any], inside: bytes, scratch: Path | None) -> bytes:
    import typst

    from auditapp.report.render import STANDARDS, fonts_for

    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        root = Path(folder)
        shutil.copyfile(TEMPLATES / f"{template}.typ", root / "main.typ")
        families, fonts = fonts_for(json.dumps(document, ensure_ascii=False), root)
        (root / "data.json").write_text(json.dumps({**document, "fonts": families}, ensure_ascii=False))
        (root / EXPORT_NAME).write_bytes(inside)
        compiled = typst.compile(
            root / "main.typ", root=root, font_paths=fonts, ignore_system_fonts=True, pdf_standards=STANDARDS, timestamp=int(datetime.datetime.fromisoformat(document["finished_at"]).timestamp()))
    assert isinstance(compiled, bytes)
    return compiled


def _pages(pdf: bytes) -> int:
    from pyhanko.pdf_utils.reader import PdfFileReader

    return int(PdfFileReader(io.BytesIO(pdf)).root["/Pages"]["/Count"])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m auditapp.report.export_pdf")
    parser.add_argument("template", choices=KNOWN)
    parser.add_argument("scratch", type=Path)
    asked = parser.parse_args(arguments)
    confine(cpu_seconds=CPU_SECONDS, writable=[asked.scratch], readable=[asked.scratch])
    try:
        sys.stdout.buffer.write(compile_export(asked.template, json.loads(sys.stdin.buffer.read()), asked.scratch))
    except NotDrawn as why:
        print(why, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
