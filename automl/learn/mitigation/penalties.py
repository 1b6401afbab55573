"""Networks learned under a penalty, as alternatives: twice, on two halves of the training rows, so that every row is decided by the network that did not see it; new rows by both.

Bounded by rows and epochs, and the clock is not asked. The network without the penalty stands beside them: what that costs is the price of another model, and only the rest is
the penalty's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.learn.cut_off import choose_threshold
from automl.learn.families import CannotFit, Effort, Fold, FoldModel, Params, family
from automl.learn.mitigation.decisions import Aim, Decisions
from automl.learn.mitigation.reductions import Constraint, halves_of
from automl.learn.model import AS_THEY_ARE, FittedModel, Member

if TYPE_CHECKING:
    from automl.data.splits import Problem, Rows

Positions = NDArray[np.int64]
Path = dict[tuple[Constraint | None, float], FittedModel]
"""Constraint and strength to the model; (None, 0.0) is the one without a penalty."""

MOST_ROWS = 12_000
"""Of one half, to learn from; more are drawn from by the seed."""
FEWEST_ROWS = 400
STRENGTHS = (0.5, 1.5)
SETTINGS: Params = {"width": 128, "depth": 2, "dropout": 0.1, "learning_rate": 1e-2, "weight_decay": 1e-2, "members": 1, "epochs": 30}


def penalty_path(
    rows: Rows, problem: Problem, frame: pd.DataFrame, decisions: Decisions, deployed: FittedModel, aim: Aim, constraints: tuple[Constraint, ...], *, seed: int, threads: int,
    check: Callable[[], None],
) -> Path:
    """Learned on ``rows``, whose features are ``frame``. Raises CannotFit; ``check`` may raise between networks."""
    if len(rows.y) < 2 * FEWEST_ROWS:
        raise CannotFit(f"a network of half of fewer than {2 * FEWEST_ROWS} rows is no alternative")
    # only who asks for it waits until torch is imported
    from automl.learn.families.torch_mlp import TorchModel
    from automl.learn.families.torch_penalty import penalised

    column = decisions.groups[aim.attribute]
    codes = np.array([aim.groups.index(group) if group in aim.groups else -1 for group in column], dtype=np.int64)
    kinds: list[tuple[Constraint | None, float]] = [(None, 0.0), *((constraint, strength) for constraint in constraints for strength in STRENGTHS)]
    raw: dict[tuple[Constraint | None, float], NDArray[np.float64]] = {kind: np.zeros(len(rows.y)) for kind in kinds}
    models: dict[tuple[Constraint | None, float], list[FoldModel]] = {kind: [] for kind in kinds}
    halves = halves_of(rows, problem, seed)
    for at, (mine, other) in enumerate(zip(halves, reversed(halves), strict=True)):
        fold, learned = _fold(rows, problem, frame, mine, other, seed + at)
        base = family("torch").fit(SETTINGS, fold, Effort(threads))
        assert isinstance(base, TorchModel)
        found: list[FoldModel] = [base]
        for constraint in constraints:
            found += penalised(base, SETTINGS, fold, codes[learned], constraint, STRENGTHS, Effort(threads))
            check()
        for kind, model in zip(kinds, found, strict=True):
            models[kind].append(model)
            raw[kind][other] = model.raw(frame.iloc[other], threads)
    return {kind: replace(
        deployed, members=(Member(-1, "torch", 1.0, tuple(models[kind])),), out_of_fold_raw=raw[kind], calibration=AS_THEY_ARE,
        threshold=choose_threshold(raw[kind], rows.y, problem.metric, rows.weight)) for kind in kinds}


def _fold(rows: Rows, problem: Problem, frame: pd.DataFrame, mine: Positions, other: Positions, seed: int) -> tuple[Fold, Positions]:
    """A half as the family of networks needs it, and the positions of the rows that it learns from. The other half says when to stop, as validation rows do in the search."""
    draw = np.random.default_rng(seed)
    learned, stopped_by = (part if len(part) <= most else np.sort(draw.choice(part, most, replace=False)) for part, most in ((mine, MOST_ROWS), (other, MOST_ROWS // 4)))
    y, weight = rows.y, rows.weight
    return Fold(
        task=problem.task, classes=2, seed=seed, dates=tuple(name for name, kind in problem.schema.kinds.items() if kind == "date"), texts=problem.schema.texts,
        train=frame.iloc[learned], train_y=y[learned], train_weight=None if weight is None else weight[learned],
        valid=frame.iloc[stopped_by], valid_y=y[stopped_by], valid_weight=None if weight is None else weight[stopped_by]), learned
