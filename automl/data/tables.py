"""A table as it came in: what the bytes are is found out by their content, every cell is kept as the text that was written.

    table = read_table(Path("adult.csv.gz"))
    table.names, table.rows, table.reading          # what was found, and how it was read
    table.text("sex")                               # as written, missing as NaN
    table.numbers("age")                            # float64; BadInput names the row that is not a number

Which texts mean "missing" is the person's choice (``missing``), never a library's: "NA" is Namibia's country code. A marker is
compared with the cell without surrounding blanks. Numbers that are infinite count as missing and are counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from automl.data.column_types import ColumnFacts, describe_column, distinct_values, is_missing, parse_dates
from automl.data.delimited import read_delimited
from automl.data.limits import TableLimits, in_megabytes
from automl.data.names import closest, shown
from automl.data.number_formats import PLAIN, NumberFormat, as_plain
from automl.data.parquet import read_parquet
from automl.data.spreadsheets import read_spreadsheet
from automl.errors import BadInput
from automl.evidence import ColumnType, TableReading
from automl.spec import DEFAULT_MISSING, TableOptions

__all__ = ["DEFAULT_MISSING", "Positions", "Table", "TableLimits", "TableOptions", "read_table"]

Positions = NDArray[np.int64]

# what people upload by mistake, by the first bytes
_OTHERS = (
    (b"\xd0\xcf\x11\xe0", "an old or a password-protected Excel file; save it as .xlsx without a password"),
    (b"%PDF", "a PDF; upload the table itself"),
    (b"SQLite format 3", "a database; export the table as CSV"),
    (b"BZh", "packed with bzip2; only gzip can be read"),
    (b"\xfd7zXZ", "packed with xz; only gzip can be read"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd; only gzip can be read"),
    (b"7z\xbc\xaf", "a 7z archive; upload the table itself"),
    (b"Rar!", "a RAR archive; upload the table itself"),
    (b"\x80\x02", "a pickle; such files are never opened"), (b"\x80\x03", "a pickle; such files are never opened"),
    (b"\x80\x04", "a pickle; such files are never opened"), (b"\x80\x05", "a pickle; such files are never opened"),
    (b"\x89PNG", "a picture"), (b"\xff\xd8\xff", "a picture"), (b"\x7fELF", "a program"), (b"MZ\x90", "a program"),
    (b"ARROW1", "an Arrow file; save it as Parquet or CSV"), (b"{\\rtf", "a text document"), (b"<!DOCTYPE", "a web page"), (b"<html", "a web page"),
)


@dataclass(frozen=True)
class Table:
    """Names and cells of one table, with the facts about its bytes. Rows are numbered from 1 below the header in every sentence,
    and from 0 in every array."""

    sha256: str
    bytes: int
    reading: TableReading
    limits: TableLimits
    cells: pa.Table = field(repr=False)
    """One string column per name; null only where the format itself knows it (Parquet)."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.cells.column_names)

    @property
    def rows(self) -> int:
        return int(self.cells.num_rows)

    @cached_property
    def facts(self) -> MappingProxyType[str, ColumnFacts]:
        """Type, missing, distinct and infinite of every column, in the order of the table."""
        return MappingProxyType({name: describe_column(name, self._column(name), self.missing) for name in self.names})

    @property
    def types(self) -> dict[str, ColumnType]:
        return {name: facts.type for name, facts in self.facts.items()}

    @cached_property
    def missing(self) -> frozenset[str]:
        return frozenset(self.reading.missing)

    def text(self, name: str, rows: Positions | None = None) -> pd.Series:
        """The column as written, dtype str, NaN where missing; ``rows`` picks positions (default: all)."""
        cells = self._column(name, rows)
        return pd.Series(pc.if_else(is_missing(cells, self.missing), pa.scalar(None, cells.type), cells).to_pandas(), name=name, dtype="str")

    def numbers(self, name: str, rows: Positions | None = None, number_format: NumberFormat | None = None) -> pd.Series:
        """The column as float64, NaN where missing or infinite; written as ``number_format`` says (default: as this column is found to be).
        Raises BadInput naming the first row that holds no such number."""
        how = self.facts[name].number_format if number_format is None else number_format
        cells = self._column(name, rows)
        trimmed = pc.utf8_trim_whitespace(pc.if_else(is_missing(cells, self.missing), pa.scalar(None, cells.type), cells))
        # Arrow parses exactly, but knows no leading plus
        plain = _without_plus(trimmed) if how == PLAIN else as_plain(trimmed, how)
        if how != PLAIN and plain.null_count > trimmed.null_count:
            wrong = int(np.argmax(pc.and_(plain.is_null(), trimmed.is_valid()).to_numpy()))
            raise BadInput(f"column {shown(name)}, row {_row(wrong, rows):,}: {shown(str(trimmed[wrong]))} is not a number written like the others ({how.describe()})")
        try:
            values = pc.cast(plain, pa.float64()).to_numpy()
        except pa.ArrowInvalid as error:
            raise BadInput(self._first_not_a_number(name, trimmed, rows)) from error
        return pd.Series(np.where(np.isfinite(values), values, np.nan), name=name, dtype="float64")

    def dates(self, name: str, date_format: str, rows: Positions | None = None) -> pd.Series:
        """The column as days since 1970-01-01 (float64), NaN where missing. Raises BadInput naming the first row that is no such date."""
        texts = self.text(name, rows)
        days = parse_dates(texts, date_format)
        wrong = np.flatnonzero(days.isna() & texts.notna())
        if len(wrong):
            raise BadInput(f"column {shown(name)}, row {_row(wrong[0], rows):,}: {shown(str(texts.iloc[wrong[0]]))} is not a date like the others ({date_format})")
        return days

    def levels(self, name: str) -> dict[str, int]:
        """Each distinct text that is not missing, as written, and how many rows hold it; in order of first appearance."""
        values, counts = distinct_values(self._column(name), self.missing)
        return dict(zip(values.to_pylist(), counts.tolist(), strict=True))

    def check_has(self, names: Iterable[str], what: str = "the table") -> None:
        """Raises BadInput when one of ``names`` is absent, naming the first and the closest name there is."""
        here = set(self.names)
        for name in names:
            if name not in here:
                raise BadInput(f"{what} has no column {shown(name)}{closest(name, self.names)}")

    def _column(self, name: str, rows: Positions | None = None) -> pa.ChunkedArray:
        column = self.cells.column(self.cells.schema.get_field_index(name))
        return column if rows is None else column.take(pa.array(rows))

    def _first_not_a_number(self, name: str, trimmed: pa.ChunkedArray, rows: Positions | None) -> str:
        texts = trimmed.to_pandas()
        numbers = pd.to_numeric(texts, errors="coerce")
        wrong = np.flatnonzero((numbers.isna() & texts.notna()).to_numpy())
        if not len(wrong):
            return f"column {shown(name)} does not hold numbers only"
        return f"column {shown(name)}, row {_row(wrong[0], rows):,}: {shown(str(texts.iloc[wrong[0]]))} is not a number"


