"""A small world for reasons: a model whose attributions are known by hand, people to train on and people to decide about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.audit.outcomes import Outcomes
from automl.evidence import ReasonsSection, Threshold
from automl.spec import TaskSpec
from tests.automl.audit import inputs
from tests.automl.audit.inputs import Rows

INPUTS = ("income", "debts", "late", "years", "sex")
WEIGHTS = (1.2, -0.9, -0.7, 0.3, -0.5)


@dataclass(frozen=True)
class Given:
    phi: NDArray[Any]
    base: Any = 0.0
    space: str = "log_odds"
    explainer: str = "exact linear"
    additivity_error: float = 0.0


@dataclass(frozen=True, eq=False)
class Linear:
    """log-odds = x w, a missing value counts as 0; its interventional attributions are w (x - mean of the background), exactly."""

    weights: NDArray[Any]
    features: tuple[str, ...]
    out_of_fold_raw: NDArray[Any] = field(default_factory=lambda: np.zeros(0))
    attribution_cost: float = 1.0

    def raw(self, frame: pd.DataFrame) -> NDArray[Any]:
        return np.nan_to_num(frame[list(self.features)].to_numpy(float)) @ self.weights

    def attributions(self, frame: pd.DataFrame, background: pd.DataFrame, seed: int = 0) -> Given:
        x, z = (np.nan_to_num(each[list(self.features)].to_numpy(float)) for each in (frame, background))
        return Given((x - z.mean(axis=0)) * self.weights, float(z.mean(axis=0) @ self.weights))


@dataclass(frozen=True)
class Schema:
    kinds: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(INPUTS, "number"))
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Problem(inputs.Problem):
    schema: Schema = field(default_factory=Schema)


def people(n: int, seed: int, **more: Any) -> Rows:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, len(INPUTS)))
    x[:, -1] = draw.integers(0, 2, n)
    groups = {"sex": np.where(x[:, -1] > 0, "f", "m").astype(object)}
    return Rows(pd.DataFrame(x, columns=list(INPUTS)), groups, **more)


@dataclass(frozen=True)
class World:
    """Model, training and audit rows, outcomes and spec: what `measure_reasons` takes, in its order."""

    model: Linear
    audit: Rows
    train: Rows
    outcomes: Outcomes
    problem: Problem
    spec: TaskSpec

    def arguments(self) -> tuple[Any, ...]:
        return self.model, self.audit, self.train, self.outcomes, self.problem, self.spec


def world(
    reasons: dict[str, Any] | None = None, *, sign: int = 1, n: int = 300, train: Rows | None = None, audit: Rows | None = None, threshold: float | None = 0.5,
    sensitive: Sequence[str] = ("sex",), **changes: Any,
) -> World:
    """``sign`` -1: the model's positive class is the unfavourable one, and its raw scores are turned round."""
    train, audit = train or people(600, 1), audit or people(n, 2)
    weights = sign * np.array(WEIGHTS)
    model = Linear(weights, INPUTS, Linear(weights, INPUTS).raw(train.features))
    problem = changes.pop("problem", Problem() if sign > 0 else Problem(labels=("yes", "no"), positive="no", favourable=("yes",)))
    raw = model.raw(audit.features)
    probability = 1 / (1 + np.exp(-raw))
    cut = None if threshold is None else Threshold(value=threshold, chosen_on="test")
    outcomes = Outcomes(
        "binary", problem.labels, problem.positive, problem.favourable, None, probability, (probability >= (0.5 if threshold is None else threshold)).astype(np.int64), audit.groups,
        threshold=cut)
    spec = TaskSpec.model_validate({"target": "good", "sensitive": sensitive, "sensitive_as_features": True, "reasons": reasons or {}, **changes})
    return World(model, audit, train, outcomes, problem, spec)


def stated(section: ReasonsSection) -> dict[str, Any]:
    return {row.reason: row for row in section.table}
