"""Every confidence interval of the audit: rates, differences, ratios, AUC, observed over expected (evidence rules 4, 5 and 9).

Everything works on a `Count`. With weights or repeated persons the count carries effective numbers (Rao and Scott 1992, "A simple method for the analysis of
clustered binary data"), and the same score intervals are taken at those. statsmodels has Newcombe and Koopman; Wilson, MOVER-R and the AUC intervals are written here.
Clopper and Pearson's limits are not printed: the labels rest on them (`labels`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betainccinv, betaincinv
from scipy.stats import norm, rankdata, t as student
from statsmodels.stats.proportion import confint_proportions_2indep

from automl.audit.outcomes import BoolArray, FloatArray
from automl.evidence import Estimate, NotMeasured, Value

LEVEL = 0.95
LOW_PRECISION_BELOW = 30
"""Below this many people an estimate is marked and no sentence is built on its test (rule 5): rows, or persons where rows repeat them."""
DELONG_FROM = 50
"""Smallest class from which the AUC's interval is DeLong's on the logit scale; below it Newcombe's score interval."""


@dataclass(frozen=True)
class Count:
    """k of n. ``k``/``n`` are effective numbers for intervals; ``rows_k``/``rows_n`` the rows themselves; ``sum_k``/``sum_n`` the weighted totals of the rate."""

    k: float
    n: float
    rows_k: int
    rows_n: int
    sum_k: float
    sum_n: float
    exact: bool = True
    """True where rows are independent and unweighted: then all three pairs agree and exact tests hold."""
    persons: int | None = None
    """Persons behind the rows, where rows repeat a person."""

    @classmethod
    def of(cls, k: int, n: int) -> Count:
        return cls(k, n, k, n, k, n)

    @property
    def rate(self) -> float:
        return self.sum_k / self.sum_n

    @property
    def exact_rate(self) -> Fraction:
        return Fraction(self.sum_k) / Fraction(self.sum_n)

    @property
    def low_precision(self) -> bool:
        return min(self.n, self.rows_n if self.persons is None else self.persons) < LOW_PRECISION_BELOW

    def suffix(self) -> str:
        return "" if self.exact else " (Rao-Scott effective counts)"


def count(hits: BoolArray, weight: FloatArray | None = None, cluster: NDArray[Any] | None = None) -> Count:
    """The count of ``hits`` (n,). Weights and clusters enter by the linearised variance of the weighted share; no effective number exceeds the rows."""
    k, n = int(hits.sum()), len(hits)
    if (weight is None and cluster is None) or n == 0:
        return Count.of(k, n)
    w = np.ones(n) if weight is None else weight
    total = float(w.sum())
    if total <= 0:
        return Count(0.0, 0.0, k, n, 0.0, 0.0, exact=False)
    hit = float(w[hits].sum()) if w[~hits].any() else total  # two sums of the same weights may differ in their last bit
    rate = hit / total
    unit = np.arange(n) if cluster is None else np.unique(cluster, return_inverse=True)[1]
    effective, persons = _effective_size(w, hits, rate, unit), None
    if cluster is not None:
        persons = int(unit.max()) + 1
        effective *= _allowance_for_few(persons)
    if weight is None:
        return Count(rate * effective, effective, k, n, k, n, exact=False, persons=persons)
    return Count(rate * effective, effective, k, n, hit, total, exact=False, persons=persons)


def _allowance_for_few(persons: int) -> float:
    """Few persons do not even tell their own variance: Student's quantile in place of the normal one, taken into the effective size (Korn and Graubard 1998)."""
    if not 1 < persons < LOW_PRECISION_BELOW:
        return 1.0
    return _allowance(persons, (1 - LEVEL) / 2)


def _allowance(units: float, tail: float) -> float:
    return float((norm.isf(tail) / student.isf(tail, max(units - 1, 1))) ** 2)


def _effective_size(w: FloatArray, hits: BoolArray, rate: float, unit: NDArray[Any]) -> float:
    units = int(unit.max()) + 1
    totals = np.bincount(unit, weights=w)
    kish = float(totals.sum() ** 2 / (totals**2).sum())
    if units < 2 or rate in (0.0, 1.0):  # no variance to estimate from: what the unequal totals alone leave
        return kish
    residual = np.bincount(unit, weights=w * (hits - rate)) / w.sum()
    variance = units / (units - 1) * float((residual**2).sum())
    return min(len(w), rate * (1 - rate) / variance) if variance > 0 else kish


