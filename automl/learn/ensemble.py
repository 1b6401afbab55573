"""From the trials of a search to the model that is deployed, and to the leaderboard and search section of the evidence.

Greedy selection with replacement on out-of-fold predictions (Caruana et al. 2004), averaging raw scores so that attributions add up. The deployed model
is the ensemble of the chosen trials' fold models: the out-of-fold predictions are those of exactly this model. With ``simple`` it is one trial's fold
models, never a mixture of families.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.encoding import CodeEncoder
from automl.data.texts import TextEncoder
from automl.evidence import EnsembleMember, Front, LeaderboardRow, NotMeasured, ProbabilityCalibration, SearchSection, Threshold
from automl.learn.calibration import calibrate, map_of
from automl.learn.cut_off import choose_threshold
from automl.learn.families import TableShape, constant
from automl.learn.metrics import OF_DECISIONS, Scorer
from automl.learn.model import AS_THEY_ARE, FittedModel, Member
from automl.learn.predictions import Predictions, to_predictions
from automl.learn.search import SearchResult
from automl.learn.search_space import search_space
from automl.learn.trials import TrialRecord

if TYPE_CHECKING:
    from automl.data.problems import Problem
    from automl.data.splits import Split
    from automl.spec import TaskSpec

Array = NDArray[np.float64]
Weights = list[tuple[TrialRecord, float]]

CANDIDATES = 12
STEPS = 20
WAIT = 4
"""Greedy steps without improvement after which selection ends."""
LEAST_WEIGHT = 0.05
LEAST_GAIN = {"maximize": 1e-4, "minimize": 1e-3}
"""What a further member must bring: of a score this much, of a loss this share. Each costs size, time to predict and time to explain."""
MOST_ROWS = 50_000
"""The greedy choice is made on a seeded sample of the training rows above this: it compares many mixtures."""


def fit_best(result: SearchResult, split: Split, problem: Problem, spec: TaskSpec) -> FittedModel:
    """The deployed model: the greedy ensemble, the best single trial with ``spec.simple``, the baseline where no trial is complete."""
    return combined(choose_weights(result, split, problem, spec), result, split, problem, spec)


def combined(weights: Weights, result: SearchResult, split: Split, problem: Problem, spec: TaskSpec, *, calibrated: bool = True) -> FittedModel:
    """The model that these trials and weights make, with its cut-off. Reads their fold models."""
    members = tuple(Member(record.number, record.family, weight, record.fold_models()) for record, weight in weights)
    out_of_fold, calibration = _calibrated(weights, split, problem, spec.seed) if calibrated else (_out_of_fold(weights), AS_THEY_ARE)
    threshold = choose_threshold(out_of_fold, split.train.y, result.scorer.name, split.train.weight) if problem.task == "binary" else None
    codes = CodeEncoder.fit(result.frame, [TextEncoder(name) for name in problem.schema.texts])
    return FittedModel(problem, members, codes, out_of_fold, threshold, result.threads, spec.missing, calibration)


def _out_of_fold(weights: Weights) -> Array:
    return np.asarray(np.sum([weight * record.out_of_fold() for record, weight in weights], axis=0))


def _calibrated(weights: Weights, split: Split, problem: Problem, seed: int) -> tuple[Array, ProbabilityCalibration | NotMeasured]:
    """The mixture's out-of-fold raw scores with its calibration, and that: two numbers at most, fitted on the same rows."""
    raw, train = _out_of_fold(weights), split.train
    calibration = calibrate(raw, train.y, problem.task, weight=train.weight, cluster=train.cluster, seed=seed)
    return map_of(calibration)(raw), calibration


@dataclass(frozen=True)
class NotTaken:
    """The ensemble that would be deployed without ``spec.simple``: with it the price of one model can be told."""

    weights: Weights
    out_of_fold: float
    calibration: ProbabilityCalibration | NotMeasured


def ensemble_not_taken(result: SearchResult, split: Split, problem: Problem, spec: TaskSpec) -> NotTaken | None:
    """None where it is the same model."""
    if not spec.simple:
        return None
    weights = choose_weights(result, split, problem, spec.model_copy(update={"simple": False}))
    if len(weights) == 1:
        return None
    raw, calibration = _calibrated(weights, split, problem, spec.seed)
    predictions = to_predictions(raw, problem.task, problem.logarithms)
    return NotTaken(weights, result.scorer(split.train.y, predictions, problem.labels, split.train.weight), calibration)


