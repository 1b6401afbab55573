"""Columns that say what another one says already, and what follows from it: one of them is enough.

Decided on training rows only (evidence rule 1). A column repeats another when both hold the same values, numbers compared as numbers, or when the levels of
one are those of the other under other names (a one-to-one recoding, on rows where levels come back). A recoding between numbers of several values, or of such
into categories, is reported and kept: one of the two knows an order, or distances, that the other does not.

What repeats the target is a leak, and what repeats a sensitive attribute brings it in by another name: both are left out and reported, never silently used.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from automl.data.features import FeatureSchema
from automl.data.leaks import find_leaks
from automl.data.names import shown
from automl.data.problems import Problem
from automl.data.splits import Rows, Split
from automl.data.tables import Positions, Table
from automl.errors import BadInput
from automl.evidence import Column, Finding, Severity
from automl.spec import TaskSpec

FEW_ROWS = 20_000
"""Looked at first, where there are many more."""


@dataclass(frozen=True)
class Repeat:
    """``name`` says what ``of``, an earlier column, says."""

    name: str
    of: str
    how: Literal["same", "recoded", "recoded number"]

    @property
    def is_kept(self) -> bool:
        return self.how == "recoded number"


def find_repeats(table: Table, names: Sequence[str], rows: Positions | None = None, numbers_read: pd.DataFrame | None = None) -> list[Repeat]:
    """The columns of ``names`` that repeat an earlier one of them in ``rows`` (default all); ``numbers_read``: columns of numbers that have
    been read of these rows already: reading takes longer than comparing."""
    by_values: dict[bytes, str] = {}
    by_levels: dict[bytes, str] = {}
    found: list[Repeat] = []
    for name in _alike_in_some_rows(table, names, rows, numbers_read):
        column = _digested(table, name, rows, numbers_read)
        if column.distinct < 2:
            continue
        levels_return = column.levels <= column.known / 2  # any two columns without repeated levels have the same pattern
        if column.values in by_values:
            found.append(Repeat(name, by_values[column.values], "same"))
        elif levels_return and column.pattern in by_levels:
            of = by_levels[column.pattern]
            numbers = column.distinct > 2 and (table.facts[name].numeric or table.facts[of].numeric)
            found.append(Repeat(name, of, "recoded number" if numbers else "recoded"))
        by_values.setdefault(column.values, name)
        if levels_return:
            by_levels.setdefault(column.pattern, name)
    return found


def _alike_in_some_rows(table: Table, names: Sequence[str], rows: Positions | None, numbers_read: pd.DataFrame | None) -> list[str]:
    """The columns of ``names`` that could repeat another, seen by some rows of a large table: what differs there differs.

    Where no level comes back among these rows, less than half of all rows repeat one: with at most half as many levels as rows, ``FEW_ROWS`` rows drawn
    at random hold ``FEW_ROWS ** 2 / rows`` pairs of equals on average.
    """
    count = table.rows if rows is None else len(rows)
    if count <= 2 * FEW_ROWS:
        return list(names)
    some = np.sort(np.random.default_rng(0).choice(count, FEW_ROWS, replace=False))
    few_read = None if numbers_read is None else numbers_read.iloc[some]
    seen = {name: _digested(table, name, some if rows is None else rows[some], few_read) for name in names}
    signs = {name: {column.values, *([column.pattern] if column.levels < column.known else [])} for name, column in seen.items()}
    met = Counter(sign for each in signs.values() for sign in each)
    return [name for name in names if any(met[sign] > 1 for sign in signs[name])]


class _Digested(NamedTuple):
    values: bytes
    pattern: bytes
    """In which the levels come back."""
    levels: int
    """How many there are."""
    known: int
    """Rows where a value is not missing."""
    rows: int

    @property
    def distinct(self) -> int:
        """Levels, missing counted as one."""
        return self.levels + (self.known < self.rows)


def _digested(table: Table, name: str, rows: Positions | None, numbers_read: pd.DataFrame | None) -> _Digested:
    if table.facts[name].numeric:
        numbers = (table.numbers(name, rows) if numbers_read is None or name not in numbers_read else numbers_read[name]).to_numpy() + 0.0  # no negative nought
        codes, found = pd.factorize(numbers)
        levels = len(found)
        values = b"number" + np.where(np.isnan(numbers), np.nan, numbers).tobytes()
    else:
        codes, texts = pd.factorize(table.text(name, rows))
        levels = len(texts)
        values = "\x1f".join(map(str, texts)).encode("utf-8", "surrogatepass") + codes.astype(np.int32).tobytes()
    return _Digested(_digest(values), _digest(codes.astype(np.int32).tobytes()), levels, int((codes >= 0).sum()), len(codes))


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def repeat_finding(repeat: Repeat, names: Sequence[str], severity: Severity, suggestion: str) -> Finding:
    """The finding about one column of a table with the columns ``names``."""
    position = list(names).index(repeat.name)
    how = "holds the same as" if repeat.how == "same" else "carries the same information as"
    return Finding(
        id=f"repeated-column-{position}", severity=severity, text=f"{shown(repeat.name)} {how} {shown(repeat.of)}", evidence=f"/data/columns/{position}",
        suggestion=suggestion, rule="data.repeated-column")


# --- before anything is learned ---------------------------------------------------------------------------------------------------


class Kept(NamedTuple):
    """What is learned from once repeated columns are left out, and what is to be said of them and of columns that are suspected to be leaks."""

    problem: Problem
    split: Split
    findings: tuple[Finding, ...]


def leave_out_repeats(table: Table, spec: TaskSpec, problem: Problem, split: Split) -> Kept:
    """Looks at the training rows only. Raises BadInput where no column is left."""
    features = problem.schema.names
    withheld = [name for name in spec.sensitive if name not in features]
    numbers = split.train.features[[name for name, kind in problem.schema.kinds.items() if kind == "number"]]
    found = find_repeats(table, [problem.target, *withheld, *features], split.train.position, numbers)
    left_out: dict[str, str] = {}
    findings: list[Finding] = []
    for repeat in (each for each in found if each.name in features):
        severity, note, suggestion = _judged(repeat, spec, problem, withheld)
        if note:
            left_out[repeat.name] = note
        findings.append(repeat_finding(repeat, table.names, severity, suggestion))
    if len(left_out) == len(features):
        raise BadInput(f"no column is left to learn from: {shown(features[0])} {left_out[features[0]]}", pointer="/roles")
    kept = _without(problem, split, left_out)
    return Kept(kept[0], kept[1], (*findings, *_leaks(table, kept[0], split)))


def _judged(repeat: Repeat, spec: TaskSpec, problem: Problem, withheld: Sequence[str]) -> tuple[Severity, str, str]:
    """Severity, the note where the column is left out ("" where it is not), and the suggestion."""
    note = f"carries the same information as {shown(repeat.of)} in every training row"
    if repeat.of == problem.target:
        if spec.roles.get(repeat.name) in ("feature", "text", "date"):
            return "high", "", "It is the outcome in another form, and is learned from because its role says so: check whether it is known before the decision."
        return "high", note, "It is the outcome in another form and is left out. Where it is known before the decision, give it the role feature."
    if repeat.of in withheld:
        return "high", note, "It is the sensitive attribute under another name and is left out like it."
    if repeat.is_kept:
        return "low", "", "Both are learned from, since a number knows an order that levels do not; what is said of one of them is to be read for both together."
    return "low", note, "It is left out."


def _without(problem: Problem, split: Split, left_out: dict[str, str]) -> tuple[Problem, Split]:
    if not left_out:
        return problem, split
    schema = FeatureSchema(tuple(feature for feature in problem.schema.features if feature.name not in left_out))
    columns = tuple(_ignored(column, left_out[column.name]) if column.name in left_out else column for column in problem.columns)
    names, read = list(schema.names), split._read_audit
    return replace(problem, schema=schema, columns=columns), replace(split, train=_of_columns(split.train, names), _read_audit=lambda: _of_columns(read(), names))


def _ignored(column: Column, note: str) -> Column:
    return column.model_copy(update={"role": "ignore", "used_as_feature": False, "note": note})


def _of_columns(rows: Rows, names: list[str]) -> Rows:
    return replace(rows, features=rows.features[names])


def _leaks(table: Table, problem: Problem, split: Split) -> Iterator[Finding]:
    for name, sentence in find_leaks(table, problem.target, split.train.position).items():
        if name in problem.schema.names:
            position = table.names.index(name)
            yield Finding(
                id=f"suspected-leak-{position}", severity="high", text=f"{shown(name)}: {sentence}", evidence=f"/data/columns/{position}",
                suggestion="It is learned from. If it is not known when a decision is made, leave it out: the measured performance is then not to be had.",
                rule="data.suspected-leak")
