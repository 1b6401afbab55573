"""How far the output depends on two inputs together, beyond what each does alone."""

from __future__ import annotations

from automl.evidence.blocks import Measured, Part, Value


class Interaction(Part):
    first: str
    second: str
    size: Value
    """Root mean square, over rows, of what the two do together and neither does alone; in the unit of `ExplanationSection.output`."""
    share: Value
    """Friedman and Popescu's H squared: the same square over that of the joint partial dependence; 0 where the two only add up."""


class InteractionsSection(Measured):
    source: str
    note: str
    rows: int
    compared: int
    """Inputs of which every pair was measured, the most important ones."""
    pairs: tuple[Interaction, ...]
    """The largest first."""
