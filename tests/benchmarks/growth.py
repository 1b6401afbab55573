"""`make bench BENCH=growth`: seconds a trial and peak memory against rows and against columns, as a table and a picture."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import altair
import pandas as pd
import vl_convert

from tests.benchmarks.fits import fit
from tests.benchmarks.tables import write_table

FAMILIES = ("linear", "lgbm", "trees", "torch")
NEARLY = 0.9


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bench BENCH=growth")
    parser.add_argument("--rows", default="10000,30000,100000,300000,1000000", help="with --few-columns columns")
    parser.add_argument("--few-columns", type=int, default=30)
    parser.add_argument("--columns", default="10,30,100,300,1000", help="with 10,000 rows")
    parser.add_argument("--families", default=",".join(FAMILIES))
    parser.add_argument("--most-seconds", type=int, default=300, help="for one fit; what takes longer ends early, with what it has learned by then, and is marked")
    parser.add_argument("--out", type=Path, help="a folder for growth.svg")
    options = parser.parse_args(arguments)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
    sizes = [("rows", int(rows), int(rows), options.few_columns) for rows in options.rows.split(",") if rows]
    sizes += [("columns", int(columns), 10_000, int(columns)) for columns in options.columns.split(",") if columns]
    found = []
    print("| against | size | family | seconds, one trial | peak MB |\n|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(prefix="plumbline-bench-") as folder:
        for against, size, rows, columns in sizes:
            table = write_table(Path(folder) / f"{rows}x{columns}.csv", rows, columns)
            for family in options.families.split(","):
                made = fit(table, "--families", family, "--trials", "1", "--seconds", str(options.most_seconds))
                found.append({"against": against, "size": size, "family": family, "seconds": made.seconds, "peak MB": made.peak_mb})
                early = " (ended early)" if made.seconds > NEARLY * options.most_seconds else ""
                print(f"| {against} | {size:,} | {family} | {made.seconds:.1f}{early} | {made.peak_mb:,.0f} |", flush=True)
    if options.out:
        (options.out / "growth.svg").write_text(_drawn(pd.DataFrame(found)))
    return 0


def _drawn(found: pd.DataFrame) -> str:
    base = altair.Chart(found).mark_line(point=True).encode(
        x=altair.X("size:Q", scale=altair.Scale(type="log")), color="family:N").properties(width=240, height=180)
    rows = [altair.hconcat(*(base.encode(y=altair.Y(f"{value}:Q", scale=altair.Scale(type="log"))).transform_filter(altair.datum.against == against)
                             .properties(title=f"{value} against {against}") for against in ("rows", "columns"))) for value in ("seconds", "peak MB")]
    return str(vl_convert.vegalite_to_svg(altair.vconcat(*rows).to_dict()))


if __name__ == "__main__":
    sys.exit(main())
