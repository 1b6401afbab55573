"""The results of a run, one page a section. Every number on them stands in the run's evidence; labels are counted, nothing else is computed."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from defusedcsv import csv as safe_csv
from django.conf import settings
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_safe

from auditapp import results
from auditapp.access import find
from auditapp.api.files import download
from auditapp.downloads import noted_file, noted_report
from auditapp.models import Artifact, Run, SavedCohort
from auditapp.report.fairness_sections import lowest_ratio
from auditapp.templatetags.folds import render_with_folds
from auditapp.uploads import nameless_file
from auditapp.views.alternatives import alternatives_of
from auditapp.views.guard import PageRequest, page
from auditapp.views.laws import laws_of
from automl.evidence import Attribute, Chart, Evidence, FairnessSection, Finding, Group, NotMeasured, Ratio

SECTIONS: dict[str, Any] = {
    "summary": lazy("Summary"), "leaderboard": lazy("Leaderboard"), "performance": lazy("Performance"), "explanation": lazy("Explanation"), "fairness": lazy("Fairness"), "mitigation": lazy("Mitigation"),
    "weaknesses": lazy("Where it fails"), "reasons": lazy("Reasons"), "data": lazy("Data"), "laws": lazy("Laws and documents"), "not-measured": lazy("Not measured"), "provenance": lazy("Provenance"),
}
OUTCOME_CHARTS = ("selection-rate", "impact-ratio", "score")
CHARTS_OF_SECTION = {
    "leaderboard": "search", "performance": "performance", "explanation": "explanation", "fairness": "fairness", "mitigation": "mitigation", "weaknesses": "weaknesses", "reasons": "reasons",
}
NOT_MEASURED_WORDS = {
    "search": lazy("Search and leaderboard"), "performance": lazy("Performance"), "fairness": lazy("Group fairness"), "local_law_144": lazy("Tables of New York's Local Law 144"),
    "explanation": lazy("Explanation"), "reasons": lazy("Reasons for unfavourable decisions"), "mitigation": lazy("Mitigation alternatives"), "slices": lazy("Error slices"),
    "robustness": lazy("Robustness"), "crosswalk": lazy("Crosswalk to laws and standards"),
}
FILES = {"evidence.json": "evidence.json", "modelcard.md": "modelcard.md", "model.onnx": "model/model.onnx", "reasons.csv": "reasons.csv"}
_CHART = re.compile(r"[a-z0-9-]{1,100}")


@dataclass(frozen=True)
class Missing:
    """One check that was not made, and why."""

    words: object
    where: str
    reason: str


@require_safe
@page("read")
def section(request: PageRequest, run_id: str, section: str = "summary") -> HttpResponse:
    run = find(Run.objects.select_related("dataset"), request.caller, run_id)
    if section not in SECTIONS:
        raise Http404
    if run.state != "succeeded":
        return redirect("run", run.pk)
    evidence = results.read_evidence(run)
    charts = [chart for chart in results.read_charts(run).charts if chart.section == CHARTS_OF_SECTION.get(section)]
    tables = tables_of(evidence, charts) if section == "fairness" else []
    law_charts = [chart for chart in charts if chart.name.startswith("law-")]
    placed = {chart.name for table in tables for chart in (*table.charts, *table.error_charts)} | {chart.name for chart in law_charts}
    return render_with_folds(request, f"results/{section}.html", {
        "run": run, "evidence": evidence, "sections": SECTIONS, "section": section, "charts": charts, "report": results.newest_report(run),
        "tables": tables, "alternatives": alternatives_of(evidence, charts), "other_charts": [chart for chart in charts if chart.name not in placed], "tally": tally(evidence), "missing": not_measured(evidence), "law_tables": law_tables(evidence), "law_charts": law_charts, "limit": limit_of(evidence), "glance": glance_of(evidence) if section == "summary" else (), "laws": laws_of(run, evidence, request.GET.get("profile")) if section == "laws" else None, "key_charts": _key_charts(run) if section == "summary" else (),
        "saved_cohorts": SavedCohort.objects.filter(run=run) if section == "weaknesses" else (),
    })


@dataclass(frozen=True)
class Table:
    """One attribute or crossing on the fairness page, with its pictures; ``of`` is the favourable class where there are several."""

    anchor: str
    crossing: bool
    of: str | None
    attribute: Attribute
    finding: Finding | None
    """The first one that was written about it; they are in the order of their severity."""
    charts: tuple[Chart, ...]
    error_charts: tuple[Chart, ...]


def tables_of(evidence: Evidence, charts: Sequence[Chart]) -> list[Table]:
    """The fairness section in reading order: attributes, crossings, then those of each favourable class. An anchor is the table's pointer with dashes."""
    fairness = evidence.fairness
    if isinstance(fairness, NotMeasured):
        return []
    parts: list[tuple[str, str, str | None, tuple[Attribute, ...], tuple[Attribute, ...]]] = [("fairness", "", None, fairness.attributes, fairness.intersections)]
    parts += [(f"fairness-by_class-{place}", f"class-{place + 1}-", one.favourable, one.attributes, one.intersections) for place, one in enumerate(fairness.by_class)]
    tables = []
    for anchor, prefix, of, attributes, crossings in parts:
        for name, infix, members in (("attributes", "", attributes), ("intersections", "crossing-", crossings)):
            for place, attribute in enumerate(members):
                here, ending = f"{anchor}-{name}-{place}", f"{prefix}{infix}{place + 1}"
                finding = next((one for one in evidence.findings if f"{one.evidence}/".replace("/", "-").startswith(f"-{here}-")), None)
                of_outcome = tuple(chart for chart in charts if chart.name in {f"{what}-{ending}" for what in OUTCOME_CHARTS})
                errors = tuple(chart for chart in charts if chart.name in (f"error-rates-{ending}", f"calibration-by-group-{ending}"))
                tables.append(Table(here, bool(infix), of, attribute, finding, of_outcome, errors))
    return tables


