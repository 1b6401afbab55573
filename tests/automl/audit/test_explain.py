from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import shap
from numpy.typing import NDArray
from scipy import stats

from automl.audit.explain import OTHERS, POINT_ROWS, explain_model
from automl.evidence import Estimate, ExplanationSection, NotMeasured, ScoreGap, Threshold, Value
from tests.automl.audit.inputs import Given, Predicted, Problem, Rows


@dataclass(frozen=True)
class Linear:
    """log-odds = X w: its interventional attributions are w (x - mean of the background), exactly."""

    weights: NDArray[Any]

    def attributions(self, frame: pd.DataFrame, background: pd.DataFrame) -> Given:
        x, means = frame.to_numpy(float), background.to_numpy(float).mean(axis=0)
        return Given((x - means) * self.weights, float(means @ self.weights), "log_odds", "exact linear", 0.0)

    def predict(self, frame: pd.DataFrame) -> Predicted:
        p = 1 / (1 + np.exp(-frame.to_numpy(float) @ self.weights))
        return Predicted(np.column_stack([1 - p, p]))


@dataclass(frozen=True)
class Boosted:
    """LightGBM explained by shap against all rows of the background (its default would silently keep 100)."""

    x: pd.DataFrame
    y: NDArray[Any]

    @cached_property
    def booster(self) -> lightgbm.Booster:
        options = {"objective": "binary", "num_leaves": 7, "verbose": -1, "num_threads": 1, "seed": 0, "deterministic": True}
        return lightgbm.train(options, lightgbm.Dataset(self.x.to_numpy(float), self.y), 20)

    def attributions(self, frame: pd.DataFrame, background: pd.DataFrame) -> Given:
        masker = shap.maskers.Independent(background.to_numpy(float), max_samples=len(background))
        explainer = shap.TreeExplainer(self.booster, masker, feature_perturbation="interventional")
        phi = explainer.shap_values(frame.to_numpy(float))
        base = float(np.ravel(explainer.expected_value)[-1])
        error = float(np.abs(base + phi.sum(axis=1) - self.booster.predict(frame.to_numpy(float), raw_score=True)).max())
        return Given(phi, base, "log_odds", f"shap.TreeExplainer {shap.__version__}, interventional", error)

    def predict(self, frame: pd.DataFrame) -> Predicted:
        p = self.booster.predict(frame.to_numpy(float))
        return Predicted(np.column_stack([1 - p, p]))


@dataclass(frozen=True)
class Product:
    """f = x1 x2, by the definition of the Shapley value over all subsets and all background rows."""

    def attributions(self, frame: pd.DataFrame, background: pd.DataFrame) -> Given:
        x, z = frame.to_numpy(float), background.to_numpy(float)

        def value(row: NDArray[Any], known: tuple[int, ...]) -> float:
            mixed = z.copy()
            mixed[:, list(known)] = row[list(known)]
            return float((mixed[:, 0] * mixed[:, 1]).mean())

        phi = np.array([
            [np.mean([value(row, order[: order.index(j) + 1]) - value(row, order[: order.index(j)]) for order in itertools.permutations((0, 1))]) for j in (0, 1)]
            for row in x
        ])
        return Given(phi, value(x[0], ()), "value", "exact", 0.0)

    def predict(self, frame: pd.DataFrame) -> Predicted:
        return Predicted(None, frame.prod(axis=1).to_numpy())


def people(n: int = 800, seed: int = 0, features: int = 4) -> Rows:
    rng = np.random.default_rng(seed)
    group = rng.choice(np.array(["a", "b", "rare"], dtype=object), n, p=[0.6, 0.38, 0.02])
    x = rng.normal(0, 1, (n, features))
    x[:, 0] += group == "a"
    return Rows(pd.DataFrame(x, columns=[f"x{j}" for j in range(features)]), {"group": group})


WEIGHTS = np.array([1.5, -1.0, 0.2, 0.0])


def explained(model: Any, audit: Rows | None = None, trained: Rows | None = None, problem: Problem | None = None, **options: Any) -> ExplanationSection:
    section = explain_model(model, audit or people(), trained or people(seed=1), problem or Problem(), seed=0, **options)
    assert isinstance(section, ExplanationSection)
    return section


def value(estimate: Value) -> float:
    assert isinstance(estimate, Estimate), estimate
    return estimate.value


