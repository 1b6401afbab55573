"""What two inputs do together and neither does alone, for the most important ones: Friedman's H statistic (Friedman and Popescu 2008, "Predictive learning via rule ensembles", section 8.1).

Partial dependence asks about rows that may hardly occur, as SHAP values against a background do. Pairs are ordered by the size in the unit of the output: the share alone is large for any
two inputs that do little (Inglis, Parnell and Hurley 2022, "Visualizing variable importance and variable interaction effects in machine learning models").
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.audit.dependence import RawModel
from automl.audit.explain import Explained, ExplainedRows
from automl.audit.outcomes import FloatArray, IntArray
from automl.audit.resampling import draw_counts, generator, independent_units, percentile_estimate, units_of
from automl.evidence import Estimate, Interaction, InteractionsSection, NotMeasured, Value

FEATURES = 6
ROWS = 100
NOTHING = 1e-9
"""Of the output's spread: what arithmetic leaves where two inputs only add up."""
NOTE = ("The size is what two inputs do together beyond what each does alone, as a root mean square over the rows in the unit of the output; the share is its part of the variance of what both do "
        "(Friedman's H squared). Neither can be below 0 and sampling alone lifts both a little, so a lower limit near 0 shows nothing. Rows are combined that may hardly occur.")


@dataclass(frozen=True)
class _Surface:
    """The output where every row takes the values of one input, or of two, that each distinct row has. ``code`` (n,): which of them a row has itself; ``output`` (values, n)."""

    code: IntArray
    output: FloatArray

    def centred(self, weights: FloatArray) -> FloatArray:
        """(b, n): partial dependence at each row's own values, its mean over the rows being 0, for each line of ``weights`` (b, n), which add up to 1."""
        at_rows = (weights @ self.output.T)[:, self.code]
        return np.asarray(at_rows - (weights * at_rows).sum(axis=1, keepdims=True))


def measure_interactions(
    model: RawModel, training_rows: ExplainedRows, explained: Explained, names: Sequence[str], *, seed: int, texts: Collection[str] = (), rows: int = ROWS,
) -> InteractionsSection | NotMeasured:
    """Every pair of the first `FEATURES` of ``names`` (most important first) that vary and are no free text, on ``rows`` training rows."""
    drawn = np.sort(generator(seed, "interaction rows").choice(len(training_rows.features), size=min(rows, len(training_rows.features)), replace=False))
    frame = training_rows.features[explained.names].iloc[drawn].reset_index(drop=True)
    weight, cluster = (None if values is None else values[drawn] for values in (training_rows.weight, training_rows.cluster))
    vary = [name for name in names if name not in texts and frame[name].nunique(dropna=False) > 1][:FEATURES]
    if len(vary) < 2 or len(frame) < 2:
        return NotMeasured(reason="fewer than two inputs vary among the training rows drawn")
    room = _Room(lambda given: explained.of_output(model.raw(given)), frame, np.ones(len(frame)) if weight is None else weight, cluster, seed)
    pairs = sorted(room.pairs(vary), key=lambda one: one.size.value if isinstance(one.size, Estimate) else 0.0, reverse=True)
    return InteractionsSection(source=f"{len(frame):,} training rows drawn at random (seed {seed})", note=NOTE, rows=len(frame), compared=len(vary), pairs=tuple(pairs))


class _Room:
    """The rows, the model's output for any of them with some cells changed, and the weights of the rows in each bootstrap replicate."""

    def __init__(self, raw: Callable[[pd.DataFrame], FloatArray], frame: pd.DataFrame, weight: FloatArray, cluster: NDArray[Any] | None, seed: int) -> None:
        self.raw, self.frame = raw, frame
        rng = generator(seed, "interactions")
        unit = units_of(len(frame), cluster, rng)
        self.units = independent_units(len(frame), cluster)
        drawn = np.vstack([counts[:, unit] * weight for counts in draw_counts(int(unit.max()) + 1, rng)])
        self.drawn = drawn[drawn.sum(axis=1) > 0]
        self.drawn /= self.drawn.sum(axis=1, keepdims=True)
        self.weight = (weight / weight.sum())[None, :]

    def pairs(self, names: Sequence[str]) -> Iterator[Interaction]:
        alone = {name: self._surface([name]) for name in names}
        for first, second in combinations(names, 2):
            yield self._pair(first, second, [self._surface([first, second]), alone[first], alone[second]])

    def _surface(self, names: Sequence[str]) -> _Surface:
        code, found = pd.factorize(pd.MultiIndex.from_frame(self.frame[list(names)].apply(lambda column: pd.factorize(column, use_na_sentinel=False)[0])))
        own = [int(np.flatnonzero(code == at)[0]) for at in range(len(found))]
        n = len(self.frame)
        many = self.frame.iloc[np.tile(np.arange(n), len(own))].reset_index(drop=True)
        for name in names:
            many[name] = self.frame[name].iloc[np.repeat(own, n)].reset_index(drop=True)
        return _Surface(code.astype(np.int64), self.raw(many).reshape(len(own), n))

    def _pair(self, first: str, second: str, surfaces: Sequence[_Surface]) -> Interaction:
        (size, share), (sizes, shares) = (_of_pair(weights, surfaces) for weights in (self.weight, self.drawn))
        if size[0] <= NOTHING * float(np.ptp(surfaces[0].output)):
            nothing = Estimate(value=0.0, low=0.0, high=0.0, method="the two only add up", n=len(self.frame))
            return Interaction(first=first, second=second, size=nothing, share=nothing)
        return Interaction(first=first, second=second, size=self._estimate(size[0], sizes), share=self._estimate(share[0], shares))

    def _estimate(self, value: float, replicates: FloatArray) -> Value:
        return percentile_estimate(float(value), replicates, len(self.frame), units=self.units)


def _of_pair(weights: FloatArray, surfaces: Sequence[_Surface]) -> tuple[FloatArray, FloatArray]:
    """(b,) sizes and shares for each line of ``weights`` (b, n)."""
    joint, first, second = (surface.centred(weights) for surface in surfaces)
    together = (weights * (joint - first - second) ** 2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(together), together / (weights * joint**2).sum(axis=1)
