"""Group fairness: what each group gets, how sure that is, and how the errors fall."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from automl.evidence.blocks import Estimate, Measured, NotMeasured, Part, Ratio, Test, Value
from automl.evidence.performance import CalibrationBin
from automl.spec import GoverningMetric


class UnknownBand(Part):
    """The impact ratio if every row with an unknown attribute belonged to this group or its reference, at worst and at best."""

    low: float
    high: float


class VersusRest(Part):
    difference: Value
    tests: tuple[Test, ...] = ()


class Shortfall(Part):
    """Favourable outcomes missing to reach the pool's, the others' and the reference's rate; persons, may be negative."""

    to_pool: float
    to_rest: float | None
    to_reference: float | None


class Gaps(Part):
    """Signed differences, this group minus the reference."""

    tpr: Value
    fpr: Value
    ppv: Value
    npv: Value | None = Field(default=None, exclude_if=lambda gap: gap is None)
    accuracy: Value | None = Field(default=None, exclude_if=lambda gap: gap is None)


class RateComparison(Part):
    """One rate, or mean of a predicted number, of a group beside that of all rows, and that of the group in which it is best; limits hold for all groups at once, one rate at a time."""

    minus_all: Value
    over_all: Value
    best: str | None
    """The group with the highest rate or mean, of false positive and false negative rates and of errors the lowest; None where there are no two to compare."""
    minus_best: Value
    over_best: Value


class ErrorRates(Part):
    tpr: Value
    fpr: Value
    fnr: Value
    tnr: Value
    ppv: Value
    npv: Value
    accuracy: Value
    treatment_equality: Value | None = Field(default=None, exclude_if=lambda ratio: ratio is None)
    """False negatives for each false positive (Berk et al. 2018, "Fairness in criminal justice risk assessments"): how the errors of the group divide into good outcomes refused and granted wrongly."""
    gaps: Gaps | NotMeasured
    gaps_to_rest: Gaps | None = Field(default=None, exclude_if=lambda gaps: gaps is None)
    """This group minus all others pooled: of a declared attribute whose reference is a handful of rows, so that ``gaps`` can show little."""
    compared: dict[str, RateComparison] = Field(default_factory=dict, exclude_if=lambda compared: not compared)
    """Name of a rate (a field above) to its comparison. Of declared attributes."""


class GroupCalibration(Measured):
    observed: int | float
    """Favourable labels: rows, or where rows have weights the sum of theirs, as in ``expected``."""
    expected: float
    observed_over_expected: Value
    z: float | None = None
    slope: Value | None = Field(default=None, exclude_if=lambda slope: slope is None)
    """Logistic recalibration of this group alone: log-odds of the outcome = intercept + slope x log-odds of the probability; 1 and 0 where the probabilities fit. Of declared attributes."""
    intercept: Value | None = Field(default=None, exclude_if=lambda intercept: intercept is None)
    bins: tuple[CalibrationBin, ...] = Field(default=(), exclude_if=lambda bins: not bins)
    """Equal-count bins of the group's own probabilities against the observed rate. Of declared attributes."""


class ScoreSpread(Part):
    """How the scores of a group lie, and how far from the reference's; descriptive, without intervals of their own (rule 9). Of declared attributes."""

    quantiles: tuple[float, float, float, float, float]
    """At 0.05, 0.25, 0.5, 0.75 and 0.95."""
    standardised_difference: float | None = None
    """Mean minus the reference's, in standard deviations (root of the mean of both variances)."""
    kolmogorov_smirnov: float | None = None
    """Largest distance between the shares of both groups that lie at or below a score."""
    wasserstein: float | None = None
    """Mean distance by which the one group's scores would have to move to lie as the other's, in units of the score."""


class ScoreOutcome(Measured):
    """For regression and scored outcomes: level and error of the score in this group, and its signed distance to the reference."""

    mean: Value
    above_median: Value
    mean_residual: Value
    mean_absolute_error: Value
    mean_difference: Value
    """Mean score minus the reference's."""
    residual_difference: Value
    ratio_of_means: Value | NotMeasured
    absolute_error_difference: Value | None = Field(default=None, exclude_if=lambda difference: difference is None)
    """Mean absolute error minus the reference's: of a predicted number."""
    absolute_error_ratio: Value | None = Field(default=None, exclude_if=lambda ratio: ratio is None)
    """Mean absolute error over the reference's."""
    compared: dict[str, RateComparison] = Field(default_factory=dict, exclude_if=lambda compared: not compared)
    """Of a predicted number: ``mean`` and ``mean_absolute_error`` beside those of all rows and of the best group."""
    spread: ScoreSpread | None = Field(default=None, exclude_if=lambda spread: spread is None)


