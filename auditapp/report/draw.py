"""A Vega-Lite spec to SVG, with the report's font and no network."""

from __future__ import annotations

import functools
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
    return svg


@functools.cache
def _register_fonts() -> None:
    vl_convert.register_font_directory(str(FONTS))
