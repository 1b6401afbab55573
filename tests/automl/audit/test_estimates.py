from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as sk
from statsmodels.stats.proportion import proportion_confint

from automl.audit import estimates
from automl.audit.estimates import METRICS, OF_QUANTILES, auc_influence, metric_estimates
from automl.audit.outcomes import Outcomes
from automl.evidence import Estimate, NotMeasured, Value
from tests.automl.audit.cases import binary, multiclass, regression


def value(estimate: Value) -> float:
    assert isinstance(estimate, Estimate), estimate
    assert estimate.low <= estimate.value <= estimate.high
    return estimate.value


@pytest.mark.parametrize("weighted", [False, True])
def test_rule_14_binary_equals_scikit_learn(weighted: bool) -> None:
    weight = np.random.default_rng(3).uniform(0.5, 2, 600) if weighted else None
    o = binary(weight=weight)
    y, d, s = o.truth, o.decision, o.score
    w = {"sample_weight": weight}
    theirs = {
        "roc_auc": sk.roc_auc_score(y, s, **w), "average_precision": sk.average_precision_score(y, s, **w), "accuracy": sk.accuracy_score(y, d, **w),
        "balanced_accuracy": sk.balanced_accuracy_score(y, d, **w), "precision": sk.precision_score(y, d, **w), "recall": sk.recall_score(y, d, **w),
        "specificity": sk.recall_score(y, d, pos_label=0, **w), "f1": sk.f1_score(y, d, **w), "mcc": sk.matthews_corrcoef(y, d, **w), "brier": sk.brier_score_loss(y, s, **w),
        "log_loss": sk.log_loss(y, s, **w),
    }
    ours = {name: value(estimate) for name, estimate in metric_estimates(o, seed=0).items()}
    assert tuple(ours) == METRICS["binary"]
    assert ours == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_rule_14_multiclass_equals_scikit_learn(weighted: bool) -> None:
    weight = np.random.default_rng(3).uniform(0.5, 2, 600) if weighted else None
    o = multiclass(weight=weight)
    y, d, s = np.asarray(o.truth), o.decision, o.score
    w = {"sample_weight": weight}
    theirs = {
        "roc_auc": sk.roc_auc_score(y, s, multi_class="ovr", **w),
        "average_precision": sk.average_precision_score(np.eye(3)[y], s, **w),
        "accuracy": sk.accuracy_score(y, d, **w), "balanced_accuracy": sk.balanced_accuracy_score(y, d, **w),
        "precision": sk.precision_score(y, d, average="macro", **w), "recall": sk.recall_score(y, d, average="macro", **w),
        "f1": sk.f1_score(y, d, average="macro", **w), "mcc": sk.matthews_corrcoef(y, d, **w), "brier": sk.brier_score_loss(y, s, **w), "log_loss": sk.log_loss(y, s, **w),
    }
    ours = {name: value(estimate) for name, estimate in metric_estimates(o, seed=0).items()}
    assert tuple(ours) == METRICS["multiclass"]
    assert ours == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_rule_14_regression_equals_scikit_learn(weighted: bool) -> None:
    weight = np.random.default_rng(3).uniform(0.5, 2, 600) if weighted else None
    o = regression(weight=weight, quantile=0.8)
    assert np.asarray(o.truth).min() > 0
    assert np.asarray(o.score).min() > 0
    y, s = np.asarray(o.truth), np.asarray(o.score)
    w = {"sample_weight": weight}
    theirs = {
        "quantile_loss": sk.mean_pinball_loss(y, s, alpha=0.8, **w), "coverage": float(np.average(y <= s, weights=weight)), "rmsle": sk.root_mean_squared_log_error(y, s, **w),
        "mae": sk.mean_absolute_error(y, s, **w), "rmse": sk.root_mean_squared_error(y, s, **w), "r2": sk.r2_score(y, s, **w),
        "mean_residual": float(np.average(y - s, weights=weight)),
    }
    of_mean = replace(o, quantile=None)
    ours = {name: value(estimate) for name, estimate in {**metric_estimates(of_mean, seed=0), **metric_estimates(o, seed=0, names=OF_QUANTILES)}.items()}
    assert ours == pytest.approx(theirs, abs=1e-9)
    assert tuple(metric_estimates(of_mean, seed=0)) == METRICS["regression"], "a coverage without a level means nothing"
    assert tuple(metric_estimates(o, seed=0)) == (*OF_QUANTILES, *METRICS["regression"])


