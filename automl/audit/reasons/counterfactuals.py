"""What would have changed it: the smallest change of few columns, all of which a person can change, to values that training rows have.

A search that adds one column at a time and keeps the best few beginnings (a beam): what it finds does cross the cut, what it does not find may still exist. The size of a
change is the share of training rows that it passes; a category changed counts as all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from automl.audit.outcomes import BoolArray, FloatArray, IntArray
from automl.audit.reasons.backgrounds import Scale
from automl.audit.reasons.factors import Factor
from automl.audit.reasons.substitution import Scored
from automl.audit.reasons.wording import value_text
from automl.evidence import ChangedColumn, Counterfactual
from automl.spec import ReasonPolicy

MOST_COLUMNS = 12
"""Columns tried, those that are stated as reasons most often."""
MOST_CHANGED = 3
BEAM = 3
LEVELS = 8
"""Values tried of each column: its most frequent levels, or these quantiles of its numbers, each a value that a training row has."""
QUANTILES = (0.02, 0.1, 0.25, 0.4, 0.6, 0.75, 0.9, 0.98)


@dataclass(frozen=True, eq=False)
class Changeable:
    """A column that a person can change. ``values``: what it is changed to, ``places``: the share of training rows at or below each (numbers only).
    ``way``: +1 only upwards, -1 only downwards, 0 either way."""

    name: str
    at: int
    values: pd.Series
    known: FloatArray | None
    """Training values in rising order, of numbers."""
    way: int

    @classmethod
    def of(cls, name: str, at: int, seen: pd.Series, direction: str) -> Changeable | None:
        """None where no training row has a value."""
        present = seen.dropna()
        if not len(present):
            return None
        if not pd.api.types.is_numeric_dtype(seen):
            counts = present.astype(str).value_counts()
            frequent = sorted(counts.index, key=lambda level: (-int(counts[level]), str(level)))[:LEVELS]
            return cls(name, at, pd.Series(frequent, dtype=seen.dtype), None, 0)
        known = np.sort(present.to_numpy(dtype=np.float64))
        values = np.unique(np.quantile(known, QUANTILES, method="inverted_cdf"))
        # a reason for being too high is answered by going down
        return cls(name, at, pd.Series(values, dtype=seen.dtype), known, {"higher": -1, "lower": 1}.get(direction, 0))

    def steps(self, own: pd.Series) -> FloatArray:
        """(n, values) size of the change from each of ``own`` (n,) to each value; infinite where it is none, or goes the wrong way."""
        missing = own.isna().to_numpy()[:, None]
        if self.known is None:
            same = own.astype(object).to_numpy()[:, None] == self.values.astype(object).to_numpy()[None, :]
            return np.where(same, np.inf, 1.0)
        before, after = own.to_numpy(dtype=np.float64)[:, None], self.values.to_numpy(dtype=np.float64)[None, :]
        size = np.abs(self._place(after) - self._place(np.nan_to_num(before)))
        wrong = (after == before) | ((after - before) * self.way < 0)
        return np.where(missing, 1.0, np.where(wrong, np.inf, size))

    def _place(self, values: FloatArray) -> FloatArray:
        assert self.known is not None
        return np.asarray(np.searchsorted(self.known, values, side="right") / len(self.known), dtype=np.float64)


def changeable(inputs: Sequence[str], factors: Sequence[Factor], policy: ReasonPolicy, training: pd.DataFrame, stated: FloatArray, texts: Sequence[str]) -> tuple[Changeable, ...]:
    """The columns that the reason table marks as actionable and no rule excludes, at most `MOST_COLUMNS`. ``stated``: (factors,) how often each factor is a reason."""
    often = {at: float(stated[place]) for place, factor in enumerate(factors) for at in factor.inputs if factor.excluded is None and _is_actionable(inputs[at], factor, policy)}
    chosen = sorted((at for at in often if inputs[at] not in texts), key=lambda at: (-often[at], at))[:MOST_COLUMNS]
    found = (Changeable.of(inputs[at], at, training[inputs[at]], _direction(inputs[at], policy)) for at in sorted(chosen))
    return tuple(one for one in found if one is not None)


def _is_actionable(name: str, factor: Factor, policy: ReasonPolicy) -> bool:
    """By its own line, or by that of its group where it has none."""
    own = policy.table.get(name)
    return factor.line.actionable if own is None else own.actionable


def _direction(name: str, policy: ReasonPolicy) -> str:
    line = policy.table.get(name)
    return "any" if line is None else line.direction


@dataclass(frozen=True, eq=False)
class _Beginnings:
    """Rows with some columns changed already: ``of`` says of which row each is one."""

    frame: pd.DataFrame
    of: IntArray
    changed: BoolArray
    size: FloatArray
    scores: FloatArray

    def take(self, which: IntArray) -> _Beginnings:
        return _Beginnings(self.frame.iloc[which].reset_index(drop=True), self.of[which], self.changed[which], self.size[which], self.scores[which])


@dataclass(frozen=True, eq=False)
class Found:
    """The changed row, which of its columns changed, and its score."""

    values: pd.DataFrame
    changed: BoolArray
    score: float


def search_changes(model: Scored, scale: Scale, frame: pd.DataFrame, columns: Sequence[Changeable]) -> list[Found | None]:
    """For each row of ``frame`` the smallest change found among those of the fewest columns; None where none of at most `MOST_CHANGED` columns was found."""
    n = len(frame)
    found: list[Found | None] = [None] * n
    own = frame.reset_index(drop=True)
    steps = [column.steps(own.iloc[:, column.at]) for column in columns]
    open_ = _Beginnings(own, np.arange(n), np.zeros((n, frame.shape[1]), dtype=np.bool_), np.zeros(n), np.zeros(n))
    for _ in range(min(MOST_CHANGED, len(columns))):
        tried = _extended(model, scale, open_, columns, steps)
        if not len(tried.of):
            break
        crosses = scale.favourable(tried.scores)
        for at in _best(tried, crosses, tried.size, 1):
            found[tried.of[at]] = Found(tried.frame.iloc[[at]], tried.changed[at], float(tried.scores[at]))
        still = np.array([one is None for one in found])[tried.of]
        open_ = tried.take(_best(tried, still, -tried.scores, BEAM))
    return found


def _extended(model: Scored, scale: Scale, open_: _Beginnings, columns: Sequence[Changeable], steps: Sequence[FloatArray]) -> _Beginnings:
    """Every beginning with one more column changed to one more value."""
    frames, of, changed, size = [open_.frame.iloc[:0]], [open_.of[:0]], [open_.changed[:0]], [open_.size[:0]]
    for column, step in zip(columns, steps, strict=True):
        cost = step[open_.of]
        begun, value = np.nonzero(np.isfinite(cost) & ~open_.changed[:, [column.at]])
        block = open_.frame.iloc[begun].reset_index(drop=True)
        block[column.name] = column.values.iloc[value].reset_index(drop=True)
        marks = open_.changed[begun]
        marks[:, column.at] = True
        frames.append(block)
        of.append(open_.of[begun])
        changed.append(marks)
        size.append(open_.size[begun] + cost[begun, value])
    whole = pd.concat(frames[1:], ignore_index=True) if len(frames) > 1 else frames[0]
    made = _Beginnings(whole, np.concatenate(of), np.concatenate(changed), np.concatenate(size), np.zeros(len(whole)))
    return replace(made, scores=scale.scores(model.raw(whole)))


def _best(tried: _Beginnings, among: BoolArray, by: FloatArray, most: int) -> IntArray:
    """Of each row's ``among`` the ``most`` with the smallest ``by``, earlier ones first where equal."""
    which = np.flatnonzero(among)
    ordered = which[np.lexsort((which, by[which], tried.of[which]))]
    rows = tried.of[ordered]
    first = np.searchsorted(rows, rows)  # where the row's own begin
    return ordered[np.arange(len(ordered)) - first < most]


def told(found: Found, before: pd.DataFrame, kinds: dict[str, str]) -> Counterfactual:
    """``before``: the person's row, a frame of one."""
    changes = tuple(
        ChangedColumn(column=name, before=value_text(before.iloc[0, at], kinds.get(name, "category")), after=value_text(found.values.iloc[0, at], kinds.get(name, "category")))
        for at, name in enumerate(map(str, before.columns)) if found.changed[at])
    return Counterfactual(changes=changes, score=found.score)
