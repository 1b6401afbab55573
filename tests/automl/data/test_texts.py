"""Free text in numbers: what is told of it, what is kept of it, and what hostile cells cost."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from automl.data import texts
from automl.data.encoding import CodeEncoder, LinearEncoder, TreeEncoder
from automl.data.texts import DIRECTIONS, LONGEST, TERMS, TextEncoder, fit_texts, in_numbers, numbers_of
from tests.automl.learn import material

NOTES, _ = material.notes(300)


def again(encoder: TextEncoder) -> TextEncoder:
    return TextEncoder.from_json(json.loads(json.dumps(encoder.as_json())))


def column(*cells: str | None) -> pd.Series[Any]:
    return pd.Series(list(cells), dtype="str")


def alike(told: np.ndarray[Any, Any], one: int, other: int) -> float:
    """The cosine of two rows, without their lengths."""
    a, b = told[one, 1:], told[other, 1:]
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def test_texts_of_the_same_words_are_near_each_other() -> None:
    encoder = TextEncoder.fit("note", NOTES, 0)
    told = encoder.transform(column("Two payments are overdue.", "two PAYMENTS, overdue!", "savings cover half a year"))
    assert told.shape == (3, 1 + DIRECTIONS) == (3, encoder.width)
    assert alike(told, 0, 1) > 0.8 > alike(told, 0, 2)
    assert told[0, 0] == pytest.approx(np.log(1 + len("Two payments are overdue.")))


def test_it_survives_json_to_the_last_bit_and_is_the_same_each_time() -> None:
    encoder = TextEncoder.fit("note", NOTES, 0)
    assert np.array_equal(again(encoder).transform(NOTES), encoder.transform(NOTES), equal_nan=True)
    assert again(encoder).as_json() == encoder.as_json() == TextEncoder.fit("note", NOTES, 0).as_json()


def test_weights_are_scikit_learns() -> None:
    """With no more terms than directions every term is told by itself: TF-IDF as scikit-learn weighs it."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    cells = ["red red blue", "red green", "blue green green", "red blue"]
    told = TextEncoder.fit("x", column(*cells), 0).transform(column(*cells))[:, 1:]
    theirs = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True).fit_transform(cells).toarray()
    assert np.allclose(sorted(told.T.tolist()), sorted(theirs.T.tolist()), atol=1e-6)


def test_missing_is_missing_and_a_blank_text_is_one() -> None:
    told = TextEncoder.fit("note", NOTES, 0).transform(column("called on Monday", None, " "))
    assert np.isnan(told[1]).all()
    assert np.isfinite(told[[0, 2]]).all()
    assert not told[2, 1:].any()


def test_nothing_is_learned_from_rows_that_are_not_given() -> None:
    """Words of other rows tell nothing but the length of the text."""
    told = TextEncoder.fit("note", NOTES, 0).transform(column("zeppelin xylophone", "quokka quince zucchini"))
    assert not told[:, 1:].any()


def test_no_word_that_a_person_wrote_is_kept() -> None:
    kept = json.dumps(TextEncoder.fit("note", column(*["Erika Mustermann of Berlin called", "Erika Mustermann wrote"] * 20), 0).as_json())
    assert not any(word in kept.lower() for word in ("erika", "mustermann", "berlin", "called"))


def test_what_is_kept_is_bounded_however_many_words_there_are() -> None:
    draw = np.random.default_rng(0)
    many = pd.Series([" ".join(f"w{word}" for word in draw.integers(0, 30_000, 40)) for _ in range(1_500)], dtype="str")
    encoder = TextEncoder.fit("x", many, 0)
    assert len(encoder.hashes) == TERMS
    assert len(json.dumps(encoder.as_json())) < 500_000


