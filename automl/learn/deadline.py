"""A time budget that is kept: one clock from the start of the work to the end of tuning."""

from __future__ import annotations

import math
import time

import psutil


class Deadline:
    """Counts down ``seconds`` from ``started``.

    :param seconds: the budget, or None for no limit in time (a budget in trials only).
    :param started: when the work began, in seconds since 1970; default: the start of this process, so that imports count too.
    :param spent: seconds of the budget that earlier attempts of a resumed run already used.
    :param reserve: seconds kept free at the end for what must follow inside the same budget (writing a model).
    """

    def __init__(self, seconds: float | None, *, started: float | None = None, spent: float = 0.0, reserve: float = 0.0) -> None:
        begun = psutil.Process().create_time() if started is None else started
        # the wall clock may be set back while we work; the monotonic clock cannot
        self._begun = time.monotonic() - max(0.0, time.time() - begun)
        self.seconds = seconds
        self.spent = spent
        self.reserve = reserve

    def elapsed(self) -> float:
        """Seconds since the work began, earlier attempts included."""
        return time.monotonic() - self._begun + self.spent

    def left(self) -> float:
        """Seconds that may still be used for tuning: infinite without a limit, never negative."""
        return math.inf if self.seconds is None else max(0.0, self.seconds - self.reserve - self.elapsed())

    def over(self) -> bool:
        return self.left() <= 0
