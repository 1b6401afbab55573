"""Where the errors are: slices of rows found on one part of the data and measured on another (evidence rule 11)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from automl.evidence.blocks import Measured, Part, Value
from automl.spec import RowCondition


class Slice(Part):
    where: tuple[str, ...]
    """Conditions in words, all of which hold: ("age at most 27", "sex is Female")."""
    found_by: Literal["tree", "pairs"]
    n: int
    share: float
    error: Value
    rest: Value
    """The same of all other rows."""
    difference: Value
    """``error`` minus ``rest``."""
    loss: Value | None = None
    """Mean log loss where probabilities are known; None where there are none."""
    loss_rest: Value | None = None
    p: float | None = None
    p_adjusted: float | None = None
    conditions: tuple[RowCondition, ...] = Field(default=(), exclude_if=lambda conditions: not conditions)
    """``where`` as a program reads it, so that the slice can be named as a cohort of a later audit; empty in documents from before cohorts."""
    label: Literal["higher", "inconclusive"]
    """"higher": the error is above that of the other rows, and the adjusted p below 0.05, with no fewer than 30 rows on either side."""

    @property
    def words(self) -> str:
        """All conditions as one text."""
        return (", and " if any(" or " in condition for condition in self.where) else " and ").join(self.where)

    @property
    def both(self) -> tuple[Value, Value]:
        return self.error, self.rest


class SlicesSection(Measured):
    discovered_on: str
    confirmed_on: str
    rows_discovered: int
    rows_confirmed: int
    error: str
    """What is averaged: "share of wrong decisions", "mean absolute error" ..."""
    columns: tuple[str, ...]
    """What may define a slice."""
    tried: int
    """Slices that were looked at where they were discovered; those of ``rows`` were frozen there, in this order."""
    smallest: int
    """Rows that a slice needed there."""
    adjustment: Literal["holm"] = "holm"
    family: int
    """Tests that were corrected for."""
    overall: Value
    rows: tuple[Slice, ...]
    note: str
