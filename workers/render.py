"""``python -m workers.render BUNDLE``: the pictures and the unsigned PDF of a bundle, drawn in a process with no key, no network and no other folder to write.

Reads ``evidence.json`` and ``charts.json``; writes ``charts/NAME.svg``, ``charts/NAME.dark.svg`` and, last, ``audit.unsigned.pdf``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from auditapp.confinement import confine

CPU_SECONDS = 300
PDF_NAME = "audit.unsigned.pdf"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m workers.render", description="Draw the charts and the unsigned PDF of a bundle.")
    parser.add_argument("bundle", type=Path)
    bundle: Path = parser.parse_args(arguments).bundle.resolve()
    # No limit on address space or data: V8 reserves far more than it uses. The supervisor watches what is resident
    confine(cpu_seconds=CPU_SECONDS, writable=[bundle], readable=[bundle])
    render_bundle(bundle)
    return 0


def render_bundle(bundle: Path) -> None:
    """Draw what is in ``bundle``. The same bundle gives the same bytes; drawing again replaces what was drawn before."""
    # After the walls: everything that parses or draws
    from auditapp.report.context import report_data
    from auditapp.report.draw import draw_svg
    from auditapp.report.glyphs import printable_document
    from auditapp.report.render import Attachment, compile_pdf
    from automl.charts.themes import in_the_dark
    from automl.evidence import Charts, Evidence

    evidence_bytes = (bundle / "evidence.json").read_bytes()
    evidence = Evidence.model_validate_json(evidence_bytes)
    charts = Charts.model_validate_json((bundle / "charts.json").read_bytes())
    folder = bundle / "charts"
    folder.mkdir(exist_ok=True)
    for_print = {}
    for chart in charts.charts:
        light = draw_svg(chart.spec)
        _write(folder / f"{chart.name}.svg", light.encode())
        _write(folder / f"{chart.name}.dark.svg", in_the_dark(light).encode())
        # A browser has fonts of its own; on paper there is only ours
        spec, changed = printable_document(chart.spec, longest_run=2)
        for_print[chart.name] = (draw_svg(spec) if changed else light).encode()
    attachments = [Attachment("evidence.json", evidence_bytes, "application/json", "data", "The evidence that every number of this report is taken from")]
    card = bundle / "modelcard.md"
    if card.is_file():
        attachments.append(Attachment("modelcard.md", card.read_bytes(), "text/markdown", "supplement", "Model card"))
    with tempfile.TemporaryDirectory(dir=bundle, prefix=".compile-") as scratch:
        pdf = compile_pdf(report_data(evidence, charts), for_print, attachments, scratch=Path(scratch))
    _write(bundle / PDF_NAME, pdf)


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: who finds the file may rely on it."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.rename(path)


if __name__ == "__main__":
    sys.exit(main())
