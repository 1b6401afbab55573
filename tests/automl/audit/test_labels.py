"""The label of rule 7 is wrong no more often than it says, and where it is not what the printed interval suggests the evidence says why."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import binom

from automl.audit.impact import Reference, highest, impact_ratio
from automl.audit.intervals import Count, mover_ratio
from automl.audit.labels import EQUAL_RATES, ONE_SIDED, Bounds, Label, Levels, label_table, lower, upper
from automl.evidence import Ratio

LIMIT = 0.8
SIZES_OF_V1 = {
    "sex": [1390, 1181], "race": [408, 797, 390, 119, 616, 41, 213], "crossing": [412, 385, 321, 295, 226, 205, 190, 164, 115, 98, 87, 32, 24, 17],
}


def wrong(sizes: tuple[int, int], rate: float, levels: Levels) -> tuple[float, float, float, float]:
    """Chances of "below" and "not below" at a true ratio equal to the limit, of the label and of rule 7's own limits, summed over every table that is not all but impossible."""
    windows = [np.arange(int(binom.ppf(1e-9, n, p)), int(binom.isf(1e-9, n, p)) + 1) for n, p in zip(sizes, (LIMIT * rate, rate), strict=True)]
    mass = [binom.pmf(k, n, p) for k, n, p in zip(windows, sizes, (LIMIT * rate, rate), strict=True)]
    group, other = windows[0][:, None], windows[1][None, :]
    mine, theirs = Bounds.of(group, sizes[0], levels), Bounds.of(other, sizes[1], levels)
    high, low = mover_ratio(group, sizes[0], other, sizes[1], levels.below)[1], mover_ratio(group, sizes[0], other, sizes[1], ONE_SIDED)[0]
    said = upper(mine, theirs, levels).below(LIMIT), lower(mine, theirs) >= LIMIT, high < LIMIT, low >= LIMIT
    below, not_below, old_below, old_not_below = (float(np.einsum("i,ij,j", mass[0], mask.astype(float), mass[1])) for mask in said)
    return below, not_below, old_below, old_not_below


