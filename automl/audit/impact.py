"""One selection table: who is selected how often, each group's ratio to the reference, and what that ratio can and cannot show (evidence rules 4 to 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.stats import norm

from automl.audit.intervals import Count, below_limit, mover_ratio, pool, wilson
from automl.evidence import NotMeasured, Ratio, RatioLabel, Shortfall, UnknownBand

ONE_SIDED = 0.025
"""Each side's level; an interval of both is a 95 % interval."""
POWER = 0.8


@dataclass(frozen=True)
class Reference:
    """Which group the others are compared to: named in the plan, or the highest rate of this table."""

    index: int
    named: bool


@dataclass(frozen=True)
class Label:
    label: RatioLabel
    level: float | None
    contrast: int | None
    """Index of the group whose comparison decided."""


def exact_limit(limit: float) -> Fraction:
    """The limit as the person wrote it: 0.8 is four fifths, not the nearest binary number."""
    return Fraction(repr(limit))


def highest(names: Sequence[str], counts: Sequence[Count]) -> int | None:
    """Index of the largest rate; ties go to the larger n, then to the name. None where nobody is selected."""
    if not counts or all(c.sum_k == 0 for c in counts):
        return None
    best = max(c.exact_rate for c in counts)
    tied = [i for i, c in enumerate(counts) if c.exact_rate == best]
    return min(tied, key=lambda i: (-counts[i].rows_n, names[i]))


def label_group(group: int, counts: Sequence[Count], reference: Reference, limit: float) -> Label:
    """The label of rule 7.

    Against a reference named beforehand one comparison decides, each side at one-sided 0.025. Against the highest of K groups, whichever that is,
    "below" needs min over h of U_gh < limit at 0.025/(K-1) (Bonferroni: some comparison shows it), "not_below" needs min over h of L_gh >= limit at
    0.025 (intersection-union: every comparison shows it, no correction).
    """
    if group == reference.index:
        return Label("reference", None, None)
    others = [reference.index] if reference.named else [h for h in range(len(counts)) if h != group]
    k, n = np.array([counts[h].k for h in others]), np.array([counts[h].n for h in others])
    corrected = ONE_SIDED / len(others)
    _, high = mover_ratio(counts[group].k, counts[group].n, k, n, corrected)
    low, _ = mover_ratio(counts[group].k, counts[group].n, k, n, ONE_SIDED)
    if high.min() < limit:
        return Label("below", corrected, others[int(high.argmin())])
    if low.min() >= limit:
        return Label("not_below", ONE_SIDED, others[int(low.argmin())])
    return Label("inconclusive", corrected, others[int(high.argmin())])


def impact_ratio(group: int, names: Sequence[str], counts: Sequence[Count], reference: Reference | None, limit: float) -> Ratio | NotMeasured:
    """The ratio of the group's rate to the reference's with its marginal MOVER-R interval and the label of rule 7; NotMeasured per rule 5."""
    if len(counts) < 2:
        return NotMeasured(reason="only one group was observed, so there is nothing to compare it with")
    if reference is None:
        return NotMeasured(reason="nobody in any group has the favourable outcome, so the highest rate is 0")
    mine, theirs = counts[group], counts[reference.index]
    if theirs.sum_k == 0:
        return NotMeasured(reason=f"the rate of the reference {names[reference.index]} is 0")
    label = label_group(group, counts, reference, limit)
    if group == reference.index:
        low, high, method = 1.0, 1.0, "reference"
    else:
        limits = mover_ratio(mine.k, mine.n, theirs.k, theirs.n)
        low, high, method = float(limits[0]), float(limits[1]), "mover-r wilson" + (mine.suffix() or theirs.suffix())
    return Ratio(
        value=float(mine.exact_rate / theirs.exact_rate), low=low, high=high, method=method, k=mine.rows_k, n=mine.rows_n, k_ref=theirs.rows_k,
        n_ref=theirs.rows_n, below_limit_exact=below_limit(mine, theirs, exact_limit(limit)), label=label.label, label_level=label.level,
        label_contrast="" if label.contrast is None else names[label.contrast],
    )


