"""Section 14 of a report: the alternatives to the deployed model, what each costs in metric points and in people, and why none was chosen."""

from __future__ import annotations

from collections.abc import Iterator

from auditapp.report.blocks import Align, Block, charts_of, data_text, facts, heading, not_measured, note, our_words, paragraph, shown, stated, table
from auditapp.statements.document import Statements
from automl.evidence import Alternative, Charts, DeployedAttribute, Estimate, Evidence, GroupGaps, MitigationSection, NotMeasured, ParetoFront, Value
from automl.printing import CRITERION_WORDS, PROFILE_WORDS, alternative_name, fixed, metric_words, significant, whole

ALLOWED: tuple[str, Align, float] = ("allowed by the profile", "left", 0.6)
MOST_GROUPS = 3
"""Groups whose differences to the reference are printed under each alternative."""
MOST_TOLD = 3
"""Alternatives for one attribute whose differences are printed; all are in the evidence."""
RATES = ("selection_rate", "tpr", "fpr", "ppv")
RATE_TITLES = {"selection_rate": "selection rates", "tpr": "true positive rates", "fpr": "false positive rates", "ppv": "predictive values"}
METHOD_WORDS = {
    "own_cuts": "cut-offs for each group", "threshold_optimizer": "Fairlearn's ThresholdOptimizer", "common_cut": "one cut-off moved", "reweighing": "reweighing",
    "exponentiated_gradient": "exponentiated gradient", "in_training_penalty": "a penalty while a network learns", "searched_front": "the searched front",
}


def mitigation_section(evidence: Evidence, charts: Charts, statements: Statements | None) -> list[Block]:
    choice = stated(statements, 14)
    if isinstance(evidence.mitigation, NotMeasured):
        return [not_measured("Mitigation alternatives", evidence.mitigation), choice]
    return [*_measured(evidence.mitigation, evidence, charts), choice]


def _measured(section: MitigationSection, evidence: Evidence, charts: Charts) -> Iterator[Block]:
    budget = section.budget
    yield paragraph(section.note)
    yield facts([
        ("Made on", f"{whole(section.fitted_on)} {section.made_of}"), ("Measured on", f"{whole(section.measured_on)} rows of {section.part}"),
        ("Weighed by", metric_words(section.metric)), ("Profile", PROFILE_WORDS[section.profile] if section.profile else "none was named"), ("Frozen, SHA-256", section.frozen),
        *([] if section.by_halves else [("Bounds of the work", f"at most {budget.attributes} attributes; {whole(budget.refit_rows)} rows a fold to learn again from; {whole(budget.reduction_rows)} rows, {budget.reduction_rounds} rounds and "
                               f"{budget.reduction_trees} trees a classifier for the exponentiated gradient")]),
    ])
    for place, deployed in enumerate(section.deployed.attributes, start=1):
        yield from _attribute(section, evidence, deployed, place, charts)
    if section.not_tried:
        yield table("Not tried, and why", [("method", "left", 0.8), ("attribute", "left", 0.6), ("reason", "left", 2)],
                    [(METHOD_WORDS[each.method], data_text(each.attribute, 60), our_words(each.reason, 300)) for each in section.not_tried], fold="reason")