@pytest.mark.parametrize("name", SIZES_OF_V1)
def test_rule_07_a_label_at_the_limit_is_wrong_no_more_often_than_its_level_at_v01s_sizes(name: str) -> None:
    """The largest, the middle and the smallest group against each other, where a tenth, half and nearly all are selected; rule 7's own limits exceed the level."""
    sizes = sorted(SIZES_OF_V1[name])
    levels = Levels.of(len(sizes), named=False)
    told = np.array([
        wrong(pair, rate, levels) for pair in permutations(sorted({sizes[0], sizes[len(sizes) // 2], sizes[-1]}), 2) for rate in (0.1, 0.5, 0.95)
    ]).max(axis=0)
    assert told[0] <= levels.below
    assert told[1] <= ONE_SIDED
    assert max(told[2] / levels.below, told[3] / ONE_SIDED) > 1, "limits that are too short are seen"
    assert told[0] > 0.4 * levels.below, "and the label is not silent"


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.48])
@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("name", SIZES_OF_V1)
def test_rule_07_any_below_of_truly_equal_groups_in_at_most_1_percent_at_v01s_sizes(name: str, named: bool, rate: float) -> None:
    sizes, tables = SIZES_OF_V1[name], 4_000
    levels, k = Levels.of(len(sizes), named), np.random.default_rng(0).binomial(sizes, rate, (tables, len(sizes)))
    bounds = [Bounds.of(np.arange(n + 1), n, levels).pick(k[:, g]) for g, n in enumerate(sizes)]
    pairs = [(g, h) for g, h in permutations(range(len(sizes)), 2) if h == 0 or not named]
    told = np.logical_or.reduce([upper(bounds[g], bounds[h], levels).below(LIMIT) for g, h in pairs])
    assert told.mean() <= EQUAL_RATES
    if (name, named, rate) == ("crossing", False, 0.1):
        without = np.logical_or.reduce([mover_ratio(k[:, g], sizes[g], k[:, h], sizes[h], levels.below)[1] < LIMIT for g, h in pairs])
        assert without.mean() > 2 * EQUAL_RATES, "rule 7's own limits say it of more tables than that"


@pytest.mark.parametrize("rate", [0.9, 0.95, 0.98, 0.99])
def test_not_below_where_nearly_all_of_a_small_reference_are_selected(rate: float) -> None:
    levels = Levels.of(2, named=True)
    _, not_below, _, old = wrong((2000, 50), rate, levels)
    assert not_below <= ONE_SIDED < old


def test_levels_are_shared_by_what_is_compared() -> None:
    assert Levels.of(2, named=False) == (ONE_SIDED, EQUAL_RATES / 2)
    assert Levels.of(2, named=True) == (ONE_SIDED, EQUAL_RATES)
    assert Levels.of(14, named=False) == (pytest.approx(ONE_SIDED / 13), pytest.approx(EQUAL_RATES / 182))
    assert Levels.of(14, named=True) == (ONE_SIDED, pytest.approx(EQUAL_RATES / 13))


def labelled(counts: list[tuple[int, int]], group: int, named: int | None = None) -> Ratio:
    given, names = [Count.of(*each) for each in counts], [f"g{at}" for at in range(len(counts))]
    reference = highest(names, given) if named is None else named
    assert reference is not None
    found = impact_ratio(group, names, given, Reference(reference, named is not None), LIMIT)
    assert isinstance(found, Ratio)
    return found


@pytest.mark.parametrize(("counts", "group", "named", "label", "reason"), [
    ([(43, 100), (15, 71)], 1, None, "inconclusive", "the upper limit by exact limits is 0.814"),
    ([(85, 106), (113, 207)], 1, 0, "inconclusive", "the upper limit by exact limits is 0.805"),
    ([(54, 173), (256, 514), (130, 415)], 0, None, "inconclusive", "the upper limit at the level for 2 comparisons is 0.817"),
    ([(13, 414), (8, 175), (19, 285), (14, 362), (3, 263)], 4, None, "inconclusive", "equal rates are not ruled out at 1 % over all comparisons of the table"),
    ([(8, 26), (5, 14), (172, 499), (68, 225), (113, 545)], 4, None, "below", "shown by the comparison with g2"),
    ([(222, 360), (216, 388)], 1, None, "inconclusive", "the lower limit by exact limits is 0.797"),
    ([(82, 247), (71, 109), (3, 5), (225, 263), (331, 447)], 4, None, "inconclusive", "the lower limit against g2 is 0.717"),
    ([(183, 466), (476, 573)], 0, None, "below", ""), ([(188, 302), (21, 34)], 1, None, "inconclusive", ""), ([(377, 500), (91, 129)], 1, None, "not_below", ""),
])
def test_a_label_that_the_printed_interval_does_not_suggest_says_why(counts: list[tuple[int, int]], group: int, named: int | None, label: str, reason: str) -> None:
    found = labelled(counts, group, named)
    assert (found.label, found.label_reason) == (label, reason)


def test_no_label_contradicts_the_printed_interval_without_a_reason_and_its_own_limits_bear_it() -> None:
    draw = np.random.default_rng(3)
    told = 0
    for _ in range(120):
        n = draw.integers(5, 600, draw.integers(2, 6))
        counts = [(int(k), int(size)) for k, size in zip(draw.binomial(n, draw.uniform(0.05, 1) * draw.uniform(0.4, 1, len(n))), n, strict=True)]
        if not any(k for k, _ in counts):
            continue
        for group in range(len(counts)):
            one = labelled(counts, group)
            if one.label == "reference":
                assert (one.label_low, one.label_high, one.label_reason) == (None, None, "")
                continue
            printed = "below" if one.high < LIMIT else "not_below" if one.low >= LIMIT else "inconclusive"
            assert bool(one.label_reason) == (one.label != printed)
            assert one.label_low is not None
            assert one.label_high is not None
            assert one.label != "below" or one.label_high < LIMIT
            assert (one.label == "not_below") == (one.label_low >= LIMIT and one.label != "below")
            told += bool(one.label_reason)
    assert told > 5


def test_the_printed_interval_never_says_less_than_the_label_against_a_named_reference() -> None:
    draw = np.random.default_rng(4)
    for n in draw.integers(1, 300, (400, 2)):
        k = draw.binomial(n, draw.uniform(0, 1, 2))
        if k[0] == 0:
            continue
        one = labelled(list(zip(k.tolist(), n.tolist(), strict=True)), 1, named=0)
        assert one.label != "below" or one.high < LIMIT
        assert one.label != "not_below" or one.low >= LIMIT


def test_a_table_is_labelled_at_once_as_each_pair_is() -> None:
    counts = tuple(Count.of(*each) for each in [(40, 90), (7, 60), (300, 900), (0, 12), (25, 26)])
    levels = Levels.of(len(counts), named=False)
    table = label_table(counts, 4, False, LIMIT)
    assert table[4] == Label("reference")
    for group, found in enumerate(table[:4]):
        mine, others = Bounds.of(counts[group].k, counts[group].n, levels), [Bounds.of(c.k, c.n, levels) for h, c in enumerate(counts) if h != group]
        uppers, low = [upper(mine, other, levels) for other in others], min(float(lower(mine, other)) for other in others)
        below = [float(one.high) for one in uppers if one.below(LIMIT)]
        assert found.label == ("below" if below else "not_below" if low >= LIMIT else "inconclusive")
        assert found.high == pytest.approx(min(below or [float(one.high) for one in uppers]))
        assert found.low == pytest.approx(low)


def test_labels_at_effective_numbers() -> None:
    """Weighted or repeated rows: limits at fractional counts, between those of the whole counts around them."""
    level = Levels.of(2, named=True)
    other = Bounds.of(250.5, 501.3, level)
    highs = [float(upper(Bounds.of(k, 300, level), other, level).high) for k in (99, 99.5, 100)]
    assert highs == sorted(highs)
