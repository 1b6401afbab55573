"""Every alternative of one run, made and compared on training rows and then frozen: `prepare` before the plan is sealed, `Frozen.given` on rows that nobody has looked at.

Each is known by its out-of-fold decisions, those of the model that is deployed where its scores are cut elsewhere, its own where a model learns again. Nothing is chosen here, and
nothing of the audit part is seen: which alternative is worth its price is for people.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from automl.data.names import shown
from automl.evidence import Criterion, MitigationMethod, NotMeasured, NotTried, ParetoFront, canonical_json
from automl.learn.disparity import SMALLEST_GROUP
from automl.learn.families import CannotFit
from automl.learn.metrics import OF_DECISIONS
from automl.learn.mitigation.cuts import Cuts, common_cuts, curves_of, towards_equal_odds, towards_parity
from automl.learn.mitigation.decisions import Aim, Array, Decisions, Spread, aim_of, cells, spread, value_of
from automl.learn.mitigation.optimizer import optimized_cuts
from automl.learn.mitigation.penalties import penalty_path
from automl.learn.mitigation.reductions import Reduced, reduced
from automl.learn.mitigation.refits import STRENGTHS, Learner
from automl.learn.model import FittedModel
from automl.learn.predictions import Predictions

if TYPE_CHECKING:
    from automl.data.splits import Problem, Rows
    from automl.learn.search import SearchResult
    from automl.spec import TaskSpec

CRITERIA: tuple[Criterion, ...] = ("demographic_parity", "equalized_odds")
MOST_ATTRIBUTES = 4
REMAINING = (2 / 3, 1 / 3, 0.0)
"""Of today's gap: the steps between no change and equal rates."""
EQUAL_SELECTION, EQUAL_ODDS = 0.004, 0.0075
"""Selection rates, and error rates, that are no further apart out of fold count as equal: with tens of thousands of rows chance alone puts equal ones so far apart, and to ask for less costs
right decisions for a nearness that no audit could tell."""
LOSSES = (0.01, 0.025)
"""Of the metric, that one common cut-off elsewhere may cost."""


@dataclass(frozen=True)
class Known:
    """An alternative's (or the deployed model's) metric and spread out of fold."""

    value: float
    spread: Spread


@dataclass(frozen=True, eq=False)
class Frozen:
    id: str
    method: MitigationMethod
    attribute: str
    criterion: Criterion
    parameters: dict[str, float | int | str]
    known: Known
    cuts: Cuts | None = None
    model: FittedModel | None = field(default=None, repr=False)
    mixture: Reduced | None = field(default=None, repr=False)

    @property
    def uses_attribute_at_decision(self) -> bool:
        return self.cuts is not None and self.cuts.attribute is not None

    @property
    def uses_attribute_in_training(self) -> bool:
        return self.parameters.get("strength") != 0.0

    @property
    def drawn_by_lot(self) -> bool:
        return self.mixture is not None or (self.cuts is not None and self.cuts.drawn)

    def given(self, frame: pd.DataFrame, decisions: Decisions, favourable: int, threads: int) -> Array:
        """The probability (n,) with which each of these rows gets the favourable outcome. ``decisions``: the deployed model's of the same rows."""
        if self.cuts is not None:
            return self.cuts.given(decisions)
        if self.mixture is not None:
            return self.mixture.given(frame, threads)
        assert self.model is not None
        return np.asarray(self.model.decide(self.model.predict(frame)) == favourable, dtype=np.float64)

    def as_json(self) -> dict[str, Any]:
        steps = None if self.cuts is None else {"attribute": self.cuts.attribute, "groups": {name: list(each) for name, each in self.cuts.steps.items()}, "all": list(self.cuts.everybody)}
        return {"id": self.id, "method": self.method, "attribute": self.attribute, "criterion": self.criterion, "parameters": self.parameters, "cuts": steps, "model": self.sha256}

    @property
    def sha256(self) -> str | None:
        """Of the model that learned again."""
        return self.model.sha256 if self.model is not None else self.mixture.sha256 if self.mixture is not None else None


@dataclass(frozen=True, eq=False)
class Prepared:
    """``aims``: the attributes, the one whose groups are furthest apart first."""

    aims: tuple[Aim, ...]
    metric: str
    favourable: int
    deployed: tuple[Known, ...]
    alternatives: tuple[Frozen, ...]
    not_tried: tuple[NotTried, ...]
    pareto: tuple[ParetoFront, ...]
    fitted_on: int
    threads: int

    @property
    def sha256(self) -> str:
        """Of all that was frozen."""
        fixed = {
            "aims": [[aim.attribute, list(aim.groups), aim.reference] for aim in self.aims], "metric": self.metric,
            "alternatives": [each.as_json() for each in self.alternatives], "pareto": [each.model_dump() for each in self.pareto]}
        return hashlib.sha256(canonical_json(fixed)).hexdigest()


