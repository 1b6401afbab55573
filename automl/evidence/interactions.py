"""How far the output depends on two inputs together, beyond what each does alone."""

from __future__ import annotations

from automl.evidence.blocks import Measured, Part, Value


class Interaction(Part):
    first: str
    second: str
    size: Value
    """Root mean square, over rows, of what the two do together and neither does alone; in the unit of `ExplanationSection.output`."""


class InteractionsSection(Measured):
    source: str
    note: str
    rows: int
    compared: tuple[str, ...]
    """Inputs of which every pair was measured: the most important ones that vary in the rows drawn and are no free text."""
    passed_over: tuple[str, ...]
    """Inputs as important as those compared that do not vary in the rows drawn, or are free text."""
    pairs: tuple[Interaction, ...]
    """The largest first."""
