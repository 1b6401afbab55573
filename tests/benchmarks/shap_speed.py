"""`make bench BENCH=shap_speed`: exact interventional SHAP of one LightGBM booster, ours beside shap's own explainer, on a real table.

shap is given the whole background (by itself it silently keeps 100 rows of it) and a few of the rows; its time grows with rows times background, which the
run shows by taking two numbers of rows, and what it would take for all rows is scaled from the larger. Every value of both is compared on those rows.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
import shap

from automl.data.encoding import TreeEncoder
from automl.learn.families.lgbm import OF_ENCODING, PLAIN
from automl.learn.tree_shap import shapley_values, warm_up
from automl.learn.trees import parse_trees


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bench BENCH=shap_speed")
    parser.add_argument("--table", type=Path, default=Path("../shared/data/adult.csv.gz"))
    parser.add_argument("--target", default="income")
    parser.add_argument("--rows", type=int, default=12_000)
    parser.add_argument("--background", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--rows-of-shap", default="10,40", help="how many of the rows shap is given")
    options = parser.parse_args(arguments)
    table = pd.read_csv(options.table, skipinitialspace=True, na_values="?").sample(frac=1, random_state=0)
    y = pd.factorize(table[options.target], sort=True)[0]
    frame = pd.DataFrame({name: table[name].astype("float64") if pd.api.types.is_numeric_dtype(table[name]) else table[name].astype("str").where(table[name].notna())
                          for name in table.columns if name != options.target}).reset_index(drop=True)
    rows, train = frame.iloc[:options.rows], frame.iloc[options.rows:]
    encoder, matrix = TreeEncoder.fit_transform(train, y[options.rows:], "binary", 0)
    names = [f"f{at}" for at in range(matrix.shape[1])]
    settings = {**{name: value for name, value in PLAIN.items() if name not in OF_ENCODING}, "objective": "binary", "verbose": -1, "seed": 0, "deterministic": True}
    booster = lgb.train(settings, lgb.Dataset(matrix, y[options.rows:], feature_name=names), options.rounds)
    explained, background = encoder.transform(rows), encoder.transform(train.iloc[:options.background])
    trees, width = parse_trees(booster.model_to_string()), matrix.shape[1]
    warm_up()
    print(f"{options.table.name}: {options.rounds} trees, {len(explained):,} rows against {len(background):,}, {width} encoded columns", flush=True)
    begun = time.perf_counter()
    ours = shapley_values(trees, explained, background, np.arange(width), width, 1)[:, :, 0]
    seconds = time.perf_counter() - begun
    print(f"ours, encoded columns as players: {seconds:.1f} s", flush=True)
    begun = time.perf_counter()
    shapley_values(trees, explained, background, np.asarray(encoder.sources), len(frame.columns), 1)
    print(f"ours, the table's {len(frame.columns)} columns as players: {time.perf_counter() - begun:.1f} s", flush=True)
    explainer = shap.TreeExplainer(booster, shap.maskers.Independent(background, max_samples=len(background)), feature_perturbation="interventional")
    scaled = float("nan")
    for some in map(int, options.rows_of_shap.split(",")):
        begun = time.perf_counter()
        theirs = explainer.shap_values(explained[:some], check_additivity=False)
        took = time.perf_counter() - begun
        scaled = took * len(explained) / some
        print(f"shap {shap.__version__}: {some} rows {took:.1f} s, scaled to {len(explained):,}: {scaled:,.0f} s; largest difference {np.abs(theirs - ours[:some]).max():.1e}", flush=True)
    print(f"ratio: {scaled / seconds:,.0f} times (shap's time is scaled)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
