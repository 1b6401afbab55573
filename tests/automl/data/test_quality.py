"""Oddities of a table, each by its rule and with its count."""

from __future__ import annotations

import pytest

from automl.data.quality import find_quality_issues, row_hashes
from automl.data.tables import read_table


def rules(table):
    return {finding.rule: finding for finding in find_quality_issues(table)}


CLEAN = "a,b,y\n" + "".join(f"{at * 1.5},{'xyz'[at % 3]},{at % 2}\n" for at in range(60))


def test_a_clean_table_has_no_findings(table_of):
    assert find_quality_issues(table_of(CLEAN)) == ()


def test_repeated_rows_are_counted_beyond_the_first_and_without_ids(table_of):
    table = table_of("id,a,y\n" + "".join(f"{at:05d},{at % 50 * 1.5},{at % 50 % 2}\n" for at in range(120)))
    found = rules(table)["data.duplicates"]
    assert "70 of 120 rows" in found.text


def test_rows_that_hold_the_same_cells_in_another_order_are_not_repeated(table_of):
    table = table_of("a,b\n1,2\n2,1\n12,\n,12\n1,2\n")
    hashes = row_hashes(table, ["a", "b"])
    assert len(set(hashes.tolist())) == 4
    assert hashes[0] == hashes[4]


@pytest.mark.parametrize(("rule", "column", "words"), [
    ("data.constant", lambda at: "7", "one value"), ("data.empty", lambda at: "", "missing in every row"), ("data.infinite", lambda at: "inf" if at < 3 else at * 1.5, "3 infinite values"),
    ("data.missing", lambda at: "" if at % 3 else at, "missing in 40 of 60 rows"), ("data.number-format", lambda at: f'"{at},5"', "decimal comma"),
    ("data.texts-among-numbers", lambda at: "unknown" if at == 9 else at * 2, "all but 1 rows (for example 'unknown')"),
    ("data.alike-levels", lambda at: ["Male", "male ", "Female"][at % 3], "'Male' and 'male '"),
])
def test_each_oddity_is_found_by_its_rule_and_points_at_its_column(table_of, rule, column, words):
    table = table_of("a,x,y\n" + "".join(f"{at * 1.5},{column(at)},{at % 2}\n" for at in range(60)))
    found = rules(table)[rule]
    assert words in found.text
    assert found.evidence == "/data/columns/1"
    assert found.suggestion


def test_a_header_of_numbers_is_questioned(table_of):
    assert "may be data" in rules(table_of("39,77516,13,State-gov\n50,83311,12,Private\n38,215646,9,Private\n"))["data.header"].text


def test_adult_has_its_known_duplicates(real):
    assert "52 of 48,842 rows" in rules(read_table(real("adult.csv.gz")))["data.duplicates"].text


def test_every_finding_has_an_id_of_its_own(table_of):
    table = table_of("a,b,c,y\n" + "".join(f"7,,7,{at % 2}\n" for at in range(30)))
    ids = [finding.id for finding in find_quality_issues(table)]
    assert len(ids) == len(set(ids)) >= 3


def test_nothing_that_a_person_wrote_is_quoted(table_of):
    """Two notes that differ in case only: a finding about them would print them."""
    notes = [f"{'The' if at % 2 else 'the'} applicant {at // 2} of Secret Street wrote a long letter about many things" for at in range(120)]
    table = table_of("x,y\n" + "".join(f'"{note}",{at % 2}\n' for at, note in enumerate(notes)))
    assert table.facts["x"].type == "text"
    assert not any("secret" in finding.text.lower() for finding in find_quality_issues(table))
