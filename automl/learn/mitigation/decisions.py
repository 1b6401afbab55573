"""Who gets the favourable outcome, with which score, and who deserved it: what every alternative is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from automl.data.groups import Groups
from automl.learn.disparity import SMALLEST_GROUP
from automl.learn.metrics import OF_DECISIONS

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Decisions:
    """n rows. ``score``: probability of the favourable outcome (n,). ``deserving``: whether the true label is the favourable one."""

    score: Array = field(repr=False)
    selected: Flags = field(repr=False)
    deserving: Flags = field(repr=False)
    groups: Groups = field(repr=False)
    weight: Array | None = field(default=None, repr=False)
    cluster: NDArray[np.int64] | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.score)

    @property
    def heavy(self) -> Array:
        """The weights, 1 where there are none."""
        return np.ones(len(self)) if self.weight is None else self.weight

    def take(self, rows: NDArray[np.int64]) -> Decisions:
        """The same for some rows only."""
        return Decisions(
            self.score[rows], self.selected[rows], self.deserving[rows], {name: column[rows] for name, column in self.groups.items()},
            None if self.weight is None else self.weight[rows], None if self.cluster is None else self.cluster[rows])


@dataclass(frozen=True)
class Spread:
    """How far the groups are apart at most, in selection rates and in true or false positive rates, and the smallest over the largest selection rate."""

    selection: float
    ratio: float | None
    odds: float


@dataclass(frozen=True)
class Aim:
    """An attribute, the groups of it that are compared, the largest first, and the one that differences are taken to."""

    attribute: str
    groups: tuple[str, ...]
    reference: str


def aim_of(attribute: str, decisions: Decisions, reference: str | None = None) -> Aim | None:
    """None where fewer than two groups have `SMALLEST_GROUP` people behind each of their rates.

    ``reference``: the one that the person named; else the group that is selected most often, as in the audit but on training rows."""
    column = decisions.groups[attribute]
    person = np.arange(len(decisions)) if decisions.cluster is None else decisions.cluster

    def people(rows: Flags) -> int:
        return len(np.unique(person[rows]))

    members = {str(name): column == name for name in sorted({str(name) for name in column if name is not None})}
    large = {name: people(mine) for name, mine in members.items()
             if min(people(mine & decisions.deserving), people(mine & ~decisions.deserving)) >= SMALLEST_GROUP}
    if len(large) < 2:
        return None
    names = tuple(sorted(large, key=lambda name: (-large[name], name)))
    rates = {name: float(np.average(decisions.selected[members[name]], weights=decisions.heavy[members[name]])) for name in names}
    return Aim(attribute, names, reference if reference in names else max(names, key=lambda name: (rates[name], large[name], name)))


def spread(given: Array, decisions: Decisions, aim: Aim) -> Spread:
    """Of decisions ``given`` (n,), probabilities where they are drawn, between the compared groups: Fairlearn's demographic-parity difference and ratio and
    equalised-odds difference, in expectation."""
    column, heavy, good = decisions.groups[aim.attribute], decisions.heavy, decisions.deserving
    members = [column == name for name in aim.groups]

    def rates(among: Flags) -> list[float]:
        return [float(np.average(given[mine & among], weights=heavy[mine & among])) for mine in members]

    selected = rates(np.ones(len(given), dtype=bool))
    odds = max(max(found) - min(found) for found in (rates(good), rates(~good)))
    return Spread(max(selected) - min(selected), min(selected) / max(selected) if max(selected) > 0 else None, odds)


def cells(given: Array, deserving: Flags, heavy: Array, favourable_is_positive: bool) -> tuple[float, float, float, float]:
    """(Expected, weighted) true and false positives, false and true negatives of the positive class."""
    whole, of_selected = float(heavy.sum()), float(heavy @ given)
    of_deserving, both = float(heavy @ deserving), float(heavy @ (given * deserving))
    right, wrong, missed = both, of_selected - both, of_deserving - both
    rest = whole - right - wrong - missed
    return (right, wrong, missed, rest) if favourable_is_positive else (rest, missed, wrong, right)


def value_of(metric: str, table: Sequence[float]) -> float:
    """A metric of `OF_DECISIONS` from `cells`."""
    return float(OF_DECISIONS[metric](*(np.array([cell]) for cell in table))[0])