def choose_weights(result: SearchResult, split: Split, problem: Problem, spec: TaskSpec) -> Weights:
    """The chosen trials and their weights, which add up to 1; largest first."""
    complete = result.complete
    if not complete:
        return [(result.baseline, 1.0)]
    if spec.simple or len(complete) == 1:
        return [(complete[0], 1.0)]
    pool = [*complete[:CANDIDATES], *_best_of_other_families(complete)]
    rows = _rows_to_compare(len(split.train.y), spec.seed)
    y, weight = split.train.y[rows], None if split.train.weight is None else split.train.weight[rows]

    def loss(raw: Array) -> float:
        return result.scorer.loss(result.scorer(y, to_predictions(raw, problem.task, problem.logarithms), problem.labels, weight))

    counts = greedy_counts([record.out_of_fold()[rows] for record in pool], loss, _least_gain(result.scorer, complete[0].score))
    shares = np.where(counts / counts.sum() >= LEAST_WEIGHT, counts, 0)
    chosen = [(record, float(share / shares.sum())) for record, share in zip(pool, shares, strict=True) if share]
    return sorted(chosen, key=lambda each: (-each[1], each[0].number))


def _least_gain(metric: Scorer, best: float | None) -> float:
    return LEAST_GAIN["maximize"] if metric.direction == "maximize" else LEAST_GAIN["minimize"] * abs(best or 0.0)


def greedy_counts(raws: Sequence[Array], loss: Callable[[Array], float], least_gain: float = 0.0) -> NDArray[np.int64]:
    """How often each candidate is taken: at each step the one whose addition to the average lowers the loss most; counts of the best step.

    One that was not taken yet must lower it by ``least_gain`` more than one that was."""
    counts, best_counts = np.zeros(len(raws), dtype=np.int64), np.zeros(len(raws), dtype=np.int64)
    total, best = np.zeros_like(raws[0]), np.inf
    for step in range(1, STEPS + 1):
        losses = np.array([loss((total + raw) / step) for raw in raws])
        at = int(np.argmin(losses + least_gain * (counts == 0)))
        new = step > 1 and counts[at] == 0
        counts[at] += 1
        total = total + raws[at]
        if losses[at] < best - least_gain * new or step == 1:
            best, best_counts = losses[at], counts.copy()
        elif step - best_counts.sum() >= WAIT:
            break
    return best_counts


def _best_of_other_families(complete: Sequence[TrialRecord]) -> list[TrialRecord]:
    """The best trial of each family that the best `CANDIDATES` leave out: weak alone, it may still add something of its own."""
    seen = {record.family for record in complete[:CANDIDATES]}
    found: dict[str, TrialRecord] = {}
    for record in complete[CANDIDATES:]:
        if record.family not in seen:
            found.setdefault(record.family, record)
    return list(found.values())


def _rows_to_compare(n: int, seed: int) -> NDArray[np.int64]:
    return np.arange(n) if n <= MOST_ROWS else np.sort(np.random.default_rng(seed).choice(n, MOST_ROWS, replace=False))


# --- what the evidence says of it


@dataclass(frozen=True)
class Candidate:
    """A model that could have been deployed, or a baseline, for the leaderboard."""

    name: str
    family: str
    trial: int | None
    """None for the ensemble."""
    out_of_fold: float | None
    predict: Callable[[pd.DataFrame], Predictions]
    chosen: bool
    threshold: Threshold | None = None
    """The deployed cut; of the others one of their own where the metric depends on it, else None."""
    parts: tuple[TrialRecord, ...] = ()
    """The trials that it is made of."""


