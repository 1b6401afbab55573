"""Exports as PDF: two pages exactly, texts as they are, in the standards of the report, and made in a child."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pikepdf import Pdf
from pyhanko.keys import load_certs_from_pemder_data

from auditapp.report import verify
from auditapp.report.annex_iv import annex_iv
from auditapp.report.export_pdf import NotDrawn, compile_export, pdf_in_child
from auditapp.report.law_summary import law_summary
from auditapp.report.sign import sign_pdf
from auditapp.report.verify import check_pdf
from automl.evidence import Evidence, LocalLaw144Section, canonical_json
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
def test_it_is_signed_and_verified_as_a_report_is_and_carries_what_it_prints(own_key: Path) -> None:
    evidence = with_few("Asian", 3)
    signed = sign_pdf(compile_export("law_summary", summary_of(evidence, withhold=True))).bytes
    verdict = check_pdf(signed, list(load_certs_from_pemder_data((own_key / "certificate.pem").read_bytes())), numbers=True)
    assert (verdict.valid, verdict.run, verdict.digest, verdict.problems) == (True, evidence.run.id, evidence.digest, ())
    assert verdict.numbers == "every number on its pages is one of the attached document's, at the digits printed"
    with Pdf.open(io.BytesIO(signed)) as pdf:
        assert list(pdf.attachments) == ["export.json"], "the evidence has the cells that are withheld here"
        inside = json.loads(pdf.attachments["export.json"].get_file().read_bytes())
        assert str(pdf.Root.AcroForm.Fields[0].V.Reason) == f"Document made of run {evidence.run.id}, as drawn from its evidence"
    assert inside == {key: value for key, value in law_summary(evidence, {}, withhold=True).items() if key != "largest"}


def test_content_that_is_not_what_the_file_names_is_said() -> None:
    inside = canonical_json({"run": "run_1", "digest": "0" * 64})
    named = f"Plumbline, run run_1, evidence {'0' * 64}, export {hashlib.sha256(inside).hexdigest()}"
    assert verify._check_export(inside, named) == ([], "run_1", "0" * 64)
    assert verify._check_export(inside.replace(b"run_1", b"run_2"), named)[0] == ["what it carries as its content is not what it names"]
    assert verify._check_export(b"[]", named)[0] == ["what it carries as its content is not a document of ours"]
