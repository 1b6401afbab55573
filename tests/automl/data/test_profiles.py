"""The profile: what the form shows, small enough to store and safe to show."""

from __future__ import annotations

import json

import pytest

from automl.data.profiles import profile_table
from automl.data.sample import make_sample
from automl.data.tables import read_table
from automl.errors import BadInput
from automl.evidence import DatasetProfile


def by_name(profile):
    return {column.name: column for column in profile.columns}


@pytest.mark.slow
def test_the_sample_is_described_as_it_was_made(table_of):
    profile = profile_table(table_of(make_sample()))
    columns = by_name(profile)
    assert profile.proposed_target == "approved"
    assert {name for name, column in columns.items() if column.proposal.role == "sensitive"} == {"sex", "race", "age"}
    assert columns["application_id"].proposal.role == "id"
    assert columns["approved"].could_be_target == "binary"
    assert (columns["age"].low, columns["age"].high) == (18, 85)
    assert len(columns["age"].default_bins) == 3
    assert not any(column.suspected_leak for column in profile.columns)
    assert all(column.proposal.reason for column in profile.columns)


def test_edges_are_offered_only_where_numbers_are_compared_in_bins(table_of):
    columns = by_name(profile_table(table_of("flag,age,y\n" + "".join(f"{at % 2},{20 + at % 40},{at % 3}\n" for at in range(120)))))
    assert columns["flag"].default_bins == ()
    assert len(columns["age"].default_bins) == 3


def test_pictures_count_every_value_once(table_of):
    table = table_of(make_sample(2_000))
    for column in profile_table(table).columns:
        assert len(column.histogram) <= 12
        if column.histogram:
            assert sum(bar.n for bar in column.histogram) == table.rows - column.missing


def test_many_levels_are_gathered_in_the_last_bar(table_of):
    table = table_of("c,y\n" + "".join(f"level {min(at % 30, 20)} x,{at % 2}\n" for at in range(600)))
    bars = by_name(profile_table(table))["c"].histogram
    assert len(bars) == 12
    assert bars[-1].label == "10 others"


def test_dates_have_a_range_and_a_picture(table_of):
    column = profile_table(table_of("d,y\n" + "".join(f"2024-{at % 12 + 1:02d}-{at % 28 + 1:02d},{at % 2}\n" for at in range(100)))).columns[0]
    assert (column.type, column.low, column.high) == ("date", "2024-01-01", "2024-12-28")
    assert sum(bar.n for bar in column.histogram) == 100


def test_the_preview_holds_twenty_rows_as_written_and_cut(table_of):
    profile = profile_table(table_of("a,b\n" + "".join(f"00{at},{'x' * 500}\n" for at in range(50))))
    assert len(profile.preview) == 20
    assert profile.preview[3][0] == "003"
    assert len(profile.preview[0][1]) == 120


def test_the_profile_survives_json_with_hostile_names_and_values(table_of):
    table = table_of('"<script>alert(1)</script>","a\nb","#read(""/etc/passwd"")"\n' + '=cmd(),"{{7*7}}",\u202egnp\n1,2,\U0001f600\n' * 20)
    profile = profile_table(table)
    assert DatasetProfile.model_validate(json.loads(profile.model_dump_json())) == profile
    assert [column.name for column in profile.columns] == list(table.names)


def test_extreme_numbers_do_not_break_the_pictures(table_of):
    profile = profile_table(table_of("a,b,c,y\n" + "".join(f"{(-1) ** at * 1.7e308},{at * 1e-320},{'inf' if at % 2 else at},{at % 3}\n" for at in range(60))))
    assert json.loads(profile.model_dump_json())["rows"] == 60


def test_columns_of_nothing_and_of_one_value_are_ignored_with_a_reason(table_of):
    columns = by_name(profile_table(table_of("e,k,y\n" + ",7,1\n,7,0\n" * 30)))
    assert [(columns[name].type, columns[name].proposal.role) for name in "ek"] == [("empty", "ignore"), ("constant", "ignore")]


def test_a_target_that_is_no_column_is_refused(table_of):
    with pytest.raises(BadInput, match="no column 'z'"):
        profile_table(table_of("a,b\n1,2\n"), target="z")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "target", "sensitive"), [
    ("adult.csv.gz", "income", {"sex", "race", "age"}), ("compas.csv", "two_year_recid", {"sex", "race", "age_cat", "age"}),
    ("german_credit.csv", "class-label", {"sex", "age", "foreign-worker"}), ("bank_marketing.csv", "y", {"age", "marital"}),
    ("california_housing.csv", "median_house_value", set()), ("dry_bean.csv", "Class", set()),
])
def test_the_real_tables_get_sensible_proposals(real, name, target, sensitive):
    profile = profile_table(read_table(real(name)))
    proposed = {column.name for column in profile.columns if column.proposal.role == "sensitive"}
    assert profile.proposed_target == target
    assert sensitive <= proposed
    if not sensitive:
        assert not proposed


def test_adults_survey_weight_is_proposed_as_weight(real):
    assert by_name(profile_table(read_table(real("adult.csv.gz"))))["fnlwgt"].proposal.role == "weight"
