"""Where a model errs most: slices of rows looked for by a shallow tree and by all pairs of columns, and frozen (evidence rule 11).

What is found here says nothing by itself: of thousands of slices the worst look bad by chance. `automl.audit.slices` measures the frozen ones on other rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeRegressor

from automl.audit.conditions import Condition, Slice, SliceColumn, frequent_levels, merged, rows_of
from automl.audit.outcomes import BoolArray, FloatArray, IntArray
from automl.audit.resampling import generator
from automl.data.groups import default_bins

FoundBy = Literal["tree", "pairs"]
MOST_ROWS = 100_000
"""The search is made on a seeded sample of the rows above this."""
SMALLEST = 60, 0.01
"""Rows that a slice needs, and their share: a third of them are left where it is measured, with a quarter of the rows set aside."""
DEPTH = 3
LEVELS = 12
"""Levels of a category that can be a condition, the most frequent ones."""
PAIRED_COLUMNS = 20
"""Columns whose pairs are tried: those whose own levels differ most in error."""
FROZEN = 8
OVERLAP = 0.5
"""A slice whose rows are half the same (intersection over union) as those of one that was taken is not taken besides."""
ADDS_NOTHING = 0.9
"""A pair that holds nearly all rows of one of its conditions is that condition."""
CAUTION = 2.0
"""Standard errors that are taken off a difference in error before slices are ranked by it."""


@dataclass(frozen=True)
class Found:
    conditions: Slice
    by: FoundBy


@dataclass(frozen=True)
class Discovery:
    slices: tuple[Found, ...]
    """Frozen, the worst first."""
    tried: int
    smallest: int
    rows: int


class _Sums(NamedTuple):
    """Totals over rows: count, weight, squared weight, weighted error and squared error; numbers, or arrays of one for each of many slices."""

    n: Any
    w: Any
    w2: Any
    e: Any
    e2: Any

    @classmethod
    def by(cls, code: IntArray, cells: int, error: FloatArray, weight: FloatArray) -> _Sums:
        return cls(np.bincount(code, minlength=cells), *(np.bincount(code, weights=values, minlength=cells) for values in (
            weight, weight**2, weight * error, weight * error**2)))

    def rest(self, whole: _Sums) -> _Sums:
        return _Sums(*(all_of - mine for all_of, mine in zip(whole, self, strict=True)))


def _excess(mine: _Sums, whole: _Sums) -> FloatArray:
    """Mean error above that of the other rows, less `CAUTION` standard errors."""
    rest = mine.rest(whole)
    with np.errstate(divide="ignore", invalid="ignore"):
        means, variances = [], []
        for part in (mine, rest):
            mean = part.e / part.w
            means.append(mean)
            variances.append(np.maximum(part.e2 / part.w - mean**2, 0) * part.w2 / part.w**2)
        return np.asarray(np.nan_to_num(means[0] - means[1] - CAUTION * np.sqrt(variances[0] + variances[1]), nan=-np.inf))


def discover_slices(columns: Sequence[SliceColumn], error: FloatArray, weight: FloatArray | None, *, seed: int) -> Discovery:
    """Slices with more error than the other rows. ``error`` (n,): 0 or 1, or an absolute error; ``columns``: of the same n rows."""
    rows = len(error)
    if rows > MOST_ROWS:
        drawn = np.sort(generator(seed, "slice rows").choice(rows, MOST_ROWS, replace=False))
        columns, error, weight = [column.take(drawn) for column in columns], error[drawn], None if weight is None else weight[drawn]
    search = _Search(columns, error, np.ones(len(error)) if weight is None else weight, seed)
    return search.run(rows)


@dataclass(frozen=True)
class _Cells:
    """One column in levels: ``code`` (n,), and for each of the first codes its condition; further codes are levels too rare to be one."""

    column: SliceColumn
    code: IntArray = field(repr=False)
    conditions: tuple[Condition, ...]

    @property
    def size(self) -> int:
        return len(self.conditions) + 1


class _Candidate(NamedTuple):
    excess: float
    order: int
    conditions: Slice
    by: FoundBy


class _Search:
    def __init__(self, columns: Sequence[SliceColumn], error: FloatArray, weight: FloatArray, seed: int) -> None:
        self.columns, self.error, self.weight, self.seed = tuple(columns), error, weight, seed
        self.smallest = max(SMALLEST[0], int(np.ceil(SMALLEST[1] * len(error))))
        self.whole = _Sums(*(sums[0] for sums in _Sums.by(np.zeros(len(error), dtype=np.int64), 1, error, weight)))
        self.tried = 0
        self.candidates: list[_Candidate] = []
        self.holds: dict[Condition, BoolArray] = {}

    def run(self, rows: int) -> Discovery:
        if len(self.error) >= 2 * self.smallest and np.ptp(self.error) > 0:
            self._pairs([_levels(column) for column in self.columns])
            self._tree()
        return Discovery(tuple(self._chosen()), self.tried, self.smallest, rows)

    def _pairs(self, cells: Sequence[_Cells]) -> None:
        """Every level alone, then every pair of levels of two columns."""
        singles = [_Sums.by(one.code, one.size, self.error, self.weight) for one in cells]
        best = []
        for one, sums in zip(cells, singles, strict=True):
            excess = _excess(sums, self.whole)[:-1]
            large = self._large(sums.n[:-1])
            self._note(excess, large, lambda at, one=one: (one.conditions[at],))
            best.append(float(np.max(np.where(large, excess, -np.inf), initial=-np.inf)))
        order = sorted(range(len(cells)), key=lambda at: (-best[at], at))[:PAIRED_COLUMNS]
        for a, b in combinations(sorted(order), 2):
            left, right = cells[a], cells[b]
            sums = _Sums.by(left.code * right.size + right.code, left.size * right.size, self.error, self.weight)
            inner = _Sums(*(values.reshape(left.size, right.size)[:-1, :-1] for values in sums))
            of_left, of_right = singles[a].n[:-1, None], singles[b].n[None, :-1]
            adds = inner.n < ADDS_NOTHING * np.minimum(of_left, of_right)
            excess, large = _excess(inner, self.whole).ravel(), (self._large(inner.n) & adds).ravel()
            width = right.size - 1
            self._note(excess, large, lambda at, left=left, right=right, width=width: (left.conditions[at // width], right.conditions[at % width]))

    def _large(self, n: IntArray) -> BoolArray:
        """Enough rows, and no more than half: what holds for most rows is no slice."""
        return np.asarray((n >= self.smallest) & (2 * n <= self.whole.n))

    def _note(self, excess: FloatArray, large: BoolArray, conditions: Any) -> None:
        self.tried += int(large.sum())
        at_once = np.flatnonzero(large & (excess > 0))
        self.candidates += [_Candidate(float(excess[at]), len(self.candidates) + place, conditions(int(at)), "pairs") for place, at in enumerate(at_once)]

    def _tree(self) -> None:
        for inside, path in leaves_of(self.columns, self.error, self.weight, self.smallest, self.seed):
            sums = _Sums(*(values[1] for values in _Sums.by(inside.astype(np.int64), 2, self.error, self.weight)))
            excess = float(_excess(_Sums(*map(np.atleast_1d, sums)), self.whole)[0])
            self.tried += 1
            if excess > 0 and 2 * sums.n <= self.whole.n:
                self.candidates.append(_Candidate(excess, len(self.candidates), path, "tree"))

    def _chosen(self) -> Iterator[Found]:
        """The worst that are not nearly the same rows."""
        taken: list[BoolArray] = []
        for candidate in sorted(self.candidates, key=lambda one: (-one.excess, len(one.conditions), one.order)):
            if len(taken) == FROZEN:
                return
            inside = self._inside(candidate.conditions)
            if all((inside & other).sum() < OVERLAP * (inside | other).sum() for other in taken):
                taken.append(inside)
                yield Found(candidate.conditions, candidate.by)

    def _inside(self, conditions: Slice) -> BoolArray:
        """(n,): where all hold; the pairs share their conditions."""
        for condition in conditions:
            if condition not in self.holds:
                self.holds[condition] = rows_of((condition,), self.columns)
        return np.asarray(np.logical_and.reduce([self.holds[condition] for condition in conditions]))


def _levels(column: SliceColumn) -> _Cells:
    """Quartiles of a number, the frequent levels of a category, and missing cells."""
    if column.kind == "category":
        conditions = [Condition(column.name, "is", level=level) for level in frequent_levels(column, LEVELS)]
    else:
        edges = default_bins(column.values)
        conditions = [Condition(column.name, "range", low, high) for low, high in pairwise([None, *edges, None])] if edges else []
    if not column.known.all():
        conditions.append(Condition(column.name, "missing"))
    code = np.full(len(column.values), len(conditions), dtype=np.int64)
    for at, condition in enumerate(conditions):
        code[condition.holds(column)] = at
    return _Cells(column, code, tuple(conditions))


class _Test(NamedTuple):
    """What one column of the tree's matrix (n,) asks: whether ``asked`` holds, or of a number its place among its ``distinct`` values, NaN where it is missing.

    Places, because scikit-learn's trees compare single precision, where large numbers are one or none."""

    values: NDArray[Any]
    column: SliceColumn
    asked: Condition | None
    distinct: FloatArray


