"""Slices: a planted one is found and confirmed, chance is not, and only the other rows' numbers are reported (rule 11)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from automl.audit.conditions import Condition, SliceColumn, columns_of_groups, merged, rows_of
from automl.audit.outcomes import Outcomes
from automl.audit.slice_search import discover_slices, leaves_of
from automl.audit.slices import find_slices, log_losses, measure_slices, row_errors, slices_of_predictions
from automl.evidence import Estimate, NotMeasured, SlicesSection
from tests.automl.audit.cases import binary, multiclass, regression


def columns(n: int, seed: int) -> tuple[SliceColumn, ...]:
    draw = np.random.default_rng(seed)
    age = draw.integers(18, 80, n).astype(float)
    income = draw.exponential(size=n)
    income[draw.random(n) < 0.15] = np.nan
    town = draw.choice(np.array(["a", "b", "c", None], dtype=object), n, p=[0.4, 0.3, 0.2, 0.1])
    return (SliceColumn("town", "category", town), SliceColumn("age", "number", age), SliceColumn("income", "number", income))


def planted(n: int, seed: int, extra: float = 0.4) -> tuple[tuple[SliceColumn, ...], Outcomes]:
    """One in ten decisions is wrong; among the young of town a ``extra`` more are."""
    parts = columns(n, seed)
    hit = (parts[0].values == "a") & (parts[1].values <= 30)
    draw = np.random.default_rng(seed + 100)
    wrong = draw.random(n) < 0.1 + extra * hit
    truth = draw.integers(0, 2, n)
    outcomes = binary(n, seed, truth=truth, decision=np.where(wrong, 1 - truth, truth), score=np.where(np.where(wrong, 1 - truth, truth) == 1, 0.8, 0.2), groups={"town": parts[0].values})
    return parts, outcomes


def found_and_measured(extra: float, seed: int = 0, **changes: Any) -> SlicesSection:
    (parts, outcomes), (others, confirming) = planted(4_000, seed, extra), planted(2_000, seed + 50, extra)
    outcomes, confirming = replace(outcomes, **changes.get("first", {})), replace(confirming, **changes.get("second", {}))
    section = measure_slices(find_slices(parts, outcomes, seed=1), others, confirming, discovered_on="training rows", confirmed_on="the audit part")
    assert isinstance(section, SlicesSection)
    return section


def test_a_planted_slice_is_found_and_confirmed_by_other_rows() -> None:
    section = found_and_measured(0.4)
    worst = section.rows[0]
    assert worst.label == "higher"
    assert any("town is a" in words for words in worst.where)
    assert any(words.startswith("age at most") for words in worst.where)
    assert section.family == len(section.rows)
    assert section.tried > len(section.rows)
    others, confirming = planted(2_000, 50, 0.4)
    inside = rows_of(next(one.conditions for one in _frozen(0.4) if len(one.conditions) == 2), others)
    assert isinstance(worst.error, Estimate)
    assert worst.n == inside.sum()
    assert worst.error.value == pytest.approx((confirming.decision != confirming.truth)[inside].mean())
    assert isinstance(worst.loss, Estimate)
    assert isinstance(worst.loss_rest, Estimate)
    assert worst.loss.value > worst.loss_rest.value


def _frozen(extra: float) -> Any:
    parts, outcomes = planted(4_000, 0, extra)
    found = find_slices(parts, outcomes, seed=1)
    assert not isinstance(found, NotMeasured)
    return found.slices


def test_where_nothing_is_planted_next_to_nothing_is_told() -> None:
    """Holm keeps the chance of any false "higher" at a section below 0.05 two-sided; four sections are looked at."""
    assert sum(any(one.label == "higher" for one in found_and_measured(0.0, seed).rows) for seed in range(4)) <= 1


def test_rule_11_the_confirming_rows_have_no_part_in_what_is_frozen() -> None:
    section, other = found_and_measured(0.3), found_and_measured(0.3, second={"decision": np.zeros(2_000, dtype=np.int64)})
    assert [one.where for one in section.rows] == [one.where for one in other.rows]
    assert [one.error for one in section.rows] != [one.error for one in other.rows]


def test_p_values_are_holms_over_what_was_frozen() -> None:
    section = found_and_measured(0.2)
    raw = sorted(one.p for one in section.rows if one.p is not None)
    adjusted = sorted(one.p_adjusted for one in section.rows if one.p_adjusted is not None)
    assert adjusted[0] == pytest.approx(min(1.0, raw[0] * len(raw)))
    assert all(a >= p for a, p in zip(adjusted, raw, strict=True))


def test_slices_are_not_nearly_the_same_rows_and_large_enough() -> None:
    parts, outcomes = planted(4_000, 0, 0.4)
    found = find_slices(parts, outcomes, seed=1)
    assert not isinstance(found, NotMeasured)
    masks = [rows_of(one.conditions, parts) for one in found.slices]
    assert all(mask.sum() >= found.smallest for mask in masks)
    assert all((a & b).sum() < 0.5 * (a | b).sum() for i, a in enumerate(masks) for b in masks[:i])


def test_a_tree_reads_missing_cells_and_its_conditions_hold_its_leaf() -> None:
    """An error that goes with missing income alone: found as such, by whichever way."""
    parts = columns(3_000, 5)
    error = (np.random.default_rng(0).random(3_000) < np.where(parts[2].known, 0.05, 0.6)).astype(float)
    found = discover_slices(parts, error, None, seed=0)
    assert found.slices[0].conditions[0].what == "missing"
    for one in found.slices:
        assert error[rows_of(one.conditions, parts)].mean() > error.mean()


@pytest.mark.parametrize("seed", range(4))
def test_the_conditions_of_a_leaf_hold_for_its_rows_and_no_others(seed: int) -> None:
    """Missing cells go with the low, with the high numbers, or are parted from both."""
    draw, parts = np.random.default_rng(seed), columns(3_000, seed)
    town, age, income = parts
    wrong = [income.values > 2, income.values < 0.3, age.values > 60, ~town.known][seed] | (~income.known if seed != 2 else income.known & (income.values > 1) & (age.values < 30))
    error = (draw.random(3_000) < np.where(wrong, 0.8, 0.05)).astype(float)
    found = list(leaves_of(parts, error, np.ones(3_000), 60, 0))
    assert len(found) > 2
    for inside, conditions in found:
        assert (rows_of(conditions, parts) == inside).all(), conditions
    assert any(condition.or_missing or condition.what == "missing" for _, conditions in found for condition in conditions) or seed == 2


def test_three_conditions_come_from_the_tree() -> None:
    n = 6_000
    parts = columns(n, 9)
    hit = (parts[0].values == "b") & (parts[1].values > 50) & (parts[2].values > 1)
    error = (np.random.default_rng(0).random(n) < np.where(hit, 0.7, 0.05)).astype(float)
    found = discover_slices(parts, error, None, seed=0)
    best = max(found.slices, key=lambda one: float(error[rows_of(one.conditions, parts)].mean()))
    assert best.by == "tree"
    assert {condition.column for condition in best.conditions} == {"town", "age", "income"}


def test_numbers_beyond_single_precision_are_parted_too() -> None:
    parts = columns(3_000, 4)
    huge = SliceColumn("huge", "number", np.where(parts[1].values <= 30, 1e60, np.where(parts[1].values <= 50, 1e61, 2.0**60 + parts[1].values)))
    error = (np.random.default_rng(0).random(3_000) < np.where(huge.values == 1e60, 0.6, 0.05)).astype(float)
    found = discover_slices((huge,), error, None, seed=0)
    assert error[rows_of(found.slices[0].conditions, (huge,))].mean() > 0.5


def test_weights_count() -> None:
    """Errors of next to no weight do not make their slice the worst."""
    parts = columns(3_000, 2)
    young = parts[1].values <= 30
    error = (np.random.default_rng(0).random(3_000) < np.where(young, 0.6, np.where(parts[0].values == "c", 0.3, 0.05))).astype(float)
    even, heavy = (discover_slices(parts, error, each, seed=0).slices[0] for each in (None, np.where(young & (error > 0), 1e-3, 1.0)))
    assert young[rows_of(even.conditions, parts)].mean() > 0.5 > young[rows_of(heavy.conditions, parts)].mean()
    section = found_and_measured(0.4, second={"weight": np.random.default_rng(0).exponential(size=2_000)})
    assert isinstance(section.rows[0].error, Estimate)
    assert "Rao-Scott" in section.rows[0].error.method


@pytest.mark.parametrize("make", [multiclass, regression])
def test_other_tasks_have_slices_of_their_own_error(make: Any) -> None:
    outcomes = make(4_000)
    section = slices_of_predictions(outcomes, seed=0)
    assert isinstance(section, SlicesSection)
    assert section.error == ("mean absolute error" if outcomes.task == "regression" else "share of wrong decisions")
    assert section.rows_discovered + section.rows_confirmed == 4_000
    assert (section.overall.k is None) == (outcomes.task == "regression") if isinstance(section.overall, Estimate) else False
    if outcomes.task == "regression":
        assert section.rows
        assert section.rows[0].where == ("group is b",)
        assert section.rows[0].label == "higher"
        assert section.rows[0].loss is None


def test_a_quantile_is_measured_by_its_loss() -> None:
    errors = row_errors(regression(50, quantile=0.9))
    assert not isinstance(errors, NotMeasured)
    assert errors.words == "mean quantile loss (level 0.9)"
    o = regression(50)
    residual = np.asarray(o.truth) - np.asarray(o.score)
    assert errors.error == pytest.approx(np.where(residual > 0, 0.9 * residual, -0.1 * residual))


def test_halves_keep_persons_together_and_say_so_where_they_cannot() -> None:
    outcomes = binary(1_000, cluster=np.repeat(np.arange(250), 4))
    section = slices_of_predictions(outcomes, seed=3)
    assert isinstance(section, SlicesSection)
    assert section.rows_discovered == section.rows_confirmed == 500
    one_person = slices_of_predictions(binary(100, cluster=np.zeros(100)), seed=3)
    assert isinstance(one_person, NotMeasured)


def test_what_cannot_be_measured_says_why() -> None:
    for reason, outcomes in (("no label column", binary(200, truth=None)), ("no decision column", binary(200, decision=None))):
        section = slices_of_predictions(outcomes, seed=0)
        assert isinstance(section, NotMeasured)
        assert reason in section.reason
    assert isinstance(find_slices((), binary(100), seed=0), NotMeasured)
    few = slices_of_predictions(binary(60), seed=0)
    assert isinstance(few, SlicesSection)
    assert (few.rows, few.tried) == ((), 0)


def test_a_slice_that_nobody_of_the_other_part_is_in_is_not_measured() -> None:
    parts, outcomes = planted(4_000, 0, 0.4)
    found = find_slices(parts, outcomes, seed=1)
    elsewhere = tuple(replace(column, values=np.full(500, "z", dtype=object) if column.kind == "category" else np.full(500, 1e6)) for column in parts)
    section = measure_slices(found, elsewhere, outcomes.take(np.arange(500)), discovered_on="a", confirmed_on="b")
    assert isinstance(section, SlicesSection)
    assert isinstance(section.rows[0].error, NotMeasured)
    assert section.rows[0].p is None


def test_log_losses_are_those_of_the_true_class() -> None:
    o = multiclass(20)
    losses = log_losses(o)
    assert losses is not None
    assert isinstance(o.score, np.ndarray)
    assert isinstance(o.truth, np.ndarray)
    assert losses == pytest.approx(-np.log(o.score[np.arange(20), o.truth]))
    assert log_losses(replace(o, score=None)) is None


def test_conditions_read_well() -> None:
    number = SliceColumn("hours per week", "number", np.array([1.0, np.nan]))
    date = SliceColumn("since", "date", np.array([18_262.0, np.nan]))
    category = SliceColumn("sex", "category", np.array(["f", None], dtype=object), "unknown")
    said = [
        (Condition("hours per week", "range", high=27.0), number, "hours per week at most 27"), (Condition("hours per week", "range", 27.0, 40.0), number, "hours per week above 27 and at most 40"),
        (Condition("hours per week", "range", low=0.123456, or_missing=True), number, "hours per week above 0.123456 or missing"), (Condition("since", "range", high=18_262.0), date, "since up to 2020-01-01"),
        (Condition("sex", "is", level="f"), category, "sex is f"), (Condition("sex", "is_not", level="f"), category, "sex is not f"), (Condition("sex", "missing"), category, "sex is unknown")]
    for condition, column, words in said:
        assert condition.words(column) == words
    assert Condition("x", "is", level="a\u202eb" + "c" * 100).words(SliceColumn("x", "category", np.array([], dtype=object))) == "x is a[U+202E]b" + "c" * 49 + "…"


def test_a_path_is_merged_to_what_it_says() -> None:
    low, high = Condition("a", "range", low=1.0), Condition("a", "range", high=9.0, or_missing=True)
    assert merged((low, high, Condition("a", "range", high=5.0))) == (Condition("a", "range", 1.0, 5.0),)
    assert merged((Condition("b", "is_not", level="x"), Condition("b", "is", level="y"))) == (Condition("b", "is", level="y"),)
    assert merged((Condition("a", "known"), high)) == (Condition("a", "range", high=9.0),)
    assert merged((high, Condition("a", "missing"))) == (Condition("a", "missing"),)


def test_unknown_groups_are_a_level() -> None:
    column = columns_of_groups({"sex": np.array(["f", None, "m"], dtype=object)})[0]
    assert Condition("sex", "missing").holds(column).tolist() == [False, True, False]
    assert Condition("sex", "is_not", level="f").holds(column).tolist() == [False, True, True]
