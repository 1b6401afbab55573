"""What a column holds, judged by its texts alone: integer, number, boolean, category, text, date, id, constant or empty.

The judgement looks at each distinct value once. A column is numeric or a date only when every value that is not missing is one, numbers
all written in one way (`automl.data.number_formats`); codes with a leading zero (``00012``) and whole numbers too long for a float (over 15 digits) are never numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from automl.data.number_formats import PLAIN, NumberFormat, as_plain, find_number_formats
from automl.evidence import ColumnType

ID_SHARE = 0.95
"""More distinct values than this share of the rows is what an id looks like."""

_NUMBER = r"(?i)^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$|^[+-]?inf(inity)?$"
_INTEGER = r"^[+-]?\d+$"
_LEADING_ZERO = r"^[+-]?0\d"
_LONG = r"^[+-]?\d{16,}$"
_INFINITE = r"(?i)^[+-]?inf(inity)?$"
_CODE = r"^\S{1,64}$"
_ID_NAME = re.compile(r"(^|[\W_])(id|ids|uuid|guid|key|nr|no|number|nummer|kennung|code)$|^(id|uuid|guid)([\W_]|$)|[a-z]I[dD]$")
_BOOLEANS = ({"true", "false"}, {"yes", "no"}, {"y", "n"}, {"t", "f"}, {"ja", "nein"}, {"j", "n"}, {"wahr", "falsch"})
_DATE_FORMATS = {
    "ISO8601": r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$",
    "%Y/%m/%d": r"^\d{4}/\d{1,2}/\d{1,2}$",
    "%d.%m.%Y": r"^\d{1,2}\.\d{1,2}\.\d{4}$",
    "%d/%m/%Y": r"^\d{1,2}/\d{1,2}/\d{4}$",
    "%m/%d/%Y": r"^\d{1,2}/\d{1,2}/\d{4}$",
}


@dataclass(frozen=True)
class ColumnFacts:
    """One column, described. ``missing`` and ``infinite`` are counts of rows, ``distinct`` of values that are not missing.

    ``date_format`` is "ISO8601" or a strptime format, None unless every value is a date in it.
    """

    type: ColumnType
    missing: int
    distinct: int
    infinite: int = 0
    numeric: bool = False
    date_format: str | None = None
    number_formats: tuple[NumberFormat, ...] = ()
    """How its numbers are written: one way where it is numeric, several where none of them can be told to be the right one."""

    @property
    def number_format(self) -> NumberFormat:
        return self.number_formats[0] if self.numeric else PLAIN


def describe_column(name: str, cells: pa.ChunkedArray, missing: frozenset[str]) -> ColumnFacts:
    """The facts about the texts ``cells``; null and every text that is in ``missing`` once trimmed count as missing."""
    values, counts = distinct_values(cells, missing)
    present = int(counts.sum())
    gone = len(cells) - present
    if present == 0:
        return ColumnFacts("empty", gone, 0)
    trimmed = pc.utf8_trim_whitespace(values)
    numeric = _every(trimmed, _NUMBER) and not _any(trimmed, _LEADING_ZERO) and not _any(trimmed, _LONG)
    infinite = int(counts[_matches(trimmed, _INFINITE)].sum()) if numeric else 0
    date_format = None if numeric else _date_format(trimmed)
    formats: tuple[NumberFormat, ...] = (PLAIN,) if numeric else () if date_format else find_number_formats(trimmed)
    if not numeric and len(formats) == 1:
        numeric, trimmed = True, as_plain(trimmed, formats[0])
    kind = _kind(name, values, trimmed, present, gone, numeric, date_format)
    return ColumnFacts(kind, gone, len(values), infinite, numeric, date_format, formats)


def distinct_values(cells: pa.ChunkedArray, missing: frozenset[str]) -> tuple[pa.Array, NDArray[np.int64]]:
    """The distinct texts that are not missing, in order of first appearance, and how many rows hold each."""
    table = pc.value_counts(cells)
    values, counts = table.field("values"), table.field("counts").to_numpy()
    present = pc.invert(is_missing(values, missing))
    return values.filter(present), counts[present.to_numpy(zero_copy_only=False)]


def is_missing(values: pa.Array, missing: frozenset[str]) -> pa.Array:
    """True where null, or where the text without surrounding blanks is one of the markers."""
    markers = pa.array(sorted({marker.strip() for marker in missing}), values.type)
    return pc.or_(pc.is_null(values), pc.fill_null(pc.is_in(pc.utf8_trim_whitespace(values), value_set=markers), True))


def _kind(name: str, values: pa.Array, trimmed: pa.Array, present: int, gone: int, numeric: bool, date_format: str | None) -> ColumnType:
    distinct = len(values)
    # one value here and none there says something: a remark that was made or not
    if distinct == 1 and not gone:
        return "constant"
    if numeric and _every(trimmed, _INTEGER):
        return "id" if distinct > ID_SHARE * present and _integer_id(name, trimmed, present) else "integer"
    if numeric:
        return "number"
    if date_format:
        return "date"
    if distinct == 2 and set(pc.utf8_lower(trimmed).to_pylist()) in _BOOLEANS:
        return "boolean"
    if distinct > ID_SHARE * present and _text_id(name, trimmed, present):
        return "id"
    return "text" if _is_prose(trimmed, distinct, present) else "category"


def _integer_id(name: str, values: pa.Array, present: int) -> bool:
    """Distinct whole numbers can be a measure (an income): an id is called one, counts rows, or has one long fixed width."""
    if _ID_NAME.search(name) and present >= 3:
        return True
    if present < 50:
        return False
    numbers = pc.cast(pc.replace_substring_regex(values, r"^\+", ""), pa.int64()).to_numpy()
    widths = pc.utf8_length(values).to_numpy()
    counts_rows = numbers.max() - numbers.min() < 1.2 * present
    return bool(counts_rows or (widths.min() == widths.max() and widths[0] >= 7))


def _text_id(name: str, values: pa.Array, present: int) -> bool:
    if present < (3 if _ID_NAME.search(name) else 20) or not _every(values, _CODE):
        return False
    with_digit = int(_matches(values, r"\d").sum())
    return with_digit > 0.9 * len(values) or bool(_ID_NAME.search(name))


def _is_prose(values: pa.Array, distinct: int, present: int) -> bool:
    """Free text: long, or nearly every row says something else. Many codes that repeat are a category with many levels."""
    length = pc.mean(pc.utf8_length(values)).as_py()
    return bool(distinct > 20 and (length > 60 or (distinct > 50 and distinct > 0.5 * present)))


def _date_format(values: pa.Array) -> str | None:
    """The one format that all values have. Where both day/month and month/day fit, neither is chosen: it would be a guess."""
    fitting = [each for each, pattern in _DATE_FORMATS.items() if _every(values, pattern) and _all_dates(values, each)]
    return fitting[0] if len(fitting) == 1 else None


def _all_dates(values: pa.Array, date_format: str) -> bool:
    return not parse_dates(pd.Series(values.to_pandas()), date_format).isna().any()


def parse_dates(texts: pd.Series, date_format: str) -> pd.Series:
    """Days since 1970-01-01 (UTC where an offset is given) as float64; NaN where the text is missing or no such date."""
    moments = pd.to_datetime(texts.str.strip(), format=date_format, errors="coerce", utc=True)
    days: pd.Series = (moments - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
    return days.astype("float64")


def _matches(values: pa.Array, pattern: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = pc.match_substring_regex(values, pattern).to_numpy(zero_copy_only=False)
    return found


def _every(values: pa.Array, pattern: str) -> bool:
    # most columns fail at the first value
    return bool(_matches(values[:16], pattern).all()) and bool(_matches(values, pattern).all())


def _any(values: pa.Array, pattern: str) -> bool:
    return bool(_matches(values, pattern).any())
