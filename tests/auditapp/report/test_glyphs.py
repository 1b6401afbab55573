from __future__ import annotations

from pathlib import Path

from auditapp.report.glyphs import LONGEST_TEXT, characters_of_fonts, faces_for, printable, printable_document, shortened


def test_the_fonts_have_the_letters_of_europe_and_no_kanji() -> None:
    known = characters_of_fonts()
    assert {ord(letter) for letter in "aßéłЖΩ–×≥−…†²"} <= known
    assert ord("日") not in known


def test_runs_of_missing_characters_are_named_together() -> None:
    assert printable("x 日本 y") == "x [U+65E5 U+672C] y"
    assert printable("a\u202eb") == "a[U+202E]b"
    assert printable("plain é") == "plain é"
    assert printable("日本語", longest_run=2) == "[U+65E5 U+672C …]"


def test_an_installed_font_of_another_script_is_taken_where_a_text_needs_it(hebrew_font: Path) -> None:
    assert faces_for("plain é") == []
    [face] = faces_for("שלום")
    assert (face.family, face.files) == ("DejaVu Sans", (hebrew_font,))
    assert printable("x שלום 日本 y\u202e") == "x שלום [U+65E5 U+672C] y[U+202E]"
    assert printable_document({"name": "שלום"}) == ({"name": "שלום"}, False)


def test_different_strings_stay_different_where_they_are_cut() -> None:
    document, changed = printable_document({"rows": [{"label": "日本語"}, {"label": "日本人"}, {"label": "日本語"}], "n": 3}, longest_run=2)
    assert changed
    labels = [row["label"] for row in document["rows"]]
    assert labels[0] == labels[2] != labels[1]
    assert document["n"] == 3


def test_an_unchanged_document_says_so() -> None:
    assert printable_document({"a": ["b", None, 1.5]}) == ({"a": ["b", None, 1.5]}, False)


def test_overlong_texts_are_cut_and_say_so() -> None:
    long, other = "n" * 65_536, "n" * 65_535 + "m"
    one, two, short = shortened({"rows": [[long, other, "n" * LONGEST_TEXT]]})["rows"][0]
    assert len(one) < LONGEST_TEXT + 200
    assert "65,536 characters" in one
    assert one != two, "two long names stay two"
    assert short == "n" * LONGEST_TEXT
