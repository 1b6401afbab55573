"""The record of less-discriminatory alternatives: what else could be deployed, what each costs in metric points and in people, and why none was chosen (evidence rules 1 and 12)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Self

from pydantic import Field, model_validator

from automl.evidence.blocks import Finding, Measured, NotMeasured, Part, Value
from automl.evidence.fairness import FairnessSection
from automl.spec import Profile

MitigationMethod = Literal["own_cuts", "threshold_optimizer", "common_cut", "reweighing", "exponentiated_gradient", "in_training_penalty", "searched_front"]
Criterion = Literal["demographic_parity", "equalized_odds"]


class CutStep(Part):
    """A share of the people whose score for the favourable outcome reaches ``cut`` is selected."""

    cut: float
    share: float


class CutRule(Part):
    """The cut-offs of one group, or of everybody (None). Nobody is selected where there is no step; several steps, or a share below 1, mean that some decisions are drawn by lot."""

    group: str | None
    steps: tuple[CutStep, ...]


class Change(Part):
    """A value under the alternative, and that minus the deployed model's on the same rows, with a paired interval."""

    after: Value
    change: Value


class GroupRates(Part):
    """One group's decisions by the deployed model. Selected means the favourable outcome; the rates of errors are those of it. ``ppv``, here and below: None where an earlier release measured."""

    group: str
    n: int
    selection_rate: Value
    tpr: Value
    fpr: Value
    ppv: Value | None = Field(default=None, exclude_if=lambda value: value is None)


class GroupGaps(Part):
    """This group's rates minus the reference's, by the deployed model; simultaneous over the compared groups of the attribute."""

    group: str
    selection_rate: Value
    tpr: Value
    fpr: Value
    ppv: Value | None = Field(default=None, exclude_if=lambda value: value is None)


class GroupRateChanges(Part):
    group: str
    n: int
    selection_rate: Change
    tpr: Change
    fpr: Change
    ppv: Change | None = Field(default=None, exclude_if=lambda value: value is None)
    gained: float
    """People who are selected and were not, and ``lost`` the other way; expected numbers where decisions are drawn."""
    lost: float


class GroupGapChanges(Part):
    """This group's rates minus the reference's under the alternative, and how much of that it changes."""

    group: str
    selection_rate: Change
    tpr: Change
    fpr: Change
    ppv: Change | None = Field(default=None, exclude_if=lambda value: value is None)


class RateSpread(Part):
    """How far the compared groups of one attribute are apart at most: descriptions without an interval (rule 9), in expectation where decisions are drawn."""

    attribute: str
    demographic_parity_difference: float
    demographic_parity_ratio: float | None
    equalized_odds_difference: float


class FairnessChange(Part):
    """What an alternative does to the groups of the attribute that it is for, and how far the groups of every attribute are apart then."""

    groups: tuple[GroupRateChanges, ...]
    gaps: tuple[GroupGapChanges, ...]
    spreads: tuple[RateSpread, ...]


class PeopleChanged(Part):
    """People of the audit part who are decided otherwise."""

    share: Value
    gained: float
    lost: float


class OutOfFoldResult(Part):
    """What was known of an alternative when it was frozen, on training rows: a metric of its decisions, and how far the groups of its attribute are apart."""

    value: float
    spread: RateSpread


class Alternative(Part):
    id: str
    method: MitigationMethod
    attribute: str
    criterion: Criterion
    parameters: dict[str, float | int | str]
    rules: tuple[CutRule, ...] = ()
    uses_attribute_at_decision: bool
    uses_attribute_in_training: bool
    drawn_by_lot: bool
    out_of_fold: OutOfFoldResult
    performance: dict[str, Change]
    people: PeopleChanged
    fairness: FairnessChange
    allowed_by_profile: bool | None
    """None where the person named no profile."""
    chosen: bool = False
    why_not: str
    model_sha256: str | None = None
    """Of a model that learned again; None where the deployed one's scores are cut elsewhere."""

    @model_validator(mode="after")
    def _never_chosen_where_barred(self) -> Self:
        if self.chosen and self.allowed_by_profile is False:
            raise ValueError("an alternative that the profile bars cannot be the chosen one")
        return self


class DeployedAttribute(Part):
    """The deployed model's decisions by the compared groups of one attribute, the largest group first."""

    attribute: str
    reference: str
    groups: tuple[GroupRates, ...]
    gaps: tuple[GroupGaps, ...]
    spread: RateSpread
    not_listed: int = 0
    """Compared groups beyond those that are listed one by one."""

    def left_aside(self, fairness: FairnessSection | NotMeasured) -> tuple[str, ...]:
        """The attribute's groups that had too few rows to be compared here; none where not all that were compared are listed."""
        if isinstance(fairness, NotMeasured) or self.not_listed:
            return ()
        listed = {group.group for group in self.groups}
        return tuple(group.group for each in fairness.attributes if each.attribute == self.attribute for group in each.groups if group.group not in listed)


class Deployed(Part):
    performance: dict[str, Value]
    attributes: tuple[DeployedAttribute, ...]
    out_of_fold: tuple[OutOfFoldResult, ...]
    """One an attribute, in the same order."""


class ParetoFront(Part):
    """The alternatives (and "deployed") that no other one beats in both the metric and the criterion, out of fold, as it was known when they were frozen. The best metric first."""

    attribute: str
    criterion: Criterion
    without_attribute: bool
    """Of those alone that do not see the attribute when they decide."""
    alternatives: tuple[str, ...]


class NotTried(Part):
    method: MitigationMethod
    attribute: str
    reason: str


class MitigationBudget(Part):
    """What bounds the work: numbers of rows and rounds, never a clock, so that the same inputs give the same alternatives."""

    attributes: int
    """At most so many, those whose groups are furthest apart out of fold; models learn again, and Fairlearn's optimizer runs, for the first of them alone."""
    refit_rows: int
    reduction_rows: int
    reduction_rounds: int
    reduction_trees: int


class MitigationSection(Measured):
    profile: Profile | None
    metric: str
    """The metric of decisions that alternatives are weighed by."""
    fitted_on: int
    """Rows that the alternatives were made and compared on, out of fold, before the others were looked at."""
    measured_on: int
    frozen: str
    """sha256 of every alternative and of the Pareto fronts, in the sealed plan."""
    deployed: Deployed
    alternatives: tuple[Alternative, ...]
    not_tried: tuple[NotTried, ...]
    pareto: tuple[ParetoFront, ...]
    budget: MitigationBudget
    known_on: str = Field(default="out of fold", exclude_if=lambda part: part == "out of fold")
    """Where the alternatives were compared when they were frozen; for predictions made elsewhere "on half A", and ``measured_on`` counts half B."""
    note: str

    @property
    def by_halves(self) -> bool:
        """Whether these are other cut-offs of predictions made elsewhere."""
        return self.known_on != "out of fold"

    @property
    def made_of(self) -> str:
        """The rows that they were made on, in words."""
        return "rows of half A" if self.by_halves else "training rows, out of fold"

    @property
    def part(self) -> str:
        """The rows that they are measured on, in words."""
        return "half B" if self.by_halves else "the audit part"

    def of(self, attribute: str) -> tuple[Alternative, ...]:
        """The alternatives that are for this attribute."""
        return tuple(each for each in self.alternatives if each.attribute == attribute)

    def named_by(self, findings: Iterable[Finding]) -> frozenset[str]:
        """Ids of the alternatives that a finding is about."""
        pointers = {finding.evidence for finding in findings}
        return frozenset(each.id for at, each in enumerate(self.alternatives) if f"/mitigation/alternatives/{at}" in pointers)
