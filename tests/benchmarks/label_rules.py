"""`python -m tests.benchmarks.label_rules`: published rules for the label of evidence rule 7, held against each other at a true ratio equal to the limit.

Exact: every table of two sizes with its probability. The largest error over common rates of 0.02 to 0.98, divided by the level asked for (1 is what was promised), and what a rule shows where there is something to show.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, norm

from automl.audit.intervals import clopper_pearson, mover_ratio, wilson
from automl.audit.labels import FEW_NOT_SELECTED

Array = NDArray[np.float64]
Rule = Callable[[Any, int, Any, int, float], tuple[Any, Any]]
"""Counts and sizes of group and reference, and the level: whether it says "below", and whether "not below"."""
LIMIT = 0.8
PAIRS = ((1181, 1390), (797, 390), (119, 797), (797, 41), (41, 797), (385, 412), (98, 412), (17, 412), (412, 17), (50, 50), (2000, 50), (50, 2000))
"""Sizes of group and reference: of V1's tables, and of the study."""
RATES = np.linspace(0.02, 0.98, 49)


def restricted(k1: Any, n1: int, k2: Any, n2: int) -> tuple[Any, Any, Any]:
    """Both rates' likeliest values whose ratio is the limit, and the variance of p1 - limit p2 at them (Koopman 1984; Miettinen and Nurminen 1985)."""
    n = n1 + n2
    b = n1 * LIMIT + k1 + n2 + k2 * LIMIT
    p2 = (b - np.sqrt(np.maximum(b * b - 4 * n * LIMIT * (k1 + k2), 0))) / (2 * n * LIMIT)
    p1 = LIMIT * p2
    return p1, p2, p1 * (1 - p1) / n1 + LIMIT**2 * p2 * (1 - p2) / n2


def score(k1: Any, n1: int, k2: Any, n2: int) -> Any:
    _, _, variance = restricted(k1, n1, k2, n2)
    difference = k1 / n1 - LIMIT * k2 / n2
    return np.where(variance > 0, difference / np.sqrt(np.where(variance > 0, variance, 1)), 0.0)


def skewness_corrected(k1: Any, n1: int, k2: Any, n2: int) -> Any:
    """Gart and Nam (1988)."""
    p1, p2, variance = restricted(k1, n1, k2, n2)
    third = p1 * (1 - p1) * (1 - 2 * p1) / n1**2 - LIMIT**3 * p2 * (1 - p2) * (1 - 2 * p2) / n2**2
    z = score(k1, n1, k2, n2)
    return np.where(variance > 0, z - third / np.where(variance > 0, variance, 1) ** 1.5 * (z * z - 1) / 6, z)


def by_score(statistic: Callable[[Any, int, Any, int], Any], shrunk: bool = False) -> Rule:
    def rule(k1: Any, n1: int, k2: Any, n2: int, level: float) -> tuple[Any, Any]:
        z = statistic(k1, n1, k2, n2) * (np.sqrt((n1 + n2 - 1) / (n1 + n2)) if shrunk else 1)
        return z < -norm.isf(level), (z >= norm.isf(level)) & (k2 > 0)

    return rule


def by_mover(limits: Callable[..., tuple[Any, Any]]) -> Rule:
    def rule(k1: Any, n1: int, k2: Any, n2: int, level: float) -> tuple[Any, Any]:
        low, high = mover_ratio(k1, n1, k2, n2, level, limits)
        return high < LIMIT, (low >= LIMIT) & (k2 > 0)

    return rule


def both(one: Rule, other: Rule) -> Rule:
    return lambda *counts: tuple(a & b for a, b in zip(one(*counts), other(*counts), strict=True))  # type: ignore[return-value]


def quotient_where_few(k1: Any, n1: int, k2: Any, n2: int, level: float) -> tuple[Any, Any]:
    low = clopper_pearson(k1, n1, level / 2)[0] / clopper_pearson(k2, n2, level / 2)[1]
    return np.broadcast_to(True, np.shape(low)), (n2 - k2 >= FEW_NOT_SELECTED) | (low >= LIMIT)


