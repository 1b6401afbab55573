"""Numbers as people and spreadsheets write them: "1,234.50", "1.234,5", "1 234", "12 %", "$ 45".

A column has one way of writing, which every one of its values fits; what would be different numbers in two ways is left a text, for a guess would be wrong
by a factor of a thousand. The way is kept with the model, and a table to predict is read in the same one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_UNITS = r"%|‰|\p{Sc}|EUR|USD|GBP|CHF|JPY|CNY|INR|SEK|NOK|DKK|PLN|CZK|HUF|CAD|AUD|BRL"
_PARTS = rf"^(?P<sign>[+-]?)(?P<before>{_UNITS})? ?(?P<number>[+-]?[0-9.,][0-9., ']*?) ?(?P<after>{_UNITS})?$"
_SPACES = r"[\x{00A0}\x{2009}\x{202F}]"
_MOST_DIGITS = 15
"""As for plain numbers: more do not fit into a float, and are a code."""


@dataclass(frozen=True)
class NumberFormat:
    """``thousands`` is "" where none are set apart; ``unit`` stands before or after every number, or is "". Numbers stay in that unit: 12 % is 12."""

    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'"] = ""
    unit: str = ""

    def describe(self) -> str:
        """As a sentence goes on: "with a decimal comma and in %"."""
        marks = {",": "commas", ".": "points", " ": "spaces", "'": "apostrophes"}
        said = [f"with {marks[self.thousands]} between thousands"] if self.thousands else []
        said += ["with a decimal comma"] if self.decimal == "," else []
        return " and ".join(said + ([f"in {self.unit}"] if self.unit else []))

    def as_json(self) -> dict[str, Any]:
        return {"decimal": self.decimal, "thousands": self.thousands, "unit": self.unit}

    @classmethod
    def from_json(cls, document: dict[str, Any] | None) -> Self:
        return cls(**document) if document else cls()


PLAIN = NumberFormat()
_WAYS = tuple(NumberFormat(*way) for way in ((".", ""), (",", ""), (".", ","), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'")))


def find_number_formats(values: pa.Array) -> tuple[NumberFormat, ...]:
    """The ways of writing, beside the plain one, that every one of the trimmed texts ``values`` fits: none, one, or several that give different numbers."""
    if not len(values) or any(_parts(part).null_count for part in (values[:16], values)):
        return ()
    parts = _parts(values)
    units = set(pc.unique(_unit(parts)).to_pylist())
    if len(units) != 1:
        return ()
    unit = units.pop()
    found: list[tuple[NumberFormat, NDArray[np.float64]]] = []
    for way in _WAYS:
        this = NumberFormat(way.decimal, way.thousands, unit)
        plain = as_plain(values, this)
        if this == PLAIN or plain.null_count:
            continue
        numbers = pc.cast(plain, pa.float64()).to_numpy()
        # ways that make the same of every value are one: the plainest
        if not any(np.array_equal(numbers, others) for _, others in found):
            found.append((this, numbers))
    return tuple(each for each, _ in found)


def as_plain(texts: pa.Array | pa.ChunkedArray, how: NumberFormat) -> Any:
    """The trimmed ``texts`` as plain numbers with a decimal point, still as texts; null where null, or where one is not written so."""
    parts = _parts(texts)
    number = pc.replace_substring_regex(pc.struct_field(parts, "number"), r"^\+", "")
    signed = pc.binary_join_element_wise(pc.replace_substring(pc.struct_field(parts, "sign"), "+", ""), number, "")
    fits = pc.and_(pc.match_substring_regex(signed, _pattern(how)), pc.equal(_unit(parts), how.unit))
    without = pc.replace_substring(signed, how.thousands, "") if how.thousands else signed
    plain = pc.replace_substring(without, ",", ".")
    fits = pc.and_(fits, pc.less_equal(pc.count_substring_regex(plain, "[0-9]"), _MOST_DIGITS))
    return pc.if_else(pc.fill_null(fits, False), plain, pa.scalar(None, plain.type))


def looks_like_numbers(texts: pa.Array) -> NDArray[np.bool_]:
    """Which of the trimmed ``texts`` are numbers in some way of writing."""
    found: NDArray[np.bool_] = np.zeros(len(texts), dtype=bool)
    unit = _unit(_parts(texts))
    for of_unit in pc.unique(unit.drop_null()).to_pylist():
        for way in _WAYS:
            found |= as_plain(texts, NumberFormat(way.decimal, way.thousands, of_unit)).is_valid().to_numpy(zero_copy_only=False)
    return found


def _pattern(how: NumberFormat) -> str:
    point = "\\" + how.decimal
    whole = rf"(0|[1-9][0-9]{{0,2}}([{how.thousands}][0-9]{{3}})*)" if how.thousands else "(0|[1-9][0-9]*)"
    return rf"^-?({whole}({point}[0-9]*)?|{point}[0-9]+)$"


def _parts(texts: Any) -> Any:
    """A struct of sign, before, number and after for each text, null where it is no such thing."""
    usual = pc.replace_substring(pc.replace_substring(pc.replace_substring_regex(texts, _SPACES, " "), "\u2212", "-"), "\u2019", "'")
    return pc.extract_regex(usual, _PARTS)


def _unit(parts: Any) -> Any:
    """Before or after the number; null where both are there."""
    before, after = pc.struct_field(parts, "before"), pc.struct_field(parts, "after")
    both = pc.and_(pc.not_equal(before, ""), pc.not_equal(after, ""))
    return pc.if_else(both, pa.scalar(None, before.type), pc.binary_join_element_wise(before, after, ""))