def pool(counts: Sequence[Count]) -> Count:
    """Several disjoint counts as one. Effective numbers do not add up: the pool's are those at which its own weighted rate has its own variance,
    the groups' variances within and between, each group with its share of the weights."""
    rows_k, rows_n, sum_k, sum_n = (sum(getattr(c, name) for c in counts) for name in ("rows_k", "rows_n", "sum_k", "sum_n"))
    if all(c.exact for c in counts):
        return Count(rows_k, rows_n, rows_k, rows_n, sum_k, sum_n)
    if sum_n <= 0:
        return Count(0.0, 0.0, rows_k, rows_n, 0.0, 0.0, exact=False)
    rate = sum_k / sum_n
    persons = None if any(c.persons is None for c in counts) else sum(c.persons or 0 for c in counts)
    parts = [((c.sum_n / sum_n) ** 2 / c.n, c.rate) for c in counts if c.sum_n > 0]
    variance = sum(share * (own * (1 - own) + (own - rate) ** 2) for share, own in parts)
    effective = rate * (1 - rate) / variance if variance > 0 else 1 / sum(share for share, _ in parts)
    effective = min(float(rows_n), effective)
    return Count(rate * effective, effective, rows_k, rows_n, sum_k, sum_n, exact=False, persons=persons)


@lru_cache
def _normal_quantile(tail: float) -> float:
    return float(norm.isf(tail))


def wilson(k: Any, n: Any, one_sided: float = (1 - LEVEL) / 2) -> tuple[Any, Any]:
    """Wilson's score limits, each at the given one-sided level; arrays allowed; exactly 0 at k = 0 and 1 at k = n."""
    k, n = np.asarray(k, dtype=float), np.asarray(n, dtype=float)
    # As statsmodels' proportion_confint writes it, which looks up the normal quantile anew for each of the thousands of intervals of an audit
    z, rate = _normal_quantile(one_sided), k / n
    middle, scale = rate + z**2 / (2 * n), 1 + z**2 / n
    half = z * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    low, high = middle / scale - half / scale, middle / scale + half / scale
    return np.where(k <= 0, 0.0, np.clip(low, 0, 1)), np.where(k >= n, 1.0, np.clip(high, 0, 1))


def clopper_pearson(k: Any, n: Any, one_sided: float = (1 - LEVEL) / 2) -> tuple[Any, Any]:
    """Clopper and Pearson's (1934) limits: each is wrong in at most the one-sided level, whatever the rate. Arrays allowed; at effective numbers they are Korn and Graubard's (1998)."""
    k, n = np.asarray(k, dtype=float), np.asarray(n, dtype=float)
    low, high = betaincinv(np.where(k > 0, k, 1), n - k + 1, one_sided), betainccinv(k + 1, np.where(k < n, n - k, 1), one_sided)
    return np.where(k > 0, low, 0.0), np.where(k < n, high, 1.0)


def rate_estimate(c: Count, absent: str = "no row counts towards it", comparisons: int = 1) -> Value:
    """A rate with Wilson's interval, simultaneous over ``comparisons`` such rates (Bonferroni); NotMeasured(absent) where the denominator is 0."""
    if c.rows_n == 0 or c.sum_n <= 0:
        return NotMeasured(reason=absent)
    alpha = (1 - LEVEL) / comparisons
    low, high = wilson(c.k, c.n, alpha / 2)
    suffix = (f", simultaneous over {comparisons}" if comparisons > 1 else "") + c.suffix()
    return Estimate(
        value=c.rate, low=float(low), high=float(high), level=LEVEL if comparisons == 1 else 1 - alpha, method="wilson" + suffix, n=c.rows_n, k=c.rows_k, low_precision=c.low_precision,
    )


