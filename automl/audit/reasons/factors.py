"""What may be a reason: the model's inputs, related ones as one where the person grouped them, without those that no reason may be made of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from automl.audit.outcomes import BoolArray, FloatArray
from automl.spec import ReasonLine, ReasonPolicy

NO_LINE = ReasonLine()
SENSITIVE = "a sensitive attribute"
BY_TABLE = {"prohibited": "prohibited by the reason table", "immutable": "immutable by the reason table"}


@dataclass(frozen=True)
class Factor:
    """One possible reason. ``inputs``: positions among the model's inputs; ``excluded``: the rule that keeps it from being stated, or None."""

    name: str
    inputs: tuple[int, ...]
    line: ReasonLine = NO_LINE
    has_line: bool = False
    excluded: str | None = None


def factors_of(inputs: Sequence[str], policy: ReasonPolicy, sensitive: Collection[str]) -> tuple[Factor, ...]:
    """Every input in exactly one factor, in the order of the inputs. An excluded member of a group stands by itself, and the rest of the group without it."""
    group_of = {member: name for name, members in policy.groups.items() for member in members}
    made: dict[tuple[str, bool], Factor] = {}
    for at, name in enumerate(inputs):
        excluded = _excluded(name, policy, sensitive)
        group = group_of.get(name) if excluded is None else None
        named = name if group is None else group
        before = made.get((named, group is not None))
        line = policy.table.get(named)
        made[named, group is not None] = Factor(
            named, (at,) if before is None else (*before.inputs, at), NO_LINE if line is None else line, line is not None,
            excluded or (BY_TABLE[line.excluded] if line is not None and line.excluded else None))
    return tuple(made.values())


def _excluded(name: str, policy: ReasonPolicy, sensitive: Collection[str]) -> str | None:
    line = policy.table.get(name)
    if name in sensitive:
        return SENSITIVE
    return BY_TABLE[line.excluded] if line is not None and line.excluded is not None else None


def contributions(phi: FloatArray, factors: Sequence[Factor]) -> FloatArray:
    """(n, factors): attributions of the inputs (n, inputs) added up factor by factor; Shapley values are additive over the inputs."""
    return np.column_stack([phi[:, list(factor.inputs)].sum(axis=1) for factor in factors]) if factors else np.zeros((len(phi), 0))


def may_be_stated(factors: Sequence[Factor]) -> BoolArray:
    """(factors,) whether no rule excludes it."""
    return np.array([factor.excluded is None for factor in factors], dtype=np.bool_)
