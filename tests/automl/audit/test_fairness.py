from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_difference,
    demographic_parity_ratio,
    equal_opportunity_difference,
    equalized_odds_difference,
    false_positive_rate,
    mean_prediction,
    selection_rate,
    true_positive_rate,
)
from scipy.stats import wasserstein_distance

from automl.audit.fairness import EXPLORATORY, PRIMARY, measure_fairness
from automl.audit.outcomes import Outcomes
from automl.errors import BadInput
from automl.evidence import Attribute, Estimate, FairnessSection, Group, GroupCalibration, NotMeasured, Ratio, ScoreOutcome, Value, VersusRest
from automl.spec import AuditPolicy
from tests.automl.audit.cases import binary, from_counts, from_table, multiclass, regression
from tests.automl.audit.vectors import DATA, expected, needs_data, needs_vectors, table


def measure(outcomes: Outcomes, *sensitive: str, **policy: Any) -> FairnessSection:
    section = measure_fairness(outcomes, AuditPolicy(sensitive=sensitive, **policy), bins={}, seed=0)
    assert isinstance(section, FairnessSection)
    return section


def value(estimate: Value | Ratio) -> float:
    assert not isinstance(estimate, NotMeasured), estimate
    return estimate.value


def ratio(group: Group) -> Ratio:
    assert isinstance(group.impact_ratio, Ratio), group.impact_ratio
    return group.impact_ratio


def score(group: Group) -> ScoreOutcome:
    assert isinstance(group.score, ScoreOutcome), group.score
    return group.score


def against_rest(group: Group) -> VersusRest:
    assert isinstance(group.versus_rest, VersusRest)
    return group.versus_rest


def named(attribute: Attribute, group: str) -> Group:
    return next(g for g in attribute.groups if g.group == group)


@needs_vectors
@pytest.mark.parametrize("part", ["sex", "race", "intersectional"])
def test_v01_tables_of_the_rule(part: str) -> None:
    section = measure(from_table(table(f"ll144_v1_{part}.csv"), ["group"]), "group")
    rule = expected()["ll144_selection"][part]
    attribute = section.attributes[0]
    assert attribute.reference == rule["reference"]
    assert {group.group for group in attribute.groups} == {row["label"] for row in rule["rows"]}
    for row in rule["rows"]:
        group = named(attribute, row["label"])
        assert (group.selected, group.n) == (row["k"], row["n"])
        assert value(group.selection_rate) == pytest.approx(row["rate"], abs=1e-12)
        assert ratio(group).value == pytest.approx(row["impact_ratio"], abs=1e-12)
        assert ratio(group).below_limit_exact is row["below_four_fifths"]
        if row["label"] != rule["reference"]:
            assert (ratio(group).low, ratio(group).high) == pytest.approx(row["mover_r95"], abs=1e-6)
    if part == "intersectional":
        assert ratio(named(attribute, "AIAN F")).label == "inconclusive"


@needs_vectors
def test_t15_black_against_the_rest_with_holm_over_seven() -> None:
    black = named(measure(from_table(table("ll144_v1_race.csv"), ["group"]), "group").attributes[0], "Black")
    fisher, mid, z = against_rest(black).tests
    assert (fisher.p, mid.p, z.statistic) == pytest.approx((0.0367, 0.0343, -2.1182), abs=5e-5)
    assert fisher.p_adjusted == pytest.approx(0.2319, abs=2e-4)
    assert fisher.family == PRIMARY
    difference = against_rest(black).difference
    assert isinstance(difference, Estimate)
    assert (difference.low, difference.high) == pytest.approx((-0.1109, -0.0043), abs=1e-4)  # the page cuts -.00435
    assert black.shortfall is not None
    assert (black.shortfall.to_pool, black.shortfall.to_rest, black.shortfall.to_reference) == pytest.approx((19.3, 22.7, 31.6), abs=0.05)


