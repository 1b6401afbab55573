"""What wrong labels would do: a share of the audited labels is exchanged at random, and what is counted against labels is counted again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from automl.audit.group_levels import members_of
from automl.audit.intervals import LOW_PRECISION_BELOW
from automl.audit.outcomes import FloatArray, IntArray, Outcomes
from automl.audit.resampling import generator
from automl.evidence import FlippedNumber, FlipStep, LabelFlips, NotMeasured

SHARES = (0.01, 0.05, 0.1)
DRAWS = 1_000
RATES = ("true positive rate", "false positive rate")
NOTE = (
    "Labels are exchanged between the favourable outcome and the others, each with the same chance; decisions stay as they are. The range holds 95 % of the draws: it is about wrong labels, not about the "
    "draw of the rows. Labels that are wrong more often in one group than in another would move differences further. Rows count once each, whatever their weight; groups of fewer than "
    f"{LOW_PRECISION_BELOW} rows of either label are left out."
)


@dataclass(frozen=True)
class _Cells:
    """Counts [label, decision] of some rows, favourable last; of drawn labels with a first axis of draws."""

    counts: IntArray

    @property
    def rates(self) -> FloatArray:
        """(..., 2): of the deserving, and of the others, who gets the favourable outcome; NaN where there is nobody."""
        of_label = self.counts.sum(axis=-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = self.counts[..., 1] / of_label
        return np.asarray(share[..., ::-1], dtype=np.float64)

    def flipped(self, share: float, draw: np.random.Generator) -> _Cells:
        """With a binomial number of each cell's labels exchanged: what flipping rows one by one gives."""
        moved = draw.binomial(self.counts, share, size=(DRAWS, 2, 2))
        return _Cells(self.counts - moved + moved[:, ::-1])


def measure_label_flips(outcomes: Outcomes, *, seed: int) -> LabelFlips | NotMeasured:
    """Accuracy against the favourable label, and each attribute's largest differences of error rates, at each share of wrong labels."""
    selected, deserving = outcomes.selected(), outcomes.deserving()
    if outcomes.task == "regression":
        return NotMeasured(reason="a number has no other label to be exchanged for")
    if not outcomes.favourable or selected is None or deserving is None:
        return NotMeasured(reason="there are no labels, no decisions, or no outcome was named as the favourable one")
    code = 2 * deserving.astype(np.int64) + selected
    whole = _cells(code)
    attributes = {name: cells for name, of_group in members_of(outcomes.groups).items() if len(cells := [each for at in of_group.values() if _enough(each := _cells(code[at]))]) > 1}
    draw = generator(seed, "label flips")
    return LabelFlips(n=outcomes.rows, draws=DRAWS, steps=tuple(_step(whole, attributes, share, draw) for share in SHARES), note=NOTE)


def _cells(code: IntArray) -> _Cells:
    return _Cells(np.bincount(code, minlength=4).reshape(2, 2))


def _enough(cells: _Cells) -> bool:
    return bool((cells.counts.sum(axis=1) >= LOW_PRECISION_BELOW).all())


def _step(whole: _Cells, attributes: dict[str, list[_Cells]], share: float, draw: np.random.Generator) -> FlipStep:
    numbers = [_number("accuracy", "", _accuracy(whole), _accuracy(whole.flipped(share, draw)))]
    for name, groups in attributes.items():
        before = np.stack([each.rates for each in groups])
        after = np.stack([each.flipped(share, draw).rates for each in groups])
        spread, drawn = np.ptp(before, axis=0), np.ptp(after, axis=0)
        numbers += [_number(rate, name, spread[at], drawn[:, at]) for at, rate in enumerate(RATES)]
    return FlipStep(share=share, numbers=tuple(numbers))


def _accuracy(cells: _Cells) -> FloatArray:
    return np.asarray((cells.counts[..., 0, 0] + cells.counts[..., 1, 1]) / cells.counts.sum(axis=(-2, -1)), dtype=np.float64)


def _number(what: str, attribute: str, measured: FloatArray, drawn: FloatArray) -> FlippedNumber:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return FlippedNumber(what=what, attribute=attribute, measured=float(measured), mean=float(drawn.mean()), low=float(low), high=float(high))
