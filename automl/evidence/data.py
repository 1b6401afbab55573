"""What was known of the table: the profile that the upload form shows, and the data section of the evidence."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from automl.evidence.blocks import Finding, Measured, NotMeasured, Part, Test, Value
from automl.spec import Role, TaskKind

ColumnType = Literal["integer", "number", "boolean", "category", "text", "date", "id", "constant", "empty"]


class Bar(Part):
    """One bar of a column's small picture: a level or a bin, and how many rows it holds."""

    label: str
    n: int


class ProposedRole(Part):
    role: Role
    reason: str
    """One sentence a person can agree or disagree with: "its name contains 'sex' and it has 2 values"."""


class ColumnProfile(Part):
    name: str
    position: int
    type: ColumnType
    missing: int
    distinct: int
    examples: tuple[str, ...] = ()
    low: float | str | None = None
    high: float | str | None = None
    mean: float | None = None
    histogram: tuple[Bar, ...] = ()
    proposal: ProposedRole
    suspected_leak: str | None = None
    """Why the column looks like the target in disguise (needs a target); the person answers before going on."""
    default_bins: tuple[float, ...] = ()
    """Quartile edges, for a numeric column that may be chosen as sensitive attribute."""
    could_be_target: TaskKind | None = None


class TableReading(Part):
    """How the bytes were read: what was detected, and can be overridden by `TableOptions`."""

    format: Literal["csv", "parquet", "xlsx"]
    compression: Literal["gzip"] | None = None
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    sheet: str | None = None
    sheets: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class DatasetProfile(Part):
    """Everything the form needs to know of a table without reading it. Made in the child, stored as JSON."""

    sha256: str
    bytes: int
    rows: int
    reading: TableReading
    columns: tuple[ColumnProfile, ...]
    preview: tuple[tuple[str, ...], ...] = ()
    quality: tuple[Finding, ...] = ()
    proposed_target: str | None = None


class Column(Part):
    name: str
    role: Role
    type: ColumnType
    missing: int
    distinct: int
    used_as_feature: bool
    note: str = ""


class TargetInfo(Part):
    name: str
    task: TaskKind
    inferred: bool
    labels: tuple[str, ...] = ()
    """Classes in the order of the model; the positive one last for binary."""
    positive: str | None = None
    favourable: tuple[str, ...] = ()
    base_rates: dict[str, Value] = Field(default_factory=dict)
    """Share of each class over all rows with a target (classification)."""
    mean: Value | None = None


class SplitInfo(Part):
    method: str
    """"stratified", "grouped", "time", "own table" or "none" (predictions made elsewhere)."""
    seed: int
    train: int
    audit: int
    detail: str = ""


class LeftOut(Part):
    reason: str
    n: int


class MissingByGroup(Part):
    """How often an input is unknown in one group of a declared attribute."""

    column: str
    attribute: str
    group: str
    n: int
    missing: int
    share: Value


class RepresentedGroup(Part):
    """How many of the rows are of a group, and how often their recorded outcome is the favourable one."""

    group: str
    n: int
    share: Value
    """Of the rows whose group is known."""
    base_rate: Value
    """Share with the favourable outcome recorded; of a predicted number, the mean of the recorded one."""
    population_share: float | None = Field(default=None, exclude_if=lambda share: share is None)
    """What the population that a person named has, of 1."""
    to_population: Value | None = Field(default=None, exclude_if=lambda ratio: ratio is None)
    """The share divided by the population's, which is taken as known; of the rows in the groups that the population has."""


class Representation(Part):
    """Who is in the table, training and audit rows together, by a declared attribute."""

    attribute: str
    unknown: int
    groups: tuple[RepresentedGroup, ...]
    test: Test | NotMeasured | None = Field(default=None, exclude_if=lambda test: test is None)
    """Chi-squared of the groups against the population's shares; None where none is named."""


class DataSection(Measured):
    sha256: str
    rows: int
    reading: TableReading
    columns: tuple[Column, ...]
    quality: tuple[Finding, ...] = ()
    target: TargetInfo | None
    split: SplitInfo
    unknown: dict[str, int] = Field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()
    missing_by_group: tuple[MissingByGroup, ...] = ()
    """Of the inputs with the most missing cells, over training and audit rows; none for predictions made elsewhere, whose inputs are not known."""
    representation: tuple[Representation, ...] = ()
    """Of each declared attribute; the population that the shares are compared with is in the spec."""
