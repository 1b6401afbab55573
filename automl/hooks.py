"""How a run tells what it is doing, and hears that it should stop. One object for page, REST and terminal."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

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


class Hooks:
    """What a run may call while it works. This class does nothing: the laptop's case, and the base of all others."""

    def progress(self, progress: Progress) -> None:
        """A stage began or moved on."""

    def stop_requested(self) -> Literal["finish", "cancel"] | None:
        """Asked between trials: "finish" keeps the best so far, "cancel" throws all away (the caller raises Stopped)."""
        return None

    def trial_finished(self, number: int, path: Path, *, family: str = "", score: float | None = None) -> None:
        """Trial ``number`` and all that a resumed run needs of it lie complete in the file ``path``; no score where it failed or was given up."""