def _tests(column: SliceColumn) -> list[_Test]:
    if column.kind != "category":
        distinct = np.unique(column.values[column.known])
        return [_Test(np.where(column.known, np.searchsorted(distinct, column.values), np.nan), column, None, distinct)] if len(distinct) else []
    asked = [Condition(column.name, "is", level=level) for level in frequent_levels(column, LEVELS)]
    if not column.known.all():
        asked.append(Condition(column.name, "missing"))
    return [_Test(one.holds(column).astype(np.float64), column, one, np.zeros(0)) for one in asked]


def leaves_of(columns: Sequence[SliceColumn], error: FloatArray, weight: FloatArray, smallest: int, seed: int) -> Iterator[tuple[BoolArray, Slice]]:
    """The leaves of a shallow regression tree of ``error`` (n,): their rows (n,), and the conditions that say the same."""
    tests = [test for column in columns for test in _tests(column)]
    if not tests:
        return
    matrix = np.column_stack([test.values for test in tests])
    tree = DecisionTreeRegressor(max_depth=DEPTH, min_samples_leaf=smallest, random_state=seed).fit(matrix, error, sample_weight=weight)
    leaf = tree.apply(matrix)
    for node, path in _paths(tree.tree_, tests):
        yield leaf == node, merged(path)


def _paths(tree: Any, tests: Sequence[_Test]) -> Iterator[tuple[int, Slice]]:
    """Each leaf of scikit-learn's ``tree`` with the conditions that lead to it."""
    waiting: list[tuple[int, Slice]] = [(0, ())]
    while waiting:
        node, path = waiting.pop()
        if tree.children_left[node] < 0:
            yield node, path
            continue
        left, right = _branches(tests[int(tree.feature[node])], float(tree.threshold[node]), bool(tree.missing_go_to_left[node]))
        waiting += [(int(tree.children_right[node]), (*path, right)), (int(tree.children_left[node]), (*path, left))]


def _branches(test: _Test, threshold: float, missing_left: bool) -> tuple[Condition, Condition]:
    """The conditions of the left and of the right branch."""
    name, asked = test.column.name, test.asked
    if asked is not None:
        return Condition(name, "known") if asked.what == "missing" else Condition(name, "is_not", level=asked.level), asked
    if np.isinf(threshold):  # scikit-learn parts known from missing cells
        return Condition(name, "known"), Condition(name, "missing")
    edge, missing = float(test.distinct[int(threshold)]), not test.column.known.all()
    return Condition(name, "range", high=edge, or_missing=missing and missing_left), Condition(name, "range", low=edge, or_missing=missing and not missing_left)
