"""What is odd about a table, before anything is learned from it: findings by written rules, each with its count."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from automl.data.column_types import distinct_values
from automl.data.names import shown
from automl.data.number_formats import PLAIN, looks_like_numbers
from automl.data.tables import Table
from automl.evidence import Finding, Severity

MUCH_MISSING = 0.5
MOSTLY_NUMBERS = 0.9
_NUMBER = r"(?i)^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$"
_MOST_LEVELS = 1_000
"""Levels are compared with each other (case, blanks) up to this many."""


def find_quality_issues(table: Table) -> tuple[Finding, ...]:
    """Duplicate rows, empty and constant columns, infinite and missing values, texts among numbers, levels that differ in blanks or
    case only, and a header that looks like data. ``evidence`` points into the evidence document's data section."""
    found = [*_header_like_data(table), *_duplicates(table)]
    for position, name in enumerate(table.names):
        found += _of_column(table, name, position)
    return tuple(found)


def _finding(rule: str, severity: Severity, text: str, suggestion: str, position: int | None = None) -> Finding:
    where = "/data/columns" if position is None else f"/data/columns/{position}"
    return Finding(id=rule if position is None else f"{rule}-{position}", severity=severity, text=text, evidence=where, suggestion=suggestion, rule=f"data.{rule}")


def _header_like_data(table: Table) -> Iterator[Finding]:
    numbers = int(pc.sum(pc.match_substring_regex(pa.array(table.names), _NUMBER)).as_py() or 0)
    if numbers > len(table.names) / 3:
        yield _finding(
            "header", "medium", f"{numbers} of the {len(table.names)} column names are numbers: the first row may be data and not a header",
            "Add a header with names if the file has none.",
        )


def _duplicates(table: Table) -> Iterator[Finding]:
    compared = [name for name in table.names if table.facts[name].type != "id"]
    if not compared or table.rows < 2:
        return
    twice = int(pd.Series(row_hashes(table, compared)).duplicated().sum())
    if twice:
        yield _finding(
            "duplicates", "low", f"{twice:,} of {table.rows:,} rows ({twice / table.rows:.1%}) repeat an earlier row in every column that is not an id",
            "If rows are one person measured twice, name the column that identifies the person as group.",
        )


def row_hashes(table: Table, names: list[str]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """One 64-bit number per row, equal for rows with equal texts in ``names``; differing rows share one with probability 2**-64."""
    total = np.zeros(table.rows, dtype=np.uint64)
    for name in names:
        encoded = table.cells.column(name).combine_chunks().dictionary_encode()
        hashes = pd.util.hash_array(np.append(encoded.dictionary.to_numpy(zero_copy_only=False).astype(object), ""))
        codes = encoded.indices.fill_null(len(hashes) - 1).to_numpy()
        # multiplication by an odd constant keeps the columns' order in the sum
        total = (total ^ hashes[codes]) * np.uint64(0x9E3779B97F4A7C15)
        total ^= total >> np.uint64(29)
    return total


def _of_column(table: Table, name: str, position: int) -> Iterator[Finding]:
    facts = table.facts[name]
    if facts.type == "empty":
        yield _finding("empty", "low", f"{shown(name)} is missing in every row", "It is left out.", position)
        return
    if facts.type == "constant":
        yield _finding("constant", "low", f"{shown(name)} has one value in every row", "It is left out.", position)
    if facts.infinite:
        yield _finding("infinite", "medium", f"{shown(name)} holds {facts.infinite:,} infinite values, which count as missing", "Say what they stand for.", position)
    if facts.missing > MUCH_MISSING * table.rows:
        yield _finding(
            "missing", "low", f"{shown(name)} is missing in {facts.missing:,} of {table.rows:,} rows ({facts.missing / table.rows:.0%})",
            "Check why: what is missing can itself tell the groups apart.", position,
        )
    if facts.number_format != PLAIN:
        example = distinct_values(table.cells.column(name), table.missing)[0][0].as_py()
        yield _finding(
            "number-format", "low", f"{shown(name)} is read as numbers written {facts.number_format.describe()} (for example {shown(example)})",
            "A table to predict must write them in the same way.", position,
        )
    if not facts.numeric and facts.type in ("category", "text", "id"):
        yield from _of_texts(table, name, position)


def _of_texts(table: Table, name: str, position: int) -> Iterator[Finding]:
    values, counts = distinct_values(table.cells.column(name), table.missing)
    trimmed = pc.utf8_trim_whitespace(values)
    numeric = pc.match_substring_regex(trimmed, _NUMBER).to_numpy(zero_copy_only=False) | looks_like_numbers(trimmed)
    if len(formats := table.facts[name].number_formats) > 1:
        yield _finding(
            "ambiguous-numbers", "medium",
            f"{shown(name)} looks like numbers written {formats[0].describe() or 'with a decimal point'} or {formats[1].describe()} (for example {shown(values[0].as_py())}), "
            "which are different numbers, and is read as text", "Write them without marks between thousands and with a decimal point.", position,
        )
    elif MOSTLY_NUMBERS < counts[numeric].sum() / counts.sum() < 1:
        example = values[int(np.argmin(numeric))].as_py()
        yield _finding(
            "texts-among-numbers", "medium", f"{shown(name)} holds numbers in all but {int(counts[~numeric].sum()):,} rows (for example {shown(example)}) and is therefore not read as a number",
            "If these texts mean missing, add them to the missing markers.", position,
        )
    if table.facts[name].type == "category" and len(values) <= _MOST_LEVELS and (alike := _alike(values)):
        yield _finding(
            "alike-levels", "medium", f"{shown(name)} has values that differ in blanks or case only: {shown(alike[0])} and {shown(alike[1])}",
            "They are kept apart as written; make them one in the table if they mean the same.", position,
        )


def _alike(values: pa.Array) -> tuple[str, str] | None:
    seen: dict[str, str] = {}
    for value in values.to_pylist():
        plain = " ".join(value.casefold().split())
        if plain in seen:
            return seen[plain], value
        seen[plain] = value
    return None
