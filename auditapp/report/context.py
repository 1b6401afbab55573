"""Evidence to report data: every string that the PDF prints, already formatted, in the order of its sections. Nothing is computed here."""

from __future__ import annotations

from typing import Any

from auditapp.report.blocks import Block, Statements, data_text, facts, heading, not_measured, note, paragraph, shown, stated, table
from auditapp.report.fairness_sections import attributes_of, crossings_section, errors_section, lowest_ratio, outcome_section, tests_section
from auditapp.report.model_sections import data_section, explanation_section, model_section
from automl.charts.performance import in_order, metric_words
from automl.evidence import Charts, Estimate, Evidence, NotMeasured, OnnxExport
from automl.printing import LABEL_WORDS, ratio, significant, visible, whole
from automl.spec import TaskSpec

LANGUAGES = ("en",)
FINDINGS_AT_A_GLANCE = 6
"""What leaves room on the first page for the table of values; section 15 has all of them, with what to do."""
SEVERITY_WORDS = {"high": "High", "medium": "Medium", "low": "Low", "info": "Note"}
TITLE_LENGTH = 90


def report_data(evidence: Evidence, charts: Charts, statements: Statements | None = None, lang: str = "en") -> dict[str, Any]:
    """JSON-able report: title, identity, findings at a glance, and sections 1 to 18 made of `blocks`. ValueError for a language we do not have."""
    if lang not in LANGUAGES:
        raise ValueError(f"reports are written in {', '.join(LANGUAGES)}, not in {lang}")
    sections = [
        ("Identity", _identity(evidence, statements)),
        ("Findings at a glance", _glance(evidence)),
        ("System, purpose and use", _purpose(statements)),
        ("Data", data_section(evidence, statements)),
        ("Model and performance", model_section(evidence, charts, statements)),
        ("Outcomes by group", outcome_section(evidence, charts)),
        ("Statistical tests", tests_section(evidence)),
        ("Error rates and calibration by group", errors_section(evidence, charts)),
        ("Crossings of attributes", crossings_section(evidence, charts)),
        ("Explanation of the model", explanation_section(evidence, charts)),
        ("Reasons for individual decisions", [not_measured("Reasons", evidence.reasons)]),
        ("Robustness, stability and security", [not_measured("Robustness", evidence.robustness), not_measured("Error slices", evidence.slices),
                                                stated(statements, ("cybersecurity", "Measures against attacks"), ("fallback", "Fallback plan"))]),
        ("Human oversight and risk", _oversight(statements)),
        ("Mitigation", [not_measured("Mitigation alternatives", evidence.mitigation), stated(statements, ("mitigation_choice", "What was chosen, and why"))]),
        ("Limits of this report", _limits(evidence)),
        ("Crosswalk to laws and frameworks", _crosswalk(evidence)),
        ("Reproducibility and log", _reproducibility(evidence)),
        ("Sign-off", _sign_off(statements)),
    ]
    return {
        "lang": lang,
        "title": visible(evidence.run.title, TITLE_LENGTH) or "Untitled audit",
        "assessment": _assessment(evidence),
        "run": evidence.run.id,
        "digest": evidence.digest,
        "finished_at": evidence.provenance.finished_at,
        "keywords": ["Plumbline", f"run {evidence.run.id}", f"evidence {evidence.digest}"],
        "sections": [{"number": str(number), "title": title, "blocks": blocks} for number, (title, blocks) in enumerate(sections, start=1)],
    }


def _assessment(evidence: Evidence) -> str:
    if evidence.run.kind == "predictions":
        return "Audit of predictions made elsewhere"
    return "Developer's self-assessment of a model trained here"


def _identity(evidence: Evidence, statements: Statements | None) -> list[Block]:
    target, spec = evidence.data.target, evidence.spec
    about = "predictions made elsewhere" if target is None else f"{data_text(target.name, 60)} ({target.task})"
    favourable = ", ".join(data_text(label, 40) for label in target.favourable) if target and target.favourable else "a higher number" if target and target.task == "regression" else "as in the plan"
    return [
        facts([
            ("Assessment", _assessment(evidence)), ("Predicted", about), ("Favourable outcome", favourable),
            ("Sensitive attributes", ", ".join(data_text(name, 40) for name in spec.sensitive) or "none declared"),
            ("Audit part", f"{whole(evidence.data.split.audit)} rows; audit number {evidence.plan.audit_number} of this data"),
            ("Finished", evidence.provenance.finished_at.replace("T", " ").replace("Z", " UTC").replace("+00:00", " UTC")),
            ("Run", evidence.run.id), ("Evidence digest", evidence.digest), ("Data, SHA-256", evidence.provenance.dataset_sha256),
            ("Model, SHA-256", evidence.provenance.model_sha256 or "no model: predictions made elsewhere"),
        ]),
        stated(statements, ("system", "System and version"), ("provider", "Provider"), ("auditor", "Auditor and independence"), ("distribution_date", "In use since")),
    ]


