"""Documents made of report blocks as Markdown. Whatever comes from data or people is inert in it: it can neither form markup nor a link."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from auditapp.report.blocks import Block
from automl.printing import in_markdown

LONGEST = 4_000


def annex_iv_markdown(document: Mapping[str, Any]) -> str:
    """The document of `auditapp.report.annex_iv` as Markdown."""
    lines = [f"# {_text(document['title'])}", "", _text(document["about"]), "", f"{document['words']['run']} `{document['run']}`, {document['words']['digest']} `{document['digest']}`.", ""]
    for point in document["points"]:
        lines += [f"## {_text(point['number'])} {_text(point['title'])}", "", *([_text(point["sections"]), ""] if point["sections"] else [])]
        for block in point["blocks"]:
            lines += [*_block(block, document["words"]["not_measured"]), ""]
    return "\n".join(lines)


def _block(block: Block, not_measured: str) -> Iterator[str]:
    kind = block["kind"]
    if kind in ("text", "note"):
        yield _text(block["text"])
    elif kind == "not_measured":
        yield f"**{_text(block['what'])}: {not_measured}.** {_text(block['reason'])}"
    elif kind == "facts":
        yield from (f"- {_text(name)}: {_text(value)}" for name, value in block["rows"])
    elif kind == "statements":
        yield from (f"- {_text(row['label'])}: {'**' if row['missing'] else ''}{_text(' '.join(row['lines']))}{'**' if row['missing'] else ''} ({_text(row['by'])})" for row in block["rows"])
    elif kind == "table":
        yield from (f"*{_text(block['caption'])}*", "", _line(block["columns"]), _line(["---"] * len(block["columns"]), plain=True), *map(_line, block["rows"]))
        if block["after"]:
            yield from ("", _text(block["after"]))
    else:
        raise ValueError(f"there is no Markdown for a block of kind {kind}")


def _line(cells: list[str], plain: bool = False) -> str:
    return f"| {' | '.join(cell if plain else _text(cell) for cell in cells)} |"


def _text(text: str) -> str:
    return in_markdown(" ".join(text.split()), LONGEST)
