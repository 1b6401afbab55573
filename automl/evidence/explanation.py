"""Which inputs move the model's output: SHAP, overall, per group and for a few examples."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from automl.evidence.blocks import Measured, NotMeasured, Part, Value
from automl.evidence.dependence import DependenceSection
from automl.evidence.importance import PermutationImportance, RankStability, RelatedInputs
from automl.evidence.interactions import InteractionsSection
from automl.evidence.proxies import ProxyScan

EARLIER = "the run was made before this was measured"


class Background(Part):
    source: str
    n: int
    sha256: str


class FeatureImportance(Part):
    feature: str
    mean_abs_shap: Value
    direction: Literal["increases", "decreases", "mixed"]
    """Sign of the rank correlation between the feature's value and its attribution; "mixed" for categories and weak correlations."""
    rank: int
    rank_over_replicates: tuple[int, int]
    """5th and 95th percentile of the rank over bootstrap replicates."""
    stands_in_for: tuple[str, ...] = ()
    """Sensitive attributes that this input tells the groups of (`ProxyFeature.flagged`), or is itself."""


class GroupImportance(Part):
    group: str
    n: int
    mean_shap: dict[str, float]
    """Feature to mean signed attribution in the group."""
    mean_abs_shap: dict[str, float]
    intervals: dict[str, Value] = Field(default_factory=dict, exclude_if=lambda intervals: not intervals)
    """Of the most important inputs: mean |SHAP| with its interval."""


class GapShare(Part):
    feature: str
    contribution: Value


class ScoreGap(Measured):
    """How the model's inputs add up to the difference of mean scores between two groups (rule 10): not a cause, not the selection gap."""

    attribute: str
    group: str
    reference: str
    gap: Value
    contributions: tuple[GapShare, ...]
    second: tuple[GapShare, ...] | NotMeasured = NotMeasured(reason=EARLIER)
    """The same inputs against the second background, the training rows of the reference group: they add up to the same gap, and may share it otherwise."""


class Contribution(Part):
    feature: str
    value: str
    shap: float


class Example(Part):
    """One row, named by its position in the audit part; values as the model saw them."""

    row: int
    asked_row: int | None = Field(default=None, exclude_if=lambda row: row is None)
    """Of a row that a person named: its position in the table, from 0. ``row`` is then its position in the part that ``why`` names."""
    why: str
    output: float
    base: float
    prediction: str
    contributions: tuple[Contribution, ...]


class Points(Part):
    """Attribution against feature value for a sample of rows, for the dependence and beeswarm pictures (at most 1,500 marks)."""

    feature: str
    values: tuple[float | str | None, ...]
    shap: tuple[float, ...]


class ExplanationSection(Measured):
    output_space: Literal["log_odds", "probability", "value", "log1p"]
    """"log1p": log(1 + value), which a model chosen by rmsle adds up."""
    output: str
    """What is explained: "log-odds of >50K", or the predicted number and its unit."""
    explainer: str
    background: Background
    second_background: dict[str, Background] | NotMeasured = NotMeasured(reason=EARLIER)
    """Attribute to the training rows of its reference group, which score gaps are shown against a second time."""
    rows: int
    features: tuple[FeatureImportance, ...]
    by_group: dict[str, tuple[GroupImportance, ...]] = Field(default_factory=dict)
    score_gap_by_input: tuple[ScoreGap | NotMeasured, ...] = ()
    proxies: tuple[ProxyScan | NotMeasured, ...] | NotMeasured = NotMeasured(reason=EARLIER)
    additivity_error: float
    stability: RankStability | NotMeasured = NotMeasured(reason=EARLIER)
    permutation: PermutationImportance | NotMeasured = NotMeasured(reason=EARLIER)
    related: RelatedInputs | NotMeasured = NotMeasured(reason=EARLIER)
    dependence: DependenceSection | NotMeasured = NotMeasured(reason=EARLIER)
    interactions: InteractionsSection | NotMeasured = NotMeasured(reason=EARLIER)
    points: tuple[Points, ...] = ()
    examples: tuple[Example, ...] = ()
    rows_left_out: tuple[int, ...] = Field(default=(), exclude_if=lambda rows: not rows)
    """Rows that a person named, by their position in the table, which are in neither part: they were left out of both."""
