"""The second objective of a fairness-aware search: how far the groups' out-of-fold decisions are apart, and the weights that a trial can move them with.

The values are Fairlearn's own metrics on training rows, each row decided by the fold models that did not see it, at the cut-off that the trial would be
deployed with. Nothing here sees the audit part, and no group is an input of a model: groups enter the weights of the rows to learn from, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.names import shown
from automl.errors import BadInput
from automl.learn.cut_off import choose_threshold
from automl.learn.metrics import decide
from automl.learn.predictions import to_predictions
from automl.spec import NO_FAIRNESS_OBJECTIVE, FairnessMetric, Metric, TaskSpec

if TYPE_CHECKING:
    from automl.data.splits import Problem, Rows
    from automl.evidence import Threshold

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
Rate = Literal["selection_rate", "tpr", "fpr"]

RATES: dict[FairnessMetric, tuple[Rate, ...]] = {
    "demographic_parity_difference": ("selection_rate",), "demographic_parity_ratio": ("selection_rate",),
    "equalized_odds_difference": ("tpr", "fpr"), "equal_opportunity_difference": ("tpr",),
}
"""The rates that each metric compares; of several the one whose groups are furthest apart counts."""
SMALLEST_GROUP = 30
"""People behind each of its rates that a group needs to be compared: as few as the audit marks as low precision. Smaller ones would steer the search by chance."""
WIDEST = 1.0
"""Loss of a trial for which the metric is not defined (a ratio where nobody is selected): no difference of two rates is larger."""


@dataclass(frozen=True, eq=False)
class Compared:
    """The groups of one attribute among the training rows: ``codes`` (n,) are positions in ``names``, -1 where the group is unknown."""

    attribute: str
    names: tuple[str, ...]
    codes: Codes = field(repr=False)
    counts: NDArray[np.bool_] = field(repr=False)
    """By name: whether enough people stand behind its rates."""

    @property
    def among(self) -> NDArray[np.bool_]:
        """The rows (n,) whose groups are compared."""
        return np.append(self.counts, False)[self.codes]


@dataclass(frozen=True, eq=False)
class Disparity:
    metric: FairnessMetric
    compared: tuple[Compared, ...]
    task: Literal["binary", "multiclass"]
    favourable: tuple[int, ...]
    y: Codes = field(repr=False)
    weight: Array | None = field(repr=False)
    steered_by: Metric | None = None
    """The metric of the score: one of decisions chooses the cut-off."""

    @classmethod
    def of(cls, spec: TaskSpec, rows: Rows, problem: Problem) -> Disparity | None:
        """None where the spec has no such objective; raises BadInput where these training rows cannot answer it."""
        asked = spec.fairness_objective
        if asked is None:
            return None
        if problem.task == "regression":
            raise BadInput(NO_FAIRNESS_OBJECTIVE, pointer="/fairness_objective")
        if not problem.favourable:
            raise BadInput("fairness_objective needs to know which outcome is good for the person: name it as favourable", pointer="/favourable")
        favourable = tuple(problem.labels.index(label) for label in problem.favourable)
        y = np.asarray(rows.y, dtype=np.int64)
        attributes = spec.sensitive if asked.attribute is None else (asked.attribute,)
        found = [_compared(name, rows, np.isin(y, favourable), RATES[asked.metric]) for name in attributes]
        enough = tuple(each for each in found if each.counts.sum() >= 2)
        if not enough:
            raise BadInput(
                f"fairness_objective: no two groups of {' or '.join(map(shown, attributes))} have {SMALLEST_GROUP} people behind each rate of {asked.metric} "
                f"among the {len(y):,} rows to learn from", pointer="/fairness_objective")
        return cls(asked.metric, enough, problem.task, favourable, y, rows.weight, problem.metric)

    @property
    def direction(self) -> Literal["maximize", "minimize"]:
        return "maximize" if self.metric == "demographic_parity_ratio" else "minimize"

    def threshold(self, raw: Array) -> Threshold | None:
        """The cut-off that a model with these out-of-fold scores would be deployed with; None for more than two classes."""
        return choose_threshold(raw, self.y, self.steered_by, self.weight) if self.task == "binary" else None

    def value(self, raw: Array) -> float | None:
        """The metric of out-of-fold ``raw`` scores, of several attributes that of the worst; None where it is not defined."""
        selected = self._selected(raw)
        values = [self.of_attribute(each, selected) for each in self.compared]
        worst = max if self.direction == "minimize" else min
        return None if any(value is None for value in values) else worst(value for value in values if value is not None)

    def of_attribute(self, groups: Compared, selected: NDArray[np.bool_]) -> float | None:
        """Fairlearn's metric among the rows whose groups are compared: truth and decision are 1 where they are good for the person."""
        # only who asks for it waits until it is imported
        from fairlearn import metrics

        among = groups.among
        value = float(getattr(metrics, self.metric)(
            np.isin(self.y[among], self.favourable).astype(np.int64), selected[among].astype(np.int64), sensitive_features=groups.codes[among],
            sample_weight=None if self.weight is None else self.weight[among]))
        return value if np.isfinite(value) else None

    def loss(self, value: float | None) -> float:
        """Smaller is better, 0 where the groups' rates are equal."""
        if value is None:
            return WIDEST
        return 1.0 - value if self.direction == "maximize" else value

    def reweighing(self, rows: NDArray[Any]) -> Array:
        """The factors of `reweighing_factors` for the training rows at these positions; crossings of several attributes are one group each."""
        cell, known = np.zeros(len(rows), dtype=np.int64), np.ones(len(rows), dtype=bool)
        for each in self.compared:
            known &= each.among[rows]
            cell = cell * len(each.names) + np.maximum(each.codes[rows], 0)
        _, cell, size = np.unique(np.where(known, cell, -1), return_inverse=True, return_counts=True)
        groups = np.where(known & (size[cell] >= SMALLEST_GROUP), cell, -1)
        return reweighing_factors(groups, self.y[rows], None if self.weight is None else self.weight[rows])

    def as_json(self) -> list[Any]:
        """What a trial's value depends on besides its predictions."""
        return [self.metric, self.favourable, [[each.attribute, each.names, each.counts.tolist()] for each in self.compared]]

    def _selected(self, raw: Array) -> NDArray[np.bool_]:
        probabilities = np.asarray(to_predictions(raw, self.task).probabilities)
        threshold = self.threshold(raw)
        return np.isin(decide(probabilities, None if threshold is None else threshold.value), self.favourable)