LAW_TABLES = {"sex": lazy("By sex"), "race": lazy("By race or ethnicity"), "intersectional": lazy("By sex and race or ethnicity")}


def law_tables(evidence: Evidence) -> list[tuple[str, str, object, object]]:
    """The tables of Local Law 144 in reading order: anchor (the pointer with dashes), class where there are several, words, table or the reason why there is none."""
    law = evidence.local_law_144
    if isinstance(law, NotMeasured):
        return []
    parts: list[tuple[str, str, object]] = [("local_law_144", "", law), *((f"local_law_144-by_class-{at}", one.label, one) for at, one in enumerate(law.by_class))]
    return [(f"{anchor}-{name}", of, words, getattr(part, name)) for anchor, of, part in parts for name, words in LAW_TABLES.items()]


def tally(evidence: Evidence) -> dict[str, Counter[str]]:
    """How many comparisons with the person's limit came out how, for the attributes and for their crossings."""
    fairness = evidence.fairness
    if isinstance(fairness, NotMeasured):
        return {}
    by_class = [(part.attributes, part.intersections) for part in fairness.by_class]
    pairs = [(fairness.attributes, fairness.intersections), *by_class]
    return {"attributes": _labels(a for attributes, _ in pairs for a in attributes), "crossings": _labels(a for _, crossings in pairs for a in crossings)}


def _labels(attributes: Iterable[Attribute]) -> Counter[str]:
    ratios = (group.impact_ratio for attribute in attributes for group in attribute.groups)
    return Counter("not_measured" if not isinstance(ratio, Ratio) else ratio.label for ratio in ratios)


@dataclass(frozen=True)
class Glance:
    """One attribute on the summary: its lowest ratio, and both rates that it is made of."""

    anchor: str
    attribute: str
    group: Group
    reference: Group
    ratio: Ratio


def glance_of(evidence: Evidence) -> list[Glance]:
    """The answer to "is anybody treated differently, and how sure is that?" in a line for each attribute; the groups are those of the report's page one."""
    fairness = evidence.fairness
    if isinstance(fairness, NotMeasured) or fairness.outcome != "decision":
        return []
    lines = []
    for place, attribute in enumerate(fairness.attributes):
        found, reference = lowest_ratio(attribute), next((group for group in attribute.groups if group.group == attribute.reference), None)
        if found is not None and reference is not None:
            lines.append(Glance(f"fairness-attributes-{place}", attribute.attribute, found[0], reference, found[1]))
    return lines


