"""A Vega-Lite spec to SVG, with the report's font and no network."""

from __future__ import annotations

import functools
import re
from typing import Any, Literal

import vl_convert

from auditapp.report.glyphs import FONTS
from automl.chart_theme import theme

FORMATS: dict[str, Literal["de-DE"] | None] = {"en": None, "de": "de-DE"}
"""How d3 calls the writing of numbers in each language; English is its own."""


def draw_svg(spec: dict[str, Any], lang: str = "en") -> str:
    """The SVG of ``spec`` in its colours for a light ground, background empty, its axes' numbers as ``lang`` writes them. Raises ValueError where the spec cannot be drawn."""
    _register_fonts()
    svg: str = vl_convert.vegalite_to_svg(spec, config=theme(), allowed_base_urls=[], format_locale=FORMATS[lang])
    return _PLACES.sub(_in_hundredths, svg)


_PLACES = re.compile(r' (?:d|x|y|x1|x2|y1|y2|width|height|transform)="[^"]*"')
_LONG = re.compile(r"-?\d+\.\d{3,}(?:e[-+]?\d+)?")


def _in_hundredths(attribute: re.Match[str]) -> str:
    """Places in hundredths of a point, which no eye and no printer tells from Vega's fifteen digits: a swarm of 1,500 marks weighs half."""
    if "scale(" in attribute[0] or "matrix(" in attribute[0]:
        return attribute[0]
    return _LONG.sub(_rounded, attribute[0])


def _rounded(number: re.Match[str]) -> str:
    text = f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


@functools.cache
def _register_fonts() -> None:
    vl_convert.register_font_directory(str(FONTS))
