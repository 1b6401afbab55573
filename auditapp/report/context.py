"""Evidence to report data: every string that the PDF prints, already formatted, in the order of its sections. Nothing is computed here."""

from __future__ import annotations

from collections import Counter
from string import ascii_lowercase
from typing import Any

from auditapp.report.blocks import (
    Block,
    Cell,
    columns,
    data_text,
    ended,
    facts,
    heading,
    note,
    our_words,
    page_of,
    paragraph,
    quotations_marked,
    said_of,
    shown,
    stated,
    table,
)
from auditapp.report.crosswalk_section import NOT_ASKED_SHORT, crosswalk_blocks, profile_of, under_profile
from auditapp.report.data_section import data_section
from auditapp.report.fairness_sections import attributes_of, crossings_section, errors_section, lowest_ratio, outcome_section, tests_section
from auditapp.report.glossary import glossary_blocks
from auditapp.report.leads import IN_CONTENTS, lead_of, not_asked_parts, not_measured_parts, section_of, short_of
from auditapp.report.mitigation_section import mitigation_section
from auditapp.report.model_sections import explanation_section, model_section
from auditapp.report.reasons_section import reasons_section
from auditapp.report.register_section import register_section
from auditapp.report.sign_off_section import said_words, sign_off_section
from auditapp.report.signature_level import keyword
from auditapp.report.translated import in_language
from auditapp.report.weakness_sections import weakness_section
from auditapp.statements.document import Statements
from auditapp.statements.fields import LANGUAGES
from automl.crosswalk.jurisdictions import asked_for, jurisdiction
from automl.evidence import (
    Attribute,
    Charts,
    Estimate,
    Evidence,
    FairnessSection,
    Group,
    LoggedEvent,
    NotMeasured,
    OnnxExport,
    RunInfo,
    ScoreOutcome,
    measured_digest_of,
)
from automl.printing import GOVERNING_WORDS, against_limit, in_order, metric_words, other_draws, ratio, significant, visible, whole
from automl.spec import TaskSpec

FINDINGS_AT_A_GLANCE = 6
"""What leaves room on the first page for the table of values; section 15 has all of them, with what to do."""
SEVERITY_WORDS = {"high": "High", "medium": "Medium", "low": "Low", "info": "Note"}
TITLE_LENGTH = 90


def report_data(evidence: Evidence, charts: Charts, statements: Statements | None = None, lang: str = "en", profile: str | None = None, levels: tuple[str, str] | None = None) -> dict[str, Any]:
    """JSON-able report: title, identity, findings at a glance, and sections 1 to 18 made of `blocks`. ``profile``: whom it is for (default: as people have said, else everything);
    sections that it does not ask for keep their number and say so. ``levels``: the PAdES level that it will be signed at and the one that was asked for; None: nothing is said of it. ValueError for a language we do not have, BadInput for an unknown profile."""
    if lang not in LANGUAGES:
        raise ValueError(f"reports are written in {', '.join(LANGUAGES)}, not in {lang}")
    with quotations_marked():
        document = english_document(evidence, charts, statements, profile, levels)
    document = in_language(document, lang) | {"lang": lang}
    for section in document["sections"]:
        section["short"] = our_words(section["short"], IN_CONTENTS) if section["short"] else ""
    return document