def price_at(cut: float | None, favourable: int) -> float:
    """What selecting an undeserving person costs by the deployed cut-off, 0.5 where there is none; 0 or 1 would say that one of the two errors costs nothing."""
    at = 0.5 if cut is None else cut
    return min(max(at if favourable == 1 else 1 - at, 0.01), 0.99)


def decisions_of(model: FittedModel, predictions: Predictions, rows: Rows, favourable: int) -> Decisions:
    """What ``model`` decides about ``rows``, whose ``predictions`` are its."""
    assert predictions.probabilities is not None, "a model of two classes has probabilities"
    return Decisions(
        score=predictions.probabilities[:, favourable], selected=model.decide(predictions) == favourable, deserving=np.asarray(rows.y) == favourable, groups=rows.groups,
        weight=rows.weight, cluster=rows.cluster)


def prepare(
    result: SearchResult, model: FittedModel, rows: Rows, problem: Problem, spec: TaskSpec, others: Mapping[str, FittedModel], check: Callable[[], None] = lambda: None,
) -> Prepared | NotMeasured:
    """The alternatives to ``model``, from the training ``rows``. ``others``: the models of a searched front that are kept, by their folder. ``check`` may raise between them."""
    if problem.task != "binary":
        return NotMeasured(reason=f"alternatives are made for decisions between two classes, and this is a {problem.task} task")
    if not spec.sensitive:
        return NotMeasured(reason="no sensitive attribute was named, so there are no groups to treat more alike")
    if not result.complete:
        return NotMeasured(reason="the search ended before any candidate was ready: the baseline decides alike for everybody")
    if len(problem.favourable) != 1:
        return NotMeasured(reason="it takes one favourable outcome of two to know who is to be treated more alike")
    return _Workshop.of(result, model, rows, problem, spec, check).prepared(others)