def _glance(evidence: Evidence) -> list[Block]:
    first = evidence.findings[:FINDINGS_AT_A_GLANCE]
    what = "All findings" if len(evidence.findings) > len(first) else "The findings"
    blocks: list[Block] = [{"kind": "findings", "rows": [_finding(one) | {"suggestion": ""} for one in first], "after": f"{what}, with suggestions, are in section 15."}] if first else \
        [paragraph("No rule of the findings applied to this evidence; what was not measured is listed in section 15.")]
    return [*blocks, _values(evidence)]


def _finding(one: Any) -> dict[str, str]:
    return {"severity": one.severity, "word": SEVERITY_WORDS[one.severity], "text": visible(one.text, 600), "suggestion": visible(one.suggestion, 400), "evidence": visible(one.evidence, 120)}


def _values(evidence: Evidence) -> Block:
    rows: list[tuple[str, ...]] = []
    performance, fairness = evidence.performance, evidence.fairness
    if not isinstance(performance, NotMeasured):
        metric = evidence.search.metric if not isinstance(evidence.search, NotMeasured) else next(iter(in_order(performance.metrics)), None)
        value = performance.metrics.get(metric) if metric else None
        if isinstance(value, Estimate):
            rows.append((f"{metric_words(str(metric))}, all rows", shown(value), whole(value.n), "–", "measured"))
    if not isinstance(fairness, NotMeasured):
        for attribute in attributes_of(fairness):
            found = lowest_ratio(attribute)
            if found:
                group, one = found
                rows.append((f"impact ratio, {data_text(attribute.attribute, 40)}: lowest is {data_text(group.group, 40)}", ratio(one, fairness.limit.ratio), whole(group.n),
                             f"{fairness.limit.ratio:g}", LABEL_WORDS[one.label]))
    return table("Values at a glance", [("item", "left", 1.7), ("value, 95 % interval", "left", 1.1), ("n", "right", 0), ("limit", "right", 0), ("what the evidence says", "left", 1.2)], rows)


def _purpose(statements: Statements | None) -> list[Block]:
    return [
        paragraph("What a system is for, and whom it affects, only people can say. Nothing here is filled in by software."),
        stated(statements, ("purpose", "Intended purpose"), ("intended_use", "Decision that it feeds"), ("output_role", "Role of the output in that decision"), ("deployer", "Deployer"),
               ("affected_persons", "Persons affected"), ("foreseeable_misuse", "Foreseeable misuse"), ("use_class", "Legal use class")),
    ]


def _oversight(statements: Statements | None) -> list[Block]:
    return [stated(
        statements, ("oversight", "Who oversees, and may override or stop"), ("automation_bias", "Measures against automation bias"), ("risk_register", "Risk register"),
        ("residual_risk", "Residual risk and who accepts it"), ("contest_route", "How a person contests a decision"))]


def _limits(evidence: Evidence) -> list[Block]:
    design = evidence.design
    blocks: list[Block] = [
        facts([
            ("Population that the intervals speak of", data_text(design.population, 300)), ("Unit", data_text(design.unit, 100)),
            ("Rows are", "taken as independent" if design.independent else f"not independent; resampled by {data_text(design.cluster or 'cluster', 60)}"),
            ("Weights", data_text(design.weights, 60) if design.weights else "none"), ("Conditional on", ", ".join(design.conditional_on)), ("Unknown values", data_text(design.unknown_handling, 300)),
        ]),
        heading("Not measured"),
        table("Checks that were not made, and why", [("check", "left", 1), ("reason", "left", 2.2)],
              [(name, data_text(section.reason, 400)) for name, section in _sections_of(evidence) if isinstance(section, NotMeasured)]),
    ]
    if evidence.findings:
        blocks += [heading("All findings"), {"kind": "findings", "rows": [_finding(one) for one in evidence.findings], "after": ""}]
    return [*blocks, note("A signature proves that this document has not changed since it was signed; it says nothing on whether the system may be used.")]


