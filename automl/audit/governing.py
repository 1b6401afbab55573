"""What the metric that governs says: of every attribute the group that is furthest away by it, copied from the fairness tables with its interval; and its finding."""

from __future__ import annotations

import math
from collections.abc import Iterator

from automl.audit.intervals import LOW_PRECISION_BELOW
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
OF_RATES = ("impact_ratio_below", "impact_ratio_near", "impact_ratio_inconclusive", "impact_ratio_not_below", "differs_from_rest")
LISTED = 4
FINDINGS: dict[GoverningMeasure, tuple[str, ...]] = {
    "impact_ratio": OF_RATES, "selection_rate": OF_RATES, "tpr": ("error_gap:tpr",), "fpr": ("error_gap:fpr",), "ppv": (), "calibration": ("calibration_group",), "mean": (), "residual": ("residual_gap",),
}
"""The rules of the findings that speak of each measure."""


def with_governing(fairness: FairnessSection, choice: GoverningChoice | None) -> FairnessSection:
    """The section with what the chosen metric says, where somebody chose one."""
    if choice is None:
        return fairness
    rows = tuple(_row(attribute, pointer, of_class, measure) for pointer, of_class, attribute in _attributes(fairness) for measure in MEASURES[choice.metric])
    return fairness.model_copy(update={"governing": choice.model_copy(update={"rows": rows})})


def _attributes(fairness: FairnessSection) -> Iterator[tuple[str, str, Attribute]]:
    """The declared attributes; class by class where no outcome was named as the good one."""
    if fairness.by_class and not fairness.favourable:
        for c, section in enumerate(fairness.by_class):
            yield from ((f"/fairness/by_class/{c}/attributes/{i}", section.favourable, attribute) for i, attribute in enumerate(section.attributes))
        return
    yield from ((f"/fairness/attributes/{i}", "", attribute) for i, attribute in enumerate(fairness.attributes))


def _row(attribute: Attribute, pointer: str, of_class: str, measure: GoverningMeasure) -> GoverningRow:
    values = [(i, group, _value(group, measure)) for i, group in enumerate(attribute.groups)]
    measured = [(i, group, value) for i, group, value in values if isinstance(value, Estimate) or (isinstance(value, Ratio) and value.label not in ("reference", "not_computable"))]
    if not measured:
        reason = next((value.reason for _, _, value in values if isinstance(value, NotMeasured)), "there are no two groups to compare")
        return GoverningRow(attribute=attribute.attribute, favourable=of_class, measure=measure, group="", compared_with="", value=NotMeasured(reason=reason), evidence=pointer)
    # the smallest groups are the furthest by chance
    i, group, value = max([one for one in measured if one[1].n >= LOW_PRECISION_BELOW] or measured, key=lambda one: _distance(one[2], measure))
    against = {"selection_rate": "all others", "calibration": "its own probabilities"}.get(measure, attribute.reference or "")
    return GoverningRow(
        attribute=attribute.attribute, favourable=of_class, measure=measure, group=group.group, compared_with=against, value=value, evidence=f"{pointer}/groups/{i}/{POINTERS[measure]}")


def _distance(value: Estimate | Ratio, measure: str) -> float:
    """How far from equality: of a quotient by its logarithm, so that half and twice are as far."""
    if measure in ("impact_ratio", "calibration"):
        return abs(math.log(value.value)) if value.value > 0 else math.inf
    return abs(value.value)


def _value(group: Group, measure: str) -> Ratio | Value:
    if measure == "impact_ratio":
        return group.impact_ratio
    if measure == "selection_rate":
        return group.versus_rest.difference if isinstance(group.versus_rest, VersusRest) else group.versus_rest
    if measure == "calibration":
        return group.calibration.observed_over_expected if isinstance(group.calibration, GroupCalibration) else group.calibration
    if measure in ("mean", "residual"):
        score = group.score
        return score if not isinstance(score, ScoreOutcome) else score.mean_difference if measure == "mean" else score.residual_difference
    gaps = group.error_rates.gaps if isinstance(group.error_rates, ErrorRates) else group.error_rates
    if not isinstance(gaps, Gaps):
        return gaps
    return {"tpr": gaps.tpr, "fpr": gaps.fpr, "ppv": gaps.ppv}[measure]


def findings_of_governing(fairness: FairnessSection | NotMeasured) -> Iterator[Finding]:
    """Rule ``governing_metric`` (info): which metric governs, who chose it, and what it says of each attribute."""
    choice = None if isinstance(fairness, NotMeasured) else fairness.governing
    if choice is None or isinstance(fairness, NotMeasured):
        return
    who = "the answers to four questions" if choice.chosen_by == "questions" else "the person who asked"
    other = f" The answers to the four questions lead to {GOVERNING_WORDS[choice.recommended]}." if choice.recommended not in (None, choice.metric) else ""
    told = "; ".join(f"{governing_comparison(row)} {governing_value(row, fairness.limit.ratio)}" for row in choice.rows[:LISTED])
    more = f"; {len(choice.rows) - LISTED} more in its table" if len(choice.rows) > LISTED else ""
    yield Finding(
        id="governing_metric", severity="info", rule="governing_metric", evidence="/fairness/governing",
        text=f"Of the measures of groups {GOVERNING_WORDS[choice.metric]} governs, as {who} said before anything was measured.{other} Furthest by it: {told}{more}.",
        suggestion="" if choice.reason or choice.rationale else "Say why this metric governs: the report prints the reason.")


def governs(fairness: FairnessSection | NotMeasured, finding: Finding) -> bool:
    """Whether the finding is about the metric that governs: of equal severity such findings come first."""
    if isinstance(fairness, NotMeasured) or fairness.governing is None:
        return False
    rules = {rule for measure in MEASURES[fairness.governing.metric] for rule in FINDINGS[measure]}
    return finding.rule == "governing_metric" or finding.rule in rules or f"{finding.rule}:{finding.id.rsplit(':', 1)[-1]}" in rules
