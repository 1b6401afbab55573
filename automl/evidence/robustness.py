"""How far the results hold when inputs, rows, cuts and draws are others: perturbations, shift, variation, label noise, memory, and what the labels can show."""

from __future__ import annotations

from typing import Literal

from automl.evidence.blocks import Measured, NotMeasured, Part, Value

PerturbationKind = Literal["noise", "missing", "rounding"]


class LowestRatio(Part):
    """The lowest impact ratio of an attribute, among groups of 30 rows and more, with its marginal interval. Which group it is was seen in the same rows."""

    attribute: str
    group: str | None
    reference: str | None
    ratio: Value


class GroupLevel(Part):
    group: str
    n: int
    outcome: Value
    """Selection rate; for a regression the mean predicted number."""


class AttributeLevels(Part):
    attribute: str
    groups: tuple[GroupLevel, ...]
    lowest: LowestRatio


class Undisturbed(Part):
    """The audited rows as they are, for comparison."""

    n: int
    metric: Value
    attributes: tuple[AttributeLevels, ...]


class GroupChange(Part):
    """Disturbed minus undisturbed, the same rows twice."""

    group: str
    n: int
    outcome_change: Value
    error_change: Value
    """Of the share of wrong decisions; for a regression of the mean absolute error."""


class AttributeChange(Part):
    attribute: str
    groups: tuple[GroupChange, ...]
    lowest: LowestRatio


class PerturbationStep(Part):
    strength: float
    metric_change: Value
    changed: Value
    """Share of rows whose decision is another one."""
    attributes: tuple[AttributeChange, ...]


class Perturbation(Measured):
    kind: PerturbationKind
    what: str
    columns: int
    """Inputs that were disturbed."""
    steps: tuple[PerturbationStep, ...]


class OutsideOfTraining(Part):
    """One input: audited rows with a number outside the range of the training rows, or with a level that none of them has."""

    feature: str
    outside: int
    unseen: int


class GroupShare(Part):
    attribute: str
    group: str
    n: int
    share: Value


class ShiftedFeature(Part):
    """The population stability index of one input, training rows against audited rows, in bins made of the training rows."""

    feature: str
    psi: float
    bins: int
    without_shift: float
    """What the index stays below in 95 % of samples of these sizes where nothing has shifted."""
    p: float | None
    p_adjusted: float | None
    """Chi-square test that both parts have the same shares, Holm over the inputs; None where rows repeat a person."""


class Shift(Measured):
    train: int
    audit: int
    any_outside: Value
    """Share of audited rows with at least one such value."""
    by_group: tuple[GroupShare, ...]
    outside: tuple[OutsideOfTraining, ...]
    """Only inputs that have any."""
    features: tuple[ShiftedFeature, ...]
    """The most shifted first."""


class ModelSpread(Part):
    """One number for each of several models, as they are: a description, no interval."""

    what: str
    deployed: float
    values: tuple[float, ...]
    lowest: float
    highest: float
    deviation: float
    """Their standard deviation."""

    @property
    def shown(self) -> tuple[float, float, float, float]:
        """The four numbers of a table's row."""
        return self.deployed, self.lowest, self.highest, self.deviation


class Variation(Measured):
    of: str
    """What differs between the models."""
    models: int
    n: int
    metric: ModelSpread
    selection: tuple[ModelSpread, ...]
    """Selection rate (mean predicted number) of each group."""


class NoisyLabels(Measured):
    """Training rows whose label the out-of-fold probabilities contradict (confident learning, Northcutt et al. 2021)."""

    n: int
    found: int
    share: Value
    by_group: tuple[GroupShare, ...]
    pairs: tuple[tuple[str, str, int], ...]
    """Label as given, label as the probabilities say, rows."""
    note: str


class Membership(Measured):
    """Whether the loss tells rows that the model has learned from (Yeom et al. 2018): AUC of minus the loss, training rows against audited rows."""

    members: int
    others: int
    auc: Value
    """By the scores that the deployed model gives its own training rows."""
    control: Value
    """The same by out-of-fold scores, which no fold model has learned: how far it is from 0.5 is the difference between the parts, not memory."""
    note: str