def english_document(evidence: Evidence, charts: Charts, statements: Statements | None = None, profile: str | None = None, levels: tuple[str, str] | None = None) -> dict[str, Any]:
    """The document as the evidence is written; what it quotes from the data is marked where `quotations_marked`."""
    profile = profile or profile_of(statements)
    sections = [
        ("Identity", _identity(evidence, statements, profile)),
        ("Findings at a glance", _glance(evidence, statements)),
        ("System, purpose and use", _purpose(statements)),
        ("Data", data_section(evidence, statements)),
        ("Model and performance", model_section(evidence, charts, statements)),
        ("Outcomes by group", [*outcome_section(evidence, charts), stated(statements, 6)]),
        ("Statistical tests", tests_section(evidence)),
        ("Error rates and calibration by group", [*errors_section(evidence, charts), stated(statements, 8)]),
        ("Crossings of attributes", crossings_section(evidence, charts)),
        ("Explanation of the model", explanation_section(evidence, charts)),
        ("Reasons for individual decisions", reasons_section(evidence, charts, statements)),
        ("Robustness, stability and security", [*weakness_section(evidence, charts), stated(statements, 12)]),
        ("Human oversight and risk", register_section(evidence, statements)),
        ("Mitigation", mitigation_section(evidence, charts, statements)),
        ("Limits of this report", _limits(evidence, statements)),
        ("Crosswalk to laws and frameworks", [*crosswalk_blocks(evidence, said_of(statements), profile), stated(statements, 16)]),
        ("Reproducibility and log", [*_reproducibility(evidence), stated(statements, 17)]),
        ("Sign-off", sign_off_section(statements, levels)),
    ]
    asked = asked_for(profile).sections
    sections = under_profile(sections, profile)
    return {
        "title": visible(evidence.run.title, TITLE_LENGTH) or "Untitled audit",
        "assessment": _assessment(evidence),
        "run": evidence.run.id,
        "digest": evidence.digest,
        "finished_at": evidence.provenance.finished_at,
        "keywords": ["Plumbline", f"run {evidence.run.id}", f"evidence {evidence.digest}", f"report version {statements.report_version if statements else 1}", *([keyword(levels[0])] if levels else [])],
        "sections": [_section(str(number), title, blocks, evidence, asked=number in asked) for number, (title, blocks) in enumerate(sections, start=1)],
        "glossary": glossary_blocks(evidence),
    }


def _section(number: str, title: str, blocks: list[Block], evidence: Evidence, *, asked: bool) -> dict[str, Any]:
    if not asked:  # what it is silent about must not stand over it
        return {"number": number, "title": title, "lead": "", "short": NOT_ASKED_SHORT, "blocks": blocks}
    lead = lead_of(number, blocks, evidence)
    return {"number": number, "title": title, "lead": lead, "short": short_of(lead, blocks), "blocks": blocks}


def _assessment(evidence: Evidence) -> str:
    if evidence.run.kind == "predictions":
        return "Audit of predictions made elsewhere"
    return "Developer's self-assessment of a model trained here"


def _identity(evidence: Evidence, statements: Statements | None, profile: str) -> list[Block]:
    target, spec = evidence.data.target, evidence.spec
    about = "predictions made elsewhere" if target is None else f"{data_text(target.name, 60)} ({target.task})"
    favourable = ", ".join(data_text(label, 40) for label in target.favourable) if target and target.favourable else "a higher number" if target and target.task == "regression" else "as in the plan"
    return [
        columns([facts([
            ("Assessment", _assessment(evidence)), ("Predicted", about), ("Favourable outcome", favourable),
            ("Sensitive attributes", ", ".join(data_text(name, 40) for name in spec.sensitive) or "none declared"),
            ("Audit part", f"{whole(evidence.data.split.audit)} rows; audit number {evidence.plan.audit_number} of this data"),
            ("Date of the audit", evidence.provenance.finished_at.replace("T", " ").replace("Z", " UTC").replace("+00:00", " UTC")),
            *([("Valid until", f"{evidence.provenance.year_later}: Local Law 144 asks for an audit of at most a year")]
              if evidence.provenance.year_later and not isinstance(evidence.local_law_144, NotMeasured) else []),
        ])], [stated(statements, 1)]),
        facts([
            ("Run", evidence.run.id), ("Report", f"{_version(statements)}; profile: {jurisdiction(profile).title}"), ("Evidence digest", evidence.digest), ("Data, SHA-256", evidence.provenance.dataset_sha256),
            ("Model, SHA-256", evidence.provenance.model_sha256 or "no model: predictions made elsewhere"),
        ]),
    ]


def _version(statements: Statements | None) -> str:
    if statements is None or not statements.version:
        return f"version {statements.report_version if statements else 1}; no statement was made yet"
    return f"version {statements.report_version}, with statements version {statements.version}"


