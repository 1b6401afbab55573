"""Robustness of a model with known structure: what moves must move, what cannot must not, and each number can be counted again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from automl.audit.memory import contradicting, measure_label_noise, measure_membership
from automl.audit.outcomes import Outcomes
from automl.audit.perturbations import STRENGTHS, disturbed, measure_perturbations, round_step, spreads_of
from automl.audit.robustness import measure_robustness, robustness_of_predictions
from automl.audit.shift import measure_shift, stability_index
from automl.audit.subject import Subject, rows_at
from automl.audit.variation import measure_seeds, measure_splits
from automl.data.splits import Rows
from automl.evidence import Estimate, Membership, NotMeasured, Perturbation, RobustnessSection, Shift, Threshold, Undisturbed, Value, Variation
from automl.learn.predictions import Predictions, to_predictions
from automl.learn.reseeded import Reseeded
from automl.spec import AuditPolicy, TaskSpec
from tests.automl.audit.cases import binary, regression
from tests.automl.learn import material

KINDS = {"size": "number", material.HOSTILE: "number", "holes": "number", "colour": "category", "side": "category"}


@dataclass(frozen=True)
class Fold:
    slope: float


@dataclass(frozen=True)
class Member:
    weight: float
    folds: tuple[Fold, ...]


@dataclass(frozen=True)
class Model:
    """Log-odds (or the value) are the mean slope of its folds times size, 0 where size is missing; ``memory`` adds what it knows by heart of the training rows."""

    problem: Any
    train: Rows
    threshold: Threshold | None = field(default_factory=lambda: Threshold(value=0.5, chosen_on="a test"))
    members: tuple[Member, ...] = (Member(1.0, (Fold(1.0), Fold(2.0), Fold(3.0))),)
    memory: bool = False

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(KINDS)

    def predict(self, frame: pd.DataFrame) -> Predictions:
        raw = np.mean([fold.slope for fold in self.members[0].folds]) * np.nan_to_num(frame["size"].to_numpy(float))
        if self.memory and len(frame) == len(self.train.features) and frame.equals(self.train.features):
            raw = np.where(self.train.y == 1, 1.0, -1.0) * np.abs(raw)
        return self._of(raw)

    def _of(self, raw: Any) -> Predictions:
        return Predictions(values=raw) if self.problem.task == "regression" else to_predictions(raw, "binary")

    @property
    def out_of_fold(self) -> Predictions:
        return self._of(2.0 * np.nan_to_num(self.train.features["size"].to_numpy(float)))


def rows(n: int, seed: int, task: Any, shift: float = 0.0, **changes: Any) -> Rows:
    frame, draw = material.features(n, seed), np.random.default_rng(seed + 1)
    frame["size"] += shift
    lean = frame["size"].to_numpy()
    y = lean * 2 + draw.normal(size=n) if task == "regression" else (draw.random(n) < expit(2 * lean)).astype(np.int64)
    sex = np.where(lean + draw.normal(size=n) > 0, "m", "f").astype(object)
    sex[:5] = None
    return Rows(**{"features": frame, "y": y, "groups": {"sex": sex}, "weight": None, "cluster": None, "position": np.arange(n), **changes})


def subject(task: Any = "binary", shift: float = 0.0, memory: bool = False, audit: dict[str, Any] | None = None, model: dict[str, Any] | None = None) -> Subject:
    train, other = rows(1_500, 0, task), rows(800, 10, task, shift, **(audit or {}))
    problem = material.problem(task, 2, train.features)
    made = Model(problem, train, memory=memory, **(model or {}))

    def outcomes_of(of: Rows, predicted: Predictions) -> Outcomes:
        if predicted.probabilities is None:
            return Outcomes(task, (), None, (), of.y, predicted.values, None, of.groups, of.weight, of.cluster)
        score = predicted.probabilities[:, 1]
        return Outcomes(task, problem.labels, problem.positive, problem.favourable, of.y, score, (score >= 0.5).astype(np.int64), of.groups, of.weight, of.cluster, made.threshold)

    fitted: Any = made
    return Subject(fitted, train, other, outcomes_of, 3)


def value(of: Value) -> float:
    assert isinstance(of, Estimate), of
    return of.value


@cache
def plain() -> Subject:
    return subject()


@cache
def perturbed(of: Subject) -> tuple[Undisturbed, dict[Any, Perturbation]]:
    base, found = measure_perturbations(of, {})
    made = {kind: each for kind, each in found.items() if isinstance(each, Perturbation)}
    assert len(made) == 3
    return base, made


def test_changes_can_be_counted_again() -> None:
    one = plain()
    base, found = perturbed(one)
    spreads = spreads_of(one.train.features, KINDS)
    before = one.model.predict(one.audit.features).probabilities
    assert before is not None
    auc = roc_auc_score(one.audit.y, before[:, 1])
    assert value(base.metric) == pytest.approx(auc)
    for kind, each in found.items():
        assert [step.strength for step in each.steps] == list(STRENGTHS[kind])
        for step in each.steps:
            after = one.model.predict(disturbed(one.audit.features, kind, step.strength, spreads, one.seed)).probabilities
            assert after is not None
            assert value(step.metric_change) == pytest.approx(roc_auc_score(one.audit.y, after[:, 1]) - auc)
            was, now = before[:, 1] >= 0.5, after[:, 1] >= 0.5
            assert value(step.changed) == pytest.approx((was != now).mean())
            for group in step.attributes[0].groups:
                mine = one.audit.groups["sex"] == group.group
                assert value(group.outcome_change) == pytest.approx(now[mine].mean() - was[mine].mean())
                assert value(group.error_change) == pytest.approx((now != one.audit.y)[mine].mean() - (was != one.audit.y)[mine].mean())
            rates = sorted(now[one.audit.groups["sex"] == name].mean() for name in ("f", "m"))
            assert value(step.attributes[0].lowest.ratio) == pytest.approx(rates[0] / rates[1])
            assert step.attributes[0].lowest.group == "f"


def test_noise_hurts_more_the_stronger_it_is_and_the_intervals_know() -> None:
    _, found = perturbed(plain())
    changes = [step.metric_change for step in found["missing"].steps]
    assert value(changes[2]) < value(changes[0]) < 0
    assert isinstance(changes[2], Estimate)
    assert changes[2].high < 0


def test_cells_go_missing_in_the_share_that_is_said_and_stay_so() -> None:
    one = plain()
    frame = one.audit.features
    light, heavy = (disturbed(frame, "missing", share, {}, 0) for share in (0.05, 0.2))
    for name in frame.columns:
        known = frame[name].notna()
        assert light[name][known].isna().mean() == pytest.approx(0.05, abs=0.03)
        assert heavy[name][known].isna().mean() == pytest.approx(0.2, abs=0.05)
        assert (light[name].isna() <= heavy[name].isna()).all()
        assert (heavy[name].dropna() == frame[name][heavy[name].notna()]).all()


def test_noise_keeps_whole_numbers_ranges_and_missing_cells() -> None:
    frame = pd.DataFrame({"age": [18.0, 40.0, 90.0, np.nan] * 100, "town": ["a", "b", "c", None] * 100})
    spreads = spreads_of(frame, {"age": "number", "town": "category"})
    noisy = disturbed(frame, "noise", 0.2, spreads, 0)
    assert (noisy["age"].isna() == frame["age"].isna()).all()
    known = noisy["age"].dropna()
    assert (known == known.round()).all()
    assert known.between(18, 90).all()
    assert (known != frame["age"].dropna()).any()
    pd.testing.assert_series_equal(noisy["town"], frame["town"])
    assert spreads["age"].deviation == pytest.approx(frame["age"].std(ddof=0))


def test_a_zero_that_stands_for_none_stays() -> None:
    gain = np.where(np.random.default_rng(0).random(600) < 0.9, 0.0, np.random.default_rng(1).uniform(1_000, 9_000, 600))
    frame = pd.DataFrame({"gain": gain})
    spreads = spreads_of(frame, {"gain": "number"})
    noisy = disturbed(frame, "noise", 0.2, spreads, 0)["gain"].to_numpy()
    assert (noisy[gain == 0] == 0).all()
    assert (noisy[gain > 0] != gain[gain > 0]).mean() > 0.9
    assert spreads["gain"].deviation == pytest.approx(gain[gain > 0].std())
    mark = pd.DataFrame({"mark": [0.0, 1.0] * 50})
    assert spreads_of(mark, {"mark": "number"})["mark"].spike is None


@pytest.mark.parametrize(("least", "step"), [(0.1, 0.1), (3.4, 5.0), (1.0, 1.0), (6.8, 10.0), (0.021, 0.05), (740.0, 1_000.0), (2e-9, 2e-9)])
def test_steps_are_round(least: float, step: float) -> None:
    assert round_step(least) == pytest.approx(step)


def test_a_model_that_looks_at_nothing_is_not_moved() -> None:
    _, found = perturbed(subject(model={"members": (Member(1.0, (Fold(0.0), Fold(0.0))),)}))
    for each in found.values():
        for step in each.steps:
            assert isinstance(step.metric_change, NotMeasured)
            assert value(step.changed) == 0
            for group in step.attributes[0].groups:
                assert isinstance(group.outcome_change, Estimate)
                assert group.outcome_change.value == 0
                assert group.outcome_change.low < 0 < group.outcome_change.high


def test_without_a_number_there_is_nothing_to_round() -> None:
    one = plain()
    problem = replace(one.problem, schema=replace(one.problem.schema, features=tuple(each for each in one.problem.schema.features if each.kind == "category")))
    fitted: Any = replace(one.model, problem=problem)
    _, found = measure_perturbations(replace(one, model=fitted), {})
    assert isinstance(found["noise"], NotMeasured)
    assert isinstance(found["rounding"], NotMeasured)
    assert isinstance(found["missing"], Perturbation)


def test_a_regression_changes_in_means() -> None:
    one = subject("regression")
    base, found = perturbed(one)
    step = found["missing"].steps[2]
    assert isinstance(step.changed, NotMeasured)
    assert isinstance(step.attributes[0].lowest.ratio, NotMeasured)
    after = one.model.predict(disturbed(one.audit.features, "missing", 0.2, {}, one.seed)).values
    before = one.model.predict(one.audit.features).values
    mine = one.audit.groups["sex"] == "f"
    assert after is not None
    assert before is not None
    assert value(step.attributes[0].groups[0].outcome_change) == pytest.approx((after - before)[mine].mean())
    assert value(base.attributes[0].groups[0].outcome) == pytest.approx(before[mine].mean())


def test_weights_and_persons_enter() -> None:
    alike = perturbed(plain())[1]["missing"].steps[2]
    draw = np.random.default_rng(0)
    other = perturbed(subject(audit={"weight": draw.exponential(size=800), "cluster": np.repeat(np.arange(200), 4)}))[1]["missing"].steps[2]
    assert value(alike.metric_change) != value(other.metric_change)
    change = other.attributes[0].groups[0].outcome_change
    assert isinstance(change, Estimate)
    assert "Rao-Scott" in change.method


def test_the_same_seed_gives_the_same_and_another_another() -> None:
    once = perturbed(plain())
    again = measure_perturbations(plain(), {})
    assert again == once
    assert measure_perturbations(replace(plain(), seed=4), {})[1] != again[1]


# --- shift


def test_parts_of_one_source_are_within_what_chance_does_and_others_are_not() -> None:
    same, other = measure_shift(plain()), measure_shift(subject(shift=1.0))
    assert isinstance(same, Shift)
    assert isinstance(other, Shift)
    assert sum(one.psi > one.without_shift for one in same.features) <= 1
    assert other.features[0].feature == "size"
    assert other.features[0].psi > 0.25 > other.features[1].psi
    assert other.features[0].p_adjusted is not None
    assert other.features[0].p_adjusted < 1e-6


@pytest.mark.parametrize("shares", [(0.1,) * 10, (0.6, 0.2, 0.1, 0.05, 0.05)])
def test_the_index_without_shift_stays_below_its_bound_in_19_of_20_samples(shares: tuple[float, ...]) -> None:
    """4,000 pairs of samples of one source: 95 % with a standard error of 0.35 %."""
    draw = np.random.default_rng(1)
    pairs = zip(draw.multinomial(1_500, shares, 4_000), draw.multinomial(800, shares, 4_000), strict=True)
    below = np.mean([psi <= bound for psi, bound in (stability_index(train, audit) for train, audit in pairs)])
    assert 0.935 <= below <= 0.965


def test_the_index_by_hand() -> None:
    train, audit = np.array([60, 40]), np.array([30, 70])
    t, a = np.array([60.5, 40.5]) / 101, np.array([30.5, 70.5]) / 101
    assert stability_index(train, audit)[0] == pytest.approx((a[0] - t[0]) * np.log(a[0] / t[0]) + (a[1] - t[1]) * np.log(a[1] / t[1]))


def test_values_outside_and_levels_never_seen_are_counted_by_row_and_group() -> None:
    one = plain()
    frame = one.audit.features.copy()
    frame.loc[:2, "size"] = 99.0
    frame.loc[2:3, "colour"] = "violet"
    frame.loc[4, "holes"] = np.nan
    found = measure_shift(replace(one, audit=replace(one.audit, features=frame)))
    assert isinstance(found, Shift)
    usual = measure_shift(one)
    assert isinstance(usual, Shift)
    counted = {each.feature: (each.outside, each.unseen) for each in found.outside}
    before = {each.feature: (each.outside, each.unseen) for each in usual.outside}
    assert counted["size"][0] == before.get("size", (0, 0))[0] + 3
    assert counted["colour"] == (0, 2)
    share = value(found.any_outside) - value(usual.any_outside)
    assert share == pytest.approx(4 / 800, abs=1.5 / 800)
    assert {(each.attribute, each.group) for each in found.by_group} == {("sex", "f"), ("sex", "m")}


def test_rows_of_persons_are_not_tested_as_if_independent() -> None:
    found = measure_shift(subject(audit={"cluster": np.repeat(np.arange(200), 4)}))
    assert isinstance(found, Shift)
    assert all(one.p is None and one.p_adjusted is None for one in found.features)


# --- variation, labels, memory

NO_SEED = NotMeasured(reason="nothing in the deployed model depends on a seed")


def test_each_fold_model_is_measured_alone() -> None:
    found = measure_splits(subject(model={"members": (Member(1.0, (Fold(1.0), Fold(-1.0))),)}))
    assert isinstance(found, Variation)
    assert found.models == 2
    assert found.metric.values[0] == pytest.approx(1 - found.metric.values[1])
    assert (found.metric.lowest, found.metric.highest) == (min(found.metric.values), max(found.metric.values))
    women = next(one for one in found.selection if one.what == "sex: f")
    assert women.values[0] != women.values[1]


def test_a_model_of_one_part_has_no_variation() -> None:
    assert isinstance(measure_splits(subject(model={"members": (Member(1.0, (Fold(1.0),)),)})), NotMeasured)


def test_each_seed_is_measured_alone_beside_the_deployed_model() -> None:
    one = subject()
    again = Reseeded(tuple(replace(one.model, members=(Member(1.0, (Fold(size),)),)) for size in (1.0, -1.0, 1.0)), "lgbm", 3, 500)
    found = measure_seeds(one, again)
    assert isinstance(found, Variation)
    assert (found.models, found.metric.values[0]) == (3, found.metric.values[2])
    assert found.metric.values[0] == pytest.approx(1 - found.metric.values[1])
    assert "lgbm with the settings of trial 3, learned from the same 500 rows" in found.of
    assert measure_seeds(one, NO_SEED) is NO_SEED


def test_confident_learning_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.1, 0.9], [0.4, 0.6]])
    y = np.array([0, 0, 0, 1, 1])
    # mean of class 0 among its rows: .6; of class 1 among its: .75; row 2 reaches the bound of class 1 only, row 4 none
    assert contradicting(y, probabilities).tolist() == [0, 0, 1, 1, 1]


def test_flipped_labels_are_found_where_they_are() -> None:
    one = plain()
    sure = np.flatnonzero(np.abs(one.train.features["size"].to_numpy()) > 1.5)[:60]
    y = np.array(one.train.y)
    y[sure] = (one.train.features["size"].to_numpy()[sure] < 0).astype(np.int64)
    train = replace(one.train, y=y)
    fitted: Any = replace(one.model, train=train)
    found = measure_label_noise(replace(one, train=train, model=fitted))
    assert not isinstance(found, NotMeasured)
    probabilities = fitted.out_of_fold.probabilities
    assert (contradicting(y, probabilities)[sure] != y[sure]).all()
    assert found.found >= 60
    assert sum(n for _, _, n in found.pairs) == found.found
    assert isinstance(measure_label_noise(subject("regression")), NotMeasured)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_model_that_knows_its_rows_by_heart_gives_them_away(task: Any) -> None:
    if task == "binary":
        honest, memorised = measure_membership(plain()), measure_membership(subject(memory=True))
        assert isinstance(memorised, Membership)
        assert isinstance(memorised.auc, Estimate)
        assert isinstance(memorised.control, Estimate)
        assert memorised.auc.low > 0.53
        assert memorised.control.low < 0.5 < memorised.control.high
    else:
        honest = measure_membership(subject("regression"))
    assert isinstance(honest, Membership)
    assert isinstance(honest.auc, Estimate)
    assert honest.auc.low < 0.5 < honest.auc.high
    assert (honest.members, honest.others) == (1_500, 800)


def test_persons_of_the_two_parts_are_different_ones() -> None:
    one = subject(audit={"cluster": np.repeat(np.arange(200), 4)})
    one = replace(one, train=replace(one.train, cluster=np.repeat(np.arange(375), 4)))
    found = measure_membership(one)
    assert isinstance(found, Membership)
    assert isinstance(found.auc, Estimate)
    assert "by person" in found.auc.method


# --- the section


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_the_section_is_whole(task: Any) -> None:
    one = subject(task)
    outcomes = one.outcomes_of(one.audit, one.model.predict(one.audit.features))
    found = measure_robustness(one.model, one.train, one.audit, outcomes, one.outcomes_of, TaskSpec(target="y", sensitive=("sex",), seed=3), NO_SEED)
    assert RobustnessSection.model_validate_json(found.model_dump_json()) == found
    assert found.seeds is NO_SEED
    absent = {name for name in ("noise", "missing", "rounding", "shift", "splits", "threshold_curve", "operating_characteristics", "label_noise", "membership", "label_flips", "shared_rows", "time_order")
              if isinstance(getattr(found, name), NotMeasured)}
    assert absent == {"time_order"} | ({"threshold_curve", "operating_characteristics", "label_noise", "label_flips"} if task == "regression" else set())
    assert found.decisions == (task == "binary")


def test_predictions_made_elsewhere_have_what_needs_no_model() -> None:
    found = robustness_of_predictions(binary(400), AuditPolicy(sensitive=("group",)))
    assert isinstance(found.noise, NotMeasured)
    assert "no model" in found.noise.reason
    assert not isinstance(found.threshold_curve, NotMeasured)
    assert not isinstance(found.operating_characteristics, NotMeasured)
    assert not isinstance(found.label_flips, NotMeasured)
    assert found.perturbations == ()
    of_numbers = robustness_of_predictions(regression(400), AuditPolicy(sensitive=("group",)))
    assert isinstance(of_numbers.threshold_curve, NotMeasured)
    assert isinstance(of_numbers.operating_characteristics, NotMeasured)


def test_some_rows_are_whole_rows() -> None:
    one = plain()
    part = rows_at(one.audit, np.array([3, 700]))
    assert part.features.equals(one.audit.features.iloc[[3, 700]].reset_index(drop=True))
    assert part.groups["sex"].tolist() == one.audit.groups["sex"][[3, 700]].tolist()
    assert part.position.tolist() == [3, 700]
