"""Rows and models whose explanation is known in closed form, for the tests of what stands around the attributions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True)
class Rows:
    features: pd.DataFrame
    groups: dict[str, NDArray[Any]] = field(default_factory=dict)
    weight: NDArray[Any] | None = None
    cluster: NDArray[Any] | None = None
    y: NDArray[Any] = field(default_factory=lambda: np.zeros(0))
    position: NDArray[Any] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


@dataclass(frozen=True)
class Problem:
    task: Any = "binary"
    target: str = "good"
    labels: tuple[str, ...] = ("no", "yes")
    positive: str | None = "yes"
    favourable: tuple[str, ...] = ("yes",)
    quantile: float | None = None
    metric: Any = "roc_auc"


NUMBER = Problem(task="regression", labels=(), positive=None, favourable=(), metric="rmse")


@dataclass(frozen=True)
class Given:
    phi: NDArray[Any]
    base: Any
    space: str = "log_odds"
    explainer: str = "exact linear"
    additivity_error: float = 0.0


@dataclass(frozen=True)
class Predicted:
    probabilities: NDArray[Any] | None
    values: NDArray[Any] | None = None


@dataclass(frozen=True)
class Linear:
    """raw = X w, in log-odds or, for a number, its value; interventional attributions are w (x - mean of the background), exactly."""

    weights: NDArray[Any]
    number: bool = False
    threads: int = 1
    backgrounds: list[pd.DataFrame] = field(default_factory=list)
    explained: list[pd.DataFrame] = field(default_factory=list)

    def raw(self, frame: pd.DataFrame) -> NDArray[Any]:
        return np.asarray(frame.to_numpy(float) @ self.weights)

    def attributions(self, frame: pd.DataFrame, background: pd.DataFrame) -> Given:
        self.backgrounds.append(background)
        self.explained.append(frame)
        means = background.to_numpy(float).mean(axis=0)
        return Given((frame.to_numpy(float) - means) * self.weights, float(means @ self.weights), "value" if self.number else "log_odds")

    def predict(self, frame: pd.DataFrame) -> Predicted:
        if self.number:
            return Predicted(None, self.raw(frame))
        p = 1 / (1 + np.exp(-self.raw(frame)))
        return Predicted(np.column_stack([1 - p, p]))


def people(n: int = 800, seed: int = 0, features: int = 4) -> Rows:
    """Standard normal inputs x0, x1 ..; two groups, of which "a" has one more of x0."""
    draw = np.random.default_rng(seed)
    group = draw.choice(np.array(["a", "b"], dtype=object), n)
    x = draw.normal(0, 1, (n, features))
    x[:, 0] += group == "a"
    return Rows(pd.DataFrame(x, columns=[f"x{j}" for j in range(features)]), {"group": group}, y=(x[:, 0] > 0).astype(int))
