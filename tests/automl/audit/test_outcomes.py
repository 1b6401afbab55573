from __future__ import annotations

import numpy as np
import pytest

from automl.audit.outcomes import Outcomes, groups_of
from automl.evidence import Threshold
from tests.automl.audit.cases import binary, multiclass, regression


def test_the_favourable_outcome_may_be_the_negative_class() -> None:
    """compas: being predicted "0" (no new offence) is good for the person."""
    outcomes = Outcomes("binary", ("0", "1"), "1", ("0",), np.array([0, 1, 1]), np.array([0.2, 0.9, 0.4]), np.array([0, 1, 0]))
    selected, deserving, score = outcomes.selected(), outcomes.deserving(), outcomes.favourable_score()
    assert selected is not None
    assert deserving is not None
    assert score is not None
    assert selected.tolist() == [True, False, True]
    assert deserving.tolist() == [True, False, False]
    assert score.tolist() == pytest.approx([0.8, 0.1, 0.6])


def test_a_threshold_makes_decisions_of_a_score() -> None:
    outcomes = Outcomes("binary", ("0", "1"), "1", ("1",), None, np.array([0.2, 0.5, 0.9]), None, threshold=Threshold(value=0.5, chosen_on="given"))
    assert outcomes.decisions is not None
    assert outcomes.decisions.tolist() == [0, 1, 1]
    assert binary(decision=None).decisions is None


def test_several_favourable_classes_are_one_outcome() -> None:
    outcomes = multiclass()
    score, selected = outcomes.favourable_score(), outcomes.selected()
    assert score is not None
    assert selected is not None
    assert outcomes.score is not None
    np.testing.assert_allclose(score, outcomes.score[:, 1:].sum(axis=1))
    assert (selected == (outcomes.decision != 0)).all()
    assert (outcomes.selected("low") == ~selected).all()


def test_scores_that_are_no_probabilities_stay_as_given() -> None:
    outcomes = binary(score=np.linspace(300, 850, 600), favourable=("bad",))
    score = outcomes.favourable_score()
    assert not outcomes.scores_are_probabilities
    assert score is not None
    assert score[0] == 300


def test_a_regression_selects_nobody() -> None:
    assert regression().selected() is None


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        binary(truth=np.zeros(3))
    with pytest.raises(ValueError, match="score, a decision or both"):
        binary(score=None, decision=None)
    with pytest.raises(ValueError, match="not among the labels"):
        binary(favourable=("excellent",))


def test_take_keeps_rows_together() -> None:
    outcomes = binary(weight=np.arange(600.0), cluster=np.arange(600))
    part = outcomes.take(np.array([5, 7]))
    assert part.rows == 2
    assert part.weight is not None
    assert part.weight.tolist() == [5, 7]
    assert part.groups["group"].tolist() == outcomes.groups["group"][[5, 7]].tolist()


def test_bins_are_in_the_order_of_their_numbers_and_other_groups_by_name() -> None:
    assert groups_of(np.array([">= 101", "26 to 37", None, "<= 25", "38 to 100"], dtype=object)) == ["<= 25", "26 to 37", "38 to 100", ">= 101"]
    assert groups_of(np.array(["> 2", "> 0.5 to 2", "<= 0.5"], dtype=object)) == ["<= 0.5", "> 0.5 to 2", "> 2"]
    assert groups_of(np.array(["10", "9", None], dtype=object)) == ["10", "9"]


def test_one_score_of_several_classes_speaks_of_the_positive_class_only() -> None:
    score = np.array([0.2, 0.9])
    o = Outcomes("multiclass", ("lo", "mid", "hi"), "mid", ("mid",), None, score, np.array([0, 1]))
    assert o.favourable_score() is score
    for favourable in ("hi", ("hi", "mid"), ()):
        assert o.favourable_score(favourable) is None
    assert Outcomes("multiclass", ("lo", "mid", "hi"), None, ("hi",), None, score, np.array([0, 1])).favourable_score() is None


def test_no_favourable_class_has_no_score() -> None:
    assert multiclass(favourable=()).favourable_score() is None


def test_some_rows_of_scores_that_are_no_probabilities_are_none_either() -> None:
    o = binary(score=np.linspace(-3, 3, 600))
    inside = (np.asarray(o.score) >= 0) & (np.asarray(o.score) <= 1)
    assert not o.scores_are_probabilities
    assert not o.take(inside).scores_are_probabilities