def candidates(result: SearchResult, model: FittedModel, split: Split, not_taken: NotTaken | None = None) -> list[Candidate]:
    """The deployed model, the best trial of each family and the baseline, best out-of-fold first. Fold models are read when one predicts.

    ``not_taken``: the ensemble that `ensemble_not_taken` found."""
    single = [*_best_of_each_family(result.complete), result.baseline]

    def threshold(weights: Weights, calibration: ProbabilityCalibration | NotMeasured = AS_THEY_ARE) -> Threshold | None:
        if model.threshold is None or result.scorer.name not in OF_DECISIONS:
            return None
        return choose_threshold(map_of(calibration)(_out_of_fold(weights)), split.train.y, result.scorer.name, split.train.weight)

    whole, score = next((record for record in single if _is_whole(record, model)), None), out_of_fold_score(result, model, split)
    members = {member.trial for member in model.members}
    parts = tuple(record for record in result.trials if record.number in members)
    rows = [Candidate("ensemble", "ensemble", None, score, model.predict, True, model.threshold, parts) if whole is None
            else Candidate(_name(whole), whole.family, whole.number, score, model.predict, True, model.threshold, parts)]
    rows += [Candidate(_name(record), record.family, record.number, record.score, _predictor([(record, 1.0)], model), False, threshold([(record, 1.0)]), (record,))
             for record in single if record is not whole]
    if not_taken is not None:
        predictor, cut = _predictor(not_taken.weights, model, not_taken.calibration), threshold(not_taken.weights, not_taken.calibration)
        rows.append(Candidate("ensemble, not taken", "ensemble", None, not_taken.out_of_fold, predictor, False, cut, tuple(record for record, _ in not_taken.weights)))
    return sorted(rows, key=lambda row: (result.scorer.loss(float("nan") if row.out_of_fold is None else row.out_of_fold), not row.chosen))


def _best_of_each_family(complete: Sequence[TrialRecord]) -> list[TrialRecord]:
    found: dict[str, TrialRecord] = {}
    for record in complete:
        found.setdefault(record.family, record)
    return list(found.values())


def _name(record: TrialRecord) -> str:
    if record.family == constant.NAME:
        return "baseline"
    return f"{record.family} (trial {record.number})"


def _is_whole(record: TrialRecord, model: FittedModel) -> bool:
    return [member.trial for member in model.members] == [record.number]


def _predictor(
    weights: Weights, model: FittedModel, calibration: ProbabilityCalibration | NotMeasured = AS_THEY_ARE,
) -> Callable[[pd.DataFrame], Predictions]:
    """Of a model that was not deployed; trials alone are not calibrated, as their out-of-fold scores are not."""
    def predict(frame: pd.DataFrame) -> Predictions:
        members = tuple(Member(record.number, record.family, weight, record.fold_models()) for record, weight in weights)
        return replace(model, members=members, calibration=calibration).predict(frame)

    return predict


def out_of_fold_score(result: SearchResult, model: FittedModel, split: Split) -> float:
    """The metric of the deployed model's out-of-fold predictions; the weights, and the cut where there is one to choose, were chosen on the same rows: it is
    slightly optimistic."""
    return result.scorer(split.train.y, model.out_of_fold, model.problem.labels, split.train.weight)


def search_section(result: SearchResult, model: FittedModel, leaderboard: Sequence[LeaderboardRow], split: Split, front: Front | None = None) -> SearchSection:
    """The search as evidence. ``leaderboard`` is `candidates` measured on the audit part; ``front`` what a second objective found."""
    return SearchSection(
        metric=result.scorer.name, direction=result.scorer.direction, families=result.families, folds=result.folds,
        trials=tuple(record.as_evidence() for record in result.trials),
        space=search_space((name for name in result.families if any(record.family == name for record in result.trials)), model.problem.task, TableShape.of(result.frame, model.problem.schema.texts)), stopped_because=result.stopped_because, seconds=round(result.seconds, 3),
        leaderboard=tuple(leaderboard), ensemble=tuple(EnsembleMember(trial=member.trial, family=member.family, weight=member.weight, together=_together(member)) for member in model.members),
        out_of_fold_score=out_of_fold_score(result, model, split), calibration=model.calibration, front=front)


def _together(member: Member) -> tuple[tuple[str, str], ...]:
    """The columns that any of its fold models reads together, by name."""
    from automl.learn.families.tree_model import TreeModel

    trees = [fold for fold in member.folds if isinstance(fold, TreeModel)]
    return tuple(sorted({(fold.encoder.codes.names[first], fold.encoder.codes.names[second]) for fold in trees for first, second in (pair.columns for pair in fold.encoder.pairs)}))
