"""The label of an impact ratio (evidence rule 7), by limits that hold their level at the sizes that audits have.

Rule 7's own limits, MOVER-R from Wilson's, are what is printed. At a true ratio equal to the limit they are wrong in up to twice their level where a large group meets a small one, and in up to seven times the
small levels that many groups ask for (`docs/statistics.md`). So a label needs two more things:

- the same MOVER-R limits (Donner and Zou 2012) from Clopper and Pearson's (1934) limits of both rates. Where all but a few of the other group are selected the square root of a sum of squares is still too
  short for "not below"; there the lower limit is the quotient of both limits at half the level, which no dependence between them can break (Bonferroni).
- for "below": equal rates ruled out as well, at 1 % shared by all comparisons that the table makes, so that a table of truly equal groups hardly ever says "below" of any.

Whichever group has the highest rate, every pair is compared: choosing the reference after looking costs nothing that the division of the level does not pay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from automl.audit.intervals import Count, clopper_pearson, mover_of_limits, wilson
from automl.evidence import RatioLabel
from automl.printing import fixed, visible

ONE_SIDED = 0.025
"""Each side's level; an interval of both is a 95 % interval."""
EQUAL_RATES = 0.01
"""Of tables of truly equal groups, at most: "below" of any of them."""
LONGEST_NAME = 60
FEW_NOT_SELECTED = 10
"""Fewer people of the other group than this who are not selected: "not below" rests on the quotient of limits at half the level."""
RULE = (
    "\"Below\" is said where, against some other group, the upper limit of the ratio lies below the stated limit; \"not below\" where, against every other group, the lower limit does not; against a reference that was "
    "named beforehand, that one comparison decides. Both take MOVER-R's limits from Wilson's and from Clopper and Pearson's limits and the more cautious of the two, at one-sided 2.5 %, which for \"below\" is divided by the "
    "number of groups compared with. \"Below\" also needs equal rates to be ruled out, at 1 % divided by the number of all comparisons in the table. The printed interval is MOVER-R's from Wilson's limits, at 95 %, of one comparison."
)


class Levels(NamedTuple):
    """One-sided levels of a table's comparisons."""

    below: float
    equal: float

    @classmethod
    def of(cls, groups: int, named: bool) -> Levels:
        """Of a table of so many groups; without a named reference each group is compared with each other one."""
        others = max(groups - 1, 1)
        return cls(ONE_SIDED if named else ONE_SIDED / others, EQUAL_RATES / others if named else EQUAL_RATES / (others * groups))


@dataclass(frozen=True)
class Bounds:
    """What comparisons ask of one group, or of many counts at once (arrays of one shape): its rate, how many are not selected, and the limits of its rate by method and level."""

    rate: Any
    not_selected: Any
    score: dict[float, tuple[Any, Any]]
    exact: dict[float, tuple[Any, Any]]

    @classmethod
    def of(cls, k: Any, n: Any, levels: Levels, *, only_below: bool = False) -> Bounds:
        """``only_below``: without what "not below" asks for."""
        k, n = np.asarray(k, dtype=float), np.asarray(n, dtype=float)
        by_score, exactly = ({levels.below}, set(levels)) if only_below else ({levels.below, ONE_SIDED}, {*levels, ONE_SIDED, ONE_SIDED / 2})
        return cls(k / n, n - k, {level: wilson(k, n, level) for level in by_score}, {level: clopper_pearson(k, n, level) for level in exactly})

    def pick(self, at: Any) -> Bounds:
        """The counts at these places of arrays."""
        def of(limits: dict[float, tuple[Any, Any]]) -> dict[float, tuple[Any, Any]]:
            return {level: (low[at], high[at]) for level, (low, high) in limits.items()}

        return Bounds(self.rate[at], self.not_selected[at], of(self.score), of(self.exact))


class Upper(NamedTuple):
    """What one comparison shows of "below": the ratio's upper limit, and whether the first rate is lower at all."""

    high: Any
    lower_at_all: Any

    def below(self, limit: float) -> Any:
        return (self.high < limit) & self.lower_at_all


