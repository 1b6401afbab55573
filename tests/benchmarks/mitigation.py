"""`make bench BENCH=mitigation`: what alternatives cost on Adult (sex) and COMPAS (African-American against Caucasian), ours beside Fairlearn's methods on the same base model.

One run of the engine a seed, with the evidence that alternatives take part in; every number here is read from it, on the audit part. The splits of one table share rows, so the interval over seeds is the
corrected resampled t interval (Nadeau and Bengio 2003, "Inference for the generalization error"). Signed gaps may cancel over seeds, absolute ones are how far a single split is off.

Beside the methods stands what none of them can reach: the best cut-offs by group for the same scores, chosen with the audit part's own labels. It says how much of a distance to an aim is the
method's and how much the scores' and the split's.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from automl.evidence import Alternative, Estimate, Evidence, MitigationSection, Value
from automl.hooks import Hooks
from automl.learn.mitigation.alternatives import EQUAL_SELECTION
from automl.learn.mitigation.cuts import curves_of, towards_parity
from automl.learn.mitigation.decisions import Aim, Decisions
from automl.pipeline import run_training
from automl.printing import alternative_name
from automl.spec import TaskSpec

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = ROOT.parent / "shared" / "data"
DEPLOYED, BOUND = "deployed model", "the best cut-offs for each group, chosen with the audit part's labels"
PRICE = 0.5
"""Of an error of either kind: what is told is accuracy."""
Reading = dict[str, float]


@dataclass(frozen=True)
class Table:
    file: str
    spec: dict[str, Any]
    group: str
    """Whose rates minus the reference's are the signed gaps."""
    keep: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table


TABLES = {
    "adult": Table("adult.csv.gz", {"target": "income", "positive": ">50K", "sensitive": ["sex"], "reference": {"sex": "Male"}}, "Female"),
    "compas": Table(
        "compas.csv", {"target": "two_year_recid", "positive": "1", "favourable": "0", "sensitive": ["race"], "reference": {"race": "Caucasian"}}, "African-American",
        lambda table: table[table["race"].isin(["African-American", "Caucasian"])]),
}
PAIRS = (("a cut-off for each group, equal selection rates", "Fairlearn's ThresholdOptimizer, equal selection rates"),
         ("a cut-off for each group, equal error rates", "Fairlearn's ThresholdOptimizer, equal error rates"),
         ("reweighing, strength 1", "exponentiated gradient, equal selection rates"))
