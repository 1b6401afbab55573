"""The chances of the labels: the labels are rule 7's, the sums are whole, and two groups need no simulation."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from automl.audit import operating
from automl.audit.impact import Reference, highest, label_group
from automl.audit.intervals import Count
from automl.audit.operating import LABELS, label_tables, measure_operating_characteristics
from automl.evidence import Estimate, NotMeasured, OperatingCharacteristics
from tests.automl.audit.cases import binary, from_counts, regression


def measured(groups: dict[str, tuple[int, int]], reference: dict[str, str] | None = None, limit: float = 0.8, **changes: Any) -> OperatingCharacteristics:
    found = measure_operating_characteristics(from_counts(groups, **changes), limit, reference or {}, seed=0)
    assert isinstance(found, OperatingCharacteristics)
    return found


@pytest.mark.parametrize("named", [None, 1])
@pytest.mark.parametrize("groups", [2, 4])
def test_many_tables_are_labelled_as_each_one_is(groups: int, named: int | None) -> None:
    draw = np.random.default_rng(groups)
    n = [40, 40, 90, 25][:groups]
    k = [np.minimum(size, draw.integers(0, size + 1, 200) // draw.integers(1, 4, 200)) for size in n]
    names = ["m", "a", "z", "c"][:groups]
    together = label_tables(k, n, names, 0.8, named)
    for at in range(200):
        counts = [Count.of(int(of[at]), size) for of, size in zip(k, n, strict=True)]
        reference = highest(names, counts) if named is None else named
        if reference is None or counts[reference].sum_k == 0:
            expected = "other"
        else:
            label = label_group(0, counts, Reference(reference, named is not None), 0.8).label
            expected = "other" if label == "reference" else label
        assert [name for name, mask in zip(LABELS, together, strict=True) if mask[at]] == [expected], [str(count) for count in counts]


def test_two_groups_are_summed_over_every_table() -> None:
    """All 21 x 31 tables by hand, with the pooled rate held at 20 of 50."""
    found = measured({"a": (5, 20), "b": (15, 30)})
    row = next(one for one in found.rows if (one.group, one.true_ratio) == ("a", 0.7))
    other = 20 / 50 * 50 / (30 + 0.7 * 20)
    expected = dict.fromkeys(LABELS, 0.0)
    for a, b in product(range(21), range(31)):
        counts = [Count.of(a, 20), Count.of(b, 30)]
        reference = highest(["a", "b"], counts)
        label = "other" if reference is None else label_group(0, counts, Reference(reference, False), 0.8).label
        expected["other" if label == "reference" else label] += binom.pmf(a, 20, 0.7 * other) * binom.pmf(b, 30, other)
    for name, value in expected.items():
        chance = getattr(row, name)
        assert isinstance(chance, Estimate)
        assert chance.method == "exact enumeration"
        assert chance.value == pytest.approx(value, abs=1e-8)
        assert chance.low - 1e-12 <= value <= chance.high + 1e-12
    assert found.pooled == {"group": pytest.approx(0.4)}


def test_chances_add_up_and_large_groups_can_tell() -> None:
    rows = {(one.group, one.true_ratio): one for one in measured({"a": (1200, 4000), "b": (3600, 9000)}).rows}
    for one in rows.values():
        assert sum(value.value for value in one.labels if isinstance(value, Estimate)) == pytest.approx(1, abs=1e-8)
    far, at_limit, equal = (rows["a", ratio] for ratio in (0.7, 0.8, 1.0))
    assert isinstance(far.below, Estimate)
    assert far.below.value > 0.99
    assert isinstance(equal.not_below, Estimate)
    assert isinstance(equal.other, Estimate)
    assert equal.not_below.value + equal.other.value > 0.99
    for value in (at_limit.below, at_limit.not_below):
        assert isinstance(value, Estimate)
        assert value.value <= 0.026, "wrong in at most 2.5 % each way at the limit itself"


def test_the_simulation_agrees_with_the_enumeration(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = {"a": (60, 300), "b": (200, 500)}
    exact = measured(groups)
    monkeypatch.setattr(operating, "MOST_CELLS", 0)
    drawn = measured(groups)
    for one, other in zip(exact.rows, drawn.rows, strict=True):
        for value, simulated in zip(one.labels, other.labels, strict=True):
            assert isinstance(value, Estimate)
            assert isinstance(simulated, Estimate)
            assert simulated.method == "simulation, wilson"
            assert simulated.n == operating.DRAWS
            assert simulated.low - 0.01 <= value.value <= simulated.high + 0.01


def test_more_groups_are_drawn_and_a_named_reference_needs_no_others() -> None:
    groups = {"a": (60, 300), "b": (200, 500), "c": (10, 40)}
    several = measured(groups)
    assert {one.group for one in several.rows} == {"a", "b", "c"}
    assert all(isinstance(one.below, Estimate) and one.below.method == "simulation, wilson" for one in several.rows)
    named = measured(groups, {"group": "b"})
    assert {one.group for one in named.rows} == {"a", "c"}
    assert all(isinstance(one.below, Estimate) and one.below.method == "exact enumeration" for one in named.rows)
    assert several == measured(groups), "the same seed draws the same tables"


def test_what_has_no_label_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    for outcomes in (from_counts({"a": (5, 20)}), from_counts({"a": (20, 20), "b": (9, 9)}), regression(50), binary(50, decision=None), binary(50, favourable=())):
        found = measure_operating_characteristics(outcomes, 0.8, {}, seed=0)
        assert isinstance(found, NotMeasured)
        assert found.reason
    monkeypatch.setattr(operating, "DRAWS", 100)
    small = measured({f"g{at}": (at + 1, 30 + at) for at in range(15)})
    assert len({one.group for one in small.rows}) == operating.MOST_GROUPS
    assert small.left_out == ("group: 3 smaller groups",)


def test_a_ratio_that_would_need_a_rate_above_one_is_left_out() -> None:
    rows = measured({"a": (190, 200), "b": (30, 30)}).rows
    assert {one.true_ratio for one in rows if one.group == "a"} == {1.0}