@needs_vectors
def test_rule_06_t13_each_table_counts_the_rows_known_on_its_own_attribute() -> None:
    section = measure(from_table(table("ll144_selection.csv"), ["sex", "race"]), "sex", "race")
    sex = section.attributes[0]
    assert [(g.group, g.selected, g.n) for g in sex.groups] == [("Female", 555, 1181), ("Male", 667, 1515)]
    assert ratio(named(sex, "Male")).value == pytest.approx(0.9369, abs=5e-5)
    cells = section.intersections[0]
    assert cells.attribute == "sex x race"
    assert named(cells, "Male x White").n == 412
    assert cells.unknown > sex.unknown


def test_mistake_12_no_test_without_effect_size_and_power_and_no_ratio_without_its_interval() -> None:
    """An overlap of two intervals is nowhere a test; a small table says what it could have shown."""
    attribute = measure(binary(), "group").attributes[0]
    for group in attribute.groups:
        rest = against_rest(group)
        assert rest.tests[0].name == "fisher"
        assert isinstance(rest.difference, Estimate)
        assert rest.difference.low < rest.difference.value < rest.difference.high
        if group.group != attribute.reference:
            assert ratio(group).low < ratio(group).value < ratio(group).high
            assert group.minimum_detectable_ratio is not None
            assert group.minimum_detectable_ratio < 0.8


def test_rule_08_a_group_minus_overall_is_a_share_of_its_difference_to_the_rest() -> None:
    """p_g - p = (1 - w_g)(p_g - p_rest): the same finding, in numbers that shrink with the group's share."""
    for group in measure(from_counts({"A": (500, 1000), "B": (300, 1000), "C": (100, 500)}), "group").attributes[0].groups:
        assert value(group.selection_rate) - 900 / 2500 == pytest.approx((1 - group.share) * value(against_rest(group).difference))


def test_t07_two_groups_are_one_contrast() -> None:
    section = measure(from_counts({"A": (55, 100), "B": (40, 100)}), "group")
    assert section.family.tests == 1
    for group in section.attributes[0].groups:
        primary = against_rest(group).tests[0]
        assert (primary.p, primary.p_adjusted) == pytest.approx((0.047165, 0.047165), abs=1e-6)


def test_t09_unknown_rows_are_counted_and_banded() -> None:
    outcomes = from_counts({"A": (50, 100), "B": (30, 100), "?": (5, 10)})
    outcomes.groups["group"][outcomes.groups["group"] == "?"] = None
    attribute = measure(outcomes, "group").attributes[0]
    b = named(attribute, "B")
    assert attribute.unknown == 10
    assert b.share == 0.5
    assert ratio(b).value == pytest.approx(0.6)
    assert b.unknown_band is not None
    assert (b.unknown_band.low, b.unknown_band.high) == pytest.approx((30 / 55, 0.7))


def test_v06_small_numbers() -> None:
    f = named(measure(from_counts({"M": (3, 20), "F": (1, 10)}), "group").attributes[0], "F")
    assert ratio(f).value == pytest.approx(2 / 3)
    assert (ratio(f).below_limit_exact, ratio(f).label) == (True, "inconclusive")
    assert (ratio(f).low, ratio(f).high) == pytest.approx((0.101, 3.93), abs=5e-3)
    assert f.flip_flop is True
    assert isinstance(f.selection_rate, Estimate)
    assert f.selection_rate.low_precision


def test_t08_only_the_group_that_differs_differs_most() -> None:
    groups = measure(from_counts({"A": (500, 1000), "B": (300, 1000), "C": (500, 1000)}), "group").attributes[0].groups
    p = {group.group: against_rest(group).tests[0].p for group in groups}
    assert p == pytest.approx({"A": 2.414e-7, "B": 6.95e-26, "C": 2.414e-7}, rel=1e-2)
    assert {test.contrast for group in groups for test in against_rest(group).tests} == {f"group: {name} against all others" for name in "ABC"}


