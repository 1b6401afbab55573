"""The accuracy-fairness front of a search with two objectives: which trials no other one beats in both, and what each does to each group out of fold."""

from __future__ import annotations

from typing import Literal

from automl.evidence.blocks import Measured, Part, Value
from automl.evidence.performance import Threshold
from automl.spec import FairnessMetric


def is_none(value: object) -> bool:
    """Whether a field is left out of the document: what a run did not ask for leaves no trace in it."""
    return value is None


class FrontGroup(Part):
    """One group's out-of-fold decisions. Selected means the favourable outcome, the rates of errors are those of it."""

    group: str
    n: int
    compared: bool
    """False where too few people stand behind its rates for the objective; it is listed all the same."""
    selection_rate: Value
    tpr: Value
    fpr: Value


class FrontGap(Part):
    """The two groups that are furthest apart in one rate. ``difference`` is of ``high`` minus ``low``, or of the ratio metric their ratio, low over high;
    its interval holds for all pairs of compared groups and all rates of the objective at once, since which two they are was seen in the same rows."""

    rate: Literal["selection_rate", "tpr", "fpr"]
    high: str
    low: str
    difference: Value


class FrontAttribute(Part):
    attribute: str
    value: float | None
    """The objective's metric for this attribute; None where it is not defined."""
    gaps: tuple[FrontGap, ...]
    groups: tuple[FrontGroup, ...]
    unknown: int


class FrontModel(Part):
    """A model with both of its objectives, out of fold. ``trial`` is None for an ensemble of several."""

    trial: int | None
    family: str
    reweighing: float | None
    """How strongly its rows were reweighed, 0 to 1; None for an ensemble."""
    score: Value
    fairness: float | None
    """The largest (of a ratio the smallest) value among the attributes: a description of these rows, with its inference in the gaps."""
    threshold: Threshold | None
    attributes: tuple[FrontAttribute, ...]
    deployed: bool
    folder: str | None = None
    """Where the bundle keeps this model; None where it does not."""
    model_sha256: str | None = None
    note: str = ""


class Front(Measured):
    """Everything is measured on the out-of-fold predictions of the ``n`` training rows, whose groups are compared where they are large enough."""

    metric: FairnessMetric
    direction: Literal["maximize", "minimize"]
    attributes: tuple[str, ...]
    not_compared: tuple[str, ...]
    """Attributes that were asked for and have no two groups that are large enough."""
    smallest_group: int
    n: int
    trials: int
    """Complete trials, each with both objectives."""
    on_front: tuple[int, ...]
    """The numbers of those on the front, the best score first."""
    models: tuple[FrontModel, ...]
    """Those of the front that are described, at even distances along it where it is long."""
    deployed: FrontModel
    note: str

    @property
    def listed(self) -> tuple[FrontModel, ...]:
        """The models of the front and, where it is none of them, the one that is deployed."""
        return self.models if any(one.deployed for one in self.models) else (*self.models, self.deployed)
