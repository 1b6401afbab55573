"""Each error rate of a group beside that of all rows and that of the group in which it is best: differences and ratios with their limits (evidence rules 5 and 9)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from automl.audit.intervals import LEVEL, Count, difference_estimate, mover_of_limits, pool, simultaneous_limits, wilson
from automl.evidence import Estimate, NotMeasured, RateComparison, Value

LOWEST_IS_BEST = frozenset({"fpr", "fnr"})
NO_OTHERS = "there is no other group with rows that count towards it"
NO_ROWS = "no row of this group counts towards it"
THE_BEST = NotMeasured(reason="this is the best group")


def rate_comparisons(rate: str, names: Sequence[str], counts: Sequence[Count]) -> tuple[RateComparison, ...]:
    """For each group (``names`` and ``counts`` in one order) its ``rate`` held against that of all groups pooled and against the best one's.

    The best group is the one with the highest rate, of false positive and false negative rates the lowest; groups of few rows are passed over where there are others. It is found by
    looking, so its contrasts hold for all pairs of groups at once (Bonferroni); those with all rows for all groups at once (of two groups there is one contrast), one rate at a time. All rows hold the group's own, whose share w of them is taken as
    given: the difference is (1 - w) times that from the others, the ratio r / (w r + 1 - w) of the ratio r to the others, and so are the limits.
    """
    have = [at for at, one in enumerate(counts) if one.rows_n and one.sum_n > 0]
    best = _best(rate, have, counts)
    return tuple(_compared(at, have, best, names, counts) for at in range(len(counts)))


def _best(rate: str, have: Sequence[int], counts: Sequence[Count]) -> int | None:
    large = [at for at in have if not counts[at].low_precision] or list(have)
    if len(have) < 2:
        return None
    toward = -1 if rate in LOWEST_IS_BEST else 1
    return max(large, key=lambda at: (toward * counts[at].exact_rate, counts[at].rows_n))


def _compared(at: int, have: Sequence[int], best: int | None, names: Sequence[str], counts: Sequence[Count]) -> RateComparison:
    if at not in have or best is None:
        absent = NotMeasured(reason=NO_OTHERS if at in have else NO_ROWS)
        return RateComparison(minus_all=absent, over_all=absent, best=None, minus_best=absent, over_best=absent)
    mine, others = counts[at], pool([counts[other] for other in have if other != at])
    share, groups = mine.sum_n / (mine.sum_n + others.sum_n), len(have)
    contrasts = 1 if groups == 2 else groups
    pairs = groups * (groups - 1) // 2
    return RateComparison(
        minus_all=_moved(difference_estimate(mine, others, NO_OTHERS, contrasts), lambda difference: (1 - share) * difference), over_all=_over_all(mine, others, share, contrasts), best=names[best],
        minus_best=THE_BEST if at == best else difference_estimate(mine, counts[best], comparisons=pairs), over_best=THE_BEST if at == best else ratio_estimate(mine, counts[best], pairs))


def ratio_estimate(a: Count, b: Count, comparisons: int = 1) -> Value:
    """rate(a) / rate(b) with MOVER-R's limits (Donner and Zou 2012) from Wilson's, or simultaneous over ``comparisons`` from `simultaneous_limits`; NotMeasured where rate(b) is 0."""
    if b.sum_k == 0:
        return NotMeasured(reason="the rate to divide by is 0")
    alpha = (1 - LEVEL) / comparisons
    low, high = _ratio_limits(a, b, alpha / 2, comparisons)
    return _estimate(float(a.exact_rate / b.exact_rate), low, high, a, b, comparisons, a.rows_n + b.rows_n)


def _ratio_limits(a: Count, b: Count, tail: float, comparisons: int) -> tuple[float, float]:
    of_a, of_b = ((wilson(c.k, c.n, tail) if comparisons == 1 else simultaneous_limits(c, tail)) for c in (a, b))
    low, high = mover_of_limits(np.asarray(a.rate), of_a, np.asarray(b.rate), of_b)
    return float(low), float(high)


def _over_all(mine: Count, others: Count, share: float, comparisons: int) -> Value:
    if mine.sum_k == 0 and others.sum_k == 0:
        return NotMeasured(reason="the rate of all rows is 0")
    low, high = _ratio_limits(mine, others, (1 - LEVEL) / comparisons / 2, comparisons)

    def of_all(ratio: float) -> float:
        return 1 / share if np.isinf(ratio) else ratio / (share * ratio + 1 - share)

    value = of_all(float(mine.exact_rate / others.exact_rate) if others.sum_k else np.inf)
    return _estimate(value, of_all(float(low)), of_all(float(high)), mine, others, comparisons, mine.rows_n + others.rows_n)


def _estimate(value: float, low: float, high: float, a: Count, b: Count, comparisons: int, n: int) -> Estimate:
    suffix = (f", simultaneous over {comparisons}" if comparisons > 1 else "") + (a.suffix() or b.suffix())
    return Estimate(value=value, low=min(low, value), high=max(high, value), level=LEVEL if comparisons == 1 else 1 - (1 - LEVEL) / comparisons, method=("mover-r wilson" if comparisons == 1 else "mover-r clopper-pearson") + suffix, n=n,
                    low_precision=a.low_precision or b.low_precision)


def _moved(estimate: Value, by: Callable[[float], float]) -> Value:
    if isinstance(estimate, NotMeasured):
        return estimate
    return estimate.model_copy(update={name: by(getattr(estimate, name)) for name in ("value", "low", "high")})
