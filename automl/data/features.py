"""Which columns a model learns from, of which kind, and the one way from a table to the frame that every model sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self

import pandas as pd

from automl.data.number_formats import PLAIN, NumberFormat
from automl.data.tables import Positions, Table

Kind = Literal["number", "category", "date", "text"]


@dataclass(frozen=True)
class Feature:
    """One column to learn from; ``date_format`` is set for dates only ("ISO8601" or a strptime format), ``number_format`` counts for numbers only."""

    name: str
    kind: Kind
    date_format: str | None = None
    number_format: NumberFormat = PLAIN


@dataclass(frozen=True)
class FeatureSchema:
    """The features in the order of the training table. Kept with the model, so that predicting reads a table as training did."""

    features: tuple[Feature, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(feature.name for feature in self.features)

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns of free text."""
        return tuple(feature.name for feature in self.features if feature.kind == "text")

    @property
    def kinds(self) -> dict[str, Kind]:
        return {feature.name: feature.kind for feature in self.features}

    def frame(self, table: Table, rows: Positions | None = None) -> pd.DataFrame:
        """The features of ``rows`` (positions; default all) as a frame with a fresh index 0..n-1.

        number: float64, NaN where missing or infinite. date: days since 1970-01-01 as float64. category and text: str as written, NaN
        where missing. Raises BadInput when a column is absent, or naming the row that does not fit its kind.
        """
        table.check_has(self.names)
        columns = [_column(table, feature, rows) for feature in self.features]
        return pd.concat(columns, axis=1) if columns else pd.DataFrame(index=range(table.rows if rows is None else len(rows)))

    def infinite(self, table: Table) -> dict[str, int]:
        """How many infinite values of each number feature count as missing in ``table`` (only those that have any)."""
        return {name: table.facts[name].infinite for name, kind in self.kinds.items() if kind == "number" and table.facts[name].infinite}

    def as_json(self) -> list[dict[str, Any]]:
        return [{"name": feature.name, "kind": feature.kind, "date_format": feature.date_format, "number_format": feature.number_format.as_json()} for feature in self.features]

    @classmethod
    def from_json(cls, document: list[dict[str, Any]]) -> Self:
        return cls(tuple(Feature(each["name"], each["kind"], each.get("date_format"), NumberFormat.from_json(each.get("number_format"))) for each in document))


def _column(table: Table, feature: Feature, rows: Positions | None) -> pd.Series:
    if feature.kind == "number":
        return table.numbers(feature.name, rows, feature.number_format)
    if feature.kind == "date":
        return table.dates(feature.name, feature.date_format or "ISO8601", rows)
    return table.text(feature.name, rows)
