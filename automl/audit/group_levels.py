"""What each group gets, and the lowest impact ratio of an attribute, as briefly as the robustness tables need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.audit.impact import Reference, highest
from automl.audit.intervals import LOW_PRECISION_BELOW, Count, count, mover_ratio, rate_estimate
from automl.audit.means import mean_estimate
from automl.audit.outcomes import BoolArray, Outcomes, groups_of
from automl.evidence import AttributeLevels, Estimate, GroupLevel, LowestRatio, NotMeasured, Value

Members = dict[str, dict[str, NDArray[np.int64]]]
"""Attribute to group to its rows."""


def members_of(groups: Mapping[str, NDArray[np.object_]]) -> Members:
    """The rows of each known group."""
    return {attribute: {group: np.flatnonzero(labels == group) for group in groups_of(labels)} for attribute, labels in groups.items()}


def levels(outcomes: Outcomes, members: Members, reference: Mapping[str, str]) -> tuple[AttributeLevels, ...]:
    """Selection rates (of a regression mean predicted numbers) by group, with the lowest ratio of each attribute."""
    selected = selection(outcomes)
    return tuple(AttributeLevels(
        attribute=attribute, lowest=lowest_ratio(attribute, counts_of(selected, outcomes, of_group), reference.get(attribute)),
        groups=tuple(GroupLevel(group=group, n=len(rows), outcome=_level(outcomes, selected, rows)) for group, rows in of_group.items()),
    ) for attribute, of_group in members.items())


def selection(outcomes: Outcomes) -> BoolArray | None:
    """Who is selected; None where nothing is decided or no outcome is named as the good one."""
    return outcomes.selected() if outcomes.favourable and outcomes.task != "regression" else None


def cut(outcomes: Outcomes, rows: NDArray[Any]) -> tuple[Any, Any]:
    """Weight and cluster of some rows."""
    return None if outcomes.weight is None else outcomes.weight[rows], None if outcomes.cluster is None else outcomes.cluster[rows]


def _level(outcomes: Outcomes, selected: BoolArray | None, rows: NDArray[np.int64]) -> Value:
    if selected is not None:
        return rate_estimate(count(selected[rows], *cut(outcomes, rows)), "the weights of this group add up to 0")
    if outcomes.task == "regression" and outcomes.score is not None:
        return mean_estimate(outcomes.score[rows], *cut(outcomes, rows))
    return NotMeasured(reason="no favourable label was named")


def counts_of(selected: BoolArray | None, outcomes: Outcomes, of_group: Mapping[str, NDArray[np.int64]]) -> dict[str, Count] | None:
    """The selection count of each group; None where nobody is selected or not."""
    return None if selected is None else {group: count(selected[rows], *cut(outcomes, rows)) for group, rows in of_group.items()}


def lowest_ratio(attribute: str, counts: Mapping[str, Count] | None, named: str | None) -> LowestRatio:
    """The lowest ratio of rates against the named reference, or the highest rate, among groups with enough rows (rule 5: nothing is concluded from fewer)."""
    def absent(reason: str) -> LowestRatio:
        return LowestRatio(attribute=attribute, group=None, reference=None, ratio=NotMeasured(reason=reason))

    if counts is None:
        return absent("nothing is decided, or no favourable label was named")
    large = {group: one for group, one in counts.items() if not one.low_precision and one.sum_n > 0}
    if len(large) < 2:
        return absent(f"fewer than two groups have {LOW_PRECISION_BELOW} rows")
    reference = _reference(list(large), list(large.values()), named)
    if reference is None or large[against := list(large)[reference.index]].sum_k == 0:
        return absent("nobody in the reference is selected")
    group = min((name for name in large if name != against), key=lambda name: (large[name].exact_rate, name))
    low, high = mover_ratio(large[group].k, large[group].n, large[against].k, large[against].n)
    value = float(large[group].exact_rate / large[against].exact_rate)
    return LowestRatio(attribute=attribute, group=group, reference=against, ratio=Estimate(
        value=value, low=min(float(low), value), high=max(float(high), value), method="mover-r wilson" + (large[group].suffix() or large[against].suffix()),
        n=large[group].rows_n + large[against].rows_n))


def _reference(names: Sequence[str], counts: Sequence[Count], named: str | None) -> Reference | None:
    if named in names:
        return Reference(names.index(str(named)), named=True)
    best = highest(names, counts)
    return None if best is None else Reference(best, named=False)
