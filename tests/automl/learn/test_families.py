"""The contract that every family keeps (`automl.learn.families`), family by family and task by task."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import norm
from sklearn.metrics import mean_pinball_loss, r2_score, roc_auc_score

from automl.learn.families import FAMILIES, CannotFit, Effort, Fold, FoldModel, family, texts_in_numbers, torch_mlp
from automl.learn.families.constant import fit_constant, load_constant
from automl.learn.families.torch_mlp import TorchModel, batch_size, choose_device
from automl.spec import TaskKind
from tests.automl.learn import material

pytestmark = pytest.mark.slow

TASKS: list[tuple[TaskKind, int]] = [("binary", 2), ("multiclass", 3), ("multiclass", 30), ("regression", 0)]
everywhere = pytest.mark.parametrize(("name", "task", "classes"), [(name, *task) for name in FAMILIES for task in TASKS])


def quick(name: str, task: TaskKind) -> dict[str, Any]:
    """A family's first default, small where that matters for the time of the tests only."""
    params = dict(family(name).defaults(task)[0])
    small = {"torch": {"width": 64, "depth": 1, "members": 2, "learning_rate": 5e-3}, "trees": {"trees": 15}}
    return params | small.get(name, {})


def fit(name: str, fold: Fold, effort: Effort | None = None) -> FoldModel:
    return family(name).fit(quick(name, fold.task), fold, effort or Effort(threads=1))


def digest(model: FoldModel) -> str:
    return hashlib.sha256(repr(sorted(model.files().items())).encode()).hexdigest()


@everywhere
def test_it_learns_and_answers_in_raw_scores(name: str, task: TaskKind, classes: int) -> None:
    fold = material.fold(task, classes, n=600)
    raw = fit(name, fold).raw(fold.valid)
    if task == "multiclass":
        assert raw.shape == (150, classes)
        assert np.abs(raw.sum(axis=1)).max() < 1e-6, "logits are centred over the classes"
        assert (raw.argmax(axis=1) == fold.valid_y).mean() > 1.8 / classes
    else:
        assert raw.shape == (150,)
        truth = material.score(fold.valid)
        assert np.corrcoef(raw, truth)[0, 1] > 0.7
    if task == "regression":
        assert r2_score(fold.valid_y, raw) > 0.5, "values are in the unit of the target"


@everywhere
def test_what_is_loaded_from_its_files_predicts_the_same(name: str, task: TaskKind, classes: int) -> None:
    fold = material.fold(task, classes)
    model = fit(name, fold)
    files = model.files()
    loaded = family(name).load(files)
    assert np.array_equal(loaded.raw(fold.valid), model.raw(fold.valid))
    assert loaded.files() == files
    assert not any(content.startswith((b"\x80\x04", b"\x80\x05")) for content in files.values()), "never a pickle"


@everywhere
def test_attributions_add_up_to_the_distance_from_the_background(name: str, task: TaskKind, classes: int) -> None:
    fold = material.fold(task, classes)
    model, rows, background = fit(name, fold), fold.valid.iloc[:12], fold.train.iloc[:15]
    assert model.attribution_cost > 0
    phi = model.attributions(rows, background, seed=0)
    assert phi.shape == ((12, 5, classes) if task == "multiclass" else (12, 5))
    gap = model.raw(rows) - model.raw(background).mean(axis=0)
    assert np.abs(phi.sum(axis=1) - gap).max() < 1e-4 * max(1, np.abs(gap).max())


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks of few steps, where it does not matter how well they learn."""
    monkeypatch.setattr(torch_mlp, "FEW_ROWS", 0.0)
    monkeypatch.setattr(torch_mlp, "LEAST_EPOCHS", 3)
    monkeypatch.setattr(torch_mlp, "LEAST_STEPS", 1)


@everywhere
@pytest.mark.usefixtures("brief")
def test_what_is_kept_of_a_fold_does_not_keep_its_weights(name: str, task: TaskKind, classes: int) -> None:
    """The search reweighs rows from trial to trial, and a fold's cache goes with it."""
    fold = material.fold(task, classes)
    weighted, otherwise = (replace(fold, train_weight=np.random.default_rng(seed).uniform(0.1, 4, len(fold.train))) for seed in (0, 1))
    shared = [digest(fit(name, each)) for each in (fold, weighted, otherwise, fold)]
    assert shared[2] == digest(fit(name, replace(otherwise, cache={})))
    assert shared[3] == shared[0]
    assert len(set(shared)) == 3, "weights matter, and without them it is as before"


