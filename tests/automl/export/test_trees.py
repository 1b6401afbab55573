from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from automl.export import trees
from tests.automl.export import models


def _scores(pieces: list[tuple[Any, Any]], outputs: int) -> Any:
    """By output: how many trees count for it, and the sum of their leaf values."""
    found = np.zeros((outputs, 2))
    for piece, target in pieces:
        for tree, output in enumerate(target):
            found[output] += 1, piece.value[piece.leaf_start[tree]:piece.leaf_start[tree + 1]].sum()
    return found


def test_trees_in_pieces_keep_their_outputs(monkeypatch: Any) -> None:
    fold: Any = models.fitted("multiclass", ("lgbm",)).members[0].folds[0]
    whole = _scores(list(trees._in_pieces(fold)), 3)
    monkeypatch.setattr(trees, "MOST_TOGETHER", 4)
    pieces = list(trees._in_pieces(fold))
    assert len(pieces) > 1
    assert np.allclose(_scores(pieces, 3), whole)
    assert len(set(whole[:, 0])) == 1, "as many trees for each class"


def test_a_leaf_with_a_value_for_each_output_is_a_tree_for_each() -> None:
    """As forests have them."""
    class Forest:
        def __init__(self, fold: Any) -> None:
            self.encoder, self.outputs = fold.encoder, 3
            self.trees = replace(fold.trees, value=np.column_stack([fold.trees.value.ravel() * factor for factor in (1.0, 2.0, 3.0)]))

    fold: Any = models.fitted("binary", ("lgbm",)).members[0].folds[0]
    found = _scores(list(trees._in_pieces(Forest(fold))), 3)
    assert np.allclose(found[:, 0], len(fold.trees.node_start) - 1)
    assert np.allclose(found[:, 1], fold.trees.value.sum() * np.array([1.0, 2.0, 3.0]))
