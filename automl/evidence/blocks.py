"""The building blocks that every section is made of: an estimate with its interval, a ratio with its label, a test, a finding, and the absence of all of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """Base of every piece of evidence: frozen, closed, and without NaN or infinity (they have no JSON)."""

    # Built at first use, under pydantic's own lock (from 2.14 on): most processes read no document, and all of them wait for their imports
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, ser_json_inf_nan="constants", defer_build=True)


class Measured(Part):
    status: Literal["measured"] = "measured"


class NotMeasured(Part):
    """Stands wherever a section or a value could not be measured; every face prints the reason."""

    status: Literal["not_measured"] = "not_measured"
    reason: Annotated[str, Field(min_length=1)]


class Estimate(Part):
    """A rate, a metric or a signed difference, never bare. ``n`` is the number of rows (or clusters) behind it, ``k`` the numerator of a rate."""

    value: float
    low: float
    high: float
    level: float = 0.95
    method: str
    n: int
    k: int | None = None
    low_precision: bool = False


Value = Estimate | NotMeasured
RatioLabel = Literal["below", "not_below", "inconclusive", "not_computable", "reference"]


class Ratio(Part):
    """An impact ratio p_g / p_ref from counts. ``low``/``high`` are the marginal interval for reading; ``label`` follows evidence rule 7, by the limits that `FairnessSection.label_rule` names."""

    value: float
    low: float
    high: float
    level: float = 0.95
    method: str
    k: int
    n: int
    k_ref: int
    n_ref: int
    below_limit_exact: bool
    label: RatioLabel
    label_level: float | None = None
    """One-sided level at which the label was decided; None for the reference and where nothing is computable."""
    label_contrast: str = ""
    """The group whose comparison decided the label."""
    label_low: float | None = None
    """The least lower limit over the label's comparisons: at or above the stated limit where the label is "not_below"."""
    label_high: float | None = None
    """The upper limit of the comparison that decided: below the stated limit where the label is "below"."""
    label_reason: str = ""
    """Why the label is not what the printed interval alone would suggest; empty where it is."""


class Test(Part):
    """A significance test; ``adjustment`` names the correction ("holm") and ``family`` what it was made over."""

    __test__ = False

    name: str
    statistic: float | None = None
    p: float
    p_adjusted: float | None = None
    adjustment: str | None = None
    family: str | None = None
    contrast: str


Severity = Literal["high", "medium", "low", "info"]


class Finding(Part):
    """One sentence of page one, made from numbers by a written rule. ``evidence`` is a JSON pointer into the document."""

    id: str
    severity: Severity
    text: str
    evidence: str
    suggestion: str = ""
    rule: str
    under: str = Field(default="", exclude_if=lambda lead: not lead)
    """The id of a finding on the same matter, as grave or graver, that stands before it; empty for the first of each matter."""
