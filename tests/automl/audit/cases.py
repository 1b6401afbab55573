"""Small outcomes that several audit tests look at from different sides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from automl.audit.outcomes import Outcomes


def from_counts(groups: dict[str, tuple[int, int]], attribute: str = "group", **changes: Any) -> Outcomes:
    """Decisions without labels: k of n selected per group."""
    names = np.repeat(np.array(list(groups), dtype=object), [n for _, n in groups.values()])
    decision = np.concatenate([np.r_[np.ones(k), np.zeros(n - k)] for k, n in groups.values()]).astype(np.int64)
    return Outcomes("binary", ("no", "yes"), "yes", ("yes",), None, None, decision, {attribute: names}, **changes)


def from_table(table: pd.DataFrame, attributes: list[str]) -> Outcomes:
    """A table with a 0/1 column ``selected``; empty cells of an attribute are unknown."""
    groups = {name: np.array([value or None for value in table[name]], dtype=object) for name in attributes}
    return Outcomes("binary", ("no", "yes"), "yes", ("yes",), None, None, table["selected"].to_numpy(dtype=np.int64), groups)


def binary(n: int = 600, seed: int = 0, **changes: Any) -> Outcomes:
    """Scores that rank well but unequally for three groups of unequal size; two more attributes, one with unknowns."""
    rng = np.random.default_rng(seed)
    group = rng.choice(np.array(["a", "b", "c"], dtype=object), n, p=[0.5, 0.35, 0.15])
    sex = rng.choice(np.array(["f", "m", None], dtype=object), n, p=[0.45, 0.45, 0.1])
    truth = (rng.random(n) < np.where(group == "a", 0.5, 0.3)).astype(np.int64)
    score = 1 / (1 + np.exp(-(2 * truth - 1 + rng.normal(0, 1, n) + 0.5 * (group == "a"))))
    fields: dict[str, Any] = {
        "task": "binary", "labels": ("bad", "good"), "positive": "good", "favourable": ("good",), "truth": truth, "score": score,
        "decision": (score >= 0.5).astype(np.int64), "groups": {"group": group, "sex": sex},
    }
    return Outcomes(**(fields | changes))


def from_cells(cells: dict[str, tuple[int, int, int, int]]) -> Outcomes:
    """Counts of true and false positives, false and true negatives by group."""
    decision, truth = (np.concatenate([np.repeat(flags, cell) for cell in cells.values()]) for flags in ([1, 1, 0, 0], [1, 0, 1, 0]))
    names = np.repeat(np.array(list(cells), dtype=object), [sum(cell) for cell in cells.values()])
    return Outcomes("binary", ("no", "yes"), "yes", ("yes",), truth.astype(np.int64), None, decision.astype(np.int64), {"g": names})


def with_a_handful(of_handful: tuple[int, int, int, int] = (6, 1, 0, 0)) -> Outcomes:
    """Two large groups; the one with the highest rate, and so the reference, has seven rows."""
    return from_cells({"large": (200, 60, 100, 140), "other": (200, 50, 40, 110), "tiny": of_handful})


def multiclass(n: int = 600, seed: int = 0, **changes: Any) -> Outcomes:
    rng = np.random.default_rng(seed)
    group = rng.choice(np.array(["a", "b"], dtype=object), n)
    truth = rng.integers(0, 3, n)
    raw = rng.normal(0, 1, (n, 3)) + 1.5 * (truth[:, None] == np.arange(3)) + 0.4 * ((group == "a")[:, None] & (np.arange(3) == 2))
    score = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    fields: dict[str, Any] = {
        "task": "multiclass", "labels": ("low", "middle", "top"), "positive": None, "favourable": ("middle", "top"), "truth": truth, "score": score,
        "decision": score.argmax(axis=1).astype(np.int64), "groups": {"group": group},
    }
    return Outcomes(**(fields | changes))


def regression(n: int = 600, seed: int = 0, shift: float = 0.0, **changes: Any) -> Outcomes:
    rng = np.random.default_rng(seed)
    group = rng.choice(np.array(["a", "b", "c"], dtype=object), n)
    truth = rng.normal(10, 2, n) + shift
    fields: dict[str, Any] = {
        "task": "regression", "labels": (), "positive": None, "favourable": (), "truth": truth, "score": truth + rng.normal(0, 1, n) - 0.8 * (group == "b"),
        "decision": None, "groups": {"group": group},
    }
    return Outcomes(**(fields | changes))
