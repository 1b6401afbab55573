"""Rows that a person named beforehand, measured by themselves: cohorts."""

from __future__ import annotations

from typing import Literal

from automl.evidence.blocks import Measured, NotMeasured, Part, Ratio, Value
from automl.spec import RowCondition


class CohortGroup(Part):
    group: str
    n: int
    rate: Value
    """How often the group has the favourable outcome within the cohort; of predicted numbers their mean."""
    ratio: Ratio | NotMeasured


class CohortAttribute(Part):
    attribute: str
    of: str = ""
    """The favourable class, where every class is measured by itself."""
    reference: str | None
    groups: tuple[CohortGroup, ...]


class CohortErrors(Measured):
    """What is averaged is `CohortsSection.error`, as it is for slices."""

    inside: Value
    rest: Value
    """The same of all other rows."""
    difference: Value
    """``inside`` minus ``rest``."""
    p: float | None = None
    p_adjusted: float | None = None
    label: Literal["higher", "inconclusive"] = "inconclusive"
    """As of a slice."""


class Cohort(Part):
    name: str
    where: tuple[str, ...]
    """Conditions in words, all of which hold."""
    conditions: tuple[RowCondition, ...]
    found_in: str | None
    n: int
    share: float
    errors: CohortErrors | NotMeasured
    metrics: dict[str, Value]
    """As in the section on performance, of these rows alone; empty where there are none, or no labels."""
    attributes: tuple[CohortAttribute, ...]
    """The declared attributes within the cohort, no crossings; exploratory."""

    @property
    def words(self) -> str:
        """All conditions as one text."""
        return (", and " if any(" or " in condition for condition in self.where) else " and ").join(self.where)


class CohortsSection(Measured):
    measured_on: str
    rows_measured: int
    error: str
    """What is averaged: "share of wrong decisions", "mean absolute error" ...; empty where nothing can be called an error."""
    adjustment: Literal["holm"] = "holm"
    family: int
    """Tests that were corrected for: one a cohort."""
    rows: tuple[Cohort, ...]
    note: str