class Group(Part):
    group: str
    n: int
    share: float
    excluded: str | None = None
    selected: int | None = None
    selection_rate: Value
    impact_ratio: Ratio | NotMeasured
    minimum_detectable_ratio: float | None = None
    unknown_band: UnknownBand | None = None
    versus_rest: VersusRest | NotMeasured
    flip_flop: bool | None = None
    shortfall: Shortfall | None = None
    error_rates: ErrorRates | NotMeasured
    calibration: GroupCalibration | NotMeasured
    score: ScoreOutcome | NotMeasured


class AttributeSummary(Part):
    """Descriptive maxima over groups, equal to Fairlearn's functions where those are defined; no interval of their own (rule 9)."""

    demographic_parity_difference: float | None = None
    demographic_parity_ratio: float | None = None
    equalized_odds_difference: float | None = None
    equal_opportunity_difference: float | None = None
    average_odds_difference: float | None = Field(default=None, exclude_if=lambda difference: difference is None)
    """Mean of the differences of true and of false positive rates: Fairlearn's equalized_odds_difference with agg="mean"."""
    predictive_parity_difference: float | None = Field(default=None, exclude_if=lambda difference: difference is None)


class Attribute(Part):
    attribute: str
    """"sex", or "sex x race" for a crossing."""
    columns: tuple[str, ...]
    bins: tuple[float, ...] = ()
    reference: str | None
    reference_named: bool = False
    """True where the person named the reference before the audit part was opened."""
    groups: tuple[Group, ...]
    unknown: int
    omnibus: Test | NotMeasured
    summary: AttributeSummary = AttributeSummary()
    note: str = ""


class Family(Part):
    """The primary family of tests (rule 8)."""

    tests: int
    adjustment: Literal["holm"] = "holm"
    contrasts: tuple[str, ...] = ()


class RatioLimit(Part):
    ratio: float


GoverningMeasure = Literal["impact_ratio", "selection_rate", "tpr", "fpr", "ppv", "calibration", "mean", "residual"]


class GoverningRow(Part):
    """Of one attribute the group that is furthest away by the metric that governs."""

    attribute: str
    favourable: str = ""
    """The class, where every class is measured by itself."""
    measure: GoverningMeasure
    group: str
    compared_with: str
    """The reference group, "all others", or "its own probabilities"."""
    value: Ratio | Value
    of_few: bool = Field(default=False, exclude_if=lambda few: not few)
    """Every comparison of the table rests on fewer than 30 rows on one side, so nothing is concluded from this one."""
    evidence: str
    """JSON pointer to the same value in its table."""


class GoverningChoice(Part):
    """The metric that governs: by whom it was chosen, why, and what it says. Chosen before anything was measured; it is part of the sealed plan."""

    metric: GoverningMetric
    chosen_by: Literal["person", "questions"]
    recommended: GoverningMetric | None = None
    """What the answers to the four questions lead to; None where they were not asked."""
    rationale: tuple[str, ...] = ()
    """The way through the questions, one sentence each."""
    reason: str = ""
    """In the person's own words."""
    rows: tuple[GoverningRow, ...] = ()


class FairnessByClass(Part):
    favourable: str
    attributes: tuple[Attribute, ...]
    intersections: tuple[Attribute, ...]


class FairnessSection(Measured):
    favourable: tuple[str, ...]
    outcome: Literal["decision", "score"]
    """"decision": rates of a favourable decision; "score": a number per row (regression)."""
    limit: RatioLimit
    label_rule: str = ""
    """How the labels against the limit were decided, in words."""
    attributes: tuple[Attribute, ...]
    intersections: tuple[Attribute, ...] = ()
    family: Family
    by_class: tuple[FairnessByClass, ...] = Field(default=())
    furthest: tuple[GoverningRow, ...] = Field(default=(), exclude_if=lambda rows: not rows)
    """Where classes are measured one by one: of each attribute and measure the class and group that are furthest from equal."""
    governing: GoverningChoice | None = Field(default=None, exclude_if=lambda choice: choice is None)


__all__ = [
    "Attribute", "AttributeSummary", "ErrorRates", "Estimate", "FairnessByClass", "FairnessSection", "Family", "Gaps", "GoverningChoice", "GoverningMeasure", "GoverningRow", "Group",
    "GroupCalibration", "RatioLimit", "ScoreOutcome", "ScoreSpread", "Shortfall", "UnknownBand", "VersusRest",
]
