"""The reasons section: from a model of two classes with a cut-off, its audit part and the person's reason table, to reasons for every unfavourable row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.audit.explain import ExplainedProblem, ExplainedRows
from automl.audit.outcomes import BoolArray, IntArray, Outcomes, groups_of
from automl.audit.reasons import counterfactuals as changes
from automl.audit.reasons.backgrounds import FEWEST, Compared, Scale, all_applicants, at_the_cut
from automl.audit.reasons.factors import contributions, factors_of, may_be_stated
from automl.audit.reasons.principal import NOTHING, members, principal
from automl.audit.reasons.quality import FLIP_BACKGROUNDS, FLIP_SHARE, STABLE_BACKGROUNDS, Explained, ReasonedModel, flip, stability
from automl.audit.reasons.rows import FILE, RowReasons
from automl.audit.reasons.wording import Worded
from automl.audit.resampling import generator
from automl.evidence import (
    CounterfactualQuality,
    NotMeasured,
    ReasonExample,
    ReasonQuality,
    ReasonRow,
    ReasonRules,
    ReasonShare,
    ReasonsSection,
    Threshold,
)
from automl.printing import row_count
from automl.spec import ReasonPolicy, TaskSpec

WORK = 75_000_000
"""Rows times a row's `attribution_cost`: about two seconds of one core for each background."""
FEWEST_ROWS, MOST_ROWS = 100, 2_000
COUNTERFACTUAL_ROWS = 100
REASONS_BY_GROUP = 12
"""Reasons whose shares are told group by group, those stated most often."""
NO_ACTIONABLE = "the reason table marks no input as one that a person can change, and software cannot know which are"
NOTES = (
    "Reasons are the shortfall against people just above the cut (m1), in the model's raw score towards the favourable outcome: interventional SHAP values of the whole deployed ensemble. "
    "They say what the model scored, not what caused a person's situation.",
    "What an input contributes is shared with inputs that go with it; inputs that are one matter to a person can be grouped in the reason table.",
)


class Schema(Protocol):
    @property
    def kinds(self) -> Mapping[str, Any]: ...
    @property
    def texts(self) -> tuple[str, ...]: ...


class ReasonedProblem(ExplainedProblem, Protocol):
    @property
    def schema(self) -> Schema: ...


@dataclass(frozen=True, eq=False)
class Reasoned:
    """The section, and the reasons row by row where they were measured."""

    section: ReasonsSection | NotMeasured
    rows: RowReasons | None = None


def measure_reasons(
    model: ReasonedModel, audit: ExplainedRows, train: ExplainedRows, outcomes: Outcomes, problem: ReasonedProblem, spec: TaskSpec,
) -> Reasoned:
    """Reasons for the unfavourable rows of ``audit``, whose decisions are ``outcomes``; backgrounds and values to change to are of ``train`` only.

    NotMeasured for other tasks than two classes, where nobody was decided unfavourably, and where fewer than 20 training rows were decided favourably.
    """
    selected = outcomes.selected()
    scale = None if problem.task != "binary" else _scale(outcomes.threshold, problem)
    reason = _why_not(problem, outcomes, selected, scale)
    if reason is not None or selected is None or scale is None:
        return Reasoned(NotMeasured(reason=reason or "there are no decisions"))
    inputs = list(model.features)
    training = train.features[inputs]
    cut = at_the_cut(training, scale.scores(model.out_of_fold_raw), scale, spec.seed)
    if cut is None:
        return Reasoned(NotMeasured(reason=f"fewer than {FEWEST} training rows were decided favourably out of fold: there is nobody just above the cut to compare with"))
    room = _Room(model, problem, spec, scale, cut, all_applicants(training, spec.seed), training)
    return room.measured(audit, np.flatnonzero(~selected))


def _scale(threshold: Threshold | None, problem: ReasonedProblem) -> Scale | None:
    return None if threshold is None else Scale.of(threshold.value, problem.favourable == (problem.labels[-1],))


def _why_not(problem: ReasonedProblem, outcomes: Outcomes, selected: BoolArray | None, scale: Scale | None) -> str | None:
    if problem.task == "regression":
        return "a number is predicted: no decision is unfavourable"
    if problem.task == "multiclass":
        return "with more than two classes a decision has no single cut that a person stayed below"
    if len(problem.favourable) != 1 or selected is None:
        return "no outcome was named as the favourable one"
    if outcomes.threshold is None:
        return "the model has no cut-off"
    if scale is None:
        return f"the cut-off is {outcomes.threshold.value:g}, from which no distance in log-odds can be told"
    return "no row of the audit part was decided unfavourably" if selected.all() else None


