"""The options of `audit` and `audit_predictions` as one spec: the same `TaskSpec` that form and REST build, so that one check serves all."""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from typing import Any, Literal

from auditapp.statements.fields import LANGUAGES
from automl.errors import BadInput
from automl.spec import FAIRNESS_METRICS, GOVERNING_METRICS, OPTIONAL_PARTS, Spec, metrics_in_words, parse_spec


def add_shared_options(parser: argparse.ArgumentParser) -> None:
    """What both commands take."""
    parser.add_argument("table", metavar="TABLE", type=Path, help="CSV or TSV (also gzipped), Parquet or XLSX")
    parser.add_argument("--positive", metavar="LABEL", help="the outcome that is predicted")
    parser.add_argument("--favourable", metavar="LABEL", action="append", help="the outcome that is good for the person (default: --positive); may be given again")
    parser.add_argument("--sensitive", metavar="A,B", action="append", type=_names, help="the attributes to audit; a name that holds a comma stands in double quotes")
    parser.add_argument("--bins", metavar="ATTRIBUTE=EDGES", action="append", type=_bins, help="groups of a numeric attribute, such as age=24,39,59 (default: quartiles)")
    parser.add_argument("--reference", metavar="ATTRIBUTE=GROUP", action="append", type=_pair, help="the group that others are compared with")
    parser.add_argument("--intersections", metavar="DEPTH", type=int, help="how many attributes are crossed at once (default 2)")
    parser.add_argument("--limit", metavar="RATIO", type=float, help="the impact ratio that findings are measured against (default 0.8): a convention, not a law")
    parser.add_argument("--profile", choices=["us_employment", "us_credit"], help="whose law the decisions are made under: both bar cut-offs that differ by group")
    parser.add_argument("--governing", choices=GOVERNING_METRICS, metavar="METRIC", help=f"the fairness metric that governs: {', '.join(GOVERNING_METRICS)}")
    parser.add_argument("--governing-answer", metavar="QUESTION=ANSWER", action="append", type=_pair, help="or the questions that lead to it, each with its answer: measured_by_rates=yes|no (does a rule "
                        "measure these decisions by selection rates?), outcome_trusted=yes|no, used_as=decision|score, worse=refused|granted|both")
    parser.add_argument("--governing-reason", metavar="TEXT", help="why, in your own words")
    parser.add_argument("--group", metavar="COL", help="rows with the same value belong together: one person, one household")
    parser.add_argument("--weight", metavar="COL", help="sample weights")
    parser.add_argument("--leave-out", metavar="A,B", action="append", type=_names, help=f"parts of the audit that are not measured, which the document then says: {', '.join(OPTIONAL_PARTS)}")
    parser.add_argument("--title", help="what the report is called (default: the file's name)")
    parser.add_argument("--missing", metavar="TEXT", action="append", help="a cell text that means missing; may be given again; replaces the default list")
    parser.add_argument("--delimiter", metavar="CHARACTER")
    parser.add_argument("--encoding")
    parser.add_argument("--sheet")
    parser.add_argument("--seed", metavar="K", type=int)
    parser.add_argument("--threads", metavar="T", type=int)
    parser.add_argument("--spec", metavar="FILE.json", type=Path, help="a spec as REST takes it; options given beside it stand above it")
    parser.add_argument("--lang", choices=list(LANGUAGES), default="", help="the language of the report (default: en); the evidence is the same in every language")
    parser.add_argument("--fail-on", choices=["high", "medium"], help="exit code 3 when a finding of this or a higher severity exists")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="the folder that is made; it must be empty or absent")


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """What only a training takes."""
    parser.add_argument("--target", metavar="COL", help="the column to predict")
    parser.add_argument("--test", metavar="TABLE2", type=Path, help="audit on this table instead of on a part of TABLE")
    parser.add_argument("--task", choices=["binary", "multiclass", "regression"])
    parser.add_argument("--seconds", metavar="S", type=float, help="from the start of this command to the end of tuning (default 120)")
    parser.add_argument("--trials", metavar="N", type=int)
    parser.add_argument("--metric", metavar="M", help=metrics_in_words())
    parser.add_argument("--quantile", metavar="Q", type=float, help="the level of the metric quantile_loss, between 0 and 1 (default 0.5)")
    parser.add_argument("--families", metavar="A,B", type=_names)
    parser.add_argument("--time", metavar="COL", help="the audit part is the latest rows by this column")
    parser.add_argument("--simple", action="store_true", default=None, help="one readable model instead of an ensemble")
    parser.add_argument("--sensitive-as-features", action="store_true", default=None)
    parser.add_argument("--explain-rows", metavar="N,M", type=_rows, help="rows of TABLE, or of TABLE2 where --test gives one, that are explained one by one; the first is 0, as in predictions.csv")
    parser.add_argument("--fairness-objective", metavar="METRIC[=ATTRIBUTE]", type=_objective, help="a second objective of the search beside the metric, between the groups of this attribute "
                        f"(default: of every one named in --sensitive): {', '.join(FAIRNESS_METRICS)}")


