"""A predicted number's mean and mean absolute error in a group beside those of all rows and of the group in which they are best: differences and ratios with their limits (evidence rules 5 and 9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from automl.audit.intervals import LOW_PRECISION_BELOW
from automl.audit.outcomes import FloatArray
from automl.audit.parity import ScoreLevels
from automl.audit.rate_comparisons import NO_OTHERS, THE_BEST
from automl.audit.resampling import exponential, percentile_estimate, same_in_all, simultaneous
from automl.evidence import NotMeasured, RateComparison, Value

COLUMNS: Mapping[str, tuple[int, int]] = {"mean": (0, 1), "mean_absolute_error": (2, -1)}
"""Where each stands among the means, and whether the highest or the lowest of the groups is the best."""


def score_comparisons(names: Sequence[str], levels: Sequence[ScoreLevels]) -> tuple[dict[str, RateComparison], ...]:
    """For each group, in the order given, both means of `COLUMNS` held against those of all groups together and of the best one's.

    The best group is found by looking, so its contrasts hold for all pairs of groups at once (Bonferroni); those with all rows for all groups at once (of two groups there is one contrast). Groups of
    few rows are left aside where there are others. Of all rows the group's own share w is taken as given: the difference is (1 - w) times that from the others. Ratios have limits on the logarithm's
    scale, where every group's mean is above 0.
    """
    if len(levels) < 2:
        alone = NotMeasured(reason=NO_OTHERS)
        return tuple({what: RateComparison(minus_all=alone, over_all=alone, best=None, minus_best=alone, over_best=alone) for what in COLUMNS} for _ in levels)
    return tuple({what: _compared(at, column, _best(column, toward, levels), names, levels) for what, (column, toward) in COLUMNS.items()} for at in range(len(levels)))


def _best(column: int, toward: int, levels: Sequence[ScoreLevels]) -> int:
    large = [at for at, one in enumerate(levels) if one.units >= LOW_PRECISION_BELOW] or range(len(levels))
    return max(large, key=lambda at: (toward * levels[at].means[column], levels[at].rows))


def _compared(at: int, column: int, best: int, names: Sequence[str], levels: Sequence[ScoreLevels]) -> RateComparison:
    groups = len(levels)
    contrasts, pairs = (1 if groups == 2 else groups), groups * (groups - 1) // 2
    shares = np.array([one.heavy for one in levels]) / sum(one.heavy for one in levels)
    of_all = float(sum(share * one.means[column] for share, one in zip(shares, levels, strict=True))), sum(share * one.replicates[:, column] for share, one in zip(shares, levels, strict=True))
    units = min(levels[at].units, sum(one.units for other, one in enumerate(levels) if other != at))
    rows = sum(one.rows for one in levels)
    mine, theirs = (float(levels[at].means[column]), levels[at].replicates[:, column]), (float(levels[best].means[column]), levels[best].replicates[:, column])
    positive = min(one.means[column] for one in levels) > 0
    fewest, both = min(levels[at].units, levels[best].units), levels[at].rows + levels[best].rows
    return RateComparison(
        minus_all=_minus(mine, of_all, rows, units, contrasts), over_all=_over(mine, of_all, rows, units, contrasts, positive), best=names[best],
        minus_best=THE_BEST if at == best else _minus(mine, theirs, both, fewest, pairs), over_best=THE_BEST if at == best else _over(mine, theirs, both, fewest, pairs, positive))


Replicated = tuple[float, FloatArray]


def _minus(a: Replicated, b: Replicated, rows: int, units: int, comparisons: int) -> Value:
    return _estimate(a[0] - b[0], a[1] - b[1], rows, units, comparisons)


def _over(a: Replicated, b: Replicated, rows: int, units: int, comparisons: int, positive: bool) -> Value:
    if not positive:
        return NotMeasured(reason="a ratio of means is only given where every group's mean is above 0")
    with np.errstate(divide="ignore", invalid="ignore"):  # a replicate that is not above 0 is left out
        logarithms = np.log(a[1] / b[1])
    return exponential(_estimate(float(np.log(a[0] / b[0])), logarithms, rows, units, comparisons))


def _estimate(value: float, replicates: FloatArray, rows: int, units: int, comparisons: int) -> Value:
    if units > 1 and same_in_all(value, replicates):
        return NotMeasured(reason="nothing varies on either side")
    return simultaneous(percentile_estimate(value, replicates, rows, units=units), comparisons)
