"""How charts look: Vega-Lite configurations that are laid over a spec when it is drawn, light (also print) and dark."""

from __future__ import annotations

from typing import Any

FONT = "Source Sans 3"
# Quoted: a bare name that ends in a digit is no CSS identifier, and the text would be dropped
FAMILY = f"'{FONT}', 'Source Sans Pro', system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


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
