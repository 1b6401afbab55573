from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.learn.cut_off import choose_threshold
from automl.learn.predictions import to_predictions


def test_the_cut_is_one_half_where_that_selects_some() -> None:
    threshold = choose_threshold(np.array([-2.0, -1.0, 1.0]), np.array([0, 0, 1]))
    assert (threshold.value, threshold.chosen_on) == (0.5, "default 0.5")


@pytest.mark.parametrize(("raw", "word"), [(np.linspace(-4, -2, 100), "nobody"), (np.linspace(2, 4, 100), "everybody")])
def test_a_cut_that_selects_nobody_or_everybody_gives_way_to_the_base_rates_share(raw: Any, word: str) -> None:
    y = (np.arange(100) >= 80).astype(np.int64)
    threshold = choose_threshold(raw, y)
    selected = to_predictions(raw, "binary").probabilities[:, 1] >= threshold.value
    assert selected.sum() == 20
    assert word in threshold.chosen_on
    assert "out-of-fold" in threshold.chosen_on


def test_equal_scores_fall_on_one_side_and_the_cut_says_what_it_selects() -> None:
    raw = np.r_[np.full(90, -2.0), np.full(10, -1.0)]
    threshold = choose_threshold(raw, (np.arange(100) >= 80).astype(np.int64))
    assert (to_predictions(raw, "binary").probabilities[:, 1] >= threshold.value).sum() == 10
    assert "selects 10.0% of the rows, nearest to the base rate of 20.0%" in threshold.chosen_on


def test_where_all_scores_are_equal_one_half_stays() -> None:
    threshold = choose_threshold(np.full(100, -2.0), (np.arange(100) >= 80).astype(np.int64))
    assert threshold.value == 0.5
    assert "all scores are equal" in threshold.chosen_on
