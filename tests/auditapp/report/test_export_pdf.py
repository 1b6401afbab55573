"""Exports as PDF: two pages exactly, texts as they are, in the standards of the report, and made in a child."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pikepdf import Pdf

from auditapp.report.annex_iv import annex_iv
from auditapp.report.export_pdf import NotDrawn, compile_export, pdf_in_child
from auditapp.report.law_summary import law_summary
from automl.evidence import Evidence, LocalLaw144Section
from tests.auditapp.report.test_law_summary import law_of, with_classes, with_few
from tests.evidence_variants import HOSTILE, hostile, predictions, regression, with_law

LONG = "An answer of several lines that goes on and on, with 日本語 names and https://example.org/ addresses in it. " * 12


def summary_of(evidence: Evidence, said: dict[str, str] | None = None, **options: Any) -> dict[str, Any]:
    return {**law_summary(evidence, said or {}, **options), "pages": 2}


def text_of(pdf: bytes, tmp_path: Path) -> str:
    (tmp_path / "a.pdf").write_bytes(pdf)
    return " ".join(subprocess.run(["pdftotext", "-layout", tmp_path / "a.pdf", "-"], capture_output=True, text=True, check=True).stdout.split())


def worst() -> Evidence:
    """Every text as long as it may be, and every category left out."""
    evidence = with_few("Asian", 3)
    law = law_of(evidence)
    excluded = tuple(law.excluded[0].model_copy(update={"category": category, "justification": HOSTILE[0] + LONG[:1900]}) for category in
                     ["Male", "Female", *[row.category for row in law.race.rows], *[row.category for row in law.intersectional.rows]])  # type: ignore[union-attr]
    return evidence.model_copy(update={"local_law_144": LocalLaw144Section.model_validate({
        **law.model_dump(), "assessment": "bias_audit", "auditor": LONG[:200], "statement": LONG[:1900], "data_reason": LONG[:1900], "excluded": [one.model_dump() for one in excluded]})})


@pytest.mark.parametrize(("make", "said"), [
    (lambda: with_few("Asian", 3), {}), (lambda: with_classes(3), {}), pytest.param(worst, {"system": LONG[:290], "data_origin": LONG, "independence": LONG}, marks=pytest.mark.slow),
], ids=["small", "classes", "worst"])
def test_the_summary_has_two_pages_exactly(make: Callable[[], Evidence], said: dict[str, str]) -> None:
    for withhold in (False, True):
        with Pdf.open(io.BytesIO(compile_export("law_summary", summary_of(make(), said, withhold=withhold)))) as pdf:
            assert len(pdf.pages) == 2


@pytest.mark.slow
def test_what_does_not_fit_is_refused_in_one_sentence() -> None:
    document = summary_of(with_law())
    document["notes"] = ["word " * 700] * 12
    with pytest.raises(NotDrawn, match="do not fit on 2 pages"):
        compile_export("law_summary", document)


def test_the_summary_reads_as_it_was_written(tmp_path: Path) -> None:
    evidence = with_law()
    text = text_of(compile_export("law_summary", summary_of(evidence)), tmp_path)
    assert "The tool was never in use <b>." in text
    assert "NOT PROVIDED" in text
    assert "Male x White 7,227 1,886 26.1 % 1.000" in text
    assert text.count("page") >= 2


@pytest.mark.parametrize("make", [regression, predictions, hostile])
def test_the_skeleton_of_annex_iv_is_drawn_for_every_kind_of_run(make: Callable[[], Evidence], tmp_path: Path) -> None:
    evidence = make()
    pdf = compile_export("annex_iv", annex_iv(evidence, None))
    text = text_of(pdf, tmp_path)
    for number in ("1(a)", "2(g)", "9"):
        assert number in text
    assert "NOT PROVIDED to be provided by" in text
    with Pdf.open(io.BytesIO(pdf)) as opened:
        assert opened.Root.MarkInfo.Marked
        assert str(opened.Root.Lang) == "en"
        metadata = opened.open_metadata()
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"], metadata["pdfuaid:part"]) == ("3", "A", "1")


def test_the_same_document_gives_the_same_bytes() -> None:
    document = summary_of(with_law())
    assert compile_export("law_summary", document) == compile_export("law_summary", json.loads(json.dumps(document)))


def test_a_child_draws_it(settings: Any) -> None:
    document = summary_of(with_law())
    assert pdf_in_child("law_summary", document) == compile_export("law_summary", document)


@pytest.mark.slow
def test_what_the_child_refuses_is_one_sentence() -> None:
    with pytest.raises(NotDrawn, match=r"^The tables and texts do not fit on 1 pages"):
        pdf_in_child("law_summary", {**summary_of(with_law()), "pages": 1})
    with pytest.raises(NotDrawn, match="could not be drawn"):
        pdf_in_child("law_summary", {"title": "nothing else"})


@pytest.mark.slow
def test_the_independent_judges_find_nothing_in_the_exports(judge: list[str], tmp_path: Path) -> None:
    for name, template, document in (("summary", "law_summary", summary_of(worst())), ("annex", "annex_iv", annex_iv(hostile(), None)), ("annex-regression", "annex_iv", annex_iv(regression(), None))):
        (tmp_path / f"{name}.pdf").write_bytes(compile_export(template, document))
    judged = subprocess.run([*judge, *map(str, sorted(tmp_path.glob("*.pdf")))], capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout
