"""The search: trial after trial, each scored on out-of-fold predictions, until the budget ends.

One writer; folds are fitted in lanes, as many at once as there are threads, and where a lane would be idle the next trial begins. The sampler is
seeded anew for every trial and, with more than one lane, knows the trials up to the last but one, whichever fold was quicker: the same seed, threads
and number of trials give the same search. Finished trials are read back from their files, so that a search that was killed goes on exactly as it would
have. Which family comes next depends on the trial's number and on what the families' finished trials scored, and in a budget of seconds also on what
there is time for. Where the spec has a fairness objective, it is the second one beside the score (`automl.learn.disparity`).
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
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
from automl.learn.disparity import Disparity
from automl.learn.families import FAMILIES, CannotFit, Effort, Fold, FoldModel, TableShape, constant, family, texts_in_numbers
from automl.learn.folds import make_folds
from automl.learn.metrics import Scorer, scorer
from automl.learn.predictions import to_predictions
from automl.learn.rounds import agreed
from automl.learn.studies import Asked, Study
from automl.learn.trials import FORMAT, TrialRecord, read_trials, write_trial
from automl.spec import TaskSpec

if TYPE_CHECKING:
    from automl.data.splits import Problem, Rows, Split

__all__ = ["Deadline", "SearchResult", "search", "usable_threads"]

Array = NDArray[np.float64]
StoppedBecause = Literal["seconds", "trials", "finish_requested", "exhausted"]
Wish = Literal["finish", "cancel"]
Ending = tuple[Literal["complete", "pruned", "failed"], str]

OPENING = ("linear", "lgbm", "lgbm", "torch", "linear", "lgbm", "lgbm", "lgbm")
"""The families' defaults, a portfolio: the cheapest first, so that something useful exists early, and what differs from it soon."""
ROTA = (0, 0, 1, 0, 0, 2, 0, 1, 3)
"""Whose turn it is afterwards, over and over: 0 is the family whose best trial scored best so far, 1 the next. Time goes where it has brought most, and some
to each, since an ensemble lives on what differs."""
ENOUGH = {"linear": 10}
"""Trials of a family with so few settings that more of them would find nothing new, where there is another family."""
MOST_SHORTENED = 3
"""A trial ended by the budget after a third of its usual time is still worth having; after less it is not worth starting."""
FAILURES_IN_A_ROW = 5
FIRST_SHARE, FIRST_SECONDS = 0.15, 4.0
"""Of what is left, and at least this many seconds, for the first trial where others will follow: it is there so that something useful exists, and on a large table it would take a third of a short budget."""
FINISHING_SHARE = 0.05
"""Of a fold's time, for predicting the rows that it did not see."""
FORESEEN_SHARE = 0.5
"""Once a useful model exists, a family that can foresee its own time may take this share of what is left for one trial."""
COMPLETE: Ending = "complete", ""
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
    disparity: Disparity | None = None
    """The second objective, where the spec asks for one."""

    @property
    def baseline(self) -> TrialRecord:
        return self.trials[0]

    @property
    def complete(self) -> tuple[TrialRecord, ...]:
        """Finished trials that have fold models, best first; without the baseline."""
        return tuple(sorted((record for record in self.trials if record.state == "complete"), key=lambda record: (self.loss(record), record.number)))

    @property
    def devices(self) -> dict[str, str]:
        """Family to what it learns on here, in words."""
        return {name: family(name).device() for name in self.families}

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


@dataclass(frozen=True)
class _Fitted:
    """A fold's model and what it says of the rows that it did not see."""

    model: FoldModel
    raw: Array
    seconds: float
    predicting: float
    """Of those seconds."""


@dataclass(eq=False)
class _Open:
    """A trial that was asked for and is not told yet. Its folds may end in any order; what follows from them is concluded in theirs."""

    number: int
    family: str
    asked: Asked
    raw: Array
    since: float = field(default_factory=time.monotonic)
    begun: set[int] = field(default_factory=set)
    running: dict[Future[_Fitted], int] = field(default_factory=dict)
    ended: dict[int, Future[_Fitted]] = field(default_factory=dict)
    models: list[FoldModel] = field(default_factory=list)
    agreed: bool = False
    """All folds have ended and have been asked how many rounds they keep; those that keep another number than by themselves predict again (`automl.learn.rounds`)."""
    losses: list[float] = field(default_factory=list)
    """Mean over the folds so far, after each."""
    seconds: float = 0.0
    predicting: float = 0.0
    """Of those seconds."""
    score: float | None = None
    fairness: float | None = None
    ending: Ending | None = None

    @property
    def is_over(self) -> bool:
        return self.ending is not None and not self.running


