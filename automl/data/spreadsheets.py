"""XLSX: a zip of XML, so the archive is weighed before anything parses it.

Checked first: the number of entries, the declared sizes and their ratio, encryption, macros, archives inside; then every entry that
is parsed is inflated once and counted, because a declared size is only a claim, and the cells' positions are bounded, because two
cells at opposite corners make a dense grid of 17 billion.
"""

from __future__ import annotations

import datetime
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from automl.data.delimited import check_size
from automl.data.limits import TableLimits, in_megabytes
from automl.data.names import check_names, closest, shown
from automl.errors import BadInput

LARGEST_UNPACKED = 300 * 2**20
MOST_ENTRIES = 2_000
_RATIO = 100
_RATIO_FLOOR = 2 * 2**20
_CHUNK = 1 << 20
_NESTED = (".zip", ".xlsx", ".xlsm", ".xlsb", ".docx", ".pptx", ".gz", ".7z", ".rar", ".xls")
# Whatever the reader takes for a cell's or a row's place: it knows small letters, blanks and zeros before the number, too
_PLACE = re.compile(rb"\br\s{0,99}=\s{0,99}[\"']([A-Za-z]{0,99})(\d{1,99})[\"']")
_HIDDEN_PLACE = re.compile(rb"\br(?:\s{100}|\s{0,99}=(?:\s{100}|\s{0,99}[\"'](?:[A-Za-z]{100}|[A-Za-z]{0,99}\d{100})))")
_ANY_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
# In either byte order. The reader knows UTF-8 alone and would call such a sheet empty
_UTF16_SHEET = (b"<\0s\0h\0e\0e\0t\0D\0a\0t\0a", b":\0s\0h\0e\0e\0t\0D\0a\0t\0a")


class Spreadsheet(NamedTuple):
    cells: pa.Table
    sheet: str
    sheets: tuple[str, ...]


def read_spreadsheet(path: Path, sheet: str | None, limits: TableLimits) -> Spreadsheet:
    """The used area of one sheet as strings; its first row is the header. ``sheet`` None means the first visible worksheet."""
    _check_archive(path, limits)
    try:
        with CalamineWorkbook.from_path(str(path)) as workbook:
            sheets = tuple(each.name for each in workbook.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet)
            visible = [each.name for each in workbook.sheets_metadata if each.name in sheets and each.visible == SheetVisibleEnum.Visible]
            if not sheets:
                raise BadInput("the workbook has no worksheet")
            chosen = sheet if sheet is not None else (visible or list(sheets))[0]
            if chosen not in sheets:
                raise BadInput(f"the workbook has no sheet {shown(chosen)}{closest(chosen, sheets)}; it has {', '.join(map(shown, sheets[:20]))}", pointer="/table/sheet")
            return Spreadsheet(_read_sheet(workbook.get_sheet_by_name(chosen), limits), chosen, sheets)
    except (CalamineError, OSError, ValueError) as error:
        raise BadInput(f"the spreadsheet cannot be read: {str(error)[:200]}") from error


# --- the archive ------------------------------------------------------------------------------------------------------------------


def _check_archive(path: Path, limits: TableLimits) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _check_entries(entries, path.stat().st_size)
            for entry in entries:
                if not entry.is_dir():
                    _check_extent(archive, entry, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError, RuntimeError, OSError) as error:
        raise BadInput("the file is a damaged zip archive, not a spreadsheet that can be read") from error


def _check_entries(entries: list[zipfile.ZipInfo], packed: int) -> None:
    names = [entry.filename for entry in entries]
    if len(entries) > MOST_ENTRIES:
        raise BadInput(f"the spreadsheet's archive has {len(entries):,} entries; the limit is {MOST_ENTRIES:,}")
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise BadInput("the archive is encrypted; save the spreadsheet without a password")
    if any(stat.S_ISLNK(entry.external_attr >> 16) for entry in entries):
        raise BadInput("the archive holds a symbolic link; it is not a spreadsheet")
    if any(name.lower().endswith("vbaproject.bin") or name.startswith("xl/macrosheets/") for name in names):
        raise BadInput("the spreadsheet holds macros; save it as .xlsx without them")
    if any(name.lower().endswith(_NESTED) or name.startswith("xl/embeddings/") for name in names):
        raise BadInput("the spreadsheet holds other files inside; save the table alone")
    if "xl/workbook.bin" in names:
        raise BadInput("the spreadsheet is of the binary kind (.xlsb); save it as .xlsx")
    if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
        raise BadInput("the file is a zip archive, but not a spreadsheet; upload the table itself (CSV, XLSX or Parquet)")
    if len(set(names)) < len(names):
        raise BadInput("the spreadsheet's archive holds two entries of the same name")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > LARGEST_UNPACKED:
        raise BadInput(f"the spreadsheet unpacks to {in_megabytes(unpacked)}; the limit is {in_megabytes(LARGEST_UNPACKED)}")
    if unpacked > _RATIO_FLOOR and unpacked > packed * _RATIO:
        raise BadInput(f"the spreadsheet unpacks to more than {_RATIO} times its size ({in_megabytes(packed)} packed); that is the limit")