def test_t11_score_gap_is_not_the_selection_gap() -> None:
    logits = np.array([2.0, -1.0, 1.0, -3.0])
    outcomes = Outcomes(
        "binary", ("no", "yes"), "yes", ("yes",), None, logits, (logits >= 0).astype(np.int64), {"g": np.array(["A", "A", "B", "B"], dtype=object)},
    )
    b = named(measure(outcomes, "g").attributes[0], "B")
    assert ratio(b).value == 1
    assert value(score(b).mean_difference) == pytest.approx(-1.5)


def test_rule_05_t29_one_group_zero_rates_and_one_person() -> None:
    alone = measure(from_counts({"A": (5, 10)}), "group").attributes[0].groups[0]
    assert isinstance(alone.impact_ratio, NotMeasured)
    assert isinstance(alone.versus_rest, NotMeasured)
    nobody = measure(from_counts({"A": (0, 10), "B": (0, 20)}), "group").attributes[0]
    assert nobody.reference is None
    assert all(isinstance(group.impact_ratio, NotMeasured) for group in nobody.groups)
    assert nobody.summary.demographic_parity_ratio is None
    single = named(measure(from_counts({"A": (5, 10), "B": (1, 1)}), "group").attributes[0], "B")
    assert isinstance(single.selection_rate, Estimate)
    assert single.selection_rate.low == pytest.approx(0.207, abs=5e-4)
    none_selected = named(measure(from_counts({"A": (15, 30), "B": (0, 12)}), "group").attributes[0], "B")
    assert (ratio(none_selected).value, ratio(none_selected).low) == (0, 0)


@pytest.mark.slow
def test_a_named_reference_needs_no_correction_and_is_never_guessed() -> None:
    outcomes = from_counts({"A": (2000, 4000), "B": (1521, 4000), "C": (1999, 4000)})
    assert ratio(named(measure(outcomes, "group").attributes[0], "B")).label == "inconclusive"
    attribute = measure(outcomes, "group", reference={"group": "A"}).attributes[0]
    assert (attribute.reference, attribute.reference_named) == ("A", True)
    assert (ratio(named(attribute, "B")).label, ratio(named(attribute, "B")).label_level) == ("below", 0.025)
    assert ratio(named(measure(outcomes, "group", reference={"group": "B"}).attributes[0], "A")).value > 1
    absent = measure(outcomes, "group", reference={"group": "Z"}).attributes[0]
    assert (absent.reference, absent.reference_named) == ("A", False)
    assert absent.note == "The named reference Z has no audited row, so the highest rate is the reference."
    with pytest.raises(BadInput, match="not a sensitive attribute"):
        measure(outcomes, "group", reference={"other": "A"})


def test_an_attribute_of_unknowns_only_is_an_empty_table() -> None:
    outcomes = binary(groups={"g": np.full(600, None, dtype=object)})
    attribute = measure(outcomes, "g").attributes[0]
    assert (attribute.groups, attribute.unknown, attribute.reference) == ((), 600, None)
    assert isinstance(attribute.omnibus, NotMeasured)


def test_without_labels_errors_are_not_measured_and_selection_is() -> None:
    group = measure(binary(truth=None), "group").attributes[0].groups[1]
    assert group.error_rates == NotMeasured(reason="no label column was given")
    assert group.calibration == NotMeasured(reason="no label column was given")
    assert isinstance(group.selection_rate, Estimate)
    assert score(group).mean_residual == NotMeasured(reason="no label column was given")


def test_without_decisions_the_score_is_measured() -> None:
    attribute = measure(binary(decision=None), "group").attributes[0]
    assert attribute.reference == "a"
    for group in attribute.groups:
        assert isinstance(group.selection_rate, NotMeasured)
        assert isinstance(group.error_rates, NotMeasured)
        assert isinstance(score(group).mean, Estimate)


def test_no_sensitive_attribute_is_said() -> None:
    assert isinstance(measure_fairness(binary(), AuditPolicy(), bins={}, seed=0), NotMeasured)


