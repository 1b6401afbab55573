"""CSV and TSV: encoding and delimiter found out, the header read by ourselves, every cell kept as it is written.

The reading goes through Arrow's parser, which is fast but forgiving: it joins ``"ab"cd`` to ``abcd`` and closes a forgotten quote at
the end of the file. `_quotes_are_plain` therefore checks RFC 4180's quoting over the raw bytes first; where that check stumbles, and
where Arrow does, the slow and strict reader of the standard library decides and names the line.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import charset_normalizer
import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from automl.data.limits import TableLimits, in_megabytes
from automl.data.names import check_names
from automl.errors import BadInput
from automl.spec import TableOptions

DELIMITERS = (",", ";", "\t", "|")
"""Candidates of the detection; on a tie the earlier one is taken."""

_CHUNK = 1 << 20
_HEAD = 1 << 18
_LARGEST_BLOCK = 1 << 30
_QUOTE = ord('"')
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)
# what the guess may be when the bytes are not UTF-8, likelier first; wider lists make charset-normalizer guess wilder on short texts
_GUESSES = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp932", "gb18030", "big5", "cp949", "mac_roman", "cp437")
# only character sets: codecs such as "punycode" or "unicode_escape" are quadratic or rewrite the text
_CHARACTER_SET = re.compile(r"ascii|utf-(8|16|32).*|cp\d+|iso8859-\d+|latin.*|koi8-.|mac-.*|gb.*|hz|big5.*|shift_jis.*|euc_.*|johab|tis-620|kz1048|ptcp154")


@dataclass(frozen=True)
class Delimited:
    """``cells``: one string column per name, in order; ``encoding``, ``delimiter`` and ``quote`` as used."""

    names: tuple[str, ...]
    cells: pa.Table
    encoding: str
    delimiter: str
    quote: str | None


def read_delimited(path: Path, options: TableOptions, limits: TableLimits, *, gzipped: bool = False) -> Delimited:
    """The table in the text file ``path``. Raises BadInput with the line number for whatever would have to be guessed or changed."""
    source = _unpacked(path, limits) if gzipped else _Source(path=path)
    encoding = _known_encoding(options.encoding) if options.encoding else _find_encoding(source)
    if encoding != "utf-8" or (options.encoding and not _is_utf8(source.chunks())):
        source = _as_utf8(source, encoding)
    scan = _scan(source, options.delimiter or DELIMITERS[0])
    delimiter = options.delimiter or _find_delimiter(source)
    _check_delimiter(delimiter)
    names = _read_header(source, delimiter, limits)
    if scan.quotes and not _quotes_are_plain(source, delimiter):
        _check_strictly(source, delimiter, len(names))
    cells = _read_cells(source, delimiter, names, scan, limits)
    return Delimited(names, cells, encoding, delimiter, '"' if scan.quotes else None)


@dataclass(frozen=True)
class _Source:
    """The bytes of the text, in a file or in memory; opened anew for each pass so that a file never lies in memory whole."""

    path: Path | None = None
    content: bytes = b""

    def open(self) -> BinaryIO:
        return self.path.open("rb") if self.path else io.BytesIO(self.content)

    def chunks(self) -> Iterator[bytes]:
        with self.open() as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk

    def head(self, size: int) -> bytes:
        with self.open() as stream:
            return stream.read(size)

    def lines(self) -> io.TextIOWrapper:
        """UTF-8 text, BOM removed, line ends as they are."""
        return io.TextIOWrapper(self.open(), "utf-8-sig", newline="")


def _unpacked(path: Path, limits: TableLimits) -> _Source:
    packed, size, content = max(path.stat().st_size, 1), 0, io.BytesIO()
    try:
        with gzip.open(path) as stream:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                _check_unpacked(size, packed, limits)
                content.write(chunk)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadInput(f"the gzip file is damaged or cut off after {size:,} unpacked bytes") from error
    return _Source(content=content.getvalue())


def _check_unpacked(size: int, packed: int, limits: TableLimits) -> None:
    if size > limits.bytes:
        raise BadInput(f"the gzip file unpacks to more than the limit of {in_megabytes(limits.bytes)}")
    if size > limits.unpack_floor and size > packed * limits.unpack_ratio:
        raise BadInput(f"the gzip file unpacks to more than {limits.unpack_ratio} times its size ({in_megabytes(packed)} packed); that is the limit")


# --- encoding ---------------------------------------------------------------------------------------------------------------------


def _known_encoding(name: str) -> str:
    try:
        found = codecs.lookup(name).name
    except LookupError:
        found = ""
    if not _CHARACTER_SET.fullmatch(found):
        raise BadInput(f"the encoding {name!r} is not known; write for example utf-8, cp1252 or utf-16", pointer="/table/encoding")
    return "utf-8" if found == "utf-8-sig" else found


def _find_encoding(source: _Source) -> str:
    head = source.head(_HEAD)
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    if (wide := _wide_without_mark(head)) is not None:
        return wide
    return "utf-8" if _is_utf8(source.chunks()) else _guess_encoding(source)


def _wide_without_mark(head: bytes) -> str | None:
    """UTF-16 without a BOM: in a text of mostly Western letters every second byte is zero."""
    zeros = np.frombuffer(head, dtype=np.uint8) == 0
    even, odd = zeros[0::2].mean() if len(head) else 0.0, zeros[1::2].mean() if len(head) > 1 else 0.0
    if odd > 0.4 and even < 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 and odd < 0.1 else None


def _is_utf8(chunks: Iterable[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in chunks:
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _guess_encoding(source: _Source) -> str:
    """From the lines that are not ASCII; cp1252 where nothing is likelier. The guess is shown and can be overridden."""
    telling = bytearray()
    with source.open() as stream:
        for line in stream:
            if not line.isascii():
                telling += line[:2_000]
            if len(telling) > 1 << 16:
                break
    best = charset_normalizer.from_bytes(bytes(telling), cp_isolation=list(_GUESSES)).best()
    if best is None:
        return "cp1252"
    # several code pages often read the same text out of these bytes: then the likelier one is named
    same = (name for name in _GUESSES if _decodes_to(bytes(telling), name, str(best)))
    return codecs.lookup(next(same, best.encoding)).name


def _decodes_to(raw: bytes, encoding: str, text: str) -> bool:
    try:
        return raw.decode(encoding) == text
    except UnicodeError:
        return False


def _as_utf8(source: _Source, encoding: str) -> _Source:
    content = io.BytesIO()
    with io.TextIOWrapper(source.open(), encoding, newline="") as text:
        try:
            while part := text.read(_CHUNK):
                content.write(part.encode())
        except UnicodeError as error:
            line = content.getvalue().count(b"\n") + 1
            raise BadInput(f"the table is not in the encoding {encoding}: it cannot be read from about line {line:,} on; choose another encoding",
                           pointer="/table/encoding") from error
    return _Source(content=content.getvalue().removeprefix(codecs.BOM_UTF8))


# --- the raw bytes ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Scan:
    quotes: bool
    line_ends: int
    """At most so many rows can there be (fewer, where cells hold line ends)."""
    separators: int
    """At most so many cells, by the most frequent candidate."""


def _scan(source: _Source, delimiter: str) -> _Scan:
    quotes, line_ends, separators, empty = False, 1, dict.fromkeys((*DELIMITERS, delimiter), 1), True
    for chunk in source.chunks():
        if b"\x00" in chunk:
            line = line_ends + chunk[: chunk.index(b"\x00")].count(b"\n")
            raise BadInput(f"line {line:,} holds a NUL byte; the file is not plain text, or is damaged")
        empty = empty and not chunk.removeprefix(codecs.BOM_UTF8).strip()
        quotes = quotes or b'"' in chunk
        line_ends += max(chunk.count(b"\n"), chunk.count(b"\r"))
        for candidate in separators:
            separators[candidate] += chunk.count(candidate.encode())
    if empty:
        raise BadInput("the file is empty")
    return _Scan(quotes, line_ends, max(separators.values()) + line_ends)


def _quotes_are_plain(source: _Source, delimiter: str) -> bool:
    """Whether every quote opens a cell, closes one, or is one half of a doubled quote inside a quoted cell (RFC 4180).

    Runs of quotes are judged by the parity of the quotes before them: outside a cell a run must stand at its beginning, and an even
    run has closed again; inside, an odd run closes. What closes must be followed by a delimiter or a line end.
    """
    edge = np.zeros(256, dtype=bool)
    edge[[ord("\n"), ord("\r"), *delimiter.encode()]] = True
    inside = 0
    for chunk in _by_lines(source):
        raw = np.frombuffer(chunk, dtype=np.uint8)
        at = np.flatnonzero(raw == _QUOTE)
        if not len(at):
            continue
        first = np.flatnonzero(np.diff(at, prepend=-2) > 1)
        length = np.diff(first, append=len(at))
        start, end = at[first], at[first] + length
        before = np.where(start > 0, edge[raw[np.maximum(start - 1, 0)]], True)
        after = np.where(end < len(raw), edge[raw[np.minimum(end, len(raw) - 1)]], True)
        was_inside = (inside + np.cumsum(length) - length) % 2 == 1
        closes = np.where(was_inside, length % 2 == 1, length % 2 == 0)
        if np.any(~was_inside & ~before) or np.any(closes & ~after):
            return False
        inside = (inside + len(at)) % 2
    return inside == 0


def _by_lines(source: _Source) -> Iterator[bytes]:
    """Chunks that end at a line end, so that no run of quotes is cut in two."""
    rest = b""
    for chunk in source.chunks():
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            rest += chunk
            continue
        yield rest + chunk[:cut]
        rest = chunk[cut:]
    if rest:
        yield rest


# --- dialect and header -----------------------------------------------------------------------------------------------------------


def _check_delimiter(delimiter: str) -> None:
    if delimiter in '"\r\n\x00' or len(delimiter.encode()) != 1:
        raise BadInput(f"{delimiter!r} cannot be the delimiter; it must be one ASCII character and no quote or line end", pointer="/table/delimiter")


def _find_delimiter(source: _Source) -> str:
    """The candidate under which most of the first rows have as many cells as the header, and that splits the header at all."""
    raw = source.head(_HEAD)
    text = raw.decode("utf-8-sig", errors="ignore")
    whole = len(raw) < _HEAD
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        rows = _first_rows(text, delimiter, whole)
        if not rows or len(rows[0]) < 2:
            continue
        score = (sum(len(row) == len(rows[0]) for row in rows) / len(rows), len(rows[0]))
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _first_rows(text: str, delimiter: str, whole: bool) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if row:
                rows.append(row)
            if len(rows) == 200:
                return rows
    except csv.Error:
        pass  # a cell too long for the sample: the rows before it decide
    return rows if whole or len(rows) < 2 else rows[:-1]


def _read_header(source: _Source, delimiter: str, limits: TableLimits) -> tuple[str, ...]:
    with source.lines() as lines:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            header = next((row for row in reader if row), [])
        except csv.Error as error:
            raise BadInput(f"the header cannot be read: {_fault(error, 1)}") from error
    return check_names(header, limits)


# --- cells ------------------------------------------------------------------------------------------------------------------------


def _read_cells(source: _Source, delimiter: str, names: tuple[str, ...], scan: _Scan, limits: TableLimits) -> pa.Table:
    """All rows but the header, as strings. The header goes through the parser as a row so that both readings of it can be compared."""
    try:
        table = _parse(source, delimiter, len(names), limits, counted=scan.line_ends > limits.rows or scan.separators > limits.cells)
    except pa.ArrowInvalid as error:
        rows = _check_strictly(source, delimiter, len(names))
        if rows < 2:
            # A header without its line end; Arrow takes the text for empty
            raise BadInput("the table has a header and no rows") from error
        raise BadInput(f"the table cannot be read as text separated by {delimiter!r}: {str(error)[:200]}") from error
    header = tuple(str(table.column(index)[0]) for index in range(table.num_columns))
    if (header[0].removeprefix("\ufeff"), *header[1:]) != names:
        raise BadInput("the header cannot be read in one way only; quote the names that hold quotes or line ends")
    if table.num_rows == 1:
        raise BadInput("the table has a header and no rows")
    check_size(table.num_rows - 1, len(names), limits)
    return table.slice(1).rename_columns(list(names))


def check_size(rows: int, columns: int, limits: TableLimits) -> None:
    """Raises BadInput when a table of this shape is beyond ``limits``."""
    if rows > limits.rows:
        raise BadInput(f"the table has more than {limits.rows:,} rows, the limit")
    if rows * columns > limits.cells:
        raise BadInput(f"the table has more than {limits.cells:,} cells (rows times columns), the limit")


def _parse(source: _Source, delimiter: str, columns: int, limits: TableLimits, *, counted: bool) -> pa.Table:
    block = _CHUNK
    while True:
        try:
            return _parse_in_blocks(source, delimiter, columns, limits, block, counted)
        except pa.ArrowInvalid as error:
            # one cell is larger than a block
            if "straddling" not in str(error) or block >= _LARGEST_BLOCK:
                raise
            block *= 8


def _parse_in_blocks(source: _Source, delimiter: str, columns: int, limits: TableLimits, block: int, counted: bool) -> pa.Table:
    read = arrow_csv.ReadOptions(autogenerate_column_names=True, block_size=block)
    parse = arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=True)
    convert = arrow_csv.ConvertOptions(
        column_types={f"f{index}": pa.string() for index in range(columns)}, strings_can_be_null=False, null_values=[], check_utf8=True,
    )
    stream = pa.OSFile(str(source.path)) if source.path else pa.BufferReader(source.content)
    with stream:
        if not counted:
            return arrow_csv.read_csv(stream, read_options=read, parse_options=parse, convert_options=convert)
        return _count_while_reading(arrow_csv.open_csv(stream, read_options=read, parse_options=parse, convert_options=convert), columns, limits)


def _count_while_reading(batches: arrow_csv.CSVStreamingReader, columns: int, limits: TableLimits) -> pa.Table:
    kept, rows = [], -1
    for batch in batches:
        rows += batch.num_rows
        check_size(rows, columns, limits)
        kept.append(batch)
    return pa.Table.from_batches(kept, schema=batches.schema)


# --- the strict reading: slow, made only where something is wrong -----------------------------------------------------------------


def _check_strictly(source: _Source, delimiter: str, width: int) -> int:
    """Raises BadInput naming the first line that breaks a rule; the number of rows, header included, where the standard library finds nothing to complain of."""
    rows = 0
    with source.lines() as lines, _large_cells():
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        begins = 1
        try:
            for row in reader:
                if row and len(row) != width:
                    raise BadInput(f"line {begins:,} has {len(row):,} cells where the header has {width:,} (separated by {delimiter!r})")
                rows += bool(row)
                begins = reader.line_num + 1
        except csv.Error as error:
            raise BadInput(_fault(error, begins)) from error
    return rows


def _fault(error: csv.Error, line: int) -> str:
    if "unexpected end of data" in str(error):
        return f"the quote opened in line {line:,} is never closed"
    if "expected after" in str(error):
        return f"line {line:,} has text after a closing quote; double the quotes inside a quoted cell"
    if "field larger" in str(error):
        return f"line {line:,} holds a cell that is too long, or a quote that is never closed"
    return f"line {line:,} cannot be read"


@contextmanager
def _large_cells() -> Iterator[None]:
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


