"""Columns that repeat others: found on training rows, left out, and told."""

from __future__ import annotations

import numpy as np
import pytest

from automl.data.problems import resolve_problem
from automl.data.profiles import profile_table
from automl.data.repeats import find_repeats, leave_out_repeats
from automl.data.splits import split_table
from automl.errors import BadInput
from automl.spec import TaskSpec

N = 400
DRAW = np.random.default_rng(0)
SIZE, COLOUR = DRAW.integers(0, 200, N) / 4, DRAW.choice(["red", "green", "blue"], N)
SEX, Y = DRAW.choice(["f", "m"], N), DRAW.choice(["no", "yes"], N)
NAMES = {"red": "rot", "green": "gruen", "blue": "blau"}
BASE = {"size": SIZE, "colour": COLOUR, "sex": SEX, "y": Y}


def lines(columns):
    return ",".join(columns) + "\n" + "".join(",".join(f'"{cell}"' for cell in row) + "\n" for row in zip(*columns.values(), strict=True))


def kept(table_of, more, **spec):
    table = table_of(lines(BASE | more))
    task = TaskSpec.model_validate({"target": "y", "sensitive": ["sex"], **spec})
    problem = resolve_problem(task, table)
    return leave_out_repeats(table, task, problem, split_table(table, task, problem))


def told(found):
    return {finding.id.rsplit("-", 1)[0]: finding for finding in found.findings}


@pytest.mark.parametrize(("more", "words"), [
    ({"again": SIZE}, "'again' holds the same as 'size'"), ({"again": [f"{x:.3f}" for x in SIZE]}, "'again' holds the same as 'size'"),
    ({"again": [f"{x:.2f}".replace(".", ",") for x in SIZE]}, "'again' holds the same as 'size'"), ({"again": COLOUR}, "'again' holds the same as 'colour'"),
    ({"again": [NAMES[x] for x in COLOUR]}, "'again' carries the same information as 'colour'"),
])
def test_a_column_that_repeats_another_is_left_out_and_told(table_of, more, words):
    found = kept(table_of, more)
    assert found.problem.schema.names == ("size", "colour")
    assert list(found.split.train.features) == ["size", "colour"]
    assert words in told(found)["repeated-column"].text
    column = next(each for each in found.problem.columns if each.name == "again")
    assert (column.role, column.used_as_feature) == ("ignore", False)
    assert "in every training row" in column.note


def test_a_number_that_recodes_levels_is_told_and_kept(table_of):
    """School years and the names of degrees: the number knows an order."""
    found = kept(table_of, {"years": [{"red": 9, "green": 12, "blue": 16}[x] for x in COLOUR]})
    assert found.problem.schema.names == ("size", "colour", "years")
    assert "carries the same information" in told(found)["repeated-column"].text


@pytest.mark.parametrize("more", [
    {"near": [*SIZE[:-200], *(SIZE[-200:] + 1)]}, {"random": DRAW.normal(size=N), "random2": DRAW.normal(size=N)},
    {"word": [f"word{at}" for at in range(N)], "other": [f"other thing {at}" for at in range(N)]}, {"coarser": ["warm" if x == "red" else "cold" for x in COLOUR]},
    {"holes": ["" if at % 9 == 0 else x for at, x in enumerate(SIZE)]},
])
def test_columns_that_only_resemble_each_other_stay(table_of, more):
    found = kept(table_of, more, roles={"word": "feature", "other": "feature"} if "word" in more else {})
    assert not found.findings
    assert set(more) <= set(found.problem.schema.names)


def test_what_repeats_the_target_is_a_leak_and_left_out(table_of):
    found = kept(table_of, {"paid": ["1" if y == "yes" else "0" for y in Y]})
    assert "paid" not in found.problem.schema.names
    finding = told(found)["repeated-column"]
    assert (finding.severity, finding.evidence) == ("high", "/data/columns/4")
    assert "the outcome in another form" in finding.suggestion