def test_rule_08_only_declared_attributes_are_in_the_primary_family() -> None:
    section = measure(binary(), "group", "sex")
    assert section.family.tests == 3 + 1
    assert all(against_rest(group).tests[0].family == PRIMARY for attribute in section.attributes for group in attribute.groups)
    for group in section.intersections[0].groups:
        primary = against_rest(group).tests[0]
        assert (primary.family, primary.p_adjusted) == (EXPLORATORY, None)


@pytest.mark.slow
def test_crossings_go_as_deep_as_asked() -> None:
    rng = np.random.default_rng(0)
    groups = {name: rng.choice(np.array(["x", "y"], dtype=object), 600) for name in "abc"}
    assert [a.attribute for a in measure(binary(groups=groups), "a", "b", "c", intersections=3).intersections] == ["a x b", "a x c", "b x c", "a x b x c"]
    assert measure(binary(groups=groups), "a", "b", "c", intersections=1).intersections == ()


@pytest.mark.slow
def test_crossings_with_hundreds_of_cells_are_named_not_measured() -> None:
    rng = np.random.default_rng(0)
    groups = {name: rng.choice(np.array([f"{name}{i}" for i in range(50)], dtype=object), 3000) for name in "ab"}
    crossing = measure(binary(3000, groups=groups), "a", "b").intersections[0]
    assert crossing.groups == ()
    assert "more than 400" in crossing.note


def test_bins_are_listed_in_the_order_of_their_numbers() -> None:
    rng = np.random.default_rng(0)
    age = rng.choice(np.array(["<= 25", "25 to 100", "100 to 200", "> 200"], dtype=object), 600)
    section = measure_fairness(binary(groups={"age": age}), AuditPolicy(sensitive=("age",)), bins={"age": (25.0, 100.0, 200.0)}, seed=0)
    assert isinstance(section, FairnessSection)
    assert [group.group for group in section.attributes[0].groups] == ["<= 25", "25 to 100", "100 to 200", "> 200"]
    assert section.attributes[0].bins == (25.0, 100.0, 200.0)


@pytest.mark.parametrize("favourable", ["good", "bad"])
@pytest.mark.parametrize("weighted", [False, True])
def test_rule_14_equals_fairlearn(favourable: str, weighted: bool) -> None:
    weight = np.random.default_rng(3).uniform(0.5, 2, 600) if weighted else None
    outcomes = binary(favourable=(favourable,), weight=weight)
    attribute = measure(outcomes, "group").attributes[0]
    label = outcomes.labels.index(favourable)
    y, decision = (np.asarray(outcomes.truth) == label).astype(int), (np.asarray(outcomes.decision) == label).astype(int)
    given: dict[str, Any] = {"sensitive_features": outcomes.groups["group"], "sample_weight": weight}
    assert attribute.summary.demographic_parity_difference == pytest.approx(demographic_parity_difference(y, decision, **given), abs=1e-9)
    assert attribute.summary.demographic_parity_ratio == pytest.approx(demographic_parity_ratio(y, decision, **given), abs=1e-9)
    assert attribute.summary.equalized_odds_difference == pytest.approx(equalized_odds_difference(y, decision, **given), abs=1e-9)
    assert attribute.summary.equal_opportunity_difference == pytest.approx(equal_opportunity_difference(y, decision, **given), abs=1e-9)
    assert attribute.summary.average_odds_difference == pytest.approx(equalized_odds_difference(y, decision, agg="mean", **given), abs=1e-9)
    functions = {"selection": selection_rate, "tpr": true_positive_rate, "fpr": false_positive_rate}
    frame = MetricFrame(
        metrics=functions, y_true=y, y_pred=decision, sensitive_features=outcomes.groups["group"],
        sample_params=None if weight is None else {name: {"sample_weight": weight} for name in functions},
    ).by_group
    for group in attribute.groups:
        assert not isinstance(group.error_rates, NotMeasured)
        assert value(group.selection_rate) == pytest.approx(frame.loc[group.group, "selection"], abs=1e-9)
        assert value(group.error_rates.tpr) == pytest.approx(frame.loc[group.group, "tpr"], abs=1e-9)
        assert value(group.error_rates.fpr) == pytest.approx(frame.loc[group.group, "fpr"], abs=1e-9)
        of_group = outcomes.groups["group"] == group.group
        heavy = np.ones(600) if weight is None else weight
        missed, wrongly = (float(heavy[of_group & cell].sum()) for cell in ((y == 1) & (decision == 0), (y == 0) & (decision == 1)))
        assert group.error_rates.treatment_equality is not None
        assert value(group.error_rates.treatment_equality) == pytest.approx(missed / wrongly)
    predictive = [value(group.error_rates.ppv) for group in attribute.groups if not isinstance(group.error_rates, NotMeasured)]
    assert attribute.summary.predictive_parity_difference == pytest.approx(max(predictive) - min(predictive))


