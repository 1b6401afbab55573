"""What a column is taken for, and what it must never be taken for."""

from __future__ import annotations

import pyarrow as pa
import pytest

from automl.data.column_types import ColumnFacts, describe_column
from automl.spec import DEFAULT_MISSING


def facts(values, name="x", missing=DEFAULT_MISSING) -> ColumnFacts:
    return describe_column(name, pa.chunked_array([pa.array(values, pa.string())]), frozenset(missing))


def kind(values, name="x") -> str:
    return facts([str(value) for value in values], name).type


@pytest.mark.parametrize(("values", "expected"), [
    ([1, 2, 3, 2], "integer"), ([-1, "+2", 3, 3], "integer"), (["1.5", "2", "-3e5", ".5", "5."], "number"), (["41.0", "42.0"], "number"),
    (["00012", "00345", "00012"], "category"), (["1", "02"], "category"), (["0", "0.5", "1"], "number"), (["1,5", "2,5"], "number"), (["1,234", "5,678"], "category"),
    (["1_000", "2"], "category"), (["0x10", "1"], "category"), (["yes", "no", "yes"], "boolean"), (["True", "FALSE"], "boolean"), (["ja", "nein"], "boolean"),
    (["a", "b"], "category"), (["a", "a"], "constant"), (["a", "", "a"], "category"), (["", "NA"], "empty"), ([0, 1, 1], "integer"), (["inf", "1.5"], "number"),
    (["1234567890123456", "1234567890123457"], "category"),
])
def test_types_follow_the_texts(values, expected):
    assert kind(values) == expected


def test_infinite_values_are_counted_and_zero_is_none():
    described = facts(["1", "inf", "-Infinity", "2", "inf"])
    assert (described.infinite, described.numeric, described.type) == (3, True, "number")


def test_missing_markers_are_the_persons_choice():
    namibia = ["NA", "DE", "NA", "FR"]
    assert facts(namibia).missing == 2
    kept = facts(namibia, missing=("",))
    assert (kept.missing, kept.distinct) == (0, 3)
    assert facts([" ? ", "x", "y"]).missing == 1


# --- ids ---


def test_codes_of_their_own_in_nearly_every_row_are_ids():
    assert kind([f"{i:05d}" for i in range(100)]) == "id"
    assert kind([f"K-{i}" for i in range(100)]) == "id"
    assert kind(range(1, 200), "row") == "id"
    assert kind(range(70_000_001, 70_000_900, 7), "kunde") == "id"
    assert kind([5, 90, 333, 2], "customer_id") == "id"


def test_measures_are_no_ids_even_if_all_differ():
    assert kind([f"{i * 1.37:.3f}" for i in range(1, 200)]) == "number"
    assert kind([1_000 + i * i for i in range(200)], "income") == "integer"
    assert kind([i % 150 for i in range(200)]) == "integer"


# --- text ---


def test_free_text_is_not_a_category():
    assert kind([f"the applicant wrote sentence {i} about a number of things that matter here" for i in range(100)]) == "text"
    assert kind(["red", "green", "blue"] * 50) == "category"


# --- dates ---


@pytest.mark.parametrize(("values", "date_format"), [
    (["2024-01-31", "2024-02-29"], "ISO8601"), (["2024-01-31T08:30:00", "2024-02-29 09:00:00"], "ISO8601"), (["2024-01-31T08:30:00Z", "2024-02-29"], "ISO8601"),
    (["31.01.2024", "1.2.2024"], "%d.%m.%Y"), (["31/01/2024", "01/02/2024"], "%d/%m/%Y"), (["01/31/2024", "01/02/2024"], "%m/%d/%Y"), (["2024/1/31", "2024/2/1"], "%Y/%m/%d"),
])
def test_dates_are_found_in_one_format(values, date_format):
    described = facts(values)
    assert (described.type, described.date_format) == ("date", date_format)


def test_what_could_be_day_or_month_first_is_left_a_text():
    assert facts(["01/02/2024", "03/04/2024"]).date_format is None


def test_an_impossible_date_makes_no_date_column():
    assert facts(["2024-02-30", "2024-01-01"]).date_format is None
    assert facts(["20240101", "20240102"]).type == "integer"
