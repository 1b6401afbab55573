"""The contract that every model family keeps, and the list of them. One file a family; its defaults and search space stand at its top.

A family fits one model on one fold. Raw scores are what everything is added in: log-odds (n,) for two classes, logits (n, k) centred over the
classes for more, the predicted value (n,) for regression (its logarithm where the search made ``Fold.train_y`` of logarithms). A fold model takes the frame of `automl.data.features.FeatureSchema`, carries the
encoders it needs, and is made of numbers and text only (`files`), never of pickles. `tests/automl/learn/test_families.py` is this contract as a test.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from automl.data.encoding import is_number
from automl.data.texts import TextEncoder, fit_texts, in_numbers, numbers_of
from automl.spec import Metric, TaskKind

if TYPE_CHECKING:
    import optuna
    import pandas as pd

Array = NDArray[np.float64]
Vector = NDArray[Any]
Params = dict[str, Any]
Files = dict[str, bytes]

FAMILIES: tuple[str, ...] = ("linear", "lgbm", "torch", "trees")
LARGE_ROWS = 100_000
"""Training rows above which a table is large."""
_MODULES = {"linear": "linear", "lgbm": "lgbm", "torch": "torch_mlp", "trees": "forest"}


@dataclass(frozen=True)
class TableShape:
    """What of a table a family's first settings, and the space it draws others from, may depend on."""

    large: bool = False
    """It has more than `LARGE_ROWS`."""
    categories: bool = True
    """It has a column of more than two levels that are no numbers: there is more than one way to encode it."""

    @classmethod
    def of(cls, frame: pd.DataFrame, texts: Collection[str] = ()) -> TableShape:
        """Of the training rows; ``texts`` are its columns of free text."""
        return cls(len(frame) > LARGE_ROWS, any(name not in texts and not is_number(frame[name]) and frame[name].nunique() > 2 for name in frame.columns))


USUAL = TableShape()


@dataclass(frozen=True)
class Fold:
    """What one fold is fitted on. ``y`` is the class index or the number; ``weight`` None or non-negative."""

    task: TaskKind
    classes: int
    """Number of classes; 0 for regression."""
    train: pd.DataFrame
    train_y: Vector
    train_weight: Vector | None
    valid: pd.DataFrame
    valid_y: Vector
    valid_weight: Vector | None
    seed: int
    metric: Metric | None = None
    """What the search is steered by: absolute errors are learned where it is "mae", the pinball loss where it is "quantile_loss"."""
    quantile: float | None = None
    """The level of that pinball loss."""
    dates: tuple[str, ...] = ()
    """The columns that are dates, as days since 1970-01-01."""
    texts: tuple[str, ...] = ()
    """The columns of free text."""
    cache: dict[str, Any] = field(default_factory=dict)
    """What a family made of this fold and may use again in its next trial (encoded matrices). The next one may come with other ``train_weight``."""


class InNumbers(NamedTuple):
    """The rows of a fold with their free texts in numbers (`automl.data.texts.in_numbers`), and what was fitted to the texts of its training rows."""

    train: pd.DataFrame
    valid: pd.DataFrame
    texts: tuple[TextEncoder, ...]


def texts_in_numbers(fold: Fold) -> InNumbers:
    """The texts are read once per fold, for all families and trials: that takes longer than most fits. Of the other columns no copy is kept."""
    if not fold.texts:
        return InNumbers(fold.train, fold.valid, ())
    if "texts" not in fold.cache:
        fitted = fit_texts(fold.train, fold.texts, fold.seed)
        fold.cache["texts"] = fitted, numbers_of(fold.train, fitted), numbers_of(fold.valid, fitted)
    texts, train, valid = fold.cache["texts"]
    return InNumbers(in_numbers(fold.train, train), in_numbers(fold.valid, valid), texts)


@dataclass(frozen=True)
class Effort:
    """How much a fit may use: threads, and a question asked at each iteration or epoch whether it must end now, with what it has."""

    threads: int
    must_end: Callable[[], bool] = lambda: False
    left: float = math.inf
    """Seconds until it must end: what cannot be ended half learned should begin with fewer rows where that is little."""
    seconds: float = math.inf
    """A fit that foresees needing much more than this should raise CannotFit at once instead of ending half learned."""


class CannotFit(Exception):
    """This family cannot be fitted on this fold (for example: its training rows have one class). The trial fails, the search goes on."""


class Encoder(Protocol):
    @property
    def key(self) -> str:
        """Equal for encoders that make the same of every frame."""

    def transform(self, frame: pd.DataFrame) -> Array: ...


@runtime_checkable
class CodesEncoder(Encoder, Protocol):
    """An encoder that begins with the codes of another, which others of the same fold begin with as well."""

    @property
    def codes(self) -> Encoder: ...

    def of_codes(self, plain: Array) -> Array: ...


class Encoded:
    """One frame, and what encoders have made of it: fold models of the same fold have equal encoders, or equal codes at least, and encoding costs as much as predicting."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self._known: dict[str, Array] = {}

    def by(self, encoder: Encoder) -> Array:
        if encoder.key not in self._known:
            self._known[encoder.key] = encoder.of_codes(self.by(encoder.codes)) if isinstance(encoder, CodesEncoder) else encoder.transform(self.frame)
        return self._known[encoder.key]


class FoldModel(Protocol):
    @property
    def explainer(self) -> str:
        """How `attributions` computes, in words for the evidence."""

    def raw(self, frame: pd.DataFrame, threads: int = 1, encoded: Encoded | None = None) -> Array:
        """Raw scores (n,) or (n, k) of ``frame``; ``encoded`` is the same frame, shared with other models."""

    def attributions(self, frame: pd.DataFrame, background: pd.DataFrame, seed: int) -> Array:
        """Interventional Shapley values of the raw score, the players being the frame's columns: (n, columns) or (n, columns, k).

        Summed over the columns they give raw(row) - mean of raw(background).
        """

    @property
    def attribution_cost(self) -> float:
        """What the attributions of one row cost, roughly, in leaves of trees: some tens of nanoseconds each. The same on every machine, so that what is decided by it is too."""

    def files(self) -> Files:
        """Everything `Family.load` needs."""


class Family(Protocol):
    name: str

    def device(self) -> str:
        """What it learns on, in words for the evidence: "CPU", "GPU: ...", "CPU: why"."""

    def defaults(self, task: TaskKind, shape: TableShape = USUAL) -> list[Params]:
        """Good published settings, tried first, in this order."""

    def suggest(self, trial: optuna.Trial, task: TaskKind, shape: TableShape = USUAL) -> Params:
        """Settings drawn from the search space; the names of the space are the keys."""

    def fit(self, params: Params, fold: Fold, effort: Effort) -> FoldModel:
        """Fits on the fold's training rows; may stop early on its validation rows. Raises CannotFit."""

    def load(self, files: Files) -> FoldModel: ...


def family(name: str) -> Family:
    """The family of that name. Its libraries are imported only now: torch alone takes seconds."""
    module = import_module(f"automl.learn.families.{_MODULES[name]}")
    found: Family = module.FAMILY
    return found
