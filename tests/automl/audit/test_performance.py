from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ttest_ind
from sklearn.metrics import auc, confusion_matrix

from automl.audit.outcomes import Outcomes
from automl.audit.performance import CURVE_POINTS, measure_performance
from automl.evidence import Calibration, Confusion, Estimate, NotMeasured, PerformanceSection, Threshold
from tests.automl.audit.cases import binary, multiclass, regression


def measured(*args: object, **options: object) -> PerformanceSection:
    section = measure_performance(*args, seed=0, **options)  # type: ignore[arg-type]
    assert isinstance(section, PerformanceSection)
    return section


def test_without_labels_nothing_is_measured() -> None:
    assert isinstance(measure_performance(binary(truth=None), seed=0), NotMeasured)


def test_every_group_has_the_metrics_of_its_rows() -> None:
    o = binary()
    section = measured(o)
    assert [group.group for group in section.by_group["group"]] == ["a", "b", "c"]
    assert [group.group for group in section.by_group["sex"]] == ["f", "m"]  # unknown is no group
    for group in section.by_group["group"]:
        rows = o.groups["group"] == group.group
        assert group.n == rows.sum()
        accuracy = group.metrics["accuracy"]
        assert isinstance(accuracy, Estimate)
        assert accuracy.value == pytest.approx(float((np.asarray(o.truth) == np.asarray(o.decision))[rows].mean()))


@pytest.mark.parametrize("make", [binary, multiclass])
def test_confusion_is_scikit_learns(make: object) -> None:
    o = make()  # type: ignore[operator]
    confusion = measured(o).confusion
    assert isinstance(confusion, Confusion)
    assert confusion.labels == o.labels
    assert np.array(confusion.counts).tolist() == confusion_matrix(o.truth, o.decision).tolist()


def test_baselines_are_measured_on_the_same_rows() -> None:
    section = measured(binary(), baselines={"majority": binary(score=np.full(600, 0.4), decision=np.zeros(600, dtype=np.int64))})
    chance = section.baselines["majority"]["roc_auc"]
    assert isinstance(chance, Estimate)
    assert chance.value == 0.5
    assert chance.low < 0.5 < chance.high


def test_calibration_bins_hold_all_rows_and_the_observed_rates() -> None:
    o = binary()
    calibration = measured(o).calibration
    assert isinstance(calibration, Calibration)
    assert len(calibration.bins) == 10
    assert sum(b.n for b in calibration.bins) == 600
    assert all(b.n >= 30 for b in calibration.bins)
    for b in calibration.bins:
        rows = (np.asarray(o.score) >= b.low) & (np.asarray(o.score) <= b.high)
        assert isinstance(b.observed, Estimate)
        assert b.observed.value == pytest.approx(float(np.asarray(o.truth)[rows].mean()))
    whole = calibration.observed_over_expected
    assert isinstance(whole, Estimate)
    assert whole.value == pytest.approx(np.asarray(o.truth).sum() / np.asarray(o.score).sum())


def test_equal_scores_share_a_bin_and_few_rows_make_one() -> None:
    constant = measured(binary(score=np.full(600, 0.4))).calibration
    assert isinstance(constant, Calibration)
    assert [b.n for b in constant.bins] == [600]
    few = measured(binary().take(np.arange(40))).calibration
    assert isinstance(few, Calibration)
    assert len(few.bins) == 1


def test_of_several_classes_the_likeliest_one_is_held_against_the_truth() -> None:
    o = multiclass()
    assert o.score is not None
    calibration = measured(o).calibration
    assert isinstance(calibration, Calibration)
    assert calibration.of == "likeliest"
    right = o.score.argmax(axis=1) == o.truth
    whole = calibration.observed_over_expected
    assert isinstance(whole, Estimate)
    assert whole.value == pytest.approx(right.sum() / o.score.max(axis=1).sum())
    assert sum(one.n for one in calibration.bins) == len(right)
    assert sum(one.observed.value * one.n for one in calibration.bins if isinstance(one.observed, Estimate)) == pytest.approx(right.sum())


def test_scores_are_counted_by_true_class() -> None:
    o = binary()
    scores = measured(o).scores
    assert scores is not None
    assert o.score is not None
    assert (scores.edges[0], scores.edges[-1], len(scores.edges)) == (0, 1, 21)
    for place, one in enumerate(scores.classes):
        mine = o.score[o.truth == place]
        assert (one.label, one.n, sum(one.counts)) == (o.labels[place], len(mine), len(mine))
        assert one.counts[3] == ((mine >= scores.edges[3]) & (mine < scores.edges[4])).sum()
        assert one.median == np.median(mine)
    points = measured(binary(score=np.linspace(300, 850, 600))).scores
    assert points is not None
    assert (points.edges[0], points.edges[-1]) == (300, 850)
    assert measured(binary(score=None)).scores is None
    assert measured(multiclass()).scores is None