def difference_estimate(a: Count, b: Count, absent: str = "one of the two rates has no rows", comparisons: int = 1) -> Value:
    """rate(a) - rate(b) with Newcombe's hybrid score interval (1998, method 10); simultaneous over ``comparisons`` such differences (Bonferroni), from `simultaneous_limits`."""
    if min(a.rows_n, b.rows_n) == 0 or min(a.sum_n, b.sum_n) <= 0:
        return NotMeasured(reason=absent)
    alpha = (1 - LEVEL) / comparisons
    low, high = _newcombe(a, b, alpha) if comparisons == 1 else difference_of_limits(a, b, *(simultaneous_limits(c, alpha / 2) for c in (a, b)))
    value = a.rate - b.rate
    suffix = (f", simultaneous over {comparisons}" if comparisons > 1 else "") + (a.suffix() or b.suffix())
    return Estimate(
        value=value, low=min(float(low), value), high=max(float(high), value), level=LEVEL if comparisons == 1 else 1 - alpha,
        method=("newcombe" if comparisons == 1 else "newcombe of clopper-pearson") + suffix, n=a.rows_n + b.rows_n,
        low_precision=a.low_precision or b.low_precision,
    )


def _newcombe(a: Count, b: Count, alpha: float) -> tuple[float, float]:
    low, high = confint_proportions_2indep(a.k, a.n, b.k, b.n, compare="diff", method="newcomb", alpha=alpha)
    return float(low), float(high)


def simultaneous_limits(c: Count, tail: float) -> tuple[float, float]:
    """Limits of a rate far out in its tails, each wrong in at most ``tail``: Clopper and Pearson's, since Wilson's are too short there near 0 and 1, with Student's allowance for what effective numbers rest on."""
    n = c.n
    if not c.exact:
        units = c.persons if c.persons is not None else c.n
        given = _allowance_for_few(c.persons) if c.persons is not None else 1.0
        n *= _allowance(units, tail) / given
    low, high = clopper_pearson(c.k / c.n * n, n, tail)
    return float(low), float(high)


def difference_of_limits(a: Count, b: Count, of_a: tuple[float, float], of_b: tuple[float, float]) -> tuple[float, float]:
    """Newcombe's hybrid limits of rate(a) - rate(b) from the limits of both rates."""
    difference = a.rate - b.rate
    (low_a, high_a), (low_b, high_b) = of_a, of_b
    return difference - float(np.hypot(a.rate - low_a, high_b - b.rate)), difference + float(np.hypot(high_a - a.rate, b.rate - low_b))


def mover_ratio(k1: Any, n1: Any, k2: Any, n2: Any, one_sided: float = (1 - LEVEL) / 2, limits: Callable[..., tuple[Any, Any]] = wilson) -> tuple[Any, Any]:
    """Limits of p1/p2 by MOVER-R from Wilson limits, or others (Donner and Zou 2012), each at the one-sided level; arrays allowed. Upper limit infinite where p2 = 0."""
    p1, p2 = np.asarray(k1, dtype=float) / n1, np.asarray(k2, dtype=float) / n2
    return mover_of_limits(p1, limits(k1, n1, one_sided), p2, limits(k2, n2, one_sided))