def test_rule_05_exceptions_to_fairlearn_are_these_two() -> None:
    """Fairlearn gives a single group the ratio 1.0, and a group without positives the true positive rate 0.0: artefacts, not findings."""
    alone = binary(groups={"g": np.full(600, "only", dtype=object)})
    assert demographic_parity_ratio(alone.truth, alone.decision, sensitive_features=alone.groups["g"]) == 1.0
    assert measure(alone, "g").attributes[0].summary.demographic_parity_ratio is None
    truth = np.array([1, 1, 0, 0, 0, 0])
    group = np.array(["a"] * 4 + ["b"] * 2, dtype=object)
    outcomes = Outcomes("binary", ("0", "1"), "1", ("1",), truth, None, np.array([1, 1, 0, 1, 1, 0]), {"g": group})
    assert equal_opportunity_difference(truth, outcomes.decision, sensitive_features=group) == 1.0
    summary = measure(outcomes, "g").attributes[0].summary
    assert (summary.equal_opportunity_difference, summary.equalized_odds_difference) == (None, None)


def test_regression_measures_scores_and_residuals_with_sign() -> None:
    outcomes = regression()
    section = measure(outcomes, "group")
    attribute = section.attributes[0]
    assert section.outcome == "score"
    assert section.family.tests == 0
    truth, predicted, group = np.asarray(outcomes.truth), np.asarray(outcomes.score), outcomes.groups["group"]
    means = MetricFrame(metrics=mean_prediction, y_true=truth, y_pred=predicted, sensitive_features=group).by_group
    assert attribute.reference == means.idxmax()
    b = named(attribute, "b")
    assert isinstance(b.impact_ratio, NotMeasured)
    assert isinstance(b.selection_rate, NotMeasured)
    assert value(score(b).mean) == pytest.approx(means["b"], abs=1e-9)
    assert value(score(b).mean_residual) == pytest.approx(float((truth - predicted)[group == "b"].mean()), abs=1e-9)
    assert value(score(b).mean_absolute_error) == pytest.approx(float(np.abs(truth - predicted)[group == "b"].mean()), abs=1e-9)
    assert value(score(b).above_median) == pytest.approx(float((predicted > np.median(predicted))[group == "b"].mean()), abs=1e-9)
    gap = score(b).residual_difference
    assert isinstance(gap, Estimate)
    assert gap.low > 0.4  # planted: the model says 0.8 too little for b
    assert value(score(b).ratio_of_means) == pytest.approx(means["b"] / means[attribute.reference], abs=1e-9)


def test_v18_scores_at_the_median_are_not_above_it() -> None:
    outcomes = regression(score=np.array([3.0, 3, 5, 3, 3, 3]), truth=None, groups={"g": np.array(list("AAABBB"), dtype=object)})
    groups = measure(outcomes, "g").attributes[0].groups
    assert [value(score(group).above_median) for group in groups] == [pytest.approx(1 / 3), 0]


