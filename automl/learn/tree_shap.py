"""Exact interventional Shapley values of trees, boosted or of a forest, the players being the table's columns (not the encoded ones).

For a leaf with value v, a row x and a background row b let P be the columns tested on its path. With S+ the columns of P that only x satisfies and
S- those that only b satisfies, a leaf reached by some mixture of x and b (every column satisfied by one of them at least) gives each column of S+
``v (s-1)! t! / (s+t)!`` and each of S- ``-v s! (t-1)! / (s+t)!``, s = |S+|, t = |S-| (Lundberg et al. 2020, "From local explanations to global
understanding", independent TreeSHAP). Rows and background are first counted by their pattern of satisfied columns, as in Nadel and Wettenstein 2025
("WOODELF"), so that the cost hardly grows with the number of rows.

Why not a library: shap's explainer walks every (row, background row, tree) triple and took about a minute for the five fold models of one member on
Adult, woodelf-explainer about 25 ms per tree; and both know only encoded columns as players, whose sums are not the Shapley values of
the column they encode. `tests/automl/learn/test_tree_shap.py` holds this file to shap's numbers.
"""

from __future__ import annotations

import numpy as np

from automl.learn.trees import Floats, Ints, Trees, compiled


def shapley_values(trees: Trees, rows: Floats, background: Floats, players: Ints, columns: int, outputs: int) -> Floats:
    """(rows, columns, outputs): attributions of the summed leaf values, in the unit of the raw score.

    :param rows: (n, encoded columns), NaN for missing. :param background: (m, encoded columns), m >= 1.
    :param players: (encoded columns,) the table's column each encoded one was made from.
    :param outputs: 1, or the number of classes (`Trees.value` says which tree counts for which).
    """
    phi = np.zeros((len(rows), columns, outputs))
    both = np.ascontiguousarray(np.vstack([rows, background]).T)
    _add_trees(trees.node_start, trees.leaf_start, trees.feature, trees.threshold, trees.nan_left, trees.left, trees.right, trees.value,
               both, len(rows), players, phi)
    return phi


def warm_up() -> None:
    """Compile what is not compiled yet, of this file and of `automl.learn.trees`: sums and explains one row by one tree of one split."""
    one = np.zeros(1, dtype=np.int64)
    trees = Trees(np.array([0, 1]), np.array([0, 2]), one, np.zeros(1), np.zeros(1, dtype=np.bool_), ~one, ~(one + 1), np.array([[-1.0], [1.0]]))
    trees.raw_scores(np.zeros((1, 1)), 1)
    shapley_values(trees, np.zeros((1, 1)), np.ones((1, 1)), one, 1, 1)


@compiled
def _add_trees(node_start, leaf_start, feature, threshold, nan_left, left, right, value, both, n, players, phi):  # type: ignore[no-untyped-def]
    for tree in range(len(node_start) - 1):
        first, last = node_start[tree], node_start[tree + 1]
        if last > first:
            leaves = value[leaf_start[tree]:leaf_start[tree + 1]]
            output = tree % phi.shape[2] if value.shape[1] == 1 else 0
            satisfied = _go_left(feature[first:last], threshold[first:last], nan_left[first:last], both)
            _add_tree(feature[first:last], left[first:last], right[first:last], leaves, satisfied, n, players, phi[:, :, output:output + value.shape[1]])


@compiled
def _go_left(feature, threshold, nan_left, both):  # type: ignore[no-untyped-def]
    """(nodes, rows): whether the row goes left there."""
    goes = np.empty((len(feature), both.shape[1]), dtype=np.bool_)
    for node in range(len(feature)):
        for row in range(both.shape[1]):
            cell = both[feature[node], row]
            if np.isnan(cell):
                goes[node, row] = nan_left[node]
            else:
                goes[node, row] = cell <= threshold[node]
    return goes


