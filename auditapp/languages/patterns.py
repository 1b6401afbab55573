"""The sentences that evidence, charts and reports are made of, as the source has them: a text as it is, an f-string with ``{0}``, ``{1}`` where it puts a value."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from auditapp.languages.catalogues import Message

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS = ("automl/audit", "automl/charts", "automl/crosswalk", "automl/data", "automl/evidence", "automl/learn", "auditapp/report")
FILES = ("auditapp/cohorts.py", "auditapp/datasets.py", "auditapp/law_status.py", "auditapp/repeats.py", "auditapp/report_versions.py", "auditapp/runs.py", "auditapp/statements/sign_offs.py", "auditapp/statements/fields.py", "auditapp/storage.py",
         "auditapp/submission.py", "auditapp/webhooks/addresses.py", "workers/jobs.py", "automl/card.py", "automl/disclosure.py", "automl/pipeline.py", "automl/printing.py", "automl/question_tree.py", "automl/sections.py", "automl/spec.py", "automl/export/onnx_export.py")
NOT_FOR_READERS = ("automl/data/sample.py", "auditapp/report/law_summary.py", "auditapp/report/markdown.py", "auditapp/report/container.py",
                   "auditapp/report/export_pdf.py", "auditapp/report/qr_code.py", "auditapp/report/sign.py", "auditapp/report/glyphs.py")
"""The summary of Local Law 144 is an English document; the others say nothing to readers."""
NOT_SAID = {"ValueError", "TypeError", "RuntimeError", "KeyError", "AssertionError", "LookupError", "NotImplementedError", "compile", "info", "warning", "debug", "exception", "startswith", "endswith"}
"""Calls whose texts no reader sees."""
NAMES = {"id", "evidence", "rule", "name", "method"}
"""Keywords whose texts are keys."""

ASSEMBLED = (
    "{0} ({1} % interval {2} to {3})", "({0} % interval {1} to {2})", "{0} has only {1}", "{0} has fewer than {1} independent rows", "{0} rows", "{0} row",
    "{0}: {1}, n = {2}", "{0} {1}, n = {2}", "{0} {1} ({2} to {3})", "{0} of {1} against {2} of {3}", "weighted; rows: {0} of {1} against {2} of {3}", "{0} of {1} ({2}) to {3}", "{0} of {1} ({2}) minus that of {3}", "{0} of {1} ({2})",
    "impact ratio of {0} ({1}) to {2}", "impact ratio of {0} ({1}) to {2}: {3} ({4} to {5}), {6}", "{0} of {1} ({2}) minus that of {3}: {4} pp ({5} to {6})", "{0} of {1} ({2}) minus that of all others: {3} pp ({4} to {5})",
    "{0} of {1} ({2}) minus that of all others", "{0}, below the limit beyond sampling error", "{0}, not below the limit, beyond sampling error", "{0}, inconclusive at this sample size",
    "{0}, below the limit beyond sampling error: {1}", "{0}, inconclusive at this sample size: {1}",
    "{0} (prohibited by the reason table)", "{0} (a sensitive attribute)", "{0} (immutable by the reason table)", "not below the limit of {0}, beyond sampling error",
    "below the limit of {0} beyond sampling error", "{0} rows that nothing was learned from", "Reference: {0}, the group with the highest rate.",
    "Reference: {0}, as named beforehand.", "Reference: {0}, the group with the highest mean prediction.", "one row each, taken as independent", "one person each, taken as independent", "{0} {1} (n = {2})", "{0} carries the same information as {1}", "{0} holds the same as {1}",
    "Of the alternatives that are unbeaten {0}; the others are in the attached evidence.",
    "Of the alternatives that are unbeaten {0}, and of the {1} groups furthest from the reference under the deployed model; the others are in the attached evidence.",
    "probability of {0}", "log-odds of {0} against the mean of all classes", "the group has only {0}", "; so does {0}", "There is no summary for Local Law 144: {0}.", "; so do {0}", "the group has fewer than {0} independent rows", "† Low precision: a small number of people stands behind it.",
    "{0}: accumulated local effect", "{0}: partial dependence", "{0} in the slices", "{0} of the candidates on the audit part, measured after the choice was made. {1}: {2}.",
)
"""Texts that the code puts together in another way than by one f-string."""


def patterns(known: set[str]) -> Iterator[Message]:
    """Each text and f-string with words, in the order of the files. Of single words, which may be keys as well, those that are ``known``."""
    yield from map(Message, ASSEMBLED)
    for path in _sources():
        for text in _texts(ast.parse(path.read_text())):
            if text in known or (" " in text.strip() and re.search(r"[A-Za-z]{2}", re.sub(r"\{\d+\}", "", text))):
                yield Message(text)
    yield from map(Message, _of_laws())


def _of_laws() -> Iterator[str]:
    """What is known of laws, which is data and not code."""
    for law in json.loads((ROOT / "auditapp" / "law_status.json").read_text())["laws"]:
        texts = [law["name"], *(law.get(key) for key in ("version", "effective_note", "confirm", "retention", "note")), law["source"]["text"], law.get("superseded_by", {}).get("how")]
        yield from (text for text in texts if text)


def _sources() -> Iterator[Path]:
    found = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    yield from (path for path in [*found, *(ROOT / name for name in FILES)] if str(path.relative_to(ROOT)) not in NOT_FOR_READERS)


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        yield _pattern(node)
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from _texts(part.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for child in _children(node):
            yield from _texts(child)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):  # a docstring
        return
    if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in NOT_SAID:
        return
    if isinstance(node, ast.arg | ast.AnnAssign):
        yield from (child for child in ast.iter_child_nodes(node) if child is not node.annotation)
    elif isinstance(node, ast.keyword) and node.arg in NAMES:
        return
    else:
        yield from ast.iter_child_nodes(node)


def _pattern(node: ast.JoinedStr) -> str:
    places = iter(range(len(node.values)))
    return "".join(str(part.value) if isinstance(part, ast.Constant) else f"{{{next(places)}}}" for part in node.values)
