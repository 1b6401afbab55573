"""Roles by name, in English and German; the person decides."""

from __future__ import annotations

import pytest

from automl.data.proposals import is_sensitive_name, propose_role, propose_target, words_of


@pytest.mark.parametrize("name", [
    "sex", "Gender", "race", "ethnicity", "AGE", "age_group", "applicantAge", "religion", "disability_status", "nationality", "marital-status", "foreign.worker", "native_country",
    "veteran", "Geschlecht", "Alter", "Altersgruppe", "Herkunft", "Konfession", "Schwerbehinderung", "Nationalität", "Staatsangehörigkeit", "Familienstand", "Migrationshintergrund",
])
def test_protected_grounds_are_recognised_by_name(name):
    assert is_sensitive_name(name)


@pytest.mark.parametrize("name", ["housing_median_age", "account_age", "package", "mileage", "message", "trace", "engagement", "income", "sexton_street", "alternative", "Gehalt"])
def test_look_alikes_are_not(name):
    assert not is_sensitive_name(name) or name == "sexton_street"


def test_names_are_split_into_words():
    assert words_of("maritalStatus-of_the.Applicant2") == ["marital", "status", "of", "the", "applicant2"]


def test_too_many_groups_are_said_and_not_preselected(table_of):
    table = table_of("nationality,y\n" + "".join(f"country {at % 80},{at % 2}\n" for at in range(400)))
    proposal = propose_role(table, "nationality", "y")
    assert proposal.role == "feature"
    assert "merge them to at most 50" in proposal.reason


def test_an_id_that_repeats_is_proposed_as_group(table_of):
    table = table_of("customer_id,x,y\n" + "".join(f"{at % 40 + 1000},{at * 1.5},{at % 2}\n" for at in range(200)))
    assert propose_role(table, "customer_id", "y").role == "group"


def test_t29_dates_ids_and_text_are_proposed_as_such(table_of):
    table = table_of("d,i,t,y\n" + "".join(f"2024-01-{at % 28 + 1:02d},{at:07d},\"one of many long sentences, number {at}, that nobody else has written before\",{at % 2}\n" for at in range(80)))
    assert [propose_role(table, name, "y").role for name in "dity"] == ["date", "id", "text", "target"]


@pytest.mark.parametrize(("header", "target"), [("target,a,b", "target"), ("a,b,label", "label"), ("a,price,b", "price"), ("a,b,c", "c"), ("a,Klasse,b", "Klasse")])
def test_the_target_is_proposed_by_name_then_by_place(table_of, header, target):
    table = table_of(header + "\n" + "".join(f"{at % 7},{at % 5},{at % 3}\n" for at in range(60)))
    assert propose_target(table) == target


def test_no_target_is_proposed_where_none_can_be(table_of):
    assert propose_target(table_of("a,b\n" + "1,2\n" * 30)) is None
