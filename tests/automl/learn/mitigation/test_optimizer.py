"""Fairlearn's ThresholdOptimizer as cut-offs of ours: the same chances for every row."""

from __future__ import annotations

import numpy as np
import pytest

from automl.learn.mitigation import optimizer
from automl.learn.mitigation.cuts import curves_of, towards_equal_odds
from automl.learn.mitigation.decisions import aim_of, spread
from automl.learn.mitigation.optimizer import Constraint, optimized_cuts
from tests.automl.learn.mitigation.people import people


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
@pytest.mark.parametrize("constraint", ["demographic_parity", "equalized_odds"])
def test_the_same_chances_as_fairlearns_own_prediction(constraint: Constraint) -> None:
    from fairlearn.postprocessing import ThresholdOptimizer

    decisions = people()
    aim = aim_of("group", decisions)
    assert aim is not None
    among = np.isin(decisions.groups["group"], aim.groups)
    given = optimized_cuts(decisions, aim, constraint).given(decisions)
    theirs = ThresholdOptimizer(estimator=optimizer._Scored(), constraints=constraint, objective="accuracy_score", grid_size=optimizer.GRID, prefit=True, predict_method="predict_proba")
    score, names = decisions.score[among].reshape(-1, 1), decisions.groups["group"][among]
    theirs.fit(score, decisions.deserving[among].astype(int), sensitive_features=names)
    assert given[among] == pytest.approx(theirs._pmf_predict(score, sensitive_features=names)[:, 1], abs=1e-9)
    assert (given[~among] == decisions.selected[~among]).all()


def test_equal_error_rates_of_ours_gain_no_less() -> None:
    """The linear programme has every mixture that Fairlearn's has."""
    decisions = people(3_000)
    aim = aim_of("group", decisions)
    assert aim is not None
    among = np.isin(decisions.groups["group"], aim.groups)
    right = np.where(decisions.deserving, 1.0, -1.0)[among]
    ours = towards_equal_odds(curves_of(decisions, aim, 0.5), aim, 0.0, 0.5).given(decisions)[among]
    theirs = optimized_cuts(decisions, aim, "equalized_odds").given(decisions)[among]
    assert spread(optimized_cuts(decisions, aim, "equalized_odds").given(decisions), decisions, aim).odds < 0.01
    assert ours @ right >= theirs @ right - 1e-6


def test_weights_are_refused() -> None:
    decisions = people(weighted=True)
    aim = aim_of("group", decisions)
    assert aim is not None
    with pytest.raises(ValueError, match="knows no weights"):
        optimized_cuts(decisions, aim, "demographic_parity")