@dataclass(frozen=True, eq=False)
class _Room:
    model: ReasonedModel
    problem: ReasonedProblem
    spec: TaskSpec
    scale: Scale
    cut: Compared
    everybody: Compared
    training: pd.DataFrame

    @property
    def policy(self) -> ReasonPolicy:
        return self.spec.reasons

    def measured(self, audit: ExplainedRows, unfavourable: IntArray) -> Reasoned:
        rows, chosen_by = self._rows(unfavourable)
        explained, explainer, error = self._explained(audit, rows)
        worded = Worded.of(explained.frame, explained.factors, self.problem.schema.kinds, self.cut.frame)
        everything = np.ones(len(explained.factors), dtype=np.bool_)
        unrestricted = principal(explained.phi, explained.distance, everything, most=self.policy.most, materiality=self.policy.materiality)
        columns = changes.changeable(self.model.features, explained.factors, self.policy, self.training, explained.stated.sum(axis=0).astype(np.float64), self.problem.schema.texts)
        picks, some = _picks(explained, self.policy.most), self._some(len(rows))
        found = changes.search_changes(self.model, self.scale, explained.frame.iloc[np.concatenate([list(picks.values()), some]).astype(np.int64)], columns) if columns else []
        section = ReasonsSection(
            policy=self._rules(explained, len(unfavourable), chosen_by, explainer, error), table=_table(explained, unrestricted, audit.groups),
            quality=self._quality(explained, worded, unrestricted, columns, found[len(picks):], some),
            examples=tuple(self._example(explained, worded, why, at, found[place] if columns else None, bool(columns)) for place, (why, at) in enumerate(picks.items())),
            file=FILE, notes=NOTES)
        return Reasoned(section, RowReasons(explained, worded, self.policy.most))

    def _rows(self, unfavourable: IntArray) -> tuple[IntArray, str]:
        limit = self.policy.rows
        most = limit if limit is not None else int(np.clip(WORK / max(self.model.attribution_cost, 1.0), FEWEST_ROWS, MOST_ROWS))
        if len(unfavourable) <= most:
            return unfavourable, "every unfavourable row"
        drawn = np.sort(generator(self.spec.seed, "rows with reasons").choice(unfavourable, size=most, replace=False))
        why = "the number of rows asked for in the spec" if limit is not None else "what this model can be asked about in a few seconds; reasons.rows in the spec asks for more"
        return drawn, f"a random sample of {row_count(most)}: {why}"

    def _explained(self, audit: ExplainedRows, rows: IntArray) -> tuple[Explained, str, float]:
        """Everything that is asked of the model about the rows, once against each background."""
        inputs = list(self.model.features)
        frame = audit.features[inputs].iloc[rows].reset_index(drop=True)
        factors = factors_of(inputs, self.policy, {*self.spec.sensitive})
        against_cut, against_all = (self.model.attributions(frame, background.frame, self.spec.seed) for background in (self.cut, self.everybody))
        scores = self.scale.scores(self.model.raw(frame))
        distance, allowed = np.maximum(self.scale.cut - scores, 0.0), may_be_stated(factors)
        phi, phi_all = (contributions(self.scale.sign * np.asarray(each.phi, dtype=np.float64), factors) for each in (against_cut, against_all))
        chosen, chosen_all = (principal(each, distance, allowed, most=self.policy.most, materiality=self.policy.materiality) for each in (phi, phi_all))
        weight, cluster = (None if values is None else values[rows] for values in (audit.weight, audit.cluster))
        explained = Explained(frame, rows, factors, scores, distance, phi, phi_all, chosen, chosen_all, weight, cluster)
        return explained, against_cut.explainer, float(max(against_cut.additivity_error, against_all.additivity_error))

    def _rules(self, explained: Explained, unfavourable: int, chosen_by: str, explainer: str, error: float) -> ReasonRules:
        assert self.cut.scores is not None
        return ReasonRules(
            output=f"log-odds of {self.problem.favourable[0]}", cut=self.scale.cut, most=self.policy.most, materiality=self.policy.materiality, at_the_cut=self.cut.told,
            at_the_cut_scores=self.cut.scores, all_applicants=self.everybody.told, explainer=explainer, additivity_error=error, unfavourable=unfavourable,
            explained=len(explained.rows), chosen_by=chosen_by, groups=dict(self.policy.groups))

    def _quality(
        self, explained: Explained, worded: Worded, unrestricted: IntArray, columns: Sequence[changes.Changeable], found: Sequence[changes.Found | None], some: IntArray,
    ) -> ReasonQuality:
        chosen, stated, seed = explained.chosen, explained.stated, self.spec.seed
        flipped = flip(explained, self.model, self.scale, self.cut, seed)
        approved = worded.wording == "approved"
        left_out = members(unrestricted, len(explained.factors)) & ~may_be_stated(explained.factors)
        wordings, counts = np.unique(worded.wording[stated].astype(str), return_counts=True)
        return ReasonQuality(
            none=explained.share(chosen[:, 0] == NOTHING), fewer=explained.share(chosen[:, -1] == NOTHING), flip_crosses=flipped.crosses, flip_moves=flipped.moves,
            flip_share=FLIP_SHARE, flip_backgrounds=min(FLIP_BACKGROUNDS, len(self.cut.frame)), stability=stability(explained, self.model, self.scale, self.cut, self.policy, seed),
            stability_backgrounds=STABLE_BACKGROUNDS, overlap=explained.mean(explained.overlaps, "overlap", seed), same_first=explained.share(chosen[:, 0] == explained.chosen_all[:, 0]),
            without_approved_text=explained.share((stated & ~approved).any(axis=1)), wordings={str(name): int(n) for name, n in zip(wordings, counts, strict=True)},
            excluded_would_be_stated=explained.share(np.asarray(left_out.any(axis=1), dtype=np.bool_)),
            counterfactuals=_counterfactuals(explained, columns, found, some))

    def _some(self, rows: int) -> IntArray:
        return np.sort(generator(self.spec.seed, "rows to change").choice(rows, size=min(COUNTERFACTUAL_ROWS, rows), replace=False))

    def _example(self, explained: Explained, worded: Worded, why: str, at: int, found: changes.Found | None, searched: bool) -> ReasonExample:
        missing = NotMeasured(reason=f"no change of at most {changes.MOST_CHANGED} of the actionable columns was found that would have changed the decision" if searched else NO_ACTIONABLE)
        return ReasonExample(
            row=int(explained.rows[at]), why=why, score=float(explained.scores[at]), distance=float(explained.distance[at]),
            reasons=worded.list_of(at, explained.chosen[at], explained.phi[at]), against_all=worded.list_of(at, explained.chosen_all[at], explained.phi_all[at]),
            overlap=float(explained.overlaps[at]),
            counterfactual=missing if found is None else changes.told(found, explained.frame.iloc[[at]], dict(self.problem.schema.kinds)))


