"""A DatasetProfile as the child makes it, for tests of the pages that set up an audit: a category, numbers, a leak, a target with gaps."""

from __future__ import annotations

from typing import Any

from automl.evidence import Bar, ColumnProfile, DatasetProfile, ProposedRole, TableReading

HOSTILE = "<script>alert('x')</script>{{ 7|add:1 }}\u202e"


def make_column(name: str, position: int, **changes: Any) -> ColumnProfile:
    known: dict[str, Any] = {
        "name": name, "position": position, "type": "category", "missing": 0, "distinct": 2, "examples": ("a", "b"), "histogram": (Bar(label="a", n=700), Bar(label="b", n=300)),
        "proposal": ProposedRole(role="feature", reason="nothing speaks against it"), "could_be_target": "binary",
    }
    return ColumnProfile(**{**known, **changes})


def make_profile(**changes: Any) -> DatasetProfile:
    columns = (
        make_column("age", 0, type="integer", distinct=60, low=17, high=90, mean=38.6, examples=("39", "50"), could_be_target="regression", default_bins=(28.0, 37.0, 48.0),
                    histogram=tuple(Bar(label=str(i), n=100 - i) for i in range(12))),
        make_column("sex", 1, histogram=(Bar(label="Male", n=667), Bar(label="Female", n=333)), proposal=ProposedRole(role="sensitive", reason="its name contains 'sex' and it has 2 values")),
        make_column(HOSTILE, 2, distinct=4, could_be_target="multiclass",
                    histogram=(Bar(label="\"><img src=x onerror=alert(1)>", n=400), Bar(label="=cmd()", n=300), Bar(label="c\r\nd", n=290), Bar(label="e", n=10))),
        make_column("person", 3, type="id", distinct=1000, histogram=(), could_be_target=None, proposal=ProposedRole(role="id", reason="every value is different")),
        make_column("decided_at", 4, type="number", distinct=900, low=0.5, high=99.5, suspected_leak="by itself it separates the classes with an AUC of 0.999", could_be_target="regression",
                    histogram=(Bar(label="0", n=500), Bar(label="50", n=500))),
        make_column("income", 5, missing=20, histogram=(Bar(label="<=50K", n=745), Bar(label=">50K", n=235)), proposal=ProposedRole(role="target", reason="it is the last column and has 2 values")),
        make_column("score", 6, type="number", distinct=800, low=0.01, high=0.99, histogram=(Bar(label="0", n=900), Bar(label="0.5", n=100)), could_be_target="regression"),
        make_column("granted", 7, histogram=(Bar(label="yes", n=400), Bar(label="no", n=600))),
    )
    known: dict[str, Any] = {
        "sha256": "ab" * 32, "bytes": 52_000, "rows": 1000, "reading": TableReading(format="csv", encoding="utf-8", delimiter=",", quote='"', missing=("", "NA")), "columns": columns,
        "proposed_target": "income",
    }
    return DatasetProfile(**{**known, **changes})
