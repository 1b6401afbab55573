"""A Vega-Lite spec to SVG, with the report's font and no network."""

from __future__ import annotations

import functools
from typing import Any

import vl_convert

from auditapp.report.glyphs import FONTS
from automl.chart_theme import theme


def draw_svg(spec: dict[str, Any]) -> str:
    """The SVG of ``spec`` in its colours for a light ground, background empty. Raises ValueError where the spec cannot be drawn."""
    _register_fonts()
    svg: str = vl_convert.vegalite_to_svg(spec, config=theme(), allowed_base_urls=[])
    return svg


@functools.cache
def _register_fonts() -> None:
    vl_convert.register_font_directory(str(FONTS))
