"""``python -m workers.render BUNDLE``: the pictures and the unsigned PDF of a bundle, drawn in a process with no key, no network and no other folder to write.

Reads ``evidence.json`` and ``charts.json``; writes ``charts/NAME.svg``, ``charts/NAME.dark.svg``, ``page-one.png`` and, last, ``audit.unsigned.pdf``. With ``--again`` it makes a further version of a report: the pictures are
there already, and ``statements.json`` is what people have said since. With ``--pictures-in de`` it draws ``charts/NAME.de.svg`` and ``.de.dark.svg`` as well, for pages in German. With ``--levels B-T,B-B`` the report
says that it is signed at the first of these levels, and a draft of the same report beside it, such as ``audit.unsigned.B-B.pdf``, says so of each further one: which it is, is known when it is signed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from auditapp.confinement import confine

CPU_SECONDS = 300
PDF_NAME = "audit.unsigned.pdf"
PICTURE_NAME = "page-one.png"
STATEMENTS_NAME = "statements.json"
BESIDE_EVIDENCE: tuple[tuple[str, str, Literal["data", "supplement"], str], ...] = (
    ("counts.csv", "text/csv", "data", "The counts behind the evidence, one row a group of a printed table"),
    ("local_law_144.csv", "text/csv", "data", "The tables of Local Law 144"),
    ("recompute.py", "text/x-python", "supplement", "Computes the counts-based numbers of evidence.json again from counts.csv; needs Python alone"),
)
"""What a bundle holds for whoever checks its numbers. No person's row is among it."""


def draft_name(place: int, level: str) -> str:
    """Of the draft that says ``level``, the one at ``place`` of those that may be signed."""
    return f"audit.unsigned.{level}.pdf" if place else PDF_NAME


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m workers.render", description="Draw the charts and the unsigned PDF of a bundle.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--again", action="store_true", help="a further version: the folder was laid out by us, with finished pictures and statements.json")
    parser.add_argument("--verify-at", default="", metavar="URL", help="the address that the report names for having a copy checked")
    parser.add_argument("--lang", default="", help="the language of the report (default: as people have said, else as the run was asked for, else English)")
    parser.add_argument("--pictures-in", default="", metavar="LANG", help="a further language to draw the pictures in, for pages")
    parser.add_argument("--levels", default="", metavar="LEVEL,..", help="the PAdES levels at which the report may be signed, the one that is asked for first; without it the report says nothing of its level")
    options = parser.parse_args(arguments)
    bundle: Path = options.bundle.resolve()
    # No limit on address space or data: V8 reserves far more than it uses. The supervisor watches what is resident
    confine(cpu_seconds=CPU_SECONDS, writable=[bundle], readable=[bundle])
    render_bundle(bundle, again=options.again, verify_at=options.verify_at, lang=options.lang, pictures_in=options.pictures_in, levels=tuple(options.levels.split(",")) if options.levels else ())
    return 0


def render_bundle(bundle: Path, *, again: bool = False, verify_at: str = "", lang: str = "", pictures_in: str = "", levels: Sequence[str] = ()) -> None:
    """Draw what is in ``bundle``. The same bundle gives the same bytes; drawing again replaces what was drawn before. ``lang``: of the report (default: as people have said, else as the run was asked for, else English); the
    stored pictures are English. ``levels``: one draft of the report for each; none: it says nothing of its signature's level.

    ``again``: the folder was laid out by us, with finished pictures and ``statements.json``. Never of a bundle as a child leaves it: there both would be a stranger's,
    who could put words into people's mouths.
    """
    # After the walls: everything that parses or draws
    from auditapp.report.context import report_data
    from auditapp.report.draw import draw_svg
    from auditapp.report.enclosures import enclosures
    from auditapp.report.glyphs import printable_document
    from auditapp.report.render import Attachment, compile_pdf, first_page
    from auditapp.report.translated import chart_in_language
    from auditapp.statements.document import Statements, nothing_said
    from auditapp.statements.fields import DEFAULT_LANGUAGE, language_of
    from automl.chart_theme import in_the_dark
    from automl.evidence import Charts, Evidence, canonical_json

    evidence_bytes = (bundle / "evidence.json").read_bytes()
    evidence = Evidence.model_validate_json(evidence_bytes)
    charts = Charts.model_validate_json((bundle / "charts.json").read_bytes())
    statements = Statements.model_validate_json((bundle / STATEMENTS_NAME).read_bytes()) if again else nothing_said(evidence.run.id, evidence.digest)
    lang = lang or language_of({name: said.text for name, said in statements.fields.items()}, evidence.spec.report_language)
    folder = bundle / "charts"
    folder.mkdir(exist_ok=True)
    for_print = {}
    for chart in charts.charts:
        if again:
            light = (folder / f"{chart.name}.svg").read_text()
        else:
            light = draw_svg(chart.spec)
            _write(folder / f"{chart.name}.svg", light.encode())
            _write(folder / f"{chart.name}.dark.svg", in_the_dark(light).encode())
            if pictures_in:
                further = draw_svg(chart_in_language(chart, pictures_in).spec, pictures_in)
                _write(folder / f"{chart.name}.{pictures_in}.svg", further.encode())
                _write(folder / f"{chart.name}.{pictures_in}.dark.svg", in_the_dark(further).encode())
        # A browser has fonts of its own; on paper there is only ours
        spec, changed = printable_document(chart_in_language(chart, lang).spec, longest_run=2)
        there = folder / f"{chart.name}.{lang}.svg"
        ours = again or lang == pictures_in  # else it would be what the child has left under that name
        finished = light if lang == DEFAULT_LANGUAGE else there.read_text() if ours and there.is_file() else None
        for_print[chart.name] = (draw_svg(spec, lang) if changed or finished is None else finished).encode()
    attachments = [Attachment("evidence.json", evidence_bytes, "application/json", "data", "The evidence that every number of this report is taken from")]
    attachments.append(Attachment(STATEMENTS_NAME, canonical_json(statements.model_dump(mode="json")), "application/json", "data", "What people said of the audit, and who signed it off"))
    card = bundle / "modelcard.md"
    if card.is_file():
        attachments.append(Attachment("modelcard.md", card.read_bytes(), "text/markdown", "supplement", "Model card"))
    attachments += [Attachment(name, (bundle / name).read_bytes(), kind, relationship, words) for name, kind, relationship, words in BESIDE_EVIDENCE if (bundle / name).is_file()]
    with tempfile.TemporaryDirectory(dir=bundle, prefix=".compile-") as scratch:
        # The same in every language: programs read it
        enclosed = enclosures(evidence, report_data(evidence, charts, statements), attachments)
        drafts = {
            draft_name(place, level): compile_pdf(
                report_data(evidence, charts, statements, lang, levels=(level, levels[0]) if level else None), for_print, enclosed, verify_at=verify_at, scratch=Path(scratch))
            for place, level in enumerate(levels or ("",))}
        picture = first_page(drafts[PDF_NAME], scratch=Path(scratch))
    _write(bundle / PICTURE_NAME, picture)
    for name, pdf in reversed(drafts.items()):
        _write(bundle / name, pdf)


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: who finds the file may rely on it."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.rename(path)


if __name__ == "__main__":
    sys.exit(main())