def _glance(evidence: Evidence, statements: Statements | None) -> list[Block]:
    first = [one for one in evidence.findings if not one.under][:FINDINGS_AT_A_GLANCE]
    what = "All findings" if len(evidence.findings) > len(first) else "The findings"
    blocks: list[Block] = [{"kind": "findings", "rows": [_finding(one) | {"suggestion": ""} for one in first], "after": f"{what}, with suggestions, are in section 15."}] if first else \
        [paragraph("No rule of the findings applied to this evidence; what was not measured is listed in section 15.")]
    return [*blocks, _values(evidence), facts([*_also(evidence), ("Asked of people", said_words(statements))])]


def _also(evidence: Evidence) -> list[tuple[str, str]]:
    """What a reader of the first page must know to weigh its numbers."""
    fairness = evidence.fairness
    missing, unasked = not_measured_parts(evidence), not_asked_parts(evidence)
    rows = [] if isinstance(fairness, NotMeasured) else [
        ("Comparisons", f"{whole(fairness.family.tests)} tests in the primary family, adjusted by Holm's method; everything else is exploratory" if fairness.family.tests
         else "no test of a hypothesis was set up before; every comparison is exploratory"),
        ("Groups left out", ", ".join(data_text(group.group, 40) for attribute in attributes_of(fairness) for group in attribute.groups if group.excluded) or "none")]
    if evidence.data.unknown:
        rows.append(("Unknown values, all rows", ", ".join(f"{data_text(name, 40)}: {whole(n)}" for name, n in evidence.data.unknown.items())))
    if beside := other_draws(evidence):
        rows.append(("Other draws", beside))
    rows.append(("Not measured", ", ".join(missing) or "nothing of what was asked for, as a whole; single values say so where they stand"))
    return [*rows, ("Not asked for", ", ".join(unasked))] if unasked else rows


def _finding(one: Any) -> dict[str, str]:
    return {"severity": one.severity, "word": SEVERITY_WORDS[one.severity], "text": ended(visible(one.text, 600)), "suggestion": visible(one.suggestion, 400), "evidence": visible(one.evidence, 120), "section": section_of(one)}


def _values(evidence: Evidence) -> Block:
    rows: list[tuple[Cell, ...]] = []
    performance, fairness = evidence.performance, evidence.fairness
    if not isinstance(performance, NotMeasured):
        metric = evidence.search.metric if not isinstance(evidence.search, NotMeasured) else next(iter(in_order(performance.metrics)), None)
        value = performance.metrics.get(metric) if metric else None
        if isinstance(value, Estimate):
            rows.append((f"{metric_words(str(metric))}, all rows", shown(value), whole(value.n), "–", "measured", page_of(5)))
    if not isinstance(fairness, NotMeasured):
        for place, attribute in enumerate(attributes_of(fairness)):
            found = lowest_ratio(attribute)
            if found:
                group, one = found
                rows.append((f"impact ratio, {data_text(attribute.attribute, 40)}: lowest is {data_text(group.group, 40)}", ratio(one, fairness.limit.ratio), whole(group.n),
                             f"{fairness.limit.ratio:g}", our_words(against_limit(one), 300), page_of(6 if place < len(fairness.attributes) else 9)))
        rows += [_furthest_residual(attribute, place < len(fairness.attributes)) for place, attribute in enumerate(attributes_of(fairness)) if fairness.outcome == "score" and _residuals_of(attribute)]
    return table("Values at a glance", [("item", "left", 1.7), ("value, 95 % interval", "left", 1.1), ("n", "right", 0), ("limit", "right", 0), ("what the evidence says", "left", 1.2), ("page", "right", 0)], rows,
                 "" if isinstance(fairness, NotMeasured) else "Groups of a few rows are left aside where there are others.")


def _residuals_of(attribute: Attribute) -> list[tuple[Group, Estimate]]:
    """Groups with their mean residual; those of a few rows only where there are no others."""
    found = [(group, group.score.mean_residual) for group in attribute.groups if isinstance(group.score, ScoreOutcome) and isinstance(group.score.mean_residual, Estimate)]
    return [pair for pair in found if not pair[1].low_precision] or found


