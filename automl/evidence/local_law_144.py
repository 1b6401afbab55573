"""The tables of New York City's Local Law 144, as its rule lays them out (6 RCNY 5-301, 5-302): rates and impact ratios, and no limit, for the rule states none."""

from __future__ import annotations

from typing import Literal

from automl.evidence.blocks import Measured, NotMeasured, Part, Ratio, Value
from automl.evidence.fairness import UnknownBand

Assessment = Literal["self_assessment", "bias_audit", "not_attested"]


class LawRow(Part):
    """One category. ``selected`` were moved forward or assigned the class; ``above_median`` scored strictly above the median of the sample."""

    category: str
    sex: str | None = None
    race: str | None = None
    n: int
    share: float | None = None
    """Of the people whose category is known in this table; None where there are none."""
    selected: int | None = None
    selection_rate: Value
    impact_ratio: Ratio | NotMeasured
    unknown_band: UnknownBand | None = None
    """How far the people of unknown category could move the impact ratio (rule 6); None where there are none, or no ratio."""
    above_median: int | None = None
    scoring_rate: Value
    scoring_impact_ratio: Ratio | NotMeasured
    scoring_unknown_band: UnknownBand | None = None
    excluded: str | None = None
    """The person's justification where the category was left out of the impact ratios; count and rates stay."""


class LawTable(Measured):
    rows: tuple[LawRow, ...]
    """Every category of the rule in its order, those that nobody is in included."""
    people: int
    unknown: int
    """People that this table leaves out because a category of theirs is unknown."""
    reference: str | None
    """The category with the highest selection rate among those that are not excluded."""
    scoring_reference: str | None


class LawMedian(Measured):
    """The median that scoring rates are counted above: of everybody whose categories are known in all tables."""

    value: float
    people: int
    ties: int
    """People whose score is the median itself: not above it."""
    of_everybody: float
    """The same with those of unknown category; shown, not used."""


class LawUnmapped(Part):
    """A value that was given no category: its rows are unknown."""

    attribute: str
    value: str
    n: int


class LawExclusion(Part):
    """What the person asked to leave out of the impact ratios, and whether the rule allows it (below 2 % of the people of its table)."""

    category: str
    n: int
    share: float | None
    rate: Value
    justification: str
    applied: bool
    note: str = ""


class LawClass(Part):
    """The tables of one class, where the system sorts people into several (5-301(b)(4))."""

    label: str
    sex: LawTable | NotMeasured
    race: LawTable | NotMeasured
    intersectional: LawTable | NotMeasured
    median: LawMedian | NotMeasured


class LocalLaw144Section(Measured):
    title: str
    assessment: Assessment
    """"self_assessment" of a model trained here; "bias_audit" only where a named auditor attests the audit of predictions made elsewhere."""
    auditor: str | None = None
    statement: str | None = None
    data_class: Literal["historical", "test"]
    data_reason: str = ""
    favourable: tuple[str, ...]
    sex: LawTable | NotMeasured
    race: LawTable | NotMeasured
    intersectional: LawTable | NotMeasured
    unknown: int
    """People assessed whose sex or race is unknown: the one number that the rule asks for."""
    unmapped: tuple[LawUnmapped, ...] = ()
    excluded: tuple[LawExclusion, ...] = ()
    median: LawMedian | NotMeasured
    by_class: tuple[LawClass, ...] = ()
