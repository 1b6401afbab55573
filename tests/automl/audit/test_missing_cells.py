from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from automl.audit import missing_cells
from automl.audit.missing_cells import missing_by_group
from automl.data.splits import Rows
from automl.evidence import Estimate


def rows(income: list[float], age: list[float], groups: list[str | None], weight: list[float] | None = None) -> Rows:
    n = len(income)
    return Rows(pd.DataFrame({"income": income, "age": age, "whole": np.zeros(n)}), np.zeros(n, dtype=np.int64), {"sex": np.array(groups, dtype=object)},
                None if weight is None else np.array(weight), None, np.arange(n))


NAN = float("nan")
TRAIN = rows([1, NAN, NAN, 4, NAN], [1, 2, 3, 4, NAN], ["f", "f", "m", "m", None])
AUDIT = rows([NAN, 2], [5, 6], ["f", "m"])


def test_both_parts_count_and_unknown_rows_are_in_no_group() -> None:
    found = missing_by_group((TRAIN, AUDIT))
    assert [(one.column, one.group, one.missing, one.n) for one in found] == [("income", "f", 2, 3), ("age", "f", 0, 3), ("income", "m", 1, 3), ("age", "m", 0, 3)]
    share = found[0].share
    assert isinstance(share, Estimate)
    assert (share.low, share.high) == pytest.approx(proportion_confint(2, 3, method="wilson"))


def test_inputs_without_missing_cells_are_left_out_and_the_worst_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "whole" not in {one.column for one in missing_by_group((TRAIN,))}
    monkeypatch.setattr(missing_cells, "MOST_COLUMNS", 1)
    assert {one.column for one in missing_by_group((TRAIN, AUDIT))} == {"income"}
    assert missing_by_group((rows([1, 2], [1, 2], ["f", "m"]),)) == ()


def test_shares_are_weighted_as_all_rates_are() -> None:
    [share] = [one.share for one in missing_by_group((rows([1, NAN], [1, 2], ["f", "f"], weight=[3, 1]),))]
    assert isinstance(share, Estimate)
    assert share.value == pytest.approx(0.25)