def test_predictions_below_0_count_as_0_in_rmsle_and_true_values_below_0_have_none() -> None:
    o = regression(300, score=np.linspace(-5, 30, 300))
    ours = metric_estimates(o, seed=0, names=("rmsle",))["rmsle"]
    assert value(ours) == pytest.approx(sk.root_mean_squared_log_error(o.truth, np.asarray(o.score).clip(0)))
    below = regression(300, truth=np.where(np.arange(300) < 2, -1.0, 3.0))
    assert metric_estimates(below, seed=0)["rmsle"] == NotMeasured(reason="2 of 300 true values are below 0, and it compares logarithms of 1 + value")


def test_a_predicted_quantile_is_not_held_against_the_mean() -> None:
    metrics = metric_estimates(regression(quantile=0.9), seed=0)
    assert metrics["r2"] == NotMeasured(reason="the 0.9 quantile is predicted, and R2 is about the mean")
    assert isinstance(coverage_of := metrics["coverage"], Estimate)
    assert coverage_of.method == "wilson"


def test_mcc_of_decisions_without_a_second_class_is_not_measured() -> None:
    """scikit-learn says 0 there, by convention."""
    nobody = metric_estimates(binary(decision=np.zeros(600, dtype=np.int64)), seed=0)["mcc"]
    assert nobody == NotMeasured(reason="all rows are decided to be 'bad', so there is nothing to correlate")
    one_class = metric_estimates(binary(truth=np.ones(600, dtype=np.int64)), seed=0)["mcc"]
    assert one_class == NotMeasured(reason="all rows are 'good', so there is nothing to correlate")


@pytest.mark.parametrize("turned", [False, True])
def test_perfect_or_reversed_decisions_have_an_mcc_with_an_interval(turned: bool) -> None:
    truth = np.repeat([0, 1], 20)
    mcc = metric_estimates(binary(40, truth=truth, decision=1 - truth if turned else truth), seed=0)["mcc"]
    assert isinstance(mcc, Estimate)
    assert (mcc.low if turned else mcc.high) == mcc.value == (-1 if turned else 1)
    low, _ = proportion_confint(20, 20, method="wilson")
    # one class's recall at its Wilson limit, the other still at 1
    one = sk.matthews_corrcoef([0, 1, 1], [0, 1, 0], sample_weight=[20, 20 * low, 20 * (1 - low)])
    assert mcc.high - mcc.low == pytest.approx(np.sqrt(2) * (1 - one), abs=1e-9)


def test_a_class_of_a_few_rows_that_are_all_right_does_not_settle_mcc() -> None:
    truth = np.repeat([1, 0], [5, 500])
    decision = truth.copy()
    decision[-50:] = 1
    mcc = metric_estimates(Outcomes("binary", ("0", "1"), "1", ("1",), truth, None, decision), seed=0)["mcc"]
    assert isinstance(mcc, Estimate)
    assert mcc.low_precision
    alone, _ = proportion_confint(5, 5, method="wilson")
    moved = sk.matthews_corrcoef([1, 1, 0, 0], [1, 0, 1, 0], sample_weight=[5 * alone, 5 * (1 - alone), 50, 450])
    assert mcc.value - mcc.low > mcc.value - moved > 0


def test_mcc_may_be_below_0() -> None:
    o = binary()
    turned = metric_estimates(binary(decision=1 - np.asarray(o.decision)), seed=0)["mcc"]
    assert value(turned) == pytest.approx(-value(metric_estimates(o, seed=0)["mcc"]))
    assert isinstance(turned, Estimate)
    assert turned.low < turned.value < turned.high < 0