@pytest.mark.slow
def test_calibration_needs_probabilities() -> None:
    for o in (regression(), binary(score=np.linspace(300, 850, 600)), binary(score=None)):
        assert isinstance(measured(o).calibration, NotMeasured)


def test_curves_are_thinned_without_losing_their_area_or_ends() -> None:
    section = measured(binary(20_000, groups={}))
    roc, precision_recall = section.curves["roc"], section.curves["precision_recall"]
    assert len(roc.x) <= CURVE_POINTS
    assert len(precision_recall.x) <= CURVE_POINTS
    assert (roc.x[0], roc.y[0], roc.x[-1], roc.y[-1]) == (0, 0, 1, 1)
    assert precision_recall.x[-1] == 1
    area = section.metrics["roc_auc"]
    assert isinstance(area, Estimate)
    assert auc(roc.x, roc.y) == pytest.approx(area.value, abs=0.002)
    assert measured(binary(truth=np.ones(600, dtype=np.int64))).curves == {}


def test_drift_is_out_of_fold_minus_audit_per_group() -> None:
    audit, trained = binary(seed=1), binary(seed=2)
    higher = binary(seed=2, score=np.clip(np.asarray(trained.score) + 0.2 * (trained.groups["group"] == "b"), 0, 1))
    drift = measured(audit, out_of_fold=higher).drift
    b, a = drift["group=b"], drift["group=a"]
    assert isinstance(a, Estimate)
    assert isinstance(b, Estimate)
    assert set(drift) == {"", "group=a", "group=b", "group=c", "sex=f", "sex=m"}
    assert b.low > 0.05
    assert a.low < 0 < a.high
    assert b.value == pytest.approx(
        float(np.asarray(higher.score)[higher.groups["group"] == "b"].mean() - np.asarray(audit.score)[audit.groups["group"] == "b"].mean()),
    )


def test_drift_of_a_constant_score_is_none_and_not_a_rounding_error() -> None:
    """A baseline gives every row the same answer; means of unequal numbers of rows then differ in their last digit, with an interval of no width."""
    o = binary(score=np.full(600, 0.1))
    drift = measured(o, out_of_fold=o.take(np.arange(431))).drift
    assert set(map(type, drift.values())) == {NotMeasured}
    assert drift[""] == NotMeasured(reason="nothing varies on either side")


def test_the_threshold_is_carried() -> None:
    assert measured(binary(threshold=Threshold(value=0.5, chosen_on="default 0.5"))).threshold == Threshold(value=0.5, chosen_on="default 0.5")


def test_the_section_is_json_and_repeatable() -> None:
    assert measured(regression()).model_dump_json() == measured(regression()).model_dump_json()
    assert PerformanceSection.model_validate_json(measured(multiclass()).model_dump_json()).n == 600


@pytest.mark.slow
def test_drift_counts_persons_and_not_their_repeated_rows() -> None:
    audit, trained = binary(seed=1), binary(seed=2)
    twice = np.repeat(np.arange(600), 2)

    def overall(o: Outcomes, other: Outcomes) -> Estimate:
        drift = measured(o, out_of_fold=other).drift[""]
        assert isinstance(drift, Estimate)
        return drift

    plain = overall(audit, trained)
    repeated = overall(replace(audit.take(twice), cluster=twice), replace(trained.take(twice), cluster=twice))
    assert (repeated.value, repeated.low, repeated.high) == pytest.approx((plain.value, plain.low, plain.high))
    assert repeated.method == "welch by person"
    expected = ttest_ind(np.asarray(trained.score), np.asarray(audit.score), equal_var=False).confidence_interval(0.95)
    assert (plain.low, plain.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.slow
def test_drift_honours_weights() -> None:
    audit, trained = binary(seed=1), binary(seed=2)
    weight = np.where(trained.groups["group"] == "a", 5.0, 1.0)
    drift = measured(replace(audit, weight=np.ones(600)), out_of_fold=replace(trained, weight=weight)).drift[""]
    assert isinstance(drift, Estimate)
    assert drift.value == pytest.approx(np.average(np.asarray(trained.score), weights=weight) - np.asarray(audit.score).mean())


def test_without_a_favourable_class_there_is_no_drift_of_nought() -> None:
    o = multiclass(favourable=())
    assert isinstance(measured(o, out_of_fold=o).drift[""], NotMeasured)