@dataclass(frozen=True, eq=False, kw_only=True)
class Cutting:
    """What asks no model again: the alternatives that cut the scores of ``decisions`` elsewhere. ``price``: of selecting an undeserving person, as in `curves.curve`.
    ``calibrated``: whether the scores are out-of-fold probabilities of ours, of which it is known how well they are calibrated."""

    sensitive: Sequence[str]
    reference: Mapping[str, str]
    decisions: Decisions
    favourable: int
    price: float
    metric: str
    seed: int
    calibrated: bool = False
    not_tried: list[NotTried] = field(default_factory=list)

    def aims(self) -> tuple[Aim, ...]:
        """The attributes whose groups can be compared, those furthest apart first; of the others it is written down why not."""
        now, found = self.decisions.selected.astype(np.float64), []
        for name in self.sensitive:
            if (aim := aim_of(name, self.decisions, self.reference.get(name))) is not None:
                found.append(aim)
            else:
                self.not_tried.append(NotTried(
                    method="own_cuts", attribute=name, reason=f"no two of its groups have {SMALLEST_GROUP} people of each label among the rows that alternatives are made on"))
        apart = sorted(found, key=lambda aim: (-spread(now, self.decisions, aim).selection, aim.attribute))
        self.not_tried.extend(NotTried(
            method="own_cuts", attribute=aim.attribute, reason=f"at most {MOST_ATTRIBUTES} attributes, those whose groups are furthest apart") for aim in apart[MOST_ATTRIBUTES:])
        return tuple(apart[:MOST_ATTRIBUTES])

    def deployed(self, aim: Aim) -> Known:
        return self.known(self.decisions.selected.astype(np.float64), aim)

    def known(self, given: Array, aim: Aim) -> Known:
        of = self.decisions
        return Known(value_of(self.metric, cells(given, of.deserving, of.heavy, self.favourable == 1)), spread(given, of, aim))

    def cut(self, aim: Aim, now: Known) -> Iterator[Frozen]:
        """Cut-offs of each group's own towards equal selection rates and towards equal error rates, and one for everybody."""
        curves = curves_of(self.decisions, aim, self.price, expected=self.calibrated)
        for remaining in REMAINING:
            width = max(remaining * now.spread.selection, EQUAL_SELECTION)
            yield self.of_cuts("own_cuts", aim, "demographic_parity", towards_parity(curves, aim, width), gap_left=remaining, apart_at_most=width)
        for remaining in REMAINING:
            width = max(remaining * now.spread.odds, EQUAL_ODDS)
            yield self.of_cuts("own_cuts", aim, "equalized_odds", towards_equal_odds(curves, aim, width, self.price), gap_left=remaining, apart_at_most=width)
        moved = common_cuts(self.decisions, aim, self.metric, [now.value - loss for loss in LOSSES], self.favourable == 1)
        for loss, cuts, earlier in zip(LOSSES, moved, (None, *moved), strict=False):
            if cuts is not None and (earlier is None or cuts.everybody != earlier.everybody):
                yield self.of_cuts("common_cut", aim, "demographic_parity", cuts, largest_loss=loss)
        if moved[-1] is None:
            self.leave(aim, "common_cut", f"no one cut-off that costs at most {LOSSES[-1]:g} of {self.metric.replace('_', ' ')} raises the ratio of selection rates")

    def optimized(self, aim: Aim) -> Iterator[Frozen]:
        """Fairlearn's own cut-offs."""
        for criterion in CRITERIA:
            try:
                yield self.of_cuts("threshold_optimizer", aim, criterion, optimized_cuts(self.decisions, aim, criterion, self.seed))
            except ValueError as cannot:
                self.leave(aim, "threshold_optimizer", cannot)

    def of_cuts(self, method: MitigationMethod, aim: Aim, criterion: Criterion, cuts: Cuts, **parameters: float | int | str) -> Frozen:
        return Frozen("", method, aim.attribute, criterion, {"price_of_undeserved": self.price, **parameters} if method == "own_cuts" else parameters,
                      self.known(cuts.given(self.decisions), aim), cuts=cuts)

    def leave(self, aim: Aim, method: MitigationMethod, why: object) -> None:
        self.not_tried.append(NotTried(method=method, attribute=aim.attribute, reason=str(why)))

    def frozen(self, aims: tuple[Aim, ...], deployed: Sequence[Known], found: Sequence[Frozen], threads: int) -> Prepared:
        """Numbered, with the fronts of those that none beats."""
        numbered = tuple(replace(each, id=f"m{at}") for at, each in enumerate(found, start=1))
        return Prepared(
            aims, self.metric, self.favourable, tuple(deployed), numbered, tuple(self.not_tried),
            tuple(front for aim, now in zip(aims, deployed, strict=True) for front in _pareto(aim, now, numbered)), len(self.decisions), threads)


def cuts_alone(cutting: Cutting, elsewhere: str) -> Prepared | NotMeasured:
    """The alternatives of ``cutting`` where no model can learn again; ``elsewhere``: why not."""
    aims = cutting.aims()
    if not aims:
        return _no_groups(cutting)
    deployed = [cutting.deployed(aim) for aim in aims]
    found = [*(each for aim, now in zip(aims, deployed, strict=True) for each in cutting.cut(aim, now)), *cutting.optimized(aims[0])]
    for method in _LEARN_AGAIN:
        cutting.leave(aims[0], method, elsewhere)
    return cutting.frozen(aims, deployed, found, threads=1)


def _no_groups(cutting: Cutting) -> NotMeasured:
    return NotMeasured(reason=f"no two groups of {' or of '.join(map(shown, cutting.sensitive))} have {SMALLEST_GROUP} people of each label among the rows to learn from")