def _without_plus(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    # looking costs a fraction of replacing, and hardly any table has one
    return pc.replace_substring_regex(cells, r"^\+", "") if pc.any(pc.starts_with(cells, "+")).as_py() else cells


def _row(at: int, rows: Positions | None) -> int:
    return int(at if rows is None else rows[at]) + 1


def read_table(
    path: Path, options: TableOptions | None = None, missing: Iterable[str] = DEFAULT_MISSING, limits: TableLimits | None = None,
) -> Table:
    """The table in ``path``: CSV or TSV, gzip of one, Parquet or XLSX, recognised by content and not by name.

    Raises BadInput with one sentence for whatever cannot be read as one table without guessing, and for every limit.
    """
    path, options, limits = Path(path), options or TableOptions(), limits or TableLimits()
    size = path.stat().st_size
    if size > limits.bytes:
        raise BadInput(f"the file has {in_megabytes(size)}; the limit is {in_megabytes(limits.bytes)}")
    if size == 0:
        raise BadInput("the file is empty")
    with path.open("rb") as stream:
        head = stream.read(16)
        sha256 = hashlib.file_digest(stream, lambda: hashlib.sha256(head)).hexdigest()
    reading, cells = _read(path, head, options, tuple(missing), limits)
    return Table(sha256, size, reading, limits, cells)


def _read(path: Path, head: bytes, options: TableOptions, missing: tuple[str, ...], limits: TableLimits) -> tuple[TableReading, pa.Table]:
    for magic, what in _OTHERS:
        if head.startswith(magic):
            raise BadInput(f"the file is {what}")
    if options.sheet is not None and not head.startswith(b"PK"):
        raise BadInput("a sheet was named, and the file is no spreadsheet", pointer="/table/sheet")
    for option in ("delimiter", "encoding"):
        if getattr(options, option) is not None and head.startswith((b"PAR1", b"PK")):
            raise BadInput(f"a {option} was named, and the file is no text table", pointer=f"/table/{option}")
    if head.startswith(b"PAR1"):
        return TableReading(format="parquet", missing=missing), read_parquet(path, limits)
    if head.startswith(b"PK"):
        sheet = read_spreadsheet(path, options.sheet, limits)
        return TableReading(format="xlsx", sheet=sheet.sheet, sheets=sheet.sheets, missing=missing), sheet.cells
    gzipped = head.startswith(b"\x1f\x8b")
    text = read_delimited(path, options, limits, gzipped=gzipped)
    reading = TableReading(
        format="csv", compression="gzip" if gzipped else None, encoding=text.encoding, delimiter=text.delimiter, quote=text.quote, missing=missing,
    )
    return reading, text.cells
