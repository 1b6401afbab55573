"""Every significance test of the audit (evidence rule 8). A test says "differs from the pooled others", never who was favoured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, chi2_contingency, fisher_exact, norm, random_table

from automl.audit.intervals import Count, pool
from automl.evidence import NotMeasured, Test

MONTE_CARLO_TABLES = 9_999
SMALLEST_EXPECTED = 5
"""From so many rows in every expected cell on the chi-squared distribution is taken as it is (rule 8)."""
_SAME = 1 + 1e-7
"""Tables whose probability agrees to this factor count as equally likely, as in scipy's Fisher test."""


@lru_cache(maxsize=4096)
def _exact(k1: int, n1: int, k2: int, n2: int) -> tuple[float, float]:
    """Fisher's two-sided p and the mid-p of one table; asked for twice per contrast (once for Holm's family), hence kept."""
    fisher = float(fisher_exact(np.array([[k1, n1 - k1], [k2, n2 - k2]])).pvalue)
    first, mass = _hypergeometric(k1 + k2, n1, n2)
    observed = float(mass[k1 - first]) if 0 <= k1 - first < len(mass) else 0.0
    less, same = mass < observed / _SAME, (mass >= observed / _SAME) & (mass <= observed * _SAME)
    return min(1.0, fisher), min(1.0, float(mass[less].sum() + mass[same].sum() / 2))


def _hypergeometric(selected: int, n1: int, n2: int) -> tuple[int, NDArray[np.float64]]:
    """The first count of the first group that is not all but impossible, and the probabilities from there on.

    By the ratio of neighbours: below some 100,000 rows scipy takes up to 0.15 ms for each probability, and there are as many as the smaller group has people. Beyond
    40 standard deviations of the mode nothing is left that a double could tell from 0.
    """
    rows = n1 + n2
    spread = math.sqrt(selected * (rows - selected) * n1 * n2 / rows**2 / max(rows - 1, 1))
    mode, reach = (n1 + 1) * (selected + 1) // (rows + 2), int(40 * spread) + 40
    first, last = max(0, selected - n2, mode - reach), min(selected, n1, mode + reach)
    x = np.arange(first, last, dtype=np.float64)
    steps = np.log(selected - x) + np.log(n1 - x) - np.log(x + 1) - np.log(n2 - selected + x + 1)
    weights = np.concatenate([[0.0], np.cumsum(steps)])
    weights = np.exp(weights - weights.max())
    return first, weights / weights.sum()


def fisher_p(a: Count, b: Count) -> float:
    """Fisher's exact test, two-sided by likelihood."""
    return _exact(a.rows_k, a.rows_n, b.rows_k, b.rows_n)[0]


def mid_p(a: Count, b: Count) -> float:
    """Lancaster's mid-p of the same test: tables less likely than the observed one, and half of those as likely."""
    return _exact(a.rows_k, a.rows_n, b.rows_k, b.rows_n)[1]


def pooled_z(a: Count, b: Count) -> float | None:
    """(p_a - p_b) in standard errors under the pooled rate; None where the pooled rate is 0 or 1."""
    rate = (a.k + b.k) / (a.n + b.n)
    if not 0 < rate < 1:
        return None
    return float((a.rate - b.rate) / np.sqrt(rate * (1 - rate) * (1 / a.n + 1 / b.n)))


def two_sided(z: float) -> float:
    """Two-sided p of a standard normal statistic."""
    return float(2 * norm.sf(abs(z)))


def primary_p(a: Count, b: Count) -> float | None:
    """p of the primary test: Fisher's, or z at effective counts where rows are weighted or repeat a person."""
    if min(a.rows_n, b.rows_n) == 0 or min(a.n, b.n) <= 0:
        return None
    if a.exact and b.exact:
        return fisher_p(a, b)
    z = pooled_z(a, b)
    return None if z is None else two_sided(z)


def two_group_tests(a: Count, b: Count, contrast: str, *, family: str, p_adjusted: float | None) -> tuple[Test, ...]:
    """The primary test first (with Holm's adjusted p where the contrast is in the primary family), then mid-p and z."""
    z = pooled_z(a, b)
    adjustment = None if p_adjusted is None else "holm"
    tests = []
    if a.exact and b.exact:
        tests.append(Test(name="fisher", p=fisher_p(a, b), p_adjusted=p_adjusted, adjustment=adjustment, family=family, contrast=contrast))
        tests.append(Test(name="mid_p", p=mid_p(a, b), contrast=contrast))
        if z is not None:
            tests.append(Test(name="z", statistic=z, p=two_sided(z), contrast=contrast))
    elif z is not None:
        tests.append(Test(
            name="z_rao_scott", statistic=z, p=two_sided(z), p_adjusted=p_adjusted, adjustment=adjustment, family=family, contrast=contrast,
        ))
    return tuple(tests)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p-values (Holm 1979, Scandinavian Journal of Statistics 6), in the order given."""
    # statsmodels' multipletests gives the same, and has Python's whole memory searched for garbage each time: a tenth of a second beside a trained model
    given = np.asarray(p_values, dtype=float)
    order = np.argsort(given, kind="stable")
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1)), 1.0)
    return [float(p) for p in adjusted]


def omnibus(counts: Sequence[Count], attribute: str, rng: np.random.Generator) -> Test | NotMeasured:
    """Chi-square over all groups; Monte-Carlo exact with fixed margins where an expected cell is below 5."""
    contrast = f"any group of {attribute} against the others"
    if len(counts) < 2:
        return NotMeasured(reason="only one group was observed")
    whole = pool(counts)
    if whole.k <= 0 or whole.k >= whole.n:
        return NotMeasured(reason="everybody or nobody has the favourable outcome")
    table = np.array([[c.k, c.n - c.k] for c in counts])
    statistic, p, degrees, expected = chi2_contingency(table, correction=False)
    if not whole.exact:
        return Test(name="chi_square_rao_scott", statistic=float(statistic), p=float(chi2.sf(statistic, degrees)), contrast=contrast)
    if expected.min() >= SMALLEST_EXPECTED:
        return Test(name="chi_square", statistic=float(statistic), p=float(p), contrast=contrast)
    rows, columns = table.sum(axis=1).astype(np.int64), table.sum(axis=0).astype(np.int64)
    drawn = random_table.rvs(rows, columns, size=MONTE_CARLO_TABLES, random_state=rng)
    statistics = ((drawn - expected) ** 2 / expected).sum(axis=(1, 2))
    at_least = int((statistics >= statistic * (1 - 1e-9)).sum())
    return Test(name="chi_square_monte_carlo", statistic=float(statistic), p=(1 + at_least) / (1 + MONTE_CARLO_TABLES), contrast=contrast)
