"""The member that weighs most, learned again from the same rows with other seeds: what of the result is the seed's doing.

One model of some of the training rows for each seed, the run's own seed among them, so that the seed is all that differs. Bounded by rows, and the clock is not asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from automl.evidence import NotMeasured
from automl.learn.families import CannotFit, Effort, Fold, constant, family
from automl.learn.folds import make_folds
from automl.learn.model import FittedModel, Member
from automl.learn.studies import REWEIGHING

if TYPE_CHECKING:
    from automl.data.splits import Problem, Rows
    from automl.learn.search import SearchResult
    from automl.spec import TaskSpec

SEEDS = 3
MOST_ROWS = {"torch": 4_000}
OTHERWISE = 40_000
"""Training rows, drawn where there are more; a network takes longest."""


@dataclass(frozen=True, eq=False)
class Reseeded:
    """``models`` differ by their seed alone; none of them is deployed."""

    models: tuple[FittedModel, ...] = field(repr=False)
    family: str
    trial: int
    rows: int


def reseeded(result: SearchResult, model: FittedModel, rows: Rows, problem: Problem, spec: TaskSpec, check: Callable[[], None] = lambda: None) -> Reseeded | NotMeasured:
    """Of the ``model`` that ``result`` led to, from the training ``rows``. ``check`` may raise between fits."""
    drawn = [member for member in model.members if member.family not in (constant.NAME, "linear")]
    if not drawn:
        return NotMeasured(reason="nothing in the deployed model depends on a seed")
    heaviest = max(drawn, key=lambda member: member.weight)
    settings = {name: value for name, value in next(record for record in result.trials if record.number == heaviest.trial).params.items() if name != REWEIGHING}
    train, valid = make_folds(rows, problem.task, spec.seed, float("inf"))[0]
    most, draw = MOST_ROWS.get(heaviest.family, OTHERWISE), np.random.default_rng(spec.seed)
    train, valid = (part if len(part) <= limit else np.sort(draw.choice(part, limit, replace=False)) for part, limit in ((train, most), (valid, most // 4)))
    y, weight = np.log1p(rows.y) if problem.logarithms else rows.y, rows.weight
    models = []
    for seed in range(spec.seed, spec.seed + SEEDS):
        fold = Fold(
            task=problem.task, classes=0 if problem.task == "regression" else len(problem.labels), seed=seed, metric=problem.metric, quantile=problem.quantile,
            dates=tuple(name for name, kind in problem.schema.kinds.items() if kind == "date"), texts=problem.schema.texts,
            train=result.frame.iloc[train], train_y=y[train], train_weight=None if weight is None else weight[train],
            valid=result.frame.iloc[valid], valid_y=y[valid], valid_weight=None if weight is None else weight[valid])
        try:
            fitted = family(heaviest.family).fit(settings, fold, Effort(result.threads))
        except CannotFit as cannot:
            return NotMeasured(reason=f"with another seed {heaviest.family} could not be learned: {cannot}")
        models.append(replace(model, members=(Member(heaviest.trial, heaviest.family, 1.0, (fitted,)),)))
        check()
    return Reseeded(tuple(models), heaviest.family, heaviest.trial, len(train))