@dataclass(frozen=True, eq=False, kw_only=True)
class _Workshop(Cutting):
    """The rest of them: models that learn again."""

    result: SearchResult
    model: FittedModel
    rows: Rows
    problem: Problem
    spec: TaskSpec
    check: Callable[[], None]

    @classmethod
    def of(cls, result: SearchResult, model: FittedModel, rows: Rows, problem: Problem, spec: TaskSpec, check: Callable[[], None]) -> _Workshop:
        favourable = problem.labels.index(problem.favourable[0])
        metric = problem.metric if problem.metric in OF_DECISIONS else "accuracy"
        return cls(result=result, model=model, rows=rows, problem=problem, spec=spec, check=check, favourable=favourable, seed=spec.seed, sensitive=spec.sensitive, reference=spec.reference,
                   decisions=decisions_of(model, model.out_of_fold, rows, favourable), price=price_at(None if model.threshold is None else model.threshold.value, favourable), metric=metric, calibrated=True)

    def prepared(self, others: Mapping[str, FittedModel]) -> Prepared | NotMeasured:
        aims = self.aims()
        if not aims:
            return _no_groups(self)
        deployed = [self.deployed(aim) for aim in aims]
        found: list[Frozen] = []
        for aim, now in zip(aims, deployed, strict=True):
            found += self.cut(aim, now)
            self.check()
        found += [*self._slow(aims[0]), *self._searched(aims, others)]
        self.not_tried.extend(NotTried(
            method=method, attribute=aim.attribute, reason="what takes long is tried only for the attribute whose groups are furthest apart out of fold") for aim in aims[1:]
            for method in _SLOW)
        return self.frozen(aims, deployed, found, self.result.threads)

    def _slow(self, aim: Aim) -> Iterator[Frozen]:
        yield from self.optimized(aim)
        learner = Learner.of(self.rows, self.problem, self.result.frame, self.model, self.spec.seed, self.result.threads)
        for strength in STRENGTHS:
            try:
                yield self._of_model("reweighing", aim, "demographic_parity", learner.refit(aim, strength, self.check), strength=strength, family=learner.family)
            except CannotFit as cannot:
                self.leave(aim, "reweighing", cannot)
        for criterion in CRITERIA:
            try:
                mixture = reduced(
                    self.rows, self.problem, self.result.frame, self.decisions, aim, criterion, self.price, seed=self.spec.seed, threads=self.result.threads, check=self.check)
            except ValueError as cannot:
                self.leave(aim, "exponentiated_gradient", cannot)
                continue
            yield Frozen("", "exponentiated_gradient", aim.attribute, criterion, {"classifiers": sum(len(half.trees) for half in mixture.halves), "rows": mixture.rows},
                         self.known(mixture.out_of_fold, aim), mixture=mixture)
        yield from self._penalised(aim)

    def _penalised(self, aim: Aim) -> Iterator[Frozen]:
        if "torch" not in self.result.families:
            self.leave(aim, "in_training_penalty", "networks are not among the families of this run")
            return
        try:
            path = penalty_path(
                self.rows, self.problem, self.result.frame, self.decisions, self.model, aim, CRITERIA, seed=self.spec.seed, threads=self.result.threads, check=self.check)
        except CannotFit as cannot:
            self.leave(aim, "in_training_penalty", cannot)
            return
        for (criterion, strength), model in path.items():
            yield self._of_model("in_training_penalty", aim, criterion or "demographic_parity", model, strength=strength)

    def _searched(self, aims: Sequence[Aim], others: Mapping[str, FittedModel]) -> Iterator[Frozen]:
        objective = self.spec.fairness_objective
        if objective is None:
            return
        aim = next((aim for aim in aims if aim.attribute == objective.attribute), aims[0])
        criterion: Criterion = "demographic_parity" if objective.metric.startswith("demographic_parity") else "equalized_odds"
        for folder, other in others.items():
            yield self._of_model("searched_front", aim, criterion, other, trial=other.members[0].trial, folder=folder)

    def _of_model(self, method: MitigationMethod, aim: Aim, criterion: Criterion, model: FittedModel, **parameters: float | int | str) -> Frozen:
        given = (model.decide(model.out_of_fold) == self.favourable).astype(np.float64)
        return Frozen("", method, aim.attribute, criterion, parameters, self.known(given, aim), model=model)


_LEARN_AGAIN: tuple[MitigationMethod, ...] = ("reweighing", "exponentiated_gradient", "in_training_penalty")
_SLOW: tuple[MitigationMethod, ...] = ("threshold_optimizer", *_LEARN_AGAIN)


def _pareto(aim: Aim, deployed: Known, alternatives: Sequence[Frozen]) -> Iterator[ParetoFront]:
    mine = [each for each in alternatives if each.attribute == aim.attribute]
    for criterion in CRITERIA:
        for blind in (False, True):
            points = [("deployed", deployed), *((each.id, each.known) for each in mine if not (blind and each.uses_attribute_at_decision))]
            yield ParetoFront(attribute=aim.attribute, criterion=criterion, without_attribute=blind, alternatives=_unbeaten(points, criterion))


def _unbeaten(points: Sequence[tuple[str, Known]], criterion: Criterion) -> tuple[str, ...]:
    """The names of those that none is as good as in both and better in one; the best metric first, of equal ones the first."""
    def gap(known: Known) -> float:
        return known.spread.selection if criterion == "demographic_parity" else known.spread.odds

    kept: list[str] = []
    least = np.inf
    for name, known in sorted(points, key=lambda point: (-point[1].value, gap(point[1]))):
        if gap(known) < least:
            kept.append(name)
            least = gap(known)
    return tuple(kept)