"""Ours against Fairlearn's with the same aim and the same right to see the group."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bench BENCH=mitigation", description="What alternatives to a model cost.")
    parser.add_argument("--datasets", default="adult,compas")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--families", default="linear,lgbm")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="a file in which each seed's numbers are kept as a line: what is in it is not made again")
    options = parser.parse_args(arguments)
    if not DATA.is_dir():
        print(f"The comparison needs the project's shared folder: there is no {DATA}", file=sys.stderr)
        return 2
    for name in options.datasets.split(","):
        found: dict[str, list[Reading]] = defaultdict(list)
        sees: dict[str, str] = {}
        kept = _kept(options.keep, name)
        for seed in range(options.seeds):
            began = time.monotonic()
            if seed not in kept:
                evidence, bound = run(TABLES[name], seed, options)
                share = evidence.data.split.audit / evidence.data.split.train
                found_here = {**readings(evidence, TABLES[name].group), BOUND: {**bound, "audit over train": share}}
                kept[seed] = {"table": name, "seed": seed, "readings": found_here, "sees": {**who_sees(evidence), BOUND: "the group and the labels"}}
                if options.keep is not None:
                    with options.keep.open("a") as file:
                        file.write(json.dumps(kept[seed]) + "\n")
            for method, reading in kept[seed]["readings"].items():
                found[method].append(reading)
            sees |= kept[seed]["sees"]
            print(f"{name}, seed {seed}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        print("\n".join(report(name, found, sees)), flush=True)
    return 0


def _kept(path: Path | None, name: str) -> dict[int, dict[str, Any]]:
    if path is None or not path.is_file():
        return {}
    return {line["seed"]: line for line in map(json.loads, path.read_text().splitlines()) if line["table"] == name}


def run(table: Table, seed: int, options: Any) -> tuple[Evidence, Reading]:
    with tempfile.TemporaryDirectory(prefix="plumbline-bench-") as folder:
        path = Path(folder) / "table.csv"
        table.keep(pd.read_csv(DATA / table.file, dtype="str", keep_default_na=False)).to_csv(path, index=False)
        spec = TaskSpec.model_validate({**table.spec, "seed": seed, "threads": options.threads, "families": options.families.split(","), "budget": {"trials": options.trials},
                                        "leave_out": ["reasons", "slices", "robustness", "explanation_checks"]})
        evidence = run_training(spec, path, Path(folder) / "bundle", Hooks(), run={"id": f"bench_{seed}", "title": table.file})
        return evidence, best_of_all(pd.read_csv(Path(folder) / "bundle" / "predictions.csv", dtype={"label": "str"}), table)


def best_of_all(audit: pd.DataFrame, table: Table) -> Reading:
    """What the best of all cut-offs by group do to the ``audit`` rows on which they are chosen, labels known, selection rates as far apart as the method allows: a bound that no method can reach."""
    [(attribute, reference)] = table.spec["reference"].items()
    favourable = table.spec.get("favourable", table.spec["positive"])
    score, good = audit[f"proba_{favourable}"].to_numpy(dtype=np.float64), (audit["label"] == favourable).to_numpy()
    decisions = Decisions(score=score, selected=score >= PRICE, deserving=good, groups={attribute: audit[attribute].to_numpy(dtype=object)})
    aim = Aim(attribute, (reference, table.group), reference)
    given = towards_parity(curves_of(decisions, aim, PRICE), aim, EQUAL_SELECTION).given(decisions)
    mine, theirs = (decisions.groups[attribute] == name for name in (table.group, reference))
    gaps = [float(given[mine & among].mean() - given[theirs & among].mean()) for among in (np.ones(len(good), dtype=bool), good, ~good)]
    return {"accuracy": float(np.where(good, given, 1 - given).mean()), **dict(zip(("selection", "tpr", "fpr"), gaps, strict=True)),
            "ratio": float(given[mine].mean() / given[theirs].mean())}


def readings(evidence: Evidence, group: str) -> dict[str, Reading]:
    """Accuracy, the gaps of ``group`` to the reference and the impact ratio, by method."""
    section = evidence.mitigation
    assert isinstance(section, MitigationSection), section
    deployed = section.deployed.attributes[0]
    gap = next(each for each in deployed.gaps if each.group == group)
    rates = {each.group: _value(each.selection_rate) for each in deployed.groups}
    found = {DEPLOYED: _reading(section.deployed.performance["accuracy"], (gap.selection_rate, gap.tpr, gap.fpr), rates[group] / rates[deployed.reference])}
    found[DEPLOYED]["out of fold"] = section.deployed.out_of_fold[0].value
    for one in section.alternatives:
        mine = next(each for each in one.fairness.gaps if each.group == group)
        after = {each.group: _value(each.selection_rate.after) for each in one.fairness.groups}
        found[alternative_name(one)] = _reading(
            one.performance["accuracy"].after, (mine.selection_rate.after, mine.tpr.after, mine.fpr.after), after[group] / after[deployed.reference])
    share = evidence.data.split.audit / evidence.data.split.train
    return {name: {**reading, "audit over train": share} for name, reading in found.items()}


def who_sees(evidence: Evidence) -> dict[str, str]:
    assert isinstance(evidence.mitigation, MitigationSection)
    return {alternative_name(one): _how(one) for one in evidence.mitigation.alternatives}


def _how(one: Alternative) -> str:
    return ("the group" if one.uses_attribute_at_decision else "no group") + (", by lot" if one.drawn_by_lot else "")


def _reading(accuracy: Value, gaps: Sequence[Value], ratio: float) -> Reading:
    selection, tpr, fpr = map(_value, gaps)
    return {"accuracy": _value(accuracy), "selection": selection, "tpr": tpr, "fpr": fpr, "ratio": ratio}


def _value(value: Value) -> float:
    return value.value if isinstance(value, Estimate) else float("nan")


def corrected_interval(values: Sequence[float], audit_over_train: float) -> tuple[float, float, float]:
    """Mean and 95 % limits over splits of one table, whose variance is that of the mean of independent ones plus audit / train of a single one's."""
    centre, n = mean(values), len(values)
    if n < 2:
        return centre, float("nan"), float("nan")
    half = float(student.ppf(0.975, n - 1)) * stdev(values) * np.sqrt(1 / n + audit_over_train)
    return centre, centre - half, centre + half