def test_importance_of_a_linear_model_is_what_its_weights_say() -> None:
    section = explained(Linear(WEIGHTS), rows=800)
    assert [feature.feature for feature in section.features] == ["x0", "x1", "x2", "x3"]
    assert [feature.direction for feature in section.features] == ["increases", "decreases", "increases", "mixed"]
    assert [feature.rank for feature in section.features] == [1, 2, 3, 4]
    assert section.features[0].rank_over_replicates == (1, 1)
    x1 = people().features["x1"]
    assert value(section.features[1].mean_abs_shap) == pytest.approx(float((x1 - x1.mean()).abs().mean()), rel=0.05)
    first = section.features[0].mean_abs_shap
    assert isinstance(first, Estimate)
    assert first.low < first.value < first.high
    assert (section.output, section.output_space, section.rows, section.background.n) == ("log-odds of yes", "log_odds", 800, 100)


def test_sample_sizes_are_stated_and_repeatable() -> None:
    section = explained(Linear(WEIGHTS), rows=300, background=50)
    assert (section.rows, section.background.n) == (300, 50)
    assert section == explained(Linear(WEIGHTS), rows=300, background=50)
    other = explained(Linear(WEIGHTS), None, people(seed=2), rows=300, background=50)
    assert section.background.sha256 != other.background.sha256


def test_rule_14_tree_attributions_are_shaps_own_and_add_up() -> None:
    audit = people(300)
    y = (np.random.default_rng(0).random(300) < 1 / (1 + np.exp(-audit.features.to_numpy() @ WEIGHTS))).astype(int)
    model = Boosted(audit.features, y)
    section = explained(model, audit, audit, rows=300, background=300)
    theirs = model.attributions(audit.features, audit.features)
    ours = {feature.feature: value(feature.mean_abs_shap) for feature in section.features}
    assert ours == pytest.approx(dict(zip(audit.features.columns, np.abs(theirs.phi).mean(axis=0), strict=True)), abs=1e-6)
    assert section.additivity_error < 1e-6
    for example in section.examples:
        raw = float(model.booster.predict(audit.features.iloc[[example.row]].to_numpy(float), raw_score=True)[0])
        assert example.output == pytest.approx(raw, abs=1e-6)
        assert example.base + sum(c.shap for c in example.contributions) == pytest.approx(example.output, abs=1e-9)


@pytest.mark.parametrize(("background", "contributions"), [((0.0, 0.0), {"x1": 0.5, "x2": 0.5}), ((1.0, 1.0), {"x1": 0.0, "x2": 1.0})])
def test_rule_10_t10_the_background_decides_how_a_gap_is_shared(background: tuple[float, float], contributions: dict[str, float]) -> None:
    frame = pd.DataFrame({"x1": [1.0] * 20, "x2": [1.0] * 10 + [0.0] * 10})
    rows = Rows(frame, {"g": np.array(["A"] * 10 + ["B"] * 10, dtype=object)})
    section = explained(Product(), rows, Rows(pd.DataFrame([background], columns=["x1", "x2"])), Problem(task="regression", target="y", labels=()))
    gap = section.score_gap_by_input[0]
    assert isinstance(gap, ScoreGap)
    assert (gap.reference, gap.group, value(gap.gap)) == ("A", "B", pytest.approx(-1))
    assert {share.feature: -value(share.contribution) for share in gap.contributions} == pytest.approx(contributions)
    assert section.output == "predicted y"


def test_rule_10_a_second_background_of_the_references_rows_shares_the_same_gap_otherwise() -> None:
    """T10's product: against rows of the reference, where x1 = x2 = 1, x2 has the whole gap; against all training rows the two share it."""
    frame = pd.DataFrame({"x1": [1.0] * 20, "x2": [1.0] * 10 + [0.0] * 10})
    rows = Rows(frame, {"g": np.array(["A"] * 10 + ["B"] * 10, dtype=object)})
    trained = Rows(pd.DataFrame({"x1": [1.0] * 12 + [0.0] * 300, "x2": [1.0] * 12 + [0.0] * 300}), {"g": np.array(["A"] * 12 + ["B"] * 300, dtype=object)})
    section = explained(Product(), rows, trained, Problem(task="regression", target="y", labels=()), background=312)
    [gap] = section.score_gap_by_input
    assert isinstance(gap, ScoreGap)
    assert not isinstance(gap.second, NotMeasured)
    assert {share.feature: -value(share.contribution) for share in gap.second} == pytest.approx({"x1": 0.0, "x2": 1.0})
    assert {share.feature: -value(share.contribution) for share in gap.contributions} == pytest.approx({"x1": 150 / 312, "x2": 162 / 312})
    assert sum(value(share.contribution) for share in gap.second) == pytest.approx(value(gap.gap))
    assert [share.feature for share in gap.second] == [share.feature for share in gap.contributions]
    assert not isinstance(section.second_background, NotMeasured)
    assert (section.second_background["g"].n, section.second_background["g"].source) == (12, "training rows of A drawn at random (seed 0)")