def test_a_copy_of_the_target_that_the_person_wants_is_used_and_told(table_of):
    found = kept(table_of, {"paid": ["1" if y == "yes" else "0" for y in Y]}, roles={"paid": "feature"})
    assert "paid" in found.problem.schema.names
    assert {finding.severity for finding in found.findings} == {"high"}
    assert set(told(found)) == {"repeated-column", "suspected-leak"}


def test_a_nearly_perfect_predictor_is_told_and_kept(table_of):
    found = kept(table_of, {"paid": [("1" if y == "yes" else "0") if at % 100 else "0" for at, y in enumerate(Y)]})
    assert "paid" in found.problem.schema.names
    assert "almost without error" in told(found)["suspected-leak"].text


def test_a_sensitive_attribute_by_another_name_is_left_out(table_of):
    found = kept(table_of, {"salutation": ["Mrs" if x == "f" else "Mr" for x in SEX]}, roles={"salutation": "feature"})
    assert "salutation" not in found.problem.schema.names
    assert told(found)["repeated-column"].severity == "high"
    used = kept(table_of, {"salutation": ["Mrs" if x == "f" else "Mr" for x in SEX]}, sensitive_as_features=True)
    assert used.problem.schema.names == ("size", "colour", "sex"), "with the attribute itself it is one of two"


def test_it_is_decided_by_training_rows_only(table_of):
    """Where audit rows alone differ the column is left out still, and the audit rows come without it."""
    task = TaskSpec(target="y")
    table = table_of(lines(BASE | {"again": SIZE}))
    audit = np.setdiff1d(np.arange(N), split_table(table, task, resolve_problem(task, table)).train.position)
    other = SIZE.copy()
    other[audit] += 1
    changed = table_of(lines(BASE | {"again": other}))
    problem = resolve_problem(task, changed)
    found = leave_out_repeats(changed, task, problem, split_table(changed, task, problem))
    assert found.problem.schema.names == ("size", "colour", "sex")
    assert list(found.split._read_audit().features) == ["size", "colour", "sex"]


def test_a_table_of_nothing_but_the_target_is_refused(table_of):
    table = table_of(lines({"paid": ["1" if y == "yes" else "0" for y in Y], "y": Y}))
    task = TaskSpec(target="y")
    problem = resolve_problem(task, table)
    with pytest.raises(BadInput, match="no column is left to learn from: 'paid' carries the same information as 'y'"):
        leave_out_repeats(table, task, problem, split_table(table, task, problem))


def test_missing_cells_are_compared_too(table_of):
    holes = ["" if at % 5 == 0 else x for at, x in enumerate(COLOUR)]
    table = table_of(lines({"a": holes, "b": holes, "c": COLOUR}))
    assert [(repeat.name, repeat.of) for repeat in find_repeats(table, table.names)] == [("b", "a")]


@pytest.mark.parametrize("few", [60, 100_000])
def test_of_a_large_table_some_rows_are_compared_first(table_of, monkeypatch, few):
    """What differs among them differs; what does not is compared whole."""
    monkeypatch.setattr("automl.data.repeats.FEW_ROWS", few)
    often, seldom = DRAW.integers(0, 150, N), DRAW.permutation(N) / 3
    nearly = often.copy()
    nearly[-1] += 1
    columns = {"often": often, "again": often, "named": [f"n{x}" for x in often], "nearly": nearly, "seldom": seldom, "other": DRAW.permutation(N), "once_more": seldom}
    table = table_of(lines(columns))
    found = {(repeat.name, repeat.of, repeat.how) for repeat in find_repeats(table, table.names)}
    assert found == {("again", "often", "same"), ("named", "often", "recoded number"), ("once_more", "seldom", "same")}


def test_the_profile_tells_of_them_before_anything_is_chosen(table_of):
    profile = profile_table(table_of(lines(BASE | {"again": SIZE})), "y")
    assert any("'again' holds the same as 'size'" in finding.text for finding in profile.quality)
