"""The catalogue of what only people can say: whole, without double meaning, and strict about what it keeps."""

from __future__ import annotations

import re

import pytest

from auditapp.statements.fields import FIELDS, LANGUAGE, LONG, SECTIONS, SHORT, asked_in, checked, edited_in, label_of, language_of, words_of
from automl.errors import BadInput


def test_the_language_is_chosen_like_a_statement_and_printed_nowhere() -> None:
    assert [language_of({}), language_of({LANGUAGE: "de"}), language_of({LANGUAGE: "tlh"})] == ["en", "de", "en"], "what a later version offers, this one does not know"
    assert [language_of({}, "de"), language_of({LANGUAGE: "en"}, "de"), language_of({LANGUAGE: "de"}, None)] == ["de", "en", "de"], "what people say later counts"
    assert LANGUAGE in {field.name for field in edited_in(16)}
    assert not any(field.name == LANGUAGE for number in SECTIONS for field in asked_in(number))
    with pytest.raises(BadInput, match="'fr' is not offered"):
        checked(LANGUAGE, "fr")


def test_each_field_is_edited_in_one_section_and_printed_in_those_it_names() -> None:
    assert sorted(field.name for number in SECTIONS for field in edited_in(number)) == sorted(FIELDS)
    assert {number for field in FIELDS.values() for number in field.sections} == set(SECTIONS)
    assert [field.name for field in asked_in(13)].count("contest_route") == 1 == [field.name for field in asked_in(11)].count("contest_route")


def test_labels_tell_fields_apart_and_no_word_of_it_is_a_verdict() -> None:
    assert len({field.label for field in FIELDS.values()}) == len(FIELDS)
    for field in FIELDS.values():
        words = " ".join((field.label, field.help, field.who, *(field.choices or {}).values()))
        assert not re.search(r"\b(compliant|complies|passes|certified|unbiased)\b", words, re.IGNORECASE), field.name
        assert field.help.endswith(".")
        assert field.who


@pytest.mark.parametrize(("name", "text", "kept"), [
    ("purpose", "  one\r\ntwo\rthree\tfour ", "one\ntwo\nthree four"), ("system", "Scorer 2.1", "Scorer 2.1"), ("distribution_date", "2026-11-22", "2026-11-22"),
    ("output_role", "sole", "sole"), ("purpose", "می‌خواهم 例え \U0001f469‍\U0001f52c", "می‌خواهم 例え \U0001f469‍\U0001f52c"), ("purpose", "x" * LONG, "x" * LONG),
])
def test_what_is_kept(name: str, text: str, kept: str) -> None:
    assert checked(name, text) == kept


@pytest.mark.parametrize(("name", "text", "why"), [
    ("purpos", "x", "did you mean 'purpose'"), ("nothing_like_it", "x", "there is no such field"), ("a/b~c", "x", "there is no such field"), ("purpose", " \n ", "nothing is said"),
    ("purpose", "\u200b\u200d", "nothing is said"), ("purpose", "x" * (LONG + 1), "4,001 characters; at most 4,000"), ("system", "x" * (SHORT + 1), "at most 300"), ("system", "a\nb", "more than one line"),
    ("purpose", "a\x00b", "U+0000"), ("purpose", "a\x1b[31mb", "U+001B"), ("purpose", "not \u202eevorppa", "U+202E"), ("purpose", "half \ud800", "U+D800"),
    ("distribution_date", "22.11.2026", "is no date"), ("distribution_date", "20261122", "is no date"), ("distribution_date", "2026-02-30", "is no date"), ("use_class", "harmless", "choose from none"),
])
def test_what_is_refused_and_points_at_the_field(name: str, text: str, why: str) -> None:
    with pytest.raises(BadInput, match=re.escape(why)) as fault:
        checked(name, text)
    assert fault.value.pointer == "/fields/" + name.replace("~", "~0").replace("/", "~1")


def test_a_choice_is_shown_in_words_and_what_a_later_catalogue_lost_as_it_was_kept() -> None:
    assert words_of("independence_use", "no") == "no"
    assert words_of("reason_table_approval", "approved") == "its texts were read and are approved as printed"
    assert words_of("use_class", "gone") == "gone"
    assert (words_of("gone", "text"), label_of("gone"), label_of("purpose")) == ("text", "gone", "Intended purpose")