def test_a_reference_without_training_rows_has_no_second_background() -> None:
    gap = next(gap for gap in explained(Linear(WEIGHTS), people(), Rows(people(seed=1).features)).score_gap_by_input if isinstance(gap, ScoreGap))
    assert isinstance(gap.second, NotMeasured)
    assert "0 rows" in gap.second.reason


@pytest.mark.parametrize("seed", [1, 2])
def test_t10_linear_gaps_do_not_depend_on_the_background(seed: int) -> None:
    audit = people()
    section = explained(Linear(WEIGHTS), audit, people(seed=seed), rows=800)
    gap = next(g for g in section.score_gap_by_input if isinstance(g, ScoreGap) and g.group == "b")
    means = audit.features.groupby(audit.groups["group"]).mean()
    assert gap.reference == "a"
    assert {share.feature: value(share.contribution) for share in gap.contributions} == pytest.approx(
        dict(zip(means.columns, WEIGHTS * (means.loc["b"] - means.loc["a"]).to_numpy(), strict=True)), abs=1e-9,
    )
    assert value(gap.gap) == pytest.approx(sum(value(share.contribution) for share in gap.contributions))
    assert isinstance(gap.gap, Estimate)
    scores = audit.features.to_numpy() @ WEIGHTS
    of = [scores[audit.groups["group"] == name] for name in ("b", "a")]
    assert (gap.gap.high - gap.gap.low) / 2 == pytest.approx(1.96 * np.sqrt(sum(part.var(ddof=1) / len(part) for part in of)), rel=0.1), "Welch's interval"


def test_the_named_reference_is_used() -> None:
    gaps = explained(Linear(WEIGHTS), reference={"group": "b"}).score_gap_by_input
    assert {gap.reference for gap in gaps if isinstance(gap, ScoreGap)} == {"b"}


def test_mean_attributions_of_a_group_have_students_interval() -> None:
    """Of a linear model every attribution is known: its weight times the distance from the background's mean, here one row many times."""
    audit, background = people(), Rows(pd.concat([people(seed=1).features.iloc[:1]] * 100, ignore_index=True))
    section = explained(Linear(WEIGHTS), audit, background, rows=800)
    mine = next(group for group in section.by_group["group"] if group.group == "b")
    at = list(audit.features.columns).index(name := section.features[0].feature)
    sizes = np.abs(WEIGHTS[at] * (audit.features[name].to_numpy() - background.features[name].to_numpy().mean()))[audit.groups["group"] == "b"]
    said = mine.intervals[name]
    assert isinstance(said, Estimate)
    assert said.value == pytest.approx(mine.mean_abs_shap[name])
    assert (said.low, said.high) == pytest.approx(stats.t.interval(0.95, len(sizes) - 1, sizes.mean(), stats.sem(sizes)), rel=1e-6)


def test_small_groups_get_rows_of_their_own_and_tiny_ones_no_gap() -> None:
    audit = people()
    rare = int((audit.groups["group"] == "rare").sum())
    section = explained(Linear(WEIGHTS), audit, rows=100)
    assert section.rows == 100
    assert {g.group: g.n for g in section.by_group["group"]}["rare"] == min(30, rare)
    few = Rows(audit.features, {"group": np.where(np.arange(800) < 3, "tiny", "big").astype(object)})
    gaps = explained(Linear(WEIGHTS), few).score_gap_by_input
    assert [isinstance(gap, NotMeasured) and "only 3 rows" in gap.reason for gap in gaps] == [True]


def test_the_sample_stays_random_when_small_groups_are_topped_up() -> None:
    """What is said of all rows comes from the random sample alone."""
    audit = people()
    audit.features.loc[audit.groups["group"] == "rare", "x3"] = 1000.0
    weights = np.array([0.0, 0.0, 0.0, 1.0])
    with_groups = explained(Linear(weights), audit, rows=100).features[0].mean_abs_shap
    without = explained(Linear(weights), Rows(audit.features), rows=100).features[0].mean_abs_shap
    assert with_groups == without


