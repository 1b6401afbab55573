"""`make bench BENCH=budgets`: is a budget in seconds kept, from the start of the process to the model written, for small and large tables?"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.fits import fit
from tests.benchmarks.tables import write_table

ALLOWED_SHARE, ALLOWED_SECONDS = 0.05, 3.0
"""Over the budget, whichever is larger."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bench BENCH=budgets")
    parser.add_argument("--seconds", default="10,30,60,300")
    parser.add_argument("--rows", default="500,5000,50000,500000")
    parser.add_argument("--columns", type=int, default=20)
    options = parser.parse_args(arguments)
    print("| rows | budget s | took s | within | peak MB | members |\n|---|---|---|---|---|---|", flush=True)
    missed = 0
    with tempfile.TemporaryDirectory(prefix="plumbline-bench-") as folder:
        for rows in map(int, options.rows.split(",")):
            table = write_table(Path(folder) / f"{rows}.csv", rows, options.columns)
            for seconds in map(float, options.seconds.split(",")):
                try:
                    made = fit(table, "--seconds", str(seconds))
                except subprocess.CalledProcessError as error:
                    print(f"| {rows:,} | {seconds:g} | failed: {error.stderr.strip()[-200:]} | no | | |", flush=True)
                    missed += 1
                    continue
                kept = made.seconds <= seconds + max(ALLOWED_SHARE * seconds, ALLOWED_SECONDS)
                missed += not kept
                members = ", ".join(f"{member['family']} {member['weight']:.2f}" for member in made.members)
                print(f"| {rows:,} | {seconds:g} | {made.seconds:.1f} | {'yes' if kept else 'no'} | {made.peak_mb:,.0f} | {members} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