@compiled
def _add_tree(feature, left, right, leaves, goes_left, n, players, phi):  # type: ignore[no-untyped-def]
    """Walks the tree depth first; ``pattern[d]`` holds for each row which columns of the path down to depth d it satisfies, one bit a column."""
    total = goes_left.shape[1]
    depths = len(feature) + 1
    pattern = np.zeros((depths + 1, total), dtype=np.uint64)
    path_player = np.zeros(depths + 1, dtype=np.int64)
    count_at = np.zeros(depths + 1, dtype=np.int64)
    stack_node, stack_depth = np.zeros(2 * depths + 2, dtype=np.int64), np.zeros(2 * depths + 2, dtype=np.int64)
    stack_from, stack_is_left = np.zeros(2 * depths + 2, dtype=np.int64), np.zeros(2 * depths + 2, dtype=np.bool_)
    size = 0
    for child, is_left in ((right[0], False), (left[0], True)):
        stack_node[size], stack_depth[size], stack_from[size], stack_is_left[size] = child, 1, 0, is_left
        size += 1
    while size > 0:
        size -= 1
        node, depth, parent, is_left = stack_node[size], stack_depth[size], stack_from[size], stack_is_left[size]
        _step(pattern, path_player, count_at, depth, players[feature[parent]], goes_left[parent], is_left)
        if node < 0:
            _add_leaf(leaves[~node, :], pattern[depth], count_at[depth], path_player, n, phi)
            continue
        for child, child_is_left in ((right[node], False), (left[node], True)):
            stack_node[size], stack_depth[size], stack_from[size], stack_is_left[size] = child, depth + 1, node, child_is_left
            size += 1


@compiled
def _step(pattern, path_player, count_at, depth, player, goes_left, is_left):  # type: ignore[no-untyped-def]
    """One edge further down: a column met before keeps its bit only where this edge is satisfied too, a new one gets the next bit."""
    known = count_at[depth - 1]
    bit = known
    for at in range(known):
        if path_player[at] == player:
            bit = at
    if bit == known:
        path_player[known] = player
        count_at[depth] = known + 1
    else:
        count_at[depth] = known
    mask = np.uint64(1) << np.uint64(bit)
    for row in range(len(goes_left)):
        before = pattern[depth - 1, row]
        if bit == known:
            pattern[depth, row] = before | mask if goes_left[row] == is_left else before
        else:
            pattern[depth, row] = before if goes_left[row] == is_left else before & ~mask


@compiled
def _distinct(patterns, found, counts, index):  # type: ignore[no-untyped-def]
    """Fills ``found`` with the distinct patterns, ``counts`` with how often each occurs and ``index`` with each row's; returns how many there are."""
    slots = 64
    while slots < 2 * len(patterns):
        slots *= 2
    table = np.full(slots, -1, dtype=np.int64)
    distinct = 0
    for row in range(len(patterns)):
        key = patterns[row]
        slot = np.int64((key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)) & (slots - 1)
        while table[slot] >= 0 and found[table[slot]] != key:
            slot = (slot + 1) & (slots - 1)
        if table[slot] < 0:
            table[slot] = distinct
            found[distinct] = key
            counts[distinct] = 0
            distinct += 1
        counts[table[slot]] += 1
        index[row] = table[slot]
    return distinct


@compiled
def _ones(word):  # type: ignore[no-untyped-def]
    count = 0
    while word != np.uint64(0):
        word &= word - np.uint64(1)
        count += 1
    return count


@compiled
def _choose(total, some):  # type: ignore[no-untyped-def]
    chosen = 1.0
    for at in range(some):
        chosen = chosen * (total - at) / (at + 1)
    return chosen


@compiled
def _add_leaf(value, patterns, width, path_player, n, phi):  # type: ignore[no-untyped-def]
    """``value`` (outputs of this tree,) and ``phi`` (rows, columns, outputs of this tree)."""
    m = len(patterns) - n
    full = (np.uint64(1) << np.uint64(width)) - np.uint64(1)
    row_pattern, row_count, row_index = np.empty(n, dtype=np.uint64), np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    back_pattern, back_count, back_index = np.empty(m, dtype=np.uint64), np.empty(m, dtype=np.int64), np.empty(m, dtype=np.int64)
    row_kinds = _distinct(patterns[:n], row_pattern, row_count, row_index)
    back_kinds = _distinct(patterns[n:], back_pattern, back_count, back_index)
    share = np.zeros((row_kinds, width))
    moved = np.zeros(row_kinds, dtype=np.bool_)
    for kind in range(row_kinds):
        for back in range(back_kinds):
            x, b = row_pattern[kind], back_pattern[back]
            if (x | b) != full or x == b:
                continue
            moved[kind] = True
            only_x, only_b = x & ~b, b & ~x
            s, t = _ones(only_x), _ones(only_b)
            weight = back_count[back] / m / _choose(s + t, s)
            for at in range(width):
                if (only_x >> np.uint64(at)) & np.uint64(1):
                    share[kind, at] += weight / s
                elif (only_b >> np.uint64(at)) & np.uint64(1):
                    share[kind, at] -= weight / t
    for row in range(n):
        kind = row_index[row]
        if moved[kind]:
            for at in range(width):
                for output in range(len(value)):
                    phi[row, path_player[at], output] += value[output] * share[kind, at]
