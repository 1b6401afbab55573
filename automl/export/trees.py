"""Trees in the exported model: those of all fold models of all members are read from one matrix, and summed together.

Its thresholds and its leaf values, which have the members' weights in them, are doubles, as ours are: rows fall to the same side of every split. A column that
several folds encode alike (a number, an indicator of a level) is in the matrix once, one that no tree reads not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from automl.data.encoding import TreeEncoder
from automl.export.columns import Columns
from automl.export.graph import ML, CannotExport
from automl.learn.trees import Trees

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Key = tuple[str, str, object]
"""("number", column, ""), ("part", column, part of the date), ("level", column, level), ("mean", column, target means by place as bytes) or ("pair", first column, `_Together`)."""

MOST_NODES = 1_000_000
"""A file of some 36 MB; to write and to try it takes some 0.5 GB more of memory."""
MOST_TOGETHER = 1_000
"""Trees in one node: what onnxruntime takes to load one grows with their square."""
SUM, NO_TRANSFORM, BRANCH_LEQ = 1, 0, 0
"""ONNX's numbers for: add the trees up, leave the sum as it is, go to the true side where the cell is at most the threshold."""


class TreeModel(Protocol):
    """A fold model made of trees whose leaf values are summed: a value a leaf, tree i counting for output i modulo ``outputs``, or a value for each output."""

    @property
    def encoder(self) -> TreeEncoder: ...

    @property
    def outputs(self) -> int: ...

    @property
    def trees(self) -> Trees: ...


@dataclass(frozen=True, eq=False)
class _Together:
    """One of an encoder's pairs; no two encoders have the same."""

    encoder: TreeEncoder
    at: int


def add(parts: Sequence[tuple[float, TreeModel]], columns: Columns) -> tuple[list[str], Array]:
    """What the trees add to the raw score, weighted: names of (rows, outputs), and (outputs,) for every row. Raises CannotExport for too many."""
    nodes = sum(len(fold.trees.feature) * _by_output(fold.trees).shape[1] for _, fold in parts)
    if nodes > MOST_NODES:
        raise CannotExport(f"its trees have {nodes:,} nodes; the limit of the export is {MOST_NODES:,}")
    known: dict[str, list[Key]] = {}
    for _, fold in parts:
        if fold.encoder.key not in known:
            known[fold.encoder.key] = _keys(fold.encoder, columns)
    keys_of = [known[fold.encoder.key] for _, fold in parts]
    read = dict.fromkeys(keys[at] for (_, fold), keys in zip(parts, keys_of, strict=True) for at in np.unique(fold.trees.feature).tolist())
    bias = np.sum([weight * _of_single_leaves(fold) for weight, fold in parts], axis=0)
    if not read:
        return [], bias
    matrix, place = _matrix(list(read), columns)
    forests = [_Forest(columns.outputs)]
    for (weight, fold), keys in zip(parts, keys_of, strict=True):
        here = np.array([place.get(key, 0) for key in keys], dtype=np.int64)
        for trees, target in _in_pieces(fold):
            if forests[-1].trees >= MOST_TOGETHER:
                forests.append(_Forest(columns.outputs))
            forests[-1].add(trees, target, weight, here)
    return [columns.graph.add_large("TreeEnsemble", matrix, ML, forest.attributes(), ("nodes_splits", "nodes_modes", "leaf_weights")) for forest in forests if forest.trees], bias


def turning_points(fold: TreeModel) -> dict[str, Array]:
    """Column to the thresholds it is compared with."""
    encoder, trees = fold.encoder, fold.trees
    first = np.searchsorted(encoder.sources, np.arange(len(encoder.codes.names)))
    return {
        name: np.unique(trees.threshold[trees.feature == first[at]])
        for at, (name, levels) in enumerate(zip(encoder.codes.names, encoder.codes.levels, strict=True)) if levels is None}


def _keys(encoder: TreeEncoder, columns: Columns) -> list[Key]:
    """What each column of `TreeEncoder.transform` is, in its order. Raises CannotExport where it has others than these."""
    found: list[Key] = []
    for at, (name, levels) in enumerate(zip(encoder.codes.names, encoder.codes.levels, strict=True)):
        if levels is None:
            found += [("number", name, ""), *(("part", name, part) for part in encoder.parts[at])]
            continue
        found += [("level", name, level) for level in levels[:encoder.indicators[at]]]
        means, missing = encoder.means[at], encoder.missing_means[at]
        if means is not None:
            by_place = columns.by_place(name, encoder.codes, means, means[-1] if missing is None else np.broadcast_to(missing, means.shape[1:]))
            found += [("mean", name, column.tobytes()) for column in by_place.T]
    found += [("pair", encoder.codes.names[pair.columns[0]], _Together(encoder, at)) for at, pair in enumerate(encoder.pairs)]
    if len(found) != encoder.width:
        raise CannotExport("its trees read columns that this export does not know")
    return found