def test_examples_are_the_extremes_the_middle_and_the_nearest_to_the_cut() -> None:
    audit = people()
    section = explained(Linear(WEIGHTS), audit, rows=800, threshold=Threshold(value=0.3, chosen_on="test"))
    by_why = {example.why: example for example in section.examples}
    outputs = audit.features.to_numpy() @ WEIGHTS
    assert by_why["lowest output"].row == outputs.argmin()
    assert by_why["highest output"].row == outputs.argmax()
    assert by_why["nearest the cut"].row == np.abs(1 / (1 + np.exp(-outputs)) - 0.3).argmin()
    assert (by_why["lowest output"].prediction, by_why["highest output"].prediction) == ("no", "yes")
    assert "nearest the cut" not in {example.why for example in explained(Linear(WEIGHTS), audit).examples}


def test_many_inputs_are_summed_up_and_still_add_up() -> None:
    section = explained(Linear(np.linspace(1, 2, 40)), people(features=40), people(features=40, seed=1))
    example = section.examples[0]
    assert len(example.contributions) == 12
    assert example.contributions[-1].feature == OTHERS
    assert example.base + sum(c.shap for c in example.contributions) == pytest.approx(example.output)
    gap = next(g for g in section.score_gap_by_input if isinstance(g, ScoreGap))
    assert sum(value(share.contribution) for share in gap.contributions) == pytest.approx(value(gap.gap))
    assert not isinstance(gap.second, NotMeasured)
    assert (len(gap.second), gap.second[-1].feature) == (12, OTHERS)
    assert sum(value(share.contribution) for share in gap.second) == pytest.approx(value(gap.gap))
    assert sum(len(points.shap) for points in section.points) <= 1500


def test_points_are_the_values_and_attributions_of_the_same_rows() -> None:
    section = explained(Linear(WEIGHTS))
    assert [points.feature for points in section.points] == ["x0", "x1", "x2", "x3"]
    first = section.points[0]
    assert len(first.shap) == POINT_ROWS
    values = np.array([v for v in first.values if isinstance(v, float)])
    assert np.ptp(np.array(first.shap) - 1.5 * values) < 1e-9


@dataclass(frozen=True)
class Mixed:
    """Categories and missing values: 1 where the text is "x", and the number or 0."""

    def scores(self, frame: pd.DataFrame) -> NDArray[Any]:
        return np.column_stack([(frame["text"] == "x").astype(float), frame["number"].fillna(0.0)])

    def attributions(self, frame: pd.DataFrame, background: pd.DataFrame) -> Given:
        means = self.scores(background).mean(axis=0)
        phi = self.scores(frame) - means
        return Given(np.stack([-phi / 2, phi, -phi / 2], axis=2), np.array([0.0, means.sum(), 0.0]), "log_odds", "exact", 0.0)

    def predict(self, frame: pd.DataFrame) -> Predicted:
        return Predicted(np.tile([0.2, 0.3, 0.5], (len(frame), 1)))


def test_categories_missing_values_and_multiclass() -> None:
    frame = pd.DataFrame({"text": ["x", "y", None, "x"] * 30, "number": [1.0, np.nan, 2.0, 3.0] * 30})
    problem = Problem("multiclass", "t", ("p", "q", "r"), None, ("q",))
    section = explained(Mixed(), Rows(frame), Rows(frame), problem)
    assert section.output == "log-odds of q against the mean of all classes"
    directions = {feature.feature: feature.direction for feature in section.features}
    assert directions == {"text": "mixed", "number": "increases"}
    assert {type(v) for v in next(p for p in section.points if p.feature == "text").values} == {str, type(None)}
    assert "missing" in {c.value for example in section.examples for c in example.contributions}
    assert explained(Mixed(), Rows(frame), Rows(frame), Problem("multiclass", "t", ("p", "q", "r"), None, ())).output.startswith("log-odds of r")


def test_attributions_come_in_the_models_order_of_columns() -> None:
    audit = people()
    turned = Rows(audit.features[["x3", "x2", "x1", "x0"]], audit.groups)

    class Ordered(Linear):
        features = ("x0", "x1", "x2", "x3")

    assert explained(Ordered(WEIGHTS), turned, turned).features == explained(Linear(WEIGHTS), audit, audit).features


def test_nothing_to_explain_is_said() -> None:
    assert isinstance(explain_model(Linear(WEIGHTS), Rows(pd.DataFrame(index=range(3))), people(), Problem(), seed=0), NotMeasured)