def _furthest_residual(attribute: Attribute, declared: bool) -> tuple[Cell, ...]:
    group, one = max(_residuals_of(attribute), key=lambda pair: abs(pair[1].value))
    return (f"mean residual, {data_text(attribute.attribute, 40)}: furthest from 0 is {data_text(group.group, 40)}", shown(one, signed=True), whole(group.n), "–", "measured", page_of(6 if declared else 9))


def _purpose(statements: Statements | None) -> list[Block]:
    return [
        paragraph("What a system is for, and whom it affects, only people can say. Nothing here is filled in by software."),
        stated(statements, 3),
    ]


def _limits(evidence: Evidence, statements: Statements | None) -> list[Block]:
    design = evidence.design
    blocks: list[Block] = [
        facts([
            ("Population that the intervals speak of", our_words(design.population, 300)), ("Unit", "row" if design.cluster is None else data_text(design.unit, 100)),
            ("Rows are", "taken as independent" if design.independent else f"not independent; resampled by {data_text(design.cluster or 'cluster', 60)}"),
            ("Weights", data_text(design.weights, 60) if design.weights else "none"), ("Conditional on", ", ".join(design.conditional_on)), ("Unknown values", our_words(design.unknown_handling, 300)),
        ]),
        heading("Not measured"),
        table("Sections that were not measured, and why", [("not measured", "left", 1), ("reason", "left", 2.2)],
              [(name, our_words(section.reason, 400)) for name, section in _sections_of(evidence) if isinstance(section, NotMeasured)],
              "What was not measured within a section says so there."),
    ]
    if evidence.findings:
        blocks += [heading("All findings"), _all_findings([_finding(one) for one in evidence.findings])]
    return [*blocks, stated(statements, 15), note("A signature proves that this document has not changed since it was signed; it says nothing on whether the system may be used.")]


def _all_findings(rows: list[dict[str, str]]) -> Block:
    """Every finding with what to do; what several ask for alike stands once below them."""
    repeated = [words for words, times in Counter(row["suggestion"] for row in rows).items() if words and times > 1]
    letters = dict(zip(repeated, ascii_lowercase, strict=False))
    folded = [{**row, "suggestion": f"({letters[row['suggestion']]})"} if row["suggestion"] in letters else row for row in rows]
    return {"kind": "findings", "rows": folded, "after": " ".join(f"({letter}) {words}" for words, letter in letters.items())}


def _sections_of(evidence: Evidence) -> list[tuple[str, Any]]:
    return [
        ("Search for a model", evidence.search), ("Performance", evidence.performance), ("Group fairness", evidence.fairness), ("Local Law 144 tables", evidence.local_law_144),
        ("Explanation", evidence.explanation), ("Reasons for individual decisions", evidence.reasons), ("Mitigation alternatives", evidence.mitigation),
        ("Error slices", evidence.slices), ("Robustness", evidence.robustness), ("Crosswalk", evidence.crosswalk),
    ]