@everywhere
@pytest.mark.usefixtures("brief")
def test_the_same_seed_gives_the_same_bytes(name: str, task: TaskKind, classes: int) -> None:
    first = digest(fit(name, material.fold(task, classes)))
    # what else draws random numbers in this process must not matter
    np.random.default_rng().random()
    torch.rand(3)
    assert digest(fit(name, material.fold(task, classes))) == first


@pytest.mark.parametrize("name", ["lgbm", "torch", "trees"])
def test_another_seed_gives_another_model(name: str) -> None:
    whole = material.fold("binary", 2)
    # numbers only: the encoders of categories have a seed of their own
    fold = Fold(**{**whole.__dict__, "train": whole.train[["size", "holes"]], "valid": whole.valid[["size", "holes"]]})
    other = Fold(**{**fold.__dict__, "seed": 1, "cache": {}})
    assert digest(fit(name, fold)) != digest(fit(name, other))


@everywhere
def test_missing_columns_missing_cells_and_levels_never_seen_are_answered(name: str, task: TaskKind, classes: int) -> None:
    fold = material.fold(task, classes)
    model = fit(name, fold)
    strange = fold.valid.iloc[:6].assign(colour="never seen", size=np.nan)
    empty = pd.DataFrame({column: [np.nan] if column != "colour" else [None] for column in fold.train.columns})
    for frame in (strange, empty, fold.valid.iloc[:6].drop(columns="holes")):
        assert np.isfinite(model.raw(frame)).all()


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("column", ["size", "colour"])
def test_one_column_is_enough(name: str, column: str) -> None:
    whole = material.fold("binary", 2)
    fold = Fold(**{**whole.__dict__, "train": whole.train[[column]], "valid": whole.valid[[column]], "cache": {}})
    model = fit(name, fold)
    phi = model.attributions(fold.valid.iloc[:5], fold.train.iloc[:10], seed=0)
    gap = model.raw(fold.valid.iloc[:5]) - model.raw(fold.train.iloc[:10]).mean()
    assert np.allclose(phi[:, 0], gap, atol=1e-5), "one column carries the whole distance"


@pytest.mark.parametrize("name", FAMILIES)
def test_a_constant_and_an_empty_column_do_no_harm(name: str) -> None:
    frame = material.features(400).assign(same=1.0, nothing=np.nan, word="one")
    fold = material.fold("binary", 2, frame=frame)
    assert np.isfinite(fit(name, fold).raw(fold.valid)).all()


@pytest.mark.parametrize("name", FAMILIES)
def test_it_says_what_it_learns_on(name: str) -> None:
    assert family(name).device().split(":")[0] in {"CPU", "GPU"}


@pytest.mark.parametrize("name", FAMILIES)
def test_weights_count(name: str) -> None:
    plain = material.fold("regression", 0)
    rising = np.where(plain.train_y > np.median(plain.train_y), 50.0, 0.02)
    weighted = Fold(**{**plain.__dict__, "train_weight": rising, "valid_weight": np.ones(len(plain.valid_y)), "cache": {}})
    assert fit(name, weighted).raw(plain.valid).mean() > fit(name, plain).raw(plain.valid).mean() + 1


@pytest.mark.parametrize("name", ["lgbm", "torch", "trees"])
def test_an_effort_that_must_end_ends_with_a_model(name: str) -> None:
    fold = material.fold("binary", 2)
    asked: list[int] = []

    def must_end() -> bool:
        asked.append(1)
        return len(asked) > 2

    assert np.isfinite(fit(name, fold, Effort(1, must_end)).raw(fold.valid)).all()
    assert len(asked) <= 6, "it did not go on"


@pytest.mark.parametrize(("task", "classes"), [("binary", 2), ("regression", 0)])
def test_a_linear_model_with_little_time_learns_from_fewer_rows(task: TaskKind, classes: int) -> None:
    fold = material.fold(task, classes, n=4_000)
    patient, plenty, hurried = (fit("linear", fold, effort).raw(fold.valid) for effort in (Effort(1), Effort(1, left=3600.0), Effort(1, left=0.0)))
    assert np.array_equal(patient, plenty)
    assert not np.array_equal(patient, hurried)
    assert np.corrcoef(patient, hurried)[0, 1] > 0.9, "a thousand rows are still learned from"


