"""How far the results differ between models that could as well have been learned: the fold models, each of other rows, and models of the same rows with other seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.audit.group_levels import members_of, selection
from automl.audit.outcomes import FloatArray, Outcomes
from automl.audit.subject import Subject
from automl.evidence import ModelSpread, NotMeasured, Variation
from automl.learn.model import FittedModel
from automl.learn.reseeded import Reseeded
from automl.printing import whole

MOST_ROWS = 10_000


def measure_splits(subject: Subject) -> Variation | NotMeasured:
    """Each fold's part of the deployed model alone, on the audited rows at the deployed cut."""
    model = subject.model
    folds = {len(member.folds) for member in model.members}
    if len(folds) != 1 or (number := folds.pop()) < 2:
        return NotMeasured(reason="the deployed model is not made of fold models that learned from different rows")
    alone = [replace(model, members=tuple(replace(member, folds=member.folds[at:at + 1]) for member in model.members)) for at in range(number)]
    return _variation(
        subject, alone, "the rows that a model learned from: each leaves out one fold of the training rows; the deployed model is the average of them")


def measure_seeds(subject: Subject, again: Reseeded | NotMeasured) -> Variation | NotMeasured:
    """Each of the models that were learned from the same rows alone, on the audited rows at the deployed cut."""
    if isinstance(again, NotMeasured):
        return again
    return _variation(
        subject, again.models, f"the seed alone: each is the family {again.family} with the settings of trial {again.trial}, learned from the same {whole(again.rows)} rows; the deployed model has more models, "
        "and varies less")


def _variation(subject: Subject, alone: Sequence[FittedModel], of: str) -> Variation | NotMeasured:
    rows = subject.some(subject.audit, MOST_ROWS, "disturbed rows")
    if not len(rows):
        return NotMeasured(reason="no row is audited")
    predicted = [each.predict(rows.features) for each in (subject.model, *alone)]
    metric = [subject.metric(rows.y, each, rows.weight) for each in predicted]
    if not np.isfinite(metric).all():
        return NotMeasured(reason="the metric cannot be computed on these rows")
    outcomes = [subject.outcomes_of(rows, each) for each in predicted]
    levels = [(f"{attribute}: {group}", [_level(each, at) for each in outcomes]) for attribute, of_group in members_of(rows.groups).items() for group, at in of_group.items()]
    return Variation(
        of=of, models=len(alone), n=len(rows), metric=_spread(subject.problem.metric, metric),
        selection=tuple(_spread(what, values) for what, values in levels if np.isfinite(values).all()))


def _level(outcomes: Outcomes, rows: NDArray[Any]) -> float:
    """Selection rate or mean predicted number of some rows."""
    selected = selection(outcomes)
    values: FloatArray | None = outcomes.score if outcomes.task == "regression" else None if selected is None else selected.astype(np.float64)
    weight = None if outcomes.weight is None else outcomes.weight[rows]
    if values is None or not len(rows) or (weight is not None and weight.sum() <= 0):
        return float("nan")
    return float(np.average(values[rows], weights=weight))


def _spread(what: str, values: list[float]) -> ModelSpread:
    """The first of ``values`` is the deployed model's."""
    deployed, *others = values
    return ModelSpread(what=what, deployed=deployed, values=tuple(others), lowest=min(others), highest=max(others),
                       deviation=float(np.std(others, ddof=1)) if min(others) < max(others) else 0.0)