def _matrix(keys: Sequence[Key], columns: Columns) -> tuple[str, dict[Key, int]]:
    """(rows, keys) doubles, and where in it each key is; what belongs to one column of the table is made together."""
    together: dict[tuple[str, str], list[Any]] = {}
    for kind, name, what in keys:
        together.setdefault((kind, name), []).append(what)
    blocks: list[str] = []
    place: dict[Key, int] = {}
    for (kind, name), each in together.items():
        for what in each:
            place[kind, name, what] = len(place)
        if kind == "number":
            blocks.append(columns.number(name))
        elif kind == "part":
            blocks += [columns.part(name, part) for part in each]
        elif kind == "pair":
            blocks += [columns.together(what.encoder.codes, what.encoder.pairs[what.at]) for what in each]
        elif kind == "level":
            blocks.append(_indicators(name, each, columns))
        else:
            blocks.append(columns.look_up(name, np.column_stack([np.frombuffer(content, dtype=np.float64) for content in each])))
    return columns.graph.beside(blocks), place


def _indicators(name: str, levels: Sequence[str], columns: Columns) -> str:
    """(rows, levels): 1 where the row has the level, NaN throughout where its cell is missing."""
    graph, places = columns.graph, columns.places(name)
    cell = graph.add("Unsqueeze", columns.level(name), graph.constant(np.array([1], dtype=np.int64)))
    has = graph.cast(graph.add("Equal", cell, graph.constant(np.array([[places[level] for level in levels]], dtype=np.int64))), TensorProto.DOUBLE)
    return graph.add("Where", graph.add("Equal", cell, graph.whole(len(places) + 1)), graph.number(np.nan), has)


def _of_single_leaves(fold: TreeModel) -> Array:
    """(outputs,): the sum of trees that are one leaf each, which ONNX's have no place for."""
    found = np.zeros(fold.outputs)
    for trees, target in _in_pieces(fold):
        alone = np.flatnonzero(np.diff(trees.node_start) == 0)
        np.add.at(found, target[alone], trees.value[trees.leaf_start[alone]])
    return found


def _in_pieces(fold: TreeModel) -> Iterator[tuple[Trees, Ints]]:
    """The same trees, some at a time, with (leaves,) values, and for which output each tree counts: a tree with values for several outputs comes once for each."""
    trees, value = fold.trees, _by_output(fold.trees)
    n, width = len(trees.node_start) - 1, value.shape[1]
    for output in range(width):
        target = np.arange(n) % fold.outputs if width == 1 else np.full(n, output)
        for first in range(0, n, MOST_TOGETHER):
            bounds = slice(first, first + MOST_TOGETHER + 1)
            nodes, leaves = trees.node_start[bounds], trees.leaf_start[bounds]
            here, below = slice(nodes[0], nodes[-1]), slice(leaves[0], leaves[-1])
            yield Trees(
                nodes - nodes[0], leaves - leaves[0], trees.feature[here], trees.threshold[here], trees.nan_left[here], trees.left[here], trees.right[here],
                value[below, output]), target[first:first + MOST_TOGETHER]


def _by_output(trees: Trees) -> Array:
    """(leaves, width): width 1, or a value for each output."""
    return trees.value.reshape(int(trees.leaf_start[-1]), -1)


class _Forest:
    """The attributes of a TreeEnsemble, a booster at a time."""

    def __init__(self, outputs: int) -> None:
        self.trees = 0
        self._outputs, self._nodes, self._leaves = outputs, 0, 0
        self._arrays: dict[str, list[NDArray[np.generic]]] = {}

    def add(self, trees: Trees, target: Ints, weight: float, place: Ints) -> None:
        """``target``: tree to output; ``place``: encoder column to column of the matrix."""
        nodes, leaves = np.diff(trees.node_start), np.diff(trees.leaf_start)
        grown = nodes > 0
        tree = np.repeat(np.arange(len(nodes)), nodes)
        kept = np.where(grown, leaves, 0)
        first_node, first_leaf = trees.node_start[:-1] + self._nodes, np.cumsum(kept) - kept + self._leaves
        for side, child in (("true", trees.left), ("false", trees.right)):
            self._more(f"nodes_{side}nodeids", np.where(child >= 0, first_node[tree] + child, first_leaf[tree] + ~child))
            self._more(f"nodes_{side}leafs", (child < 0).astype(np.int64))
        self._more("nodes_featureids", place[trees.feature])
        self._more("nodes_splits", trees.threshold)
        self._more("nodes_modes", np.full(len(tree), BRANCH_LEQ, dtype=np.uint8))
        self._more("nodes_missing_value_tracks_true", trees.nan_left.astype(np.int64))
        self._more("tree_roots", first_node[grown])
        self._more("leaf_weights", weight * trees.value[np.repeat(grown, leaves)])
        self._more("leaf_targetids", np.repeat(target, kept))
        self.trees += int(grown.sum())
        self._nodes, self._leaves = self._nodes + len(tree), self._leaves + int(kept.sum())

    def attributes(self) -> dict[str, NDArray[np.generic] | list[str] | int]:
        joined = {name: np.concatenate(arrays) for name, arrays in self._arrays.items()}
        return {**joined, "n_targets": self._outputs, "aggregate_function": SUM, "post_transform": NO_TRANSFORM}

    def _more(self, name: str, array: NDArray[np.generic]) -> None:
        self._arrays.setdefault(name, []).append(array)
