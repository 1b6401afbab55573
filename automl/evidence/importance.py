"""How far the order of the inputs can be relied on: other backgrounds and seeds, a second way to measure it, and inputs that go together."""

from __future__ import annotations

from typing import Literal

from automl.evidence.blocks import Measured, Part, Value


class Spread(Part):
    """A number over all pairs of draws. A description and no interval: pairs share their draws."""

    mean: float
    lowest: float
    highest: float
    pairs: int


class RankRange(Part):
    feature: str
    best: int
    worst: int


class DrawStability(Part):
    varied: Literal["background", "seed"]
    """"background": the same rows against other training rows. "seed": other rows, other background and another seed of a sampling explainer."""
    draws: int
    rows: int
    background: int
    kendall_tau: Spread
    """Of the two orders by mean |SHAP|: 1 the same, 0 unrelated, -1 reversed."""
    top_jaccard: Spread
    """Inputs that both count among their `RankStability.top` first, over those that either does."""
    ranks: tuple[RankRange, ...]


class RankStability(Measured):
    top: int
    over: tuple[DrawStability, ...]


class PermutedInput(Part):
    feature: str
    increase: Value
    """Mean loss with this input shuffled among the rows minus mean loss as it is."""
    rank: int


class PermutationImportance(Measured):
    """The cross-check of mean |SHAP|: what the model loses on the audit part where an input no longer belongs to its row."""

    loss: str
    rows: int
    repeats: int
    mean_loss: Value
    features: tuple[PermutedInput, ...]
    """The largest increase first."""
    kendall_tau: float | None
    """Of this order with that by mean |SHAP|; None where there is no order."""


class RelatedGroup(Part):
    features: tuple[str, ...]
    weakest: float
    """The smallest association between two of them."""
    mean_abs_shap: Value
    """Mean absolute sum of their attributions: what they move together."""
    rank: int
    """Its place where the group counts as one input."""


class RelatedInputs(Measured):
    """Inputs that go together, between which attributions are shared out and shuffling one alone says little."""

    measure: str
    limit: float
    """Average association within a group at which it is one."""
    rows: int
    compared: int
    groups: tuple[RelatedGroup, ...]