def test_macro_f1_counts_the_classes_that_occur_as_scikit_learn_does() -> None:
    o = Outcomes("multiclass", ("a", "b", "c", "never"), None, ("a",), np.array([0, 0, 1, 1, 1]), None, np.array([0, 1, 1, 2, 1]))
    ours = metric_estimates(o, seed=0)
    assert value(ours["f1"]) == pytest.approx(sk.f1_score(o.truth, o.decision, average="macro"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn says that it leaves out class 2, which is predicted but never true: so do we
        assert value(ours["balanced_accuracy"]) == pytest.approx(sk.balanced_accuracy_score(o.truth, o.decision))
    assert ours["recall"] == NotMeasured(reason="no row is 'c', so its recall has no denominator")


def coverage(name: str, draw: int, truth: float, n: int, repeats: int = 80) -> float:
    hits = 0
    for seed in range(draw, draw + repeats):
        estimate = metric_estimates(binary(n, seed), seed=0, names=(name,))[name]
        assert isinstance(estimate, Estimate)
        hits += estimate.low <= truth <= estimate.high
    return hits / repeats


@pytest.mark.slow
@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "f1", "mcc", "brier"])
def test_intervals_cover_the_value_of_the_population(name: str) -> None:
    population = metric_estimates(binary(200_000, 999), seed=0, names=(name,))[name]
    assert coverage(name, 1000, value(population), 400) >= 0.875


def test_average_precision_in_bins_spreads_as_row_by_row() -> None:
    """600 rows fill 256 bins unevenly; unit weights take the row-by-row way."""
    binned, rowwise = (metric_estimates(o, seed=0, names=("average_precision",))["average_precision"] for o in (binary(), binary(weight=np.ones(600))))
    assert isinstance(binned, Estimate)
    assert isinstance(rowwise, Estimate)
    assert binned.method != rowwise.method
    assert binned.high - binned.low == pytest.approx(rowwise.high - rowwise.low, rel=0.08)
    assert binned.low == pytest.approx(rowwise.low, abs=0.006)


def test_what_binning_changes_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    fine = metric_estimates(binary(), seed=0, names=("average_precision",))["average_precision"]
    monkeypatch.setattr(estimates, "_SCORE_BINS", 6)
    coarse = metric_estimates(binary(), seed=0, names=("average_precision",))["average_precision"]
    assert isinstance(fine, Estimate)
    assert isinstance(coarse, Estimate)
    assert coarse.value == fine.value
    assert (coarse.low, coarse.high) == pytest.approx((fine.low, fine.high), abs=0.012)


def test_auc_influence_is_delong() -> None:
    o = binary()
    y, s = np.asarray(o.truth) == 1, np.asarray(o.score)
    plain = metric_estimates(o, seed=0, names=("roc_auc",))["roc_auc"]
    weighted = metric_estimates(binary(weight=np.ones(600)), seed=0, names=("roc_auc",))["roc_auc"]
    assert isinstance(plain, Estimate)
    assert isinstance(weighted, Estimate)
    assert (weighted.low, weighted.high) == pytest.approx((plain.low, plain.high), abs=2e-4)
    auc, influence = auc_influence(y, s, None)
    assert auc == pytest.approx(sk.roc_auc_score(y, s))
    without = np.delete(np.arange(600), 0)
    assert auc - sk.roc_auc_score(y[without], s[without]) == pytest.approx(influence[0], rel=0.02)


def test_people_with_many_rows_widen_every_interval() -> None:
    o = binary(150)
    rows = np.repeat(np.arange(150), 4)
    clustered = Outcomes(**{**o.take(rows).__dict__, "cluster": rows})
    once, by_person, by_row = (metric_estimates(x, seed=0) for x in (o, clustered, o.take(rows)))
    for name in METRICS["binary"]:
        a, b, c = once[name], by_person[name], by_row[name]
        assert isinstance(a, Estimate)
        assert isinstance(b, Estimate)
        assert isinstance(c, Estimate)
        assert b.high - b.low == pytest.approx(a.high - a.low, rel=0.12), name
        assert c.high - c.low < 0.75 * (a.high - a.low), name


