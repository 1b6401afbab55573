"""Who is furthest from equal: of every attribute the group that is furthest away by the metric that governs, and its finding; of several classes the worst. All copied from the fairness tables with their intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator

from automl.audit.few_rows import few, label_of_few
from automl.evidence import (
    Attribute,
    ErrorRates,
    Estimate,
    FairnessSection,
    Finding,
    Gaps,
    GoverningChoice,
    GoverningMeasure,
    GoverningRow,
    Group,
    GroupCalibration,
    NotMeasured,
    Ratio,
    ScoreOutcome,
    Value,
    VersusRest,
)
from automl.printing import GOVERNING_WORDS, governing_comparison, governing_value
from automl.spec import GoverningMetric

MEASURES: dict[GoverningMetric, tuple[GoverningMeasure, ...]] = {
    "demographic_parity_ratio": ("impact_ratio",), "demographic_parity_difference": ("selection_rate",), "equal_opportunity_difference": ("tpr",),
    "equalized_odds_difference": ("tpr", "fpr"), "predictive_parity_difference": ("ppv",), "calibration_within_groups": ("calibration",),
    "mean_prediction_difference": ("mean",), "mean_error_difference": ("residual",),
}
POINTERS: dict[GoverningMeasure, str] = {
    "impact_ratio": "impact_ratio", "selection_rate": "versus_rest/difference", "tpr": "error_rates/gaps/tpr", "fpr": "error_rates/gaps/fpr", "ppv": "error_rates/gaps/ppv",
    "calibration": "calibration/observed_over_expected", "mean": "score/mean_difference", "residual": "score/residual_difference",
}
TO_REST = "error_rates/gaps_to_rest"
OF_RATES = ("impact_ratio_below", "impact_ratio_near", "impact_ratio_inconclusive", "impact_ratio_not_below", "differs_from_rest", "reference_not_highest")
LISTED = 4
OF_CLASSES: tuple[GoverningMeasure, ...] = ("impact_ratio", "tpr", "fpr", "ppv")
"""By which the class that is furthest from equal is told."""
FINDINGS: dict[GoverningMeasure, tuple[str, ...]] = {
    "impact_ratio": OF_RATES, "selection_rate": OF_RATES, "tpr": ("error_gap:tpr",), "fpr": ("error_gap:fpr",), "ppv": ("error_gap:ppv",), "calibration": ("calibration_group",), "mean": ("mean_gap",), "residual": ("residual_gap",),
}
"""The rules of the findings that speak of each measure."""


def with_governing(fairness: FairnessSection, choice: GoverningChoice | None) -> FairnessSection:
    """The section with what the chosen metric says, where somebody chose one."""
    if choice is None:
        return fairness
    rows = tuple(_row(attribute, pointer, of_class, measure) for pointer, of_class, attribute in _attributes(fairness) for measure in MEASURES[choice.metric])
    return fairness.model_copy(update={"governing": choice.model_copy(update={"rows": rows})})


def furthest_of_classes(fairness: FairnessSection) -> tuple[GoverningRow, ...]:
    """Where classes are measured one by one: by attribute and measure the class and group that are furthest from equal, passing over handfuls of rows where there are others."""
    found = []
    for at in range(len(fairness.by_class[0].attributes) if fairness.by_class else 0):
        for measure in OF_CLASSES:
            rows = [_row(one.attributes[at], f"/fairness/by_class/{c}/attributes/{at}", one.favourable, measure) for c, one in enumerate(fairness.by_class)]
            measured = [(row, row.value) for row in rows if not isinstance(row.value, NotMeasured)]
            large = [one for one in measured if not one[0].of_few] or measured
            found.append(max(large, key=lambda one: _distance(one[1], measure))[0] if large else rows[0].model_copy(update={"favourable": "", "evidence": "/fairness/by_class"}))
    return tuple(found)


def _attributes(fairness: FairnessSection) -> Iterator[tuple[str, str, Attribute]]:
    """The declared attributes; class by class where no outcome was named as the good one."""
    if fairness.by_class and not fairness.favourable:
        for c, section in enumerate(fairness.by_class):
            yield from ((f"/fairness/by_class/{c}/attributes/{i}", section.favourable, attribute) for i, attribute in enumerate(section.attributes))
        return
    yield from ((f"/fairness/attributes/{i}", "", attribute) for i, attribute in enumerate(fairness.attributes))


def _row(attribute: Attribute, pointer: str, of_class: str, measure: GoverningMeasure) -> GoverningRow:
    values = [(i, group, *_value(group, measure)) for i, group in enumerate(attribute.groups)]
    measured = [(i, group, value, place) for i, group, value, place in values if isinstance(value, Estimate) or (isinstance(value, Ratio) and value.label not in ("reference", "not_computable"))]
    if not measured:
        reason = next((value.reason for _, _, value, _ in values if isinstance(value, NotMeasured)), "there are no two groups to compare")
        return GoverningRow(attribute=attribute.attribute, favourable=of_class, measure=measure, group="", compared_with="", value=NotMeasured(reason=reason), evidence=pointer)
    # the smallest groups are the furthest by chance
    precise = [one for one in measured if not _of_few(attribute, one[1], one[2])]
    i, group, value, place = max(precise or measured, key=lambda one: _distance(one[2], measure))
    to_rest = measure == "selection_rate" or place.startswith(TO_REST)
    against = "its own probabilities" if measure == "calibration" else "all others" if to_rest else attribute.reference or ""
    return GoverningRow(attribute=attribute.attribute, favourable=of_class, measure=measure, group=group.group, compared_with=against, value=value,
                        of_few=not precise, evidence=f"{pointer}/groups/{i}/{place}")


def _of_few(attribute: Attribute, group: Group, value: Estimate | Ratio) -> bool:
    """Whether nothing is concluded from the comparison, as in the findings: the group is a handful of rows, or what it is compared with."""
    return few(group) or (label_of_few(attribute, group, value) if isinstance(value, Ratio) else value.low_precision)


def _distance(value: Estimate | Ratio, measure: str) -> float:
    """How far from equality: of a quotient by its logarithm, so that half and twice are as far."""
    if measure in ("impact_ratio", "calibration"):
        return abs(math.log(value.value)) if value.value > 0 else math.inf
    return abs(value.value)


def _value(group: Group, measure: GoverningMeasure) -> tuple[Ratio | Value, str]:
    """What a group's table says, and where in it. Gaps of errors are those to the pooled others where the reference is a handful of rows, as in the findings."""
    place = POINTERS[measure]
    if measure == "impact_ratio":
        return group.impact_ratio, place
    if measure == "selection_rate":
        return (group.versus_rest.difference if isinstance(group.versus_rest, VersusRest) else group.versus_rest), place
    if measure == "calibration":
        return (group.calibration.observed_over_expected if isinstance(group.calibration, GroupCalibration) else group.calibration), place
    if measure in ("mean", "residual"):
        score = group.score
        return (score if not isinstance(score, ScoreOutcome) else score.mean_difference if measure == "mean" else score.residual_difference), place
    if not isinstance(group.error_rates, ErrorRates):
        return group.error_rates, place
    to_rest = group.error_rates.gaps_to_rest
    gaps, place = (group.error_rates.gaps, place) if to_rest is None else (to_rest, f"{TO_REST}/{measure}")
    if not isinstance(gaps, Gaps):
        return gaps, place
    return {"tpr": gaps.tpr, "fpr": gaps.fpr, "ppv": gaps.ppv}[measure], place


