"""The engine on a laptop: ``python -m automl fit TRAIN --target COL --out MODELDIR``, ``python -m automl predict MODELDIR TABLE --out FILE.csv`` and
``python -m automl export MODELDIR --format onnx --out FILE.onnx``.

Exit codes: 0 done; 2 bad input, one sentence on standard error; 1 anything else.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import psutil

from automl.errors import BadInput, Stopped
from automl.hooks import Hooks, Progress
from automl.spec import METRICS_OF_TASK, TaskSpec, metrics_in_words, parse_spec
from automl.terminal import ProgressDisplay

if TYPE_CHECKING:
    from automl.learn.model import FittedModel, Predictions

DONE, BAD_INPUT = 0, 2
DEFAULT_SECONDS = 120.0
ENDING_SECONDS = 1.5
ENDING_SHARE = 0.03
"""Kept free of a budget in seconds for choosing the ensemble and writing the model."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        {"fit": _fit, "predict": _predict, "export": _export}[options.command](options)
    except BadInput as error:
        print(error.sentence, file=sys.stderr)
        return BAD_INPUT
    except (Stopped, KeyboardInterrupt):
        print("stopped; nothing was written", file=sys.stderr)
        return 1
    return DONE


def _fit(options: argparse.Namespace) -> None:
    started = psutil.Process().create_time()
    spec = _spec(options)
    out = _new_folder(options.out)
    _use_threads(spec.threads)
    # heavy libraries are imported only once the options are known to be good
    from automl.data.problems import resolve_problem
    from automl.data.repeats import leave_out_repeats
    from automl.data.splits import whole_table
    from automl.data.tables import read_table
    from automl.learn.deadline import Deadline
    from automl.learn.ensemble import ensemble_not_taken, fit_best, out_of_fold_score
    from automl.learn.search import search

    seconds = spec.budget.seconds
    deadline = Deadline(seconds, started=started, reserve=0.0 if seconds is None else min(ENDING_SECONDS + ENDING_SHARE * seconds, seconds / 2))
    display = ProgressDisplay(sys.stderr)
    hooks = _Shown(display)
    hooks.progress(Progress("read"))
    table = read_table(_existing(options.table), spec.table, spec.missing)
    problem = resolve_problem(spec, table)
    problem, split, told = leave_out_repeats(table, spec, problem, whole_table(table, spec, problem))
    fit_from = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="automl-") as trials:
        result = search(split, problem, spec, hooks, Path(trials), deadline)
        hooks.progress(Progress("ensemble"))
        model = fit_best(result, split, problem, spec)
        model.save(out)
        timings = {"process_s": time.time() - started, "fit_s": time.monotonic() - fit_from}
        (out / "timings.json").write_text(json.dumps(timings))
        display.close(done=True)
        for finding in told:
            print(f"{finding.text}. {finding.suggestion}")
        # what it would have been with several is told once the model is there: the budget is for the model
        if (ensemble := ensemble_not_taken(result, split, problem, spec)) is not None:
            alone = out_of_fold_score(result, model, split)
            print(f"One model instead of {len(ensemble.weights)} combined: {problem.metric} {alone:.6g} instead of {ensemble.out_of_fold:.6g}, out of fold.")


def _predict(options: argparse.Namespace) -> None:
    from automl.data.tables import read_table
    from automl.learn.model import load_model

    folder = _model_folder(options.model)
    out = _new_file(options.out)
    begun = time.monotonic()
    model = load_model(folder, options.threads)
    loaded = time.monotonic()
    table = read_table(_existing(options.table), missing=model.missing)
    frame = model.schema.frame(table)
    ready = time.monotonic()
    predictions = model.predict(frame)
    seconds = time.monotonic() - ready
    _write_predictions(out, model, predictions)
    timings = {"load_s": loaded - begun, "predict_s": seconds, "rows": len(frame)}
    Path(f"{options.out}.timings.json").write_text(json.dumps(timings))


def _export(options: argparse.Namespace) -> None:
    folder = _model_folder(options.model)
    out = _new_file(options.out)
    from automl.evidence import NotMeasured
    from automl.export.onnx_export import export_model
    from automl.learn.model import load_model

    export = export_model(load_model(folder))
    if export.content is None or isinstance(export.evidence, NotMeasured):
        if not out.stat().st_size:
            out.unlink()
        raise BadInput(str(getattr(export.evidence, "reason", "")))
    out.write_bytes(export.content)
    found = export.evidence
    print(f"{options.out}: {found.bytes:,} bytes; on {found.rows:,} rows it differs from the model by at most {found.largest_difference:.3g} ({found.unit}; limit {found.limit:g})")


class _Shown(Hooks):
    def __init__(self, display: ProgressDisplay) -> None:
        self._display = display

    def progress(self, progress: Progress) -> None:
        self._display(progress)


