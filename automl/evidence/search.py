"""How the model was found: every trial, the leaderboard, the ensemble, and the front of a search with two objectives."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from automl.evidence.blocks import Measured, Part, Value
from automl.evidence.front import Front, is_none
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


class EnsembleMember(Part):
    trial: int
    family: str
    weight: float


class SearchSection(Measured):
    metric: Metric
    direction: Literal["maximize", "minimize"]
    families: tuple[str, ...]
    folds: int
    trials: tuple[Trial, ...]
    stopped_because: Literal["seconds", "trials", "finish_requested", "exhausted"]
    seconds: float
    leaderboard: tuple[LeaderboardRow, ...]
    ensemble: tuple[EnsembleMember, ...]
    out_of_fold_score: float
    front: Front | None = Field(default=None, exclude_if=is_none)
    """Absent where the spec has no fairness objective."""