def test_a_network_that_foresees_too_little_time_says_so() -> None:
    with pytest.raises(CannotFit, match="more than the budget leaves"):
        fit("torch", material.fold("binary", 2), Effort(1, seconds=1e-9))


def test_sampled_attributions_of_a_network_are_near_the_exact_ones() -> None:
    """Against shap's exact explainer over the table's columns, with more background rows than a row walks to."""
    import shap

    fold = material.fold("regression", 0)
    model = fit("torch", fold)
    assert isinstance(model, TorchModel)
    rows, background = model.encoder.transform(fold.valid.iloc[:10]), model.encoder.transform(fold.train.iloc[:60])
    exact = shap.explainers.Exact(model._raw, shap.maskers.Independent(background, max_samples=60))(rows).values
    ours = model.attributions(fold.valid.iloc[:10], fold.train.iloc[:60], seed=0)
    assert np.corrcoef(ours.ravel(), exact.ravel())[0, 1] > 0.98
    assert np.abs(ours - exact).mean() < 0.25 * np.abs(exact).mean()


@pytest.mark.parametrize("name", ["linear", "trees"])
def test_a_fold_with_one_class_cannot_be_fitted(name: str) -> None:
    fold = material.fold("binary", 2)
    with pytest.raises(CannotFit, match="one class"):
        fit(name, Fold(**{**fold.__dict__, "train_y": np.zeros(len(fold.train_y), dtype=np.int64), "cache": {}}))


@pytest.mark.parametrize("name", ["linear", "trees"])
@pytest.mark.parametrize("present", [(0, 2), (0, 1, 3)])
def test_a_class_that_the_training_rows_lack_is_improbable_not_impossible(name: str, present: tuple[int, ...]) -> None:
    fold = material.fold("multiclass", 4)
    keep = np.isin(fold.train_y, present)
    model = fit(name, Fold(**{**fold.__dict__, "train": fold.train[keep], "train_y": fold.train_y[keep], "cache": {}}))
    raw = model.raw(fold.valid)
    assert raw.shape == (100, 4)
    assert set(raw.argmax(axis=1)) <= set(present)
    phi = model.attributions(fold.valid.iloc[:5], fold.train.iloc[:9], seed=0)
    assert np.allclose(phi.sum(axis=1), raw[:5] - model.raw(fold.train.iloc[:9]).mean(axis=0))


@pytest.mark.parametrize("present", [None, True, False])
def test_the_device_is_chosen_in_one_place(present: bool | None) -> None:
    wanted = torch.cuda.is_available() if present is None else present
    assert choose_device(present).type == ("cuda" if wanted else "cpu")


