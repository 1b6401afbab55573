"""Decisions about two or three groups that differ in base rate and in how well they are ranked."""

from __future__ import annotations

from typing import Any

import numpy as np

from automl.learn.mitigation.decisions import Decisions


def people(n: int = 1_200, seed: int = 0, cut: float = 0.5, weighted: bool = False, **changes: Any) -> Decisions:
    """Groups a, b and c (base rates .6, .35 and .3), five of a tiny group and five unknown; calibrated scores."""
    draw = np.random.default_rng(seed)
    group = draw.choice(np.array(["a", "b", "c"], dtype=object), n, p=[0.5, 0.35, 0.15])
    sharpness = np.select([group == "a", group == "b"], [1.6, 1.0], 0.7)
    raw = sharpness * draw.normal(size=n) + np.select([group == "a", group == "b"], [0.5, -0.8], -1.0)
    score = 1 / (1 + np.exp(-raw))
    group[:5], group[5:10] = "tiny", None
    fields: dict[str, Any] = {
        "score": score, "selected": score >= cut, "deserving": draw.random(n) < score, "groups": {"group": group},
        "weight": draw.uniform(0.5, 3, n) if weighted else None}
    return Decisions(**(fields | changes))