def _reproducibility(evidence: Evidence) -> list[Block]:
    provenance, plan = evidence.provenance, evidence.plan
    return [
        facts([
            ("Run", evidence.run.id), *([("Parent run", evidence.run.parent)] if evidence.run.parent else []),
            ("Time", f"{provenance.started_at} to {provenance.finished_at}, {significant(provenance.seconds, 3)} s"),
            ("Code", f"Plumbline {provenance.code_version}, Python {provenance.python}, threads: {provenance.threads}"), ("Container image", evidence.run.image or "no digest was named"), ("Seeds", ", ".join(f"{data_text(name)} {seed}" for name, seed in provenance.seeds.items())),
            ("Hardware", ", ".join(f"{data_text(name, 40)}: {data_text(str(value), 80)}" for name, value in provenance.hardware.items())),
            ("Configuration, SHA-256", provenance.config_sha256), ("Data, SHA-256", provenance.dataset_sha256), ("Model, SHA-256", provenance.model_sha256 or "no model"),
            ("Model as ONNX", _exported(provenance.onnx)), ("Evidence digest", evidence.digest), ("Digest of what was measured", measured_digest_of(evidence.model_dump(mode="json"))),
        ]),
        heading("The analysis plan, sealed before the audit part was opened"),
        facts([
            ("Plan, SHA-256", plan.sha256), ("Sealed", plan.sealed_at), ("Attributes", ", ".join(data_text(name, 60) for name in plan.attributes) or "none"),
            ("References named", ", ".join(f"{data_text(name, 60)}: {data_text(group, 60)}" for name, group in plan.reference.items()) or ("none; the highest mean" if isinstance(evidence.fairness, FairnessSection) and evidence.fairness.outcome == "score" else "none; the highest rate")),
            ("Limit", f"{plan.limit:g}"), ("Primary family of tests", our_words(plan.family, 300)), ("Rule for the cut", our_words(plan.cut_rule, 300)), ("Audit number of this data", str(plan.audit_number)),
            *([("Metric that governs", GOVERNING_WORDS[plan.governing])] if plan.governing else []),
            *([("Alternatives frozen, SHA-256", plan.alternatives)] if plan.alternatives else []),
            *([("Cohorts named", ", ".join(data_text(name, 80) for name in plan.cohorts))] if plan.cohorts else []),
        ]),
        facts([
            ("Libraries", ", ".join(data_text(f"{name} {version}") for name, version in sorted(provenance.libraries.items()))),
            *([("Installed packages", f"{whole(provenance.packages.installed)}, each with its version and a digest of its files in the attached lock.txt; SHA-256 of its lines {provenance.packages.sha256}")] if provenance.packages else []),
        ]),
        *_log(evidence.run),
        note("The file evidence.json is attached to this PDF byte for byte; " + _made_again(evidence)
             + " Where counts.csv and recompute.py are attached beside it, the command python3 recompute.py, in a folder with the three files, computes every counts-based number again."),
    ]


def _log(run: RunInfo) -> list[Block]:
    """Who did what before the run began, and how long all of it is kept."""
    if not run.log:
        return [note("The run was made outside of a workspace: no ledger recorded who did what, and no rule says how long it is kept.")]
    days = "until somebody deletes it" if run.kept_days is None else f"{whole(run.kept_days)} days after its end"
    return [
        heading("Events before the run, as the ledger has them"),
        table("Entries on the tables and the run, each chained to the one before it in the workspace's ledger by its hash",
              [("entry", "right", 0), ("at (UTC)", "left", 0), ("who", "left", 1), ("what", "left", 0), ("hash before", "left", 0), ("hash", "left", 0)],
              [(whole(one.number), one.at[:19].replace("T", " "), _actor(one), our_words(EVENT_WORDS.get(one.action, one.action)), f"{one.previous_hash[:16]}…", f"{one.hash[:16]}…") for one in run.log],
              "Hash: SHA-256 of the hash before as hexadecimal text and the entry's canonical JSON, which the attached evidence has whole. What happened later, such as signing, downloads and sign-offs, is in the ledger itself.", dense=True),
        facts([("Kept", days), ("Kept for laws", "what laws ask for stands in section 16, and what people have said of it below")]),
    ]


EVENT_WORDS = {"dataset.uploaded": "table uploaded", "run.submitted": "run submitted"}


def _actor(one: LoggedEvent) -> str:
    role = one.data.get("role")
    return data_text(", ".join([one.actor.removeprefix("user:"), *([role] if isinstance(role, str) else [])]), 80)


def _made_again(evidence: Evidence) -> str:
    if isinstance(evidence.spec, TaskSpec) and evidence.spec.parallel > 1:
        return f"up to {evidence.spec.parallel} workers searched together, so the search is not reproducible trial by trial: which trial knew of which depended on timing."
    return "the same code and libraries, inputs, seed, threads and budget in trials give the same digest of what was measured; the evidence digest counts each audit of the data as well."


def _exported(onnx: OnnxExport | NotMeasured) -> str:
    if isinstance(onnx, NotMeasured):
        return f"not measured: {our_words(onnx.reason, 300)}"
    return (
        f"{onnx.file}, {whole(onnx.bytes)} bytes, SHA-256 {onnx.sha256}; on {whole(onnx.rows)} rows it differs from the model by at most {significant(onnx.largest_difference, 3)} "
        f"({onnx.unit}); the limit is {onnx.limit:g}")
