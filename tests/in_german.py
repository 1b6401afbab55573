"""What a report of an evidence document would leave in English: nothing, for a test of the catalogue's sentences on what the engine really says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from auditapp.languages.sentences import QUOTE, UNQUOTE, in_german, unmarked
from auditapp.report.blocks import quotations_marked
from auditapp.report.context import english_document
from auditapp.report.translated import KEPT
from automl.evidence import Charts, Evidence

NAMES = re.compile(r"[\w.+-]+|[0-9a-f]{12,}|[\w ]+: .{1,60}|[a-z_]+ \(trial \d+\)")
"""Keys, digests, names of families and "attribute: group", which are the same in every language."""


def unread(evidence: Evidence, charts: Charts) -> list[str]:
    """Texts of the report that stay English, each once."""
    with quotations_marked():
        document = english_document(evidence, charts)
    return unread_in([document, *(text for chart in charts.charts for text in (chart.title, chart.sentence))])


def unread_in(document: Any) -> list[str]:
    """The same of any document, made while quotations are marked."""
    return [text for text in dict.fromkeys(_texts(document)) if in_german(text) is None and not NAMES.fullmatch(re.sub(f"{QUOTE}[^{UNQUOTE}]*{UNQUOTE}", "", text))]


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            if key not in KEPT:
                yield from _texts(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _texts(value)


def changed_numbers(evidence: Evidence, charts: Charts) -> list[tuple[str, str]]:
    """Texts of the report whose digits are not those of the German text."""
    with quotations_marked():
        document = english_document(evidence, charts)
    pairs = ((text, in_german(text)) for text in dict.fromkeys([*_texts(document), *(chart.sentence for chart in charts.charts)]))
    return [(text, german) for text, german in pairs if german is not None and _digits(unmarked(text)) != _digits(german)]


def _digits(text: str) -> Counter[str]:
    return Counter(re.sub(r"[.,]", "", number) for number in re.findall(r"\d+(?:[.,]\d+)*", text))
