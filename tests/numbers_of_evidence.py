"""Is every printed number in the evidence? The rule: a printed number is one of the evidence's (or a hundred times it, for per cent), rounded to the digits printed."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from auditapp.statements.fields import FIELDS
from automl.evidence import Evidence

LAW_STATUS = Path(__file__).resolve().parent.parent / "auditapp" / "law_status.json"
NUMBER = re.compile(r"(?<![\w.])[−-]?\d[\d,]*(?:\.\d+)?(?:e[−+-]?\d+)?(?![\w])")
HEXADECIMAL = re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{12,64}\b…?")
FIXED_TEXT = (
    f"none of {len(FIELDS)} statements",
    "95 % interval", "95 % intervals", "section 15", "80 % power", "PDF/A-3a", "PDF/UA-1", "SHA-256", "p < 0.0001", "< 0.0001", "Local Law 144", "page 1)", "6 RCNY 5-300 to 5-304", "2 %",
)
"""Numbers in words that are always the same, or floors, or of our own form: none of them is a measurement."""


def unfounded_numbers(texts: Iterable[str], evidence: Evidence) -> list[str]:
    """Numbers in ``texts`` that the evidence does not hold."""
    document = evidence.model_dump(mode="json")
    known = _known(document)
    scaled = sorted({value * scale for value in known for scale in (1, 100)})
    # What a report says of laws has a file of its own, with the date of its review
    strings = " \n ".join([*_strings(document), LAW_STATUS.read_text()])
    missing = []
    for text in texts:
        for fixed in FIXED_TEXT:
            text = text.replace(fixed, " ")
        for token in NUMBER.findall(HEXADECIMAL.sub(" ", text)):
            if not _founded(token, known, scaled) and not re.search(rf"(?<!\d){re.escape(token)}(?!\d)", strings):
                missing.append(token)
    return missing


def _founded(token: str, known: list[float], scaled: list[float]) -> bool:
    plain = token.replace("−", "-").replace(",", "")
    if "e" in plain:
        digits = len(plain.split("e")[0].partition(".")[2])
        return any(f"{value:.{digits}e}" == f"{float(plain):.{digits}e}" for value in known)
    decimals = len(plain.split(".")[1]) if "." in plain else 0
    printed = float(plain)
    # Both roundings of a half: a per cent is formatted from value * 100, which may fall on either side of it
    nearest = bisect_left(scaled, printed)
    return any(abs(value - printed) <= 0.5 * 10**-decimals * (1 + 1e-9) for value in scaled[max(0, nearest - 1):nearest + 1])


def _known(node: Any) -> list[float]:
    if isinstance(node, bool) or node is None or isinstance(node, str):
        return []
    if isinstance(node, int | float):
        return [float(node)]
    return [number for value in (node.values() if isinstance(node, dict) else node) for number in _known(value)]


def _strings(node: Any) -> list[str]:
    if isinstance(node, str):
        return [node]
    if isinstance(node, dict):
        return [*map(str, node), *(text for value in node.values() for text in _strings(value))]
    return [text for value in node for text in _strings(value)] if isinstance(node, list | tuple) else []
