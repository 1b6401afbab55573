"""The PDF itself: what the compiler, poppler and independent judges find in it."""

from __future__ import annotations

import io
import re
import subprocess
from pathlib import Path
from typing import Any

import pikepdf
import pytest
import typst

from auditapp.report.attachment import EVIDENCE_NAME
from auditapp.report.context import report_data
from auditapp.report.draw import draw_svg
from auditapp.report.glyphs import printable_document
from auditapp.report.render import Attachment, compile_pdf
from automl.evidence import Charts, Evidence, FairnessSection, Finding
from tests.auditapp.report.conftest import draw_bundle
from tests.evidence_example import make_evidence
from tests.evidence_variants import HOSTILE, with_law
from tests.numbers_of_evidence import unfounded_numbers

pytestmark = pytest.mark.slow

MADE = ("config.json", "law_status.json", "lock.txt", "manifest.sha256", "tables.csv")
"""What is made from the evidence when it is drawn."""


def text_of(pdf: Path) -> str:
    return subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True).stdout


def document(**changes: Any) -> dict[str, Any]:
    """A small report of one block, for what the template does with it."""
    blocks = [{"kind": "text", "text": "Nothing."}]
    sections = [{"number": number, "title": title, "lead": "", "short": "", "blocks": mine} for number, title, mine in (("1", "One", blocks), ("2", "Two", changes.pop("blocks", blocks)))]
    return {"lang": "en", "glossary": [], "title": "T", "assessment": "A", "run": "run_1", "digest": "d" * 64, "finished_at": "2026-11-21T08:01:32Z", "keywords": ["k"], "sections": sections, **changes}


def without_numbers_of_pictures_and_pages(text: str, folder: Path) -> str:
    """The text of the PDF less what counts pages, sections, tables and figures, and less the tick marks inside pictures."""
    ticks = {tick for svg in folder.glob("*.svg") for tick in re.findall(r">([^<>]*\d[^<>]*)</text>", svg.read_text())}
    lines = []
    for line in text.splitlines():
        pieces = [piece for piece in re.split(r"\s{2,}", line.strip()) if piece not in ticks]
        line = "  ".join(pieces)
        line = re.sub(r"page \d+ / \d+|(Table|Figure) \d+\.|\.{3,}\s*\d+$|^\d+ +(?=[A-Z])", " ", line)
        lines.append(line)
    return "\n".join(lines)


def unfounded_on_paper(folder: Path) -> list[str]:
    evidence = Evidence.model_validate_json((folder / "evidence.json").read_bytes())
    text = without_numbers_of_pictures_and_pages(text_of(folder / "audit.unsigned.pdf"), folder / "charts")
    # Axis ticks that stand on one line are one piece to poppler
    ticks = {token for svg in (folder / "charts").glob("*.svg") for words in re.findall(r">([^<>]*\d[^<>]*)</text>", svg.read_text()) for token in words.replace("%", "").split()}
    return [token for token in unfounded_numbers([text], evidence) if token not in ticks]


def test_mistake_15_every_number_on_paper_is_in_the_evidence(bundle: Path) -> None:
    assert unfounded_on_paper(bundle) == []
    assert text_of(bundle / "audit.unsigned.pdf").count("0.294") >= 3


def test_mistake_15_evidence_is_attached_byte_for_byte_as_data(unsigned: bytes, bundle: Path) -> None:
    with pikepdf.open(io.BytesIO(unsigned)) as pdf:
        assert set(pdf.attachments) == {EVIDENCE_NAME, "statements.json", "modelcard.md", *MADE}
        attached = pdf.attachments[EVIDENCE_NAME]
        assert attached.get_file().read_bytes() == (bundle / EVIDENCE_NAME).read_bytes()
        assert attached.get_file().mime_type == "application/json"
        assert str(attached.relationship) == "/Data"
        assert len(pdf.Root.AF) == 3 + len(MADE)


