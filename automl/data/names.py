"""Column names: what a header may hold, and which name was probably meant."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence

from automl.data.limits import TableLimits
from automl.errors import BadInput
from automl.spec import AuditPolicy

LONGEST_NAME = 65_536


def check_names(header: Sequence[str], limits: TableLimits) -> tuple[str, ...]:
    """The names as written. Raises BadInput with the position for empty, repeated, overlong or too many names, and for NUL."""
    if len(header) > limits.columns:
        raise BadInput(f"the table has {len(header):,} columns; the limit is {limits.columns:,}")
    if not header:
        raise BadInput("the table has no columns")
    seen: dict[str, int] = {}
    for position, name in enumerate(header, start=1):
        if not name.strip():
            raise BadInput(f"column {position:,} has no name; every column needs one in the header")
        if "\x00" in name:
            raise BadInput(f"the name of column {position:,} holds a NUL character")
        if len(name) > LONGEST_NAME:
            raise BadInput(f"the name of column {position:,} has {len(name):,} characters; the limit is {LONGEST_NAME:,}")
        if name in seen:
            raise BadInput(f"the column name {shown(name)} stands at positions {seen[name]:,} and {position:,}; names must differ")
        seen[name] = position
    return tuple(header)


def check_cohorts(policy: AuditPolicy, names: Sequence[str]) -> None:
    """Raises BadInput where a cohort has a condition on a column that is not among ``names``."""
    for place, cohort in enumerate(policy.cohorts):
        for at, condition in enumerate(cohort.where):
            check_column(condition.column, names, pointer("cohorts", str(place), "where", str(at), "column"))


def check_column(name: str, names: Sequence[str], pointer: str) -> None:
    """Raises BadInput at ``pointer`` of the spec when the table has no column ``name``, with the closest name as a hint."""
    if name not in names:
        raise BadInput(f"the table has no column {shown(name)}{closest(name, names)}", pointer=pointer)


def closest(word: str, words: Sequence[str]) -> str:
    """"; did you mean 'income'?" or nothing."""
    # difflib is quadratic in the length of both words: hostile names are long
    near = difflib.get_close_matches(word[:100].casefold(), [each.casefold()[:100] for each in words], n=1, cutoff=0.6)
    meant = next((each for each in words if near and each.casefold()[:100] == near[0]), None)
    return f"; did you mean {shown(meant)}?" if meant is not None else ""


def words_of(name: str) -> list[str]:
    """A column name as plain lower-case words: "maritalStatus" and "marital-status" give marital, status."""
    plain = unicodedata.normalize("NFKD", name[:200]).encode("ascii", "ignore").decode()
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain)
    return [word for word in re.split(r"[^A-Za-z0-9]+", spaced.lower()) if word]


def shown(text: str, limit: int = 120) -> str:
    """Text from the data as a refusal quotes it: in quotes, control characters spelled out, cut at ``limit`` characters."""
    return repr(text if len(text) <= limit else text[:limit] + "…")


def pointer(*parts: str) -> str:
    """The JSON pointer of a place in the spec or the evidence (RFC 6901); names from the data may hold "/" and "~"."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)
