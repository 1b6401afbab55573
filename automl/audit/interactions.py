"""What two inputs do together and neither does alone, for the most important ones: the interaction behind Friedman's H statistic (Friedman and Popescu 2008, "Predictive learning via rule
ensembles", section 8.1), in the unit of the output and not as a share (Inglis, Parnell and Hurley 2022, "Visualizing variable importance and variable interaction effects in machine learning models").

H squares a mean over background rows, whose own chance makes every square too large: a pair that only adds up would have an interaction wherever a third input acts with both. Here the square
is a product of two different background rows, averaged over all pairs of them, which is right on average; its cube root is jackknifed by person. So a size, and its lower limit, may be 0.
On 100 rows the intervals held the size in 88 to 93 of 100 draws where it was known (normal inputs and their products, a flag of 3 %).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student

from automl.audit.dependence import RawModel
from automl.audit.explain import Explained, ExplainedRows
from automl.audit.intervals import LEVEL, LOW_PRECISION_BELOW
from automl.audit.outcomes import FloatArray, IntArray
from automl.audit.resampling import generator
from automl.evidence import Estimate, Interaction, InteractionsSection, NotMeasured, Value

FEATURES = 6
ROWS = 100
NOTHING = 1e-6
"""Of the output's spread: what arithmetic in single precision leaves where two inputs only add up."""
FEWEST_UNITS = 5
"""Persons (or rows) below which leaving out one of them tells nothing of a variance."""
ADD_UP = NotMeasured(reason="on the rows drawn the two only add up")
NOTE = ("What two inputs do together beyond what each does alone, as a root mean square over the rows, in the unit of the output as mean |SHAP| is. Each interval is of its own pair; the largest of several is larger "
        "than it would be alone, and on so few rows they hold a little less often than 95 %. Rows are combined that may hardly occur.")


def measure_interactions(
    model: RawModel, training_rows: ExplainedRows, explained: Explained, names: Sequence[str], *, seed: int, texts: Collection[str] = (), rows: int = ROWS,
) -> InteractionsSection | NotMeasured:
    """Every pair of the first `FEATURES` of ``names`` (most important first) that vary and are no free text, on ``rows`` training rows."""
    weight = training_rows.weight
    among = np.arange(len(training_rows.features)) if weight is None else np.flatnonzero(weight > 0)
    drawn = np.sort(generator(seed, "interaction rows").choice(among, size=min(rows, len(among)), replace=False))
    frame = training_rows.features[explained.names].iloc[drawn].reset_index(drop=True)
    vary = [name for name in names if name not in texts and frame[name].nunique(dropna=False) > 1][:FEATURES]
    if len(vary) < 2:
        return NotMeasured(reason="fewer than two inputs vary among the training rows drawn")
    unit = np.arange(len(frame)) if training_rows.cluster is None else np.unique(training_rows.cluster[drawn], return_inverse=True)[1]
    room = _Room(lambda given: explained.of_output(model.raw(given)), frame, np.ones(len(frame)) if weight is None else weight[drawn], unit)
    pairs = sorted(room.pairs(vary), key=lambda one: one.size.value if isinstance(one.size, Estimate) else -1.0, reverse=True)
    return InteractionsSection(
        source=f"{len(frame):,} training rows drawn at random (seed {seed})", note=NOTE, rows=len(frame), compared=tuple(vary),
        passed_over=tuple(name for name in names[:names.index(vary[-1])] if name not in vary), pairs=tuple(pairs))


class _Room:
    """The rows, and the model's output for any of them with some cells changed."""

    def __init__(self, raw: Callable[[pd.DataFrame], FloatArray], frame: pd.DataFrame, weight: FloatArray, unit: IntArray) -> None:
        self.raw, self.frame, self.weight, self.unit = raw, frame, weight, unit

    def pairs(self, names: Sequence[str]) -> Iterator[Interaction]:
        alone = {name: self._surface([name]) for name in names}
        for first, second in combinations(names, 2):
            joint = self._surface([first, second])
            beyond = joint - alone[first] - alone[second]
            yield Interaction(first=first, second=second, size=self._size(beyond, NOTHING * float(np.ptp(joint))))

    def _surface(self, names: Sequence[str]) -> FloatArray:
        """(n, n): the output of each row (columns) with the values that each row (lines) has of ``names``; asked once for values that rows share."""
        code, found = pd.factorize(pd.MultiIndex.from_frame(self.frame[list(names)].apply(lambda column: pd.factorize(column, use_na_sentinel=False)[0])))
        own = [int(np.flatnonzero(code == at)[0]) for at in range(len(found))]
        n = len(self.frame)
        many = self.frame.iloc[np.tile(np.arange(n), len(own))].reset_index(drop=True)
        for name in names:
            many[name] = self.frame[name].iloc[np.repeat(own, n)].reset_index(drop=True)
        return np.asarray(self.raw(many), dtype=np.float64).reshape(len(own), n)[code]

    def _size(self, beyond: FloatArray, nothing: float) -> Value:
        if np.abs(_centred(beyond, self.weight)).max() <= nothing:
            return ADD_UP
        units = int(self.unit.max()) + 1
        if units < FEWEST_UNITS:
            return NotMeasured(reason=f"fewer than {FEWEST_UNITS} independent rows were drawn")
        square = _mean_square(beyond, self.weight, self.unit)
        without = np.array([_mean_square(beyond[np.ix_(kept, kept)], self.weight[kept], self.unit[kept]) for kept in (self.unit != left_out for left_out in range(units))])
        root = np.cbrt(without)  # squares lean to the right; their cube roots hardly do
        error = float(np.sqrt((units - 1) / units * ((root - root.mean()) ** 2).sum()) * student.isf((1 - LEVEL) / 2, units - 1))
        value, low, high = (float(max(0.0, each) ** 1.5) for each in (np.cbrt(square), np.cbrt(square) - error, np.cbrt(square) + error))
        return Estimate(value=value, low=low, high=high, method="jackknife of the cube root of the mean square", n=len(self.frame), low_precision=units < LOW_PRECISION_BELOW)


def _centred(beyond: FloatArray, weight: FloatArray) -> NDArray[np.float64]:
    return np.asarray(beyond - np.average(beyond, axis=0, weights=weight))


def _mean_square(beyond: FloatArray, weight: FloatArray, unit: IntArray) -> float:
    """The mean over rows of (mean over background rows of ``beyond``, centred) squared, as the product of background rows of two different persons."""
    centred, share = _centred(beyond, weight), weight / weight.sum()
    by_unit = np.zeros((len(weight), int(unit.max()) + 1))
    np.add.at(by_unit.T, unit, (centred * share).T)
    shares = np.bincount(unit, weights=share, minlength=by_unit.shape[1])
    products = by_unit.sum(axis=1) ** 2 - (by_unit**2).sum(axis=1)
    return float(share @ products / (1 - (shares**2).sum()))
