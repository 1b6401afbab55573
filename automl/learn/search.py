"""The search: one trial after the other, each scored on out-of-fold predictions, until the budget ends.

One writer. The sampler is seeded anew for every trial, and finished trials are read back from their files, so that a search that was killed goes on
exactly as it would have. Which family comes next depends on the trial's number only, and in a budget of seconds also on what there is time for.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.encoding import as_categories
from automl.errors import Stopped
from automl.hooks import Hooks, Progress
from automl.learn.deadline import Deadline
from automl.learn.families import FAMILIES, CannotFit, Effort, Family, Fold, FoldModel, Params, constant, family
from automl.learn.folds import make_folds
from automl.learn.metrics import Scorer, scorer
from automl.learn.predictions import to_predictions
from automl.learn.studies import Study
from automl.learn.trials import TrialRecord, read_trials, write_trial
from automl.spec import TaskSpec

if TYPE_CHECKING:
    from automl.data.splits import Problem, Rows, Split

__all__ = ["Deadline", "SearchResult", "search", "usable_threads"]

Array = NDArray[np.float64]
Vector = NDArray[Any]
StoppedBecause = Literal["seconds", "trials", "finish_requested", "exhausted"]
Wish = Literal["finish", "cancel"]

OPENING = ("linear", "lgbm", "lgbm", "torch")
"""The families' defaults, cheapest first, so that something useful exists early."""
ROTA = ("lgbm", "lgbm", "torch", "lgbm", "lgbm", "linear", "lgbm", "torch")
"""Whose turn it is once the defaults of every family have been tried, over and over."""
MOST_SHORTENED = 3
"""A trial ended by the budget after a third of its usual time is still worth having; after less it is not worth starting."""
FAILURES_IN_A_ROW = 5
FORESEEN_SHARE = 0.5
"""Once a useful model exists, a family that can foresee its own time may take this share of what is left for one trial."""
ASK_EVERY = 0.2
"""Seconds between two questions to the hooks whether to stop: they may read a file."""


@dataclass(frozen=True)
class SearchResult:
    scorer: Scorer
    families: tuple[str, ...]
    folds: int
    trials: tuple[TrialRecord, ...]
    """By number; number 0 is the baseline."""
    stopped_because: StoppedBecause
    seconds: float
    """Tuning time, earlier attempts included."""
    threads: int
    frame: pd.DataFrame = field(repr=False)
    """The training rows' features as they were learned from (texts as categories)."""

    @property
    def baseline(self) -> TrialRecord:
        return self.trials[0]

    @property
    def complete(self) -> tuple[TrialRecord, ...]:
        """Finished trials that have fold models, best first; without the baseline."""
        return tuple(sorted((record for record in self.trials if record.state == "complete"), key=lambda record: (self.loss(record), record.number)))

    def loss(self, record: TrialRecord) -> float:
        return self.scorer.loss(float("nan") if record.score is None else record.score)


def usable_threads(wanted: int | None) -> int:
    """The threads asked for, or all cores this process may run on."""
    return wanted or len(os.sched_getaffinity(0))


def search(split: Split, problem: Problem, spec: TaskSpec, hooks: Hooks, trials: Path, deadline: Deadline) -> SearchResult:
    """Tries models on the training rows of ``split`` until ``deadline`` or the budget's number of trials.

    Trial files already in ``trials`` are taken up, not repeated; each new one is written there and told to ``hooks.trial_finished``. Asked to
    "finish", the trial at work is given up (unless nothing useful exists yet) and what there is comes back; asked to "cancel", raises Stopped.
    """
    return _Search(split.train, problem, spec, hooks, trials, deadline).run()


class _GivenUp(Exception):
    """The trial at work is not finished: the person or the budget wants the end, and there is a useful model without it."""