def _sections_of(evidence: Evidence) -> list[tuple[str, Any]]:
    return [
        ("Search for a model", evidence.search), ("Performance", evidence.performance), ("Group fairness", evidence.fairness), ("Local Law 144 tables", evidence.local_law_144),
        ("Explanation", evidence.explanation), ("Reasons for individual decisions", evidence.reasons), ("Mitigation alternatives", evidence.mitigation),
        ("Error slices", evidence.slices), ("Robustness", evidence.robustness), ("Crosswalk", evidence.crosswalk),
    ]


def _crosswalk(evidence: Evidence) -> list[Block]:
    crosswalk = evidence.crosswalk
    if isinstance(crosswalk, NotMeasured):
        return [not_measured("Crosswalk", crosswalk)]
    words = {"measured": "measured", "person": "a person", "both": "measured and a person", "not_applicable": "does not apply"}
    return [table(
        f"Items and where their evidence is, as of {crosswalk.as_of}", [("law or framework", "left", 1), ("item", "left", 1.5), ("evidence", "left", 1), ("supplied by", "left", 0.8), ("status", "left", 0.8)],
        [(row.law, row.item, row.evidence, words[row.supplied_by], row.status) for row in crosswalk.rows])]


def _reproducibility(evidence: Evidence) -> list[Block]:
    provenance, plan = evidence.provenance, evidence.plan
    return [
        facts([
            ("Run", evidence.run.id), ("Parent run", evidence.run.parent or "none"), ("Started", provenance.started_at), ("Finished", provenance.finished_at), ("Duration", f"{significant(provenance.seconds, 3)} s"),
            ("Code", provenance.code_version), ("Python", provenance.python), ("Threads", str(provenance.threads)), ("Seeds", ", ".join(f"{name} {seed}" for name, seed in provenance.seeds.items())),
            ("Hardware", ", ".join(f"{visible(name, 40)}: {visible(str(value), 80)}" for name, value in provenance.hardware.items())),
            ("Configuration, SHA-256", provenance.config_sha256), ("Data, SHA-256", provenance.dataset_sha256), ("Model, SHA-256", provenance.model_sha256 or "no model"),
            ("Model as ONNX", _exported(provenance.onnx)), ("Evidence digest", evidence.digest),
        ]),
        heading("The analysis plan, sealed before the audit part was opened"),
        facts([
            ("Plan, SHA-256", plan.sha256), ("Sealed", plan.sealed_at), ("Attributes", ", ".join(data_text(name, 60) for name in plan.attributes) or "none"),
            ("References named", ", ".join(f"{data_text(name, 60)}: {data_text(group, 60)}" for name, group in plan.reference.items()) or "none; the highest rate"),
            ("Limit", f"{plan.limit:g}"), ("Primary family of tests", data_text(plan.family, 300)), ("Rule for the cut", data_text(plan.cut_rule, 300)), ("Audit number of this data", str(plan.audit_number)),
        ]),
        table("Libraries", [("library", "left", 1), ("version", "left", 1)], sorted(provenance.libraries.items())),
        note("The file evidence.json is attached to this PDF byte for byte; " + _made_again(evidence)),
    ]


def _made_again(evidence: Evidence) -> str:
    if isinstance(evidence.spec, TaskSpec) and evidence.spec.parallel > 1:
        return f"up to {evidence.spec.parallel} workers searched together, so the search is not reproducible trial by trial: which trial knew of which depended on timing."
    return "the same inputs, seed, threads and budget in trials give the same digest."


def _exported(onnx: OnnxExport | NotMeasured) -> str:
    if isinstance(onnx, NotMeasured):
        return f"not measured: {data_text(onnx.reason, 300)}"
    return (
        f"{onnx.file}, {whole(onnx.bytes)} bytes, SHA-256 {onnx.sha256}; on {whole(onnx.rows)} rows it differs from the model by at most {significant(onnx.largest_difference, 3)} "
        f"({onnx.unit}); the limit is {onnx.limit:g}")


def _sign_off(statements: Statements | None) -> list[Block]:
    return [
        paragraph("The electronic signature of this file is that of the installation that made it. The responsible persons sign by their statements."),
        stated(statements, ("responsible_person", "Responsible person"), ("sign_off", "Statement"), ("sign_off_date", "Date")),
    ]
