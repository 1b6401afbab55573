from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import root_mean_squared_log_error

from automl.data.encoding import CodeEncoder
from automl.evidence import Estimate, ProbabilityCalibration
from automl.hooks import Hooks
from automl.learn.deadline import Deadline
from automl.learn.ensemble import fit_best
from automl.learn.model import FittedModel, load_model
from automl.learn.search import search
from automl.spec import Budget, TaskKind, TaskSpec
from tests.automl.export.models import features as many_columns, fitted as put_together
from tests.automl.learn import material

pytestmark = pytest.mark.slow

TASKS: list[tuple[TaskKind, int]] = [("binary", 2), ("multiclass", 3), ("regression", 0)]


@pytest.fixture(scope="module", params=TASKS, ids=[task for task, _ in TASKS])
def fitted(request: Any, tmp_path_factory: Any) -> tuple[FittedModel, Any]:
    """A model whose members are of different families, by construction of its weights from a short search."""
    task, classes = request.param
    frame = material.features(240)
    split, problem = material.split(frame, material.target(frame, task, classes)), material.problem(task, classes, frame)
    spec = TaskSpec(target="y", budget=Budget(trials=2), families=("linear", "lgbm"), threads=2, missing=("", "?"))
    result = search(split, problem, spec, Hooks(), tmp_path_factory.mktemp("trials"), Deadline(None, started=time.time()))
    model = fit_best(result, split, problem, spec)
    if len(model.members) == 1:
        from automl.learn.model import Member

        members = tuple(Member(record.number, record.family, 0.5, record.fold_models()) for record in result.complete)
        raw = np.mean([record.out_of_fold() for record in result.complete], axis=0)
        model = replace(model, members=members, out_of_fold_raw=raw)
    return model, frame


def test_saved_and_loaded_it_is_the_same(fitted: Any, tmp_path: Path) -> None:
    model, frame = fitted
    model.save(tmp_path)
    loaded = load_model(tmp_path)
    assert np.array_equal(loaded.raw(frame), model.raw(frame))
    assert loaded.sha256 == model.sha256
    assert loaded.problem == model.problem
    assert loaded.threshold == model.threshold
    assert loaded.calibration == model.calibration
    assert loaded.missing == ("", "?")
    assert np.array_equal(loaded.out_of_fold_raw, model.out_of_fold_raw)


def test_what_is_loaded_is_ready(fitted: Any, tmp_path: Path) -> None:
    """Nothing that is kept from the first prediction for the next is left to be made: no request waits for it."""
    model, frame = fitted
    model.save(tmp_path)
    loaded = load_model(tmp_path)

    def kept() -> list[list[str]]:
        parts = [part for member in loaded.members for fold in member.folds for part in (fold, getattr(fold, "trees", None), fold.encoder, fold.encoder.codes) if part is not None]
        return [sorted(vars(part)) for part in parts]

    before = kept()
    assert any("_tests" in names for names in before)
    loaded.predict(frame)
    assert kept() == before


def test_the_hash_is_over_its_files(fitted: Any, tmp_path: Path) -> None:
    model, _ = fitted
    model.save(tmp_path)
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == set(model.files)
    document = json.loads((tmp_path / "model.json").read_text())
    document["members"][0]["weight"] += 0.001
    (tmp_path / "model.json").write_text(json.dumps(document))
    assert load_model(tmp_path).sha256 != model.sha256


def test_attributions_of_the_whole_ensemble_add_up(fitted: Any) -> None:
    model, frame = fitted
    rows, background = frame.iloc[:30], frame.iloc[100:140]
    assert model.attribution_cost == sum(fold.attribution_cost for member in model.members for fold in member.folds) > 0
    found = model.attributions(rows, background)
    raw = model.raw(rows)
    assert found.phi.shape == (30, 5, *raw.shape[1:])
    assert np.abs(found.base + found.phi.sum(axis=1) - raw).max() == pytest.approx(found.additivity_error)
    assert found.additivity_error < 1e-9
    assert np.allclose(found.base, model.raw(background).mean(axis=0))
    assert found.space == ("value" if model.problem.task == "regression" else "log_odds")
    assert "exact interventional tree SHAP" in found.explainer
    assert "linear" in found.explainer


def test_a_calibrated_model_is_the_same_model_scaled(fitted: Any, tmp_path: Path) -> None:
    plain, frame = fitted
    slope, shift = 1.5, 0.25 if plain.problem.task == "binary" else 0.0
    gain = Estimate(value=0.1, low=0.05, high=0.15, method="t", n=240)
    method = "platt" if plain.problem.task == "binary" else "temperature"
    model = replace(plain, calibration=ProbabilityCalibration(method=method, slope=slope, shift=shift, rows=240, log_loss_gain=gain, brier_gain=gain))
    assert np.allclose(model.raw(frame), slope * plain.raw(frame) + shift)
    found, before = model.attributions(frame.iloc[:9], frame.iloc[50:90]), plain.attributions(frame.iloc[:9], frame.iloc[50:90])
    assert np.allclose(found.phi, slope * before.phi)
    assert np.allclose(found.base, slope * before.base + shift)
    assert found.additivity_error < 1e-9
    model.save(tmp_path)
    loaded = load_model(tmp_path)
    assert loaded.calibration == model.calibration
    assert np.array_equal(loaded.raw(frame), model.raw(frame))
    assert loaded.sha256 == model.sha256 != plain.sha256


def test_the_whole_background_is_used(fitted: Any) -> None:
    """shap quietly keeps 100 rows of a background; here every row counts."""
    model, frame = fitted
    assert not np.allclose(model.attributions(frame.iloc[:2], frame.iloc[:100]).base, model.attributions(frame.iloc[:2], frame).base)