def add_prediction_options(parser: argparse.ArgumentParser) -> None:
    """What only an audit of predictions takes."""
    parser.add_argument("--label", metavar="COL", help="the true outcome; without it the error rates are not measured")
    parser.add_argument("--score", metavar="COL")
    parser.add_argument("--decision", metavar="COL")
    parser.add_argument("--threshold", type=float, help="scores from here on are the positive decision")


_PLAIN = (
    "target", "task", "metric", "quantile", "time", "simple", "sensitive_as_features", "fairness_objective", "explain_rows", "label", "score", "decision", "threshold", "positive", "intersections", "profile", "group",
    "weight", "title", "seed", "threads",
)
_OPTION_OF = {"budget": "seconds", "table": "delimiter"}


def spec_of(options: dict[str, Any], kind: Literal["training", "predictions"]) -> Spec:
    """The spec that the options describe. Raises BadInput whose sentence names the option."""
    document = _read_spec(options["spec"]) if options.get("spec") else {}
    document |= {name: options[name] for name in _PLAIN if options.get(name) is not None}
    for name, part in (("sensitive", options.get("sensitive")), ("leave_out", options.get("leave_out")), ("families", [options["families"]] if options.get("families") else None)):
        if part is not None:
            document[name] = [one for given in part for one in given]
    if options.get("favourable"):
        document["favourable"] = options["favourable"] if len(options["favourable"]) > 1 else options["favourable"][0]
    for name in ("bins", "reference"):
        if options.get(name):
            document[name] = dict(options[name])
    governing = {"metric": options.get("governing"), "answers": dict(options.get("governing_answer") or ()), "reason": options.get("governing_reason")}
    if any(governing.values()):
        document["governing"] = {name: value for name, value in governing.items() if value}
    if options.get("missing") is not None:
        document["missing"] = options["missing"]
    if options.get("limit") is not None:
        document["limit"] = {"ratio": options["limit"]}
    for name, keys in (("budget", ("seconds", "trials")), ("table", ("delimiter", "encoding", "sheet"))):
        given = {key: options[key] for key in keys if options.get(key) is not None}
        if given:
            document[name] = given
    if kind == "training" and "target" not in document:
        raise BadInput("--target is needed: the column to predict")
    try:
        return parse_spec(document, kind)
    except BadInput as fault:
        raise BadInput(_in_options(fault), pointer=fault.pointer) from fault


def _in_options(fault: BadInput) -> str:
    """The same sentence, naming the option where it named the field of the spec."""
    parts = [part for part in (fault.pointer or "").split("/") if part]
    if not parts:
        return fault.sentence.removeprefix("spec: ")
    known = parts[1] if parts[0] in _OPTION_OF and len(parts) > 1 else _OPTION_OF.get(parts[0], parts[0])
    return f"--{known.replace('_', '-')}: {fault.sentence.removeprefix('spec' + (fault.pointer or '') + ': ')}"


def _read_spec(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise BadInput(f"--spec: {path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"--spec: {path} is not JSON") from error
    if not isinstance(document, dict):
        raise BadInput(f"--spec: {path} holds no JSON object")
    return document


def _names(text: str) -> list[str]:
    names = next(csv.reader([text], strict=False), [])
    if not names or not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of names")
    return names


def _rows(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of row numbers") from None


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.rpartition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not ATTRIBUTE=GROUP")
    return name, value


def _objective(text: str) -> dict[str, str]:
    metric, _, attribute = text.partition("=")
    return {"metric": metric, **({"attribute": attribute} if attribute else {})}


def _bins(text: str) -> tuple[str, list[float]]:
    name, edges = _pair(text)
    try:
        return name, [float(edge) for edge in edges.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{edges!r} is not a list of numbers") from error
