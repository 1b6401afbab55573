"""`make coverage-study`: how often the audit's intervals hold the truth and its labels are wrong, from the functions that the audit itself calls.

Rates, differences, ratios and labels of two groups by exact enumeration of all outcomes that are not wildly improbable (what is left out is below 1e-10 and counted as a
miss); areas under the curve, and labels and tests of many groups, by seeded simulation, with its own error beside it.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, norm
from statsmodels.stats.proportion import confint_proportions_2indep

from automl.audit.intervals import Count, auc_estimate, mover_ratio, wilson
from automl.audit.labels import Bounds, Levels, upper
from automl.audit.operating import label_tables
from automl.audit.significance import fisher_p, holm
from automl.evidence import Estimate

Array = NDArray[np.float64]
SIZES = (50, 200, 2_000)
RATES = tuple(round(0.05 * step, 2) for step in range(1, 20))
RATES_OF_MANY = (0.02, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9)
LIMIT = 0.8
LEFT_OUT = 1e-12
"""Of each group's probability, on each side."""
V1 = {"sex": (1390, 1181), "race": (408, 797, 390, 119, 616, 41, 213), "sex x race": (205, 190, 412, 226, 87, 321, 24, 115, 385, 164, 32, 295, 17, 98)}
"""The group sizes of the rule's own example (Local Law 144, selection rates)."""


@dataclass(frozen=True)
class Coverage:
    """``below``: the probability that the whole interval lies below the truth; ``above``: above it."""

    where: tuple[float, ...]
    below: float
    above: float

    @property
    def held(self) -> float:
        return 1 - self.below - self.above


def outcomes(n: int, p: float) -> tuple[Array, Array]:
    """The counts (m,) of ``n`` at rate ``p`` that are not wildly improbable, and their probabilities (m,)."""
    low, high = int(binom.ppf(LEFT_OUT, n, p)), int(binom.isf(LEFT_OUT, n, p))
    k = np.arange(low, high + 1, dtype=float)
    return k, binom.pmf(k, n, p)


def of_rate(n: int, p: float) -> Coverage:
    k, mass = outcomes(n, p)
    low, high = wilson(k, n)
    return _coverage((p,), mass, low, high, p)


def of_two(limits: Callable[[Array, int, Array, int], tuple[Any, Any]], truth: Callable[[float, float], float], n: tuple[int, int], p: tuple[float, float]) -> Coverage:
    """Of an interval for two independent rates, exactly. ``limits`` gets counts and sizes of both groups."""
    (k1, mass1), (k2, mass2) = outcomes(n[0], p[0]), outcomes(n[1], p[1])
    at = np.s_[int(k1[0]):int(k1[-1]) + 1, int(k2[0]):int(k2[-1]) + 1]
    low, high = every_table(limits, n)
    return _coverage(p, np.outer(mass1, mass2), low[at], high[at], truth(*p))


@lru_cache(maxsize=1)
def every_table(limits: Callable[[Array, int, Array, int], tuple[Any, Any]], n: tuple[int, int]) -> tuple[Array, Array]:
    """The limits of all tables of two sizes; asked for once for each pair of rates, hence kept."""
    one, two = np.meshgrid(np.arange(n[0] + 1.0), np.arange(n[1] + 1.0), indexing="ij")
    low, high = limits(one, n[0], two, n[1])
    return low, high


def _coverage(where: tuple[float, ...], mass: Array, low: Any, high: Any, truth: float) -> Coverage:
    # an interval that ends at the truth holds it; the last digits of a limit are no miss
    slack = 1e-12
    missing = 1 - float(mass.sum())
    return Coverage(where, float(mass[high < truth - slack].sum()) + missing, float(mass[low > truth + slack].sum()))


def newcombe(k1: Array, n1: int, k2: Array, n2: int) -> tuple[Any, Any]:
    limits: tuple[Any, Any] = confint_proportions_2indep(k1, n1, k2, n2, compare="diff", method="newcomb")
    return limits