@pytest.mark.parametrize(("task", "classes"), TASKS)
def test_a_network_learns_in_mixed_precision_where_the_device_has_it(task: TaskKind, classes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The processor stands in for a GPU: it has the same half precision, only no faster."""
    fold = material.fold(task, classes, n=600)
    whole = fit("torch", fold).raw(fold.valid)
    monkeypatch.setattr(torch_mlp, "MIXED_PRECISION", {"cpu"})
    mixed = fit("torch", Fold(**{**fold.__dict__, "cache": {}}))
    assert {tensor.dtype for tensor in mixed.network.state_dict().values()} == {torch.float32}  # type: ignore[attr-defined]
    halves = mixed.raw(fold.valid)
    assert not np.array_equal(halves, whole)
    assert np.corrcoef(halves.ravel(), whole.ravel())[0, 1] > 0.98


def test_a_step_takes_more_rows_on_a_gpu_where_there_are_enough() -> None:
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert [batch_size(rows, cpu) for rows in (1_000, 40_000, 60_000, 300_000)] == [64, 256, 512, 1024]
    assert [batch_size(rows, gpu) for rows in (1_000, 40_000, 60_000, 300_000)] == [64, 256, 2048, 4096]


def test_the_constant_gives_every_row_the_class_shares() -> None:
    y = np.array([0, 1, 1, 1, 2, 2])
    model = load_constant(fit_constant(y, None, "multiclass", 3, "log_loss").files())
    shares = np.exp(model.raw(material.features(4)))
    assert np.allclose(shares / shares.sum(axis=1, keepdims=True), (np.array([1, 3, 2]) + 0.5) / 7.5)


def test_the_constant_of_a_number_is_the_mean_or_for_mae_the_median() -> None:
    y = np.array([1.0, 2.0, 30.0])
    assert fit_constant(y, None, "regression", 0, "rmse").score[0] == 11
    assert fit_constant(y, None, "regression", 0, "mae").score[0] == 2
    assert fit_constant(y, np.array([5.0, 1.0, 1.0]), "regression", 0, "mae").score[0] == 1


@pytest.mark.parametrize("name", ["lgbm", "torch", "trees"])
def test_where_absolute_errors_count_they_are_learned(name: str) -> None:
    """A skewed target: its mean is far from its median."""
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"x": draw.integers(0, 2, 1200).astype(float)})
    y = draw.lognormal(sigma=1.5, size=1200) * (1 + frame["x"].to_numpy())
    errors = {}
    for metric in ("rmse", "mae"):
        fold = Fold("regression", 0, frame[:900], y[:900], None, frame[900:], y[900:], None, seed=0, metric=metric)  # type: ignore[arg-type]
        raw = family(name).fit(dict(family(name).defaults("regression")[0]), fold, Effort(1)).raw(fold.valid)
        errors[metric] = np.abs(raw - y[900:]).mean()
    assert errors["mae"] < 0.9 * errors["rmse"]


def test_the_constant_of_a_quantile_costs_least() -> None:
    draw = np.random.default_rng(0)
    y, weight = draw.lognormal(size=201), draw.random(201)
    for level in (0.05, 0.5, 0.9):
        constant = fit_constant(y, weight, "regression", 0, "quantile_loss", level).score[0]
        costs = [mean_pinball_loss(y, np.full(201, other), alpha=level, sample_weight=weight) for other in y]
        assert mean_pinball_loss(y, np.full(201, constant), alpha=level, sample_weight=weight) == pytest.approx(min(costs))
    assert fit_constant(np.arange(1.0, 11), None, "regression", 0, "quantile_loss", 0.9).score[0] == 9


def of_a_quantile(level: float, frame: pd.DataFrame, y: Any, weight: Any = None) -> Fold:
    return Fold("regression", 0, frame[:900], y[:900], weight, frame[900:], y[900:], None, seed=0, metric="quantile_loss", quantile=level)


@pytest.mark.parametrize("level", [0.1, 0.9])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_quantile_is_learned(name: str, level: float) -> None:
    """The spread grows with x: the quantile is another line than the mean, and its distance from it another one everywhere."""
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"x": draw.random(4900)})
    y = 50 + 20 * frame["x"].to_numpy() * draw.standard_normal(4900)
    fold = of_a_quantile(level, frame, y)
    model = family(name).fit(dict(family(name).defaults("regression")[0]), fold, Effort(1))
    raw, truth = model.raw(fold.valid), 50 + 20 * fold.valid["x"].to_numpy() * norm.ppf(level)
    assert (fold.valid_y <= raw).mean() == pytest.approx(level, abs=0.05)
    assert np.corrcoef(raw, truth)[0, 1] > 0.8
    constant = np.full(len(raw), np.quantile(fold.train_y, level))
    assert mean_pinball_loss(fold.valid_y, raw, alpha=level) < mean_pinball_loss(fold.valid_y, constant, alpha=level)
    phi = model.attributions(fold.valid[:10], fold.train[:20], 0)
    assert phi[:, 0] == pytest.approx(raw[:10] - model.raw(fold.train[:20]).mean(), abs=1e-3)
    assert np.array_equal(family(name).load(model.files()).raw(fold.valid), raw)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_quantile_honours_weights(name: str) -> None:
    """Rows of weight 9 are drawn from a distribution 100 higher: with them the median is there."""
    draw = np.random.default_rng(0)
    high = draw.random(1200) < 0.3
    frame = pd.DataFrame({"x": draw.random(1200)})
    weight = np.where(high, 9.0, 1.0)[:900]
    fold = of_a_quantile(0.5, frame, draw.normal(size=1200) + 100 * high, weight)
    fold = Fold(**{**fold.__dict__, "valid_weight": np.where(high, 9.0, 1.0)[900:]})
    raw = family(name).fit(dict(family(name).defaults("regression")[0]), fold, Effort(1)).raw(fold.valid)
    assert np.median(raw) > 90


def test_a_quantile_regression_of_many_rows_is_of_some_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as its linear programme can be asked for; the same ones each time."""
    from automl.learn.families import linear

    monkeypatch.setattr(linear, "MOST_QUANTILE_ROWS", 1000)
    frame = material.features(3000)
    y = material.target(frame, "regression", 0)
    fold = Fold("regression", 0, frame[:2500], y[:2500], None, frame[2500:], y[2500:], None, seed=0, metric="quantile_loss", quantile=0.5)
    seen: list[int] = []
    whole = linear._quantile_regression
    monkeypatch.setattr(linear, "_quantile_regression", lambda alpha, matrix, *rest: (seen.append(len(matrix)), whole(alpha, matrix, *rest))[1])
    assert digest(fit("linear", fold)) == digest(fit("linear", fold))
    assert seen == [1000, 1000]


@pytest.mark.parametrize("name", ["linear", "lgbm", "trees"])
def test_the_day_of_the_week_is_learned_from_a_date(name: str) -> None:
    days = np.random.default_rng(0).integers(0, 4000, 1200).astype(float)
    y = ((days + 3) % 7 >= 5).astype(np.int64)
    frame = pd.DataFrame({"day": days})
    fold = Fold("binary", 2, frame[:900], y[:900], None, frame[900:], y[900:], None, seed=0, dates=("day",))
    model = family(name).fit(dict(family(name).defaults("binary")[0]), fold, Effort(1))
    assert ((model.raw(fold.valid) > 0) == y[900:]).mean() > 0.95
    phi = model.attributions(fold.valid[:20], fold.train[:50], 0)
    assert phi.shape == (20, 1)
    assert phi[:, 0] == pytest.approx(model.raw(fold.valid[:20]) - model.raw(fold.train[:50]).mean(), abs=1e-6)


# --- free text ---


@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "torch"])
def test_text_helps(name: str) -> None:
    fold = material.fold_with_notes(1_000)
    without = Fold(**{**fold.__dict__, "train": fold.train[["size"]], "valid": fold.valid[["size"]], "texts": (), "cache": {}})
    with_text, alone = (roc_auc_score(each.valid_y, fit(name, each).raw(each.valid)) for each in (fold, without))
    assert with_text > alone + 0.15


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(("task", "classes"), [("binary", 2), ("multiclass", 3), ("regression", 0)])
def test_models_of_texts_keep_the_contract(name: str, task: TaskKind, classes: int) -> None:
    fold = material.fold_with_notes(200, task, classes)
    model, rows, background = fit(name, fold), fold.valid.iloc[:8], fold.train.iloc[:10]
    loaded = family(name).load(model.files())
    assert np.array_equal(loaded.raw(fold.valid), model.raw(fold.valid))
    assert np.array_equal(model.raw(texts_in_numbers(fold).valid), model.raw(fold.valid))
    phi = loaded.attributions(rows, background, seed=0)
    assert phi.shape[:2] == (8, 2), "one share for each column, however many numbers a text became"
    gap = model.raw(rows) - model.raw(background).mean(axis=0)
    assert np.abs(phi.sum(axis=1) - gap).max() < 1e-4 * max(1, np.abs(gap).max())
    same = model.attributions(rows.assign(size=0.5), background.assign(size=0.5), seed=0)
    assert np.abs(same[:, 0]).max() < 1e-6 < np.abs(same[:, 1]).max(), "rows that differ in their texts alone differ by them alone"
    assert np.isfinite(model.raw(fold.valid.drop(columns="note"))).all()
    assert not any(b"overdue" in content or b"savings" in content for content in model.files().values())


def test_texts_are_read_once_for_all_families_and_trials() -> None:
    fold = material.fold_with_notes(200)
    first = texts_in_numbers(fold)
    fit("linear", fold)
    fit("lgbm", fold)
    assert texts_in_numbers(fold).texts is first.texts
