"""``python -m workers.render``: a process of its own that draws a bundle and can do nothing else."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from auditapp.confinement import child_environment
from automl.charts import draw_charts
from automl.evidence import canonical_json
from tests.evidence_example import make_evidence
from tests.evidence_variants import predictions

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def lay_out(folder: Path) -> Path:
    evidence = predictions()
    folder.mkdir()
    (folder / "evidence.json").write_bytes(canonical_json(evidence.model_dump(mode="json")))
    (folder / "charts.json").write_bytes(canonical_json(draw_charts(evidence).model_dump(mode="json")))
    return folder


def draw(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "workers.render", str(folder), *options], cwd=ROOT, env=child_environment(), capture_output=True, text=True, timeout=300, check=False)


def sums(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_it_draws_every_chart_in_both_themes_and_the_pdf_and_leaves_nothing_else(tmp_path: Path) -> None:
    first = lay_out(tmp_path / "first")
    done = draw(first)
    assert done.returncode == 0, done.stderr
    names = [chart.name for chart in draw_charts(predictions()).charts]
    drawn = {f"charts/{name}{theme}.svg" for name in names for theme in ("", ".dark")}
    assert set(sums(first)) == {"evidence.json", "charts.json", "page-one.png", "audit.unsigned.pdf", *drawn}
    # Another process, another folder: the same bytes; the pictures in German beside them
    second = lay_out(tmp_path / "second")
    draw(second, "--pictures-in", "de")
    german = {f"charts/{name}.de{theme}.svg" for name in names for theme in ("", ".dark")}
    assert {name: sum_ for name, sum_ in sums(second).items() if name not in german} == sums(first)
    assert german <= set(sums(second))
    assert {"0,50", "Grenze 0,80", "unterhalb", "gegen die Grenze", "Female (n = 4.000)"} <= set(re.findall(r">([^<]+)</text>", (second / "charts" / "impact-ratio-1.de.svg").read_text()))


def test_a_bundle_without_evidence_fails_and_writes_no_pdf(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    folder.mkdir()
    done = draw(folder)
    assert done.returncode != 0
    assert not (folder / "audit.unsigned.pdf").exists()


def test_a_chart_that_cannot_be_drawn_fails_and_writes_no_pdf(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "bundle")
    charts = draw_charts(make_evidence())
    broken = charts.model_copy(update={"charts": (charts.charts[0].model_copy(update={"spec": {"mark": "no such mark"}}),)})
    (folder / "charts.json").write_bytes(canonical_json(broken.model_dump(mode="json")))
    assert draw(folder).returncode != 0
    assert not (folder / "audit.unsigned.pdf").exists()


@pytest.mark.parametrize("url", ["https://example.org/data.json", "file:///etc/passwd"])
def test_a_spec_cannot_fetch_anything(tmp_path: Path, url: str) -> None:
    folder = lay_out(tmp_path / "bundle")
    charts = draw_charts(make_evidence())
    curious = {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", "data": {"url": url, "format": {"type": "dsv", "delimiter": ":"}}, "mark": "text",
               "encoding": {"text": {"field": "root"}}}
    asking = charts.model_copy(update={"charts": (charts.charts[0].model_copy(update={"spec": curious}),)})
    (folder / "charts.json").write_bytes(canonical_json(asking.model_dump(mode="json")))
    draw(folder)
    assert not any(b"/bin/" in path.read_bytes() for path in folder.rglob("*.svg"))
