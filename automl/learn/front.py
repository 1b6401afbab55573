"""The front of a search with two objectives, and which of its trials are kept as models of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from automl.learn.search import SearchResult
from automl.learn.trials import TrialRecord

MOST_DESCRIBED = 12
"""Trials of a longer front are described at even distances along it, both ends included; every trial's two values are in the list of trials."""
MOST_KEPT = 5
MOST_BYTES = 64 * 2**20
"""Of the trial files whose models are kept: a person who would rather deploy another point of the front has it, and a bundle stays small."""


def front_of(result: SearchResult) -> tuple[TrialRecord, ...]:
    """The complete trials that no other one is at least as good as in both objectives and better in one; the best score first, equal ones once."""
    if result.disparity is None:
        return ()
    loss = result.disparity.loss
    front: list[TrialRecord] = []
    for record in sorted(result.complete, key=lambda each: (result.loss(each), loss(each.fairness), each.number)):
        if not front or loss(record.fairness) < loss(front[-1].fairness):
            front.append(record)
    return tuple(front)


def along(front: Sequence[TrialRecord], most: int) -> tuple[TrialRecord, ...]:
    """At most ``most`` of them at even distances, both ends included."""
    if len(front) <= most:
        return tuple(front)
    return tuple(front[at] for at in np.linspace(0, len(front) - 1, most).round().astype(int))


def kept_of(described: Sequence[TrialRecord]) -> tuple[TrialRecord, ...]:
    """The trials whose models go into the bundle: at most `MOST_KEPT` along the front, the ends first, while they fit into `MOST_BYTES`."""
    spread = along(described, MOST_KEPT)
    kept, size = [], 0
    for record in sorted(spread, key=lambda each: each not in (spread[0], spread[-1])):
        size += record.path.stat().st_size if record.path else 0
        if size <= MOST_BYTES:
            kept.append(record)
    return tuple(record for record in spread if record in kept)