def _inflate(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """The entry's content as its bytes really inflate; zipfile itself stops silently at the declared size."""
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BadInput("the spreadsheet's archive is packed in an unusual way; save it again as .xlsx")
    size = 0
    stream = archive.fp
    assert stream is not None
    stream.seek(entry.header_offset + 26)
    lengths = stream.read(4)
    stream.seek(entry.header_offset + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little"))
    inflater = zlib.decompressobj(-zlib.MAX_WBITS) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    left = entry.compress_size
    while left > 0:
        packed = stream.read(min(left, 1 << 16))
        if not packed:
            raise EOFError
        left -= len(packed)
        while packed:
            part = inflater.decompress(packed, _CHUNK) if inflater else packed
            packed = inflater.unconsumed_tail if inflater else b""
            size += len(part)
            if size > entry.file_size:
                raise BadInput(f"the spreadsheet's archive declares {entry.file_size:,} bytes for {shown(entry.filename)} and holds more")
            yield part


def _check_extent(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: TableLimits) -> None:
    """Inflates the entry once and bounds the grid that its cells span, from their positions and, where a cell has none, their number.

    Every entry: which of them are sheets is said by the archive itself, and any name can be one.
    """
    rows, columns, cells, rest, is_sheet, hidden = 0, 0, 0, b"", False, False
    for part in _inflate(archive, entry):
        text = rest + part
        for letters, digits in {(match[1], match[2]) for match in _PLACE.finditer(text)}:
            rows, columns = max(rows, int(digits)), max(columns, _column_number(letters.upper()))
        cells += len(_ANY_CELL.findall(text, len(rest)))
        if any(name in text for name in _UTF16_SHEET):
            raise BadInput("a sheet is written in UTF-16, and only UTF-8 is read; save it again as .xlsx")
        is_sheet, hidden = is_sheet or b"sheetData" in text, hidden or _HIDDEN_PLACE.search(text) is not None
        rest = text[-600:]
    if not is_sheet:
        return
    if hidden:
        raise BadInput("a sheet names the place of a cell in an unusual way; save it again as .xlsx")
    if rows > limits.rows + 1:
        raise BadInput(f"a sheet has a cell in row {rows:,}; the limit is {limits.rows:,} rows")
    if columns > limits.columns:
        raise BadInput(f"a sheet has a cell in column {columns:,}; the limit is {limits.columns:,} columns")
    if max(rows * columns, cells) > limits.cells:
        raise BadInput(f"a sheet spans {max(rows * columns, cells):,} cells; the limit is {limits.cells:,}")


def _column_number(letters: bytes) -> int:
    """1 for A, 27 for AA; 0 for none."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


# --- the cells --------------------------------------------------------------------------------------------------------------------


def _read_sheet(sheet: CalamineSheet, limits: TableLimits) -> pa.Table:
    if sheet.start is None or sheet.width == 0:
        raise BadInput(f"the sheet {shown(sheet.name)} is empty")
    check_size(sheet.height - 1, sheet.width, limits)
    rows = sheet.to_python(skip_empty_area=True)
    while len(rows) > 1 and not any(_text(cell) for cell in rows[-1]):
        rows.pop()  # formatting without content
    names = check_names([_text(cell) for cell in rows[0]], limits)
    if len(rows) == 1:
        raise BadInput("the table has a header and no rows")
    first = sheet.start[0] + 2
    columns = [pa.array([_text(row[index], first + at) for at, row in enumerate(rows[1:])], pa.large_string()) for index in range(len(names))]
    return pa.Table.from_arrays(columns, names=[str(index) for index in range(len(names))]).rename_columns(list(names))


def _text(cell: object, row: int = 1) -> str:
    """A cell as text, by the rule that `automl.data.parquet` states. An empty cell is the empty text."""
    if isinstance(cell, str):
        if "\x00" in cell:
            raise BadInput(f"row {row:,} of the sheet holds a NUL character")
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat() if cell.time() == datetime.time() else cell.isoformat()
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    return str(cell)
