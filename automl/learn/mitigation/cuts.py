"""Cut-offs that bring groups nearer to each other: a group's own ones, and one for everybody.

- **Equal selection rates** (`towards_parity`): among all cut-offs whose selection rates lie within a window of the width that is asked for, those that gain most. One cut a
  group, nothing is drawn. Width 0 is demographic parity, the width of today's gap is no change.
- **Equal error rates** (`towards_equal_odds`): true and false positive rates within a width of each other. Groups' ROC curves cross nowhere useful as a rule, so that equal rates
  need decisions that are drawn between cut-offs (Hardt, Price and Srebro 2016, "Equality of opportunity in supervised learning"). Here the best mixture is the solution of a linear
  programme over the convex hulls of the curves, which also serves every width between none and today's.
- **One cut-off moved** (`common_cut`): who decides sees no group. It can raise the ratio of selection rates, at the price of more people selected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from automl.learn.mitigation.curves import Curve, curve
from automl.learn.mitigation.decisions import Aim, Array, Decisions, cells, spread, value_of

Steps = tuple[tuple[float, float], ...]
"""(cut, share): a row is selected with the sum of the shares of those cuts that its score reaches. No step: nobody."""

WINDOWS = 2_001
NARROWEST = 5e-4
"""Rates of finitely many people do not meet exactly; where no cut-offs come so near, the window is doubled until they do."""
A_PERSON = 0.02
"""At most what one person of the smallest compared groups is of their rate; where rates lie further apart, scores have few values."""
LEAST_SHARE = 1e-9
COMMON_CUTS = 201


@dataclass(frozen=True, eq=False)
class Cuts:
    """``steps`` by group of ``attribute``; a group that is not named keeps the deployed decision. Without an attribute ``everybody`` has the same."""

    attribute: str | None = None
    steps: Mapping[str, Steps] = field(default_factory=dict)
    everybody: Steps = ()

    @property
    def drawn(self) -> bool:
        """Whether some decisions are drawn by lot."""
        return any(share != 1.0 for steps in (*self.steps.values(), self.everybody) for _, share in steps)

    def given(self, decisions: Decisions) -> Array:
        """The probability (n,) with which each row is selected."""
        if self.attribute is None:
            return _chance(decisions.score, self.everybody)
        found, column = decisions.selected.astype(np.float64), decisions.groups[self.attribute]
        for group, steps in self.steps.items():
            mine = column == group
            found[mine] = _chance(decisions.score[mine], steps)
        return found


def _chance(score: Array, steps: Steps) -> Array:
    return np.clip(np.sum([share * (score >= cut) for cut, share in steps], axis=0), 0.0, 1.0) if steps else np.zeros(len(score))


def curves_of(decisions: Decisions, aim: Aim, price: float, *, expected: bool = False) -> dict[str, Curve]:
    """One a compared group."""
    return {group: curve(decisions, decisions.groups[aim.attribute] == group, price, expected=expected) for group in aim.groups}


def towards_parity(curves: Mapping[str, Curve], aim: Aim, width: float) -> Cuts:
    """The cut-offs that gain most among those whose selection rates are at most ``width`` apart."""
    # no nearer than the smallest group's rates lie: closer, often only nobody's and everybody's meet
    coarsest = max(float(np.median(np.diff(each.rate))) for each in curves.values())
    starts, width = np.linspace(0, 1, WINDOWS), max(width, NARROWEST, min(coarsest, A_PERSON))
    while True:
        best = {group: _best_within(each, starts, width) for group, each in curves.items()}
        total = np.sum([gain for gain, _ in best.values()], axis=0)
        if np.isfinite(total.max()):
            break
        width *= 2
    start = int(total.argmax())
    return Cuts(aim.attribute, {group: _alone(float(each.cuts[best[group][1][start]])) for group, each in curves.items()})


def _best_within(each: Curve, starts: Array, width: float) -> tuple[Array, NDArray[np.int64]]:
    """The largest gain at a rate in [start, start + width] (W,), minus infinity where there is none, and where on the curve it is."""
    low, high = np.searchsorted(each.rate, starts - 1e-12, side="left"), np.searchsorted(each.rate, starts + width + 1e-12, side="right")
    gains, places = np.full(len(starts), -np.inf), np.zeros(len(starts), dtype=np.int64)
    for at, (first, end) in enumerate(zip(low, high, strict=True)):
        if first < end:
            places[at] = first + int(each.gain[first:end].argmax())
            gains[at] = each.gain[places[at]]
    return gains, places


def _alone(cut: float) -> Steps:
    return ((cut, 1.0),) if np.isfinite(cut) else ()


def towards_equal_odds(curves: Mapping[str, Curve], aim: Aim, width: float, price: float) -> Cuts:
    """The mixture of cut-offs that gains most in expectation among those with true positive rates and false positive rates at most ``width`` apart."""
    hulls = {group: each.hull() for group, each in curves.items()}
    sizes = [len(hull) for hull in hulls.values()]
    ends = np.append(0, np.cumsum(sizes))
    unknowns = int(ends[-1]) + 2  # the shares, then the lowest true and the lowest false positive rate
    costs, bounds_above, most, shares_are_one = np.zeros(unknowns), [], [], np.zeros((len(hulls), unknowns))
    for at, (group, hull) in enumerate(hulls.items()):
        each, mine = curves[group], slice(ends[at], ends[at + 1])
        costs[mine] = price * each.negatives * each.fpr[hull] - (1 - price) * each.positives * each.tpr[hull]
        shares_are_one[at, mine] = 1.0
        for rate, lowest in ((each.tpr[hull], -2), (each.fpr[hull], -1)):
            row = np.zeros(unknowns)
            row[mine], row[lowest] = rate, -1.0
            bounds_above += [row, -row]
            most += [max(width, 0.0), 0.0]
    scale = max(1.0, float(np.abs(costs).max()))
    found = linprog(costs / scale, A_ub=np.array(bounds_above), b_ub=most, A_eq=shares_are_one, b_eq=np.ones(len(hulls)), bounds=(0, 1), method="highs-ds")
    if found.x is None:
        raise RuntimeError(f"the linear programme of equalised odds was not solved: {found.message}")
    return Cuts(aim.attribute, {group: _mixture(curves[group].cuts[hull], found.x[ends[at]:ends[at + 1]]) for at, (group, hull) in enumerate(hulls.items())})


def _mixture(cuts: Array, shares: Array) -> Steps:
    kept = shares > LEAST_SHARE
    exact = shares[kept] / shares[kept].sum()
    return tuple((float(cut), float(share)) for cut, share in zip(cuts[kept], exact, strict=True) if np.isfinite(cut))


def common_cuts(decisions: Decisions, aim: Aim, metric: str, least: Sequence[float], favourable_is_positive: bool) -> tuple[Cuts | None, ...]:
    """For each of ``least`` the one cut-off with the highest ratio of the lowest to the highest selection rate at which ``metric`` is at least that; None where none raises
    today's ratio."""
    members = [decisions.groups[aim.attribute] == name for name in aim.groups]
    groups = [(decisions.score[mine], decisions.heavy[mine]) for mine in members]
    today = spread(decisions.selected.astype(np.float64), decisions, aim).ratio or 0.0
    best = [(today, np.nan)] * len(least)
    for cut in _candidates(decisions.score):
        rates = [float(heavy @ (score >= cut)) / float(heavy.sum()) for score, heavy in groups]
        value = value_of(metric, cells((decisions.score >= cut).astype(np.float64), decisions.deserving, decisions.heavy, favourable_is_positive))
        ratio = min(rates) / max(rates) if max(rates) > 0 else 0.0
        best = [(ratio, cut) if value >= enough and ratio > so_far[0] else so_far for so_far, enough in zip(best, least, strict=True)]
    return tuple(None if np.isnan(cut) else Cuts(everybody=((cut, 1.0),)) for _, cut in best)


def _candidates(score: Array) -> Sequence[float]:
    found: list[float] = np.unique(np.quantile(score, np.linspace(0, 1, COMMON_CUTS)[1:-1])).tolist()
    return found
