"""Parts of a long page: written while there is room, fetched after that, found by name and by what is in them."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import Http404
from django.template import Context, Template
from django.test import RequestFactory

from auditapp.templatetags import folds
from auditapp.templatetags.folds import Folds, render_with_folds

PAGE = """{% folded "one" "One" %}<p id="in-one">first {{ long }}</p>{% endfolded %}
{% folded "two" "Two" "panel" unfolded %}<p id="in-two">second</p>{% folded "inner" "Inner" panel %}<p id="in-inner">third</p>{% endfolded %}{% endfolded %}"""


def page_of(query: str = "", **context: Any) -> str:
    state = Folds(RequestFactory().get(f"/page{query}"))
    text = Template(PAGE).render(Context({"folds": state, "long": "", **context}))
    return text if state.part is None else str(state.found)


def test_with_room_all_parts_are_written_closed_or_unfolded() -> None:
    text = page_of()
    assert "first" in text
    assert '<details id="fold-one"><summary>One</summary>' in text
    assert "Two" not in text
    assert '<details class="panel" id="fold-two-inner"><summary>Inner</summary>\n<p id="in-inner">third</p></details>' in text


def test_without_room_parts_are_links_to_the_page_with_them() -> None:
    text = page_of(long="x" * folds.CLOSED)
    assert "first" not in text
    assert 'data-part="/page?part=one"' in text
    assert '<a href="?open=one#fold-one">' in text
    assert "second" in text, "what is seen has room of its own"
    assert 'href="?open=two%2Finner#fold-two-inner"' in text, "what comes after the first that did not fit is fetched"


def test_a_part_comes_alone_and_with_the_page() -> None:
    long = "x" * folds.CLOSED
    assert page_of("?part=one", long=long) == f'<p id="in-one">first {long}</p>'
    assert page_of("?part=two/inner") == '<p id="in-inner">third</p>'
    assert page_of("?part=none") == "None"
    assert '<details id="fold-one" open>' in page_of("?open=one", long=long)
    assert '<details class="panel" id="fold-two-inner" open>' in page_of("?open=two/inner", long=long)


def test_an_anchor_opens_the_part_that_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folds, "SEEN", 1)
    monkeypatch.setattr(folds, "CLOSED", 1)
    assert 'id="in-inner"' not in page_of()
    text = page_of("?to=in-inner")
    assert '<details class="panel" id="fold-two-inner" open>' in text
    assert "second" in text
    assert "first" not in text


def test_an_unknown_part_is_not_found() -> None:
    with pytest.raises(Http404):
        render_with_folds(RequestFactory().get("/x?part=none"), "error.html", {})
