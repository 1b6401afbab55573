"""The engine on the command line, by its contract, as a real process."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from automl.__main__ import main
from tests.automl.learn import material

ROOT = Path(__file__).resolve().parents[2]


def automl(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "automl", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=300)


def table(path: Path, task: Any, classes: int, n: int = 240) -> Path:
    frame = material.features(n)
    y = material.target(frame, task, classes)
    words = y if task == "regression" else [["<=50K", ">50K", "50K, \"quoted\""][at] for at in y]
    frame.assign(income=words).to_csv(path, index=False)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(("task", "classes", "labels"), [("binary", 2, ["<=50K", ">50K"]), ("multiclass", 3, ['50K, "quoted"', "<=50K", ">50K"]), ("regression", 0, [])])
def test_fit_and_predict(tmp_path: Path, task: str, classes: int, labels: list[str]) -> None:
    train, out, model = table(tmp_path / "train.csv", task, classes), tmp_path / "p.csv", tmp_path / "model"
    done = automl("fit", train, "--target", "income", "--trials", 2, "--families", "linear,lgbm", "--threads", 1, "--out", model)
    assert done.returncode == 0, done.stderr
    assert set(json.loads((model / "timings.json").read_text())) == {"process_s", "fit_s"}
    done = automl("predict", model, train, "--out", out)
    assert done.returncode == 0, done.stderr
    timings = json.loads((tmp_path / "p.csv.timings.json").read_text())
    assert set(timings) == {"load_s", "predict_s", "rows"}
    assert timings["rows"] == 240
    predictions = pd.read_csv(out)
    assert len(predictions) == 240, "every row, in order"
    truth = pd.read_csv(train)["income"]
    if task == "regression":
        assert list(predictions) == ["prediction"]
        assert predictions["prediction"].corr(truth) > 0.8
    else:
        assert list(predictions) == ["prediction", *(f"proba_{label}" for label in labels)]
        assert (predictions["prediction"] == truth).mean() > 0.7
        assert predictions.drop(columns="prediction").sum(axis=1).sub(1).abs().max() < 1e-9


def test_the_table_to_predict_needs_no_target(tmp_path: Path) -> None:
    train = table(tmp_path / "train.csv", "binary", 2)
    assert main(["fit", str(train), "--target", "income", "--trials", "1", "--families", "linear", "--out", str(tmp_path / "m")]) == 0
    bare = tmp_path / "bare.csv"
    pd.read_csv(train).drop(columns="income").iloc[::-1].to_csv(bare, index=False)
    for name in (train, bare):
        assert main(["predict", str(tmp_path / "m"), str(name), "--out", f"{name}.p"]) == 0
    forwards, backwards = (list(csv.reader(io.StringIO(Path(f"{name}.p").read_text()))) for name in (train, bare))
    assert forwards[1:] == backwards[:0:-1]


@pytest.mark.parametrize(("arguments", "words"), [
    (["fit", "{train}", "--target", "incone", "--trials", "1", "--out", "{new}"], ["incone", "did you mean 'income'"]),
    (["fit", "{train}", "--target", "income", "--seconds", "-3", "--out", "{new}"], ["--seconds", "greater than 0"]),
    (["fit", "{train}", "--target", "income", "--families", "forest", "--out", "{new}"], ["--families"]),
    (["fit", "{train}", "--target", "income", "--task", "regression", "--metric", "roc_auc", "--out", "{new}"], ["roc_auc", "rmse"]),
    (["fit", "{train}", "--target", "income", "--metric", "quantile_loss", "--quantile", "2", "--out", "{new}"], ["--quantile", "less than 1"]),
    (["fit", "{train}", "--target", "income", "--quantile", "0.9", "--out", "{new}"], ["quantile_loss"]),
    (["fit", "{train}", "--target", "income", "--out", "{full}"], ["--out", "not an empty folder"]),
    (["fit", "{absent}", "--target", "income", "--trials", "1", "--out", "{new}"], ["there is no file"]),
    (["fit", "{train}", "--out", "{new}"], ["--target"]),
    (["fit", "{train}", "--target", "income", "--out", "{train}/model"], ["--out", "cannot be made"]),
    (["predict", "{full}", "{train}", "--out", "{new}"], ["not a model folder"]),
    (["predict", "{model}", "{train}", "--out", "{full}"], ["--out", "cannot be written"]),
    (["predict", "{model}", "{train}", "--out", "{absent}/p.csv"], ["--out", "cannot be written"]),
    (["export", "{full}", "--out", "{new}"], ["not a model folder"]),
    (["export", "{model}", "--out", "{full}"], ["--out", "cannot be written"]),
    (["export", "{model}", "--format", "pmml", "--out", "{new}"], ["--format", "onnx"]),
])
def test_bad_input_is_one_sentence_and_exit_code_2(tmp_path: Path, arguments: list[str], words: list[str], capsys: Any) -> None:
    train = table(tmp_path / "train.csv", "binary", 2)
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.json").write_text("{}")
    names = {"train": train, "new": tmp_path / "new", "full": tmp_path, "absent": tmp_path / "absent.csv", "model": model}
    try:
        code = main([argument.format(**names) for argument in arguments])
    except SystemExit as ended:
        code = ended.code
    said = capsys.readouterr().err.strip().splitlines()
    assert code == 2
    assert all(word in said[-1] for word in words), said
    assert "Traceback" not in "".join(said)
    assert len([line for line in said if not line.endswith("%  read")]) == 1


def test_export_writes_one_file_or_says_why_not(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.automl.export import models

    out = tmp_path / "loan model.onnx"
    models.fitted("binary", ("linear", "lgbm")).save(tmp_path / "model")
    assert main(["export", str(tmp_path / "model"), "--format", "onnx", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert f"{out.stat().st_size:,} bytes; on 1,000 rows it differs from the model by at most " in said
    out.unlink()
    monkeypatch.setattr("automl.export.onnx_export.LIMIT", -1.0)
    assert main(["export", str(tmp_path / "model"), "--out", str(out)]) == 2
    assert capsys.readouterr().err.startswith("the exported file was not given out: on 1,000 rows it differs from the model by up to ")
    assert not out.exists()


@pytest.mark.slow
def test_a_budget_in_seconds_counts_the_whole_process(tmp_path: Path) -> None:
    """Far fewer seconds than the imports alone take: the search sees no time left and the baseline is written."""
    train = table(tmp_path / "train.csv", "binary", 2)
    done = automl("fit", train, "--target", "income", "--seconds", 0.2, "--out", tmp_path / "m")
    assert done.returncode == 0, done.stderr
    members = json.loads((tmp_path / "m" / "model.json").read_text())["members"]
    assert [member["family"] for member in members] == ["baseline"]