def mover(k1: Array, n1: int, k2: Array, n2: int) -> tuple[Any, Any]:
    """Where nobody is selected in the second group there is no ratio: nothing is claimed, and the interval is everything."""
    low, high = mover_ratio(k1, n1, k2, n2)
    return np.where(k2 > 0, low, 0.0), np.where(k2 > 0, high, np.inf)


def wrong_labels(n: tuple[int, int], rate_of_reference: float, named: bool = False) -> tuple[float, float]:
    """Probability of "below" and of "not_below" for a group whose true ratio to the other, the higher of the two, is the limit itself. Where the other was not named as reference,
    a group that is drawn with the higher rate is the reference itself."""
    (k1, mass1), (k2, mass2) = outcomes(n[0], LIMIT * rate_of_reference), outcomes(n[1], rate_of_reference)
    labels = label_tables([k1.astype(int)[:, None], k2.astype(int)[None, :]], n, ("group", "other"), LIMIT, 1 if named else None)
    return float(mass1 @ labels.below @ mass2), float(mass1 @ labels.not_below @ mass2)


def wrong_labels_of_many(sizes: Sequence[int], group: int, rate: float, tables: int, seed: int) -> tuple[float, float]:
    """As `wrong_labels`, simulated, where all other groups have the rate ``rate`` and none was named as reference."""
    rates, order = np.full(len(sizes), rate), [group, *(h for h in range(len(sizes)) if h != group)]
    rates[group] *= LIMIT
    k = np.random.default_rng(seed).binomial(np.array(sizes), rates, size=(tables, len(sizes)))
    labels = label_tables([k[:, h] for h in order], [sizes[h] for h in order], [str(h) for h in order], LIMIT, None)
    return float(labels.below.mean()), float(labels.not_below.mean())


def equal_groups(sizes: Sequence[int], rate: float, tables: int, tested: int, seed: int) -> tuple[float, float, float]:
    """Share of tables of truly equal groups with any "below" (of ``tables``), the same where the largest group was named as reference, and with any significance after Holm (Fisher,
    group against rest; of ``tested``)."""
    k = np.random.default_rng(seed).binomial(np.array(sizes), rate, size=(tables, len(sizes)))
    largest, below = int(np.argmax(sizes)), []
    for named in (False, True):
        levels = Levels.of(len(sizes), named)
        bounds = [_limits_of_drawn(k[:, g], sizes[g], levels) for g in range(len(sizes))]
        pairs = [(g, h) for g, h in itertools.permutations(range(len(sizes)), 2) if h == largest or not named]
        below.append(float(np.logical_or.reduce([upper(bounds[g], bounds[h], levels).below(LIMIT) for g, h in pairs]).mean()))
    significant = [_any_significant(row, sizes) for row in k[:tested].tolist()]
    return below[0], below[1], float(np.mean(significant)) if significant else 0.0


def _limits_of_drawn(k: NDArray[np.int64], n: int, levels: Levels) -> Bounds:
    return Bounds.of(np.arange(n + 1), n, levels).pick(k)


def _any_significant(k: Sequence[int], n: Sequence[int]) -> bool:
    # two groups are one contrast
    contrasts = range(1 if len(n) == 2 else len(n))
    p = [fisher_p(Count.of(k[g], n[g]), Count.of(sum(k) - k[g], sum(n) - n[g])) for g in contrasts]
    return min(holm(p)) < 0.05


def of_auc(positives: int, negatives: int, auc: float, repetitions: int, seed: int) -> Coverage:
    """Of scores that are normal in both classes with the same spread (the binormal model)."""
    draw, shift = np.random.default_rng(seed), float(norm.ppf(auc)) * np.sqrt(2)
    below = above = 0
    for _ in range(repetitions):
        found = auc_estimate(draw.normal(shift, 1, positives), draw.normal(0, 1, negatives))
        assert isinstance(found, Estimate)
        below += found.high < auc
        above += found.low > auc
    return Coverage((auc,), below / repetitions, above / repetitions)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make coverage-study")
    parser.add_argument("--repetitions", type=int, default=2_000, help="of each simulated cell")
    parser.add_argument("--tables", type=int, default=20_000, help="simulated for the labels of many groups")
    parser.add_argument("--tested", type=int, default=500, help="of these, tested with Fisher's test, which takes longer")
    options = parser.parse_args(arguments)
    for line in _report(options.repetitions, options.tables, options.tested):
        print(line, flush=True)
    return 0


