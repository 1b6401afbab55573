"""Other cuts: each point counted again by hand."""

from __future__ import annotations

import numpy as np
import pytest

from automl.audit.threshold_curve import cuts, measure_threshold_curve
from automl.evidence import Estimate, NotMeasured, Threshold, ThresholdCurve
from tests.automl.audit.cases import binary, from_counts, multiclass, regression


@pytest.mark.parametrize("favourable", ["good", "bad"])
def test_every_point_is_what_its_cut_does(favourable: str) -> None:
    o = binary(800, favourable=(favourable,), threshold=Threshold(value=0.37, chosen_on="a test"))
    curve = measure_threshold_curve(o, {})
    assert isinstance(curve, ThresholdCurve)
    assert [point.cut for point in curve.points if point.chosen] == [0.37]
    assert [point.cut for point in curve.points] == sorted({point.cut for point in curve.points})
    assert isinstance(o.score, np.ndarray)
    for point in curve.points:
        positive = o.score >= point.cut
        selected = positive if favourable == "good" else ~positive
        assert isinstance(point.selection_rate, Estimate)
        assert isinstance(point.accuracy, Estimate)
        assert point.selection_rate.value == pytest.approx(selected.mean())
        assert point.accuracy.value == pytest.approx((positive == o.truth).mean())
        lowest = point.lowest[0]
        rates = {name: selected[o.groups["group"] == name].mean() for name in ("a", "b", "c")}
        if isinstance(lowest.ratio, Estimate):
            assert lowest.ratio.value == pytest.approx(min(rates.values()) / max(rates.values()))
            assert lowest.ratio.low <= lowest.ratio.value <= lowest.ratio.high
            assert rates[str(lowest.group)] == min(rates.values())


def test_groups_of_a_few_rows_do_not_make_the_lowest_ratio() -> None:
    o = binary(600)
    group = o.groups["group"].copy()
    group[:20] = "tiny"
    score = np.asarray(o.score).copy()
    score[:20] = 0.0
    curve = measure_threshold_curve(binary(600, groups={"group": group}, score=score), {})
    assert isinstance(curve, ThresholdCurve)
    assert "tiny" not in {point.lowest[0].group for point in curve.points}


def test_a_named_reference_is_kept() -> None:
    curve = measure_threshold_curve(binary(800), {"group": "c"})
    assert isinstance(curve, ThresholdCurve)
    assert {point.lowest[0].reference for point in curve.points if isinstance(point.lowest[0].ratio, Estimate)} == {"c"}


def test_cuts_lie_where_they_part_rows() -> None:
    score = np.array([0.1, 0.1, 0.1, 0.9, 0.9])
    assert all(0.1 < cut <= 0.9 for cut in cuts(score, True, None))
    assert cuts(score, False, 0.5) == [0.5, 0.9]
    assert cuts(np.full(5, 0.3), True, None) == []


def test_what_has_no_cut_says_why() -> None:
    for o, reason in ((regression(40), "regression"), (multiclass(40), "most probable"), (from_counts({"a": (1, 2)}), "no score"), (binary(40, favourable=("good", "bad")), "favourable")):
        found = measure_threshold_curve(o, {})
        assert isinstance(found, NotMeasured)
        assert reason in found.reason


def test_without_labels_there_is_no_accuracy() -> None:
    curve = measure_threshold_curve(binary(300, truth=None), {})
    assert isinstance(curve, ThresholdCurve)
    assert all(isinstance(point.accuracy, NotMeasured) for point in curve.points)