WILSON, EXACT = by_mover(wilson), by_mover(clopper_pearson)
RULES: dict[str, Rule | None] = {
    "MOVER-R of Wilson's limits (rule 7 as it stands)": WILSON, "Koopman's score": by_score(score), "Miettinen and Nurminen's score": by_score(score, shrunk=True),
    "Gart and Nam's skewness-corrected score": by_score(skewness_corrected), "MOVER-R of Wilson's and Koopman's score, both": both(WILSON, by_score(score)),
    "MOVER-R of Wilson's and Gart and Nam's, both": both(WILSON, by_score(skewness_corrected)), "MOVER-R of Clopper and Pearson's limits": EXACT,
    "**chosen**: of both limits, and their quotient where few are not selected": both(both(WILSON, EXACT), quotient_where_few), "exact unconditional test (Chan 1998), by the score": None,
}


def boundaries(rule: Rule, n1: int, n2: int, level: float) -> tuple[Any, Any]:
    """For each count of the reference: the largest count of the group that is "below" (-1: none), and the smallest that is "not below" (n1 + 1: none)."""
    k2 = np.arange(n2 + 1.0)
    found = []
    for side in (0, 1):
        low, high = np.full(n2 + 1, -1 if side == 0 else 0), np.full(n2 + 1, n1 if side == 0 else n1 + 1)
        while (low < high).any():
            middle = (low + high + 1) // 2 if side == 0 else (low + high) // 2
            told = rule(np.clip(middle, 0, n1).astype(float), n1, k2, n2, level)[side] & (low < high)
            if side == 0:
                low, high = np.where(told, middle, low), np.where(told | (low >= high), high, middle - 1)
            else:
                low, high = np.where(told | (low >= high), low, middle + 1), np.where(told, middle, high)
        found.append(low)
    return found[0], found[1]


def chances(found: tuple[Any, Any], n1: int, n2: int, ratio: float, rates: Any) -> tuple[Any, Any]:
    """Of "below" and of "not below", at each common rate of the reference."""
    mass = binom.pmf(np.arange(n2 + 1), n2, rates[:, None])
    return (mass * binom.cdf(found[0], n1, ratio * rates[:, None])).sum(axis=1), (mass * binom.sf(found[1] - 1, n1, ratio * rates[:, None])).sum(axis=1)


def unconditional(n1: int, n2: int, level: float) -> tuple[Any, Any]:
    """The boundaries of the score whose critical value is raised until its largest error over `RATES` is the level, each side on its own."""
    sides = []
    for side in (0, 1):
        low, high = norm.isf(level) - 0.5, norm.isf(level) + 4
        for _ in range(14):
            middle = (low + high) / 2
            error = chances(boundaries(by_score(score), n1, n2, float(norm.sf(middle))), n1, n2, LIMIT, RATES)[side].max()
            low, high = (low, middle) if error <= level else (middle, high)
        sides.append(boundaries(by_score(score), n1, n2, float(norm.sf(high)))[side])
    return sides[0], sides[1]


def _report(levels: Sequence[float]) -> Iterator[str]:
    for level in levels:
        yield (f"\n| at one-sided {level:.4f} | largest error over level, \"below\" | \"not below\" | \"below\" at a true ratio of 0.6, mean over sizes, rate 0.5 | \"not below\" at 1 |\n"
               "|---|---|---|---|---|")
        for name, rule in RULES.items():
            rows = []
            for n1, n2 in PAIRS:
                found = unconditional(n1, n2, level) if rule is None else boundaries(rule, n1, n2, level)
                error, half = chances(found, n1, n2, LIMIT, RATES), np.array([0.5])
                rows.append((error[0].max() / level, error[1].max() / level, chances(found, n1, n2, 0.6, half)[0][0], chances(found, n1, n2, 1.0, half)[1][0]))
            table = np.array(rows)
            yield f"| {name} | {table[:, 0].max():.2f} | {table[:, 1].max():.2f} | {table[:, 2].mean():.3f} | {table[:, 3].mean():.3f} |"


if __name__ == "__main__":
    for line in _report((0.025, 0.025 / 6, 0.025 / 13)):
        print(line, flush=True)
    sys.exit(0)
