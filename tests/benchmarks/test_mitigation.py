from __future__ import annotations

from typing import Any

import pytest

from tests.benchmarks.mitigation import DEPLOYED, PAIRS, corrected_interval, main, readings, report, who_sees
from tests.mitigation_example import with_mitigation


def test_dependent_splits_have_wider_intervals_than_independent_ones() -> None:
    values = [0.1, 0.2, 0.3, 0.4]
    centre, low, high = corrected_interval(values, 1 / 3)
    assert centre == pytest.approx(0.25)
    # 3.182 standard deviations of 0.1291, times the root of 1/4 + 1/3
    assert (low, high) == pytest.approx((0.25 - 0.3137, 0.25 + 0.3137), abs=1e-3)
    assert corrected_interval(values, 0.0)[1] > low


def test_every_method_is_read_with_its_gaps_and_its_ratio() -> None:
    evidence = with_mitigation()
    found = readings(evidence, "Female")
    assert len(found) == 7
    assert found[DEPLOYED]["selection"] == pytest.approx(334 / 3_990 - 0.25)
    assert found[DEPLOYED]["ratio"] == pytest.approx(334 / 3_990 / 0.25)
    assert found["a cut-off for each group, equal selection rates"]["accuracy"] == pytest.approx(0.8671 - 0.0142)
    assert who_sees(evidence)["exponentiated gradient, equal selection rates"] == "no group, by lot"


def test_the_report_pairs_ours_with_fairlearns_by_seed() -> None:
    def reading(accuracy: float, gap: float) -> dict[str, float]:
        return {"accuracy": accuracy, "selection": gap, "tpr": -gap, "fpr": gap, "ratio": 1 + gap, "audit over train": 1 / 3}

    ours, theirs = PAIRS[0]
    lines = report("adult", {DEPLOYED: [reading(0.87, 0.2)] * 2, ours: [reading(0.86, 0.01), reading(0.85, -0.01)], theirs: [reading(0.85, 0.02), reading(0.84, -0.02)]}, {ours: "the group"})
    row = next(line for line in lines if line.startswith(f"| {ours} |"))
    assert "| the group |" in row
    assert "| +0.0000 (" in row, "signed gaps cancel"
    assert "| 0.0100 |" in row, "absolute ones do not"
    pair = next(line for line in lines if line.startswith(f"| {ours}, minus"))
    assert pair.startswith(f"| {ours}, minus {theirs} | +0.0100 (+0.0100 to +0.0100) | -0.0100")


def test_without_the_shared_folder_it_says_so(tmp_path: Any, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setattr("tests.benchmarks.mitigation.DATA", tmp_path / "absent")
    assert main([]) == 2
    assert "there is no" in capsys.readouterr().err