def upper(mine: Bounds, theirs: Bounds, levels: Levels) -> Upper:
    """Arrays broadcast. ``high`` is infinite where the other rate's lower limit is 0."""
    by_score, exactly = (_limits(one, two, mine.rate, theirs.rate, levels.below)[1] for one, two in ((mine.score, theirs.score), (mine.exact, theirs.exact)))
    return Upper(np.maximum(by_score, exactly), _limits(mine.exact, theirs.exact, mine.rate, theirs.rate, levels.equal)[1] < 1)


def lower(mine: Bounds, theirs: Bounds) -> Any:
    """The ratio's lower limit, for "not below". Arrays broadcast."""
    by_score, exactly = (_limits(one, two, mine.rate, theirs.rate, ONE_SIDED)[0] for one, two in ((mine.score, theirs.score), (mine.exact, theirs.exact)))
    low, quotient = np.minimum(by_score, exactly), mine.exact[ONE_SIDED / 2][0] / theirs.exact[ONE_SIDED / 2][1]
    return np.where(theirs.not_selected < FEW_NOT_SELECTED, np.minimum(low, quotient), low)


def _limits(mine: Mapping[float, tuple[Any, Any]], theirs: Mapping[float, tuple[Any, Any]], rate: Any, other: Any, level: float) -> tuple[Any, Any]:
    return mover_of_limits(rate, mine[level], other, theirs[level])


@dataclass(frozen=True)
class Label:
    label: RatioLabel
    level: float | None = None
    contrast: int | None = None
    """Index of the group whose comparison decided."""
    low: float | None = None
    """The least lower limit over the comparisons."""
    high: float | None = None
    """The upper limit of the comparison that decided; of those that do not show "below", the least."""
    weakest: int | None = None
    """Index of the group against which the lower limit is least."""


@lru_cache(maxsize=64)
def label_table(counts: tuple[Count, ...], reference: int, named: bool, limit: float) -> tuple[Label, ...]:
    """The label of every group of a table of two or more; asked for once a group, hence kept."""
    levels = Levels.of(len(counts), named)
    bounds = Bounds.of([c.k for c in counts], [c.n for c in counts], levels)
    others = np.array([reference]) if named else np.arange(len(counts))
    rows, columns = bounds.pick(np.s_[:, None]), bounds.pick(others[None, :])
    found, itself = upper(rows, columns, levels), others[None, :] == np.arange(len(counts))[:, None]
    low, high, below = np.where(itself, np.inf, lower(rows, columns)), np.where(itself, np.inf, found.high), found.below(limit) & ~itself
    return tuple(Label("reference") if group == reference else _label(low[group], high[group], below[group], others, levels, limit) for group in range(len(counts)))


def _label(low: Any, high: Any, below: Any, others: Any, levels: Levels, limit: float) -> Label:
    weakest = int(low.argmin())
    decided = int((np.where(below, high, np.inf) if below.any() else high).argmin())
    shown = Label("below" if below.any() else "inconclusive", levels.below, int(others[decided]), float(low[weakest]), float(high[decided]), int(others[weakest]))
    return replace(shown, label="not_below", level=ONE_SIDED, contrast=shown.weakest) if low[weakest] >= limit and not below.any() else shown


def why_not_as_printed(label: Label, printed: tuple[float, float], names: Sequence[str], reference: int, named: bool, limit: float) -> str:
    """Why the label is not what the printed interval alone would suggest; "" where it is."""
    low, high = printed
    if label.low is None or label.high is None or label.weakest is None or label.contrast is None:  # the reference
        return ""
    if label.label == "below":
        return "" if high < limit else f"shown by the comparison with {visible(names[label.contrast], LONGEST_NAME)}"
    if label.label == "inconclusive" and high < limit:
        if label.high < limit:
            return "equal rates are not ruled out at 1 % over all comparisons of the table"
        many = f" at the level for {len(names) - 1} comparisons" if len(names) > 2 and not named else " by exact limits"
        return f"the upper limit{many} is {fixed(label.high, 3, limit)}"
    if label.label == "inconclusive" and low >= limit:
        against = f" against {visible(names[label.weakest], LONGEST_NAME)}" if label.weakest != reference else " by exact limits"
        return f"the lower limit{against} is {fixed(label.low, 3, limit)}"
    return ""
