"""Principal reasons of unfavourable decisions, how good they are as reasons, and what would have changed a decision. Adverse-action language, no legal judgement."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from automl.evidence.blocks import Measured, NotMeasured, Part, Value
from automl.evidence.explanation import Background

Wording = Literal["approved", "draft", "no_line", "other_direction", "not_given"]
"""Why a reason has, or has no, approved text: the table's line is approved; nobody approved it; there is none; it speaks of values on the other side of those just
above the cut; the value was not given and the line has no text for that."""


class ReasonRules(Part):
    """By which rules reasons were chosen. Scores are raw scores towards the favourable outcome, of the whole deployed ensemble."""

    space: Literal["log_odds"] = "log_odds"
    output: str
    """What is explained: "log-odds of >50K"."""
    cut: float
    """The score from which on the decision is favourable."""
    most: int
    materiality: float
    """Contributions below this share of a row's distance to the cut, or of its strongest reason, are not stated."""
    at_the_cut: Background
    """m1: people just above the cut. The reasons that are stated are the shortfall against them."""
    at_the_cut_scores: tuple[float, float]
    """Their lowest and highest out-of-fold score."""
    all_applicants: Background
    """m2, for comparison."""
    explainer: str
    additivity_error: float
    """The larger one of both backgrounds."""
    unfavourable: int
    """Rows of the audit part that were decided unfavourably."""
    explained: int
    """Of these, the rows that got reasons; where fewer, a random sample."""
    chosen_by: str
    """Why so many rows and not more."""
    groups: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    tie_break: str = "equal contributions, to nine decimals, in the order of the model's inputs"


class ReasonShare(Part):
    group: str
    n: int
    share: Value
    """Of the group's explained rows, those to which this reason was stated."""


class ReasonRow(Part):
    """One input, or group of inputs, in the order of how often it was stated; what is excluded by rule is listed too."""

    reason: str
    inputs: tuple[str, ...]
    code: str | None = None
    text: str | None = None
    """As the person wrote it; None: NOT PROVIDED."""
    when_missing: str | None = None
    direction: Literal["higher", "lower", "any"] = "any"
    approved_by: str | None = None
    actionable: bool = False
    excluded: str | None = None
    """The rule that keeps it from being stated."""
    stated: Value
    """Share of the explained rows to which it was stated; of an excluded one to which it would have been."""
    first: int
    """Rows in which it was (or would have been) the first reason."""
    by_group: dict[str, tuple[ReasonShare, ...]] = Field(default_factory=dict)


class CounterfactualQuality(Measured):
    """A search over a random sample of the explained rows."""

    found: Value
    columns_changed: dict[str, int]
    """Number of columns changed to the number of rows."""
    columns: tuple[str, ...]
    """The actionable inputs that were tried."""
    most_changed: int
    values: int
    """Values tried at most of each column, all seen in training rows."""


class ReasonQuality(Part):
    none: Value
    """Share of rows without any reason."""
    fewer: Value
    """Share of rows with fewer than the most, none included."""
    flip_crosses: Value
    """Share of rows (of a sample with reasons) whose mean score reaches the cut once the stated inputs have the values of people just above it."""
    flip_moves: Value
    """The same, or it moves at least ``flip_share`` of the distance."""
    flip_share: float
    flip_backgrounds: int
    stability: Value
    """Mean Jaccard overlap of the stated list with those against ``stability_backgrounds`` resampled backgrounds."""
    stability_backgrounds: int
    overlap: Value
    """Mean Jaccard overlap of the lists against m1 and against m2."""
    same_first: Value
    """Share of rows whose first reason is the same against both (neither has one counts as the same)."""
    without_approved_text: Value
    """Share of rows with at least one stated reason whose text no person approved."""
    wordings: dict[str, int] = Field(default_factory=dict)
    """Stated reasons by their `Wording`, over all explained rows."""
    excluded_would_be_stated: Value
    """Share of rows in which an excluded input would have been among the principal reasons."""
    counterfactuals: CounterfactualQuality | NotMeasured


class StatedReason(Part):
    reason: str
    code: str | None = None
    text: str | None = None
    wording: Wording
    value: str
    """The person's own; "not given" where it is missing."""
    contribution: float
    """SHAP value towards the favourable outcome: below 0."""


class ChangedColumn(Part):
    column: str
    before: str
    after: str


class Counterfactual(Part):
    """Smallest change found that ends in the favourable decision. A statement on this model, no promise about the next decision."""

    changes: tuple[ChangedColumn, ...]
    score: float
    """After the change, towards the favourable outcome."""


class ReasonExample(Part):
    row: int
    """Position in the audit part."""
    why: str
    score: float
    distance: float
    """From the score up to the cut."""
    reasons: tuple[StatedReason, ...]
    """Against m1: these are stated."""
    against_all: tuple[StatedReason, ...]
    """Against m2."""
    overlap: float
    counterfactual: Counterfactual | NotMeasured


class ReasonsSection(Measured):
    policy: ReasonRules
    table: tuple[ReasonRow, ...]
    quality: ReasonQuality
    examples: tuple[ReasonExample, ...]
    file: str
    """In the bundle: the reasons of every explained row. Personal data, and no part of the PDF."""
    notes: tuple[str, ...] = ()