# --- options ----------------------------------------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One sentence and exit code 2, as for all bad input."""
        print(f"{self.prog}: {message}", file=sys.stderr)
        raise SystemExit(BAD_INPUT)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m automl", description="Train a model on a table, and predict with it.")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    fit = commands.add_parser("fit", help="train on every row of TRAIN and write the model's folder")
    fit.add_argument("table", metavar="TRAIN")
    fit.add_argument("--target", required=True, metavar="COL")
    fit.add_argument("--task", choices=sorted(METRICS_OF_TASK))
    fit.add_argument("--positive", metavar="LABEL", help="the positive label of a binary target")
    fit.add_argument("--seconds", type=float, help=f"budget of the whole process, from start to model written (default {DEFAULT_SECONDS:g} where no trials are given)")
    fit.add_argument("--trials", type=int, help="budget in trials")
    fit.add_argument("--metric", metavar="M", help=metrics_in_words())
    fit.add_argument("--quantile", metavar="Q", type=float, help="the level of the metric quantile_loss, between 0 and 1 (default 0.5)")
    fit.add_argument("--seed", type=int, default=0)
    fit.add_argument("--threads", type=int)
    fit.add_argument("--families", metavar="a,b", help="linear, lgbm, torch, trees")
    fit.add_argument("--group", metavar="COL", help="rows of one value (one person) stay together")
    fit.add_argument("--time", metavar="COL")
    fit.add_argument("--weight", metavar="COL")
    fit.add_argument("--simple", action="store_true", help="one trial's fold models instead of an ensemble of several")
    fit.add_argument("--out", required=True, metavar="MODELDIR")
    predict = commands.add_parser("predict", help="predict every row of TABLE")
    predict.add_argument("model", metavar="MODELDIR")
    predict.add_argument("table", metavar="TABLE")
    predict.add_argument("--threads", type=int)
    predict.add_argument("--out", required=True, metavar="PREDICTIONS.csv")
    export = commands.add_parser("export", help="write the model of MODELDIR, with its encoding, as one file for other programs")
    export.add_argument("model", metavar="MODELDIR")
    export.add_argument("--format", choices=["onnx"], default="onnx")
    export.add_argument("--out", required=True, metavar="FILE")
    return parser


def _spec(options: argparse.Namespace) -> TaskSpec:
    seconds = DEFAULT_SECONDS if options.seconds is None and options.trials is None else options.seconds
    document: dict[str, Any] = {
        "target": options.target, "budget": {"seconds": seconds, "trials": options.trials}, "seed": options.seed, "simple": options.simple,
        "families": [name.strip() for name in options.families.split(",")] if options.families else [],
    }
    document |= {name: value for name in ("task", "positive", "metric", "quantile", "threads", "group", "time", "weight") if (value := getattr(options, name)) is not None}
    try:
        spec = parse_spec(document, "training")
    except BadInput as error:
        raise BadInput(error.sentence.replace("spec/", "option --").replace("budget/", ""), pointer=error.pointer) from error
    assert isinstance(spec, TaskSpec)
    return spec


def _use_threads(threads: int | None) -> None:
    """Before numpy and torch are loaded: they read these once."""
    # threads that spin while they wait stand in the way of whatever else runs on the machine
    for name, value in (("OMP_WAIT_POLICY", "PASSIVE"), ("OPENBLAS_THREAD_TIMEOUT", "4")):
        os.environ.setdefault(name, value)
    if threads is not None:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(name, str(threads))


def _existing(path: str) -> Path:
    if not Path(path).is_file():
        raise BadInput(f"there is no file {path!r}")
    return Path(path)


def _model_folder(path: str) -> Path:
    if not (Path(path) / "model.json").is_file():
        raise BadInput(f"{path!r} is not a model folder: it has no model.json")
    return Path(path)


def _new_folder(path: str) -> Path:
    folder = Path(path)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(f"--out {path!r} exists and is not an empty folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out {path!r} cannot be made: {error.strerror}") from error
    return folder


def _new_file(path: str) -> Path:
    """The file that is written: before the work, not after it, it is known that this can be done."""
    file = Path(path)
    try:
        file.open("a").close()
    except OSError as error:
        raise BadInput(f"--out {path!r} cannot be written: {error.strerror}") from error
    return file


# --- predictions as a table -------------------------------------------------------------------------------------------------------


def _write_predictions(path: Path, model: FittedModel, predictions: Predictions) -> None:
    """``prediction``, and for classification ``proba_<label>`` per class; labels as written in the training table, numbers in full precision."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        if predictions.probabilities is None:
            table.writerow(["prediction"])
            table.writerows([repr(float(value))] for value in ([] if predictions.values is None else predictions.values))
            return
        labels = model.problem.labels
        table.writerow(["prediction", *(f"proba_{label}" for label in labels)])
        decided = model.decide(predictions)
        for at, row in zip(decided.tolist(), predictions.probabilities.tolist(), strict=True):
            table.writerow([labels[at], *map(repr, row)])


if __name__ == "__main__":
    raise SystemExit(main())