def test_weights_weigh_attributions_as_they_weigh_scores() -> None:
    rows = people(300)
    weight = np.random.default_rng(1).uniform(0.2, 3, 300)
    section = explained(Linear(WEIGHTS), Rows(rows.features, rows.groups, weight), rows=300)
    score = rows.features.to_numpy() @ WEIGHTS
    mean = {name: float(np.average(score[rows.groups["group"] == name], weights=weight[rows.groups["group"] == name])) for name in ("a", "b")}
    gap = next(gap for gap in section.score_gap_by_input if isinstance(gap, ScoreGap) and gap.group == "b")
    assert gap.reference == "a"
    assert value(gap.gap) == pytest.approx(mean["b"] - mean["a"])
    assert sum(value(share.contribution) for share in gap.contributions) == pytest.approx(value(gap.gap))
    of_b = next(group for group in section.by_group["group"] if group.group == "b")
    assert sum(of_b.mean_shap.values()) - sum(next(group for group in section.by_group["group"] if group.group == "a").mean_shap.values()) == pytest.approx(
        value(gap.gap))


def test_rows_of_one_person_move_together_in_attributions_too() -> None:
    once = people(120)
    person = np.repeat(np.arange(120), 4)
    repeated = Rows(once.features.iloc[person].reset_index(drop=True), {"group": once.groups["group"][person]})
    by_row, by_person = (explained(Linear(WEIGHTS), rows, rows=480) for rows in (repeated, Rows(repeated.features, repeated.groups, None, person)))

    def width(estimate: Value) -> float:
        assert isinstance(estimate, Estimate)
        return estimate.high - estimate.low

    assert width(by_person.features[0].mean_abs_shap) > 1.7 * width(by_row.features[0].mean_abs_shap)
    first, second = (next(gap for gap in section.score_gap_by_input if isinstance(gap, ScoreGap) and gap.group == "b") for section in (by_row, by_person))
    assert width(second.gap) > 1.7 * width(first.gap)
    assert isinstance(second.gap, Estimate)
    assert not second.gap.low_precision


class Wordy(Mixed):
    """Looks at the words themselves, as a model of texts does."""

    def scores(self, frame: pd.DataFrame) -> NDArray[Any]:
        return np.column_stack([frame["text"].str.contains("good", na=False).astype(float), frame["number"].fillna(0.0)])

    def predict(self, frame: pd.DataFrame) -> Predicted:
        assert frame["text"].str.contains("good", na=False).any(), "the model sees the words"
        return super().predict(frame)


def test_no_word_of_a_free_text_is_shown() -> None:
    frame = pd.DataFrame({"text": ["Erika is good", "Max of Berlin is bad", None] * 40, "number": [1.0, 2.0, 3.0] * 40})
    problem = Problem("multiclass", "t", ("p", "q", "r"), None, ("q",))
    section = explain_model(Wordy(), Rows(frame), Rows(frame), problem, seed=0, texts=("text",))
    assert not isinstance(section, NotMeasured)
    shown = section.model_dump_json()
    assert "text of 3 words" in shown
    assert not any(word in shown for word in ("Erika", "Berlin", "good"))


@pytest.mark.parametrize(("space", "quantile", "output"), [
    ("value", None, "predicted y"), ("value", 0.9, "predicted 0.9 quantile of y"), ("log1p", None, "log(1 + predicted y)"),
])
def test_a_number_is_called_what_it_is(space: str, quantile: float | None, output: str) -> None:
    class Other(Product):
        def attributions(self, frame: pd.DataFrame, background: pd.DataFrame) -> Given:
            return replace(super().attributions(frame, background), space=space)

    rows = people(60, features=2)
    section = explained(Other(), rows, rows, Problem(task="regression", target="y", labels=(), quantile=quantile))
    assert (section.output_space, section.output) == (space, output)


def test_a_mean_of_sizes_is_never_told_to_be_below_0() -> None:
    """One row of ten that moves: Student's lower limit would be negative."""
    features = pd.DataFrame({"x": np.r_[np.zeros(57), np.full(3, 1.0)]})
    few = Rows(features, {"group": np.where(np.arange(60) % 2 == 0, "a", "b").astype(object)})
    section = explained(Linear(np.array([1.0])), few, Rows(pd.DataFrame({"x": np.zeros(100)})))
    said = [group.intervals["x"] for group in section.by_group["group"]]
    assert all(isinstance(one, Estimate) and one.low == 0 < one.value for one in said)