def test_mistake_16_what_checks_the_numbers_travels_with_them_and_no_persons_row(tmp_path: Path) -> None:
    beside = {"counts.csv": b"pointer,group,n\n", "local_law_144.csv": b"class,table\n", "recompute.py": b"print(1)\n", "predictions.csv": b"row,label\n0,yes\n"}
    for name, content in beside.items():
        (tmp_path / name).write_bytes(content)
    with pikepdf.open(draw_bundle(with_law(), tmp_path) / "audit.unsigned.pdf") as pdf:
        assert set(pdf.attachments) == {EVIDENCE_NAME, "statements.json", "modelcard.md", "counts.csv", "local_law_144.csv", "recompute.py", *MADE}
        for name in ("counts.csv", "local_law_144.csv", "recompute.py"):
            assert pdf.attachments[name].get_file().read_bytes() == beside[name]
        assert (str(pdf.attachments["counts.csv"].relationship), str(pdf.attachments["recompute.py"].relationship)) == ("/Data", "/Supplement")
    assert unfounded_on_paper(tmp_path) == []


def test_metadata_names_the_run_and_the_evidence(unsigned: bytes) -> None:
    evidence = make_evidence()
    with pikepdf.open(io.BytesIO(unsigned)) as pdf:
        assert f"evidence {evidence.digest}" in str(pdf.docinfo.Keywords)
        assert f"run {evidence.run.id}" in str(pdf.docinfo.Keywords)
        assert str(pdf.Root.Lang) == "en"
        assert str(pdf.docinfo.CreationDate).startswith("D:20261121080132")
        assert pdf.Root.MarkInfo.Marked


def test_only_our_font_is_inside(unsigned: bytes) -> None:
    names = {bytes(name) for name in re.findall(rb"/FontName\s*/([A-Za-z0-9+_-]+)", unsigned)}
    with pikepdf.open(io.BytesIO(unsigned)) as pdf:
        names |= {str(item.FontName).encode() for item in pdf.objects if isinstance(item, pikepdf.Dictionary) and "/FontName" in item}
    assert names
    assert all(b"SourceSans3" in name for name in names)


def test_the_same_data_gives_the_same_bytes() -> None:
    attachments = [Attachment("evidence.json", b"{}", "application/json", "data", "e")]
    assert compile_pdf(document(), {}, attachments) == compile_pdf(document(), {}, attachments)


def test_numbers_of_other_kinds_are_in_their_evidence(folders: list[Path]) -> None:
    for folder in folders[:3]:
        assert unfounded_on_paper(folder) == [], folder.name


def test_t35_hostile_strings_stand_on_paper_literally(tmp_path: Path) -> None:
    blocks = [{"kind": "facts", "rows": [[f"name {at}", name] for at, name in enumerate(HOSTILE)]}]
    (tmp_path / "r.pdf").write_bytes(compile_pdf(document(blocks=blocks, title=HOSTILE[1]), {}, []))
    text = re.sub(r"\s+", "", text_of(tmp_path / "r.pdf"))
    for name in ('a[x]:"{}', "</script><script>alert(1)</script>", '#read("/etc/passwd")', "$sum$", "*bold*_x_@ref<label>", "\\u0000\\", "{{7*7}}", "=cmd()", "`code`", "A" * 400):
        assert name in text, name
    assert "[U+65E5U+672CU+8A9E]" in text
    assert "[U+202E]evil[U+202C]" in text
    assert "fontisnotinstalled" in text


def test_a_digest_can_be_copied_from_paper(bundle: Path) -> None:
    """Places where a long word may break must leave no characters in it that nobody sees."""
    evidence = Evidence.model_validate_json((bundle / "evidence.json").read_bytes())
    text = text_of(bundle / "audit.unsigned.pdf")
    assert "\u200b" not in text
    assert evidence.digest in re.sub(r"\s+", "", text)


def test_a_report_without_strange_characters_has_no_note_on_fonts(tmp_path: Path) -> None:
    (tmp_path / "r.pdf").write_bytes(compile_pdf(document(), {}, []))
    assert "font is not installed" not in text_of(tmp_path / "r.pdf")


def test_a_picture_without_alternative_text_is_refused() -> None:
    """The compiler holds the standard: were the template to lose its alt texts, no report would come out."""
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="10"></svg>'
    block = {"kind": "chart", "name": "c", "title": "T", "alt": "A sentence."}
    compile_pdf(document(blocks=[block]), {"c": svg}, [])
    with pytest.raises(typst.TypstError):
        compile_pdf(document(blocks=[{**block, "alt": None}]), {"c": svg}, [])


