"""The page of laws and frameworks: what each asks for and where it stands, under the profile that the address names; and the documents that are made for others."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from auditapp import report_versions, results
from auditapp.access import find
from auditapp.api.files import download
from auditapp.downloads import noted_file
from auditapp.exports import EXPORTS, NoExport, NotDrawn, obstacle
from auditapp.law_status import Law, law_status
from auditapp.models import Run
from auditapp.report.blocks import said_of
from auditapp.report.crosswalk_section import SUPPLIED_WORDS, asked_rows, law_title, profile_of, state_words
from auditapp.signed_exports import BeingSigned, export_bytes
from auditapp.views.guard import PageRequest, page
from automl.crosswalk.jurisdictions import EVERYTHING, JURISDICTIONS, asked_for
from automl.evidence import CrosswalkRow, CrosswalkSection, Evidence


@dataclass(frozen=True)
class Row:
    """One item: ``missing`` where a statement of it was not made."""

    law: str
    item: CrosswalkRow
    supplied_by: str
    state: str
    missing: bool


@dataclass(frozen=True)
class Laws:
    profile: str
    profiles: tuple[tuple[str, str], ...]
    reviewed: str
    rows: tuple[Row, ...]
    laws: tuple[tuple[Law, str], ...]
    """Each with what became of it in words; superseded ones last."""
    provided: int
    asked: int
    obstacle: str
    """Why there is no summary of Local Law 144."""


def laws_of(run: Run, evidence: Evidence, profile: str | None) -> Laws:
    """What the page shows under ``profile`` (None: the one that the report is written for); Http404 for an unknown one."""
    statements = report_versions.document_of(run)
    profile = profile_of(statements) if profile is None else profile
    if profile not in JURISDICTIONS:
        raise Http404
    status, chosen = law_status(), JURISDICTIONS[profile]
    said = said_of(statements)
    found = asked_rows(evidence.crosswalk, profile) if isinstance(evidence.crosswalk, CrosswalkSection) else []
    fields = asked_for(profile).statements
    laws = [law for law in status.laws if profile == EVERYTHING or law.id in chosen.laws or (law.superseded_by is not None and law.superseded_by.law in chosen.laws)]
    return Laws(
        profile, tuple((name, one.title) for name, one in JURISDICTIONS.items()), status.reviewed.isoformat(),
        tuple(Row(law_title(row, status), row, SUPPLIED_WORDS[row.supplied_by], state_words(row, said), any(field not in said for field in row.statements)) for row in found),
        tuple((law, status.standing_words(law)) for law in sorted(laws, key=lambda law: law.superseded)), sum(field in said for field in fields), len(fields), obstacle(evidence, "local-law-144.pdf"))


@require_safe
@page("read")
def export(request: PageRequest, run_id: str, export: str) -> HttpResponseBase:
    """One document for others; 409 in words where this run has none of it."""
    run = find(Run, request.caller, run_id)
    if export not in EXPORTS:
        raise Http404
    try:
        made, sha256 = export_bytes(run, export, withhold=request.GET.get("small_cells") == "withheld")
    except results.NoSuchArtifact:
        raise Http404 from None
    except (NoExport, NotDrawn, BeingSigned) as why:
        return render(request, "export_not_there.html", {"run": run, "why": str(why), "later": isinstance(why, BeingSigned)}, status=409 if isinstance(why, NoExport) else 503)
    answer = download(request, made, name=f"{run.pk}-{export}", media_type=EXPORTS[export].media_type, sha256=sha256)
    return noted_file(answer, request, request.caller, run, export, sha256)