def _report(repetitions: int, tables: int, tested: int) -> Iterator[str]:
    yield "| interval | sizes | least held | at rates | most ever below the truth | most ever above |\n|---|---|---|---|---|---|"
    for n in SIZES:
        yield _worst("rate, Wilson", str(n), [of_rate(n, p) for p in RATES])
    kinds: list[tuple[str, Any, Any]] = [("difference, Newcombe", newcombe, lambda p, q: p - q), ("ratio, MOVER-R", mover, lambda p, q: p / q)]
    for name, limits, truth in kinds:
        for n1, n2 in itertools.product(SIZES, SIZES):
            yield _worst(name, f"{n1}, {n2}", [of_two(limits, truth, (n1, n2), pair) for pair in itertools.product(RATES, RATES)])
    yield "\n| true ratio at the limit: sizes of group and reference, named or not | most often \"below\" | most often \"not below\" |\n|---|---|---|"
    for sizes in itertools.product(SIZES, SIZES):
        wrong = np.array([wrong_labels(sizes, rate, named) for rate in RATES for named in (False, True)])
        yield f"| {sizes[0]}, {sizes[1]} | {wrong[:, 0].max():.4f} | {wrong[:, 1].max():.4f} |"
    yield f"\n| true ratio at the limit: one group of | its size | rate of the others | \"below\" ({tables:,} tables) | \"not below\" |\n|---|---|---|---|---|"
    for name, groups in V1.items():
        for way in (0, 1):
            found = [(wrong_labels_of_many(groups, group, rate, tables, seed=0), group, rate) for group in range(len(groups)) for rate in RATES_OF_MANY]
            worst, group, rate = max(found, key=lambda each: each[0][way])
            yield f"| {name} ({len(groups)}), most often \"{('below', 'not below')[way]}\" | {groups[group]} | {rate} | {worst[0]:.4f} | {worst[1]:.4f} |"
    yield (f"\n| truly equal groups | rate | any \"below\" ({tables:,} tables) | with the largest group named as reference | its simulation error, at most | "
           f"any significance after Holm ({tested:,} tables) | its simulation error |\n|---|---|---|---|---|---|---|")
    for (name, groups), rate in itertools.product(V1.items(), (0.02, 0.05, 0.1, 0.3, 0.5)):
        below, named, significant = equal_groups(groups, rate, tables, tested if rate in (0.1, 0.5) else 0, seed=0)
        significance = f"{significant:.4f} | {_error(significant, tested):.4f}" if rate in (0.1, 0.5) else "– | –"
        yield f"| {name} ({len(groups)}) | {rate} | {below:.4f} | {named:.4f} | {_error(max(below, named), tables):.4f} | {significance} |"
    yield f"\n| area under the curve ({repetitions:,} repetitions): positives, negatives | true area | held | below | above | simulation error |\n|---|---|---|---|---|---|"
    for positives, negatives, auc in itertools.product((10, 30, 49, 50, 200), (50, 500), (0.6, 0.75, 0.9)):
        found = of_auc(positives, negatives, auc, repetitions, seed=0)
        yield f"| {positives}, {negatives} | {auc} | {found.held:.4f} | {found.below:.4f} | {found.above:.4f} | {_error(found.held, repetitions):.4f} |"


def _worst(name: str, sizes: str, found: list[Coverage]) -> str:
    least = min(found, key=lambda each: each.held)
    return (f"| {name} | {sizes} | {least.held:.4f} | {', '.join(map(str, least.where))} | {max(each.below for each in found):.4f} | "
            f"{max(each.above for each in found):.4f} |")


def _error(share: float, repetitions: int) -> float:
    """Standard error of a simulated share."""
    return float(np.sqrt(share * (1 - share) / repetitions))


if __name__ == "__main__":
    sys.exit(main())