def mover_of_limits(p1: Any, of_first: tuple[Any, Any], p2: Any, of_second: tuple[Any, Any]) -> tuple[Any, Any]:
    """MOVER-R's limits of p1/p2 from the limits of both rates.

    The lower limit is written l1(2 p1 - l1) / (p1 p2 + sqrt D): the textbook's denominator u2(2 p2 - u2) vanishes at p2 = u2/2, this one nowhere that matters.
    """
    (l1, u1), (l2, u2) = of_first, of_second
    product = p1 * p2
    below = product + np.sqrt(np.maximum(product**2 - l1 * u2 * (2 * p1 - l1) * (2 * p2 - u2), 0))
    above = product + np.sqrt(np.maximum(product**2 - u1 * l2 * (2 * p1 - u1) * (2 * p2 - l2), 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(l1 > 0, l1 * (2 * p1 - l1) / below, 0.0)
        high = np.where(l2 > 0, above / (l2 * (2 * p2 - l2)), np.inf)
    return low, high


def koopman_ratio(k1: int, n1: int, k2: int, n2: int, level: float = LEVEL) -> tuple[float, float]:
    """Koopman's (1984) score interval of p1/p2: statsmodels' ratio score without its continuity-like correction."""
    low, high = confint_proportions_2indep(k1, n1, k2, n2, compare="ratio", method="score", correction=False, alpha=1 - level)
    return float(low), float(high)


def below_limit(group: Count, reference: Count, limit: Fraction) -> bool:
    """Whether rate(group) / rate(reference) < limit, in exact arithmetic: 3/5 against 6/8 is four fifths, not below (rule 4)."""
    return limit.denominator * Fraction(group.sum_k) * Fraction(reference.sum_n) < limit.numerator * Fraction(reference.sum_k) * Fraction(group.sum_n)


def observed_over_expected(c: Count, expected: float) -> Value:
    """O/E with n x Wilson(O, n) / E (rule 9): unlike Poisson's it cannot exceed n/E. ``expected`` is on the scale of the count's weighted totals."""
    if expected <= 0 or c.sum_n <= 0:
        return NotMeasured(reason="the expected number is 0")
    low, high = wilson(c.k, c.n)
    scale = c.sum_n / expected
    return Estimate(
        value=c.sum_k / expected, low=float(low) * scale, high=float(high) * scale, method="n x wilson / expected" + c.suffix(), n=c.rows_n,
        low_precision=c.low_precision,
    )


def auc_interval_newcombe(auc: float, positives: float, negatives: float, level: float = LEVEL) -> tuple[float, float]:
    """Newcombe's (2006, method 5) score-like interval: where |A - t| = z sqrt V(t), V with N = (m + n)/2. At A = 1 its lower limit is below 1."""
    z = float(norm.ppf((1 + level) / 2))
    pairs, mean_size = positives * negatives, (positives + negatives) / 2

    def excess(t: float) -> float:
        variance = t * (1 - t) / pairs * (2 * mean_size - 1 - (3 * mean_size - 3) / ((2 - t) * (1 + t)))
        return (auc - t) ** 2 - z * z * variance

    low = float(brentq(excess, 0.0, auc)) if 0 < auc < 1 else 0.0 if auc <= 0 else _inner_root(excess, auc)
    high = float(brentq(excess, auc, 1.0)) if 0 < auc < 1 else 1.0 if auc >= 1 else _inner_root(excess, auc)
    return low, high


def _inner_root(excess: Any, auc: float) -> float:
    """The root away from the boundary value ``auc`` (0 or 1), where ``excess`` has a root too."""
    step = 1e-9 if auc <= 0 else -1e-9
    return float(brentq(excess, auc + step, 1.0 - auc))


def delong_parts(positive_scores: FloatArray, negative_scores: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """AUC and its placement values for each positive and each negative (DeLong 1988, by the mid-ranks of Sun and Xu 2014)."""
    m, n = len(positive_scores), len(negative_scores)
    ranks = rankdata(np.concatenate([positive_scores, negative_scores]))
    of_positives = (ranks[:m] - rankdata(positive_scores)) / n
    of_negatives = 1 - (ranks[m:] - rankdata(negative_scores)) / m
    return float(of_positives.mean()), of_positives, of_negatives


def logit_interval(value: float, variance: float, level: float = LEVEL) -> tuple[float, float]:
    """Normal interval on the logit scale by the delta method, for 0 < value < 1."""
    centre = np.log(value / (1 - value))
    half = norm.ppf((1 + level) / 2) * np.sqrt(variance) / (value * (1 - value))
    low, high = 1 / (1 + np.exp(-(centre - half))), 1 / (1 + np.exp(-(centre + half)))
    return float(low), float(high)


def auc_estimate(positive_scores: FloatArray, negative_scores: FloatArray) -> Value:
    """AUC: Newcombe's interval while the smaller class has fewer than DELONG_FROM rows or the AUC is 0 or 1, else logit DeLong (rule 9)."""
    m, n = len(positive_scores), len(negative_scores)
    if min(m, n) == 0:
        return NotMeasured(reason="only one class is present in these rows")
    auc, of_positives, of_negatives = delong_parts(positive_scores, negative_scores)
    variance = float(of_positives.var(ddof=1) / m + of_negatives.var(ddof=1) / n) if min(m, n) > 1 else 0.0
    if min(m, n) >= DELONG_FROM and 0 < auc < 1 and variance > 0:
        (low, high), method = logit_interval(auc, variance), "delong (logit)"
    else:
        (low, high), method = auc_interval_newcombe(auc, m, n), "newcombe score"
    return Estimate(value=auc, low=min(low, auc), high=max(high, auc), method=method, n=m + n, low_precision=min(m, n) < LOW_PRECISION_BELOW)