class _Search:
    def __init__(self, rows: Rows, problem: Problem, spec: TaskSpec, hooks: Hooks, folder: Path, deadline: Deadline) -> None:
        self.rows, self.problem, self.spec, self.hooks, self.folder, self.deadline = rows, problem, spec, hooks, folder, deadline
        self.scorer = scorer(problem.metric)
        self.threads = usable_threads(spec.threads)
        self.families = tuple(name for name in FAMILIES if not spec.families or name in spec.families)
        self.classes = 0 if problem.task == "regression" else len(problem.labels)
        self.frame = as_categories(rows.features)
        self.parts = make_folds(rows, problem.task, spec.seed, float("inf") if deadline.seconds is None else deadline.seconds)
        self.folds = [self._fold(train, valid) for train, valid in self.parts]
        self.kinds = {name: family(name) for name in self.families}
        self.studies = {name: Study(kind, problem.task, spec.seed) for name, kind in self.kinds.items()}
        self.records: list[TrialRecord] = []
        self.wish: Wish | None = None
        self.asked_at = -ASK_EVERY

    def run(self) -> SearchResult:
        began = time.monotonic()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._take_up()
        earlier = self.records[-1].spent_seconds if self.records else 0.0
        if not self.records:
            self._try_baseline()
        while (reason := self._why_stop()) is None:
            if (name := self._next_family()) is None:
                reason = "exhausted" if all(self._failed(each) for each in self.families) else "seconds"
                break
            self._try(name)
        self._tell()
        return SearchResult(
            self.scorer, self.families, len(self.folds), tuple(self.records), reason, earlier + time.monotonic() - began, self.threads, self.frame)

    # --- what is known already

    def _take_up(self) -> None:
        self.records = read_trials(self.folder, self.fingerprint)
        for record in self.records:
            if record.family in self.studies:
                self.studies[record.family].replay(record, None if record.score is None else self.scorer.loss(record.score))
        if self.records:
            self.deadline.spent = max(self.deadline.spent, self.records[-1].spent_seconds)

    def _try_baseline(self) -> None:
        model = constant.fit_constant(self.rows.y, self.rows.weight, self.problem.task, self.classes, self.problem.metric)
        raw = model.raw(self.frame)
        self._keep(TrialRecord(
            number=0, family=constant.NAME, params={}, state="baseline", score=_finite(self._score(raw)), seconds=0.0,
            spent_seconds=self.deadline.elapsed(), fingerprint=self.fingerprint, note="the same answer for every row",
        ), raw, (model,) * len(self.folds))

    # --- when to stop, what to try next

    def _why_stop(self) -> StoppedBecause | None:
        if self._wished() == "finish":
            return "finish_requested"
        if self.spec.budget.trials is not None and len(self.records) - 1 >= self.spec.budget.trials:
            return "trials"
        if self.deadline.over():
            return "seconds"
        last = [record.state for record in self.records[-FAILURES_IN_A_ROW:]]
        return "exhausted" if last == ["failed"] * FAILURES_IN_A_ROW else None

    def _wished(self) -> Wish | None:
        """What the person wishes. Raises Stopped for "cancel"."""
        if self.wish is None and time.monotonic() - self.asked_at >= ASK_EVERY:
            self.asked_at = time.monotonic()
            self.wish = self.hooks.stop_requested()
        if self.wish == "cancel":
            raise Stopped("the person asked to cancel")
        return self.wish

    def _next_family(self) -> str | None:
        """The family whose turn it is, passing over those that there is no time for; None when there is none."""
        tried = Counter(record.family for record in self.records)
        opening = [name for at, name in enumerate(OPENING) if name in self.families and tried[name] <= OPENING[:at].count(name)]
        rota = [name for name in ROTA if name in self.families]
        at = len(self.records) % len(rota)
        # when there is no time for the one whose turn it is, yet another linear model is no way to use what is left
        instead = [name for name in (*rota[at:], *rota[:at]) if name != "linear"]
        return next((name for name in (*opening, rota[at], *instead) if self._worth_starting(name)), None)

    def _worth_starting(self, name: str) -> bool:
        """In a budget of seconds: not where a trial of this family takes far more than what is left, nor where it said that it needs more."""
        mine = [record for record in self.records if record.family == name]
        if self.deadline.seconds is None or not mine:
            return True
        return not self._failed(name) and mine[-1].seconds < MOST_SHORTENED * self.deadline.left()

    def _failed(self, name: str) -> bool:
        """Whether this family's last trial failed."""
        return [record.state for record in self.records if record.family == name][-1:] == ["failed"]

    # --- one trial

    def _try(self, name: str) -> None:
        number, began, study = len(self.records), time.monotonic(), self.studies[name]
        asked = study.ask(number)
        raw, models, losses = self._empty_raw(), list[FoldModel](), list[float]()
        state: Literal["complete", "pruned", "failed"] = "complete"
        note, score = "", None
        try:
            for at in range(len(self.folds)):
                models.append(self._fit_fold(self.kinds[name], asked.params, at))
                raw[self.parts[at][1]] = models[-1].raw(self.folds[at].valid, self.threads)
                losses.append((sum(losses[-1:]) * at + self._fold_loss(raw, at)) / (at + 1))
                if study.hopeless(asked, losses) and at + 1 < len(self.folds):
                    raise _GivenUp(f"after {at + 1} of {len(self.folds)} folds it was below the median of this family's trials")
            score = _finite(self._score(raw))
            if score is None:
                state, note = "failed", "its score is not a number"
        except _GivenUp as given_up:
            state, note = "pruned", str(given_up)
        except CannotFit as cannot:
            state, note = "failed", str(cannot)
        study.tell(asked, state, None if score is None else self.scorer.loss(score))
        done = state == "complete"
        self._keep(TrialRecord(
            number=number, family=name, params=asked.params, spaces=asked.spaces, state=state, score=score, fold_losses=tuple(losses), note=note,
            seconds=time.monotonic() - began, spent_seconds=self.deadline.elapsed(), fingerprint=self.fingerprint,
        ), raw if done else None, tuple(models) if done else ())

    def _fit_fold(self, kind: Family, params: Params, at: int) -> FoldModel:
        """Each fold may use an equal share of what is left, so that the last one is not the poorest."""
        useful = any(record.state == "complete" for record in self.records)
        if useful and self._wished() == "finish":
            raise _GivenUp("the person asked to finish")
        if useful and self.deadline.over():
            raise _GivenUp("the budget ended")
        allowance = self.deadline.left() / (len(self.folds) - at)
        until = time.monotonic() + allowance
        self._tell()
        effort = Effort(self.threads, lambda: time.monotonic() >= until or self._wished() == "finish", allowance * FORESEEN_SHARE if useful else float("inf"))
        return kind.fit(params, self.folds[at], effort)

    def _fold(self, train: Vector, valid: Vector) -> Fold:
        y, weight = self.rows.y, self.rows.weight
        return Fold(
            task=self.problem.task, classes=self.classes, seed=self.spec.seed,
            train=self.frame.iloc[train], train_y=y[train], train_weight=None if weight is None else weight[train],
            valid=self.frame.iloc[valid], valid_y=y[valid], valid_weight=None if weight is None else weight[valid])

    def _empty_raw(self) -> Array:
        return np.zeros((len(self.rows.y), self.classes)) if self.problem.task == "multiclass" else np.zeros(len(self.rows.y))

    def _score(self, raw: Array) -> float:
        return self.scorer(self.rows.y, to_predictions(raw, self.problem.task), self.problem.labels, self.rows.weight)

    def _fold_loss(self, raw: Array, at: int) -> float:
        fold, valid = self.folds[at], self.parts[at][1]
        return self.scorer.loss(self.scorer(fold.valid_y, to_predictions(raw[valid], self.problem.task), self.problem.labels, fold.valid_weight))

    # --- keeping and telling

    def _keep(self, record: TrialRecord, raw: Array | None, models: tuple[FoldModel, ...]) -> None:
        path = write_trial(self.folder, record, raw, models)
        self.records.append(replace(record, path=path))
        self.hooks.trial_finished(record.number, path, family=record.family, score=record.score)
        self._tell()

    def _tell(self) -> None:
        """Progress in trials or in thousandths of the time, whichever is further."""
        tried = max(0, len(self.records) - 1)
        done, total = tried, self.spec.budget.trials or 0
        if self.deadline.seconds is not None:
            used = 1 - self.deadline.left() / max(self.deadline.seconds - self.deadline.reserve, 1e-9)
            if not total or used > tried / total:
                done, total = round(min(1.0, used) * 1000), 1000
        scores = [record.score for record in self.records if record.score is not None]
        self.hooks.progress(Progress(
            "tune", done=done, total=total, best=min(scores, key=self.scorer.loss) if scores else None, metric=self.problem.metric, trials=tried,
            seconds_left=None if self.deadline.seconds is None else self.deadline.left()))

    @cached_property
    def fingerprint(self) -> str:
        """Of everything that a trial's numbers depend on besides its settings."""
        settings = [self.problem.task, self.problem.metric, self.problem.labels, [str(name) for name in self.frame.columns], self.spec.seed, self.families,
                    [len(valid) for _, valid in self.parts]]
        digest = hashlib.sha256(json.dumps(settings, ensure_ascii=False).encode())
        digest.update(np.ascontiguousarray(self.rows.y).tobytes())
        digest.update(pd.util.hash_pandas_object(self.rows.features, index=False).to_numpy().tobytes())
        if self.rows.weight is not None:
            digest.update(np.ascontiguousarray(self.rows.weight).tobytes())
        return digest.hexdigest()


def _finite(score: float) -> float | None:
    return score if np.isfinite(score) else None