@pytest.mark.slow
def test_what_cannot_be_measured_says_why() -> None:
    one_class = metric_estimates(binary(truth=np.ones(600, dtype=np.int64)), seed=0)
    assert one_class["roc_auc"] == NotMeasured(reason="only one class is present in these rows")
    assert one_class["specificity"] == NotMeasured(reason="no row is negative")
    assert isinstance(one_class["balanced_accuracy"], NotMeasured)
    nobody = metric_estimates(binary(decision=np.zeros(600, dtype=np.int64)), seed=0)
    assert nobody["precision"] == NotMeasured(reason="no row was predicted positive")
    assert value(nobody["recall"]) == 0
    assert metric_estimates(binary(score=None), seed=0)["roc_auc"] == NotMeasured(reason="no score column was given")
    assert isinstance(metric_estimates(binary(decision=None), seed=0)["accuracy"], NotMeasured)
    points = metric_estimates(binary(score=np.linspace(300, 850, 600)), seed=0)
    assert "not probabilities" in str(points["brier"])
    assert isinstance(points["roc_auc"], Estimate)
    assert set(map(type, metric_estimates(binary(truth=None), seed=0).values())) == {NotMeasured}
    assert isinstance(metric_estimates(regression(truth=np.full(600, 3.0)), seed=0)["r2"], NotMeasured)
    gone = multiclass(truth=np.random.default_rng(0).integers(0, 2, 600))
    assert isinstance(metric_estimates(gone, seed=0)["roc_auc"], NotMeasured)
    assert isinstance(metric_estimates(gone, seed=0)["average_precision"], NotMeasured)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_a_perfect_ranking_is_not_certain(name: str) -> None:
    o = binary()
    estimate = metric_estimates(binary(score=np.asarray(o.truth) * 0.5 + 0.25), seed=0, names=(name,))[name]
    assert isinstance(estimate, Estimate)
    assert estimate.value == 1
    assert estimate.low < 1


def test_a_metric_does_not_depend_on_which_others_are_measured() -> None:
    assert metric_estimates(binary(), seed=0, names=("brier",))["brier"] == metric_estimates(binary(), seed=0)["brier"]


@pytest.mark.parametrize("right", [True, False])
def test_decisions_all_right_or_all_wrong_are_not_certain_of_the_next_sample(right: bool) -> None:
    """Every replicate of a bootstrap agrees there: an interval from 1 to 1 would claim what 40 rows cannot show."""
    truth = np.repeat([0, 1], 20)
    metrics = metric_estimates(binary(40, truth=truth, decision=truth if right else 1 - truth), seed=0)
    for name in ("balanced_accuracy", "f1"):
        estimate = metrics[name]
        assert isinstance(estimate, Estimate)
        assert (estimate.high if right else estimate.low) == estimate.value == (1 if right else 0)
        assert 0.05 < estimate.high - estimate.low < 0.25
    low, _ = proportion_confint(20, 20, method="wilson")
    if right:
        assert isinstance(balanced := metrics["balanced_accuracy"], Estimate)
        assert balanced.low == pytest.approx(1 - np.sqrt(2) * (1 - low) / 2)  # Newcombe: the two rates' half-widths as a hypotenuse


def test_a_class_of_a_few_rows_that_are_all_right_is_not_certain() -> None:
    """Every replicate of a bootstrap repeats a rate of 1, whether 5 rows stand behind it or 5,000: such intervals covered the truth in one of three samples."""
    truth = np.repeat([1, 0], [5, 500])
    decision = truth.copy()
    decision[-50:] = 1
    estimate = metric_estimates(Outcomes("binary", ("0", "1"), "1", ("1",), truth, None, decision), seed=0)["balanced_accuracy"]
    assert isinstance(estimate, Estimate)
    alone, _ = proportion_confint(5, 5, method="wilson")
    assert estimate.value - estimate.low == pytest.approx((1 - alone) / 2, rel=0.02)  # the five rows' share outweighs the 500's
    assert estimate.high < 0.97
    assert estimate.low_precision


