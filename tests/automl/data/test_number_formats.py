"""Numbers as people write them: one way a column, never a guess, and the same way in prediction."""

from __future__ import annotations

import json

import numpy as np
import pytest

from automl.data.features import FeatureSchema
from automl.data.number_formats import PLAIN, NumberFormat
from automl.data.problems import resolve_problem
from automl.data.quality import find_quality_issues
from automl.data.splits import split_table
from automl.errors import BadInput
from automl.spec import TaskSpec


def table_with(table_of, cells, n=60):
    """``cells`` over and over again as column x, each in quotes."""
    return table_of("x,a,y\n" + "".join(f'"{cells[at % len(cells)]}",{at * 1.5},{["no", "yes"][at * 7 % 11 > 5]}\n' for at in range(n)))


def findings(table):
    return {finding.rule: finding for finding in find_quality_issues(table)}


@pytest.mark.parametrize(("cells", "numbers", "how"), [
    (["1,234.50", "12", "999,999"], [1234.5, 12, 999999], NumberFormat(".", ",")),
    (["1.234,50", "12", "0,5"], [1234.5, 12, 0.5], NumberFormat(",", ".")),
    (["3,5", "12", ",25", "-1,0"], [3.5, 12, 0.25, -1], NumberFormat(",")),
    (["1 234", "12", "-1 234 567"], [1234, 12, -1234567], NumberFormat(".", " ")),
    (["1\u00a0234,5", "1\u202f000"], [1234.5, 1000], NumberFormat(",", " ")),
    (["1'234.50", "1\u2019000"], [1234.5, 1000], NumberFormat(".", "'")),
    (["12 %", "7%", "+3.5 %"], [12, 7, 3.5], NumberFormat(unit="%")),
    (["$ 45", "$1,200", "-$3", "$-4.5"], [45, 1200, -3, -4.5], NumberFormat(".", ",", "$")),
    (["45,00 EUR", "1.200,50 EUR"], [45, 1200.5], NumberFormat(",", ".", "EUR")),
    (["\u20ac 45,0", "3,25 \u20ac"], [45, 3.25], NumberFormat(",", "", "\u20ac")),
    (["\u22125,5", "2,0"], [-5.5, 2], NumberFormat(",")),
])
def test_the_whole_column_says_how_its_numbers_are_written(table_of, cells, numbers, how):
    table = table_with(table_of, cells)
    assert table.facts["x"].number_format == how
    assert table.facts["x"].type in ("integer", "number")
    assert table.numbers("x")[:len(cells)].tolist() == numbers
    assert how.describe() in findings(table)["data.number-format"].text


@pytest.mark.parametrize("cells", [
    ["12 %", "0.5"], ["$ 45", "\u20ac 3"], ["1,23,456", "5"], ["012,5", "3,5"], ["1 23", "4"], ["1,2,3", "4"], ["1.234,5", "1,234.5"], ["12 kg", "3 kg"], ["$", "%"], ["1..2", "3"],
    ["123 456 789 012 345 678", "1"], ["1,234.50", "unknown"], ["$5%", "$6%"], ["1 234'567", "3"], ["--5,5", "1,0"],
])
def test_what_has_no_one_way_of_writing_is_no_number(table_of, cells):
    assert not table_with(table_of, cells).facts["x"].numeric


def test_what_could_be_thousands_or_decimals_is_left_a_text_and_said(table_of):
    table = table_with(table_of, ["1,234", "5,678", "12"])
    assert not table.facts["x"].numeric
    found = findings(table)["data.ambiguous-numbers"]
    assert "decimal comma" in found.text
    assert "different numbers" in found.text
    assert table_with(table_of, ["1,234", "5,678", "0,5"]).numbers("x")[0] == 1.234, "one value decides for all"
    assert table_with(table_of, ["1,234", "5,678,900"]).numbers("x")[0] == 1234


def test_plain_numbers_stay_as_they_are(table_of):
    table = table_with(table_of, ["1.234", "5.678", "1e3"])
    assert table.facts["x"].number_format == PLAIN
    assert table.numbers("x")[:3].tolist() == [1.234, 5.678, 1000]


def test_the_few_cells_in_the_way_are_counted(table_of):
    cells = [f"{at},5 %" for at in range(1, 30)] + ["n. a."]
    assert "all but 2 rows (for example 'n. a.')" in findings(table_with(table_of, cells))["data.texts-among-numbers"].text


def test_ids_set_apart_by_points_are_ids_still(table_of):
    table = table_of("x,y\n" + "".join(f"{100 + at}.{200 + at * 7 % 700}.{300 + at * 13 % 600},{at % 2}\n" for at in range(100)))
    assert table.facts["x"].type == "id"


# --- from training to prediction ---


@pytest.fixture
def schema(table_of):
    return resolve_problem(TaskSpec(target="y"), table_with(table_of, ["1.234,5", "3,5"])).schema


def test_a_table_to_predict_is_read_in_the_way_that_training_was(table_of, schema):
    again = FeatureSchema.from_json(json.loads(json.dumps(schema.as_json())))
    assert again == schema
    # alone these would be ambiguous, plain, and thousands
    assert again.frame(table_of("x,a\n\"1,234\",1\n\"12\",1\n,1\n"))["x"].tolist()[:2] == [1.234, 12]
    assert again.frame(table_of("x,a\n1.234,1\n2.000,1\n"))["x"].tolist() == [1234, 2000]


@pytest.mark.parametrize("cell", ["3.5", "3,5 %", "many", "1.23"])
def test_a_number_written_otherwise_is_refused_by_its_row(table_of, schema, cell):
    with pytest.raises(BadInput) as caught:
        schema.frame(table_of(f'x,a\n"1,5",1\n"{cell}",1\n'))
    assert f"column 'x', row 2: '{cell}' is not a number written like the others (with points between thousands and with a decimal comma)" == caught.value.sentence


def test_a_model_of_plain_numbers_guesses_at_no_others(table_of):
    schema = resolve_problem(TaskSpec(target="y"), table_with(table_of, ["1.5", "2"])).schema
    with pytest.raises(BadInput, match="row 1: '1,5' is not a number"):
        schema.frame(table_of('x,a\n"1,5",1\n"2,5",1\n'))


def test_a_target_with_units_is_learned_as_a_number_in_both_tables(table_of):
    train = table_of("y,a\n" + "".join(f'"{1000 + at},50 \u20ac",{at * 1.5}\n' for at in range(60)))
    test = table_of("y,a\n" + "".join(f'"{1.0 + at:.0f},00 \u20ac",{at * 1.5}\n' for at in range(30)))
    task = TaskSpec(target="y")
    problem = resolve_problem(task, train)
    split = split_table(train, task, problem, test)
    assert problem.task == "regression"
    assert split.train.y[:2].tolist() == [1000.5, 1001.5]
    assert np.isfinite(split.train.y).all()


def test_the_way_of_writing_is_noted_with_the_column(table_of):
    columns = resolve_problem(TaskSpec(target="y"), table_with(table_of, ["12 %", "3,5 %"])).columns
    assert columns[0].note == "numbers written with a decimal comma and in %"