def test_regression_does_not_compare_with_a_handful() -> None:
    """Five rows have the highest mean, as a handful often has by chance; no rule asks for it as the reference. Where it was named it stays."""
    group = np.array(["few"] * 5 + ["low"] * 200 + ["high"] * 200, dtype=object)
    rng = np.random.default_rng(0)
    predicted = rng.normal(0, 1, 405) + 3.0 * (group == "few") + (group == "high")
    numbers = regression(truth=predicted + rng.normal(0, 1, 405), score=predicted, groups={"group": group})
    attribute = measure(numbers, "group").attributes[0]
    assert attribute.reference == "high"
    assert attribute.note == "Groups of fewer than 30 rows are not taken as the reference."
    few = measure_fairness(numbers, AuditPolicy(sensitive=("group",), reference={"group": "few"}), bins={}, seed=0)
    assert isinstance(few, FairnessSection)
    assert (few.attributes[0].reference, few.attributes[0].note) == ("few", "")
    alone = measure(regression(truth=predicted[:5], score=predicted[:5], groups={"group": np.array(list("aabbb"), dtype=object)}), "group").attributes[0]
    assert alone.reference is not None, "where all are a handful, one of them"


def test_regression_gives_no_ratio_where_a_mean_is_not_positive() -> None:
    group = measure(regression(shift=-30), "group").attributes[0].groups[1]
    assert isinstance(score(group).ratio_of_means, NotMeasured)


def test_multiclass_measures_each_favourable_class_and_the_set() -> None:
    outcomes = multiclass()
    section = measure(outcomes, "group")
    assert [part.favourable for part in section.by_class] == ["middle", "top"]
    assert section.family.tests == 2
    decision, group = np.asarray(outcomes.decision), outcomes.groups["group"]
    for part, label in zip(section.by_class, (1, 2), strict=True):
        for g in part.attributes[0].groups:
            assert value(g.selection_rate) == pytest.approx(float((decision[group == g.group] == label).mean()))
            assert against_rest(g).tests[0].family == PRIMARY
    for g in section.attributes[0].groups:
        assert value(g.selection_rate) == pytest.approx(float((decision[group == g.group] > 0).mean()))
        assert against_rest(g).tests[0].family == EXPLORATORY


def test_multiclass_without_a_favourable_class_measures_every_class() -> None:
    section = measure(multiclass(favourable=()), "group")
    assert [part.favourable for part in section.by_class] == ["low", "middle", "top"]
    group = section.attributes[0].groups[0]
    assert isinstance(group.selection_rate, NotMeasured)
    assert "no favourable label" in group.selection_rate.reason


def test_rows_of_one_person_widen_everything_and_end_exact_tests() -> None:
    once = binary(200)
    rows = np.repeat(np.arange(200), 4)
    repeated = once.take(rows)
    clustered = Outcomes(**{**repeated.__dict__, "cluster": rows})
    plain, by_person = measure(once, "group").attributes[0].groups[1], measure(clustered, "group").attributes[0].groups[1]
    assert isinstance(plain.selection_rate, Estimate)
    assert isinstance(by_person.selection_rate, Estimate)
    assert by_person.selection_rate.n == 4 * plain.selection_rate.n
    assert by_person.selection_rate.high - by_person.selection_rate.low == pytest.approx(plain.selection_rate.high - plain.selection_rate.low, rel=0.03)
    assert [test.name for test in against_rest(by_person).tests] == ["z_rao_scott"]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_section_and_order_of_attributes_changes_no_number() -> None:
    outcomes = binary()
    assert measure(outcomes, "group", "sex") == measure(outcomes, "group", "sex")
    assert {a.attribute: a.groups[0].score for a in measure(outcomes, "sex", "group").attributes} == {
        a.attribute: a.groups[0].score for a in measure(outcomes, "group", "sex").attributes
    }


def test_hostile_names_are_carried_as_they_are() -> None:
    name = '<script>"\u202e' + "x" * 5000
    attribute = measure(from_counts({name: (5, 50), "[1] x (2)": (20, 50)}), "group").attributes[0]
    assert {group.group for group in attribute.groups} == {name, "[1] x (2)"}


