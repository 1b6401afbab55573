from __future__ import annotations

from automl.hooks import STAGES, Progress


def test_percent_never_falls_within_a_run() -> None:
    seen = [Progress(stage, done, 4).percent for stage in STAGES for done in range(5)]  # type: ignore[arg-type]
    assert seen == sorted(seen)
    assert seen[0] == 0
    assert seen[-1] == 99
    assert Progress("tune", 99, 10).percent == 70
    assert Progress("tune").percent == 5
