"""How the model was found: every trial, the leaderboard, the ensemble, and the front of a search with two objectives."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from automl.evidence.blocks import Estimate, Measured, NotMeasured, Part, Value
from automl.evidence.front import Front, is_none
from automl.evidence.robustness import LowestRatio
from automl.spec import Metric


class Trial(Part):
    number: int
    family: str
    params: dict[str, Any]
    score: float | None
    """Out-of-fold, in the run's metric and its own direction; None where the trial has none."""
    seconds: float
    state: Literal["complete", "pruned", "failed", "baseline"]
    note: str = ""
    fairness: float | None = Field(default=None, exclude_if=is_none)
    """The metric of the spec's fairness objective, out of fold; absent where there is none."""


class LeaderboardRow(Part):
    """One candidate, or a baseline (majority, mean), measured on the audit part after the choice was made."""

    name: str
    family: str
    trial: int | None
    out_of_fold: float | None
    audit: Value
    chosen: bool = False
    difference: Value | None = Field(default=None, exclude_if=is_none)
    """Its metric minus that of the chosen one on the same rows, with a paired interval; None for the chosen one."""
    tied: bool | None = Field(default=None, exclude_if=is_none)
    """Whether that interval holds 0: which of the two is better cannot be told."""
    lowest: tuple[LowestRatio, ...] | None = Field(default=None, exclude_if=is_none)
    """The lowest impact ratio of each attribute, by its decisions."""
    calibration: Value | None = Field(default=None, exclude_if=is_none)
    """Two classes: rows of the positive class over those that its probabilities expect."""
    fit_seconds: float | None = Field(default=None, exclude_if=is_none)
    """Of the trials that it is made of."""
    predict_us_per_row: float | None = Field(default=None, exclude_if=is_none)
    """Microseconds, on the audit part, encoding included."""
    bytes: int | None = Field(default=None, exclude_if=is_none)
    """Of its fold models as they are stored."""


class EnsembleMember(Part):
    trial: int
    family: str
    weight: float
    together: tuple[tuple[str, str], ...] = ()
    """Inputs that its trees read taken together as well: by the target means of their cross table (`automl.data.pairs`)."""


class ProbabilityCalibration(Measured):
    """How the deployed model's probabilities are made of its raw scores: by the softmax (logistic function) of ``slope`` times them plus ``shift``.

    "platt": two classes, slope and shift. "temperature": more classes, slope only. "none": the scores as they are, because the gain could not be told from
    noise. Fitted on out-of-fold scores; the gains (what is without the map minus what is with it) are of rows, each mapped by what was fitted without it.
    """

    method: Literal["none", "platt", "temperature"]
    slope: float = 1.0
    shift: float = 0.0
    rows: int
    log_loss_gain: Estimate
    brier_gain: Estimate


class SearchedSetting(Part):
    """What a family's setting was drawn from, where it was not a published default: a range, or ``choices``."""

    family: str
    name: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    """Drawn evenly over the logarithm."""
    choices: tuple[str, ...] = ()


class SearchSection(Measured):
    metric: Metric
    direction: Literal["maximize", "minimize"]
    families: tuple[str, ...]
    folds: int
    trials: tuple[Trial, ...]
    space: tuple[SearchedSetting, ...] = Field(default=(), exclude_if=lambda space: not space)
    """Of the families that had a trial."""
    stopped_because: Literal["seconds", "trials", "finish_requested", "exhausted"]
    seconds: float
    leaderboard: tuple[LeaderboardRow, ...]
    ensemble: tuple[EnsembleMember, ...]
    out_of_fold_score: float
    calibration: ProbabilityCalibration | NotMeasured = NotMeasured(reason="this document is older than the calibration of probabilities")
    front: Front | None = Field(default=None, exclude_if=is_none)
    """Absent where the spec has no fairness objective."""
