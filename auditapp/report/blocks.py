"""What a report's sections are made of: plain JSON blocks that the template lays out. Strings only; the template formats no number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from automl.evidence import Charts, Estimate, NotMeasured, Value
from automl.printing import estimate, visible

Block = dict[str, Any]
Align = Literal["left", "right", "center"]
NOT_PROVIDED = "NOT PROVIDED"
LONGEST = 160
"""Characters of a string from the data that a report prints; the attached evidence has all of them."""
LOW_PRECISION = "†"


def paragraph(text: str) -> Block:
    return {"kind": "text", "text": text}


def note(text: str) -> Block:
    return {"kind": "note", "text": text}


def heading(text: str) -> Block:
    return {"kind": "heading", "text": text}


def not_measured(what: str, section: NotMeasured) -> Block:
    return {"kind": "not_measured", "what": what, "reason": section.reason}


def facts(rows: Iterable[tuple[str, str]]) -> Block:
    """Names and values, one a line."""
    return {"kind": "facts", "rows": [list(row) for row in rows]}


def table(caption: str, columns: Sequence[tuple[str, Align, float]], rows: Iterable[Sequence[str]], after: str = "") -> Block:
    """``columns``: heading, alignment and relative width (0: as wide as its text). A table without rows is a sentence."""
    cells = [list(row) for row in rows]
    if not cells:
        return paragraph(f"{caption}: no rows.")
    if any(LOW_PRECISION in cell for row in cells for cell in row):
        after = f"{after} {LOW_PRECISION} Low precision: a small number of people stands behind it.".strip()
    return {
        "kind": "table", "caption": caption, "columns": [column[0] for column in columns], "align": [column[1] for column in columns],
        "widths": [column[2] for column in columns], "rows": cells, "after": after,
    }


def charts_of(charts: Charts, prefix: str, *, exactly: bool = False) -> list[Block]:
    """The charts whose name is, or begins with, ``prefix``, in their own order."""
    return [
        {"kind": "chart", "name": chart.name, "title": chart.title, "alt": chart.sentence}
        for chart in charts.charts if (chart.name == prefix if exactly else chart.name.startswith(prefix))
    ]


def data_text(text: str, limit: int = LONGEST) -> str:
    """A string from the data, cut where it is too long for paper."""
    return visible(text, limit) or "(empty)"


def shown(value: Value, *, as_percent: bool = False, signed: bool = False) -> str:
    mark = f" {LOW_PRECISION}" if isinstance(value, Estimate) and value.low_precision else ""
    return estimate(value, as_percent=as_percent, signed=signed) + mark


Statements = Mapping[str, Any]
"""{version, fields: {name: {text, author, role, at}}}: what only people can say."""


def stated(statements: Statements | None, *fields: tuple[str, str]) -> Block:
    """Statements by (field, label); what nobody has said prints NOT PROVIDED, and nothing ever fills it in."""
    known = (statements or {}).get("fields", {})
    rows = []
    for field, label in fields:
        said = known.get(field)
        text = NOT_PROVIDED if said is None else f"{said['text']} ({said['author']}, {said['role']}, {said['at']})"
        rows.append([label, text])
    return {"kind": "statements", "rows": rows, "missing": NOT_PROVIDED}
