from __future__ import annotations

import json
from typing import Any

from tests.benchmarks.side_by_side import OURS, main, rank, read_cells, report


def record(system: str, score: float, *, task: str = "binary", dataset: str = "adult", at: str = "2026-01-02T00:00:00Z", **more: Any) -> str:
    return json.dumps({"system": system, "dataset": dataset, "seed": 0, "score": score, "task": task, "budget": 60, "n_test": 1000, "at": at, "ok": True, **more})


def test_a_score_within_a_tie_of_a_better_one_shares_its_rank() -> None:
    first, tied, third = read_cells([record("a", 0.9300), record("b", 0.9296), record("c", 0.9294)], 60)
    assert [rank(cell, [first, tied, third]) for cell in (first, tied, third)] == [1, 1, 2]


def test_of_a_loss_a_tie_is_relative_and_smaller_is_better() -> None:
    first, tied, third = read_cells([record(name, loss, task="regression") for name, loss in (("a", 45000.0), ("b", 45200.0), ("c", 45300.0))], 60)
    assert [rank(cell, [first, tied, third]) for cell in (first, tied, third)] == [1, 1, 2]


def test_the_newest_record_counts_and_other_budgets_do_not() -> None:
    lines = [record("a", 0.8), record("a", 0.9), json.dumps({"system": "a", "ok": False}), record("a", 0.7).replace('"budget": 60', '"budget": 10')]
    assert [cell.score for cell in read_cells(lines, 60)] == [0.9]


def test_the_report_is_over_the_cells_of_this_run() -> None:
    cells = read_cells([
        record(OURS, 0.93, predict_s=0.02, model_mb=1.0, fit_s=59), record("peer", 0.94, predict_s=0.4, model_mb=200.0),
        record(OURS, 0.75, dataset="old", at="2026-01-01T00:00:00Z"), record("peer", 0.7, dataset="old"),
    ], 60)
    lines = report(cells, "2026-01-02T00:00:00Z")
    assert "| adult | 0 | 0.93 | 2 of 2 | 0.94 | peer | 20 | 1 | 59 |" in lines
    assert "| cmd:ours | 1 | 2.00 | 0 of 1 | 20 | 1 | 2026-01-02 |" in lines
    assert "| peer | 1 | 1.00 | 1 of 1 | 400 | 200 | 2026-01-02 |" in lines
    assert not any("old" in line for line in lines)


def test_without_the_shared_folder_it_says_so(tmp_path: Any, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setattr("tests.benchmarks.side_by_side.HARNESS", tmp_path)
    assert main([]) == 2
    assert "there is no" in capsys.readouterr().err
