"""Models that learn again from reweighed rows: who decides with them needs to know no group.

Reweighing (Kamiran and Calders 2012) makes the label say nothing about the group among the rows to learn from; `automl.learn.disparity` has the factors. The model is the average of
fold models, as the deployed one is, so that its out-of-fold predictions are its own. Strength 0 is the same settings without reweighing: what it costs is the price of learning
again, and only the rest is the price of reweighing.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.learn.cut_off import choose_threshold
from automl.learn.disparity import reweighing_factors
from automl.learn.families import Effort, Fold, FoldModel, Params, family, texts_in_numbers
from automl.learn.folds import make_folds
from automl.learn.mitigation.decisions import Aim
from automl.learn.model import AS_THEY_ARE, FittedModel, Member

if TYPE_CHECKING:
    from automl.data.splits import Problem, Rows

Positions = NDArray[np.int64]

STRENGTHS = (0.0, 0.5, 1.0)
SETTINGS: dict[str, Params] = {
    "lgbm": {"learning_rate": 0.1, "num_leaves": 31, "min_data_in_leaf": 20, "bagging_fraction": 1.0, "feature_fraction": 1.0, "min_sum_hessian_in_leaf": 1e-3,
             "lambda_l2": 1e-3, "extra_trees": False},
    "linear": {"c": 1.0, "bins": 0},
}
"""One cheap setting a family. The others (networks, forests) take too long for a by-product: they are stood in for by LightGBM."""
MOST_ROWS = 40_000
"""To learn from, in one fold; more are drawn from by the seed. With a fixed setting this bounds the time, and no clock is asked."""


@dataclass(frozen=True, eq=False)
class Learner:
    """The training rows as a family needs them, divided once for all strengths."""

    rows: Rows
    problem: Problem
    frame: pd.DataFrame = field(repr=False)
    """The features as the search learned from them."""
    deployed: FittedModel = field(repr=False)
    seed: int
    threads: int
    family: str = "lgbm"
    kept: dict[int, tuple[Fold, Positions, Positions]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, rows: Rows, problem: Problem, frame: pd.DataFrame, deployed: FittedModel, seed: int, threads: int) -> Learner:
        """Of the family that weighs most in the deployed model, where it is a cheap one."""
        weights = {name: sum(member.weight for member in deployed.members if member.family == name) for name in SETTINGS}
        heaviest = max(weights, key=lambda name: weights[name])
        return cls(rows, problem, frame, deployed, seed, threads, heaviest if weights[heaviest] > 0 else "lgbm")

    def refit(self, aim: Aim, strength: float, check: Callable[[], None]) -> FittedModel:
        """The model of rows reweighed with this strength. Raises CannotFit; ``check`` may raise between folds."""
        parts = make_folds(self.rows, self.problem.task, self.seed, float("inf"))
        lanes = min(self.threads, len(parts))
        raw = np.zeros(len(self.rows.y))
        with ThreadPoolExecutor(lanes) as pool:
            jobs = [pool.submit(self._fit, at, part, aim, strength, max(1, self.threads // lanes)) for at, part in enumerate(parts)]
            models: list[FoldModel] = []
            for (_, valid), job in zip(parts, jobs, strict=True):
                fitted, raw[valid] = job.result()
                models.append(fitted)
        check()
        threshold = choose_threshold(raw, self.rows.y, self.problem.metric, self.rows.weight)
        return replace(
            self.deployed, members=(Member(-1, self.family, 1.0, tuple(models)),), out_of_fold_raw=raw, threshold=threshold, calibration=AS_THEY_ARE)

    def _fit(self, at: int, part: tuple[Positions, Positions], aim: Aim, strength: float, threads: int) -> tuple[FoldModel, Any]:
        if at not in self.kept:
            self.kept[at] = self._fold(part, at)
        fold, train, valid = self.kept[at]
        if strength:
            codes = _codes(self.rows.groups[aim.attribute][train], aim)
            factor = 1 + strength * (reweighing_factors(codes, np.asarray(self.rows.y[train], dtype=np.int64), fold.train_weight) - 1)
            fold = replace(fold, train_weight=factor if fold.train_weight is None else fold.train_weight * factor)
        model = family(self.family).fit(SETTINGS[self.family], fold, Effort(threads))
        return model, model.raw(texts_in_numbers(fold).valid if len(valid) == len(fold.valid) else self.frame.iloc[valid], threads)

    def _fold(self, part: tuple[Positions, Positions], at: int) -> tuple[Fold, Positions, Positions]:
        draw = np.random.default_rng([self.seed, at])
        train, valid = part
        seen = _drawn(train, MOST_ROWS, draw)
        stopped_by = _drawn(valid, MOST_ROWS, draw)
        y, weight = self.rows.y, self.rows.weight
        fold = Fold(
            task=self.problem.task, classes=2, seed=self.seed, metric=self.problem.metric, dates=tuple(name for name, kind in self.problem.schema.kinds.items() if kind == "date"),
            texts=self.problem.schema.texts, train=self.frame.iloc[seen], train_y=y[seen], train_weight=None if weight is None else weight[seen],
            valid=self.frame.iloc[stopped_by], valid_y=y[stopped_by], valid_weight=None if weight is None else weight[stopped_by])
        return fold, seen, valid


def _drawn(rows: Positions, most: int, draw: np.random.Generator) -> Positions:
    return rows if len(rows) <= most else np.sort(draw.choice(rows, most, replace=False))


def _codes(column: NDArray[np.object_], aim: Aim) -> NDArray[np.int64]:
    """Positions among the compared groups; -1 for everybody else, who keeps the weight."""
    places = {group: at for at, group in enumerate(aim.groups)}
    return np.array([places.get(group, -1) for group in column], dtype=np.int64)
