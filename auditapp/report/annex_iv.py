"""The technical documentation of the EU AI Act's Annex IV as far as an audit can fill it: point by point what was measured, what people have said, and NOT PROVIDED where nobody has.

A skeleton for the provider, who writes the rest. What a point asks for is told in our own words; the text of the Annex is the law's. Groups of few people are withheld, since such a file travels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from auditapp.languages.sentences import said_in
from auditapp.law_status import law_status
from auditapp.report.blocks import (
    Block,
    conditions_text,
    data_text,
    facts,
    not_measured,
    our_words,
    paragraph,
    quotations_marked,
    quoted,
    shown,
    spoken,
    table,
    text_said,
    who_said,
)
from auditapp.report.translated import in_language
from auditapp.statements.document import Statements
from auditapp.statements.fields import FIELDS
from automl.disclosure import LEAST, may_be_public, withheld_groups
from automl.evidence import (
    Attribute,
    Estimate,
    Evidence,
    ExplanationSection,
    FairnessSection,
    Group,
    NotMeasured,
    PerformanceSection,
    Ratio,
    RobustnessSection,
    ScoreOutcome,
    SearchSection,
    SlicesSection,
)
from automl.printing import LABEL_WORDS, estimate, in_order, metric_words, ratio, significant, visible, whole

LAW = "eu-ai-act"
WORDS = {
    "run": "Run", "evidence": "evidence", "foot": "Signed as the report of that run is; the evidence itself is attached there.", "page": "page", "not_measured": "not measured",
    "digest": "evidence digest", "font_note": "Characters in square brackets stand for characters of the data whose font is not installed; the evidence has them unaltered.",
}
"""What the templates say themselves."""
MOST_ROWS = 40
MOST_FINDINGS = 20
ENDED = {"seconds": "the time budget was used up", "trials": "the trial budget was used up", "finish_requested": "a person asked to finish with the best so far", "exhausted": "there was nothing left to try"}


def annex_iv(evidence: Evidence, statements: Statements | None, lang: str = "en") -> dict[str, Any]:
    """JSON-able document in ``lang``: title, what it is, and points {number, title, sections, blocks} in the order of the Annex; words that its template says."""
    with quotations_marked():
        document = _english(evidence, statements)
    return in_language(document, lang) | {"title": said_in(document["title"], lang)}


def _english(evidence: Evidence, statements: Statements | None) -> dict[str, Any]:
    """The document as the evidence is written; what it quotes is marked."""
    status = law_status()
    law = status.law(LAW)
    return {
        "title": f"Technical documentation (EU AI Act, Annex IV): {data_text(evidence.run.title or evidence.run.id, 90)}",
        "about": (f"A skeleton, filled from the audit's evidence and from statements of people; what neither holds is marked. {law.title}: {status.standing_words(law)} "
                  f"(as reviewed on {status.reviewed}). It does not say that anything is met."),
        "run": evidence.run.id, "digest": evidence.digest, "finished_at": evidence.provenance.finished_at, "words": WORDS,
        "points": [{"number": number, "title": title, "sections": _where(sections), "blocks": list(blocks)} for number, title, sections, blocks in _points(evidence, statements)],
    }


def _where(sections: Sequence[int]) -> str:
    named = ", ".join(map(str, sections))
    return f"In the report: sections {named}." if len(sections) > 1 else f"In the report: section {named}." if sections else ""


def _points(evidence: Evidence, said: Statements | None) -> Iterator[tuple[str, str, tuple[int, ...], Iterator[Block] | list[Block]]]:
    hidden = withheld_groups(evidence)
    provenance = evidence.provenance
    yield "1(a)", "Purpose, provider, version", (1, 3), [_said(said, "system", "predecessor", "provider", "purpose", "intended_use", "deployer"), facts([
        ("Model, SHA-256", provenance.model_sha256 or "no model: predictions made elsewhere"), ("Audited", provenance.finished_at)])]
    yield "1(b), (d)", "What it interacts with, and the forms in which it is supplied", (3,), [_said(said, "deployment_forms")]
    yield "1(c)", "Versions of software", (17,), [facts([("Python", provenance.python), ("Code", provenance.code_version), *((quoted(name), quoted(version)) for name, version in sorted(provenance.libraries.items()))])]
    yield "1(e)", "Hardware that it was made on", (17,), [facts([(data_text(name, 40), data_text(str(value), 80)) for name, value in provenance.hardware.items()])]
    yield "1(f)", "Photographs or illustrations", (), [paragraph("Does not apply: a model is no product with a look of its own.")]
    yield "1(g), (h)", "User interface and instructions for use", (3,), [_said(said, "instructions_for_use")]
    yield "2(a)", "Steps of development, and what came from third parties", (5, 17), [*_search(evidence), _said(said, "third_party")]
    yield "2(b)", "Logic, main choices, what it is optimised for, trade-offs", (5, 10, 14), [*_logic(evidence), _said(said, "design_rationale", "mitigation_choice")]
    yield "2(c)", "Architecture and computing resources", (5, 17), [*_architecture(evidence)]
    yield "2(d)", "Data: origin, scope, labelling, cleaning", (4,), [_data(evidence), _said(said, "data_origin", "labelling", "data_suitability", "known_gaps", "lawful_basis", "special_data_necessity")]
    yield "2(e)", "Human oversight", (13,), [_said(said, "oversight", "automation_bias")]
    yield "2(f)", "Changes foreseen in advance", (17,), [_said(said, "change_plan")]
    yield "2(g)", "Validation and testing: metrics, discriminatory impact, who signed", (5, 6, 8, 17, 18), [*_performance(evidence), *_impact(evidence, hidden), facts([
        ("Evidence digest", evidence.digest), ("Tested", provenance.finished_at), ("Plan, SHA-256", evidence.plan.sha256)]), _said(said, "responsible_person", "responsible_statement")]
    yield "2(h)", "Cybersecurity", (12,), [*_memory(evidence), _said(said, "cybersecurity", "security_tests")]
    yield "3", "Capabilities and limits, accuracy for groups of people, foreseeable unintended outcomes", (5, 8, 12, 15), [
        *_by_group(evidence, hidden), *_slices(evidence), _said(said, "unintended", "foreseeable_misuse", "affected_persons")]
    yield "4", "Why the metrics are appropriate", (5, 8), [_said(said, "metric_rationale", "error_costs", "governing_metric")]
    yield "5", "Risk management (Art. 9)", (13, 15), [*_findings(evidence, hidden), _said(said, "risk_register", "residual_risk", "impact_assessment")]
    yield "6", "Changes over the lifecycle", (17,), [facts([("Audit of this data's audit part", f"number {evidence.plan.audit_number}"), ("Run that it repeats", evidence.run.parent or "none")]), _said(said, "lifecycle_changes")]
    yield "7, 8", "Standards applied, and the declaration of conformity", (17,), [_said(said, "standards")]
    yield "9", "Monitoring after it is placed on the market", (17,), [_said(said, "monitoring_plan")]


def _said(statements: Statements | None, *names: str) -> Block:
    fields = statements.fields if statements else {}
    return spoken([
        (FIELDS[name].label, text_said(FIELDS[name], fields[name].text), who_said(fields[name])) if name in fields
        else (FIELDS[name].label, None, f"to be provided by {FIELDS[name].who}") for name in names])


def _search(evidence: Evidence) -> Iterator[Block]:
    search = evidence.search
    if isinstance(search, NotMeasured):
        yield not_measured("How the model was made", search)
        return
    yield facts([
        ("Families tried", ", ".join(map(data_text, search.families))), ("Trials", whole(len(search.trials))), ("Folds", str(search.folds)), ("Chosen by", f"out-of-fold {metric_words(search.metric)}"),
        ("Ended because", ENDED[search.stopped_because]), ("Seeds", ", ".join(f"{data_text(name)} {seed}" for name, seed in evidence.provenance.seeds.items()))])


def _logic(evidence: Evidence) -> Iterator[Block]:
    search, explanation = evidence.search, evidence.explanation
    if isinstance(search, SearchSection):
        yield facts([("Optimised for", f"{metric_words(search.metric)} ({'higher' if search.direction == 'maximize' else 'lower'} is better)")])
    if isinstance(explanation, NotMeasured):
        yield not_measured("Explanation of the model", explanation)
    elif isinstance(explanation, ExplanationSection):
        yield table(f"Inputs that move the output most ({data_text(explanation.output, 80)})", [("input", "left", 1.4), ("mean |SHAP|, 95 % interval", "left", 1.2), ("direction", "left", 0.8)],
                    [(data_text(one.feature, 60), shown(one.mean_abs_shap), one.direction) for one in explanation.features[:10]])
    if isinstance(evidence.mitigation, NotMeasured):
        yield not_measured("Mitigation alternatives", evidence.mitigation)
    else:
        yield paragraph(f"{whole(len(evidence.mitigation.alternatives))} alternatives to the deployed model were measured; section 14 of the report has what each costs.")


def _architecture(evidence: Evidence) -> Iterator[Block]:
    if isinstance(evidence.search, NotMeasured):
        yield not_measured("Architecture", evidence.search)
        return
    yield table("Members of the model", [("trial", "right", 0), ("family", "left", 1), ("weight", "right", 0)],
                [(str(one.trial), one.family, significant(one.weight, 3)) for one in evidence.search.ensemble])
    yield facts([("Threads", str(evidence.provenance.threads)), ("Time of the search", f"{significant(evidence.search.seconds, 3)} s"), ("Energy", "not measured")])


def _data(evidence: Evidence) -> Block:
    data = evidence.data
    return facts([
        ("Rows", whole(data.rows)), ("SHA-256", data.sha256), ("Columns", whole(len(data.columns))), ("Used as inputs", whole(sum(one.used_as_feature for one in data.columns))),
        ("Sensitive attributes", ", ".join(data_text(name, 60) for name in evidence.plan.attributes) or "none declared"),
        ("Split", f"{data.split.method}: {whole(data.split.train)} rows to learn from, {whole(data.split.audit)} set aside for the audit"),
        ("Rows left out", "; ".join(f"{whole(one.n)}: {our_words(one.reason)}" for one in data.left_out if one.n) or "none"), ("Findings on the data", whole(len(data.quality)))])


def _performance(evidence: Evidence) -> Iterator[Block]:
    if isinstance(evidence.performance, PerformanceSection):
        metrics = in_order(evidence.performance.metrics)
        yield table("Performance on the audit part", [("metric", "left", 1), ("value, 95 % interval", "left", 1.4), ("n", "right", 0)],
                    [(metric_words(name), shown(value), whole(value.n) if isinstance(value, Estimate) else "") for name in metrics for value in [evidence.performance.metrics[name]]])
    else:
        yield not_measured("Performance", evidence.performance)


def _tables_of(fairness: FairnessSection) -> Iterator[tuple[str, str, Attribute]]:
    """JSON pointer, favourable class where each has tables of its own, and the attribute or crossing."""
    parts = [("/fairness", "", fairness), *((f"/fairness/by_class/{at}", one.favourable, one) for at, one in enumerate(fairness.by_class))]
    return ((f"{where}/{name}/{place}", of, one) for where, of, part in parts for name in ("attributes", "intersections") for place, one in enumerate(getattr(part, name)))


def _public(attribute: Attribute, pointer: str, hidden: frozenset[str]) -> list[Group]:
    return [group for at, group in enumerate(attribute.groups) if f"{pointer}/groups/{at}" not in hidden]


def _impact(evidence: Evidence, hidden: frozenset[str]) -> Iterator[Block]:
    fairness = evidence.fairness
    if isinstance(fairness, NotMeasured):
        yield not_measured("Group fairness", fairness)
        return
    for pointer, of, attribute in _tables_of(fairness):
        public = _public(attribute, pointer, hidden)
        compared = any(group.group == attribute.reference for group in public)
        caption = f"Outcomes by {data_text(attribute.attribute, 60)}{f', class {data_text(of, 40)}' if of else ''}"
        left_out = _left_out(len(attribute.groups) - len(public), len(public))
        if fairness.outcome == "score":
            yield table(caption, [("group", "left", 1), ("n", "right", 0), ("mean prediction, 95 % interval", "left", 1.3), ("minus the reference's", "left", 1.3), ("mean residual", "left", 1.3)], [
                (data_text(group.group, 60), whole(group.n), *((shown(group.score.mean), shown(group.score.mean_difference, signed=True) if compared else "withheld", shown(group.score.mean_residual, signed=True))
                                                              if isinstance(group.score, ScoreOutcome) else ("–", "–", "–"))) for group in public[:MOST_ROWS]], left_out)
            continue
        yield table(caption, [("group", "left", 1), ("n", "right", 0), ("selection rate, 95 % interval", "left", 1.2), ("impact ratio, 95 % interval", "left", 1.2), (f"against the limit of {fairness.limit.ratio:g}", "left", 1.2)], [
            (data_text(group.group, 60), whole(group.n), estimate(group.selection_rate, as_percent=True), ratio(group.impact_ratio, fairness.limit.ratio) if compared else "withheld",
             LABEL_WORDS[group.impact_ratio.label] if isinstance(group.impact_ratio, Ratio) else "not computable") for group in public[:MOST_ROWS]], left_out)


def _left_out(groups: int, public: int) -> str:
    cut = f"The first {MOST_ROWS} of {whole(public)} groups; the evidence has all. " if public > MOST_ROWS else ""
    few = f"{whole(groups)} groups are withheld: they have fewer than {LEAST} people, or are needed so that no such number can be found by subtraction." if groups else ""
    return (cut + few).strip()


def _by_group(evidence: Evidence, hidden: frozenset[str]) -> Iterator[Block]:
    performance, fairness = evidence.performance, evidence.fairness
    if isinstance(performance, NotMeasured):
        yield not_measured("Performance by group", performance)
        return
    small = {attribute.attribute: {group.group for at, group in enumerate(attribute.groups) if f"{pointer}/groups/{at}" in hidden} for pointer, _, attribute in _tables_of(fairness)} \
        if isinstance(fairness, FairnessSection) else {}
    for attribute, groups in performance.by_group.items():
        names = in_order({name: value for one in groups for name, value in one.metrics.items()})[:2]
        public = [one for one in groups if one.n >= LEAST and one.group not in small.get(attribute, ())]
        yield table(f"Performance by {data_text(attribute, 60)}", [("group", "left", 1), ("n", "right", 0), *((metric_words(name), "left", 1.2) for name in names)],
                    [(data_text(one.group, 60), whole(one.n), *(shown(one.metrics[name]) if name in one.metrics else "–" for name in names)) for one in public[:MOST_ROWS]],
                    _left_out(len(groups) - len(public), len(public)))


def _slices(evidence: Evidence) -> Iterator[Block]:
    if isinstance(evidence.slices, SlicesSection):
        shares = "decisions" in evidence.slices.error
        yield table(f"Where the errors are, by {evidence.slices.error}", [("where", "left", 2), ("n", "right", 0), ("in the slice", "left", 1), ("elsewhere", "left", 1)],
                    [(conditions_text(one.words, 120), whole(one.n), estimate(one.error, as_percent=shares), estimate(one.rest, as_percent=shares)) for one in evidence.slices.rows if one.n >= LEAST])
    else:
        yield not_measured("Error slices", evidence.slices)
    if isinstance(evidence.robustness, RobustnessSection):
        yield paragraph("Noise, missing values, rounding, shift and repeated draws were measured; section 12 of the report has each with its interval.")
    else:
        yield not_measured("Robustness", evidence.robustness)


def _memory(evidence: Evidence) -> Iterator[Block]:
    robustness = evidence.robustness
    membership = robustness if isinstance(robustness, NotMeasured) else robustness.membership
    if isinstance(membership, NotMeasured):
        yield not_measured("Whether training rows can be told from the model", membership)
    else:
        yield facts([("AUC of telling training rows", shown(membership.auc)), ("The same, out of fold", shown(membership.control))])
    yield paragraph("Poisoning and evasion were not tried by this audit.")


def _findings(evidence: Evidence, hidden: frozenset[str]) -> Iterator[Block]:
    public = [one for one in evidence.findings if may_be_public(one.evidence, evidence, hidden)]
    yield table("Findings of the audit, as a start of the risk register", [("severity", "left", 0), ("finding", "left", 3), ("suggestion", "left", 1.6)],
                [(one.severity, visible(one.text, 500), visible(one.suggestion, 300)) for one in public[:MOST_FINDINGS]], "Section 15 of the report has all of them.")