def test_a_perfect_regression_is_not_certain() -> None:
    """Every resample agrees, so an interval would have no width, whether 5 rows stand behind it or 5,000."""
    exact = metric_estimates(regression(200, score=np.asarray(regression(200).truth)), seed=0)
    for name in ("mae", "rmse", "mean_residual", "r2"):
        value = exact[name]
        assert isinstance(value, NotMeasured), name
        where = "in every row" if name in ("mae", "mean_residual") else "in every resample of 200 independent rows"
        assert value.reason == f"it is {1 if name == 'r2' else 0} {where}, and rows that all agree tell nothing of a sampling error"
    off = metric_estimates(regression(200, score=np.asarray(regression(200).truth) - 0.1), seed=0)
    for name in ("mae", "rmse", "mean_residual"):
        assert isinstance(value := off[name], NotMeasured), name
        assert value.reason.startswith("it is 0.1 in every re" if name == "rmse" else "it is 0.1 in every row")
    assert isinstance(varying := off["r2"], Estimate)
    assert varying.low < varying.value < varying.high


@pytest.mark.parametrize("name", ["balanced_accuracy", "precision", "recall", "f1", "mcc"])
def test_perfect_decisions_between_three_classes_are_not_certain(name: str) -> None:
    truth = np.repeat([0, 1, 2], [40, 40, 6])
    estimate = metric_estimates(multiclass(86, truth=truth, decision=truth), seed=0)[name]
    assert isinstance(estimate, Estimate)
    assert estimate.value == estimate.high == 1
    assert 0.8 < estimate.low < 0.95
    assert estimate.low_precision


def test_one_decision_for_everybody_has_an_interval() -> None:
    binary_of_one, of_three = binary(60, decision=np.zeros(60, dtype=np.int64)), multiclass(60, decision=np.zeros(60, dtype=np.int64))
    for outcomes, value_of_chance in ((binary_of_one, 1 / 2), (of_three, 1 / 3)):
        estimate = metric_estimates(outcomes, seed=0)["balanced_accuracy"]
        assert isinstance(estimate, Estimate)
        assert estimate.value == pytest.approx(value_of_chance)
        assert estimate.low < value_of_chance - 0.02
        assert value_of_chance + 0.02 < estimate.high


def test_one_row_or_one_person_has_no_spread() -> None:
    one = metric_estimates(regression(1), seed=0)
    assert isinstance(one["mae"], NotMeasured)
    assert "no spread" in one["mae"].reason
    of_one_person = regression(50, cluster=np.zeros(50, dtype=np.int64))
    assert isinstance(metric_estimates(of_one_person, seed=0)["rmse"], NotMeasured)
    of_ten = metric_estimates(regression(50, cluster=np.arange(50) // 5), seed=0)["rmse"]
    assert isinstance(of_ten, Estimate)
    assert of_ten.low_precision


def test_an_auc_of_a_few_persons_says_so() -> None:
    """600 rows of ten persons: DeLong's interval takes many of each class, and here there are ten."""
    auc = metric_estimates(binary(cluster=np.arange(600) // 60), seed=0, names=("roc_auc",))["roc_auc"]
    assert isinstance(auc, Estimate)
    assert auc.method == "newcombe score by person"
    assert auc.low_precision


@pytest.mark.parametrize(("positives", "marked"), [(6, True), (60, False)])
def test_the_average_precision_of_few_positives_is_marked(positives: int, marked: bool) -> None:
    """With 5 positives among 300 rows the interval held the population's value in 80 of 100 samples."""
    truth = np.repeat([1, 0], [positives, 300])
    score = np.random.default_rng(0).normal(truth, 1)
    estimate = metric_estimates(binary(len(truth), truth=truth, score=1 / (1 + np.exp(-score))), seed=0)["average_precision"]
    assert isinstance(estimate, Estimate)
    assert estimate.low_precision is marked