def test_a_picture_higher_than_a_page_is_drawn_smaller_and_not_cut_off(tmp_path: Path) -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="3000"><text x="20" y="2990" font-family="Source Sans 3" font-size="60">zebra</text></svg>'
    (tmp_path / "r.pdf").write_bytes(compile_pdf(document(blocks=[{"kind": "chart", "name": "c", "title": "T", "alt": "A sentence."}]), {"c": svg}, []))
    boxes = subprocess.run(["pdftotext", "-bbox", str(tmp_path / "r.pdf"), "-"], capture_output=True, text=True, check=True).stdout
    [bottom] = re.findall(r'yMax="([\d.]+)">zebra<', boxes)
    assert float(bottom) < 842 - 54, "within the page's margin"


def test_names_without_a_glyph_do_not_stop_a_picture_and_are_told_by_their_code_points(tmp_path: Path) -> None:
    """The compiler refuses a whole document for one character that no font has, inside a picture too."""
    spec = {"data": {"values": [{"label": "日本語 שלום", "value": 1}]}, "mark": "bar", "encoding": {"y": {"field": "label", "type": "nominal"}, "x": {"field": "value", "type": "quantitative"}}}
    block = {"kind": "chart", "name": "c", "title": "T", "alt": "A sentence."}
    with pytest.raises(typst.TypstError):
        compile_pdf(document(blocks=[block]), {"c": draw_svg(spec).encode()}, [])
    readable, changed = printable_document(spec, longest_run=2)
    assert changed
    (tmp_path / "r.pdf").write_bytes(compile_pdf(document(blocks=[block]), {"c": draw_svg(readable).encode()}, []))
    assert "[U+65E5 U+672C …] [U+05E9 U+05DC …]" in text_of(tmp_path / "r.pdf")


