"""What leaves a run for others, beside its report: the public summary of Local Law 144, the skeleton of Annex IV's technical documentation, the model card.

Made when they are asked for, from the evidence and from what people have said by then; never a person's row. Those that are PDFs are signed before they are handed out (`auditapp.signed_exports`); the others are not, and the signed report holds their numbers.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.template.loader import render_to_string
from django.utils import translation

from auditapp import report_versions, results
from auditapp.languages.chosen import EVIDENCE_LANGUAGE
from auditapp.languages.sentences import CONDITIONS, QUOTE, UNQUOTE, said_in
from auditapp.models import Run
from auditapp.report.annex_iv import annex_iv
from auditapp.report.blocks import said_of
from auditapp.report.export_pdf import NotDrawn, pdf_in_child
from auditapp.report.law_summary import NoSummary, law_summary
from auditapp.report.markdown import annex_iv_markdown
from auditapp.statements.document import Statements
from auditapp.statements.fields import language_of
from automl.evidence import Evidence

MARKDOWN, HTML, PDF = "text/markdown; charset=utf-8", "text/html; charset=utf-8", "application/pdf"
STYLE = Path(__file__).resolve().parent / "static" / "plumbline" / "summary.css"
SUMMARY_PAGES = 2


class NoExport(Exception):
    """This run has no such export; the text is one sentence that says why."""


@dataclass(frozen=True)
class Asked:
    """What an export is made of. ``withhold``: categories of few people are not shown where the law would have them shown."""

    evidence: Evidence
    statements: Statements
    withhold: bool = False


@dataclass(frozen=True)
class Export:
    """``of``: exports of one content in several formats belong together."""

    of: str
    media_type: str
    make: Callable[[Asked], bytes]


def _summary_html(asked: Asked) -> bytes:
    summary = law_summary(asked.evidence, said_of(asked.statements), withhold=asked.withhold)
    # A file of its own, opened from anywhere: its style travels in it, and nothing else is ever loaded
    style = "data:text/css;base64," + base64.b64encode(STYLE.read_bytes()).decode()
    with translation.override(EVIDENCE_LANGUAGE):
        return render_to_string("exports/law_summary.html", {"summary": summary, "style": style}).encode()


def _summary_pdf(asked: Asked) -> bytes:
    return pdf_in_child("law_summary", law_summary(asked.evidence, said_of(asked.statements), withhold=asked.withhold) | {"pages": SUMMARY_PAGES})


def _annex_iv_markdown(asked: Asked) -> bytes:
    return annex_iv_markdown(annex_iv(asked.evidence, asked.statements, _language(asked))).encode()


def _annex_iv_pdf(asked: Asked) -> bytes:
    english, lang = annex_iv(asked.evidence, asked.statements), _language(asked)
    return pdf_in_child("annex_iv", english if lang == EVIDENCE_LANGUAGE else {**english, "printed": annex_iv(asked.evidence, asked.statements, lang)})


def _language(asked: Asked) -> str:
    """That of the report. The summary of Local Law 144 is English: it is posted in New York City, in the words that the rule itself defines."""
    return language_of({name: one.text for name, one in asked.statements.fields.items()}, asked.evidence.spec.report_language)


def _card(asked: Asked) -> bytes:
    # Not before somebody asks: the hub's library is larger than all that the web process holds
    from automl.card import ENGLISH, Tongue, write_card

    lang = _language(asked)
    tongue = ENGLISH if lang == EVIDENCE_LANGUAGE else Tongue(lang, functools.partial(said_in, lang=lang), lambda text: f"{QUOTE}{text}{UNQUOTE}", lambda text: f"{QUOTE}{CONDITIONS}{text}{UNQUOTE}")
    return write_card(asked.evidence, said_of(asked.statements), tongue).encode()


EXPORTS: dict[str, Export] = {
    "local-law-144.html": Export("summary", HTML, _summary_html), "local-law-144.pdf": Export("summary", PDF, _summary_pdf),
    "annex-iv.md": Export("annex_iv", MARKDOWN, _annex_iv_markdown), "annex-iv.pdf": Export("annex_iv", PDF, _annex_iv_pdf),
    "modelcard.md": Export("card", MARKDOWN, _card),
}


def make_export(run: Run, name: str, *, withhold: bool = False) -> bytes:
    """The bytes of the export ``name`` (a key of `EXPORTS`) of a run that has succeeded, with what people have said by now. Raises as `make_of`, and results.NoSuchArtifact before
    the run has results."""
    return make_of(name, Asked(results.read_evidence(run), report_versions.document_of(run), withhold))


def make_of(name: str, asked: Asked) -> bytes:
    """The same of an evidence document; the same input gives the same bytes. Raises NoExport with a sentence, and `NotDrawn` where a PDF cannot be made now."""
    try:
        return EXPORTS[name].make(asked)
    except NoSummary as why:
        raise NoExport(str(why)) from why


def obstacle(evidence: Evidence, name: str) -> str:
    """Why there is no export of that name, in one sentence; empty where there is one."""
    if EXPORTS[name].of != "summary":
        return ""
    try:
        law_summary(evidence, {})
    except NoSummary as why:
        return str(why)
    return ""


__all__ = ["EXPORTS", "Asked", "Export", "NoExport", "NotDrawn", "make_export", "make_of", "obstacle"]
