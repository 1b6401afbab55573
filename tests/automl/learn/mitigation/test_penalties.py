"""Networks under a penalty: what is penalised, by hand, and a path on few rows."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import torch

from automl.hooks import Hooks
from automl.learn.deadline import Deadline
from automl.learn.ensemble import fit_best
from automl.learn.families import CannotFit
from automl.learn.families.torch_penalty import _apart
from automl.learn.mitigation.alternatives import decisions_of
from automl.learn.mitigation.decisions import aim_of, spread
from automl.learn.mitigation.penalties import STRENGTHS, penalty_path
from automl.learn.search import search
from automl.spec import TaskSpec
from tests.automl.learn.mitigation.test_alternatives import SPEC, rows


def test_the_penalty_is_the_deviation_between_groups_over_all_rows_or_within_each_label() -> None:
    chance, y = torch.tensor([0.2, 0.4, 0.6, 1.0]), torch.tensor([0.0, 1.0, 0.0, 1.0])
    of_group = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert float(_apart(chance, of_group, y, "demographic_parity")) == pytest.approx(0.25, abs=1e-4)  # means 0.3 and 0.8
    assert float(_apart(chance, of_group, y, "equalized_odds")) == pytest.approx((0.2 + 0.3) / 2, abs=1e-4)  # 0.2, 0.6 and 0.4, 1.0
    nobody_compared = of_group.clone()
    nobody_compared[2:] = 0
    assert float(_apart(chance, nobody_compared, y, "demographic_parity")) == pytest.approx(0, abs=2e-3)


@pytest.mark.slow
def test_the_path_narrows_the_gap_out_of_fold_and_is_the_same_again(tmp_path: Any) -> None:
    split, problem = rows()
    spec = TaskSpec.model_validate(SPEC)
    result = search(split, problem, spec, Hooks(), tmp_path, Deadline(None, started=time.time()))
    model = fit_best(result, split, problem, spec)
    decisions = decisions_of(model, model.out_of_fold, split.train, 1)
    aim = aim_of("sex", decisions)
    assert aim is not None

    def learn() -> Any:
        return penalty_path(split.train, problem, result.frame, decisions, model, aim, ("demographic_parity", "equalized_odds"), seed=0, threads=1, check=lambda: None)

    path = learn()
    assert list(path) == [(None, 0.0), *((each, strength) for each in ("demographic_parity", "equalized_odds") for strength in STRENGTHS)]
    apart = {kind: spread(np.asarray(each.decide(each.out_of_fold) == 1, dtype=np.float64), decisions, aim) for kind, each in path.items()}
    plain = apart[None, 0.0]
    assert apart["demographic_parity", STRENGTHS[-1]].selection < plain.selection - 0.05
    assert apart["equalized_odds", STRENGTHS[-1]].odds < plain.odds
    assert {kind: each.sha256 for kind, each in path.items()} == {kind: each.sha256 for kind, each in learn().items()}
    assert np.array_equal(path[None, 0.0].raw(split.train.features[:5]), np.mean([each.raw(result.frame[:5]) for each in path[None, 0.0].members[0].folds], axis=0))


def test_too_few_rows_are_refused() -> None:
    split, problem = rows()
    few = type("Few", (), {"y": split.train.y[:700]})
    with pytest.raises(CannotFit, match="half of fewer than 800 rows"):
        penalty_path(few, problem, split.train.features, None, None, None, (), seed=0, threads=1, check=lambda: None)  # type: ignore[arg-type]
