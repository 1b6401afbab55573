"""What the labels of evidence rule 7 can show at this report's own sizes: how often each would be given if the true ratio were this or that.

Group sizes and the pooled selection rate are held as they are; one group has the stated ratio to all others, which are alike. Two groups are enumerated, more are drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.stats import binom

from automl.audit.group_levels import counts_of, members_of, selection
from automl.audit.intervals import Count, pool, rate_estimate
from automl.audit.labels import Bounds, Levels, lower, upper
from automl.audit.outcomes import FloatArray, IntArray, Outcomes
from automl.audit.resampling import generator
from automl.evidence import Estimate, LabelChance, NotMeasured, OperatingCharacteristics, Value

RATIOS = (0.7, 0.8, 0.9, 1.0)
DRAWS = 4_000
MOST_GROUPS = 12
"""Groups of an attribute that are looked at, the largest."""
MOST_CELLS = 4_000_000
LEFT_OUT_TAIL = 1e-10
"""Of each binomial, at each end: tables so unlikely are not enumerated."""
LABELS = ("below", "not_below", "inconclusive", "other")
NOTE = (
    "If the true ratio is at or above the limit, \"below\" would be wrong; if it is under the limit, \"not below\" would be. A small chance of either label at a true ratio says that rows are too few to tell, "
    "not that the ratio is near the limit. Where a group is one of more than two, \"below\" is corrected for the comparisons. In \"reference or none\" the group has the highest rate itself, or nobody is selected."
)


class Labels(NamedTuple):
    """Which of many tables get which label, as masks of one shape."""

    below: FloatArray
    not_below: FloatArray
    inconclusive: FloatArray
    other: FloatArray


def label_tables(k: Sequence[IntArray], n: Sequence[int], names: Sequence[str], limit: float, named: int | None, levels: Levels | None = None) -> Labels:
    """The label of the first group in many tables at once: ``k`` has an array of one shape (or shapes that broadcast) for each group; rule 7 as `labels.label_table` has it.

    ``named``: the position of the named reference, None where the highest rate is the reference. ``levels``: where the table has groups that are not given here.
    """
    levels = levels or Levels.of(len(k), named is not None)
    mine, others = k[0], range(1, len(k)) if named is None else [named]
    of_mine, of_others = _bounds(mine, n[0], levels), [_bounds(k[h], n[h], levels) for h in others]
    rates = [each / size for each, size in zip(k, n, strict=True)]
    if named is None:
        # ties go to the larger n, then to the name
        ahead = [(rates[0] > rates[h]) | ((rates[0] == rates[h]) & ((-n[0], names[0]) < (-n[h], names[h]))) for h in others]
        nobody = np.logical_and.reduce(np.broadcast_arrays(*(each == 0 for each in k)))
        other = np.logical_and.reduce(np.broadcast_arrays(*ahead)) | nobody
    else:
        other = np.broadcast_arrays(k[named] == 0, mine)[0]
    below = ~other & np.logical_or.reduce(np.broadcast_arrays(*(upper(of_mine, one, levels).below(limit) for one in of_others)))
    not_below = ~other & ~below & np.logical_and.reduce(np.broadcast_arrays(*(lower(of_mine, one) >= limit for one in of_others)))
    return Labels(*(mask.astype(np.float64) for mask in (below, not_below, ~other & ~below & ~not_below, other)))


def _bounds(k: IntArray, n: int, levels: Levels) -> Bounds:
    """Each count's limits are taken once, however often it was drawn."""
    least = int(k.min())
    return Bounds.of(np.arange(least, int(k.max()) + 1), n, levels).pick(k - least)


@dataclass(frozen=True)
class _Question:
    """One group (the first) against the others: whole effective sizes, and the chance of everybody to be selected at a true ratio."""

    attribute: str
    names: tuple[str, ...]
    n: tuple[int, ...]
    pooled: float
    named: int | None
    rows: int = field(default=0)
    others: int = field(default=0)

    def chances(self, ratio: float) -> tuple[float, float]:
        """Of the group and of each other group, so that the pooled rate stays as it is."""
        whole = sum(self.n)
        elsewhere = self.pooled * whole / (whole - self.n[0] + ratio * self.n[0])
        return ratio * elsewhere, elsewhere


