"""How the output goes with one input: accumulated local effects of numbers, partial dependence of categories."""

from __future__ import annotations

from typing import Literal

from automl.evidence.blocks import Measured, Part, Value


class DependencePoint(Part):
    at: float | str
    effect: Value
    """Distance from the average output, in the unit of `ExplanationSection.output`."""
    rows_low: float
    rows_high: float
    """10th and 90th percentile of the same distance over single rows (centred individual curves)."""


class Dependence(Part):
    feature: str
    method: Literal["ale", "partial_dependence"]
    """"ale": accumulated local effects (Apley and Zhu 2020), for numbers. "partial_dependence" (Friedman 2001) for categories, which have no order."""
    rows: int
    missing: int
    """Rows drawn whose cell is missing; they are not in the curve."""
    points: tuple[DependencePoint, ...]


class DependenceSection(Measured):
    source: str
    single_rows: int
    """Rows whose own curves the band is made of."""
    features: tuple[Dependence, ...]
    """The most important inputs first."""
