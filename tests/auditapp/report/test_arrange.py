"""Pages are filled without any picture overtaking another one, and without a layout that asks where it stands."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from auditapp.report import render
from auditapp.report.arrange import BOTTOM, SHARE, SMALLEST, TOP, WIDTH, arranged
from auditapp.report.render import compile_pdf
from tests.auditapp.report.test_render import document

PAGE = BOTTOM - TOP
TEXT, HEADING, TABLE = {"kind": "text", "text": "Words."}, {"kind": "heading", "text": "More"}, {"kind": "table", "caption": "T"}


def chart(name: str) -> dict[str, str]:
    return {"kind": "chart", "name": name}


def laid_out(blocks: list[dict[str, Any]], heights: list[float], *, sticky: tuple[int, ...] = (), whole: tuple[int, ...] = ()) -> tuple[list[str], dict[str, float]]:
    """The order of the blocks, by kind or name, and the shares of pictures; ``heights``: as shares of a page, each part laid out after the one before, whole ones on a page of their own where they do not fit."""
    marks, page, y = [{"section": "", "first": 0, "count": 0, "sticky": False, "whole": False, "page": 1, "y": TOP}], 1, TOP
    for at, height in enumerate(heights):
        if at in whole and y + height * PAGE > BOTTOM:
            page, y = page + 1, TOP
        y += height * PAGE
        while y > BOTTOM:
            page, y = page + 1, y - PAGE
        marks.append({"section": "3", "first": at, "count": 1, "sticky": at in sticky, "whole": at in whole, "page": page, "y": y})
    # As high as the part is, less a tenth of the page for its words
    sizes = {block["name"]: (1000, (height - 0.1) * PAGE * 1000 / (SHARE * WIDTH)) for block, height in zip(blocks, heights, strict=True) if block["kind"] == "chart"}
    [section] = arranged([{"number": "3", "blocks": blocks}], marks, sizes)
    return [str(block.get("name", block["kind"])) for block in section["blocks"]], {block["name"]: block["scale"] for block in section["blocks"] if "scale" in block}


def test_what_fits_stays_as_it_is() -> None:
    assert laid_out([TEXT, chart("a"), TABLE], [0.3, 0.6, 0.5], whole=(1,)) == (["text", "a", "table"], {})


def test_a_picture_that_nearly_fits_is_drawn_a_little_smaller() -> None:
    order, scales = laid_out([TEXT, chart("a"), TABLE], [0.42, 0.6, 0.5], whole=(1,))
    assert order == ["text", "a", "table"]
    assert SMALLEST <= scales["a"] < 0.91


def test_else_the_table_after_it_comes_first() -> None:
    assert laid_out([TEXT, chart("a"), TABLE], [0.6, 0.7, 0.5], whole=(1,)) == (["text", "table", "a"], {})


def test_a_note_stays_behind_its_table() -> None:
    note = {"kind": "note", "text": "Of the table."}
    assert laid_out([TEXT, chart("a"), TABLE, note, TEXT], [0.6, 0.7, 0.5, 0.05, 0.05], whole=(1,)) == (["text", "table", "note", "a", "text"], {})


def test_a_small_gap_is_left() -> None:
    assert laid_out([TEXT, chart("a"), TABLE], [0.9, 0.7, 0.5], whole=(1,)) == (["text", "a", "table"], {})


def test_nothing_leaves_its_heading_and_pictures_keep_their_order() -> None:
    assert laid_out([TEXT, chart("a"), HEADING, TABLE], [0.6, 0.7, 0.05, 0.5], whole=(1, 2), sticky=(2,))[0] == ["text", "a", "heading", "table"]
    assert laid_out([TEXT, chart("a"), chart("b"), TABLE], [0.6, 0.7, 0.7, 0.5], whole=(1, 2))[0] == ["text", "table", "a", "b"]


def test_words_that_lead_to_a_table_go_with_it() -> None:
    assert laid_out([TEXT, chart("a"), TEXT, TABLE], [0.6, 0.7, 0.05, 0.5], whole=(1,), sticky=(2,))[0] == ["text", "text", "table", "a"]


def test_a_picture_with_its_heading_is_one_and_the_heading_stays_first() -> None:
    assert laid_out([TEXT, HEADING, chart("a"), TABLE], [0.55, 0.05, 0.7, 0.5], whole=(1, 2), sticky=(1,))[0] == ["text", "heading", "table", "a"]


@pytest.mark.slow
def test_on_paper_the_page_before_a_tall_picture_is_filled_and_the_order_of_the_tags_is_that_of_the_pages(tmp_path: Path) -> None:
    words = [{"kind": "text", "text": f"Paragraph {at}. " + "Some words that fill a line and a half of the page, so that it is no short one at all. " * 3} for at in range(14)]
    rows = [[f"group {at}", str(at)] for at in range(30)]
    table = {"kind": "table", "caption": "Many groups", "columns": ["group", "a number of people that is long"], "align": ["left", "right"], "widths": [1, 1], "after": "", "share": 1, "dense": False, "rows": rows}
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="720"><path d="M0 0L600 700" stroke="#000"/></svg>'
    picture = {"kind": "chart", "name": "c", "title": "A tall picture", "alt": "What it shows."}
    sections = document()["sections"] + [{"number": "3", "title": "Three", "lead": "", "short": "", "blocks": [*words, picture, table]}]
    pdf = compile_pdf(document(sections=sections), {"c": svg}, [])
    (tmp_path / "r.pdf").write_bytes(pdf)
    text = subprocess.run(["pdftotext", "-raw", str(tmp_path / "r.pdf"), "-"], capture_output=True, text=True, check=True).stdout
    assert 0 < text.index("Paragraph 13") < text.index("Many groups") < text.index("A tall picture")
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        kinds = [str(node.S) for node in _elements(opened.Root.StructTreeRoot) if str(node.get("/S", "")) in ("/Table", "/Figure")]
    assert kinds == ["/Table", "/Figure"]


@pytest.mark.slow
def test_a_long_document_is_laid_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    monkeypatch.setattr(render, "arranged", lambda sections, marks, charts: looked.append(len(marks)) or sections)
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="72"><path d="M0 0L60 70" stroke="#000"/></svg>'
    few = [{"kind": "chart", "name": "c", "title": "T", "alt": "A."}, *({"kind": "text", "text": f"Paragraph {at}."} for at in range(4))]
    for blocks, times in ((few, 1), (few * 100, 0)):
        looked.clear()
        compile_pdf(document(sections=[*document()["sections"], {"number": "3", "title": "Three", "lead": "", "short": "", "blocks": blocks}]), {"c": svg}, [])
        assert len(looked) == times


def _elements(node: Any) -> list[Any]:
    kids = node.get("/K")
    kids = [] if kids is None else list(kids) if isinstance(kids, pikepdf.Array) else [kids]
    return [one for kid in kids if isinstance(kid, pikepdf.Dictionary) and "/S" in kid for one in (kid, *_elements(kid))]