HOSTILE = {
    "Chinese": ["\u8d37\u6b3e\u7533\u8bf7\u5df2\u6279\u51c6", "\u7533\u8bf7\u88ab\u62d2\u7edd"] * 5, "emoji": ["\U0001f44d\U0001f44d good", "\U0001f44e"] * 5, "nothing": [], "one row": ["a text"],
    "stop words": ["the of and", "and the"] * 5, "blanks": ["  ", "\t", " "] * 3, "punctuation": ["...", "?!", "--"] * 3, "markup": ["<script>alert(1)</script>", "{{7*7}} ${x} %s"] * 5,
    "right to left": ["\u202eabc \u05e9\u05dc\u05d5\u05dd", "\u200b\ufeff"] * 5, "combining": ["e\u0301" * 50, "\u0130stanbul"] * 5, "all missing": [None, None, None], "the same": ["one text and no other"] * 9,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_become_finite_numbers(name: str) -> None:
    cells = pd.Series(HOSTILE[name], dtype="str")
    encoder = TextEncoder.fit("x", cells, 0)
    told = again(encoder).transform(cells)
    assert told.shape == (len(cells), encoder.width)
    assert np.array_equal(np.isnan(told).all(axis=1), cells.isna())
    assert np.isfinite(told[cells.notna().to_numpy()]).all()
    assert np.isfinite(encoder.transform(NOTES[:3].dropna())).all()


def test_a_cell_of_a_megabyte_costs_no_more_than_its_beginning() -> None:
    start = "called on Monday " * (LONGEST // 17 + 1)
    encoder = TextEncoder.fit("note", NOTES, 0)
    told = encoder.transform(column(start[:LONGEST] + "x" * 1_000_000, start[:LONGEST]))
    assert np.array_equal(told[0], told[1])
    assert np.isfinite(TextEncoder.fit("x", column("x" * 1_000_000, "y" * 1_000_000), 0).transform(column("x"))).all()


def test_where_words_are_not_written_apart_characters_are_read() -> None:
    """Two sentences that share a phrase are near each other though no blank sets it off."""
    approved, refused = "\u7533\u8bf7\u5df2\u6279\u51c6", "\u7533\u8bf7\u88ab\u62d2\u7edd"
    cells = column(*[f"\u5ba2\u6237{at}{approved}" for at in range(60)], *[f"\u5ba2\u6237{at}{refused}" for at in range(60)])
    encoder = TextEncoder.fit("x", cells, 0)
    told = encoder.transform(column(f"\u94f6\u884c{approved}", f"{approved}\u4eca\u5929", f"{refused}\u4eca\u5929"))
    assert encoder.unit == "character"
    assert alike(told, 0, 1) > alike(told, 0, 2) + 0.3


def test_names_and_codes_are_read_by_their_characters() -> None:
    draw = np.random.default_rng(0)
    cells = pd.Series([f"{'AB' if at % 2 else 'XY'}-{draw.integers(1e6)}" for at in range(200)], dtype="str")
    encoder = TextEncoder.fit("x", cells, 0)
    told = encoder.transform(column("AB-1", "AB-2", "XY-2"))
    assert encoder.unit == "character"
    assert alike(told, 0, 1) > alike(told, 1, 2)


def test_blocks_and_rows_are_no_part_of_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = TextEncoder.fit("note", NOTES, 0)
    whole = encoder.transform(NOTES)
    monkeypatch.setattr(texts, "_BLOCK", 9_000)
    assert np.allclose(encoder.transform(NOTES), whole, rtol=0, atol=1e-6, equal_nan=True)
    assert np.allclose(encoder.transform(NOTES[100:101]), whole[100:101], rtol=0, atol=1e-6, equal_nan=True)
    assert TextEncoder.fit("note", NOTES, 0).hashes.tolist() == encoder.hashes.tolist()


def test_the_more_texts_a_table_has_the_less_is_told_of_each() -> None:
    frame = pd.DataFrame({f"t{at}": NOTES for at in range(40)})
    assert sum(encoder.width for encoder in fit_texts(frame, list(frame), 0)) <= 40 + 256


# --- among the other columns ---


def test_encoders_take_texts_as_such_and_as_the_numbers_that_they_become() -> None:
    frame = material.features(300).assign(note=NOTES)
    encoders = fit_texts(frame, ["note"], 0)
    wide, y = in_numbers(frame, numbers_of(frame, encoders)), np.arange(300) % 2
    for encoder in (CodeEncoder.fit(wide, encoders), LinearEncoder.fit(wide, 4, (), encoders), TreeEncoder.fit_transform(wide, y, "binary", 0, (), encoders)[0]):
        assert np.array_equal(encoder.transform(frame), encoder.transform(wide), equal_nan=True)
        document = json.loads(json.dumps(encoder.as_json()))
        assert np.array_equal(type(encoder).from_json(document).transform(frame), encoder.transform(wide), equal_nan=True)
        assert np.isfinite(LinearEncoder.fit(frame, 0, (), encoders).transform(frame)).all()


def test_every_number_of_a_text_goes_back_to_its_column() -> None:
    frame = pd.DataFrame({"n": [1.0, 2.0] * 150, "note": NOTES, "c": ["a", "b", "c"] * 100})
    encoders = fit_texts(frame, ["note"], 0)
    encoder, matrix = TreeEncoder.fit_transform(frame, np.arange(300) % 2, "binary", 0, (), encoders)
    names = [encoder.codes.names[source] for source in encoder.sources]
    assert len(names) == matrix.shape[1]
    assert (names.count("n"), names.count("note"), names.count("c")) == (1, encoders[0].width, 4)
    assert encoder.codes.columns == ("n", "note", "c")


def test_a_text_has_one_missing_indicator_and_no_levels() -> None:
    frame = pd.DataFrame({"note": NOTES})
    encoders = fit_texts(frame, ["note"], 0)
    encoder = LinearEncoder.fit(frame, 8, (), encoders)
    assert len(encoder.sources) == encoders[0].width + 1
    assert CodeEncoder.fit(frame, [TextEncoder("note")]).unseen(pd.DataFrame({"note": ["never seen"]})) == {}


def test_a_text_that_is_absent_or_empty_is_missing() -> None:
    frame = pd.DataFrame({"n": [1.0] * 300, "note": NOTES})
    encoder = CodeEncoder.fit(frame, fit_texts(frame, ["note"], 0))
    for other in (frame[["n"]], frame.assign(note=np.nan), frame.assign(note=None)):
        assert np.isnan(encoder.transform(other)[:, 1:]).all()