def limit_of(evidence: Evidence) -> float | None:
    return evidence.fairness.limit.ratio if isinstance(evidence.fairness, FairnessSection) else None


def not_measured(evidence: Evidence) -> list[Missing]:
    """Every section of the document that holds a reason in place of numbers."""
    found = ((words, name, getattr(evidence, name)) for name, words in NOT_MEASURED_WORDS.items())
    return [Missing(words, f"/{name}", part.reason) for words, name, part in found if isinstance(part, NotMeasured)]


def _key_charts(run: Run) -> tuple[Any, ...]:
    """The first fairness picture and the first performance picture, for the summary."""
    charts = results.read_charts(run).charts
    return tuple(chart for wanted in ("fairness", "performance") for chart in [next((c for c in charts if c.section == wanted), None)] if chart)


@require_safe
@page("read")
def report_pdf(request: PageRequest, run_id: str) -> HttpResponseBase:
    """The newest signed report; 409 in words while it awaits its signature."""
    run = find(Run, request.caller, run_id)
    try:
        report = results.signed_report(run)
    except results.NotSigned:
        return render(request, "report_not_there.html", {"run": run}, status=409)
    answer = download(request, results.open_report(run, report.version), name=f"{run.pk}.pdf", media_type="application/pdf", sha256=report.pdf_sha256)
    return noted_report(answer, request, request.caller, report)


@require_safe
@page("read")
def artifact(request: PageRequest, run_id: str, name: str) -> HttpResponseBase:
    return _artifact(request, find(Run, request.caller, run_id), FILES[name], f"{run_id}-{name}")


@require_safe
@page("read")
def bundle_zip(request: PageRequest, run_id: str) -> HttpResponseBase:
    """Every file of the run; built on disk, closed by the response."""
    run = find(Run, request.caller, run_id)
    file = nameless_file()
    try:
        results.write_bundle_zip(run, file)
    except results.NoSuchArtifact:
        file.close()
        raise Http404 from None
    file.seek(0)
    return noted_file(FileResponse(file, as_attachment=True, filename=f"{run.pk}.zip", content_type="application/zip"), request, request.caller, run, "bundle.zip")


@require_safe
@page("read")
def chart_svg(request: PageRequest, run_id: str, name: str) -> HttpResponseBase:
    run = find(Run, request.caller, run_id)
    if _CHART.fullmatch(name) is None:
        raise Http404
    theme = ".dark" if request.GET.get("theme") == "dark" else ""
    language = f".{request.GET['lang']}" if request.GET.get("lang") in dict(settings.LANGUAGES) else ""
    # Drawn for whoever asked for the run; who reads in another language has the English one
    in_language = f"charts/{name}{language}{theme}.svg"
    stored = in_language if Artifact.objects.filter(run=run, name=in_language).exists() else f"charts/{name}{theme}.svg"
    return _artifact(request, run, stored, f"{run_id}-{name}.svg")


@require_safe
@page("read")
def chart_csv(request: PageRequest, run_id: str, name: str) -> HttpResponseBase:
    """The numbers behind a picture. A spreadsheet must not take a group's name for a formula, hence defusedcsv."""
    run = find(Run, request.caller, run_id)
    if (chart := results.find_chart(run, name)) is None:
        raise Http404
    text = io.StringIO()
    writer = safe_csv.writer(text, quoting=csv.QUOTE_MINIMAL)
    writer.writerow(chart.table.columns)
    writer.writerows(chart.table.rows)
    return HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{run.pk}-{chart.name}.csv"'})


def _artifact(request: PageRequest, run: Run, name: str, filename: str) -> HttpResponseBase:
    row = Artifact.objects.filter(run=run, name=name).first()
    if row is None:
        raise Http404
    answer = download(request, results.open_artifact(run, name), name=filename, media_type=row.media_type, sha256=row.sha256)
    return answer if name.startswith("charts/") else noted_file(answer, request, request.caller, run, name, row.sha256)
