"""The signed file itself, as it is given out: what a screen reader, an archive and a court's software find in it. Of every kind of run."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from auditapp.languages.sentences import said_in
from auditapp.report.annex_iv import annex_iv
from auditapp.report.context import report_data
from auditapp.report.export_pdf import compile_export
from auditapp.report.render import Attachment, compile_pdf
from auditapp.report.sign import sign_pdf
from auditapp.report.translated import chart_in_language
from automl.evidence import Charts, Evidence, canonical_json
from automl.provenance import config_sha256
from tests.auditapp.report.certificate_authority import CertificateAuthority
from tests.auditapp.report.conftest import VERIFY_AT
from tests.auditapp.report.test_export_pdf import summary_of, worst
from tests.auditapp.report.test_render import document
from tests.auditapp.report.test_sign import as_b_lt
from tests.evidence_example import make_evidence
from tests.evidence_variants import hostile, regression

pytestmark = pytest.mark.slow


def nodes(pdf: pikepdf.Pdf) -> Iterator[pikepdf.Dictionary]:
    """The structure elements, in reading order."""
    waiting: list[Any] = [pdf.Root.StructTreeRoot.K]
    while waiting:
        node = waiting.pop()
        if isinstance(node, pikepdf.Array):
            waiting.extend(reversed(list(node)))
        elif isinstance(node, pikepdf.Dictionary):
            if "/S" in node:
                yield node
            if "/K" in node:
                waiting.append(node.K)


def marks_in_reading_order(pdf: pikepdf.Pdf) -> dict[tuple[int, int], list[int]]:
    """Of each page the numbers of its marked content as the tags put them; the compiler counts them in the order in which it writes them.

    Without the pictures themselves: their words are read before them and stand below them.
    """
    found: dict[tuple[int, int], list[int]] = {}
    waiting: list[tuple[Any, Any]] = [(pdf.Root.StructTreeRoot.K, None)]
    while waiting:
        node, page = waiting.pop()
        if isinstance(node, int):
            found.setdefault(page, []).append(node)
        elif isinstance(node, pikepdf.Array):
            waiting.extend((kid, page) for kid in reversed(list(node)))
        elif isinstance(node, pikepdf.Dictionary) and node.get("/S") != "/Figure":
            page = node.Pg.objgen if "/Pg" in node else page
            if "/MCID" in node:
                found.setdefault(page, []).append(int(node.MCID))
            elif "/K" in node:
                waiting.append((node.K, page))
    return found


def scope_of(cell: pikepdf.Dictionary) -> str:
    attributes = cell.get("/A")
    for one in attributes if isinstance(attributes, pikepdf.Array) else [attributes]:
        if isinstance(one, pikepdf.Dictionary) and "/Scope" in one:
            return str(one.Scope)
    return ""


@pytest.fixture(params=range(6), ids=["binary", "multiclass", "regression", "predictions", "hostile", "german"])
def report(request: pytest.FixtureRequest) -> Iterator[tuple[pikepdf.Pdf, Path]]:
    path: Path = request.getfixturevalue("german_reports")[0] if request.param == 5 else request.getfixturevalue("signed_reports")[request.param]
    with pikepdf.open(path) as pdf:
        yield pdf, path


def language(pdf: pikepdf.Pdf) -> str:
    return str(pdf.Root.Lang)


def test_both_standards_are_declared_and_language_title_and_tab_order_are_set(report: tuple[pikepdf.Pdf, Path]) -> None:
    pdf, path = report
    assert language(pdf) == ("de" if path.parent.name == "make_evidence" else "en")
    with pdf.open_metadata() as metadata:
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"], metadata["pdfuaid:part"]) == ("3", "A", "1")
        assert metadata["dc:title"].startswith(f"{said_in('Audit report', language(pdf))}: ")
    assert bool(pdf.Root.MarkInfo.Marked)
    assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle)
    assert {str(page.get("/Tabs")) for page in pdf.pages} == {"/S"}


def test_tags_headings_and_bookmarks_follow_the_sections(report: tuple[pikepdf.Pdf, Path]) -> None:
    pdf, path = report
    kinds = [str(node.S) for node in nodes(pdf)]
    # Eighteen sections, the contents and the glossary
    assert kinds.count("/H1") == 20
    assert {"/Title", "/TOC", "/Table", "/THead", "/TH", "/TD", "/Caption", "/Figure", "/P"} - set(kinds) <= ({"/Figure"} if path.parent.name == "predictions" else set())
    with pdf.open_outline() as outline:
        titles = [re.sub(r"^\d+\W+", "", item.title) for item in outline.root]
    sections = report_data(Evidence.model_validate_json((path.parent / "evidence.json").read_bytes()), Charts(), lang=language(pdf))["sections"]
    assert titles == [*(section["title"] for section in sections), said_in("Glossary", language(pdf))]


def test_what_is_read_aloud_comes_in_the_order_in_which_it_is_written(report: tuple[pikepdf.Pdf, Path]) -> None:
    """So that who copies, who prints and who listens gets the same order; side by side, the left one comes first."""
    pages = marks_in_reading_order(report[0])
    assert len(pages) == len(report[0].pages)
    assert {page: marks for page, marks in pages.items() if marks != sorted(marks)} == {}


def test_every_cell_of_a_table_head_names_its_scope(report: tuple[pikepdf.Pdf, Path]) -> None:
    heads = [scope_of(node) for node in nodes(report[0]) if node.S == "/TH"]
    assert heads
    assert set(heads) == {"/Column"}


def test_every_picture_says_what_it_shows(report: tuple[pikepdf.Pdf, Path]) -> None:
    pdf, path = report
    drawn = Charts.model_validate_json((path.parent / "charts.json").read_bytes()).charts
    said = [str(node.Alt) for node in nodes(pdf) if node.S == "/Figure"]
    if path.parent.name == "regression":
        said.remove(f"QR code of the address {VERIFY_AT}, where anybody can have a copy of this report checked")
    assert len(said) == len(drawn)
    if path.parent.name != "hostile":  # there, characters without a glyph are written as code points
        assert sorted(said) == sorted(chart_in_language(chart, language(pdf)).sentence for chart in drawn)
    assert all(len(words) > 20 for words in said)


def test_every_font_is_inside(report: tuple[pikepdf.Pdf, Path]) -> None:
    descriptors = [item for item in report[0].objects if isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/FontDescriptor"]
    assert descriptors
    assert all("/FontFile2" in one or "/FontFile3" in one for one in descriptors)


def test_attachments_have_relation_type_and_words_and_their_list_of_digests_holds(report: tuple[pikepdf.Pdf, Path]) -> None:
    pdf, path = report
    types = {
        "evidence.json": ("/Data", "application/json"), "statements.json": ("/Data", "application/json"), "tables.csv": ("/Data", "text/csv"), "modelcard.md": ("/Supplement", "text/markdown"), "config.json": ("/Supplement", "application/json"), "law_status.json": ("/Supplement", "application/json"),
        "lock.txt": ("/Supplement", "text/plain"), "manifest.sha256": ("/Supplement", "text/plain"),
    }
    found = {name: one.get_file() for name, one in pdf.attachments.items()}
    assert {name: (str(pdf.attachments[name].relationship), file.mime_type) for name, file in found.items()} == types
    assert all(pdf.attachments[name].description for name in found)
    assert len(pdf.Root.AF) == len(types)
    listed = dict(line.split("  ")[::-1] for line in found["manifest.sha256"].read_bytes().decode().splitlines())
    assert listed == {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in found.items() if name != "manifest.sha256"}
    evidence = Evidence.model_validate_json((path.parent / "evidence.json").read_bytes())
    assert hashlib.sha256(found["config.json"].read_bytes()).hexdigest() == config_sha256(evidence.spec)
    assert {line for line in found["lock.txt"].read_bytes().decode().splitlines() if not line.startswith("#")} == (
        {f"{name}=={version}" for name, version in evidence.provenance.libraries.items()} if evidence.provenance.packages is None else {line.strip() for line in evidence.provenance.packages.lines})
    rows = list(csv.DictReader(io.StringIO(found["tables.csv"].read_bytes().decode())))
    assert {row["section"] for row in rows} <= {str(number) for number in range(1, 19)}
    assert not any(row["value"].startswith(("=", "@")) for row in rows)


def test_the_pages_are_counted_and_tables_and_figures_numbered_once(report: tuple[pikepdf.Pdf, Path]) -> None:
    """The engine lays out until nothing moves any more; where it gave up, numbers would be wrong and nothing else would tell."""
    pdf, path = report
    text = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True).stdout
    assert [int(at) for at in re.findall(r"(?:page|Seite) (\d+) / \d+", text)] == list(range(1, len(pdf.pages) + 1))
    for word in (said_in(word, language(pdf)) for word in ("Table", "Figure")):
        numbers = [int(number) for number in re.findall(rf"\b{word} (\d+)\.", text)]
        assert sorted(numbers) == list(range(1, len(numbers) + 1))


def test_only_an_installation_with_a_public_address_names_it(signed_reports: list[Path]) -> None:
    """In words, as a link and as a QR code; the others have nothing that leads nowhere."""
    for path in signed_reports:
        with pikepdf.open(path) as pdf:
            links = [str(link.A.URI) for link in pdf.pages[0].get("/Annots", []) if link.get("/A") is not None and "/URI" in link.A]
        text = subprocess.run(["pdftotext", "-l", "1", str(path), "-"], capture_output=True, text=True, check=True).stdout
        has = path.parent.name == "regression"
        assert (VERIFY_AT in links, VERIFY_AT in "".join(text.split()), "Anybody can have a copy checked" in " ".join(text.split())) == (has, has, has), path


def test_the_first_page_is_a_picture_too(signed_reports: list[Path]) -> None:
    for path in signed_reports:
        picture = (path.parent / "page-one.png").read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert (int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])) == (595, 842)
        assert len(picture) < 60_000


def test_independent_judges_find_nothing_short_of_the_standards_and_every_signature_intact(
        signed_reports: list[Path], german_reports: list[Path], unsigned: bytes, own_key: Path, settings: Any, authority: CertificateAuthority, judge: list[str], tmp_path: Path) -> None:
    """Of every kind of signed file in one call, since what costs is the start of a judge."""
    expected = {str(path): "PAdES-BASELINE-B" for path in (*signed_reports, *german_reports)}
    others = {"summary": compile_export("law_summary", summary_of(worst())), "annex": compile_export("annex_iv", annex_iv(hostile(), None)), "annex-regression": compile_export("annex_iv", annex_iv(regression(), None)), "long": long_report()}
    for name, data in others.items():
        expected[written(tmp_path / f"{name}.pdf", sign_pdf(data).bytes)] = "PAdES-BASELINE-B"
    folder = authority.issue("A test's report signer")
    settings.SIGNING_KEY, settings.SIGNING_CERTIFICATE = folder / "key.pem", folder / "certificate.pem"
    settings.TIMESTAMP_URL, settings.AUTHORITIES = authority.address, authority.pem
    for level, reached in (("", "T"), ("B-LTA", "LTA")):
        settings.SIGNATURE_LEVEL = level
        expected[written(tmp_path / f"stamped-{reached}.pdf", sign_pdf(unsigned).bytes)] = f"PAdES-BASELINE-{reached}"
    # As others may make them: what they call the level is what our verification calls it (test_sign.py)
    for ask, reached in ((True, "LT"), (False, "T")):
        expected[written(tmp_path / f"later-{reached}.pdf", as_b_lt(unsigned, folder, authority, ask=ask))] = f"PAdES-BASELINE-{reached}"
    judged = subprocess.run([*judge, "--signed", "--json", *expected], capture_output=True, text=True, check=False)
    verdicts = [json.loads(line) for line in judged.stdout.splitlines()]
    assert {verdict["file"]: (verdict["faults"], [one["level"] for one in verdict["signatures"][:1]]) for verdict in verdicts} == {file: ([], [level]) for file, level in expected.items()}, judged.stderr


def written(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


def long_report() -> bytes:
    """Two hundred pages, which an audit of many attributes and classes may reach: a table of fifty and a picture on each of the others."""
    table = {"kind": "table", "caption": "Many", "columns": ["group", "n"], "align": ["left", "right"], "widths": [1, 0], "after": "", "share": 0, "dense": False,
             "rows": [[f"group number {at} of a community", str(at)] for at in range(6_000)]}
    charts = [{"kind": "chart", "name": f"c{at}", "title": f"Picture {at}", "alt": f"What picture {at} shows."} for at in range(165)]
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="900"><text x="20" y="90" font-family="Source Sans 3">group</text><path d="M0 0L600 800" stroke="#000"/></svg>'
    evidence = Attachment("evidence.json", canonical_json(make_evidence().model_dump(mode="json")), "application/json", "data", "The evidence")
    pdf = compile_pdf(document(blocks=[table, *charts], keywords=[f"evidence {make_evidence().digest}"]), {one["name"]: svg for one in charts}, [evidence])
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert len(opened.pages) >= 200, len(opened.pages)
    return pdf
