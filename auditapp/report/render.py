"""Report data to an unsigned PDF: PDF/A-3a and PDF/UA-1 declared and held to by the compiler, the same input giving the same bytes.

The template is constant. Data enters as JSON, never as markup, from a folder that holds nothing else; the compiler sees no other font, file or network.
"""

from __future__ import annotations

import datetime
import json
import logging
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import typst

from auditapp.report.glyphs import FONTS, printable_document, shortened

logger = logging.getLogger(__name__)

TEMPLATE = Path(__file__).resolve().parent.parent.parent / "templates" / "report" / "report.typ"
STANDARDS: list[typst.PDFStandard] = ["a-3a", "ua-1"]
FONT_NOT_INSTALLED = "Characters in square brackets, such as [U+65E5], stand for characters of the data whose font is not installed; the attached evidence has them unaltered."


@dataclass(frozen=True)
class Attachment:
    name: str
    data: bytes
    media_type: str
    relationship: Literal["source", "data", "alternative", "supplement"]
    description: str


def compile_pdf(data: Mapping[str, Any], charts: Mapping[str, bytes], attachments: Sequence[Attachment], *, scratch: Path | None = None) -> bytes:
    """The PDF of `report_data`'s output. ``scratch``: where the compiler's own folder may be made. ``charts``: SVG by chart name, text in it already limited to the fonts' characters; a chart block
    without its SVG is left out by the template. Raises typst.TypstError where the document breaks a standard."""
    document, changed = printable_document(shortened(dict(data)))
    document["font_note"] = FONT_NOT_INSTALLED if changed else ""
    document["charts"] = {name: _size(svg) for name, svg in charts.items()}
    document["attachments"] = [
        {"name": one.name, "media_type": one.media_type, "relationship": one.relationship, "description": one.description} for one in attachments]
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        root = Path(folder)
        shutil.copyfile(TEMPLATE, root / "report.typ")
        (root / "data.json").write_text(json.dumps(document, ensure_ascii=False))
        (root / "charts").mkdir()
        for name, svg in charts.items():
            (root / "charts" / f"{name}.svg").write_bytes(svg)
        for one in attachments:
            (root / one.name).write_bytes(one.data)
        finished = datetime.datetime.fromisoformat(data["finished_at"])
        compiled, warnings = typst.compile_with_warnings(
            root / "report.typ", root=root, font_paths=typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS]),
            ignore_system_fonts=True, pdf_standards=STANDARDS, timestamp=int(finished.timestamp()))
    for warning in warnings:  # such as a layout that never settled, whose page numbers are then wrong
        logger.warning("the report's compiler warns: %s", warning.message)
    assert isinstance(compiled, bytes)
    return compiled


def _size(svg: bytes) -> list[float]:
    """Width and height of a chart in CSS pixels, from the opening tag that vl-convert writes."""
    opening = svg[:2000].decode(errors="replace")
    return [float(opening.split(f'{name}="', 1)[1].split('"', 1)[0]) for name in ("width", "height")]
