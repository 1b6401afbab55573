"""Charts of the example documents, each section's drawn once in a process: the documents differ in a section or two, and drawing is nearly all that a test of a face costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any
from unittest.mock import patch

from pydantic import BaseModel

from automl import charts
from automl.evidence import Chart, Charts, Evidence


def drawn(evidence: Evidence) -> Charts:
    """What `automl.charts.draw_charts` gives."""
    with patch.multiple(charts, **ONCE):
        return charts.draw_charts(evidence)


def _once(draw: Callable[..., Sequence[Chart]]) -> Callable[..., Sequence[Chart]]:
    kept: dict[str, Sequence[Chart]] = {}

    @wraps(draw)
    def kept_or_drawn(*sections: Any) -> Sequence[Chart]:
        key = "\n".join(section.model_dump_json() if isinstance(section, BaseModel) else repr(section) for section in sections)
        if key not in kept:
            kept[key] = list(draw(*sections))
        return kept[key]

    return kept_or_drawn


ONCE = {name: _once(draw) for name, draw in vars(charts).items() if name.endswith("_charts") and name != "draw_charts"}
