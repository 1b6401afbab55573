"""The profile: everything that the upload form shows of a table, so that no page ever reads the table itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from automl.data.column_types import ColumnFacts
from automl.data.groups import LEVELS_KEPT, default_bins
from automl.data.leaks import find_leaks
from automl.data.names import check_column
from automl.data.proposals import propose_role, propose_target, task_if_target
from automl.data.quality import find_quality_issues
from automl.data.repeats import find_repeats, repeat_finding
from automl.data.tables import Table
from automl.errors import BadInput
from automl.evidence import Bar, ColumnProfile, DatasetProfile, Finding

__all__ = ["find_quality_issues", "profile_table"]

PREVIEW_ROWS = 20
LONGEST_SHOWN = 120
MOST_BARS = 12
_EXAMPLES = 5
_MANY = 1_000


def profile_table(table: Table, target: str | None = None) -> DatasetProfile:
    """Describes ``table``: types, roles proposed with reasons, small pictures, oddities. ``target`` steers the leak warnings; without
    one they are made against the proposed target, and name it. Raises BadInput when ``target`` is no column."""
    if target is not None:
        check_column(target, table.names, "/target")
    proposed = target or propose_target(table)
    leaks = _leaks(table, proposed)
    return DatasetProfile(
        sha256=table.sha256, bytes=table.bytes, rows=table.rows, reading=table.reading,
        columns=tuple(_profile(table, name, position, proposed, leaks.get(name)) for position, name in enumerate(table.names)),
        preview=_preview(table), quality=(*find_quality_issues(table), *_repeats(table, proposed)), proposed_target=proposed,
    )


def _repeats(table: Table, target: str | None) -> Iterator[Finding]:
    names = sorted((name for name in table.names if table.facts[name].type not in ("id", "constant", "empty")), key=lambda name: name != target)
    for repeat in find_repeats(table, names):
        yield repeat_finding(repeat, table.names, "low", "Leave one of them out." if repeat.is_kept else "Only the first of them is learned from.")


def _leaks(table: Table, target: str | None) -> dict[str, str]:
    try:
        return find_leaks(table, target) if target is not None else {}
    except BadInput:
        return {}  # the target is refused where it is chosen, with its own sentence


def _profile(table: Table, name: str, position: int, target: str | None, leak: str | None) -> ColumnProfile:
    facts = table.facts[name]
    numbers = table.numbers(name).dropna() if facts.numeric else pd.Series(dtype="float64")
    days = table.dates(name, facts.date_format).dropna() if facts.date_format else pd.Series(dtype="float64")
    low, high = _range(numbers, days)
    return ColumnProfile(
        name=name, position=position, type=facts.type, missing=facts.missing, distinct=facts.distinct, examples=_examples(table, name),
        low=low, high=high, mean=_mean(numbers), histogram=_histogram(table, name, facts, numbers, days),
        proposal=propose_role(table, name, target), suspected_leak=leak,
        default_bins=default_bins(numbers) if facts.numeric and facts.distinct > LEVELS_KEPT else (), could_be_target=task_if_target(table, name),
    )


def _range(numbers: pd.Series, days: pd.Series) -> tuple[float | str | None, float | str | None]:
    if len(numbers):
        return float(numbers.min()), float(numbers.max())
    if len(days):
        return _day(days.min()), _day(days.max())
    return None, None


def _mean(numbers: pd.Series) -> float | None:
    # the sum of numbers near the largest float overflows; the picture still shows them
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(numbers.mean()) if len(numbers) else np.nan
    return mean if np.isfinite(mean) else None


def _day(days: float) -> str:
    return str(np.datetime64("1970-01-01") + np.timedelta64(int(np.floor(days)), "D"))


def _examples(table: Table, name: str) -> tuple[str, ...]:
    """The most frequent texts, the earlier first where counts are equal; of columns with very many, the first ones."""
    if table.facts[name].distinct > _MANY:
        return tuple(dict.fromkeys(cut(text) for text in table.text(name, np.arange(min(table.rows, 1_000))).dropna()))[:_EXAMPLES]
    levels = table.levels(name)
    return tuple(cut(text) for text, _ in sorted(levels.items(), key=lambda item: -item[1])[:_EXAMPLES])


def cut(text: str) -> str:
    """A cell as the preview shows it: at most 120 characters."""
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


# --- small pictures ---------------------------------------------------------------------------------------------------------------


def _histogram(table: Table, name: str, facts: ColumnFacts, numbers: pd.Series, days: pd.Series) -> tuple[Bar, ...]:
    if facts.type in ("id", "text", "empty"):
        return ()
    if facts.distinct <= MOST_BARS:
        return _level_bars(table, name, in_order=facts.numeric)
    if len(numbers):
        return _bin_bars(numbers, _short)
    return _bin_bars(days, _day) if len(days) else _level_bars(table, name, in_order=False)


def _level_bars(table: Table, name: str, *, in_order: bool) -> tuple[Bar, ...]:
    number = dict(zip(table.text(name), table.numbers(name).fillna(np.inf), strict=True)) if in_order else {}
    levels = sorted(table.levels(name).items(), key=lambda item: number.get(item[0], -item[1]))
    if len(levels) <= MOST_BARS:
        return tuple(Bar(label=cut(text), n=n) for text, n in levels)
    shown, rest = levels[: MOST_BARS - 1], levels[MOST_BARS - 1 :]
    return (*(Bar(label=cut(text), n=n) for text, n in shown), Bar(label=f"{len(rest):,} others", n=sum(n for _, n in rest)))


def _bin_bars(values: pd.Series, name_of: Callable[[float], str]) -> tuple[Bar, ...]:
    low, high = float(values.min()), float(values.max())
    with np.errstate(over="ignore"):
        if not np.isfinite(np.float64(high) - low):
            return ()
    counts, edges = np.histogram(values, bins=MOST_BARS, range=(low, high))
    return tuple(Bar(label=f"{name_of(left)} to {name_of(right)}", n=int(n)) for n, left, right in zip(counts, edges[:-1], edges[1:], strict=True))


def _short(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}" if abs(value) < 1e12 else f"{value:.3g}"


def _preview(table: Table) -> tuple[tuple[str, ...], ...]:
    head = table.cells.slice(0, PREVIEW_ROWS)
    columns = [[cut(text or "") for text in head.column(index).to_pylist()] for index in range(head.num_columns)]
    return tuple(zip(*columns, strict=True))
