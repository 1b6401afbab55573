"""A sentence of ours is given in German as a whole, its numbers in German writing, its names as they stand; any other stays as it is."""

from __future__ import annotations

import re

import pytest

from auditapp.languages.catalogues import OF_SENTENCES, read
from auditapp.languages.sentences import NO_TEXT, QUOTE, UNQUOTE, conditions_in_german, in_german, numbers, said_in

FINDING = ("Black (race) is selected at 0.70 times the rate of Other (95 % interval 0.57 to 0.95; 156 of 1,318 against 23 of 33), below the stated limit of 0.80; "
           "whether this is more than sampling error is inconclusive at this sample size with 5 groups compared.")


def test_a_proposal_that_quotes_the_name_is_german_to_its_end() -> None:
    assert in_german("its name contains 'sex' and it has 2 values") == "sein Name enthält 'sex', und es hat 2 Werte"


def test_a_finding_is_read_with_its_parts() -> None:
    german = in_german(FINDING)
    assert german is not None
    assert german.startswith("Bei Black (race) beträgt die Rate für „ausgewählt“ das 0,70-Fache derjenigen von Other (95-%-Intervall 0,57 bis 0,95; 156 von 1.318 gegen 23 von 33)")
    assert german.endswith("nicht entscheiden (bei 5 verglichenen Gruppen).")


def test_a_list_of_ratios_within_a_finding_is_german_to_its_last_number() -> None:
    """The name that stands last in a comparison may not take in what is said after it."""
    ratios = "; ".join(f"impact ratio of {group} ({attribute}) to {against}: 0.290 (0.258 to 0.325), below the limit beyond sampling error" for group, attribute, against in (
        ("Female", "sex", "Male"), ("Other", "race", "Asian-Pac-Islander"), ("<= 24", "age", "40 to 59")))
    german = in_german("Of the measures of groups the ratio of selection rates (demographic parity) governs, as the person who asked said before anything was measured. "
                       f"Furthest by it: {ratios}; 2 more in its table.")
    assert german is not None
    assert german.count("0,290 (0,258 bis 0,325), unterhalb der Grenze") == 3
    assert "Impact-Ratio von <= 24 (age) zu 40 to 59: " in german
    assert german.endswith("; 2 weitere in der Tabelle dazu.")


@pytest.mark.parametrize("text", ["A sentence that nobody wrote.", FINDING.replace("below the stated", "beneath the stated"), "The model is good and selects the 3 best of them."])
def test_what_is_not_ours_stays_as_it_is(text: str) -> None:
    assert in_german(text) is None
    assert said_in(text, "de") == text


@pytest.mark.parametrize("name", ["yes", "no", "sex", "none", "not measured", "unknown", "12.5", "a; b", "Group fairness"])
def test_a_name_between_marks_is_never_translated(name: str) -> None:
    assert in_german(f"{QUOTE}{name}{UNQUOTE}") == name
    assert in_german(f"By {QUOTE}{name}{UNQUOTE}") == f"Nach {name}"


@pytest.mark.parametrize("name", ["yes", "sex", "race and colour", "12.5", "the others"])
def test_a_name_within_a_sentence_of_the_evidence_is_never_translated(name: str) -> None:
    assert in_german(f"The sensitive attribute {name} is an input of the model.") == f"Das sensible Attribut {name} ist eine Eingabe des Modells."


def test_a_name_that_looks_like_a_hundred_sentences_is_given_up() -> None:
    hostile = "Where x, the y is 1 of 2 groups of (a) is selected at 3; " * 60
    assert in_german(hostile[:2000]) is None
    assert in_german(f"Group fairness was not measured: {hostile[:2000]}.") is None


def test_the_name_of_a_crossing_is_one_name() -> None:
    assert in_german("Selection rate by race x sex") == "Selektionsrate nach race x sex"
    assert in_german("Impact ratio by sex") == "Impact-Ratio nach sex"
    crossings = ("5 of 23 groups of 2 crossings (race x age_cat, sex x age_cat) are selected at less than the stated limit of 0.80 times the rate of another group beyond sampling error; "
                 "exploratory, as all crossings are. The lowest is African-American x Less than 25 (race x age_cat) at 0.54 times the rate of Caucasian x Greater than 45 (upper limit at the label's level 0.67; 102 of 203 against 146 of 157).")
    assert "Am niedrigsten ist African-American x Less than 25 (race x age_cat) mit " in str(in_german(crossings))


def test_numbers_in_german_writing() -> None:
    assert numbers("12,240 rows, 0.927 (−0.922 to 1.0e−05), version 3.11.7, 2026-11-22") == "12.240 rows, 0,927 (−0,922 to 1,0e−05), version 3.11.7, 2026-11-22"


def test_conditions_of_a_slice() -> None:
    assert conditions_in_german("sex is Female, and income is missing and age above 2,000 and at most 5,310.5 or missing") == \
        "sex ist Female und income ist fehlend und age über 2.000 und höchstens 5.310,5 oder fehlend"


def test_a_translation_names_the_places_of_its_pattern_and_keeps_the_space_at_its_ends() -> None:
    def places(text: str) -> set[str]:
        return set(re.findall(r"\{[=?~#!%;]?(\d+)\}", text))

    wrong = [message.text for message, (german,) in read(OF_SENTENCES.read_text()).items() if german != NO_TEXT and (
        not places(german) <= places(message.text) or (message.text[:1].isspace(), message.text[-1:].isspace()) != (german[:1].isspace(), german[-1:].isspace()))]
    assert wrong == []
