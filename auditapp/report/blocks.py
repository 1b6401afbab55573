"""What a report's sections are made of: plain JSON blocks that the template lays out. Strings only; the template formats no number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from string import ascii_lowercase
from typing import Any, Literal

from auditapp.languages.sentences import CONDITIONS, QUOTE, UNQUOTE
from auditapp.statements.document import Statement, Statements
from auditapp.statements.fields import Field, asked_in, words_of
from automl.evidence import Charts, Estimate, NotMeasured, Value
from automl.printing import estimate, visible

Block = dict[str, Any]
Cell = str | dict[str, str]
Align = Literal["left", "right", "center"]
NOT_PROVIDED = "NOT PROVIDED"
LONGEST = 160
"""Characters of a string from the data that a report prints; the attached evidence has all of them."""
LOW_PRECISION = "†"
UNMEASURED = "not measured: "
SMALL = 330
"""Pixels up to which a picture takes half the width of a page."""
FOLDED_FROM = 24
"""Letters of a cell that are worth a reference to below the table."""
_marked: ContextVar[bool] = ContextVar("_marked", default=False)


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


def columns(left: Sequence[Block], right: Sequence[Block], *, whole: bool = False) -> Block:
    """Two stacks of blocks beside each other; read aloud, the left one comes first. ``whole``: they are short, and do not break over pages."""
    return {"kind": "columns", "left": list(left), "right": list(right), "whole": whole}


def flat(blocks: Iterable[Block]) -> Iterator[Block]:
    """The blocks, those that stand in columns too."""
    for block in blocks:
        if block["kind"] == "columns":
            yield from flat([*block["left"], *block["right"]])
        else:
            yield block


def page_of(section: int) -> Cell:
    """A cell with the page on which a section begins: the engine knows it, nobody else does."""
    return {"page_of": str(section)}


def table(
    caption: str, columns: Sequence[tuple[str, Align, float]], rows: Iterable[Sequence[Cell]], after: str = "", *, share: float = 0, dense: bool = False, whole_reasons: bool = False, fold: str = "", grouped: bool = False,
) -> Block:
    """``columns``: heading, alignment and relative width (0: as wide as its text). A table without rows is a sentence.

    ``share``: tables that follow each other and each have one stand side by side, as wide as their shares. ``dense``: smaller letters, for many columns.
    ``grouped``: what the first column says stands above the rows that share it, in a line of its own.
    Why something was not measured stands once below the table where several cells would say it, unless ``whole_reasons``; so do the sentences of the column ``fold``.
    """
    cells = [list(row) for row in rows]
    folded = [column[0] for column in columns].index(fold) if fold else None
    reasons = {} if whole_reasons else _said_below(cells, folded)
    cells = [[_below(cell, reasons) if isinstance(cell, str) and cell in reasons else cell for cell in row] for row in cells]
    if not cells:
        return paragraph(f"{caption}: no rows.")
    if any(LOW_PRECISION in cell for row in cells for cell in row):
        after = f"{after} {LOW_PRECISION} Low precision: a small number of people stands behind it.".strip()
    after = " ".join([*([after] if after else []), *(f"({letter}) {cell.removeprefix(UNMEASURED).rstrip('.')}." for cell, letter in reasons.items())])
    return {
        "kind": "table", "caption": caption, "reasons": {letter: cell.removeprefix(UNMEASURED) for cell, letter in reasons.items()}, "columns": [column[0] for column in columns], "align": [column[1] for column in columns],
        "widths": [column[2] for column in columns], "rows": cells, "after": after, "share": share, "dense": dense, "grouped": grouped,
    }


def _below(cell: str, letters: Mapping[str, str]) -> str:
    return f"not measured ({letters[cell]})" if cell.startswith(UNMEASURED) else f"({letters[cell]})"


def _said_below(rows: Sequence[Sequence[Cell]], folded: int | None) -> dict[str, str]:
    """Letters by the cells that say the same reason for not being measured as others, and by the sentences of the column ``folded``."""
    found = Counter(cell for row in rows for cell in row if isinstance(cell, str) and cell.startswith(UNMEASURED))
    sentences = dict.fromkeys(row[folded] for row in rows if len(str(row[folded])) > FOLDED_FROM) if folded is not None else {}
    return dict(zip([*(cell for cell, count in found.items() if count > 1), *map(str, sentences)], ascii_lowercase, strict=False))


def charts_of(charts: Charts, prefix: str, *, exactly: bool = False) -> list[Block]:
    """The charts whose name is, or begins with, ``prefix``, in their own order; but see `in_pairs`."""
    return in_pairs([
        {"kind": "chart", "name": chart.name, "title": chart.title, "alt": chart.sentence, "small": chart.spec.get("width", SMALL + 1) <= SMALL}
        for chart in charts.charts if (chart.name == prefix if exactly else chart.name.startswith(prefix))
    ])


def in_pairs(pictures: Iterable[Block]) -> list[Block]:
    """Pictures of half the width two by two, since two stand beside each other on paper; the wide ones after the pair that they stood in the middle of."""
    waiting, paired = list(pictures), []
    while waiting:
        one = waiting.pop(0)
        paired.append(one)
        other = next((at for at, each in enumerate(waiting) if each["small"]), None) if one["small"] else None
        if other is not None:
            paired.append(waiting.pop(other))
    return paired


def beside(picture: Sequence[Block], others: Sequence[Block]) -> list[Block]:
    """A picture of half the width, and beside it what says more of the same; one after the other where the picture is wide, or there is none."""
    if len(picture) == 1 and picture[0]["small"] and others:
        return [columns(picture, others, whole=True)]
    return [*picture, *others]


def data_text(text: str, limit: int = LONGEST) -> str:
    """A string from the data, cut where it is too long for paper; `quoted`."""
    return quoted(visible(text, limit) or "(empty)")


def quoted(text: str) -> str:
    """A text that is not ours, as it is, each of its lines marked as a quotation while a report is made that will be put into another language."""
    return "\n".join(f"{QUOTE}{line}{UNQUOTE}" if line.strip() else line for line in text.split("\n")) if _marked.get() else text


def conditions_text(text: str, limit: int) -> str:
    """What defines a slice: names and values of the data with words of ours between them."""
    return quoted((CONDITIONS if _marked.get() else "") + visible(text, limit))


def our_words(text: str, limit: int = LONGEST) -> str:
    """A sentence or word of the evidence, of ours and not of the data, cut where it is too long for paper."""
    return visible(text, limit) or "(empty)"


def ended(text: str) -> str:
    """With a stop where it has none: findings on the table are written without."""
    return text if not text or text[-1] in ".!?…" else f"{text}."


@contextmanager
def quotations_marked() -> Iterator[None]:
    """While it lasts, what is quoted from the data stands between QUOTE and UNQUOTE (`auditapp.languages.sentences`)."""
    token = _marked.set(True)
    try:
        yield
    finally:
        _marked.reset(token)


def shown(value: Value, *, as_percent: bool = False, signed: bool = False) -> str:
    mark = f" {LOW_PRECISION}" if isinstance(value, Estimate) and value.low_precision else ""
    return estimate(value, as_percent=as_percent, signed=signed) + mark


def stated(statements: Statements | None, section: int) -> Block:
    """The statements that the section of this number asks for (`auditapp.statements.fields`); what nobody has said prints NOT PROVIDED and who should say it."""
    said = statements.fields if statements else {}
    return spoken([
        (field.label, text_said(field, said[field.name].text) if field.name in said else None, who_said(said[field.name]) if field.name in said else f"to be provided by {field.who}")
        for field in asked_in(section)])


def text_said(field: Field, text: str) -> str:
    """What somebody said, as it is; a choice in our words."""
    return quoted(text) if field.choices is None else words_of(field.name, text)


def spoken(rows: Iterable[tuple[str, str | None, str]]) -> Block:
    """What people say, by label: the text in its lines (None: not provided), and who said it and when, or should."""
    return {"kind": "statements", "rows": [
        {"label": label, "lines": [NOT_PROVIDED] if text is None else [line for line in text.split("\n") if line.strip()], "by": by, "missing": text is None} for label, text, by in rows]}


def who_said(said: Statement) -> str:
    return f"{quoted(said.author)}, {said.role}, {said.at}"


def said_of(statements: Statements | None) -> dict[str, str]:
    """What people have said, as text by field; a choice in its words."""
    return {name: words_of(name, one.text) for name, one in statements.fields.items()} if statements else {}