@pytest.mark.slow
@needs_data
def test_adult_has_every_cell_of_every_crossing() -> None:
    adult = pd.read_csv(DATA / "adult.csv.gz").iloc[:12_210]
    groups = {
        "sex": adult["sex"].to_numpy(object), "race": adult["race"].to_numpy(object),
        "age": pd.cut(adult["age"], [0, 28, 37, 48, 200], labels=["<= 28", "28 to 37", "37 to 48", "> 48"]).astype(object).to_numpy(),
    }
    truth = adult["income"].str.contains(">50K").to_numpy().astype(np.int64)
    outcomes = Outcomes("binary", ("<=50K", ">50K"), ">50K", (">50K",), truth, None, (adult["education_num"] >= 13).to_numpy().astype(np.int64), groups)
    section = measure(outcomes, "sex", "race", "age")
    assert [len(a.groups) for a in section.attributes] == [2, 5, 4]
    assert [len(a.groups) for a in section.intersections] == [10, 8, 20]
    crossing = section.intersections[0]
    cell = adult[(adult["sex"] == "Female") & (adult["race"] == "Black")]
    assert named(crossing, "Female x Black").n == len(cell)
    assert named(crossing, "Female x Black").selected == int((cell["education_num"] >= 13).sum())


@pytest.mark.parametrize("rows", [1, 2, 29, 30])
def test_a_gap_of_means_is_as_precise_as_the_smaller_group(rows: int) -> None:
    """A named reference stays whatever its size, and one row drawn again and again never moves."""
    group = np.array(["few"] * rows + ["many"] * 500, dtype=object)
    rng = np.random.default_rng(0)
    truth = np.where(group == "few", 100.0, 10.0) + rng.normal(0, 1, len(group))
    predicted = truth - np.where(group == "few", 5.0, 0.0) + rng.normal(0, 1, len(group))
    many = named(measure(regression(truth=truth, score=predicted, groups={"group": group}), "group", reference={"group": "few"}).attributes[0], "many")
    for gap in (score(many).mean_difference, score(many).residual_difference, score(many).ratio_of_means):
        if rows == 1:
            assert isinstance(gap, NotMeasured)
            assert "one row" in gap.reason
        else:
            assert isinstance(gap, Estimate)
            assert gap.low_precision == (rows < 30)


def test_gaps_of_mean_scores_hold_for_all_groups_at_once() -> None:
    section = measure_fairness(regression(), AuditPolicy(sensitive=("group",)), bins={}, seed=0)
    assert isinstance(section, FairnessSection)
    gaps = [group.score.residual_difference for group in section.attributes[0].groups if not isinstance(group.score, NotMeasured)]
    measured = [gap for gap in gaps if isinstance(gap, Estimate)]
    assert len(measured) == 2
    for gap in measured:
        assert gap.level == pytest.approx(0.975)
        assert gap.method == "bootstrap, simultaneous over 2"
    o = regression()
    b, c = (np.asarray(o.truth - o.score)[o.groups["group"] == name] for name in ("b", "c"))  # type: ignore[operator]
    reference = section.attributes[0].reference
    against = np.asarray(o.truth - o.score)[o.groups["group"] == reference]  # type: ignore[operator]
    mine = b if reference != "b" else c
    gap = next(gap for group, gap in zip(section.attributes[0].groups, gaps, strict=True) if group.group == ("b" if reference != "b" else "c"))
    assert isinstance(gap, Estimate)
    expected = 2 * 2.2414 * np.sqrt(mine.var(ddof=1) / len(mine) + against.var(ddof=1) / len(against))
    assert gap.high - gap.low == pytest.approx(expected, rel=0.08)