def minimum_detectable_ratio(group: Count, reference: Count, limit: float, one_sided: float) -> float | None:
    """The largest true ratio below the limit that a sample of these sizes would label "below" with 80 % probability; None where no ratio would be.

    Found where MOVER-R's upper limit at the expected counts, taken at z(level) + z(power), meets the limit (the usual normal argument for power).
    """
    combined = float(norm.sf(norm.isf(one_sided) + norm.ppf(POWER)))
    low, high = 0.0, limit
    for _ in range(2):  # a grid, then a grid inside the cell where the answer changes
        ratios = np.linspace(low, high, 1001)
        _, upper = mover_ratio(ratios * reference.rate * group.n, group.n, reference.k, reference.n, combined)
        shown = int((upper < limit).sum())
        if shown == 0:
            return None
        low, high = float(ratios[shown - 1]), float(ratios[min(shown, 1000)])
    return low


def detectable_ratio(group: int, counts: Sequence[Count], reference: Reference, limit: float) -> float | None:
    """`minimum_detectable_ratio` of the label of rule 7, as a ratio to the reference: any comparison may show it, so the strongest one counts.

    Tried are the reference and the two groups whose rate is most surely high; a small reference says less than a large group a little below it.
    """
    if reference.named:
        return minimum_detectable_ratio(counts[group], counts[reference.index], limit, ONE_SIDED)
    others = [h for h in range(len(counts)) if h != group]
    level = ONE_SIDED / len(others)
    surely, _ = wilson([counts[h].k for h in others], [counts[h].n for h in others], level)
    strongest = {others[at] for at in np.argsort(-surely, kind="stable")[:2]} | {reference.index}
    shown = [
        found * counts[h].rate / counts[reference.index].rate
        for h in sorted(strongest) if counts[h].sum_k > 0 and (found := minimum_detectable_ratio(counts[group], counts[h], limit, level)) is not None
    ]
    return max(shown, default=None)


def unknown_band(group: Count, reference: Count, unknown: Count) -> UnknownBand | None:
    """The ratio if all rows of unknown group belonged to this group or to the reference: at worst the selected go to the reference and the others here."""
    if unknown.rows_n == 0 or reference.sum_k == 0:
        return None
    yes, no = unknown.sum_k, unknown.sum_n - unknown.sum_k
    worst = (group.sum_k / (group.sum_n + no)) / ((reference.sum_k + yes) / (reference.sum_n + yes))
    best = ((group.sum_k + yes) / (group.sum_n + yes)) / (reference.sum_k / (reference.sum_n + no))
    return UnknownBand(low=worst, high=best)


def flips(group: Count, reference: Count) -> bool:
    """Whether moving one favourable outcome from the higher to the lower of the two reverses their order (UGESP Q&A 21). Rows, not weights."""
    lower, higher = sorted((group, reference), key=lambda c: Fraction(c.rows_k, c.rows_n))
    if higher.rows_k == 0 or lower.rows_k == lower.rows_n:  # nothing to give, or nobody to give it to
        return False
    return Fraction(lower.rows_k + 1, lower.rows_n) > Fraction(higher.rows_k - 1, higher.rows_n)


def shortfall(group: int, counts: Sequence[Count], reference: Reference | None) -> Shortfall:
    """Favourable outcomes missing to reach the pool's, the others' and the reference's rate."""
    mine, everybody = counts[group], pool(counts)
    rest = pool([c for i, c in enumerate(counts) if i != group])
    against = None if reference is None or reference.index == group else counts[reference.index]
    return Shortfall(
        to_pool=mine.sum_n * everybody.rate - mine.sum_k,
        to_rest=mine.sum_n * rest.rate - mine.sum_k if rest.sum_n > 0 else None,
        to_reference=mine.sum_n * against.rate - mine.sum_k if against is not None else None,
    )