@dataclass(eq=False)
class _Known:
    """The last trial of an earlier attempt: all that is left is to tell the sampler, when it was told then."""

    record: TrialRecord
    at: int
    """Its number in the family's study."""
    is_over = True


class _Lazily(dict[str, Study]):
    """A family's study is made when its turn comes: importing torch takes seconds, which a short budget needs for its first trials."""

    def __init__(self, make: Callable[[str], Study]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, name: str) -> Study:
        self[name] = self.make(name)
        return self[name]


class _Search:
    def __init__(self, rows: Rows, problem: Problem, spec: TaskSpec, hooks: Hooks, folder: Path, deadline: Deadline) -> None:
        self.rows, self.problem, self.spec, self.hooks, self.folder, self.deadline = rows, problem, spec, hooks, folder, deadline
        self.scorer = scorer(problem.metric, problem.quantile)
        # what is learned: rmsle is the root mean squared error of logarithms
        self.y = np.log1p(rows.y) if problem.logarithms else rows.y
        self.threads = usable_threads(spec.threads)
        self.families = tuple(name for name in FAMILIES if not spec.families or name in spec.families)
        self.classes = 0 if problem.task == "regression" else len(problem.labels)
        self.frame = as_categories(rows.features, problem.schema.texts)
        self.shape = TableShape.of(self.frame, problem.schema.texts)
        self.parts = make_folds(rows, problem.task, spec.seed, float("inf") if deadline.seconds is None else deadline.seconds)
        self.kept: list[dict[str, Any]] = [{} for _ in self.parts]
        """Per fold what families keep of it from trial to trial. The rows themselves are taken from the frame when they are needed: five copies would stay."""
        self.disparity = Disparity.of(spec, rows, problem)
        self.reweighing = [] if self.disparity is None else [self.disparity.reweighing(train) for train, _ in self.parts]
        self.lanes = min(self.threads, len(self.parts))
        self.studies: dict[str, Study] = _Lazily(lambda name: Study(family(name), problem.task, spec.seed, self.shape, reweighed=self.disparity is not None))
        self.records: list[TrialRecord] = []
        self.open: list[_Open | _Known] = []
        self.abandoned = False
        self.wish: Wish | None = None
        self.asked_at = -ASK_EVERY

    def run(self) -> SearchResult:
        began = time.monotonic()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._take_up()
        earlier = self.deadline.spent
        if not (self.records and self.records[0].number == 0):
            self._try_baseline()
        with ThreadPoolExecutor(self.lanes) as self.pool:
            try:
                reason = self._work()
            finally:
                # folds still at work where an exception ends this: the pool waits for them
                self.abandoned = True
        self._gather()
        self._tell()
        return SearchResult(
            self.scorer, self.families, len(self.parts), tuple(self.records), reason, earlier + time.monotonic() - began, self.threads, self.frame, self.disparity)

    # --- what is known already

    def _take_up(self) -> None:
        self.records = read_trials(self.folder, self.fingerprint)
        if not self.records:
            return
        self.deadline.spent = max(self.deadline.spent, self.records[-1].spent_seconds)
        last = self.records.pop() if self.lanes > 1 and len(self.records) > 1 else None
        for record in self.records[1:]:
            self.studies[record.family].replay(record, self._losses(record.score, record.fairness))
        if last is not None:
            self.open = [_Known(last, self.studies[last.family].open_again(last))]

    def _losses(self, score: float | None, fairness: float | None) -> list[float] | None:
        """What the sampler is told: one number, or two with a second objective."""
        if score is None:
            return None
        return [self.scorer.loss(score), *([] if self.disparity is None else [self.disparity.loss(fairness)])]

    def _try_baseline(self) -> None:
        model = constant.fit_constant(self.y, self.rows.weight, self.problem.task, self.classes, self.problem.metric, self.problem.quantile)
        raw = model.raw(self.frame)
        self._keep(TrialRecord(
            number=0, family=constant.NAME, params={}, state="baseline", score=_finite(self._score(raw)), seconds=0.0,
            spent_seconds=self.deadline.elapsed(), fingerprint=self.fingerprint, note="the same answer for every row",
        ), raw, (model,) * len(self.parts))

    # --- when to stop, what to try next

    def _why_stop(self) -> StoppedBecause | None:
        if self._wished() == "finish":
            return "finish_requested"
        if self.spec.budget.trials is not None and self._asked() >= self.spec.budget.trials:
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

    def _asked(self) -> int:
        """Trials so far, the open ones included, without the baseline."""
        return len(self.records) + len(self.open) - 1

    def _next_family(self) -> str | None:
        """The family whose turn it is, passing over those that there is no time for; None when there is none."""
        tried = self._tried()
        opening = [name for at, name in enumerate(OPENING) if name in self.families and tried[name] <= OPENING[:at].count(name)]
        unexhausted = [name for name in self.families if tried[name] < ENOUGH.get(name, math.inf)] or self.families
        ranked = sorted(unexhausted, key=self._best_loss)
        untried = {*OPENING} & {*self.families} - {*tried}
        ahead = ranked[0]
        # who is ahead with a first try, all others having had theirs, and has more to show than draws
        if not untried and tried[ahead] == 1 and math.isfinite(self._best_loss(ahead)) and len(self.studies[ahead].defaults) > 1:
            opening = [ahead, *opening]
        rota = [ranked[rank] for rank in ROTA if rank < len(ranked)]
        at = (self._asked() + 1) % len(rota)
        # when there is no time for the one whose turn it is, yet another linear model is no way to use what is left
        instead = [name for name in (*rota[at:], *rota[:at]) if name != "linear"]
        return next((name for name in (*opening, rota[at], *instead) if self._worth_starting(name)), None)

    def _tried(self) -> Counter[str]:
        """How many trials each family has had, the open ones included."""
        return Counter([*(record.family for record in self.records), *(_family_of(trial) for trial in self.open)])

    def _best_loss(self, name: str) -> float:
        """Of this family's complete trials; families without any are last."""
        return min((self.scorer.loss(record.score) for record in self.records if record.family == name and record.state == "complete" and record.score is not None), default=math.inf)

    def _worth_starting(self, name: str) -> bool:
        """In a budget of seconds: not where a trial of this family takes far more than what is left, nor where it said that it needs more."""
        mine = [record for record in self.records if record.family == name]
        if self.deadline.seconds is None or not mine:
            return True
        return not self._failed(name) and mine[-1].seconds < MOST_SHORTENED * self.deadline.left()

    def _failed(self, name: str) -> bool:
        """Whether this family's last trial failed."""
        return [record.state for record in self.records if record.family == name][-1:] == ["failed"]

    # --- trials in lanes

    def _work(self) -> StoppedBecause:
        reason: StoppedBecause | None = None
        while True:
            if reason is None and self._needs_another():
                reason = self._why_stop() or self._ask()
            # with more than one lane a trial is told only after the next one was asked for
            while self.open and self.open[0].is_over and (reason or self.lanes == 1 or len(self.open) > 1):
                self._close(self.open.pop(0))
            if reason and not self.open:
                return reason
            self._begin_folds()
            self._wait()

    def _needs_another(self) -> bool:
        """Whether a lane would be idle without another trial."""
        wanting = any(trial.ending is None and len(trial.begun) < len(self.parts) for trial in self._at_work())
        return not wanting and len(self.open) < min(2, self.lanes)

    def _at_work(self) -> list[_Open]:
        return [trial for trial in self.open if isinstance(trial, _Open)]

    def _ask(self) -> StoppedBecause | None:
        """Opens the next trial, or says why there is none."""
        name = self._next_family()
        if name is None:
            return "exhausted" if all(self._failed(each) for each in self.families) else "seconds"
        number = self._asked() + 1
        self.open.append(_Open(number, name, self.studies[name].ask(number), self._empty_raw()))
        return None

    def _begin_folds(self) -> None:
        for trial in self._at_work():
            while (at := self._next_fold(trial)) is not None:
                if self._useful() and (self._wished() == "finish" or self.deadline.over()):
                    trial.ending = "pruned", "the person asked to finish" if self.wish == "finish" else "the budget ended"
                    break
                self._tell()
                allowance = self._share(trial)
                foreseen = allowance * FORESEEN_SHARE if self._useful() else math.inf
                trial.begun.add(at)
                trial.running[self.pool.submit(self._fit_fold, trial, at, time.monotonic() + allowance * (1 - FINISHING_SHARE), foreseen)] = at

    def _share(self, trial: _Open) -> float:
        """Seconds that the next of its folds may take: those side by side as many. One that learned for twice as long has scores further apart than the others', and all are compared as one."""
        return self._allowed(trial) / (math.ceil(len(self.parts) / self.lanes) - len(trial.begun) // self.lanes)

    def _allowed(self, trial: _Open) -> float:
        """Seconds that the rest of this trial may take."""
        left = self.deadline.left()
        if trial.number > 1 or len(self.families) == 1:
            return left
        used = time.monotonic() - trial.since
        return min(left, max(FIRST_SHARE * (left + used), FIRST_SECONDS) - used)

    def _next_fold(self, trial: _Open) -> int | None:
        """The next of its folds, where a lane is free. No two trials work on the same fold at once: they share what is kept of it."""
        busy = {at for each in self._at_work() for at in each.running.values()}
        running = sum(len(each.running) for each in self._at_work())
        if trial.ending is not None or running >= self.lanes:
            return None
        return next((at for at in range(len(self.parts)) if at not in trial.begun and at not in busy), None)

    def _fit_fold(self, trial: _Open, at: int, until: float, foreseen: float) -> _Fitted:
        """In a lane. Must not ask the hooks: they belong to the thread that searches."""

        def must_end() -> bool:
            return time.monotonic() >= until or self.wish is not None or trial.ending is not None or self.abandoned

        began, threads, fold = time.monotonic(), self.threads // self.lanes, self._reweighed(at, trial.asked.reweighing)
        model = family(trial.family).fit(trial.asked.params, fold, Effort(threads, must_end, until - began, foreseen))
        return self._predicted(model, fold, began)

    def _predicted(self, model: FoldModel, fold: Fold, began: float) -> _Fitted:
        predicting = time.monotonic()
        raw, now = model.raw(texts_in_numbers(fold).valid, self.threads // self.lanes), time.monotonic()
        return _Fitted(model, raw, now - began, now - predicting)

    def _reweighed(self, at: int, strength: float | None) -> Fold:
        fold = self._fold(at)
        if not strength:
            return fold
        factor = 1 + strength * (self.reweighing[at] - 1)
        return replace(fold, train_weight=factor if fold.train_weight is None else fold.train_weight * factor)

    def _useful(self) -> bool:
        return any(record.state == "complete" for record in self.records) or any(trial.ending == COMPLETE for trial in self._at_work())

    def _wait(self) -> None:
        """For a fold to end, or for the time to ask what the person wishes."""
        if running := [future for trial in self._at_work() for future in trial.running]:
            wait(running, timeout=ASK_EVERY, return_when=FIRST_COMPLETED)
        self._wished()
        for trial in self._at_work():
            for future in [future for future in trial.running if future.done()]:
                trial.ended[trial.running.pop(future)] = future
            self._conclude(trial)

    def _conclude(self, trial: _Open) -> None:
        """From the folds that have ended, in their order, up to the first that has not."""
        while trial.ending is None and (at := len(trial.models)) in trial.ended:
            try:
                fitted = trial.ended[at].result()
            except CannotFit as cannot:
                trial.ending = "failed", str(cannot)
                return
            trial.models.append(fitted.model)
            trial.seconds += fitted.seconds / self.lanes
            trial.predicting += fitted.predicting / self.lanes
            trial.raw[self.parts[at][1]] = fitted.raw
            trial.losses.append((sum(trial.losses[-1:]) * at + self._fold_loss(trial.raw, at)) / (at + 1))
            if at + 1 < len(self.parts) and self.studies[trial.family].hopeless(trial.asked, trial.losses):
                trial.ending = "pruned", f"after {at + 1} of {len(self.parts)} folds it was below the median of this family's trials"
        if trial.ending is None and len(trial.models) == len(self.parts):
            if not trial.agreed and trial.predicting < self.deadline.left():
                self._agree(trial)
            if not trial.running:
                self._complete(trial)

    def _agree(self, trial: _Open) -> None:
        trial.agreed = True
        for at, model in enumerate(agreed(trial.models)):
            if model is not trial.models[at]:
                trial.running[self.pool.submit(self._predicted, model, self._fold(at), time.monotonic())] = at

    def _complete(self, trial: _Open) -> None:
        for at, (_, valid) in enumerate(self.parts):
            fitted = trial.ended[at].result()
            trial.models[at], trial.raw[valid] = fitted.model, fitted.raw
        trial.score = _finite(self._score(trial.raw))
        trial.fairness = None if self.disparity is None or trial.score is None else self.disparity.value(trial.raw)
        trial.ending = ("failed", "its score is not a number") if trial.score is None else COMPLETE

    def _close(self, trial: _Open | _Known) -> None:
        """Tells the sampler, and keeps what is new."""
        if isinstance(trial, _Known):
            self.studies[trial.record.family].tell_known(trial.at, trial.record, self._losses(trial.record.score, trial.record.fairness))
            self.records.append(trial.record)
            return
        assert trial.ending is not None
        state, note = trial.ending
        self.studies[trial.family].tell(trial.asked, state, self._losses(trial.score, trial.fairness))
        done = state == "complete"
        self._keep(TrialRecord(
            number=trial.number, family=trial.family, params=trial.asked.settings, spaces=trial.asked.spaces, state=state, score=trial.score,
            fairness=trial.fairness, fold_losses=tuple(trial.losses), note=note, seconds=trial.seconds, spent_seconds=self.deadline.elapsed(), fingerprint=self.fingerprint,
        ), trial.raw if done else None, tuple(trial.models) if done else ())

    def _gather(self) -> None:
        """Waits for what is not in our hands: nothing, for who searches alone."""

    def _fold(self, at: int) -> Fold:
        y, weight, (train, valid) = self.y, self.rows.weight, self.parts[at]
        return Fold(
            task=self.problem.task, classes=self.classes, seed=self.spec.seed, metric=self.problem.metric, quantile=self.problem.quantile,
            dates=tuple(name for name, kind in self.problem.schema.kinds.items() if kind == "date"), texts=self.problem.schema.texts,
            train=self.frame.iloc[train], train_y=y[train], train_weight=None if weight is None else weight[train],
            valid=self.frame.iloc[valid], valid_y=y[valid], valid_weight=None if weight is None else weight[valid], cache=self.kept[at])

    def _empty_raw(self) -> Array:
        return np.zeros((len(self.rows.y), self.classes)) if self.problem.task == "multiclass" else np.zeros(len(self.rows.y))

    def _score(self, raw: Array) -> float:
        return self.scorer(self.rows.y, to_predictions(raw, self.problem.task, self.problem.logarithms), self.problem.labels, self.rows.weight)

    def _fold_loss(self, raw: Array, at: int) -> float:
        valid, weight = self.parts[at][1], self.rows.weight
        predictions = to_predictions(raw[valid], self.problem.task, self.problem.logarithms)
        return self.scorer.loss(self.scorer(self.rows.y[valid], predictions, self.problem.labels, None if weight is None else weight[valid]))

    # --- keeping and telling

    def _keep(self, record: TrialRecord, raw: Array | None, models: tuple[FoldModel, ...]) -> None:
        path = write_trial(self.folder, record, raw, models)
        self.records.append(replace(record, path=path))
        self.hooks.trial_finished(record.number, path, family=record.family, score=record.score)
        self._tell()

    def _tell(self) -> None:
        """Progress in trials or in thousandths of the time, whichever is further."""
        tried = max(0, len(self.records) - 1 + sum(isinstance(trial, _Known) for trial in self.open))
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
        settings = [FORMAT, self.problem.task, self.problem.metric, self.problem.labels, [str(name) for name in self.frame.columns], self.spec.seed, self.families,
                    [len(valid) for _, valid in self.parts], *([] if self.problem.quantile is None else [self.problem.quantile]),
                    *([] if self.disparity is None else [self.disparity.as_json()])]
        digest = hashlib.sha256(json.dumps(settings, ensure_ascii=False).encode())
        digest.update(np.ascontiguousarray(self.rows.y).tobytes())
        digest.update(pd.util.hash_pandas_object(self.rows.features, index=False).to_numpy().tobytes())
        if self.rows.weight is not None:
            digest.update(np.ascontiguousarray(self.rows.weight).tobytes())
        for groups in () if self.disparity is None else self.disparity.compared:
            digest.update(groups.codes.tobytes())
        return digest.hexdigest()


def _family_of(trial: _Open | _Known) -> str:
    return trial.record.family if isinstance(trial, _Known) else trial.family


def _finite(score: float) -> float | None:
    return score if np.isfinite(score) else None