def findings_of_governing(fairness: FairnessSection | NotMeasured) -> Iterator[Finding]:
    """Rule ``governing_metric`` (info): which metric governs, who chose it, and what it says of each attribute."""
    choice = None if isinstance(fairness, NotMeasured) else fairness.governing
    if choice is None or isinstance(fairness, NotMeasured):
        return
    who = "the answers to four questions" if choice.chosen_by == "questions" else "the person who asked"
    other = f" The answers to the four questions lead to {GOVERNING_WORDS[choice.recommended]}." if choice.recommended not in (None, choice.metric) else ""
    more = [f"{len(choice.rows) - LISTED} more in its table"] if len(choice.rows) > LISTED else []
    told = "; ".join([*(f"{governing_comparison(row)}: {governing_value(row, fairness.limit.ratio)}" for row in choice.rows[:LISTED]), *more])
    yield Finding(
        id="governing_metric", severity="info", rule="governing_metric", evidence="/fairness/governing",
        text=f"Of the measures of groups {GOVERNING_WORDS[choice.metric]} governs, as {who} said before anything was measured.{other} Furthest by it: {told}.",
        suggestion="" if choice.reason or choice.rationale else "Say why this metric governs: the report prints the reason.")


def governs(fairness: FairnessSection | NotMeasured, finding: Finding) -> bool:
    """Whether the finding is about the metric that governs: of equal severity such findings come first."""
    if isinstance(fairness, NotMeasured) or fairness.governing is None:
        return False
    rules = {rule for measure in MEASURES[fairness.governing.metric] for rule in FINDINGS[measure]}
    return finding.rule == "governing_metric" or finding.rule in rules or f"{finding.rule}:{finding.id.rsplit(':', 1)[-1]}" in rules
