"""What the frozen alternatives do on the audit part: to the metric, to each group, and to people (evidence rules 1, 9 and 12).

Every change is paired: the same rows, decided by the deployed model and by the alternative. Where decisions are drawn by lot the values are expectations over the draw, so that the
coin's own noise is not in them. Everything was frozen before these rows were looked at, and nothing is chosen by what is found here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from automl.audit.estimates import metric_estimates
from automl.audit.intervals import LEVEL, Count, count, difference_estimate, rate_estimate
from automl.audit.outcomes import BoolArray, FloatArray, Outcomes
from automl.audit.paired import Sums, auc_change, change_estimate, paired_sums
from automl.audit.resampling import percentile_estimate
from automl.data.splits import Rows
from automl.evidence import (
    Alternative,
    Change,
    CutRule,
    CutStep,
    Deployed,
    DeployedAttribute,
    FairnessChange,
    GroupGapChanges,
    GroupGaps,
    GroupRateChanges,
    GroupRates,
    MitigationBudget,
    MitigationSection,
    NotMeasured,
    OutOfFoldResult,
    PeopleChanged,
    RateSpread,
    Value,
)
from automl.learn.metrics import OF_DECISIONS
from automl.learn.mitigation import reductions, refits
from automl.learn.mitigation.alternatives import MOST_ATTRIBUTES, Frozen, Known, Prepared, decisions_of
from automl.learn.mitigation.decisions import Aim, Decisions, spread
from automl.learn.model import FittedModel
from automl.learn.predictions import Predictions
from automl.spec import Profile

Rate = Literal["selection_rate", "tpr", "fpr", "ppv"]
RATES: tuple[Rate, ...] = ("selection_rate", "tpr", "fpr", "ppv")
MOST_LISTED = 12
"""Compared groups of one attribute that are listed one by one, the largest in the training rows first."""
BARRED: dict[Profile, str] = {
    "us_employment": "barred by the profile: cut-offs that differ by group alter the results of a test by group (42 USC 2000e-2(l))",
    "us_credit": "barred by the profile: it decides about an applicant by the attribute itself (15 USC 1691(a), 12 CFR 1002.4(a))",
}
OUT_OF_FOLD = "out of fold"
NOTE = (
    "Made and compared on the out-of-fold decisions of the training rows, frozen with the plan, and measured here on the audit part. None was chosen: the deployed model stays, and which "
    "alternative is worth its price is a person's decision. Intervals of changes are paired and hold one at a time; those of differences between groups hold for all compared "
    "groups of an attribute at once. Where decisions are drawn by lot, values are expectations over the draw."
)
_FIXED, _EACH = 4, 3
"""Columns of the sums: weight, deserving, selected, both; then of each alternative: selected, selected and deserving, decided otherwise."""


@dataclass(frozen=True, eq=False)
class _Decided:
    """One alternative on the audit part."""

    frozen: Frozen
    given: FloatArray
    scored: Predictions | None
    at: int

    @property
    def drawn(self) -> bool:
        return not bool(np.isin(self.given, (0.0, 1.0)).all())


@dataclass(frozen=True, eq=False)
class _Room:
    prepared: Prepared
    outcomes: Outcomes
    decisions: Decisions
    decided: tuple[_Decided, ...]
    profile: Profile | None
    seed: int
    known_on: str

    @property
    def metrics(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(("accuracy", "balanced_accuracy", self.prepared.metric)))

    @cached_property
    def columns(self) -> FloatArray:
        now, good = self.decisions.selected.astype(np.float64), self.decisions.deserving.astype(np.float64)
        parts = [np.ones(len(now)), good, now, now * good]
        for each in self.decided:
            parts += [each.given, each.given * good, np.abs(each.given - now)]
        return np.column_stack(parts)

    @cached_property
    def whole(self) -> Sums:
        return self.sums(np.ones(len(self.decisions), dtype=bool), "everybody")

    def sums(self, mine: BoolArray, *names: str) -> Sums:
        weight, cluster = self.decisions.weight, self.decisions.cluster
        return paired_sums(self.columns[mine], self.seed, *names, weight=None if weight is None else weight[mine], cluster=None if cluster is None else cluster[mine])

    def count(self, given: FloatArray | BoolArray, among: BoolArray) -> Count:
        weight, cluster = self.decisions.weight, self.decisions.cluster
        return count(np.asarray(given[among], dtype=bool), None if weight is None else weight[among], None if cluster is None else cluster[among])


def measure_mitigation(
    prepared: Prepared | NotMeasured, model: FittedModel, audit: Rows, predictions: Predictions, outcomes: Outcomes, *, profile: Profile | None, seed: int,
) -> MitigationSection | NotMeasured:
    """The alternatives to ``model`` on the ``audit`` rows, of which it says ``predictions`` and which have these ``outcomes`` with it."""
    if isinstance(prepared, NotMeasured):
        return prepared
    return measure_alternatives(prepared, decisions_of(model, predictions, audit, prepared.favourable), audit.features, outcomes, profile=profile, seed=seed)


def measure_alternatives(
    prepared: Prepared, decisions: Decisions, frame: pd.DataFrame, outcomes: Outcomes, *, profile: Profile | None, seed: int, known_on: str = OUT_OF_FOLD, note: str = NOTE,
) -> MitigationSection:
    """On rows of which ``decisions`` were made. ``known_on``: where the alternatives were compared when they were frozen."""
    room = _Room(prepared, outcomes, decisions, tuple(_decide(each, at, frame, decisions, prepared) for at, each in enumerate(prepared.alternatives)), profile, seed, known_on)
    tables = {aim.attribute: _Table(room, aim) for aim in prepared.aims}
    unbeaten = {name for front in prepared.pareto for name in front.alternatives}
    now = metric_estimates(outcomes, seed=seed, names=[*room.metrics, "roc_auc"])
    return MitigationSection(
        profile=profile, metric=prepared.metric, fitted_on=prepared.fitted_on, measured_on=len(decisions), frozen=prepared.sha256,
        deployed=Deployed(
            performance=now, attributes=tuple(table.deployed() for table in tables.values() if table.spread(decisions.selected) is not None),
            out_of_fold=tuple(_known(known, aim) for known, aim in zip(prepared.deployed, prepared.aims, strict=True))),
        alternatives=tuple(_alternative(room, each, tables, now, unbeaten) for each in room.decided), not_tried=prepared.not_tried, pareto=prepared.pareto,
        budget=MitigationBudget(
            attributes=MOST_ATTRIBUTES, refit_rows=refits.MOST_ROWS, reduction_rows=reductions.MOST_ROWS, reduction_rounds=reductions.ROUNDS, reduction_trees=reductions.TREES),
        known_on=known_on, note=note)


def _decide(each: Frozen, at: int, frame: pd.DataFrame, decisions: Decisions, prepared: Prepared) -> _Decided:
    if each.model is None:
        return _Decided(each, each.given(frame, decisions, prepared.favourable, prepared.threads), None, at)
    scored = each.model.predict(frame)
    return _Decided(each, (each.model.decide(scored) == prepared.favourable).astype(np.float64), scored, at)


def _known(known: Known, aim: Aim) -> OutOfFoldResult:
    return OutOfFoldResult(value=known.value, spread=_spread(known.spread, aim))


def _spread(found: Any, aim: Aim) -> RateSpread:
    return RateSpread(
        attribute=aim.attribute, demographic_parity_difference=found.selection, demographic_parity_ratio=found.ratio, equalized_odds_difference=found.odds)


def _alternative(room: _Room, each: _Decided, tables: dict[str, _Table], now: dict[str, Value], unbeaten: set[str]) -> Alternative:
    frozen = each.frozen
    aim = next(aim for aim in room.prepared.aims if aim.attribute == frozen.attribute)
    return Alternative(
        id=frozen.id, method=frozen.method, attribute=frozen.attribute, criterion=frozen.criterion, parameters=frozen.parameters, rules=_rules(frozen),
        uses_attribute_at_decision=frozen.uses_attribute_at_decision, uses_attribute_in_training=frozen.uses_attribute_in_training,
        drawn_by_lot=frozen.drawn_by_lot, out_of_fold=_known(frozen.known, aim), performance=_performance(room, each, now), people=_people(room, each),
        fairness=FairnessChange(
            groups=tuple(tables[aim.attribute].group_changes(each)), gaps=tuple(tables[aim.attribute].gap_changes(each)),
            spreads=tuple(found for table in tables.values() if (found := table.spread(each.given)) is not None)),
        allowed_by_profile=None if room.profile is None else not frozen.uses_attribute_at_decision, why_not=_why_not(frozen, room.profile, unbeaten, room.known_on),
        model_sha256=frozen.sha256)


def _rules(frozen: Frozen) -> tuple[CutRule, ...]:
    if frozen.cuts is None:
        return ()
    by_group: list[tuple[str | None, Any]] = [(None, frozen.cuts.everybody)] if frozen.cuts.attribute is None else [*frozen.cuts.steps.items()]
    return tuple(CutRule(group=group, steps=tuple(CutStep(cut=cut, share=share) for cut, share in steps)) for group, steps in by_group)


def _why_not(frozen: Frozen, profile: Profile | None, unbeaten: set[str], known_on: str) -> str:
    if profile is not None and frozen.uses_attribute_at_decision:
        return BARRED[profile]
    trained = known_on == OUT_OF_FOLD
    reasons = ["nobody chose it: what is deployed was chosen by its score alone" if trained else "nobody chose it: what is deployed was chosen elsewhere"]
    if frozen.id not in unbeaten:
        reasons.append(f"{known_on} another one was at least as good in both, when they were frozen")
    if frozen.drawn_by_lot:
        reasons.append("it would draw some decisions by lot")
    return "; ".join(reasons)


# --- the metric, and people -------------------------------------------------------------------------------------------------------


def _performance(room: _Room, each: _Decided, now: dict[str, Value]) -> dict[str, Change]:
    found = dict(_of_decisions(room, each))
    if each.scored is not None:
        found["roc_auc"] = _of_scores(room, each, now)
    return found


def _of_decisions(room: _Room, each: _Decided) -> Iterator[tuple[str, Change]]:
    first, sums = _FIXED + _EACH * each.at, room.whole
    deployed, alternative = _tables_of(room, sums, 2, 3), _tables_of(room, sums, first, first + 1)
    certain = None if each.drawn else metric_estimates(_decided_so(room, each), seed=room.seed, names=room.metrics)
    for name in room.metrics:
        (before, before_replicates), (after, after_replicates) = (_metric(name, table) for table in (deployed, alternative))
        yield name, Change(
            after=percentile_estimate(after, after_replicates, sums.rows, "bootstrap", units=sums.units) if certain is None else certain[name],
            change=change_estimate(after - before, after_replicates - before_replicates, sums.rows, sums.units, sums.rows))


def _tables_of(room: _Room, sums: Sums, selected: int, right: int) -> tuple[list[FloatArray], list[FloatArray]]:
    """Cells of the positive class, observed and replicated."""
    def cells(of: FloatArray) -> list[FloatArray]:
        whole, good, given, both = of[..., 0], of[..., 1], of[..., selected], of[..., right]
        found = [both, given - both, good - both, whole - given - good + both]
        in_order = found if room.prepared.favourable == 1 else [found[3], found[2], found[1], found[0]]
        return [np.atleast_1d(np.maximum(cell, 0.0)) for cell in in_order]

    return cells(sums.observed), cells(sums.replicates)


def _metric(name: str, table: tuple[list[FloatArray], list[FloatArray]]) -> tuple[float, FloatArray]:
    observed, replicates = (OF_DECISIONS[name](*cells) for cells in table)
    return float(observed[0]), np.asarray(replicates)


def _decided_so(room: _Room, each: _Decided) -> Outcomes:
    favourable = room.prepared.favourable
    return replace(room.outcomes, decision=np.where(each.given > 0, favourable, 1 - favourable).astype(np.int64))


def _of_scores(room: _Room, each: _Decided, now: dict[str, Value]) -> Change:
    assert each.scored is not None
    assert each.scored.probabilities is not None
    assert room.outcomes.score is not None
    after = each.scored.probabilities[:, 1]
    value = metric_estimates(replace(room.outcomes, score=after), seed=room.seed, names=["roc_auc"])["roc_auc"]
    change: Value = NotMeasured(reason="a paired interval of an area is not made with weights or repeated persons")
    if room.outcomes.weight is None and room.outcomes.cluster is None:
        change = auc_change(room.outcomes.score, after, np.asarray(room.outcomes.truth) == room.outcomes.positive_index)
    return Change(after=value, change=change)


def _people(room: _Room, each: _Decided) -> PeopleChanged:
    now, place = room.decisions.selected, _FIXED + _EACH * each.at + 2
    everybody = np.ones(len(now), dtype=bool)
    observed, replicates = room.whole.of(place)
    share: Value
    if each.drawn:
        whole, whole_replicates = room.whole.of(0)
        share = percentile_estimate(float(observed / whole), replicates / whole_replicates, room.whole.rows, "bootstrap", units=room.whole.units)
    else:
        share = rate_estimate(room.count((each.given > 0) != now, everybody))
    return PeopleChanged(share=share, gained=float(each.given[~now].sum()), lost=float((1 - each.given[now]).sum()))


# --- groups -----------------------------------------------------------------------------------------------------------------------


class _Table:
    """One attribute's compared groups on the audit part."""

    def __init__(self, room: _Room, aim: Aim) -> None:
        self.room, self.aim = room, aim
        column = room.decisions.groups[aim.attribute]
        listed = [*aim.groups[:MOST_LISTED]]
        self.names: list[str] = listed if aim.reference in listed else [*listed[:-1], aim.reference]
        self.members: dict[str, BoolArray] = {name: column == name for name in self.names}
        self.sums = {name: room.sums(mine, aim.attribute, name) for name, mine in self.members.items()}
        good = room.decisions.deserving
        self.present = tuple(name for name in aim.groups if (column[good] == name).any() and (column[~good] == name).any())

    @property
    def others(self) -> list[str]:
        return [name for name in self.names if name != self.aim.reference]

    def among(self, name: str, rate: Rate, given: FloatArray | BoolArray) -> BoolArray:
        """The rows of which a rate is a share; of predictive value those that ``given`` selects, or may select."""
        mine, good = self.members[name], self.room.decisions.deserving
        return mine & {"selection_rate": mine, "tpr": good, "fpr": ~good, "ppv": given > 0}[rate]

    def count(self, name: str, rate: Rate, given: FloatArray | BoolArray) -> Count:
        return self.room.count(self.room.decisions.deserving if rate == "ppv" else given, self.among(name, rate, given))

    def spread(self, given: FloatArray | BoolArray) -> RateSpread | None:
        """None where fewer than two of the groups have people of both labels here."""
        if len(self.present) < 2:
            return None
        return _spread(spread(np.asarray(given, dtype=np.float64), self.room.decisions, Aim(self.aim.attribute, self.present, self.aim.reference)), self.aim)

    def deployed(self) -> DeployedAttribute:
        now = self.room.decisions.selected
        found = self.spread(now)
        assert found is not None
        counts = {name: {rate: self.count(name, rate, now) for rate in RATES} for name in self.names}
        return DeployedAttribute(
            attribute=self.aim.attribute, reference=self.aim.reference,
            groups=tuple(GroupRates(group=name, n=int(self.members[name].sum()), **{rate: rate_estimate(counts[name][rate], _ABSENT[rate]) for rate in RATES}) for name in self.names),
            gaps=tuple(GroupGaps(group=name, **{
                rate: difference_estimate(counts[name][rate], counts[self.aim.reference][rate], _ABSENT[rate], len(self.others)) for rate in RATES}) for name in self.others),
            spread=found, not_listed=len(self.aim.groups) - len(self.names))

    def group_changes(self, each: _Decided) -> Iterator[GroupRateChanges]:
        now = self.room.decisions.selected
        for name in self.names:
            mine = self.members[name]
            yield GroupRateChanges(
                group=name, n=int(mine.sum()), gained=float(each.given[mine & ~now].sum()), lost=float((1 - each.given[mine & now]).sum()),
                **{rate: self._change(each, name, rate) for rate in RATES})

    def gap_changes(self, each: _Decided) -> Iterator[GroupGapChanges]:
        for name in self.others:
            yield GroupGapChanges(group=name, **{rate: self._gap_change(each, name, rate) for rate in RATES})

    def _change(self, each: _Decided, name: str, rate: Rate) -> Change:
        sums, n = self.sums[name], self._rows(each, name, rate)
        if not n:
            return Change(after=NotMeasured(reason=_ABSENT[rate]), change=NotMeasured(reason=_ABSENT[rate]))
        (before, old), (after, new) = self._rate(name, rate, None), self._rate(name, rate, each)
        level = percentile_estimate(after, new, n, "bootstrap", units=min(n, sums.units)) if each.drawn else rate_estimate(
            self.count(name, rate, each.given), _ABSENT[rate])
        return Change(after=level, change=change_estimate(after - before, new - old, n, min(n, sums.units), n))

    def _gap_change(self, each: _Decided, name: str, rate: Rate) -> Change:
        reference, comparisons = self.aim.reference, len(self.others)
        ns = [self._rows(each, group, rate) for group in (name, reference)]
        if not min(ns):
            return Change(after=NotMeasured(reason=_ABSENT[rate]), change=NotMeasured(reason=_ABSENT[rate]))
        units = min(min(n, self.sums[group].units) for n, group in zip(ns, (name, reference), strict=True))
        ((mine, mine_old), (theirs, theirs_old)) = (self._rate(group, rate, None) for group in (name, reference))
        ((mine_after, mine_new), (theirs_after, theirs_new)) = (self._rate(group, rate, each) for group in (name, reference))
        after, new = mine_after - theirs_after, mine_new - theirs_new
        if each.drawn:
            level = percentile_estimate(after, new, sum(ns), _simultaneous(comparisons), 1 - (1 - LEVEL) / comparisons, units=units)
        else:
            counts = [self.count(group, rate, each.given) for group in (name, reference)]
            level = difference_estimate(counts[0], counts[1], _ABSENT[rate], comparisons)
        change = change_estimate(after - (mine - theirs), new - (mine_old - theirs_old), sum(ns), units, min(ns))
        return Change(after=level, change=change)

    def _rows(self, each: _Decided, name: str, rate: Rate) -> int:
        """Rows behind a rate and its change: the fewer of those that it is a share of before and after."""
        return int(min(self.among(name, rate, given).sum() for given in (each.given, self.room.decisions.selected)))

    def _rate(self, name: str, rate: Rate, each: _Decided | None) -> tuple[float, FloatArray]:
        """A group's rate and its replicates, by the alternative or by the deployed model (None)."""
        first = 2 if each is None else _FIXED + _EACH * each.at

        def of(sums: FloatArray) -> FloatArray:
            whole, good, given, both = sums[..., 0], sums[..., 1], sums[..., first], sums[..., first + 1]
            above, below = {"selection_rate": (given, whole), "tpr": (both, good), "fpr": (given - both, whole - good), "ppv": (both, given)}[rate]
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.asarray(above / below)

        return float(of(self.sums[name].observed)), of(self.sums[name].replicates)


_ABSENT: dict[Rate, str] = {
    "selection_rate": "no row of this group, or of the one it is compared with, is among these rows", "tpr": "one of the groups has no row with the favourable label",
    "fpr": "one of the groups has no row without the favourable label", "ppv": "in one of the groups nobody is selected, before or after",
}


def _simultaneous(comparisons: int) -> str:
    return f"bootstrap, simultaneous over {comparisons}" if comparisons > 1 else "bootstrap"
