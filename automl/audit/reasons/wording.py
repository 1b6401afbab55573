"""In whose words a reason is stated: a person's, where they are true of the value at hand; otherwise the input's name, and no text is made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.audit.outcomes import BoolArray, FloatArray, IntArray
from automl.audit.reasons.factors import Factor
from automl.audit.reasons.principal import NOTHING
from automl.evidence import StatedReason, Wording

NOT_GIVEN = "not given"
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, eq=False)
class Worded:
    """How each factor would be worded for each row. ``kinds``: input to "number", "category", "date" or "text"."""

    frame: pd.DataFrame
    factors: tuple[Factor, ...]
    kinds: Mapping[str, str]
    wording: NDArray[np.object_]
    """(n, factors) of `Wording`."""
    missing: BoolArray
    """(n, factors) whether no input of the factor was given."""

    @classmethod
    def of(cls, frame: pd.DataFrame, factors: Sequence[Factor], kinds: Mapping[str, str], at_the_cut: pd.DataFrame) -> Worded:
        """``frame`` and ``at_the_cut`` (m1, whose mean a direction is told from) hold the model's inputs in its order."""
        absent = frame.isna().to_numpy()
        missing = np.column_stack([absent[:, list(factor.inputs)].all(axis=1) for factor in factors]) if factors else np.zeros((len(frame), 0), dtype=np.bool_)
        wording = np.empty((len(frame), len(factors)), dtype=object)
        for at, factor in enumerate(factors):
            wording[:, at] = _wording(frame, factor, missing[:, at], at_the_cut)
        return cls(frame, tuple(factors), kinds, wording, missing)

    def list_of(self, row: int, chosen: IntArray, phi: FloatArray) -> tuple[StatedReason, ...]:
        """The reasons ``chosen`` (most,) of ``row``, whose contributions are ``phi`` (factors,)."""
        return tuple(self._stated(row, int(at), float(phi[at])) for at in chosen if at != NOTHING)

    def _stated(self, row: int, at: int, contribution: float) -> StatedReason:
        factor, wording = self.factors[at], self.wording[row, at]
        line = factor.line
        has_text = wording in ("approved", "draft")
        text = None if not has_text else line.when_missing if self.missing[row, at] else line.text
        return StatedReason(reason=factor.name, code=line.code if has_text else None, text=text, wording=wording, value=self.value(row, factor), contribution=contribution)

    def value(self, row: int, factor: Factor) -> str:
        """The person's own value; of a group each member with its name."""
        names = [str(self.frame.columns[at]) for at in factor.inputs]
        values = [value_text(self.frame.iloc[row, at], self.kinds.get(name, "category")) for at, name in zip(factor.inputs, names, strict=True)]
        return values[0] if len(values) == 1 else "; ".join(f"{name}: {value}" for name, value in zip(names, values, strict=True))


def _wording(frame: pd.DataFrame, factor: Factor, missing: BoolArray, at_the_cut: pd.DataFrame) -> NDArray[np.object_]:
    line = factor.line
    told: Wording = "approved" if line.approved_by else "draft"
    found: NDArray[np.object_] = np.full(len(frame), told if line.text is not None else "no_line", dtype=object)
    if line.text is not None and line.direction != "any" and len(factor.inputs) == 1:
        values = frame.iloc[:, factor.inputs[0]].to_numpy(dtype=np.float64)
        usual = at_the_cut.iloc[:, factor.inputs[0]].mean()
        found[~(values > usual if line.direction == "higher" else values < usual)] = "other_direction"
    found[missing] = told if line.when_missing is not None else "not_given" if line.text is not None else "no_line"
    return found


def value_text(value: Any, kind: str) -> str:
    """A cell for a reader. Of a free text no word is shown; a date is one again."""
    if value is None or pd.isna(value):
        return NOT_GIVEN
    if kind == "text":
        return f"text of {len(str(value).split())} words"
    if isinstance(value, str):
        return value
    if kind == "date":
        try:
            day = _EPOCH + timedelta(days=float(value))
        except OverflowError:
            return f"{float(value):.10g} days since 1970"
        return day.isoformat()
    return f"{float(value):.10g}"
