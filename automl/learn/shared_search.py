"""The search of one part of a run whose parts search together, on one machine or on several.

Who keeps the study (`automl.hooks.SharedStudy`) gives every trial its number and its settings, so that no two parts try the same; what is fitted, scored
and pruned here is what a search alone does. The leading part takes in the others' finished trials as their files arrive beside its own, and in the end
waits for those that are still at work. A trial that was lost with its worker stands among the others as failed, and costs the budget nothing.

Which trial knew of which depends on timing: with more than one part the same seed does not give the same trials.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import optuna
from optuna.distributions import distribution_to_json
from optuna.trial import FixedTrial

from automl.hooks import Ended, Hooks, SharedStudy, Standing
from automl.learn.deadline import Deadline
from automl.learn.families import Family, TableShape, family
from automl.learn.search import ASK_EVERY, SearchResult, StoppedBecause, _Known, _Open, _Search
from automl.learn.studies import Asked, Losses, Study
from automl.learn.trials import SUFFIX, TrialRecord, read_trial
from automl.spec import TaskKind, TaskSpec

if TYPE_CHECKING:
    from automl.data.splits import Problem, Rows, Split

LOOK_EVERY = 1.0
"""Seconds between two looks for trials of other parts, and between two questions whether a lost one can be made again."""
GATHERING = 2.0
"""Seconds kept free of the budget for the last trials of the others to arrive."""
PATIENCE = 20.0
"""Seconds after which a part that does not tell its last trial is waited for no longer."""
LOST = "lost with the worker that was at it"


def search_together(split: Split, problem: Problem, spec: TaskSpec, hooks: Hooks, trials: Path, deadline: Deadline, study: SharedStudy) -> SearchResult:
    """As `automl.learn.search.search`, for one part of several. Only the leading part's result has the baseline and every part's trials."""
    return _SharedSearch(split.train, problem, spec, hooks, trials, deadline, study).run()


@dataclass(frozen=True)
class _GivenOut(Asked):
    number: int = 0
    bar: Sequence[float] = ()
    default: int | None = None
    """Its position among the family's defaults, where it is one."""


def _one_more(standing: Standing, family: str, given: _GivenOut) -> Standing:
    """How it stands once ``given`` is given out, as far as we know."""
    tried = {**standing.tried, family: standing.tried.get(family, 0) + 1}
    defaults = standing.defaults if given.default is None else {**standing.defaults, family: [*standing.defaults.get(family, ()), given.default]}
    return replace(standing, started=given.number, alive=standing.alive + 1, tried=tried, defaults=defaults)


class _FamilyOfAll(Study):
    """One family's settings, as given out for all parts. What its own in-memory study is used for is to name the search space."""

    def __init__(self, name: str, kind: Family, task: TaskKind, seed: int, shared: SharedStudy, shape: TableShape) -> None:
        super().__init__(kind, task, seed, shape)
        self.name, self.shared = name, shared
        any_trial = self.study.ask()
        kind.suggest(any_trial, task, shape)
        self.spaces = {setting: distribution_to_json(space) for setting, space in any_trial.distributions.items()}

    def ask_after(self, standing: Standing) -> _GivenOut | Standing:
        """The next trial of this family, unless another part was quicker than ``standing`` knows."""
        given = standing.defaults.get(self.name, ())
        default = next(((at, settings) for at, settings in enumerate(self.defaults) if at not in given), None)
        answer = self.shared.ask(self.name, after=standing.started, default=default, spaces=self.spaces)
        if isinstance(answer, Standing):
            return answer
        fixed = FixedTrial(dict(answer.settings), number=answer.number)
        params = self.kind.suggest(cast(optuna.Trial, fixed), self.task, self.shape)
        return _GivenOut(cast(optuna.Trial, fixed), params, (), number=answer.number, bar=tuple(answer.bar), default=None if default is None else default[0])

    def hopeless(self, asked: Asked, losses: list[float]) -> bool:
        assert isinstance(asked, _GivenOut)
        return len(losses) <= len(asked.bar) and losses[-1] > asked.bar[len(losses) - 1]

    def tell(self, asked: Asked, state: str, losses: Losses | None) -> None:
        """Nothing: `_SharedSearch._close` tells, with the losses after each fold."""


