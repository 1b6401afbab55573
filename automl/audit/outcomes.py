"""What is audited: for each row what is true, what the score says, what was decided, and which groups the person belongs to.

A trained model and somebody else's predictions both become one `Outcomes`; nothing below this type knows which it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from automl.evidence import Threshold
from automl.spec import TaskKind

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Outcomes:
    """Row-aligned arrays of length n. ``labels`` is the model's class order, the positive class last for a binary task.

    ``truth``: class index (classification) or number (regression), None without labels. ``score``: binary (n,) score of the positive class, usually
    its probability; multiclass (n, k) probabilities; regression (n,) predicted number; None without scores. ``decision``: class index, None for regression.
    ``favourable`` names the labels that are good for the person; it may be the *negative* class.
    """

    task: TaskKind
    labels: tuple[str, ...]
    positive: str | None
    favourable: tuple[str, ...]
    truth: NDArray[Any] | None
    score: FloatArray | None
    decision: IntArray | None
    groups: dict[str, NDArray[np.object_]] = field(default_factory=dict)
    weight: FloatArray | None = None
    cluster: NDArray[Any] | None = None
    threshold: Threshold | None = None
    probabilities: bool | None = None
    """Whether the scores are probabilities; None: if all lie in 0 to 1. `take` keeps the answer of the whole."""
    quantile: float | None = None
    """Regression: the level of the quantile that the score predicts; None where it predicts the mean, or nobody knows."""

    def __post_init__(self) -> None:
        if self.score is None and self.decision is None:
            raise ValueError("outcomes need a score, a decision or both")
        if any(column is not None and len(column) != self.rows for column in (self.truth, self.score, self.decision, self.weight, self.cluster)):
            raise ValueError("the columns of outcomes differ in length")
        if any(len(group) != self.rows for group in self.groups.values()):
            raise ValueError("a group column differs in length from the outcomes")
        if unknown := [label for label in self.favourable if self.task != "regression" and label not in self.labels]:
            raise ValueError(f"favourable label {unknown[0]!r} is not among the labels")

    @property
    def rows(self) -> int:
        first = self.score if self.score is not None else self.decision
        return 0 if first is None else len(first)

    @property
    def decisions(self) -> IntArray | None:
        """The decisions as given, else those that the stated threshold makes of a binary score, else None."""
        if self.decision is not None or self.task != "binary" or self.threshold is None or self.score is None:
            return self.decision
        positive = self.positive_index
        return np.where(self.score >= self.threshold.value, positive, 1 - positive).astype(np.int64)

    @property
    def positive_index(self) -> int:
        """Index of the positive class of a binary task."""
        return self.labels.index(self.positive) if self.positive is not None else len(self.labels) - 1

    @property
    def scores_are_probabilities(self) -> bool:
        if self.probabilities is not None:
            return self.probabilities
        return self.score is not None and self.task != "regression" and bool(np.all((self.score >= 0) & (self.score <= 1)))

    def selected(self, favourable: str | Sequence[str] | None = None) -> BoolArray | None:
        """Who gets the favourable outcome (n,); None where nothing was decided. Default: the declared favourable labels."""
        decisions = self.decisions
        return None if decisions is None or self.task == "regression" else np.isin(decisions, self._indices(favourable))

    def deserving(self, favourable: str | Sequence[str] | None = None) -> BoolArray | None:
        """Whose true label is the favourable one (n,); None without labels."""
        return None if self.truth is None or self.task == "regression" else np.isin(self.truth, self._indices(favourable))

    def favourable_score(self, favourable: str | Sequence[str] | None = None) -> FloatArray | None:
        """Probability of the favourable outcome (n,). A binary score that is no probability, and a regression's prediction, stay as given.

        None where the score does not speak of that outcome: none is named, or one score of several classes is another class's.
        """
        if self.score is None or self.task == "regression":
            return self.score
        indices = self._indices(favourable)
        of_another = self.task == "multiclass" and self.score.ndim == 1 and (self.positive is None or indices != [self.positive_index])
        if not indices or of_another:
            return None
        if not self.scores_are_probabilities:
            return self.score if self.score.ndim == 1 else None
        if self.score.ndim == 2:
            return np.asarray(self.score[:, indices].sum(axis=1), dtype=np.float64).clip(0.0, 1.0)
        if len(indices) != 1:
            return np.full(self.rows, float(len(indices) > 1))
        return self.score if indices[0] == self.positive_index else 1.0 - self.score

    def take(self, rows: BoolArray | IntArray) -> Self:
        """The same outcomes for some rows only."""

        def cut(column: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if column is None else column[rows]

        return type(self)(
            self.task, self.labels, self.positive, self.favourable, cut(self.truth), cut(self.score), cut(self.decision),
            {name: column[rows] for name, column in self.groups.items()}, cut(self.weight), cut(self.cluster), self.threshold,
            self.scores_are_probabilities, self.quantile,
        )

    def _indices(self, favourable: str | Sequence[str] | None) -> list[int]:
        chosen = self.favourable if favourable is None else (favourable,) if isinstance(favourable, str) else tuple(favourable)
        return [self.labels.index(label) for label in chosen]


def joined(columns: Iterable[NDArray[Any] | None]) -> NDArray[Any] | None:
    """A column of several parts as one; None where the parts have none."""
    given = [column for column in columns if column is not None]
    return np.concatenate(given) if given else None


def in_reading_order(names: Iterable[str]) -> list[str]:
    """Group names by name; those of a binned number ("<= 25", "26 to 37", ">= 38") by their numbers."""
    listed = sorted(names)
    if not any(name.startswith("<= ") for name in listed):
        return listed
    return sorted(listed, key=_bin_place)


def _bin_place(name: str) -> tuple[float, bool, str]:
    number = re.search(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", name)
    return (float(number.group()) if number else float("inf"), not name.startswith("<= "), name)


def groups_of(labels: NDArray[np.object_]) -> list[str]:
    """The known groups of an attribute, in reading order."""
    return in_reading_order({str(label) for label in labels if label is not None})
