"""Pictures as SVG: light, and exact in what they say."""

from __future__ import annotations

import re

import pytest

from auditapp.report.draw import draw_svg

SPEC = {
    "$schema": "https://vega.github.io/schema/vega-lite/v6.json", "width": 301, "height": 97,
    "data": {"values": [{"x": i / 7, "name": f"{i / 7:.9f}"} for i in range(12)]},
    "mark": "point", "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "name", "type": "nominal", "sort": None}}}


@pytest.mark.slow
def test_places_are_in_hundredths_and_words_stay_as_they_are() -> None:
    svg = draw_svg(SPEC)
    places = "".join(re.findall(r' (?:d|x|y|x1|x2|y1|y2|width|height|transform)="([^"]*)"', svg))
    assert re.search(r"\.\d\d", places), "some are between"
    assert not re.search(r"\.\d{3}", places)
    assert "-0," not in places
    for one in SPEC["data"]["values"]:  # type: ignore[index]
        assert f">{one['name']}<" in svg, "a text with digits is a text"
