"""A report's data and pictures in another language: every text of ours read again by `auditapp.languages.sentences`, every quotation from the data left as it is."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from auditapp.languages.sentences import conditions_in_german, numbers, said_in, unmarked
from automl.chart_theme import LEGEND_MARK, LETTER, TITLE_LENGTH
from automl.evidence import Chart

Say = Callable[[str], str]
KEPT = frozenset({"kind", "name", "number", "section", "severity", "align", "evidence", "page_of", "lang", "run", "digest", "finished_at", "keywords"})
"""Values under these keys are no text: they are keys, numbers and names."""
ROWS_OF_WORDS = ("disturbed-", "leaderboard")
SERIES_OF_WORDS = ("error-rates", "mitigation-", "front", "slices", "threshold-curve")
"""Pictures, by how their names begin, whose rows or series are named by us; those of the others are named by the data."""
AMONG_NAMES = frozenset({"all inputs together", "all groups", "all other inputs"})
"""Rows of ours among those of the data."""
_COUNT = re.compile(r"[ \u00a0]\(n = [\d,]+\)$")


def in_language(document: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """`report_data`'s document in ``lang`` ("en", "de"), without the marks round its quotations. What cannot be read in German stays English."""
    say = unmarked if lang == "en" else _german
    said = {key: unmarked(value) if key == "title" else _in(value, say) if key not in KEPT else value for key, value in document.items()}
    return said | {"lang": lang}


def chart_in_language(chart: Chart, lang: str) -> Chart:
    """A picture with its title, its sentence, and the words within it in ``lang``; names from the data stay. Its table, which is its data, stays English."""
    if lang == "en":
        return chart
    spec = _spec(chart.spec, "", _sayer(chart.name))
    return chart.model_copy(update={"title": _german(chart.title), "sentence": _german(chart.sentence), "spec": spec})


def _german(text: str) -> str:
    return said_in(text, "de")


def _in(node: Any, say: Say) -> Any:
    if isinstance(node, str):
        return say(node)
    if isinstance(node, dict):
        return {key: value if key in KEPT else _in(value, say) for key, value in node.items()}
    return [_in(value, say) for value in node] if isinstance(node, list | tuple) else node


def _sayer(name: str) -> dict[str, Say]:
    """How the texts of a picture are read, by the key that they stand under."""
    series = _german if name.startswith(SERIES_OF_WORDS) else _name
    return {"title": _german, "words": _german, "status": _german, "series": series, "domain": lambda text: _german(text) if series(text) == text else series(text),
            "label": _slice if name == "slices" else _german if name.startswith(ROWS_OF_WORDS) else _name}


def _name(text: str) -> str:
    """A name from the data with its count: the count in German writing."""
    return _german(text) if text in AMONG_NAMES else _COUNT.sub(lambda count: numbers(count[0]), text)


def _slice(text: str) -> str:
    """A numbered slice with its count."""
    count = _COUNT.search(text)
    words = text[:count.start()] if count else text
    return conditions_in_german(words) + (numbers(count[0]) if count else "")


def _with_room(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """A channel whose legend has as many columns as leave room for longer words; Vega cuts off what runs out of the picture."""
    legend = after.get("legend")
    if not isinstance(legend, dict) or "columns" not in legend:
        return after
    was, is_now = (max(map(len, channel["scale"]["domain"])) * LETTER + LEGEND_MARK for channel in (before, after))
    return after | {"legend": legend | {"columns": max(1, int(legend["columns"] * min(1, was / is_now)))}}


def _spec(node: Any, key: str, sayer: Mapping[str, Say]) -> Any:
    if isinstance(node, dict):
        return _with_room(node, {each: _spec(value, each, sayer) for each, value in node.items()})
    if key == "title" and isinstance(node, list):  # a title in lines
        return textwrap.wrap(_german(" ".join(node).replace("- ", "-")), TITLE_LENGTH)
    if isinstance(node, list | tuple):
        return [_spec(value, key, sayer) for value in node]
    return sayer[key](node) if isinstance(node, str) and key in sayer else node
