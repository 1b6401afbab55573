"""`make bench BENCH=interval_speed`: intervals for five metrics over the groups of sex x race on Adult, ours beside Fairlearn's `MetricFrame(n_boot=...)`, in one run.

The two resample differently. Fairlearn draws whole tables of rows, so that small groups come out larger or smaller, or not at all, and asks every metric of every group of
every table. Ours draws within each group, from its confusion counts: a multinomial draw of four numbers is as good as a draw of its rows, and costs the same for ten people as for
ten thousand. What the audit itself prints takes Wilson's limits for the metrics that are shares of rows, and resamples the others.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, precision_score, recall_score

from automl.audit.estimates import metric_estimates
from automl.audit.outcomes import Outcomes
from automl.audit.resampling import REPLICATES, generator
from automl.learn.metrics import OF_DECISIONS

TABLE = Path(__file__).resolve().parent.parent.parent.parent / "shared" / "data" / "adult.csv.gz"
METRICS = {"accuracy": accuracy_score, "balanced_accuracy": balanced_accuracy_score, "f1": f1_score, "precision": precision_score, "recall": recall_score}
ROUNDS = 5


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bench BENCH=interval_speed")
    parser.add_argument("--replicates", type=int, default=20, help="of Fairlearn's; its time is scaled to ours, which are 2,000")
    options = parser.parse_args(arguments)
    if not TABLE.is_file():
        print(f"The comparison needs the project's shared folder: there is no {TABLE}", file=sys.stderr)
        return 2
    table = pd.read_csv(TABLE)
    truth, group = (table["income"] == ">50K").to_numpy().astype(np.int64), (table["sex"] + " x " + table["race"]).to_numpy(dtype=object)
    decision = np.where(np.random.default_rng(0).random(len(truth)) < 0.13, 1 - truth, truth)  # as often wrong as a good model
    ours, counts = min(_timed(lambda: _ours(truth, decision, group)) for _ in range(ROUNDS)), min(_timed(lambda: _from_counts(truth, decision, group)) for _ in range(ROUNDS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = _timed(lambda: _theirs(truth, decision, group, options.replicates)) * REPLICATES / options.replicates
    print(f"{len(truth):,} rows, {len(set(group))} groups, {len(METRICS)} metrics, {REPLICATES:,} replicates\n\n| intervals | seconds of a processor | times as fast |\n|---|---|---|")
    print(f"| Fairlearn's MetricFrame, scaled from {options.replicates} replicates | {theirs:.0f} | 1 |")
    print(f"| ours, all five resampled from confusion counts, counting the rows included | {counts:.3f} | {theirs / counts:,.0f} |")
    print(f"| ours as the audit prints them (Wilson where a metric is a share of rows) | {ours:.3f} | {theirs / ours:,.0f} |")
    return 0


def _timed(work: Any) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _ours(truth: Any, decision: Any, group: Any) -> dict[str, Any]:
    whole = Outcomes("binary", ("<=50K", ">50K"), ">50K", (">50K",), truth, None, decision, {})
    codes, names = pd.factorize(group)
    return {str(name): metric_estimates(whole.take(np.flatnonzero(codes == at)), seed=0, names=list(METRICS)) for at, name in enumerate(names)}


def _from_counts(truth: Any, decision: Any, group: Any) -> dict[tuple[str, str], tuple[float, float]]:
    codes, names = pd.factorize(group)
    tables = np.bincount(4 * codes + 2 * truth + decision, minlength=4 * len(names)).reshape(-1, 4)
    found = {}
    for name, (rest, wrong, missed, right) in zip(names, tables, strict=True):
        whole = rest + wrong + missed + right
        drawn = generator(0, str(name)).multinomial(whole, np.array([right, wrong, missed, rest]) / whole, size=REPLICATES).T.astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = {metric: OF_DECISIONS[metric](*drawn) for metric in ("accuracy", "balanced_accuracy", "f1")}
            values |= {"precision": drawn[0] / (drawn[0] + drawn[1]), "recall": drawn[0] / (drawn[0] + drawn[2])}
        for metric, each in values.items():
            low, high = np.nanquantile(each, [0.025, 0.975])
            found[str(name), metric] = float(low), float(high)
    return found


def _theirs(truth: Any, decision: Any, group: Any, replicates: int) -> Any:
    return MetricFrame(metrics=METRICS, y_true=truth, y_pred=decision, sensitive_features=group, n_boot=replicates, ci_quantiles=[0.025, 0.975], random_state=0).by_group_ci


if __name__ == "__main__":
    sys.exit(main())
