"""`make bench BENCH=report_times`: how long a report takes from finished pictures to a signed file and to its verification, and how large it and a report of 200 pages are.

Run it on a quiet machine: seconds of a busy one say little. Each figure is the best of three, after one run that warms the libraries; the limits are printed beside.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from auditapp.report.context import report_data
from auditapp.report.enclosures import enclosures
from auditapp.report.render import Attachment, compile_pdf
from automl.evidence import Charts, Evidence
from tests.benchmarks.tamper_study import signed_report
from workers.render import render_bundle

REPEATS = 3
LONG_REPORT = 200
"""Pages."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bench BENCH=report_times")
    parser.add_argument("--bundle", type=Path, help="folder of a run with evidence.json and charts.json; without it, the tests' example is drawn")
    parser.add_argument("--long", type=int, metavar="COPIES", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.long:
        return _long_report(options.bundle, options.long)
    with tempfile.TemporaryDirectory() as scratch:
        folder = _drawn(options.bundle, Path(scratch) / "bundle")
        evidence, charts, pictures = _read(folder)

        data = report_data(evidence, charts)
        unsigned = compile_pdf(data, pictures, enclosures(evidence, data, [Attachment("evidence.json", (folder / "evidence.json").read_bytes(), "application/json", "data", "The evidence")]))
        (folder / "audit.unsigned.pdf").write_bytes(unsigned)
        signed, _ = signed_report(folder, Path(scratch))
        _say("signed, and looked at by our own verification", _best(lambda: signed_report(folder, Path(scratch))), 0.5)
        _verified(signed, Path(scratch))
        pages = _pages(unsigned)
        print(f"{pages} pages, {len(signed) / 2**20:.2f} MiB signed (limits: 40, 3)", flush=True)
        # In fresh processes: the compiler remembers what it has laid out once
        for copies in (1, -(-LONG_REPORT // pages)):
            done = subprocess.run([sys.executable, "-m", "tests.benchmarks.report_times", "--bundle", str(folder), "--long", str(copies)], capture_output=True, text=True, check=True)
            print(done.stdout.strip(), flush=True)
    return 0


def _drawn(bundle: Path | None, folder: Path) -> Path:
    """A copy of the bundle's evidence and charts, drawn."""
    if bundle is None:
        from tests.auditapp.report.conftest import draw_bundle
        from tests.evidence_example import make_evidence

        return draw_bundle(make_evidence(), folder)
    folder.mkdir()
    for name in ("evidence.json", "charts.json"):
        (folder / name).write_bytes((bundle / name).read_bytes())
    begun = time.perf_counter()
    render_bundle(folder)
    print(f"pictures for page and paper drawn, and rendered: {time.perf_counter() - begun:.1f} s, start of the drawing engine included", flush=True)
    return folder


def _read(folder: Path) -> tuple[Evidence, Charts, dict[str, bytes]]:
    charts = Charts.model_validate_json((folder / "charts.json").read_bytes())
    return Evidence.model_validate_json((folder / "evidence.json").read_bytes()), charts, {chart.name: (folder / "charts" / f"{chart.name}.svg").read_bytes() for chart in charts.charts}


def _best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def _say(what: str, seconds: float, limit: float) -> None:
    print(f"{what}: {seconds:.2f} s (limit {limit:g} s)", flush=True)


def _verified(signed: bytes, scratch: Path) -> None:
    (scratch / "audit.pdf").write_bytes(signed)
    command = [sys.executable, "-m", "auditapp.report.verify", str(scratch / "audit.pdf"), "--trust", str(scratch / "signing" / "certificate.pem")]
    said: Mapping[str, Any] = {}

    def verify() -> None:
        nonlocal said
        said = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    verify()
    _say("verified in a process of its own, start and numbers on the pages included", _best(verify), 1.0)
    print(f"valid: {said['valid']}; {said['numbers']}", flush=True)


def _pages(pdf: bytes) -> int:
    return max(int(count) for count in re.findall(rb"/Type\s*/Pages\s*/Count\s+(\d+)", pdf))


def _long_report(folder: Path, copies: int) -> int:
    evidence, charts, pictures = _read(folder)
    begun = time.perf_counter()
    data = report_data(evidence, charts)
    for section in data["sections"][2:]:
        section["blocks"] = section["blocks"] * copies
    pdf = compile_pdf(data, pictures, [])
    print(f"{_pages(pdf)} pages rendered from finished pictures: {time.perf_counter() - begun:.1f} s (limit {2 if copies == 1 else 10} s), peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB of the whole process (limit 1 GiB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
