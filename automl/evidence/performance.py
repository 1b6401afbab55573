"""How well the predictions fit the truth on the audit part, with uncertainty, overall and per group."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from automl.evidence.blocks import Measured, NotMeasured, Part, Value


class GroupPerformance(Part):
    group: str
    n: int
    metrics: dict[str, Value]


class Threshold(Part):
    value: float
    chosen_on: str
    """"out-of-fold predictions: the highest F1, ...", "default 0.5", "given by the person" ..."""


class Confusion(Part):
    """Counts; rows are the truth, columns the prediction, both in the order of ``labels``."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


class CalibrationBin(Part):
    low: float
    high: float
    n: int
    mean_score: float
    observed: Value


class Calibration(Measured):
    """Equal-count bins of the score against the observed rate; ``expected_over_observed`` style summaries per evidence rule 9."""

    of: Literal["positive", "likeliest"] = Field(default="positive", exclude_if=lambda of: of == "positive")
    """"positive": the probability of the positive class against how often it is the truth. "likeliest", of more classes than two: that of the likeliest class against how often that one is
    the truth (confidence calibration: Guo et al. 2017, "On calibration of modern neural networks")."""
    bins: tuple[CalibrationBin, ...]
    observed_over_expected: Value


class ResidualBin(Part):
    """Rows of about equal predicted number."""

    low: float
    high: float
    n: int
    mean_prediction: float
    mean_residual: Value
    """Truth minus prediction; not 0 where the predictions of these rows are too low or too high. The intervals hold for all bins at once (Bonferroni): the furthest is looked for."""
    residuals: tuple[float, float, float, float, float]
    """Quantiles of truth minus prediction at 0.05, 0.25, 0.5, 0.75 and 0.95."""


class ErrorQuantile(Part):
    level: float
    error: Value
    """The share ``level`` of the rows is off by no more than this."""


class IntervalCoverage(Part):
    group: str
    n: int
    coverage: Value


class PredictionInterval(Measured):
    """Prediction -/+ ``half_width``: the (n + 1) ``level``-th smallest absolute out-of-fold error of the training rows (as in split conformal prediction, Lei et al. 2018, but the errors
    are those of the fold models and the interval is about the deployed one, so that no theorem says how far it holds), and the share of the audited rows whose truth lies inside."""

    level: float
    half_width: float
    learned_from: int
    coverage: Value
    by_group: dict[str, tuple[IntervalCoverage, ...]] = Field(default_factory=dict)
    """Their intervals hold for all groups of an attribute at once (Bonferroni)."""


class Residuals(Measured):
    """How far predicted numbers are off, and where."""

    bins: tuple[ResidualBin, ...]
    errors: tuple[ErrorQuantile, ...]
    interval: PredictionInterval | NotMeasured


class ClassScores(Part):
    """The scores of the rows whose truth is ``label``."""

    label: str
    n: int
    median: float
    counts: tuple[int, ...]
    """Rows in each of the bins between `ScoresByClass.edges`; an edge belongs to the bin above it, the last one to the bin below."""


class ScoresByClass(Part):
    edges: tuple[float, ...]
    classes: tuple[ClassScores, ...]


class Curve(Part):
    x: tuple[float, ...]
    y: tuple[float, ...]
    x_name: str
    y_name: str


class PerformanceSection(Measured):
    part: Literal["audit"] = "audit"
    n: int
    quantile: float | None = None
    """Regression: the level of the quantile that is predicted; None where the mean is, or where nobody knows."""
    metrics: dict[str, Value]
    by_group: dict[str, tuple[GroupPerformance, ...]] = Field(default_factory=dict)
    baselines: dict[str, dict[str, Value]] = Field(default_factory=dict)
    """Name of the baseline ("majority", "everybody positive", "mean", "mean of logarithms", "0.9 quantile") to its metrics on the same rows."""
    threshold: Threshold | None = None
    confusion: Confusion | NotMeasured
    calibration: Calibration | NotMeasured
    residuals: Residuals | NotMeasured | None = Field(default=None, exclude_if=lambda residuals: residuals is None)
    """Of a predicted number."""
    scores: ScoresByClass | None = Field(default=None, exclude_if=lambda scores: scores is None)
    """Of two classes: how the score of the positive one lies among the rows of each."""
    curves: dict[str, Curve] = Field(default_factory=dict)
    drift: dict[str, Value] = Field(default_factory=dict)
    """Mean score out-of-fold minus mean score on the audit part, overall ("") and per "attribute=group" (rule 1)."""
