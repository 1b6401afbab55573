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

    bins: tuple[CalibrationBin, ...]
    observed_over_expected: Value


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
    curves: dict[str, Curve] = Field(default_factory=dict)
    drift: dict[str, Value] = Field(default_factory=dict)
    """Mean score out-of-fold minus mean score on the audit part, overall ("") and per "attribute=group" (rule 1)."""
