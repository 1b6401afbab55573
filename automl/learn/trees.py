"""Trees as arrays, boosted or of a forest: read from LightGBM's text or made of scikit-learn's, kept small, summed fast.

Summing follows QuickScorer (Lucchese et al. 2015, "QuickScorer: a fast algorithm to rank documents with additive ensembles of regression trees"), a block
of rows at a time (Lucchese et al. 2016, "Exploiting CPU SIMD extensions"): no row walks down a tree; each test, made for all rows of the block at once, takes
away the leaves that a row which fails it cannot reach, and the first leaf that is left is the row's. Measured ten times as fast as LightGBM's own
prediction, with the same sums (docs/benchmarks.md).
"""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def compiled(function: Callable[..., Any]) -> Any:
    """To machine code, kept beside its file or where NUMBA_CACHE_DIR says, since compiling takes seconds; not kept where nothing may be written."""
    try:
        return numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:
        return numba.njit(nogil=True)(function)


CATEGORICAL, DEFAULT_LEFT, MISSING_SHIFT, MISSING_NAN = 1, 2, 2, 2
BLOCK = 256
"""Rows at a time: their cells and masks stay in the processor's cache."""
WORD = 64
"""Leaves in one word of a mask."""


@dataclass(frozen=True)
class Trees:
    """All trees of a model end to end. Node and leaf arrays are cut by ``node_start`` and ``leaf_start`` (trees + 1); children >= 0 are nodes, ~child leaves.

    A node's children come after it. ``nan_left``: where a missing cell goes. A cell goes left where it is at most the ``threshold``.
    """

    node_start: Ints
    leaf_start: Ints
    feature: Ints
    threshold: Floats
    nan_left: NDArray[np.bool_]
    left: Ints
    right: Ints
    value: Floats
    """(leaves, width). Width 1: tree i counts for output i modulo the number of outputs, as boosters grow them. Else a value for each output, as in forests."""

    def to_bytes(self) -> bytes:
        """Compressed arrays, each of the smallest type that holds it, leaf values at single precision: a fifth of LightGBM's compressed text.

        The same trees give the same bytes.
        """
        thresholds, position = np.unique(self.threshold, return_inverse=True)
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer, leaves=_small(np.diff(self.leaf_start)), feature=_small(self.feature), thresholds=thresholds, position=_small(position),
            nan_left=np.packbits(self.nan_left), left=_small(self.left), right=_small(self.right), value=self.value.astype(np.float32))
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """The trees that `to_bytes` wrote. Raises ValueError or KeyError for anything else."""
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            leaves, nodes = arrays["leaves"].astype(np.int64), len(arrays["position"])
            return cls(
                node_start=_starts(leaves - 1), leaf_start=_starts(leaves), feature=arrays["feature"].astype(np.int64),
                threshold=arrays["thresholds"][arrays["position"]], nan_left=np.unpackbits(arrays["nan_left"], count=nodes).astype(np.bool_),
                left=arrays["left"].astype(np.int64), right=arrays["right"].astype(np.int64), value=arrays["value"].astype(np.float64))

    def first(self, trees: int) -> Self:
        """The first so many of them, or all where there are no more."""
        trees = min(trees, len(self.node_start) - 1)
        nodes, leaves = self.node_start[trees], self.leaf_start[trees]
        return replace(
            self, node_start=self.node_start[:trees + 1], leaf_start=self.leaf_start[:trees + 1], feature=self.feature[:nodes], threshold=self.threshold[:nodes],
            nan_left=self.nan_left[:nodes], left=self.left[:nodes], right=self.right[:nodes], value=self.value[:leaves])

    def raw_scores(self, matrix: Floats, outputs: int, threads: int = 1) -> Floats:
        """(rows, outputs): sums of leaf values in the trees' order. ``matrix``: (rows, features), NaN for missing."""
        scores = np.zeros((len(matrix), outputs))
        starts = np.arange(0, len(matrix), BLOCK)

        def add(mine: Ints) -> None:
            for at in mine:
                rows = slice(at, at + BLOCK)
                _add_scores(self.leaf_start, *self._tests, np.ascontiguousarray(matrix[rows].T), scores[rows])

        if threads == 1 or len(starts) <= 1:
            add(starts)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(add, np.array_split(starts, threads)))
        return scores

    @cached_property
    def _tests(self) -> tuple[Any, ...]:
        """What `_add_scores` works through: per tree the tests, and the leaf values from left to right."""
        return _make_tests(self.node_start, self.leaf_start, self.feature, self.threshold, self.nan_left, self.left, self.right, self.value)  # type: ignore[no-any-return]