def test_names_in_other_scripts_are_set_in_an_installed_font_in_texts_and_pictures(hebrew_font: Path, tmp_path: Path) -> None:
    spec = {"data": {"values": [{"label": "שלום", "value": 1}]}, "mark": "bar", "encoding": {"y": {"field": "label", "type": "nominal"}, "x": {"field": "value", "type": "quantitative"}}}
    table = {"kind": "table", "caption": "Groups", "columns": ["group", "n"], "align": ["left", "right"], "widths": [1, 0], "after": "", "share": 0, "dense": False, "rows": [["مرحبا", "12"], ["日本", "7"]]}
    pdf = compile_pdf(document(title="שלום", blocks=[table, {"kind": "chart", "name": "c", "title": "T", "alt": "A picture of שלום."}]), {"c": draw_svg(spec).encode()}, [])
    (tmp_path / "r.pdf").write_bytes(pdf)
    text = text_of(tmp_path / "r.pdf")
    assert text.count("שלום") >= 3, "title, caption and picture"
    assert "مرحبا" in text
    assert "[U+65E5 U+672C]" in text
    with pikepdf.open(tmp_path / "r.pdf") as opened:
        descriptors = [item for item in opened.objects if isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/FontDescriptor"]
    assert len(descriptors) >= 2


def test_many_groups_and_columns_are_laid_out_whole(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """40 groups of an attribute and 500 columns with long names: more pages, nothing lost, and the layout settles."""
    evidence = make_evidence()
    assert isinstance(evidence.fairness, FairnessSection)
    first, column = evidence.fairness.attributes[0], evidence.data.columns[0]
    groups = tuple(first.groups[0].model_copy(update={"group": f"group number {at} of a community with a long name"}) for at in range(40))
    columns = tuple(column.model_copy(update={"name": f"column_{at}_of_a_table_from_a_warehouse_with_long_names"}) for at in range(500))
    evidence = make_evidence(fairness=evidence.fairness.model_copy(update={"attributes": (first.model_copy(update={"groups": groups}),)}), data=evidence.data.model_copy(update={"columns": columns}))
    (tmp_path / "r.pdf").write_bytes(compile_pdf(report_data(evidence, Charts()), {}, []))
    assert not caplog.records, "the compiler warns of a layout that did not settle"
    text = text_of(tmp_path / "r.pdf")
    assert [int(at) for at in re.findall(r"page (\d+) / \d+", text)] == list(range(1, text.count("\f") + 1))
    together = re.sub(r"\s+", "", text)
    assert all(f"groupnumber{at}ofacommunity" in together for at in range(40))
    assert "Further columns are in the attached evidence" in text


def test_what_stays_in_one_piece_is_broken_where_it_is_longer_than_a_page(tmp_path: Path) -> None:
    """Facts, small tables and tables side by side are kept together; text of a person may be of any length."""
    long = ("A person wrote this. " * 190).strip()
    table = {"kind": "table", "caption": "C", "columns": ["who", "what"], "align": ["left", "left"], "widths": [0, 1], "after": "", "dense": False}
    blocks = [
        {"kind": "facts", "rows": [["a", f"{long} apple"], ["b", f"{long} pear"]]},
        {**table, "share": 0, "rows": [["c", f"{long} plum"], ["d", f"{long} cherry"]]},
        *({**table, "share": 1, "rows": [[str(at), f"{word} {at}"] for at in range(90)]} for word in ("left", "right")),
    ]
    (tmp_path / "r.pdf").write_bytes(compile_pdf(document(blocks=blocks), {}, []))
    words = subprocess.run(["pdftotext", "-bbox", str(tmp_path / "r.pdf"), "-"], capture_output=True, text=True, check=True).stdout
    bottoms = {word: float(bottom) for bottom, word in re.findall(r'yMax="([\d.]+)">(apple|pear|plum|cherry|right|left)<', words)}
    assert len(bottoms) == 6
    assert all(bottom < 842 - 48 for bottom in bottoms.values()), bottoms
    assert text_of(tmp_path / "r.pdf").count("right 89") == 1


def test_long_tables_repeat_their_header(tmp_path: Path) -> None:
    table = {"kind": "table", "caption": "Many", "columns": ["zebra", "n"], "align": ["left", "right"], "widths": [1, 0], "after": "", "share": 0, "dense": False, "rows": [[f"row {at}", str(at)] for at in range(150)]}
    (tmp_path / "r.pdf").write_bytes(compile_pdf(document(blocks=[table]), {}, []))
    assert text_of(tmp_path / "r.pdf").count("zebra") >= 3


def test_small_pictures_stand_side_by_side(tmp_path: Path) -> None:
    def svg(word: str) -> bytes:
        return f'<svg xmlns="http://www.w3.org/2000/svg" width="312" height="100"><text x="10" y="50" font-family="Source Sans 3">{word}</text></svg>'.encode()

    blocks = [{"kind": "chart", "name": name, "title": name, "alt": f"{name}."} for name in ("left", "right")]
    (tmp_path / "r.pdf").write_bytes(compile_pdf(document(blocks=blocks), {"left": svg("apple"), "right": svg("pear")}, []))
    assert re.search(r"apple.*pear", text_of(tmp_path / "r.pdf"))


def test_a_name_of_64_kib_is_cut_and_not_refused_by_the_standard(tmp_path: Path) -> None:
    """PDF/A-3 knows no string of more than 32,767 bytes; a column's name may be longer."""
    name = "n" * 65_536
    for changed in ({"title": name}, {"blocks": [{"kind": "text", "text": f"The column {name}."}]}):
        assert compile_pdf(document(**changed), {}, []).startswith(b"%PDF-")


def test_first_page_holds_findings_and_values_and_the_contents_come_right_after(tmp_path: Path) -> None:
    text = "Group 1 of race is given the good outcome at a rate below the limit of 0.8 that was set, and this holds beyond what sampling error alone would show in a table of this size."
    findings = tuple(Finding(id=f"f{at}", severity="high", text=text, suggestion="Look at its inputs.", evidence="/fairness/attributes/0/groups/0", rule="r") for at in range(12))
    evidence = make_evidence(findings=findings)
    path = tmp_path / "a.pdf"
    path.write_bytes(compile_pdf(report_data(evidence, Charts()), {}, []))
    first, second, *_ = text_of(path).split("\f")
    assert "Values at a glance" in first
    assert "page 1 / " in first
    assert "Contents" in second
    assert "System, purpose and use" in second.split("Sign-off")[1]
    assert "page 2 / " in second
