from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from automl.audit.reasons.backgrounds import BLOCKS, Scale, all_applicants, at_the_cut

UP = Scale(1, 0.0)


def frame(n: int) -> pd.DataFrame:
    return pd.DataFrame({"at": np.arange(n, dtype=float)})


@pytest.mark.parametrize(("favourable", "taken"), [(20, 20), (39, 20), (450, 40), (4_000, 400), (9_000, 500)])
def test_people_at_the_cut_are_the_nearest_favourable_ones_20_to_500_of_them(favourable: int, taken: int) -> None:
    scores = np.random.default_rng(0).permutation(np.concatenate([-np.arange(1, 101), np.arange(favourable)]).astype(float))
    cut = at_the_cut(frame(len(scores)), scores, UP, 0)
    assert cut is not None
    assert cut.told.n == taken == len(cut.frame)
    assert sorted(scores[cut.frame["at"].astype(int)]) == list(range(taken))
    assert cut.scores == (0.0, taken - 1.0)
    assert {len(block) for block in cut.blocks()} == {taken // BLOCKS}
    assert sorted(pd.concat(cut.blocks())["at"]) == sorted(cut.frame["at"])


def test_without_20_favourable_rows_there_is_nobody_to_compare_with() -> None:
    assert at_the_cut(frame(50), np.concatenate([np.ones(19), -np.ones(31)]), UP, 0) is None


def test_all_applicants_are_drawn_without_their_scores_and_the_seed_repeats_them() -> None:
    first, again, other = (all_applicants(frame(2_000), seed).told for seed in (0, 0, 1))
    assert first == again
    assert first.sha256 != other.sha256
    assert first.n == 500


@pytest.mark.parametrize(("threshold", "positive", "cut"), [(0.5, True, 0.0), (0.75, True, np.log(3)), (0.75, False, -np.log(3))])
def test_the_scale_points_towards_the_favourable_outcome(threshold: float, positive: bool, cut: float) -> None:
    scale = Scale.of(threshold, positive)
    assert scale is not None
    assert scale.cut == pytest.approx(cut)
    raw = np.array([np.log(threshold / (1 - threshold))])
    assert scale.favourable(scale.scores(raw)).tolist() == [positive], "the cut itself belongs to the positive class"
    assert scale.favourable(scale.scores(raw - 1)).tolist() == [not positive]


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_no_distance_to_a_cut_that_is_no_probability_in_between(threshold: float) -> None:
    assert Scale.of(threshold, True) is None