def _attribute(section: MitigationSection, evidence: Evidence, deployed: DeployedAttribute, place: int, charts: Charts) -> Iterator[Block]:
    name, words, mine = data_text(deployed.attribute, 60), metric_words(section.metric), section.of(deployed.attribute)
    yield heading(f"Alternatives for {name}")
    if aside := deployed.left_aside(evidence.fairness):
        yield note(f"Groups with too few rows to learn from are compared in sections 6 to 8 and not here: {', '.join(data_text(group, 40) for group in aside)}.")
    for kind in ("parity", "odds", "rates"):
        yield from charts_of(charts, f"mitigation-{kind}-{place}", exactly=True)
    yield table(
        f"The record of the search for less-discriminatory alternatives for {name}: price on {section.part}, with paired 95 % intervals",
        [("id", "left", 0), ("alternative", "left", 3.9), ("sees the group", "left", 0.6), ("by lot", "left", 0.4), (f"change of {words}", "left", 1.35), ("decided otherwise", "left", 1.15), ("gained, lost", "left", 0.75)],
        [(one.id, alternative_name(one), "yes" if one.uses_attribute_at_decision else "no", "yes" if one.drawn_by_lot else "no", shown(one.performance[section.metric].change, signed=True),
          shown(one.people.share, as_percent=True), f"{_people(one.people.gained)}, {_people(one.people.lost)}") for one in mine],
        f"Gained and lost are people of {section.part}, in expectation where decisions are drawn by lot. The deployed model: "
        f"{words} {shown(section.deployed.performance[section.metric])}.", dense=True)
    groups, told = _furthest(deployed), _told(section, deployed, mine, section.named_by(evidence.findings))
    left_out = len(groups) < len(deployed.gaps)
    yield table(
        f"Differences to {data_text(deployed.reference, 60)} under the deployed model and under alternatives, and by how much they are changed, with 95 % intervals",
        [("model", "left", 0), ("group", "left", 0.9), ("what", "left", 0.4), *((RATE_TITLES[rate], "left", 1) for rate in RATES)],
        [*(("the deployed model", data_text(gap.group, 40), "difference", *(_gap(getattr(gap, rate)) for rate in RATES)) for gap in deployed.gaps if gap.group in groups),
         *((f"{one.id}: {alternative_name(one)}", data_text(gap.group, 40), words, *(_gap(getattr(change, part) if (change := getattr(gap, rate)) else None) for rate in RATES))
           for one in told for gap in one.fairness.gaps if gap.group in groups for part, words in (("after", "difference"), ("change", "changed by")))],
        " ".join([
            f"At most {MOST_TOLD} alternatives: what a finding names, then of each list of those unbeaten {section.known_on} the nearest to equal; the others are in the attached evidence.",
            *([f"Of the groups the {MOST_GROUPS} furthest from the reference under the deployed model."] if left_out else []),
            "Changes are paired; true and false positive rates and the predictive value are of the favourable outcome."]), dense=True, grouped=True)
    yield table(
        f"Unbeaten {section.known_on}, the best metric first, as it was known when the alternatives were frozen",
        [("criterion", "left", 1), ("among", "left", 1), ("alternatives", "left", 1.4)],
        [(CRITERION_WORDS[front.criterion], "those that see no group" if front.without_attribute else "all", _ids(front)) for front in section.pareto
         if front.attribute == deployed.attribute], share=1, grouped=True)
    # Where no profile was named, one column says nothing
    reasons, profiled = _reasons(mine), section.profile is not None
    yield table("Why none was chosen", [("alternatives", "left", 1), *([ALLOWED] if profiled else []), ("why not", "left", 2)], [row if profiled else (row[0], row[2]) for row in reasons], share=1.2)


def _furthest(deployed: DeployedAttribute) -> set[str]:
    def distance(gap: GroupGaps) -> float:
        return abs(gap.selection_rate.value) if isinstance(gap.selection_rate, Estimate) else 0.0

    return {gap.group for gap in sorted(deployed.gaps, key=distance, reverse=True)[:MOST_GROUPS]}


def _told(section: MitigationSection, deployed: DeployedAttribute, mine: tuple[Alternative, ...], named: frozenset[str]) -> list[Alternative]:
    """What a finding names; of each front the end that is nearest to equal, then the one of the best metric, until there are enough."""
    fronts = [names for front in section.pareto if front.attribute == deployed.attribute and (names := [name for name in front.alternatives if name != "deployed"])]
    picked = list(dict.fromkeys([*(one.id for one in mine if one.id in named), *(names[end] for end in (-1, 0) for names in fronts)]))
    return [one for one in mine if one.id in picked[:MOST_TOLD]]


def _gap(value: Value | None) -> str:
    return "–" if value is None else shown(value, signed=True)


def _ids(front: ParetoFront) -> str:
    return ", ".join("the deployed model" if each == "deployed" else each for each in front.alternatives)


def _people(number: float) -> str:
    return whole(number) if float(number).is_integer() else fixed(number, 1) if number >= 0.1 else significant(number, 2)


def _reasons(mine: tuple[Alternative, ...]) -> list[tuple[str, str, str]]:
    """One line for all that share a reason."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in mine:
        allowed = "no profile was named" if one.allowed_by_profile is None else "yes" if one.allowed_by_profile else "no"
        found.setdefault((one.why_not, allowed), []).append(one.id)
    return [(", ".join(ids), allowed, why) for (why, allowed), ids in found.items()]