def test_columns_in_another_order_and_further_columns_change_nothing(fitted: Any) -> None:
    model, frame = fitted
    turned = frame.assign(more=1)[[*reversed(frame.columns), "more"]]
    assert np.array_equal(model.raw(turned), model.raw(frame))
    found = model.attributions(turned.iloc[:5], turned.iloc[50:60])
    assert np.array_equal(found.phi, model.attributions(frame.iloc[:5], frame.iloc[50:60]).phi), "in the order of the model's features"


def test_levels_never_seen_are_counted_and_answered(fitted: Any) -> None:
    model, frame = fitted
    strange = frame.iloc[:10].assign(colour=["violet"] * 3 + ["red"] * 6 + [None])
    assert model.unseen_levels(strange) == {"colour": 3}
    assert model.unseen_levels(frame) == {}
    assert np.isfinite(model.raw(strange)).all()


def test_the_cells_of_a_fold_are_looked_up_once_for_all_its_encoders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way to encode a category begins with its code, and so do linear models and networks."""
    model = put_together("binary", ("linear", "lgbm", "one_hot", "ordinal", "torch"))
    frame = many_columns(50, seed=3)
    alone = np.sum([member.weight * np.mean([fold.raw(frame) for fold in member.folds], axis=0) for member in model.members], axis=0)
    looked_up: list[CodeEncoder] = []
    transform = CodeEncoder.transform
    monkeypatch.setattr(CodeEncoder, "transform", lambda self, rows: looked_up.append(self) or transform(self, rows))
    assert np.array_equal(model.raw(frame), alone)
    assert len(looked_up) == len(model.members[0].folds) == 2


def test_no_rows_no_predictions(fitted: Any) -> None:
    model, frame = fitted
    assert len(model.predict(frame.iloc[:0])) == 0


def test_probabilities_are_probabilities(fitted: Any) -> None:
    model, frame = fitted
    predictions = model.predict(frame)
    if model.problem.task == "regression":
        assert predictions.values is not None
        assert predictions.values.shape == (240,)
        with pytest.raises(TypeError, match="decides nothing"):
            model.decide(predictions)
    else:
        assert predictions.probabilities is not None
        assert np.allclose(predictions.probabilities.sum(axis=1), 1)
        assert set(model.decide(predictions)) <= set(range(len(model.problem.labels)))


def skewed(metric: str, folder: Path, **settings: Any) -> tuple[FittedModel, Any, Any]:
    """A model of a number whose logarithm is what the inputs tell of."""
    frame = material.features(400)
    y = np.expm1(np.clip(3 + 0.8 * material.score(frame) + 0.6 * np.random.default_rng(2).normal(size=400), 0, None))
    problem = replace(material.problem("regression", 0, frame), metric=metric, quantile=settings.get("quantile"))
    split = material.split(frame, y)
    spec = TaskSpec.model_validate({"target": "y", "task": "regression", "metric": metric, "budget": {"trials": 3}, "families": ("linear", "lgbm"), "threads": 2, **settings})
    result = search(split, problem, spec, Hooks(), folder, Deadline(None, started=time.time()))
    assert all(result.loss(record) < result.loss(result.baseline) for record in result.complete)
    return fit_best(result, split, problem, spec), frame, y


def test_by_rmsle_logarithms_are_learned_and_added_up(tmp_path: Path) -> None:
    model, frame, y = skewed("rmsle", tmp_path / "logs")
    values = model.predict(frame).values
    assert values is not None
    assert np.allclose(values, np.expm1(np.maximum(model.raw(frame), 0)))
    assert values.min() >= 0
    found = model.attributions(frame.iloc[:20], frame.iloc[100:150])
    assert found.space == "log1p"
    assert found.additivity_error < 1e-9
    assert np.allclose(found.base + found.phi.sum(axis=1), model.raw(frame.iloc[:20])), "what adds up is the logarithm"
    model.save(tmp_path / "model")
    again = load_model(tmp_path / "model")
    assert np.array_equal(again.predict(frame).values, values)
    assert again.out_of_fold.values is not None
    other, _, _ = skewed("rmse", tmp_path / "values")
    assert other.attributions(frame.iloc[:5], frame.iloc[100:150]).space == "value"

    def rmsle(fitted: FittedModel) -> float:
        assert fitted.out_of_fold.values is not None
        return root_mean_squared_log_error(y, fitted.out_of_fold.values.clip(0))

    assert rmsle(model) < 0.95 * rmsle(other), "it is what the search was asked for"


def test_a_model_of_a_quantile_knows_its_level(tmp_path: Path) -> None:
    model, frame, y = skewed("quantile_loss", tmp_path / "trials", quantile=0.9)
    assert model.out_of_fold.values is not None
    assert (y <= model.out_of_fold.values).mean() == pytest.approx(0.9, abs=0.06)
    model.save(tmp_path / "model")
    again = load_model(tmp_path / "model")
    assert (again.problem, again.sha256) == (model.problem, model.sha256)
    assert again.problem.quantile == 0.9
    assert "quantile" not in skewed("rmse", tmp_path / "other")[0].files["model.json"].decode(), "models of other metrics keep their bytes"
    found = model.attributions(frame.iloc[:10], frame.iloc[100:130])
    assert np.allclose(found.base + found.phi.sum(axis=1), model.raw(frame.iloc[:10]))


def test_a_model_of_another_format_is_refused(fitted: Any, tmp_path: Path) -> None:
    model, _ = fitted
    model.save(tmp_path)
    (tmp_path / "model.json").write_text('{"format": 99}')
    with pytest.raises(ValueError, match="format 99"):
        load_model(tmp_path)
