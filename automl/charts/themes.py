"""How charts look: Vega-Lite configurations that are laid over a spec when it is drawn, light (also print) and dark."""

from __future__ import annotations

from typing import Any

IN_THE_DARK = {"#0072B2": "#56B4E9", "#56B4E9": "#0072B2"}
"""On a dark ground the deep blue fades; the two blues of Okabe and Ito change places."""
WHERE_COLOURS_ARE = ("color", "fill", "stroke", "range", "value")

FONT = "Source Sans 3"
# Quoted: a bare name that ends in a digit is no CSS identifier, and the text would be dropped
FAMILY = f"'{FONT}', 'Source Sans Pro', system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def coloured(spec: dict[str, Any], *, dark: bool) -> dict[str, Any]:
    """``spec`` with the colours of its marks as they can be seen on the page's ground. Values from the data are left alone."""
    return {key: _seen(key, value) for key, value in spec.items()} if dark else spec


def _seen(key: str, value: Any) -> Any:
    if key in ("data", "datasets", "domain"):
        return value
    if isinstance(value, dict):
        return {name: _seen(name, inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_seen(key, inner) for inner in value]
    return IN_THE_DARK.get(value, value) if key in WHERE_COLOURS_ARE and isinstance(value, str) else value


def theme(*, dark: bool, family: str = FAMILY) -> dict[str, Any]:
    """Vega-Lite config. The background stays empty: page and paper bring their own."""
    ink, quiet, line = ("#e8eaed", "#b9bec6", "#4a4f57") if dark else ("#1f2933", "#52606d", "#e1e5ea")
    text = {"font": family, "color": ink}
    return {
        "background": None,
        "font": family,
        "padding": 4,
        "view": {"stroke": None},
        "axis": {
            "labelFont": family, "labelFontSize": 12, "labelColor": ink, "titleFont": family, "titleFontSize": 12, "titleFontWeight": "normal",
            "titleColor": quiet, "titlePadding": 8, "grid": True, "gridColor": line, "gridOpacity": 1, "domainColor": quiet, "tickColor": quiet, "labelLimit": 300,
        },
        "axisY": {"grid": False},
        "legend": {"labelFont": family, "labelFontSize": 12, "labelColor": ink, "titleFont": family, "titleFontSize": 12, "titleFontWeight": "normal", "titleColor": quiet},
        "header": {"labelFont": family, "labelFontSize": 12, "labelColor": ink, "titleFont": family, "titleColor": quiet},
        "text": text,
        "title": {"font": family, "color": ink},
    }
