"""What page one says of alternatives to the deployed model.

Which alternative is spoken of was settled out of fold, before the audit part was opened: the one with the smallest gap in selection rates among those that cost at most `LARGEST_COST`
of the metric there. What is said of it was measured on the audit part. The rules, by id:

- ``alternative_exists`` (medium; low where no ratio of the attribute is below the limit beyond sampling error): an alternative that sees no group when it decides narrows the largest gap,
  and the paired interval excludes no change.
- ``alternative_by_group`` (low): the same of one with cut-offs of each group's own, where no alternative without them narrows it, and no profile bars them.
- ``alternatives_barred`` (info): the profile bars some of the alternatives.
- ``no_alternative`` (info): none is known to narrow the gap at that price.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from automl.evidence import (
    Alternative,
    Change,
    DeployedAttribute,
    Estimate,
    FairnessSection,
    Finding,
    GroupGapChanges,
    GroupGaps,
    MitigationSection,
    NotMeasured,
    OutOfFoldResult,
    Ratio,
    Severity,
)
from automl.printing import alternative_name, estimate, significant, visible

LARGEST_COST = 0.01
SMALLEST_GAP = 0.02
"""Of selection rates out of fold, below which nothing is said."""


@dataclass(frozen=True)
class _Spoken:
    """An alternative, the group whose gap it is told by, and that gap before and after."""

    place: int
    alternative: Alternative
    before: GroupGaps
    after: GroupGapChanges

    @property
    def narrows(self) -> bool:
        before, change = self.before.selection_rate, self.after.selection_rate.change
        if not isinstance(before, Estimate) or not isinstance(change, Estimate) or change.low_precision:
            return False
        towards_zero = change.high < 0 if before.value > 0 else change.low > 0
        after = self.after.selection_rate.after
        return towards_zero and isinstance(after, Estimate) and abs(after.value) < abs(before.value)


def findings_of_mitigation(section: MitigationSection | NotMeasured, fairness: FairnessSection | NotMeasured) -> Iterator[Finding]:
    """What may be said of alternatives to the deployed model: of the one that looked best out of fold, never of the luckiest on the audit part."""
    if not isinstance(section, MitigationSection):
        return
    known = {each.spread.attribute: each for each in section.deployed.out_of_fold}
    for place, deployed in enumerate(section.deployed.attributes):
        if known[deployed.attribute].spread.demographic_parity_difference >= SMALLEST_GAP and deployed.gaps:
            yield from _of_attribute(section, place, known[deployed.attribute], fairness)
    if section.profile is not None and (barred := sum(each.allowed_by_profile is False for each in section.alternatives)):
        yield Finding(
            id="alternatives_barred", severity="info", evidence="/mitigation/alternatives", rule="alternatives_barred",
            text=f"Under the profile {section.profile} {barred} of {len(section.alternatives)} alternatives are barred, since they decide by a group's own cut-off; they are reported, and never chosen.")


def _of_attribute(section: MitigationSection, at: int, known: OutOfFoldResult, fairness: FairnessSection | NotMeasured) -> Iterator[Finding]:
    deployed = section.deployed.attributes[at]
    mine = [(place, each) for place, each in enumerate(section.alternatives) if each.attribute == deployed.attribute]
    blind = _spoken((pair for pair in mine if not pair[1].uses_attribute_at_decision), deployed, known)
    sighted = _spoken((pair for pair in mine if pair[1].uses_attribute_at_decision and pair[1].allowed_by_profile is not False), deployed, known)
    name = visible(deployed.attribute, 60)
    if blind is not None and blind.narrows:
        severity: Severity = "medium" if _below(fairness, deployed.attribute) else "low"
        yield _finding("alternative_exists", severity, section, blind, deployed, f"An alternative that does not see {name} when it decides")
    elif sighted is not None and sighted.narrows:
        yield _finding("alternative_by_group", "low", section, sighted, deployed, f"An alternative that decides by {name} itself")
    else:
        yield Finding(
            id=f"no_alternative:{deployed.attribute}", severity="info", evidence=f"/mitigation/deployed/attributes/{at}", rule="no_alternative",
            text=f"None of {len(mine)} alternatives was found, at a cost of at most {LARGEST_COST:g} of {_metric(section)} {section.known_on}, to narrow the gap in selection rates between the groups of {name} "
            "beyond sampling error.")


def _spoken(pairs: Iterable[tuple[int, Alternative]], deployed: DeployedAttribute, known: OutOfFoldResult) -> _Spoken | None:
    cheap = [(place, each) for place, each in pairs if each.out_of_fold.value >= known.value - LARGEST_COST and not _is_the_same(each)]
    nearer = [pair for pair in cheap if pair[1].out_of_fold.spread.demographic_parity_difference < known.spread.demographic_parity_difference]
    if not nearer:
        return None
    place, alternative = min(nearer, key=lambda pair: (pair[1].out_of_fold.spread.demographic_parity_difference, pair[0]))
    # the gaps of a handful of rows are the largest by chance, and nothing is concluded from them
    large = [gap for gap in deployed.gaps if isinstance(gap.selection_rate, Estimate) and not gap.selection_rate.low_precision] or deployed.gaps
    before = max(large, key=lambda gap: abs(gap.selection_rate.value) if isinstance(gap.selection_rate, Estimate) else -1.0)
    return _Spoken(place, alternative, before, next(gap for gap in alternative.fairness.gaps if gap.group == before.group))


def _is_the_same(each: Alternative) -> bool:
    """Learning again as before is no alternative, only what others are measured against."""
    return each.method in ("reweighing", "in_training_penalty") and not each.parameters["strength"]


def _finding(rule: str, severity: Severity, section: MitigationSection, spoken: _Spoken, deployed: DeployedAttribute, start: str) -> Finding:
    one, gap = spoken.alternative, spoken.after.selection_rate
    who = f"{visible(spoken.before.group, 60)} minus {visible(deployed.reference, 60)}"
    lot = ", some of whose decisions are drawn by lot," if one.drawn_by_lot else ""
    return Finding(
        id=f"{rule}:{deployed.attribute}", severity=severity, evidence=f"/mitigation/alternatives/{spoken.place}", rule=rule,
        text=f"{start} ({alternative_name(one)}){lot} changes the difference of selection rates, {who}, from {_value(spoken.before.selection_rate)} to {_with_interval(gap.after)}, by "
        f"{estimate(gap.change, signed=True)}. {_metric(section).capitalize()} changes by {_cost(one.performance[section.metric])}; {estimate(one.people.share, as_percent=True)} of the people are decided otherwise.",
        suggestion="It was not chosen. Whether it is worth its price, and may be used, is for people; write down why it was not taken.")


def _cost(change: Change) -> str:
    return estimate(change.change, signed=True)


def _metric(section: MitigationSection) -> str:
    return section.metric.replace("_", " ")


def _value(value: Estimate | NotMeasured) -> str:
    return significant(value.value, 3) if isinstance(value, Estimate) else "what was not measured"


def _with_interval(value: Estimate | NotMeasured) -> str:
    """With its own level, which is that of all compared groups at once, where the change's is its own."""
    if not isinstance(value, Estimate):
        return _value(value)
    return f"{significant(value.value, 3)} ({100 * value.level:.3g} % interval {significant(value.low, 3)} to {significant(value.high, 3)})"


def _below(fairness: FairnessSection | NotMeasured, attribute: str) -> bool:
    """Whether some group's impact ratio is below the limit beyond sampling error."""
    if isinstance(fairness, NotMeasured):
        return False
    groups = [group for each in fairness.attributes if each.attribute == attribute for group in each.groups]
    return any(isinstance(group.impact_ratio, Ratio) and group.impact_ratio.label == "below" for group in groups)