def parse_trees(text: str) -> Trees:
    """The trees of LightGBM's text format (version v4). Raises ValueError on a categorical split or a zero-as-missing split."""
    fields: dict[str, list[NDArray[np.float64]]] = {name: [] for name in ("split_feature", "threshold", "decision_type", "left_child", "right_child", "leaf_value")}
    for block in text.split("\nTree=")[1:]:
        lines = dict(line.split("=", 1) for line in block.split("\n\n", 1)[0].splitlines() if "=" in line)
        for name, arrays in fields.items():
            # a tree that is one leaf has empty lines for its nodes
            arrays.append(np.array(lines.get(name, "").split(), dtype=np.float64))
    joined = {name: np.concatenate(arrays) if arrays else np.zeros(0) for name, arrays in fields.items()}
    decision = joined["decision_type"].astype(np.int64)
    if (decision & CATEGORICAL).any() or ((decision >> MISSING_SHIFT) == 1).any():
        raise ValueError("only numeric splits with missing values as NaN can be explained exactly")
    # where no training row was missing, LightGBM takes a missing cell for 0
    nan_left = np.where((decision >> MISSING_SHIFT) == MISSING_NAN, (decision & DEFAULT_LEFT) > 0, joined["threshold"] >= 0)
    return Trees(
        node_start=_starts([len(array) for array in fields["split_feature"]]), leaf_start=_starts([len(array) for array in fields["leaf_value"]]),
        feature=joined["split_feature"].astype(np.int64), threshold=joined["threshold"], nan_left=nan_left,
        left=joined["left_child"].astype(np.int64), right=joined["right_child"].astype(np.int64),
        value=joined["leaf_value"].reshape(-1, 1))


def _starts(lengths: Any) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)


def _small(numbers: Ints) -> NDArray[Any]:
    return numbers.astype(np.result_type(*(np.min_scalar_type(int(end)) for end in (numbers.min(initial=0), numbers.max(initial=0)))))


@compiled
def _make_tests(node_start, leaf_start, feature, threshold, nan_left, left, right, value):  # type: ignore[no-untyped-def]
    """A test for each node and word of the mask that its left side has leaves in: (test_start, feature, threshold, nan_left, word, mask, value).

    ``mask`` has a 0 for each leaf that a row which goes right cannot reach. Leaves are counted from left to right, and ``value`` is in that order.
    """
    ordered = np.empty_like(value)
    first, below = np.zeros(len(feature), dtype=np.int64), np.zeros(len(feature), dtype=np.int64)
    test_start = np.zeros(len(node_start), dtype=np.int64)
    tests = 0
    for tree in range(len(node_start) - 1):
        base, end, leaf = node_start[tree], node_start[tree + 1], leaf_start[tree]
        for node in range(end - 1, base - 1, -1):
            below[node] = (below[base + left[node]] if left[node] >= 0 else 1) + (below[base + right[node]] if right[node] >= 0 else 1)
        if base == end:
            ordered[leaf, :] = value[leaf, :]
        for node in range(base, end):
            middle = first[node] + (below[base + left[node]] if left[node] >= 0 else 1)
            for child, at in ((left[node], first[node]), (right[node], middle)):
                if child >= 0:
                    first[base + child] = at
                else:
                    ordered[leaf + at, :] = value[leaf + ~child, :]
            tests += (middle - 1) // WORD - first[node] // WORD + 1
        test_start[tree + 1] = tests
    of_node, word, mask = np.empty(tests, dtype=np.int64), np.empty(tests, dtype=np.int64), np.empty(tests, dtype=np.uint64)
    at = 0
    for tree in range(len(node_start) - 1):
        base = node_start[tree]
        for node in range(base, node_start[tree + 1]):
            begin, end = first[node], first[node] + (below[base + left[node]] if left[node] >= 0 else 1)
            for w in range(begin // WORD, (end - 1) // WORD + 1):
                low, high = max(begin - w * WORD, 0), min(end - w * WORD, WORD)
                gone = (np.uint64(1) << np.uint64(high - low)) - np.uint64(1) if high - low < WORD else ~np.uint64(0)
                of_node[at], word[at], mask[at] = node, w, ~(gone << np.uint64(low))
                at += 1
    return test_start, feature[of_node], threshold[of_node], nan_left[of_node], word, mask, ordered


@compiled
def _add_scores(leaf_start, test_start, feature, threshold, nan_left, word, mask, value, columns, scores):  # type: ignore[no-untyped-def]
    """Adds each tree's value to ``scores`` (rows, outputs); ``columns`` is the block of rows turned on its side (features, rows)."""
    rows, outputs = scores.shape
    most = 1
    for tree in range(len(leaf_start) - 1):
        most = max(most, (leaf_start[tree + 1] - leaf_start[tree] + WORD - 1) // WORD)
    every = ~np.uint64(0)
    left = np.empty((most, rows), dtype=np.uint64)
    bit_of = _places()
    for tree in range(len(leaf_start) - 1):
        leaf = leaf_start[tree]
        words = (leaf_start[tree + 1] - leaf + WORD - 1) // WORD
        left[:words] = every
        for test in range(test_start[tree], test_start[tree + 1]):
            cell, cut, keep, still = columns[feature[test]], threshold[test], mask[test], left[word[test]]
            if nan_left[test]:
                for row in range(rows):
                    still[row] &= keep if cell[row] > cut else every
            else:
                for row in range(rows):
                    still[row] &= every if cell[row] <= cut else keep
        first, width = tree % outputs if value.shape[1] == 1 else 0, value.shape[1]
        for row in range(rows):
            at = 0
            while left[at, row] == 0:
                at += 1
            lowest = left[at, row] & (~left[at, row] + np.uint64(1))
            reached = leaf + at * WORD + bit_of[(lowest * DE_BRUIJN) >> np.uint64(58)]
            for output in range(width):
                scores[row, first + output] += value[reached, output]


DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
"""Times a power of two, its six highest bits tell which one (Leiserson et al. 1998)."""


@compiled
def _places():  # type: ignore[no-untyped-def]
    places = np.empty(WORD, dtype=np.int64)
    for bit in range(WORD):
        places[((np.uint64(1) << np.uint64(bit)) * DE_BRUIJN) >> np.uint64(58)] = bit
    return places
