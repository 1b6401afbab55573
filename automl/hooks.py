"""How a run tells what it is doing, and hears that it should stop. One object for page, REST and terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

STAGES = ("read", "split", "tune", "ensemble", "evidence", "draw", "sign")
Stage = Literal["read", "split", "tune", "ensemble", "evidence", "draw", "sign"]


PERCENT: dict[str, tuple[int, int]] = {
    "read": (0, 3), "split": (3, 5), "tune": (5, 70), "ensemble": (70, 76), "evidence": (76, 92), "draw": (92, 97), "sign": (97, 99),
}
"""Where each stage lies on the bar of the whole run; 100 is for who knows that it is kept. Within a stage, ``done / total``."""


@dataclass(frozen=True)
class Progress:
    """Where a run stands. ``best`` is in the run's metric, in its own direction; ``seconds_left`` is the budget's, not a promise."""

    stage: Stage
    done: int = 0
    total: int = 0
    best: float | None = None
    metric: str | None = None
    trials: int = 0
    seconds_left: float | None = None
    note: str = ""

    @property
    def percent(self) -> int:
        low, high = PERCENT[self.stage]
        share = min(max(self.done / self.total, 0.0), 1.0) if self.total else 0.0
        return round(low + (high - low) * share)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class StudyGone(Exception):
    """Who keeps the shared study does not answer any more: this part of the run cannot go on."""


@dataclass(frozen=True)
class Standing:
    """Where a shared study stands, over all parts of the run. Numbers are those of trials, from 1; 0 is the baseline, which no study knows."""

    started: int = 0
    """Trials that were ever asked for, lost ones included: the number of the newest."""
    alive: int = 0
    """The same without those that were lost with their worker: what a budget in trials counts."""
    tried: Mapping[str, int] = field(default_factory=dict)
    """Family to its trials, without the lost ones."""
    defaults: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Family to the positions of its defaults that were given out and not lost."""
    others_open: int = 0
    """Trials that other parts are at work on."""
    over: Literal["trials", "closed"] | None = None
    """Why no further trial is given out."""


@dataclass(frozen=True)
class GivenOut:
    """The settings of a trial. ``bar``: the median of its family after each fold, above which a mean loss is hopeless; empty where nothing is pruned yet."""

    number: int
    settings: Mapping[str, Any]
    bar: Sequence[float] = ()


@dataclass(frozen=True)
class Ended:
    """A trial of any part, as the study knows it in the end."""

    number: int
    family: str
    settings: Mapping[str, Any]
    state: Literal["complete", "pruned", "failed", "open", "lost"]


class SharedStudy(Protocol):
    """One search by several parts of a run, on one or more machines. Every call waits for the answer; any may raise `StudyGone`."""

    @property
    def leads(self) -> bool:
        """Whether this part has the baseline, waits for the others in the end and goes on to the evidence."""

    def look(self) -> Standing: ...

    def ask(self, family: str, *, after: int, default: tuple[int, Mapping[str, Any]] | None, spaces: Mapping[str, str]) -> GivenOut | Standing:
        """A further trial, if none was started since trial ``after``; otherwise, and where none is given out any more, how the study stands.

        ``default``: position and settings of the family's default that it is to be. ``spaces``: setting to space, as Optuna's JSON.
        """

    def tell(self, number: int, state: Literal["complete", "pruned", "failed"], loss: float | None, losses: Sequence[float]) -> None:
        """The outcome of a trial of this part; ``losses`` are its mean losses after each fold."""

    def close(self) -> tuple[Ended, ...]:
        """Give out no more trials; all that were ever asked for, by number. May be called again, to see the others end."""


class Hooks:
    """What a run may call while it works. This class does nothing: the laptop's case, and the base of all others."""

    def progress(self, progress: Progress) -> None:
        """A stage began or moved on."""

    def stop_requested(self) -> Literal["finish", "cancel"] | None:
        """Asked between trials: "finish" keeps the best so far, "cancel" throws all away (the caller raises Stopped)."""
        return None

    def trial_finished(self, number: int, path: Path, *, family: str = "", score: float | None = None) -> None:
        """Trial ``number`` and all that a resumed run needs of it lie complete in the file ``path``; no score where it failed or was given up."""

    def shared_study(self) -> SharedStudy | None:
        """The study that this run shares with others; None where it searches alone."""
        return None
