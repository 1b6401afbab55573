"""Report data to an unsigned PDF: PDF/A-3a and PDF/UA-1 declared and held to by the compiler, the same input giving the same bytes.

The template is constant. Data enters as JSON, never as markup, from a folder that holds nothing else; the compiler sees no other font, file or network.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import io
import json
import logging
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import typst
from PIL import Image

from auditapp.languages.sentences import said_in
from auditapp.report.arrange import arranged
from auditapp.report.blocks import Block
from auditapp.report.column_widths import wide_enough
from auditapp.report.glyphs import FONTS, faces_for, printable_document, shortened
from auditapp.report.qr_code import qr_code

logger = logging.getLogger(__name__)

TEMPLATE = Path(__file__).resolve().parent.parent.parent / "templates" / "report" / "report.typ"
STANDARDS: list[typst.PDFStandard] = ["a-3a", "ua-1"]
FAMILY = "Source Sans 3"
PICTURE_PPI, PICTURE_COLOURS = 72.0, 24
MOST_ARRANGED = 400
"""Blocks (Adult: 290) up to which a first layout is looked at and the last one arranged after it: that costs as much time and memory as the document itself, and a long one has not got that to spare."""
FONT_NOT_INSTALLED = "Characters in square brackets, such as [U+65E5], stand for characters of the data whose font is not installed; the attached evidence has them unaltered."

WORDS = {
    "report": "Audit report", "head": "RESPONSIBLE-AI AUDIT REPORT", "running": "Plumbline audit report", "evidence": "Evidence", "in_full": "(in full on page 1)", "page": "page", "Page": "Page",
    "table": "Table", "figure": "Figure", "severity": "Severity", "finding": "Finding", "not_measured": "not measured", "contents": "Contents", "glossary": "Glossary",
    "opening": "Values with their intervals; what could not be measured is named with its reason. Every measured number here is in the attached evidence.json.",
    "checked": "Anybody can have a copy checked at",
}
"""What the template says itself."""


@dataclass(frozen=True)
class Attachment:
    name: str
    data: bytes
    media_type: str
    relationship: Literal["source", "data", "alternative", "supplement"]
    description: str


def compile_pdf(data: Mapping[str, Any], charts: Mapping[str, bytes], attachments: Sequence[Attachment], *, verify_at: str = "", scratch: Path | None = None) -> bytes:
    """The PDF of `report_data`'s output. ``scratch``: where the compiler's own folder may be made. ``charts``: SVG by chart name, text in it already limited to the fonts' characters; a chart block
    without its SVG is left out by the template. ``verify_at``: the address at which anybody can have a copy checked, where there is one.
    Raises typst.TypstError where the document breaks a standard."""
    document, changed = printable_document(shortened(dict(data)))
    say = functools.partial(said_in, lang=data["lang"])
    document["words"] = {key: say(words) for key, words in WORDS.items()}
    document["font_note"] = say(FONT_NOT_INSTALLED) if changed else ""
    document["charts"] = {name: _size(svg) for name, svg in charts.items()}
    document["verify"] = {"address": verify_at, "alt": say(f"QR code of the address {verify_at}, where anybody can have a copy of this report checked")} if verify_at else None
    document["attachments"] = [
        {"name": one.name, "media_type": one.media_type, "relationship": one.relationship, "description": one.description} for one in attachments]
    # A picture that was not drawn is left out, with its words
    document["sections"] = [{**section, "blocks": wide_enough(_drawn(section["blocks"], charts))} for section in document["sections"]]
    document["glossary"] = wide_enough(document["glossary"])
    texts = "".join([json.dumps(document, ensure_ascii=False), *(svg.decode(errors="replace") for svg in charts.values() if not svg.isascii())])
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        root = Path(folder)
        document["fonts"], fonts = fonts_for(texts, root)
        shutil.copyfile(TEMPLATE, root / "report.typ")
        (root / "charts").mkdir()
        for name, svg in charts.items():
            (root / "charts" / f"{name}.svg").write_bytes(svg)
        for one in attachments:
            (root / one.name).write_bytes(one.data)
        if verify_at:
            (root / "verify.svg").write_bytes(qr_code(verify_at))
        sections = document.pop("sections")
        document["shorts"] = [section["short"] for section in sections]
        (root / "data.json").write_text(json.dumps(document, ensure_ascii=False))
        (root / "sections.json").write_text(json.dumps(sections, ensure_ascii=False))
        finished = datetime.datetime.fromisoformat(data["finished_at"])
        # nothing but pictures leaves much of a page empty
        if charts and sum(len(section["blocks"]) for section in sections) <= MOST_ARRANGED:
            (root / "look.json").write_text("true")
            with contextlib.suppress(RuntimeError):  # compiling says what is wrong
                [marks] = json.loads(typst.query(root / "report.typ", "<marks>", field="value", format="json", root=root, font_paths=fonts, ignore_system_fonts=True))
                (root / "sections.json").write_text(json.dumps(arranged(sections, marks, document["charts"]), ensure_ascii=False))
        (root / "look.json").write_text("false")
        compiled, warnings = typst.compile_with_warnings(
            root / "report.typ", root=root, font_paths=fonts, ignore_system_fonts=True, pdf_standards=STANDARDS, timestamp=int(finished.timestamp()))
    for warning in warnings:  # such as a layout that never settled, whose page numbers are then wrong
        logger.warning("the report's compiler warns: %s", warning.message)
    assert isinstance(compiled, bytes)
    return compiled


def first_page(pdf: bytes, *, scratch: Path | None = None) -> bytes:
    """The first page of a PDF of ours as a picture: PNG, 595 by 842 pixels of A4, in `PICTURE_COLOURS`: a quarter of the bytes, and nobody sees it."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        root = Path(folder)
        (root / "report.pdf").write_bytes(pdf)
        (root / "page.typ").write_text('#set page(paper: "a4", margin: 0pt)\n#image("report.pdf", page: 1, width: 100%)\n')
        picture = typst.compile(root / "page.typ", root=root, font_paths=[FONTS], ignore_system_fonts=True, format="png", ppi=PICTURE_PPI)
    assert isinstance(picture, bytes)
    few = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(PICTURE_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(few, "PNG", optimize=True)
    return few.getvalue()


def fonts_for(text: str, root: Path) -> tuple[list[str], typst.Fonts]:
    """The families that a document with these characters is set in, in order, and where the compiler finds them; it sees no others. ``root``: its folder."""
    faces = faces_for(text)
    further = root / "fonts"  # it takes folders, and the system's holds hundreds
    further.mkdir()
    for file in (file for face in faces for file in face.files):
        (further / file.name).symlink_to(file)
    return [FAMILY, *(face.family for face in faces)], typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS, further])


def _drawn(blocks: Sequence[Block], charts: Mapping[str, bytes]) -> list[Block]:
    """The blocks less the pictures that were not drawn, in columns too."""
    return [{**block, **{side: _drawn(block[side], charts) for side in ("left", "right")}} if block["kind"] == "columns" else block
            for block in blocks if block["kind"] != "chart" or block["name"] in charts]


def _size(svg: bytes) -> list[float]:
    """Width and height of a chart in CSS pixels, from the opening tag that vl-convert writes."""
    opening = svg[:2000].decode(errors="replace")
    return [float(opening.split(f'{name}="', 1)[1].split('"', 1)[0]) for name in ("width", "height")]
