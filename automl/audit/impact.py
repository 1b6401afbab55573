"""One selection table: who is selected how often, each group's ratio to the reference, and what that ratio can and cannot show (evidence rules 4 to 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.stats import norm

from automl.audit.intervals import Count, below_limit, mover_ratio, pool, wilson
from automl.audit.labels import Bounds, Label, Levels, label_table, upper, why_not_as_printed
from automl.evidence import NotMeasured, Ratio, Shortfall, UnknownBand

POWER = 0.8
_GRID = 41


@dataclass(frozen=True)
class Reference:
    """Which group the others are compared to: named in the plan, or the highest rate of this table."""

    index: int
    named: bool


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
    """The label of rule 7, see `labels`."""
    return label_table(tuple(counts), reference.index, reference.named, limit)[group]


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
    why = why_not_as_printed(label, (low, high), names, reference.index, reference.named, limit)
    return Ratio(
        value=float(mine.exact_rate / theirs.exact_rate), low=low, high=high, method=method, k=mine.rows_k, n=mine.rows_n, k_ref=theirs.rows_k,
        n_ref=theirs.rows_n, below_limit_exact=below_limit(mine, theirs, exact_limit(limit)), label=label.label, label_level=label.level,
        label_contrast="" if label.contrast is None else names[label.contrast], label_low=label.low, label_high=label.high, label_reason=why,
    )


def minimum_detectable_ratio(group: Count, reference: Count, limit: float, levels: Levels) -> float | None:
    """The largest true ratio below the limit that a sample of these sizes would label "below" with 80 % probability; None where no ratio would be.

    Found where the expected counts show it at z(level) + z(power) (the usual normal argument for power).
    """
    asked = Levels(*(float(norm.sf(norm.isf(level) + norm.ppf(POWER))) for level in levels))
    theirs = Bounds.of(reference.k, reference.n, asked, only_below=True)
    low, high = 0.0, limit
    for _ in range(3):  # a grid, then twice a grid inside the cell where the answer changes
        ratios = np.linspace(low, high, _GRID)
        mine = Bounds.of(ratios * reference.rate * group.n, group.n, asked, only_below=True)
        shown = int(upper(mine, theirs, asked).below(limit).sum())
        if shown == 0:
            return None
        low, high = float(ratios[shown - 1]), float(ratios[min(shown, _GRID - 1)])
    return low


def detectable_ratio(group: int, counts: Sequence[Count], reference: Reference, limit: float) -> float | None:
    """`minimum_detectable_ratio` of the label of rule 7, as a ratio to the reference: any comparison may show it, so the strongest one counts.

    Tried are the reference and the two groups whose rate is most surely high; a small reference says less than a large group a little below it.
    """
    levels = Levels.of(len(counts), reference.named)
    if reference.named:
        return minimum_detectable_ratio(counts[group], counts[reference.index], limit, levels)
    others = [h for h in range(len(counts)) if h != group]
    surely, _ = wilson([counts[h].k for h in others], [counts[h].n for h in others], levels.below)
    strongest = {others[at] for at in np.argsort(-surely, kind="stable")[:2]} | {reference.index}
    shown = [
        found * counts[h].rate / counts[reference.index].rate
        for h in sorted(strongest) if counts[h].sum_k > 0 and (found := minimum_detectable_ratio(counts[group], counts[h], limit, levels)) is not None
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
