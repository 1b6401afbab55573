"""A table of any format: recognised by content, kept as written, read by column."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from automl.data.limits import TableLimits
from automl.data.tables import read_table
from automl.errors import BadInput

CSV = "code,n,when,sex\n00012,1.5,2024-01-31,f\n00013,,2024-02-29,?\n00014, +3 ,,m\n00015,inf,1970-01-02,f\n"


def test_texts_are_as_written_and_missing_is_nan(table_of):
    table = table_of(CSV)
    assert table.text("code").tolist() == ["00012", "00013", "00014", "00015"]
    assert table.text("sex").isna().tolist() == [False, True, False, False]
    assert str(table.text("sex").dtype) == "str"
    assert table.text("sex", np.array([3, 0])).tolist() == ["f", "f"]


def test_numbers_are_floats_and_infinite_ones_count_as_missing(table_of):
    table = table_of(CSV)
    assert np.array_equal(table.numbers("n").to_numpy(), [1.5, np.nan, 3.0, np.nan], equal_nan=True)
    assert table.facts["n"].infinite == 1


def test_dates_are_days_since_1970(table_of):
    table = table_of(CSV)
    assert np.array_equal(table.dates("when", "ISO8601").to_numpy(), [19753, 19782, np.nan, 1], equal_nan=True)


def test_a_text_where_a_number_should_be_names_column_and_row(table_of):
    table = table_of("a\n1\n2\nx7\n4\n")
    with pytest.raises(BadInput, match="column 'a', row 3: 'x7' is not a number"):
        table.numbers("a")
    with pytest.raises(BadInput, match="row 3"):
        table.numbers("a", np.array([0, 2]))


def test_a_text_where_a_date_should_be_names_column_and_row(table_of):
    with pytest.raises(BadInput, match="column 'a', row 2: 'soon' is not a date"):
        table_of("a\n2024-01-01\nsoon\n").dates("a", "ISO8601")


def test_the_digest_is_that_of_the_file(table_of):
    raw = b"a\n1\n"
    assert table_of(raw).sha256 == hashlib.sha256(raw).hexdigest()
    assert table_of(raw * 10).sha256 == hashlib.sha256(raw * 10).hexdigest()
    assert table_of(raw * 10).bytes == 40


def test_content_and_not_the_name_decides_what_is_read(tmp_path):
    path = tmp_path / "table.xlsx"
    path.write_text("a,b\n1,2\n")
    assert read_table(path).reading.format == "csv"


@pytest.mark.parametrize(("content", "word"), [
    (b"%PDF-1.7\n...", "PDF"), (b"\x80\x04\x95\x10pickle", "pickle"), (b"SQLite format 3\x00", "database"), (b"BZh91AY", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"), (b"\x89PNG\r\n\x1a\n", "picture"), (b"\x7fELF\x02", "program"), (b"7z\xbc\xaf\x27\x1c", "7z"), (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"<!DOCTYPE html><html>", "web page"), (b"PK\x03\x04junk", "zip"), (b"\x1f\x8bjunk", "gzip"), (b"PAR1junk", "Parquet"),
])
def test_t27_t38_other_files_are_refused_by_what_they_are(table_of, content, word):
    with pytest.raises(BadInput, match=word):
        table_of(content)


def test_limits_are_repeated_in_the_refusal(table_of):
    with pytest.raises(BadInput, match="the limit is 2"):
        table_of("a,b,c\n1,2,3\n", limits=TableLimits(columns=2))


def test_a_missing_column_is_named_with_the_closest_one(table_of):
    with pytest.raises(BadInput, match="no column 'incme'; did you mean 'Income'"):
        table_of("Income,b\n1,2\n").check_has(["incme"])


def test_the_real_tables_are_read_whole(real):
    for name, rows, columns in (("adult.csv.gz", 48_842, 15), ("compas.csv", 6_172, 11), ("german_credit.csv", 1_000, 22), ("california_housing.csv", 20_640, 10)):
        table = read_table(real(name))
        assert (table.rows, len(table.names)) == (rows, columns)


def test_missing_cells_of_adult_are_the_documented_ones(real):
    assert sum(facts.missing for facts in read_table(real("adult.csv.gz")).facts.values()) == 6_465


@pytest.mark.slow
def test_a_100_mb_table_needs_less_than_three_times_its_size(tmp_path):
    """Peak memory of a fresh process, above what it needs for a table of ten rows."""
    line = ",".join(f"{i}.{i:05d}" for i in range(12)) + ",some words,another category,x\n"
    header = ",".join(f"c{i}" for i in range(15)) + "\n"
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_text(header + line * 10)
    with large.open("w") as out:
        out.write(header)
        for _ in range(100):
            out.write(line * (2**20 // len(line)))
    peaks = [_peak_of_reading(path) for path in (small, large)]
    assert peaks[1] - peaks[0] < 3 * large.stat().st_size


def _peak_of_reading(path) -> int:
    code = (
        "import resource, sys; from pathlib import Path; from automl.data.tables import read_table;"
        "read_table(Path(sys.argv[1])); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)"
    )
    return int(subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True).stdout)
