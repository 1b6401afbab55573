"""A long job at a terminal: a bar with stage, trials, best score and time left; elsewhere one line per 10 %."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TextIO

from automl.hooks import Progress

BAR = 16


class ProgressDisplay:
    """Call it with each `Progress`; `close` leaves the cursor on a fresh line."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._terminal = self._stream.isatty()
        self._began = time.monotonic()
        self._tens = -1
        self._gone = False
        self._highest = 0
        self._latest: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        """Show it; whoever read our output and is gone (`| head`) ends the showing, not the job."""
        if self._gone:
            return
        try:
            self._show(progress)
        except BrokenPipeError:
            self._gone = True

    def _show(self, progress: Progress) -> None:
        # A stage that knows its end better than it did before must not run backwards
        self._highest = max(self._highest, progress.percent)
        self._latest = progress
        if self._terminal:
            self._draw(self._line(progress))
        elif self._highest // 10 > self._tens:
            self._tens = self._highest // 10
            print(self._line(progress), file=self._stream, flush=True)

    def close(self, *, done: bool) -> None:
        """The last line: 100 % when the job is done."""
        if self._latest is None or self._gone:
            return
        if done:
            self._highest = 100
            last = f"{self._bar()}100 %  done  {self._clock(time.monotonic() - self._began)}"
            if self._terminal:
                self._draw(last)
            else:
                print(last, file=self._stream, flush=True)
        if self._terminal:
            print(file=self._stream, flush=True)

    def _line(self, progress: Progress) -> str:
        parts = [f"{self._bar()}{self._highest:3d} %  {progress.stage}"]
        if progress.trials:
            parts.append(f"{progress.trials} trial{'s' if progress.trials > 1 else ''}")
        if progress.best is not None:
            parts.append(f"best {progress.metric or 'score'} {progress.best:.4f}")
        if progress.seconds_left is not None:
            parts.append(f"{self._clock(progress.seconds_left)} left")
        return "  ".join(parts)

    def _bar(self) -> str:
        if not self._terminal:
            return ""
        full = self._highest * BAR // 100
        return f"[{'#' * full}{'.' * (BAR - full)}] "

    def _draw(self, line: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        print(f"\r{line[:width]}\x1b[K", end="", file=self._stream, flush=True)

    @staticmethod
    def _clock(seconds: float) -> str:
        minutes, rest = divmod(max(0, round(seconds)), 60)
        return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"