def _compared(attribute: str, rows: Rows, deserving: NDArray[np.bool_], rates: tuple[Rate, ...]) -> Compared:
    codes, levels = pd.factorize(rows.groups[attribute], sort=True)
    person = np.arange(len(codes)) if rows.cluster is None else rows.cluster
    behind = {"selection_rate": np.ones(len(codes), dtype=bool), "tpr": deserving, "fpr": ~deserving}
    counts = [all(len(np.unique(person[(codes == at) & behind[rate]])) >= SMALLEST_GROUP for rate in rates) for at in range(len(levels))]
    return Compared(attribute, tuple(map(str, levels)), codes.astype(np.int64), np.array(counts, dtype=bool))


def reweighing_factors(groups: Codes, y: Codes, weight: Array | None = None) -> Array:
    """P(group) P(class) / P(group, class) for each row (n,): with these factors the class says nothing about the group any more.

    Kamiran and Calders (2012), "Data preprocessing techniques for classification without discrimination", section 4.3. ``groups`` (n,) are codes, -1 for
    rows that are left as they are (factor 1); ``y`` (n,) class indices; shares are by ``weight`` where rows have one. With strength s between 0 and 1 a row
    weighs 1 + s (factor - 1): the shares of groups and of classes stay, and their covariance shrinks to 1 - s of what it was.
    """
    known, factors = groups >= 0, np.ones(len(groups))
    if not known.any():
        return factors
    table = np.zeros((int(groups.max()) + 1, int(y.max()) + 1))
    np.add.at(table, (groups[known], y[known]), 1.0 if weight is None else weight[known])
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    factors[known] = np.divide(expected, table, out=np.ones_like(table), where=table > 0)[groups[known], y[known]]
    return factors