def measure_operating_characteristics(outcomes: Outcomes, limit: float, reference: Mapping[str, str], *, seed: int) -> OperatingCharacteristics | NotMeasured:
    """The chance of each label at the true ratios `RATIOS`, for every group of each declared attribute."""
    selected = selection(outcomes)
    if selected is None:
        return NotMeasured(reason="nothing is decided, or no favourable label was named, so no ratio has a label")
    rows: list[LabelChance] = []
    pooled: dict[str, float] = {}
    left_out: list[str] = []
    for attribute, of_group in members_of(outcomes.groups).items():
        counts = {group: one for group, one in (counts_of(selected, outcomes, of_group) or {}).items() if one.n > 0}
        if len(counts) < 2 or not 0 < (whole := pool(list(counts.values()))).rate < 1:
            left_out.append(f"{attribute}: " + ("fewer than two groups" if len(counts) < 2 else "everybody or nobody is selected"))
            continue
        pooled[attribute] = whole.rate
        largest = sorted(counts, key=lambda group: (-counts[group].rows_n, group))[:MOST_GROUPS]
        if len(largest) < len(counts):
            left_out.append(f"{attribute}: {len(counts) - len(largest)} smaller groups")
        for group in (each for each in counts if each in largest and each != reference.get(attribute)):
            rows += _of_group(_question(attribute, group, counts, whole.rate, reference.get(attribute)), limit, seed)
    if not rows:
        return NotMeasured(reason="; ".join(left_out) or "no sensitive attribute was chosen")
    return OperatingCharacteristics(limit=limit, rows=tuple(rows), pooled=pooled, draws=DRAWS, left_out=tuple(left_out), note=NOTE)


def _question(attribute: str, group: str, counts: Mapping[str, Count], pooled: float, named: str | None) -> _Question:
    names = (group, *(name for name in counts if name != group))
    sizes = tuple(max(1, round(counts[name].n)) for name in names)
    whole = sum(one.rows_n for one in counts.values())
    return _Question(attribute, names, sizes, pooled, names.index(named) if named in names else None, counts[group].rows_n, whole - counts[group].rows_n)


def _of_group(asked: _Question, limit: float, seed: int) -> list[LabelChance]:
    found = []
    for ratio in RATIOS:
        mine, theirs = asked.chances(ratio)
        if max(mine, theirs) < 1:
            values = _chances(asked, mine, theirs, limit, seed)
            found.append(LabelChance(attribute=asked.attribute, group=asked.names[0], n=asked.rows, others=asked.others, true_ratio=ratio, **dict(zip(LABELS, values, strict=True))))
    return found


def _chances(asked: _Question, mine: float, theirs: float, limit: float, seed: int) -> list[Value]:
    compared = (0, 1) if asked.named is None else (0, asked.named)
    windows = [_window(asked.n[at], chance) for at, chance in zip(compared, (mine, theirs), strict=True)]
    # against a named reference the other groups do not count
    if (len(asked.n) == 2 or asked.named is not None) and len(windows[0]) * len(windows[1]) <= MOST_CELLS:
        return enumerated([asked.n[at] for at in compared], [asked.names[at] for at in compared], windows, (mine, theirs), limit, asked.named is not None, Levels.of(len(asked.n), asked.named is not None))
    rng = generator(seed, "operating", asked.attribute, asked.names[0])
    k = [rng.binomial(size, mine if at == 0 else theirs, DRAWS) for at, size in enumerate(asked.n)]
    labels = label_tables(k, asked.n, asked.names, limit, asked.named)
    drawn = [rate_estimate(Count.of(int(mask.sum()), DRAWS)) for mask in labels]
    return [one.model_copy(update={"method": "simulation, wilson"}) if isinstance(one, Estimate) else one for one in drawn]


def _window(n: int, chance: float) -> IntArray:
    """The counts that are not too unlikely."""
    low, high = binom.ppf(LEFT_OUT_TAIL, n, chance), binom.isf(LEFT_OUT_TAIL, n, chance)
    return np.arange(int(max(low, 0)), int(min(high, n)) + 1)


def enumerated(
    n: Sequence[int], names: Sequence[str], windows: Sequence[IntArray], chances: tuple[float, float], limit: float, named: bool, levels: Levels,
) -> list[Value]:
    """Chances of the four labels of the first of two groups, summed over all tables in the windows; the interval holds what lies outside of them."""
    mass = [binom.pmf(window, size, chance) for window, size, chance in zip(windows, n, chances, strict=True)]
    labels = label_tables([windows[0][:, None], windows[1][None, :]], n, names, limit, 1 if named else None, levels)
    outside = max(0.0, 1.0 - float(mass[0].sum()) * float(mass[1].sum()))
    values = [min(1.0, float(mass[0] @ mask @ mass[1])) for mask in labels]
    return [Estimate(value=value, low=value, high=min(1.0, value + outside), level=1.0, method="exact enumeration", n=sum(n)) for value in values]
