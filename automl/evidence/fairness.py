"""Group fairness: what each group gets, how sure that is, and how the errors fall."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from automl.evidence.blocks import Estimate, Measured, NotMeasured, Part, Ratio, Test, Value
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


class ErrorRates(Part):
    tpr: Value
    fpr: Value
    fnr: Value
    tnr: Value
    ppv: Value
    npv: Value
    accuracy: Value
    gaps: Gaps | NotMeasured
    gaps_to_rest: Gaps | None = Field(default=None, exclude_if=lambda gaps: gaps is None)
    """This group minus all others pooled: of a declared attribute whose reference is a handful of rows, so that ``gaps`` can show little."""


class GroupCalibration(Measured):
    observed: int
    expected: float
    observed_over_expected: Value
    z: float | None = None


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
    governing: GoverningChoice | None = Field(default=None, exclude_if=lambda choice: choice is None)


__all__ = [
    "Attribute", "AttributeSummary", "ErrorRates", "Estimate", "FairnessByClass", "FairnessSection", "Family", "Gaps", "GoverningChoice", "GoverningMeasure", "GoverningRow", "Group",
    "GroupCalibration", "RatioLimit", "ScoreOutcome", "Shortfall", "UnknownBand", "VersusRest",
]
