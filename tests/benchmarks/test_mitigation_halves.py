from __future__ import annotations

import numpy as np
import pytest

from automl.learn.mitigation.decisions import aim_of
from tests.automl.learn.mitigation.people import people
from tests.benchmarks.mitigation_halves import PAIRS, judged, report


def test_every_row_is_judged_as_often_and_by_cut_offs_that_were_chosen_without_it() -> None:
    decisions = people(1_200)
    aim = aim_of("group", decisions)
    assert aim is not None
    group = next(name for name in aim.groups if name != aim.reference)
    found = judged(decisions, aim, group, seed=0, repeats=1)
    assert {len(values) for values in found.values()} == {2}
    right = np.mean(decisions.selected == decisions.deserving)
    assert np.mean([values[0] for values in found["deployed model"]]) == pytest.approx(right, abs=1e-3)
    deployed, ours = (np.mean([abs(values[1]) for values in found[method]]) for method in ("deployed model", PAIRS[0][0]))
    assert 0 < ours < deployed
    lines = report("people", 1, found)
    assert sum(line.startswith("| ") for line in lines) == 6
    assert sum("minus Fairlearn's" in line for line in lines) == 2
