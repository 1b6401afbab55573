"""A Vega-Lite spec to SVG, with the report's font and no network."""

from __future__ import annotations

import functools
from typing import Any

import vl_convert

from auditapp.report.glyphs import FONTS
from automl.charts.themes import coloured, theme


def draw_svg(spec: dict[str, Any], *, dark: bool = False) -> bytes:
    """The SVG of ``spec``, background empty. Raises ValueError where the spec cannot be drawn."""
    _register_fonts()
    svg: str = vl_convert.vegalite_to_svg(coloured(spec, dark=dark), config=theme(dark=dark), allowed_base_urls=[])
    return svg.encode()


@functools.cache
def _register_fonts() -> None:
    vl_convert.register_font_directory(str(FONTS))
