"""The few reasons that are stated: what takes a person furthest down from the background, in log-odds towards the favourable outcome.

Only contributions below 0 can be reasons, and only those that matter: at least a share of the distance to the cut, and of the strongest reason (beside the cut the distance is next to nothing, and everything
would be a share of it). Official Interpretation of 12 CFR 1002.9(b)(2): reasons
must be those that were actually scored, no principal one left out; more than four are not likely to be helpful.
"""

from __future__ import annotations

import numpy as np

from automl.audit.outcomes import BoolArray, FloatArray, IntArray

DECIMALS = 9
"""To which contributions are compared: what differs by less is floating point's, and the order of the inputs decides."""
NOTHING = -1


def principal(phi: FloatArray, distance: FloatArray, allowed: BoolArray, *, most: int, materiality: float) -> IntArray:
    """(n, most) positions of the principal reasons of each row, the strongest first, `NOTHING` where there are no more.

    :param phi: (n, factors) contributions towards the favourable outcome. :param distance: (n,) from the score up to the cut, 0 or more.
    :param allowed: (factors,) what may be stated at all. :param materiality: share of the distance, and of the strongest contribution that may be
        stated, below which one is not stated.
    """
    rounded = np.round(phi, DECIMALS)
    adverse = np.where((rounded < 0) & allowed, -rounded, 0.0)
    counts = (adverse > 0) & (adverse >= materiality * np.maximum(distance, adverse.max(axis=1, initial=0.0))[:, None])
    # a stable sort: equal ones stay in the order of the inputs
    order = np.argsort(np.where(counts, rounded, 0.0), axis=1, kind="stable")[:, :most]
    chosen = np.where(np.take_along_axis(counts, order, axis=1), order, NOTHING)
    return np.pad(chosen, ((0, 0), (0, most - chosen.shape[1])), constant_values=NOTHING).astype(np.int64)


def members(chosen: IntArray, factors: int) -> BoolArray:
    """(n, factors) whether the row's list has the factor."""
    found = np.zeros((len(chosen), factors + 1), dtype=np.bool_)
    np.put_along_axis(found, np.where(chosen == NOTHING, factors, chosen), True, axis=1)
    return found[:, :factors]


def overlap(a: BoolArray, b: BoolArray) -> FloatArray:
    """(n,) Jaccard overlap of the rows' lists, given as `members`; two empty lists are the same."""
    both, either = (a & b).sum(axis=1), (a | b).sum(axis=1)
    return np.where(either == 0, 1.0, both / np.maximum(either, 1))
