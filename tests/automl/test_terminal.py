from __future__ import annotations

import io
import re

from automl.hooks import Progress, Stage
from automl.terminal import ProgressDisplay


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _tune(done: int, **more: float) -> Progress:
    return Progress("tune", done=done, total=100, best=0.91234, metric="roc_auc", trials=done, **more)  # type: ignore[arg-type]


def test_elsewhere_one_line_per_ten_percent() -> None:
    out = io.StringIO()
    display = ProgressDisplay(out)
    for done in range(101):
        display(_tune(done, seconds_left=100 - done))
    display.close(done=True)
    lines = out.getvalue().splitlines()
    tens = [int(line.split("%")[0]) // 10 for line in lines]
    assert tens == sorted(set(tens)), "each ten once, rising"
    assert all(re.match(r" *\d+ %  tune  ", line) for line in lines[1:-1])
    assert lines[-1].startswith("100 %  done")
    assert "best roc_auc 0.9123" in lines[-2]
    assert "\r" not in out.getvalue()


def test_on_a_terminal_one_line_is_drawn_over() -> None:
    out = Terminal()
    display = ProgressDisplay(out)
    for done in (0, 50, 100):
        display(_tune(done, seconds_left=75))
    display.close(done=True)
    assert out.getvalue().count("\n") == 1
    assert "1:15 left" in out.getvalue()
    drawn = out.getvalue().split("\r")[1:]
    assert [line.count("#") for line in drawn] == sorted(line.count("#") for line in drawn)
    assert drawn[-1].startswith("[################] 100 %  done")


def test_it_never_runs_backwards() -> None:
    out = io.StringIO()
    display = ProgressDisplay(out)
    stages: tuple[Stage, ...] = ("evidence", "tune", "sign")
    for stage in stages:
        display(Progress(stage))
    display.close(done=False)
    numbers = [int(line.split("%")[0]) for line in out.getvalue().splitlines()]
    assert numbers == sorted(numbers)


def test_a_reader_that_is_gone_does_not_end_the_job() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    display = ProgressDisplay(Gone())
    display(Progress("read"))
    display(Progress("split"))
    display.close(done=True)


def test_a_job_that_was_refused_at_once_prints_nothing() -> None:
    out = io.StringIO()
    ProgressDisplay(out).close(done=False)
    assert out.getvalue() == ""
