"""Leaks are found by strength alone; names play no part."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from automl.data.leaks import auc, find_leaks
from automl.data.tables import read_table


def lines(columns, n=2_000):
    dice = np.random.default_rng(0)
    y = dice.integers(0, 2, n)
    made = {"y": y, **{name: make(y, dice) for name, make in columns.items()}}
    return ",".join(made) + "\n" + "\n".join(",".join(str(value) for value in row) for row in zip(*made.values(), strict=True)) + "\n"


def weak(y, dice):
    return np.round(dice.normal(size=len(y)) + 0.3 * y, 4)


def test_t29_the_target_in_disguise_is_found_whatever_its_name_or_form(table_of):
    table = table_of(lines({
        "a": weak, "b": weak, "number": lambda y, dice: np.round(100 - 40 * y + dice.normal(size=len(y)), 3), "category": lambda y, dice: np.where(y == 1, "granted", "refused"),
    }))
    found = find_leaks(table, "y")
    assert set(found) == {"number", "category"}
    assert "AUC 1.000" in found["category"]


def test_a_text_that_tells_the_outcome_is_found(table_of):
    said = [f"call {at} was about many things and took {at % 50} minutes of our time" for at in range(5_000)]
    leak = lambda y, dice: [f'"{text}, {"contract sent to the customer" if one else "no contract, thanked"}"' for text, one in zip(said, y, strict=False)]  # noqa: E731
    found = find_leaks(table_of(lines({"a": weak, "note": leak})), "y")
    assert set(found) == {"note"}
    assert find_leaks(table_of(lines({"a": weak, "note": lambda y, dice: [f'"{said[at]}"' for at in range(len(y))]})), "y") == {}


def test_missing_cells_can_be_the_leak(table_of):
    table = table_of(lines({"a": weak, "closed_on": lambda y, dice: np.where(y == 1, "5", "")}).replace(",5\n", ",5\n", 1) + "1,0.1,6\n")
    assert set(find_leaks(table, "y")) == {"closed_on"}


def test_many_levels_prove_nothing(table_of):
    table = table_of(lines({"a": weak, "code": lambda y, dice: [f"c {value}" for value in dice.integers(0, 900, len(y))]}))
    assert find_leaks(table, "y") == {}


def test_equally_good_predictors_raise_no_question(table_of):
    good = lambda y, dice: np.round(dice.normal(size=len(y)) + 1.4 * y, 4)  # noqa: E731
    assert find_leaks(table_of(lines({"a": good, "b": good})), "y") == {}
    assert set(find_leaks(table_of(lines({"a": good, "b": weak})), "y")) == {"a"}


def test_a_regression_target_in_disguise_is_found(table_of):
    dice = np.random.default_rng(0)
    y = np.round(dice.lognormal(size=1_000), 4)
    table = table_of("y,a,double\n" + "\n".join(f"{value},{dice.normal():.4f},{2 * value + 1:.4f}" for value in y) + "\n")
    assert set(find_leaks(table, "y")) == {"double"}


def test_the_duration_of_the_call_is_asked_about_in_bank_marketing(real):
    found = find_leaks(read_table(real("bank_marketing.csv")), "y")
    assert set(found) == {"duration"}
    assert "known only afterwards" in found["duration"]


@pytest.mark.parametrize(("name", "target"), [("adult.csv.gz", "income"), ("german_credit.csv", "class-label"), ("compas.csv", "two_year_recid"), ("california_housing.csv", "median_house_value"),
                                              ("dry_bean.csv", "Class")])
def test_honest_tables_raise_no_question(real, name, target):
    assert find_leaks(read_table(real(name)), target) == {}


def test_the_auc_is_scikit_learns():
    dice = np.random.default_rng(1)
    truth, score = dice.random(500) < 0.3, np.round(dice.normal(size=500), 1)
    assert auc(truth, score) == pytest.approx(roc_auc_score(truth, score), abs=1e-12)
