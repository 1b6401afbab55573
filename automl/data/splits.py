"""The audit part is set aside here, before anything is fitted, chosen or binned (evidence rule 1).

    problem = resolve_problem(spec, table)
    split = split_table(table, spec, problem)      # the search sees split.train and nothing else
    audit = split.open_audit(plan)                 # only against a sealed plan, and only against one

The rows are divided once, the same way for the same table, spec and seed: within the classes of the target (deciles of a number) and,
where cells are large enough, within the groups of the sensitive attributes; by person where ``group`` is given; the latest rows where
``time`` is given; not at all where the person brings a table to audit on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.groups import Groups, binned_attributes, check_references, default_bins, group_labels, train_bins, whole_attributes
from automl.data.names import shown
from automl.data.problems import Problem, resolve_problem, row_clusters, row_weights
from automl.data.tables import Positions, Table
from automl.errors import BadInput
from automl.evidence import LeftOut, Plan, SplitInfo
from automl.spec import TaskSpec

__all__ = ["Problem", "Rows", "Split", "TargetOfAllRows", "default_bins", "group_labels", "resolve_problem", "split_table", "whole_table"]

SMALLEST_CELL = 20
"""Rows that a cell of target x attribute needs before the split keeps its share exactly."""


@dataclass(frozen=True, eq=False)
class Rows:
    """One part of the table, n rows in the table's order.

    features: as `FeatureSchema.frame` makes them, index 0..n-1. y: int64 index into ``Problem.labels``, or float64 for regression.
    groups: attribute to object array, None where unknown. weight: float64 or None. cluster: int64, equal for rows of one person, or
    None. position: row in the table, from 0. moment: when each row happened (days or the column's own number), of training rows where
    ``time`` orders them, else None.
    """

    features: pd.DataFrame
    y: NDArray[np.int64] | NDArray[np.float64]
    groups: Groups
    weight: NDArray[np.float64] | None
    cluster: NDArray[np.int64] | None
    position: Positions
    moment: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.position)


@dataclass(frozen=True, eq=False)
class TargetOfAllRows:
    """The target of every row that has one, training and audit part together: what base rates, and nothing else, are made from (rule 1).

    y: label index (n,) or number (n,); weight and cluster as in `Rows`. No input and no group comes with it.
    """

    y: NDArray[np.int64] | NDArray[np.float64] = field(repr=False)
    weight: NDArray[np.float64] | None = field(default=None, repr=False)
    cluster: NDArray[np.int64] | None = field(default=None, repr=False)


@dataclass(eq=False)
class Split:
    """The training rows, what was fixed from them, and the audit part behind its door.

    bins: edges of each binned sensitive attribute. unknown: rows (both parts) whose group is unknown, by attribute.
    """

    train: Rows
    bins: dict[str, tuple[float, ...]]
    info: SplitInfo
    unknown: dict[str, int]
    left_out: tuple[LeftOut, ...]
    all_targets: TargetOfAllRows
    _read_audit: Callable[[], Rows] = field(repr=False)
    _opened_with: str | None = field(default=None, repr=False)

    def open_audit(self, plan: Plan) -> Rows:
        """The audit part. Raises RuntimeError (a defect of the caller, not of the input) unless ``plan`` is sealed, fixes the bins of
        this split, and is the one that it was opened with before."""
        if not isinstance(plan, Plan) or not re.fullmatch(r"[0-9a-f]{64}", plan.sha256) or not plan.sealed_at:
            raise RuntimeError("the audit part is opened only against a sealed plan")
        if plan.bins != self.bins:
            raise RuntimeError("the plan does not fix the bins that were made from the training rows")
        if self._opened_with not in (None, plan.sha256):
            raise RuntimeError("the audit part was opened with another plan")
        self._opened_with = plan.sha256
        return self._read_audit()


def split_table(table: Table, spec: TaskSpec, problem: Problem, test: Table | None = None) -> Split:
    """Sets the audit part aside: a share of ``table``, or the person's own table ``test``. Raises BadInput where that cannot be."""
    part = _Part(table, spec, problem)
    if test is not None:
        return _split_by_own_table(part, test)
    if spec.time is not None:
        train, audit, info, left_out = _split_in_time(part)
    elif spec.group is not None:
        train, audit, info, left_out = _split_by_group(part)
    else:
        train, audit, info, left_out = _split_stratified(part)
    return assemble(part, train, audit, info, left_out)


def whole_table(table: Table, spec: TaskSpec, problem: Problem) -> Split:
    """Every row with a target is for training; there is no audit part (the engine's ``fit``)."""
    part = _Part(table, spec, problem)
    nothing = np.array([], dtype=np.int64)
    return assemble(part, part.rows, nothing, SplitInfo(method="none", seed=spec.seed, train=len(part.rows), audit=0), ())


class _Part:
    """The rows of one table that have a target, and how they are read; the sensitive attributes' bins come later."""

    def __init__(self, table: Table, spec: TaskSpec, problem: Problem, what: str = "the table") -> None:
        self.table, self.spec, self.problem = table, spec, problem
        self.y_all, known = _target(table, problem, what)
        self.weight_all = row_weights(table, spec.weight)
        counts = known if self.weight_all is None else known & (self.weight_all > 0)
        self.rows: Positions = np.flatnonzero(counts).astype(np.int64)
        self.without_target = int((~known).sum())
        self.weightless = int((known & ~counts).sum())
        self.cluster_all = row_clusters(table, spec.group)
        if not len(self.rows):
            raise BadInput(f"{what} has no row with a target")

    @property
    def y(self) -> NDArray[np.int64] | NDArray[np.float64]:
        return self.y_all[self.rows]

    def read(self, rows: Positions, bins: dict[str, tuple[float, ...]], whole: frozenset[str] | None = None) -> Rows:
        rows = np.sort(rows)
        return Rows(
            features=self.problem.schema.frame(self.table, rows), y=self.y_all[rows],
            groups=group_labels(self.table, self.spec, bins, rows, whole=whole),
            weight=None if self.weight_all is None else self.weight_all[rows],
            cluster=None if self.cluster_all is None else self.cluster_all[rows], position=rows,
        )

    def read_training(self, rows: Positions, bins: dict[str, tuple[float, ...]]) -> Rows:
        """With their moments: the folds then follow time as the split does."""
        read = self.read(rows, bins)
        return read if self.spec.time is None else replace(read, moment=_moments(self.table, self.spec.time)[read.position])

    def left_out(self) -> tuple[LeftOut, ...]:
        found = {"the target is missing": self.without_target, f"weight 0 in column {shown(str(self.spec.weight))}": self.weightless}
        return tuple(LeftOut(reason=reason, n=n) for reason, n in found.items() if n)


def assemble(part: _Part, train: Positions, audit: Positions, info: SplitInfo, left_out: tuple[LeftOut, ...]) -> Split:
    """A split from positions that are already divided: bins from the training rows, the audit rows read only when opened."""
    bins = train_bins(part.table, part.spec, train)
    check_references(part.table, part.spec, bins)
    return Split(
        train=part.read_training(train, bins), bins=bins, info=info, unknown=_unknown(part, np.concatenate([train, audit])),
        left_out=(*part.left_out(), *left_out), all_targets=_all_targets(part), _read_audit=lambda: part.read(audit, bins),
    )


# --- columns that are not features ------------------------------------------------------------------------------------------------


def _target(table: Table, problem: Problem, what: str) -> tuple[NDArray[np.int64] | NDArray[np.float64], NDArray[np.bool_]]:
    if problem.task == "regression":
        values = table.numbers(problem.target, number_format=problem.target_format).to_numpy()
        return values, ~np.isnan(values)
    texts = table.text(problem.target)
    codes = pd.Index(problem.labels, dtype="str").get_indexer(pd.Index(texts)).astype(np.int64)
    strange = np.flatnonzero((codes < 0) & texts.notna().to_numpy())
    if len(strange):
        label = str(texts.iloc[strange[0]])
        raise BadInput(f"{what}, row {strange[0] + 1:,}: the target {shown(problem.target)} is {shown(label)}, which the training table never has")
    return codes, codes >= 0


def _moments(table: Table, name: str) -> NDArray[np.float64]:
    facts = table.facts[name]
    if facts.date_format is not None:
        moments = table.dates(name, facts.date_format).to_numpy()
    elif facts.numeric:
        moments = table.numbers(name).to_numpy()
    else:
        raise BadInput(f"column {shown(name)} cannot order the rows: it holds neither numbers nor dates in one known format", pointer="/time")
    missing = np.flatnonzero(np.isnan(moments))
    if len(missing):
        raise BadInput(f"column {shown(name)}, row {missing[0] + 1:,}: the time is missing, so the row has no place before or after the others", pointer="/time")
    return moments


def _unknown(part: _Part, rows: Positions) -> dict[str, int]:
    return {name: int(part.table.text(name, rows).isna().sum()) for name in part.spec.sensitive}


def _all_targets(part: _Part) -> TargetOfAllRows:
    def of_rows(values: Any) -> Any:
        return None if values is None else values[part.rows]

    return TargetOfAllRows(part.y, of_rows(part.weight_all), of_rows(part.cluster_all))


# --- the ways to divide -----------------------------------------------------------------------------------------------------------

Divided = tuple[Positions, Positions, SplitInfo, tuple[LeftOut, ...]]


def _split_stratified(part: _Part) -> Divided:
    strata, by = _strata(part)
    audit_share = part.spec.audit_fraction
    order = np.lexsort((np.random.default_rng(part.spec.seed).permutation(len(strata)), strata))
    steps = np.floor(audit_share * np.arange(len(order) + 1) + 0.5)
    is_audit = np.zeros(len(order), dtype=bool)
    is_audit[order] = np.diff(steps) > 0
    if part.problem.task != "regression":
        _give_each_part_each_class(is_audit, part.y.astype(np.int64), order)
    detail = f"{audit_share:.0%} set aside, so that both parts have the same shares of {' and '.join(by)}"
    return _divided(part, is_audit, "stratified", detail)


def _give_each_part_each_class(is_audit: NDArray[np.bool_], y: NDArray[np.int64], order: Positions) -> None:
    """A class of two or three rows can fall to one side whole; then its first row in the drawn order changes sides."""
    for label in range(int(y.max()) + 1):
        of_class = order[y[order] == label]
        if len(of_class) >= 2 and len(set(is_audit[of_class])) == 1:
            is_audit[of_class[0]] = not is_audit[of_class[0]]


def _strata(part: _Part) -> tuple[NDArray[np.int64], list[str]]:
    """A number per row: its class (decile), refined by each unbinned sensitive attribute as long as every cell stays large.

    Binned attributes take no part: their default edges may come from training rows only, and those are not chosen yet.
    """
    strata, by = _target_strata(part), [shown(part.problem.target)]
    binned = binned_attributes(part.table, part.spec)
    for name in part.spec.sensitive:
        if name in binned:
            continue
        codes, levels = pd.factorize(part.table.text(name, part.rows), use_na_sentinel=True)
        refined = strata * (len(levels) + 1) + codes + 1
        _, cell, size = np.unique(refined, return_inverse=True, return_counts=True)
        large = size[cell] >= SMALLEST_CELL
        if not large.any():
            continue
        # the small cells of one parent stay together
        strata = np.unique(np.where(large, refined, -1 - strata), return_inverse=True)[1]
        by.append(shown(name))
    return strata, by


def _target_strata(part: _Part) -> NDArray[np.int64]:
    if part.problem.task != "regression":
        return part.y.astype(np.int64)
    ranks = pd.Series(part.y).rank(method="first").to_numpy()
    return np.minimum(((ranks - 1) * 10 // len(ranks)).astype(np.int64), 9)


def _split_by_group(part: _Part) -> Divided:
    """Whole persons: drawn within the class that most of their rows have, until the share of rows is reached stratum by stratum."""
    assert part.cluster_all is not None
    codes, cluster = np.unique(part.cluster_all[part.rows], return_inverse=True)
    if len(codes) < 2:
        raise BadInput(f"column {shown(str(part.spec.group))} has one value only: its rows cannot be divided", pointer="/group")
    strata = pd.Series(_target_strata(part)).groupby(cluster).agg(lambda rows: rows.mode().iloc[0]).to_numpy() if len(codes) < len(cluster) else None
    sizes = np.bincount(cluster)
    key = strata if strata is not None else _target_strata(part)[np.argsort(cluster)]
    order = np.lexsort((np.random.default_rng(part.spec.seed).permutation(len(codes)), key))
    chosen = np.zeros(len(codes), dtype=bool)
    seen = taken = 0
    for person in order:
        seen += int(sizes[person])
        if part.spec.audit_fraction * seen - taken >= sizes[person] / 2:
            chosen[person] = True
            taken += int(sizes[person])
    if not chosen.any():
        chosen[order[np.argmin(sizes[order])]] = True
    if chosen.all():
        chosen[order[-1]] = False
    is_audit = chosen[cluster]
    detail = f"{int(chosen.sum()):,} of {len(codes):,} persons ({shown(str(part.spec.group))}) set aside with all their rows"
    return _divided(part, is_audit, "grouped", detail)


def _split_in_time(part: _Part) -> Divided:
    """The latest rows are the audit part; rows of one moment stay together, and persons of the audit part leave the training part."""
    moments = _moments(part.table, str(part.spec.time))[part.rows]
    if moments.min() == moments.max():
        raise BadInput(f"column {shown(str(part.spec.time))} has one value only, so no row is later than another", pointer="/time")
    cut = np.quantile(moments, 1 - part.spec.audit_fraction, method="higher")
    is_audit = moments >= cut if cut > moments.min() else moments > cut
    detail = f"the latest {is_audit.mean():.1%} of the rows by {shown(str(part.spec.time))} set aside"
    left_out: tuple[LeftOut, ...] = ()
    keep = np.ones(len(is_audit), dtype=bool)
    if part.cluster_all is not None:
        cluster = part.cluster_all[part.rows]
        keep = is_audit | ~np.isin(cluster, cluster[is_audit])
        if (gone := int((~keep).sum())):
            left_out = (LeftOut(reason=f"earlier rows of persons ({part.spec.group}) who are in the audit part", n=gone),)
    return _divided(part, is_audit, "time", detail, keep, left_out)


def _divided(
    part: _Part, is_audit: NDArray[np.bool_], method: str, detail: str, keep: NDArray[np.bool_] | None = None, left_out: tuple[LeftOut, ...] = (),
) -> Divided:
    keep = np.ones(len(is_audit), dtype=bool) if keep is None else keep
    train, audit = part.rows[~is_audit & keep], part.rows[is_audit]
    _check_parts(part, train, audit)
    return train, audit, SplitInfo(method=method, seed=part.spec.seed, train=len(train), audit=len(audit), detail=detail), left_out


def _check_parts(part: _Part, train: Positions, audit: Positions) -> None:
    if not len(train) or not len(audit):
        raise BadInput("the split leaves one part empty; choose another audit_fraction, group or time", pointer="/audit_fraction")
    if part.problem.task == "regression":
        return
    missing = set(range(len(part.problem.labels))) - set(part.y_all[train].astype(int))
    if missing:
        label = part.problem.labels[min(missing)]
        raise BadInput(f"after the split no training row has the target {shown(label)}: all of them fall into the audit part", pointer="/time" if part.spec.time else "/group")


def _split_by_own_table(part: _Part, test: Table) -> Split:
    if test.sha256 == part.table.sha256:
        raise BadInput("the table to audit on is the same file as the table to train on")
    spec, problem = part.spec, part.problem
    needed = [*problem.schema.names, problem.target, *spec.sensitive, *(name for name in (spec.group, spec.weight) if name is not None)]
    test.check_has(needed, "the table to audit on")
    own = _Part(test, spec, problem, "the table to audit on")
    bins = train_bins(part.table, spec, part.rows)
    check_references(part.table, spec, bins)
    whole = whole_attributes(part.table, spec)
    unknown = {name: n + int(test.text(name, own.rows).isna().sum()) for name, n in _unknown(part, part.rows).items()}
    left_out = (*part.left_out(), *(LeftOut(reason=f"{each.reason} (table to audit on)", n=each.n) for each in own.left_out()))
    info = SplitInfo(method="own table", seed=spec.seed, train=len(part.rows), audit=len(own.rows), detail=f"a table of the person's own, sha256 {test.sha256}")
    # read at once: a row that does not fit its column is refused now and not after an hour of training
    rows = own.read(own.rows, bins, whole)
    return Split(
        train=part.read_training(part.rows, bins), bins=bins, info=info, unknown=unknown, left_out=left_out, all_targets=_all_targets(part), _read_audit=lambda: rows,
    )