def test_errors_that_are_the_same_in_every_row_have_no_interval_of_no_width() -> None:
    o = regression()
    attribute = measure(regression(score=np.asarray(o.truth)), "group").attributes[0]
    for group in attribute.groups:
        for value in (score(group).mean_residual, score(group).mean_absolute_error):
            assert isinstance(value, NotMeasured)
            assert value.reason.startswith("it is 0 in every row, ")
        assert isinstance(score(group).mean, Estimate)
        if group.group != attribute.reference:
            assert score(group).residual_difference == NotMeasured(reason="nothing varies on either side")
    alone = measure(regression(score=np.where(o.groups["group"] == "a", np.asarray(o.truth), np.asarray(o.score))), "group").attributes[0]
    others = [score(group).residual_difference for group in alone.groups if group.group != alone.reference]
    assert all(isinstance(one, Estimate) for one in others), "one side that varies is enough"


def test_calibration_within_groups_has_slope_intercept_and_bins() -> None:
    """Group b's log-odds are doubled: its slope is half of what it was, and its bins leave the diagonal."""
    o = binary(4_000)
    score = np.asarray(o.score)
    extreme = 1 / (1 + ((1 - score) / score) ** 2)
    plain, doubled = (measure(binary(4_000, score=np.where(o.groups["group"] == "b", s, score)), "group", "sex") for s in (score, extreme))
    before, after = (named(section.attributes[0], "b").calibration for section in (plain, doubled))
    assert isinstance(before, GroupCalibration)
    assert isinstance(after, GroupCalibration)
    assert isinstance(before.slope, Estimate)
    assert isinstance(after.slope, Estimate)
    assert after.slope.value == pytest.approx(before.slope.value / 2)
    assert sum(b.n for b in after.bins) == named(doubled.attributes[0], "b").n
    crossed = plain.intersections[0].groups[0]
    assert isinstance(crossed.calibration, GroupCalibration)
    assert (crossed.calibration.slope, crossed.calibration.bins) == (None, ()), "of declared attributes only"
    assert score_of(crossed).spread is None


def score_of(group: Group) -> ScoreOutcome:
    assert isinstance(group.score, ScoreOutcome)
    return group.score


def test_scores_lie_apart_by_what_was_moved() -> None:
    o = binary(4_000)
    at = measure(o, "group").attributes[0]
    reference = score_of(named(at, at.reference or "")).spread
    other = score_of(named(at, "c")).spread
    assert reference is not None
    assert reference.kolmogorov_smirnov is None
    assert other is not None
    in_c, in_reference = (np.asarray(o.score)[o.groups["group"] == group] for group in ("c", at.reference))
    assert other.wasserstein == pytest.approx(wasserstein_distance(in_c, in_reference), abs=1e-9)
    numbers = measure(regression(), "group").attributes[0]
    moved = score_of(named(numbers, "b" if numbers.reference != "b" else "a"))
    assert isinstance(moved.absolute_error_difference, Estimate)
    assert score_of(named(at, "c")).absolute_error_difference is None, "of predicted numbers only"


def test_the_furthest_class_is_told_for_each_attribute_and_measure() -> None:
    section = measure(multiclass(), "group")
    assert [(row.attribute, row.measure) for row in section.furthest] == [("group", measure) for measure in ("impact_ratio", "tpr", "fpr", "ppv")]
    ratio, tpr = section.furthest[0], section.furthest[1]
    others = [group.impact_ratio.value for one in section.by_class for group in one.attributes[0].groups if isinstance(group.impact_ratio, Ratio)]
    assert isinstance(ratio.value, Ratio)
    assert ratio.value.value == min(others)
    place: Any = section.model_dump(mode="json")
    for part in ratio.evidence.removeprefix("/fairness/").split("/"):
        place = place[int(part)] if isinstance(place, list) else place[part]
    assert place == ratio.value.model_dump(mode="json")
    assert isinstance(tpr.value, Estimate)
    assert measure(binary(), "group").furthest == ()
    unlabelled = measure(multiclass(truth=None), "group").furthest
    assert isinstance(unlabelled[1].value, NotMeasured)