def report(name: str, found: dict[str, list[Reading]], sees: dict[str, str]) -> list[str]:
    """Two tables as markdown: each method, and ours minus Fairlearn's by seed."""
    share, seeds = found[DEPLOYED][0]["audit over train"], len(found[DEPLOYED])
    lines = ["", f"### {name}, {seeds} seeds", "",
             "| method | sees | accuracy | minus the deployed model's | selection rates, signed | absolute | true positive rates, signed | absolute | false positive rates, signed | absolute | impact ratio |",
             "|---|---|---|---|---|---|---|---|---|---|---|"]
    for method, rows in found.items():
        cells = [_shown(corrected_interval([row["accuracy"] for row in rows], share)),
                 _shown(corrected_interval([row["accuracy"] - now["accuracy"] for row, now in zip(rows, found[DEPLOYED], strict=False)], share), signed=True)]
        for gap in ("selection", "tpr", "fpr"):
            cells += [_shown(corrected_interval([row[gap] for row in rows], share), signed=True), f"{mean(abs(row[gap]) for row in rows):.4f}"]
        cells.append(_shown(corrected_interval([row["ratio"] for row in rows], share)))
        few = "" if len(rows) == seeds else f" ({len(rows)} seeds)"
        lines.append(f"| {method}{few} | {sees.get(method, 'no group')} | {' | '.join(cells)} |")
    if all("out of fold" in row for row in found[DEPLOYED]):
        luck = [row["accuracy"] - row["out of fold"] for row in found[DEPLOYED]]
        lines += ["", f"The deployed model is right in {mean(row['out of fold'] for row in found[DEPLOYED]):.4f} of the training rows, out of fold, where each is decided by one fold's model, and by "
                  f"{_shown(corrected_interval(luck, share), signed=True)} more on the audit parts ({min(luck):+.4f} to {max(luck):+.4f} by seed): the luck of these splits, and what the average of five models adds. "
                  "The column of differences is free of it."]
    lines += ["", "| ours minus Fairlearn's | accuracy | absolute gap of selection rates | absolute gap of true positive rates | absolute gap of false positive rates |", "|---|---|---|---|---|"]
    for ours, theirs in PAIRS:
        pairs = list(zip(found.get(ours, []), found.get(theirs, []), strict=False))
        if len(pairs) == seeds:
            changes = [_shown(corrected_interval([a["accuracy"] - b["accuracy"] for a, b in pairs], share), signed=True)]
            changes += [_shown(corrected_interval([abs(a[gap]) - abs(b[gap]) for a, b in pairs], share), signed=True) for gap in ("selection", "tpr", "fpr")]
            lines.append(f"| {ours}, minus {theirs} | {' | '.join(changes)} |")
    return lines


def _shown(found: tuple[float, float, float], signed: bool = False) -> str:
    centre, low, high = found
    sign = "+" if signed else ""
    return f"{centre:{sign}.4f}" + ("" if np.isnan(low) else f" ({low:{sign}.4f} to {high:{sign}.4f})")


if __name__ == "__main__":
    sys.exit(main())