class FlippedNumber(Part):
    """One number of the report under wrong labels: as measured, and over the draws its mean and the range that holds 95 % of them."""

    what: str
    """ "accuracy", or "true positive rate" and "false positive rate" of an attribute: the largest difference between its groups."""
    attribute: str = ""
    measured: float
    mean: float
    low: float
    high: float


class FlipStep(Part):
    share: float
    """Of the labels, drawn at random and exchanged for the other outcome."""
    numbers: tuple[FlippedNumber, ...]


class LabelFlips(Measured):
    """What wrong labels among the audited rows would do to the numbers that are counted against them; the decisions stay."""

    n: int
    draws: int
    steps: tuple[FlipStep, ...]
    note: str


class SharedRows(Measured):
    """Audited rows whose inputs a training row has as well: the model may know their answer by heart."""

    same_inputs: Value
    """Their share of the audited rows."""
    same_label: int
    """Of them, those with the training row's label (or number) as well."""
    metric_all: Value
    metric_others: Value
    """The run's metric on all audited rows, and on those that no training row equals."""
    note: str


class Stretch(Part):
    """Audited rows of one stretch of time."""

    first: str
    last: str
    n: int
    outcome: Value
    """Share of the favourable (else the positive) label; of a number its mean."""
    metric: Value


class TimeOrder(Measured):
    column: str
    """The date that orders the rows."""
    split_by_it: bool
    """Whether the audit part is the latest rows by it; otherwise rows of the same time were learned from."""
    undated: int
    stretches: tuple[Stretch, ...]
    outcome_change: Value
    """The last stretch minus the first."""
    note: str


EARLIER = NotMeasured(reason="the run was made before this was measured")


class CutPoint(Part):
    cut: float
    chosen: bool
    selection_rate: Value
    accuracy: Value
    lowest: tuple[LowestRatio, ...]


class ThresholdCurve(Measured):
    n: int
    chosen: float | None
    points: tuple[CutPoint, ...]
    note: str


class LabelChance(Part):
    """How often a group with this true ratio to all others would get each label of evidence rule 7 at these sizes."""

    attribute: str
    group: str
    n: int
    others: int
    true_ratio: float
    below: Value
    not_below: Value
    inconclusive: Value
    other: Value
    """The group has the highest rate itself, or nobody is selected."""

    @property
    def labels(self) -> tuple[Value, Value, Value, Value]:
        """The chances in the order of a table's row; they add up to 1."""
        return self.below, self.not_below, self.inconclusive, self.other


class OperatingCharacteristics(Measured):
    limit: float
    rows: tuple[LabelChance, ...]
    pooled: dict[str, float]
    """Attribute to the selection rate of all its known rows, which is held fixed."""
    draws: int
    """Tables drawn where there are more than two groups."""
    left_out: tuple[str, ...]
    note: str


class RobustnessSection(Measured):
    metric: str
    """The run's metric; empty for predictions made elsewhere."""
    decisions: bool
    """Whether changes of outcome and error are those of shares (selection rate, share of wrong decisions); else those of numbers (mean prediction, mean absolute error)."""
    undisturbed: Undisturbed | NotMeasured
    noise: Perturbation | NotMeasured
    missing: Perturbation | NotMeasured
    rounding: Perturbation | NotMeasured
    shift: Shift | NotMeasured
    seeds: Variation | NotMeasured
    splits: Variation | NotMeasured
    threshold_curve: ThresholdCurve | NotMeasured
    operating_characteristics: OperatingCharacteristics | NotMeasured
    label_noise: NoisyLabels | NotMeasured
    membership: Membership | NotMeasured
    label_flips: LabelFlips | NotMeasured = EARLIER
    shared_rows: SharedRows | NotMeasured = EARLIER
    time_order: TimeOrder | NotMeasured = EARLIER
    note: str

    @property
    def unmade(self) -> tuple[NotMeasured, ...]:
        """The reasons of the disturbances that could not be made."""
        return tuple(each for each in (self.noise, self.missing, self.rounding) if isinstance(each, NotMeasured))

    @property
    def perturbations(self) -> tuple[Perturbation, ...]:
        """Those that could be made."""
        return tuple(each for each in (self.noise, self.missing, self.rounding) if isinstance(each, Perturbation))
