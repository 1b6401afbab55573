"""Parquet: typed values become text by one rule, and no footer is believed."""

from __future__ import annotations

import contextlib
import datetime
import decimal
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from automl.data.limits import TableLimits
from automl.errors import BadInput


def written(table: pa.Table, **how) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, **how)
    return out.getvalue()


def refusal(table_of, content, **how) -> str:
    with pytest.raises(BadInput) as caught:
        table_of(content, **how)
    return caught.value.sentence


def one_column(values, kind=None):
    return written(pa.table({"a": pa.array(values, kind)}))


@pytest.mark.parametrize(("values", "kind", "texts"), [
    ([1, -5, 2**60], pa.int64(), ["1", "-5", str(2**60)]),
    ([1.0, 0.1, 123456789012.0, 1e20, -2.5], pa.float64(), ["1", "0.1", "123456789012", "1e+20", "-2.5"]),
    ([0.1, 3.0], pa.float32(), ["0.1", "3"]),
    ([True, False], pa.bool_(), ["true", "false"]),
    ([datetime.date(2024, 2, 29)], pa.date32(), ["2024-02-29"]),
    ([datetime.datetime(2024, 2, 29, 13, 5), datetime.datetime(2024, 2, 29, 13, 5, 0, 250_000)], pa.timestamp("us"), ["2024-02-29T13:05:00", "2024-02-29T13:05:00.250000"]),
    ([decimal.Decimal("1.50"), decimal.Decimal("2.00")], pa.decimal128(6, 2), ["1.50", "2"]),
    (["00012", " x ", "NA"], pa.string(), ["00012", " x ", "NA"]),
])
def test_typed_values_become_text_by_the_stated_rule(table_of, values, kind, texts):
    table = table_of(one_column(values, kind))
    assert table.cells.column("a").to_pylist() == texts
    assert table.reading.format == "parquet"


def test_categories_are_their_texts_and_null_and_nan_are_missing(table_of):
    table = table_of(written(pa.table({"c": pa.array(["x", None, "y", "x"]).dictionary_encode(), "f": pa.array([1.5, float("nan"), None, 2.0])})))
    assert table.text("c").tolist()[0] == "x"
    assert table.text("c").isna().tolist() == [False, True, False, False]
    assert table.facts["f"].missing == 2


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(allow_nan=False, width=64), min_size=1, max_size=20))
def test_every_number_comes_back_exactly(table_of, values):
    table = table_of(one_column(values, pa.float64()))
    assert [float(text) for text in table.cells.column("a").to_pylist()] == values


def test_nested_and_binary_columns_are_refused_by_name(table_of):
    assert "column 'a' holds values of type list" in refusal(table_of, one_column([[1, 2]]))
    assert "column 'a' holds values of type binary" in refusal(table_of, one_column([b"x"], pa.binary()))


def test_a_repeated_column_name_is_refused(table_of):
    assert "positions 1 and 2" in refusal(table_of, written(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])))


def test_a_nul_character_is_refused(table_of):
    assert "NUL" in refusal(table_of, one_column(["x", "y\x00z"]))


def test_a_table_without_rows_is_refused(table_of):
    assert "no rows" in refusal(table_of, one_column([], pa.int64()))


def test_too_many_rows_are_refused_with_the_limit(table_of):
    assert "more than 1,000 rows" in refusal(table_of, one_column(list(range(1_001))), limits=TableLimits(rows=1_000))


@pytest.mark.slow
def test_t25_a_bomb_of_repeated_long_texts_is_refused_while_it_is_read(table_of):
    bomb = one_column(["x" * 100_000] * 2_000)
    assert len(bomb) < 300_000
    limits = TableLimits(bytes=20 * 2**20)
    assert "the limit" in refusal(table_of, bomb, limits=limits)


def test_a_bomb_of_equal_numbers_is_refused_by_its_cells(table_of):
    table = pa.table({f"c{i}": pa.array([0] * 200_000) for i in range(30)})
    assert "cells" in refusal(table_of, written(table), limits=TableLimits(cells=5_000_000))


@pytest.mark.parametrize("damage", [lambda raw: raw[:-10], lambda raw: raw[: len(raw) // 2], lambda raw: b"PAR1" + b"\x00" * 50 + b"PAR1", lambda raw: b"PAR1"])
def test_a_damaged_file_is_refused_in_a_sentence(table_of, damage):
    sentence = refusal(table_of, damage(one_column([1, 2, 3])))
    assert "Parquet file cannot be read" in sentence
    assert "\n" not in sentence


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(4, 300), value=st.integers(0, 255))
def test_t26_a_flipped_byte_ends_in_a_table_or_a_sentence(table_of, at, value):
    raw = bytearray(written(pa.table({"a": ["x", "y", "x"], "b": [1.5, 2.5, None]})))
    raw[at % len(raw)] = value
    with contextlib.suppress(BadInput):  # anything else fails the test
        table_of(bytes(raw))