class _SharedSearch(_Search):
    def __init__(
        self, rows: Rows, problem: Problem, spec: TaskSpec, hooks: Hooks, folder: Path, deadline: Deadline, shared: SharedStudy,
    ) -> None:
        super().__init__(rows, problem, spec, hooks, folder, deadline)
        self.shared = shared
        self.of_all = {name: _FamilyOfAll(name, family(name), problem.task, spec.seed, shared, self.shape) for name in self.families}
        self.studies = dict(self.of_all)
        self.standing = Standing()
        self.not_ours: set[str] = set()
        """Files among the trials that are none of this search."""
        self.looked_at = 0.0
        self.ask_again_at = 0.0

    # --- what is known already

    def _take_up(self) -> None:
        self._take_in()
        if self.records:
            self.deadline.spent = max(self.deadline.spent, *(record.spent_seconds for record in self.records))
        self.deadline.reserve += GATHERING
        self.standing = self.shared.look()

    def _take_in(self) -> None:
        """The trials whose files have come since the last look."""
        self.looked_at = time.monotonic()
        known = {record.number for record in self.records}
        for path in sorted(self.folder.glob(f"*{SUFFIX}")):
            if path.name in self.not_ours or (path.stem.isdecimal() and int(path.stem) in known):
                continue
            record = read_trial(path, self.fingerprint)
            if record is None or f"{record.number:04}{SUFFIX}" != path.name:
                self.not_ours.add(path.name)
            else:
                self.records.append(record)
        self.records.sort(key=lambda record: record.number)

    def _try_baseline(self) -> None:
        if self.shared.leads:
            super()._try_baseline()
            self.records.sort(key=lambda record: record.number)

    # --- when to stop, what to try next

    def _why_stop(self) -> StoppedBecause | None:
        reason = super()._why_stop()
        # of all parts' trials only who keeps the study knows which count
        return None if reason == "trials" else reason

    def _asked(self) -> int:
        return self.standing.alive

    def _tried(self) -> Counter[str]:
        return Counter(self.standing.tried)

    def _needs_another(self) -> bool:
        return time.monotonic() >= self.ask_again_at and super()._needs_another()

    def _ask(self) -> StoppedBecause | None:
        # What we know is often still true, and who keeps the study says so where it is not
        while True:
            if self.standing.over:
                return self._why_over(self.standing)
            name = self._next_family()
            if name is None:
                return "exhausted" if all(self._failed(each) for each in self.families) else "seconds"
            answer = self.of_all[name].ask_after(self.standing)
            if isinstance(answer, _GivenOut):
                self.open.append(_Open(answer.number, name, answer, self._empty_raw()))
                self.standing = _one_more(self.standing, name, answer)
                return None
            self.standing = answer

    def _why_over(self, standing: Standing) -> StoppedBecause | None:
        if standing.over == "trials" and self.shared.leads and standing.others_open:
            # one of them may yet be lost, and is then made again here
            self.ask_again_at = time.monotonic() + LOOK_EVERY
            self.standing = self.shared.look()
            return None
        return "trials" if standing.over == "trials" else "seconds"

    def _useful(self) -> bool:
        """For the leading part alone it matters that something useful exists before the budget ends."""
        return not self.shared.leads or super()._useful()

    # --- trials in lanes

    def _wait(self) -> None:
        if not any(trial.running for trial in self._at_work()):
            time.sleep(ASK_EVERY)
        super()._wait()
        if self.shared.leads and time.monotonic() - self.looked_at >= LOOK_EVERY:
            before = len(self.records)
            self._take_in()
            if len(self.records) > before:
                self._tell()

    def _close(self, trial: _Open | _Known) -> None:
        """Keeps the trial, then tells it: whatever was told has a file."""
        assert isinstance(trial, _Open)
        assert trial.ending is not None
        super()._close(trial)
        loss = None if trial.score is None else self.scorer.loss(trial.score)
        self.shared.tell(trial.number, trial.ending[0], loss if trial.ending[0] == "complete" else None, trial.losses)

    # --- the end

    def _gather(self) -> None:
        if not self.shared.leads:
            return
        until = time.monotonic() + PATIENCE
        while True:
            self._wished()
            ended = self.shared.close()
            self._take_in()
            missing = self._missing(ended)
            if all(each.state == "lost" for each in missing) or time.monotonic() >= until:
                break
            time.sleep(ASK_EVERY)
        for each in missing:
            self._keep(TrialRecord(
                number=each.number, family=each.family, params=dict(each.settings), state="failed", score=None, seconds=0.0, note=LOST,
                spent_seconds=self.deadline.elapsed(), fingerprint=self.fingerprint), None, ())
        self.records.sort(key=lambda record: record.number)

    def _missing(self, ended: Sequence[Ended]) -> list[Ended]:
        known = {record.number for record in self.records}
        return [each for each in ended if each.number not in known]
