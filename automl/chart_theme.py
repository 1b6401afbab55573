"""How charts look: the Vega-Lite configuration that is laid over a spec when it is drawn, and the same picture on a dark ground."""

from __future__ import annotations

import re
from typing import Any

INK, QUIET, LINE = "#1f2933", "#52606d", "#e1e5ea"
IN_THE_DARK = {
    INK: "#e8eaed", QUIET: "#b9bec6", LINE: "#4a4f57",
    # On a dark ground the deep blue fades; the two blues of Okabe and Ito change places
    "#0072B2": "#56B4E9", "#56B4E9": "#0072B2",
}
"""What each colour of a picture becomes; the others, and the scales of values, are seen on both grounds."""
_TAG = re.compile(r'<[^<>"]*(?:"[^"]*"[^<>"]*)*>')
_COLOUR = re.compile(r'(?<= )(fill|stroke|stop-color)="(#[0-9A-Fa-f]{6})"')

LETTER = 7.2
"""Pixels that a letter takes at most on average, at the size of our labels and in a browser's widest usual font."""
LEGEND_MARK = 28
"""Pixels of a legend's mark with the space round it."""
TITLE_LENGTH = 26
"""Letters of an axis title that stand on one line below half a picture, in a browser's widest usual font too."""
FONT = "Source Sans 3"
# Quoted: a bare name that ends in a digit is no CSS identifier, and the text would be dropped
FAMILY = f"'{FONT}', 'Source Sans Pro', system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def in_the_dark(svg: str) -> str:
    """A drawn picture with its colours as they can be seen on a dark ground. Only attributes of its marks change, never a text of the data."""
    return _TAG.sub(lambda tag: _COLOUR.sub(lambda found: f'{found[1]}="{IN_THE_DARK.get(found[2], found[2])}"', tag[0]), svg)


def spec_in_the_dark(node: Any) -> Any:
    """A spec or a theme with its colours as they can be seen on a dark ground. Rows and domains are the data's own: a group may be called "#0072B2"."""
    if isinstance(node, dict):
        return {key: value if key in ("datasets", "values", "domain") else spec_in_the_dark(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [spec_in_the_dark(value) for value in node]
    return IN_THE_DARK.get(node, node) if isinstance(node, str) else node


def theme() -> dict[str, Any]:
    """Vega-Lite config. The background stays empty: page and paper bring their own."""
    text = {"font": FAMILY, "color": INK}
    return {
        "background": None,
        "font": FAMILY,
        # On a page the reader's own font may be wider than ours, and what is wider than the picture is cut off
        "padding": {"left": 4, "top": 4, "bottom": 4, "right": 18},
        "view": {"stroke": None},
        "axis": {
            "labelFont": FAMILY, "labelFontSize": 12, "labelColor": INK, "titleFont": FAMILY, "titleFontSize": 12, "titleFontWeight": "normal",
            "titleColor": QUIET, "titlePadding": 8, "grid": True, "gridColor": LINE, "gridOpacity": 1, "domainColor": QUIET, "tickColor": QUIET, "labelLimit": 300,
        },
        "axisY": {"grid": False},
        "legend": {"labelFont": FAMILY, "labelFontSize": 12, "labelColor": INK, "titleFont": FAMILY, "titleFontSize": 12, "titleFontWeight": "normal", "titleColor": QUIET},
        "header": {"labelFont": FAMILY, "labelFontSize": 12, "labelColor": INK, "titleFont": FAMILY, "titleColor": QUIET},
        "text": text,
        "title": {"font": FAMILY, "color": INK},
    }
