"""Whether inputs stand in for a sensitive attribute: how well its groups can be told from them, and which inputs do it."""

from __future__ import annotations

from automl.evidence.blocks import Measured, Part, Value


class ProxyFeature(Part):
    """One input held against one attribute."""

    feature: str
    alone: Value
    """Cross-fitted AUC of telling the groups from this input alone (several groups: one against the rest, averaged); 0.5 is knowing nothing."""
    rank: int
    """Its place by mean |SHAP| in the audited model."""
    share_of_score: float
    """Its part of all mean |SHAP|, 0 to 1."""
    flagged: bool
    """Alone it tells the groups (the lower limit is at least `ProxyScan.strong`), and it is among the inputs that move the score most."""


class ProxyGroup(Part):
    group: str
    n: int
    auc: Value
    """Of telling this group from all others."""


class ProxyScan(Measured):
    """One attribute, predicted from the model's inputs on training rows, each row by a model that did not see it."""

    attribute: str
    rows: int
    folds: int
    auc: Value
    balanced_accuracy: Value
    chance: float
    """Balanced accuracy of always naming the largest group: 1 over the number of groups."""
    largest_share: float
    """Share of the largest group, which is that guess's plain accuracy."""
    strong: float
    """The AUC from which on an input alone is said to tell the groups."""
    own_column: bool
    """Whether the attribute is an input of the model itself; the scan leaves that column out."""
    groups: tuple[ProxyGroup, ...]
    features: tuple[ProxyFeature, ...]
    """The strongest first."""
    left_out_groups: tuple[str, ...] = ()
    """Groups too small to be learned."""
    left_out_features: tuple[str, ...] = ()
    """Inputs that were not scanned: free texts."""
