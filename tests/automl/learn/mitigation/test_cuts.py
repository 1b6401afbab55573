"""Cut-offs that bring groups nearer: held to exhaustive search, to Fairlearn's metrics, and to what "no change" means."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from fairlearn import metrics
from scipy.spatial import ConvexHull

from automl.learn.mitigation.curves import STEPS, curve
from automl.learn.mitigation.cuts import Cuts, common_cuts, curves_of, towards_equal_odds, towards_parity
from automl.learn.mitigation.decisions import Aim, Decisions, aim_of, cells, spread, value_of
from tests.automl.learn.mitigation.people import people

GROUPS = ("a", "b", "c")


def aim(decisions: Decisions) -> Aim:
    found = aim_of("group", decisions)
    assert found is not None
    return found


def gain(given: Any, decisions: Decisions, price: float = 0.5) -> float:
    """Over the compared groups alone: who is not compared is not moved."""
    among = np.isin(decisions.groups["group"], GROUPS)
    return float((decisions.heavy * given * np.where(decisions.deserving, 1 - price, -price))[among].sum())


def test_the_expected_gain_is_that_of_the_probabilities() -> None:
    decisions = Decisions(
        score=np.array([0.9, 0.2, 0.6]), selected=np.array([True, False, True]), deserving=np.array([False, True, True]), groups={}, weight=np.array([1.0, 2.0, 1.0]))
    everybody = np.ones(3, dtype=bool)
    assert curve(decisions, everybody, 0.3).gain == pytest.approx([0, -0.3, 0.4, 1.8])
    assert curve(decisions, everybody, 0.3, expected=True).gain == pytest.approx([0, 0.6, 0.9, 0.7])


def test_small_and_unknown_groups_are_not_compared_and_the_most_selected_one_is_the_reference() -> None:
    decisions = people()
    assert aim(decisions) == Aim("group", ("a", "b", "c"), "a")
    assert aim_of("group", decisions, "c") == Aim("group", ("a", "b", "c"), "c")
    assert aim_of("group", people(80)) is None


def test_people_and_not_rows_make_a_group_large() -> None:
    decisions = people(1_200, cluster=np.arange(1_200) % 25)
    assert aim_of("group", decisions) is None


@pytest.mark.parametrize("weighted", [False, True])
def test_the_spread_is_fairlearns(weighted: bool) -> None:
    decisions = people(weighted=weighted)
    among = np.isin(decisions.groups["group"], GROUPS)
    found = spread(decisions.selected.astype(float), decisions, aim(decisions))
    arguments: dict[str, Any] = {"sensitive_features": decisions.groups["group"][among], "sample_weight": None if decisions.weight is None else decisions.weight[among]}
    y, got = decisions.deserving[among].astype(int), decisions.selected[among].astype(int)
    assert found.selection == pytest.approx(metrics.demographic_parity_difference(y, got, **arguments), abs=1e-12)
    assert found.ratio == pytest.approx(metrics.demographic_parity_ratio(y, got, **arguments), abs=1e-12)
    assert found.odds == pytest.approx(metrics.equalized_odds_difference(y, got, **arguments), abs=1e-12)


def test_the_hull_is_qhulls() -> None:
    decisions = people(600)
    one = curve(decisions, decisions.groups["group"] == "a", 0.5)
    points = np.column_stack([one.fpr, one.tpr])
    theirs = {tuple(points[at]) for at in ConvexHull(points).vertices}
    upper = {point for point in theirs if point[1] >= point[0] - 1e-12}
    ours = {tuple(point) for point in points[one.hull()]}
    assert upper <= ours | {(0.0, 0.0), (1.0, 1.0)}
    hull = points[one.hull()]
    # a point on the line between two others may be kept: rounding decides
    assert len(ours) <= len(upper) + 2
    assert (np.interp(points[:, 0], hull[:, 0], hull[:, 1]) >= points[:, 1] - 1e-12).all()


@pytest.mark.parametrize("price", [0.5, 0.3])
@pytest.mark.parametrize("width", [0.0, 0.1, 0.3])
def test_no_cut_offs_within_the_width_gain_more(width: float, price: float) -> None:
    """Against every combination of every cut-off, on few people."""
    draw = np.random.default_rng(3)
    group = np.repeat(np.array(["a", "b"], dtype=object), 24)
    score = np.round(draw.random(48), 2)
    decisions = Decisions(score=score, selected=score >= 0.5, deserving=draw.random(48) < score, groups={"group": group})
    target = Aim("group", ("a", "b"), "a")
    curves = curves_of(decisions, target, price)
    found = towards_parity(curves, target, width)
    given = found.given(decisions)
    assert not found.drawn
    apart = abs(given[group == "a"].mean() - given[group == "b"].mean())
    assert apart <= max(width, 1 / 24) + 1e-9
    best = max(float(gain_a + gain_b) for (rate_a, gain_a), (rate_b, gain_b) in product(*(zip(each.rate, each.gain, strict=True) for each in curves.values()))
               if abs(rate_a - rate_b) <= width + 1e-9)
    mine = float((given * np.where(decisions.deserving, 1 - price, -price)).sum())
    assert mine >= best - 1e-9


@pytest.mark.parametrize("weighted", [False, True])
def test_each_step_leaves_as_much_of_the_gap_as_it_says_and_costs_more(weighted: bool) -> None:
    decisions = people(weighted=weighted)
    target, curves = aim(decisions), curves_of(decisions, aim(decisions), 0.5)
    today = spread(decisions.selected.astype(float), decisions, target)
    gains = []
    for left in (1.0, 2 / 3, 1 / 3, 0.0):
        given = towards_parity(curves, target, left * today.selection).given(decisions)
        assert spread(given, decisions, target).selection <= left * today.selection + 0.01
        gains.append(gain(given, decisions))
    assert gains[0] >= gain(decisions.selected, decisions), "the width of today's gap allows today's decisions"
    assert gains == sorted(gains, reverse=True)


@pytest.mark.parametrize("left", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_error_rates_come_as_near_as_they_should(left: float, weighted: bool) -> None:
    decisions = people(weighted=weighted)
    target, curves = aim(decisions), curves_of(decisions, aim(decisions), 0.5)
    today = spread(decisions.selected.astype(float), decisions, target)
    found = towards_equal_odds(curves, target, left * today.odds, 0.5)
    given = found.given(decisions)
    assert spread(given, decisions, target).odds <= left * today.odds + 1e-7
    assert given.min() >= 0
    assert given.max() <= 1
    if left == 0.0:
        assert found.drawn, "curves of unequal sharpness meet in no one cut-off each"
    if left == 1.0:
        assert gain(given, decisions) >= gain(decisions.selected, decisions) - 1e-7


def test_who_is_not_compared_keeps_the_deployed_decision() -> None:
    decisions = people()
    others = ~np.isin(decisions.groups["group"], GROUPS)
    given = towards_parity(curves_of(decisions, aim(decisions), 0.5), aim(decisions), 0.0).given(decisions)
    assert (given[others] == decisions.selected[others]).all()
    assert (given != decisions.selected).any()


def test_rates_of_small_groups_that_meet_nowhere_else_do_not_end_in_selecting_nobody() -> None:
    """1,016, 693 and 291 people: of 2,001 windows of a twentieth of a per cent only those of nobody and everybody hold a rate of each group."""
    draw = np.random.default_rng(0)
    group = np.repeat(np.array(GROUPS, dtype=object), (1_016, 693, 291))
    score = draw.random(2_000)
    decisions = Decisions(score=score, selected=score >= 0.5, deserving=draw.random(2_000) < score, groups={"group": group})
    given = towards_parity(curves_of(decisions, aim(decisions), 0.5), aim(decisions), 0.0).given(decisions)
    assert 0.3 < given.mean() < 0.7
    assert spread(given, decisions, aim(decisions)).selection < 1 / 291 + 1e-9


def test_scores_with_few_values_still_have_an_answer() -> None:
    decisions = people()
    coarse = np.where(decisions.score > 0.5, 0.8, 0.2)
    decisions = people(score=coarse, selected=coarse >= 0.5)
    target, curves = aim(decisions), curves_of(decisions, aim(decisions), 0.5)
    # only nobody and everybody have equal rates
    assert spread(towards_parity(curves, target, 0.0).given(decisions), decisions, target).selection in (0.0, pytest.approx(0.0))
    assert spread(towards_equal_odds(curves, target, 0.0, 0.5).given(decisions), decisions, target).odds == pytest.approx(0.0, abs=1e-7)


def test_a_long_curve_is_looked_at_in_even_steps() -> None:
    decisions = people(30_000)
    one = curve(decisions, decisions.groups["group"] == "a", 0.5)
    assert len(one.cuts) <= STEPS + 2
    assert np.diff(one.rate).max() < 2 / STEPS
    assert (one.rate[0], one.rate[-1]) == (0.0, 1.0)


def test_one_cut_off_moved_keeps_to_its_price_and_raises_the_ratio() -> None:
    decisions = people()
    now = value_of("accuracy", cells(decisions.selected.astype(float), decisions.deserving, decisions.heavy, True))
    found, dearer, never = common_cuts(decisions, aim(decisions), "accuracy", [now - 0.02, now - 0.1, 1.1], True)
    assert found is not None
    assert dearer is not None
    assert never is None
    given = found.given(decisions)
    assert value_of("accuracy", cells(given, decisions.deserving, decisions.heavy, True)) >= now - 0.02
    before, after = spread(decisions.selected.astype(float), decisions, aim(decisions)).ratio, spread(given, decisions, aim(decisions)).ratio
    assert before is not None
    assert after is not None
    further = spread(dearer.given(decisions), decisions, aim(decisions)).ratio
    assert further is not None
    assert further > after > before


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "f1", "mcc"])
@pytest.mark.parametrize("positive", [True, False])
def test_metrics_of_expected_cells_are_scikit_learns(metric: str, positive: bool) -> None:
    from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, matthews_corrcoef

    theirs = {"accuracy": accuracy_score, "balanced_accuracy": balanced_accuracy_score, "f1": f1_score, "mcc": matthews_corrcoef}[metric]
    decisions = people(weighted=True)
    found = value_of(metric, cells(decisions.selected.astype(float), decisions.deserving, decisions.heavy, positive))
    y, got = (decisions.deserving, decisions.selected) if positive else (~decisions.deserving, ~decisions.selected)
    assert found == pytest.approx(theirs(y, got, sample_weight=decisions.weight), abs=1e-12)


def test_cuts_without_an_attribute_are_everybodys() -> None:
    decisions = people()
    assert (Cuts(everybody=((0.3, 1.0),)).given(decisions) == (decisions.score >= 0.3)).all()
    assert not Cuts().given(decisions).any(), "no step: nobody"
    assert Cuts(everybody=((0.3, 0.5), (0.6, 0.5))).drawn