def _counterfactuals(explained: Explained, columns: Sequence[changes.Changeable], found: Sequence[changes.Found | None], some: IntArray) -> CounterfactualQuality | NotMeasured:
    if not columns:
        return NotMeasured(reason=NO_ACTIONABLE)
    sizes = [0 if one is None else int(one.changed.sum()) for one in found]
    return CounterfactualQuality(
        found=explained.share(np.array(sizes) > 0, some), columns_changed={str(size): sizes.count(size) for size in range(1, changes.MOST_CHANGED + 1)},
        columns=tuple(column.name for column in columns), most_changed=changes.MOST_CHANGED, values=changes.LEVELS)


def _picks(explained: Explained, most: int) -> dict[str, int]:
    """Rows for the examples, each once."""
    order = np.argsort(explained.distance, kind="stable")
    counts = (explained.chosen != NOTHING).sum(axis=1)
    wanted = {"nearest to the cut": int(order[0]), "median distance to the cut": int(order[len(order) // 2]), "farthest from the cut": int(order[-1])}
    if counts.min() < most:
        wanted["fewest reasons"] = int(counts.argmin())
    picks: dict[str, int] = {}
    for why, at in wanted.items():
        if at not in picks.values():
            picks[why] = at
    return picks


def _table(explained: Explained, unrestricted: IntArray, groups: Mapping[str, NDArray[Any]]) -> tuple[ReasonRow, ...]:
    """Every factor, most often stated first; those excluded by rule last, with how often they would have been. ``unrestricted``: the lists without those rules."""
    allowed = may_be_stated(explained.factors)
    given = np.where(allowed, explained.stated, members(unrestricted, len(explained.factors)))
    order = sorted(range(len(explained.factors)), key=lambda at: (not allowed[at], -int(given[:, at].sum()), at))
    rows = []
    for place, at in enumerate(order):
        factor = explained.factors[at]
        rows.append(ReasonRow(
            reason=factor.name, inputs=tuple(str(explained.frame.columns[each]) for each in factor.inputs), code=factor.line.code, text=factor.line.text,
            when_missing=factor.line.when_missing, direction=factor.line.direction, approved_by=factor.line.approved_by, actionable=factor.line.actionable,
            excluded=factor.excluded, stated=explained.share(given[:, at]), first=int(((explained.chosen if allowed[at] else unrestricted)[:, 0] == at).sum()),
            by_group=_by_group(explained, given[:, at], groups) if place < REASONS_BY_GROUP and allowed[at] else {}))
    return tuple(rows)


def _by_group(explained: Explained, stated: BoolArray, groups: Mapping[str, NDArray[Any]]) -> dict[str, tuple[ReasonShare, ...]]:
    told = {}
    for attribute, labels in groups.items():
        mine = labels[explained.rows]
        members_of = {group: np.flatnonzero(mine == group) for group in groups_of(mine)}
        told[attribute] = tuple(ReasonShare(group=group, n=len(at), share=explained.share(stated[at], at)) for group, at in members_of.items())
    return told

