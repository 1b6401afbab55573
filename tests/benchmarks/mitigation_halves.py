"""`make bench BENCH=mitigation_halves`: other cut-offs beside Fairlearn's on the same scores, without the luck of a split.

The audit part of one split is a few thousand rows, and its luck moves an accuracy by more than two methods differ. Here cut-offs are chosen on one half of the training rows' out-of-fold
scores and judged on the other, both ways and several times; every training row is judged as often. One search a seed and nothing else of a run, so it is quick. Each row is scored by
one fold's model: what is deployed is the average of five, which is right a little more often.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from automl.data.splits import resolve_problem, split_table
from automl.data.tables import read_table
from automl.hooks import Hooks
from automl.learn.deadline import Deadline
from automl.learn.ensemble import fit_best
from automl.learn.mitigation.alternatives import EQUAL_ODDS, EQUAL_SELECTION, decisions_of
from automl.learn.mitigation.cuts import curves_of, towards_equal_odds, towards_parity
from automl.learn.mitigation.decisions import Aim, Array, Decisions
from automl.learn.mitigation.optimizer import optimized_cuts
from automl.learn.search import search
from automl.spec import TaskSpec
from tests.benchmarks.mitigation import DATA, TABLES, Table

PRICE = 0.5
"""Of an error of either kind: what is told is accuracy."""
PAIRS = (("ours, equal selection rates", "Fairlearn's ThresholdOptimizer, equal selection rates"), ("ours, equal error rates", "Fairlearn's ThresholdOptimizer, equal error rates"))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bench BENCH=mitigation_halves", description="Cut-offs of each group's own, judged on rows that they were not chosen on.")
    parser.add_argument("--datasets", default="adult,compas")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args(arguments)
    if not DATA.is_dir():
        print(f"The comparison needs the project's shared folder: there is no {DATA}", file=sys.stderr)
        return 2
    for name in options.datasets.split(","):
        found: dict[str, list[tuple[float, ...]]] = {}
        for seed in range(options.seeds):
            decisions, aim = out_of_fold(TABLES[name], seed, options.trials)
            for method, values in judged(decisions, aim, TABLES[name].group, seed, options.repeats).items():
                found.setdefault(method, []).extend(values)
        print("\n".join(report(name, options.seeds, found)), flush=True)
    return 0


def out_of_fold(table: Table, seed: int, trials: int) -> tuple[Decisions, Aim]:
    """What the deployed model's fold models decide about the training rows that they did not see."""
    with tempfile.TemporaryDirectory(prefix="plumbline-bench-") as folder:
        path = Path(folder) / "table.csv"
        table.keep(pd.read_csv(DATA / table.file, dtype="str", keep_default_na=False)).to_csv(path, index=False)
        spec = TaskSpec.model_validate({**table.spec, "seed": seed, "threads": 1, "families": ["linear", "lgbm"], "budget": {"trials": trials}})
        source = read_table(path, spec.table, spec.missing)
        problem = resolve_problem(spec, source)
        split = split_table(source, spec, problem)
        model = fit_best(search(split, problem, spec, Hooks(), Path(folder) / "trials", Deadline(None)), split, problem, spec)
    [(attribute, reference)] = spec.reference.items()
    return decisions_of(model, model.out_of_fold, split.train, problem.labels.index(problem.favourable[0])), Aim(attribute, (reference, table.group), reference)


def judged(decisions: Decisions, aim: Aim, group: str, seed: int, repeats: int) -> dict[str, list[tuple[float, ...]]]:
    """By method, for each half: accuracy, the gaps of ``group`` in selection, true and false positive rates, the ratio of selection rates."""
    draw, found = np.random.default_rng(seed), dict[str, list[tuple[float, ...]]]()
    for _ in range(repeats):
        order = draw.permutation(len(decisions))
        halves = [decisions.take(np.sort(part)) for part in (order[:len(order) // 2], order[len(order) // 2:])]
        for chosen_on, other in (halves, halves[::-1]):
            given: dict[str, Array] = {"deployed model": other.selected.astype(np.float64)}
            given[PAIRS[0][0]] = towards_parity(curves_of(chosen_on, aim, PRICE, expected=True), aim, EQUAL_SELECTION).given(other)
            given[PAIRS[0][1]] = optimized_cuts(chosen_on, aim, "demographic_parity").given(other)
            given[PAIRS[1][0]] = towards_equal_odds(curves_of(chosen_on, aim, PRICE), aim, EQUAL_ODDS, PRICE).given(other)
            given[PAIRS[1][1]] = optimized_cuts(chosen_on, aim, "equalized_odds").given(other)
            for method, selected in given.items():
                found.setdefault(method, []).append(_reading(other, selected, aim, group))
    return found


def _reading(decisions: Decisions, given: Array, aim: Aim, group: str) -> tuple[float, ...]:
    column, good = decisions.groups[aim.attribute], decisions.deserving
    mine, theirs = column == group, column == aim.reference
    gaps = [float(given[mine & among].mean() - given[theirs & among].mean()) for among in (np.ones(len(good), dtype=bool), good, ~good)]
    return float(np.where(good, given, 1 - given).mean()), *gaps, float(given[mine].mean() / given[theirs].mean())


def report(name: str, seeds: int, found: dict[str, list[tuple[float, ...]]]) -> list[str]:
    """As markdown: each method, and ours minus Fairlearn's half by half."""
    means = {method: np.mean(values, axis=0) for method, values in found.items()}
    lines = ["", f"### {name}, {seeds} seeds, {len(next(iter(found.values())))} halves", "", "| method | accuracy | selection rates, signed | true positive rates | false positive rates | impact ratio |", "|---|---|---|---|---|---|"]
    lines += [f"| {method} | {mean[0]:.4f} | {mean[1]:+.4f} | {mean[2]:+.4f} | {mean[3]:+.4f} | {mean[4]:.3f} |" for method, mean in means.items()]
    for ours, theirs in PAIRS:
        change: Any = np.array(found[ours])[:, 0] - np.array(found[theirs])[:, 0]
        lines.append(f"\n{ours}, minus {theirs}: {change.mean():+.4f} of accuracy, standard deviation over halves {change.std():.4f}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
