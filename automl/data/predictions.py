"""A table of predictions that somebody else's model made: which column says what, and what was decided for whom.

The rooms of `automl.audit` look at these rows as they look at our own model's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.data.groups import by_value, group_labels, train_bins
from automl.data.names import check_cohorts, check_column, shown
from automl.data.problems import choose_positive, row_clusters, row_weights
from automl.data.tables import Table
from automl.errors import BadInput
from automl.evidence import Column, LeftOut, Threshold
from automl.spec import PredictionsSpec, Role, TaskKind

MOST_CLASSES = 100


@dataclass(frozen=True)
class PredictionRows:
    """The rows that can be audited; arrays have length n.

    ``truth``: class index or number, None without a label column. ``score``: number, None without a score column. ``decision``: class index, None for
    regression and where the ``threshold`` decides.
    """

    task: TaskKind
    labels: tuple[str, ...]
    positive: str | None
    favourable: tuple[str, ...]
    truth: NDArray[Any] | None
    score: NDArray[np.float64] | None
    decision: NDArray[np.int64] | None
    threshold: Threshold | None
    groups: dict[str, NDArray[np.object_]]
    bins: dict[str, tuple[float, ...]]
    weight: NDArray[np.float64] | None
    cluster: NDArray[np.int64] | None
    position: NDArray[np.int64]
    columns: tuple[Column, ...]
    left_out: tuple[LeftOut, ...]


def read_predictions(table: Table, spec: PredictionsSpec) -> PredictionRows:
    """The rows of ``table`` that ``spec`` asks about. Raises BadInput naming the column, row or option that stands in the way.

    Rows without a decision, a score or (where one is named) a label are left out and counted: they are in no denominator.
    """
    _check_names(table, spec)
    position, left_out = _complete_rows(table, spec)
    label, decision = (_texts(table, name, position) for name in (spec.label, spec.decision))
    score = table.numbers(spec.score, position).to_numpy() if spec.score else None
    task = _task(spec, table, label, decision, score)
    bins = train_bins(table, spec, position)
    shared: dict[str, Any] = {
        "score": score, "groups": group_labels(table, spec, bins, position), "bins": bins, "weight": row_weights(table, spec.weight, position),
        "cluster": row_clusters(table, spec.group, position), "position": position,
        "columns": _columns(table, spec), "left_out": left_out,
    }
    if task == "regression":
        truth = table.numbers(spec.label, position).to_numpy() if spec.label else None
        return PredictionRows(task=task, labels=(), positive=None, favourable=(), truth=truth, decision=None, threshold=None, **shared)
    labels, positive = _labels(spec, task, label, decision)
    index = {name: i for i, name in enumerate(labels)}
    return PredictionRows(
        task=task, labels=labels, positive=positive, favourable=_favourable(spec, labels, positive),
        truth=None if label is None else np.array([index[each] for each in label], dtype=np.int64),
        decision=None if decision is None else np.array([index[each] for each in decision], dtype=np.int64),
        threshold=_threshold(spec, decision, score), **shared,
    )


def _check_names(table: Table, spec: PredictionsSpec) -> None:
    for option in ("label", "score", "decision", "group", "weight"):
        if (name := getattr(spec, option)) is not None:
            check_column(name, table.names, f"/{option}")
    for i, name in enumerate(spec.sensitive):
        check_column(name, table.names, f"/sensitive/{i}")
    check_cohorts(spec, table.names)


def _complete_rows(table: Table, spec: PredictionsSpec) -> tuple[NDArray[np.int64], tuple[LeftOut, ...]]:
    keep, left_out = np.ones(table.rows, dtype=bool), []
    for what, name in (("decision", spec.decision), ("score", spec.score), ("label", spec.label)):
        if name is not None:
            absent = table.text(name).isna().to_numpy() & keep
            if absent.any():
                left_out.append(LeftOut(reason=f"no {what} in column {shown(name)}", n=int(absent.sum())))
            keep &= ~absent
    if (weight := row_weights(table, spec.weight)) is not None:
        if (weightless := (weight == 0) & keep).any():
            left_out.append(LeftOut(reason=f"weight 0 in column {shown(str(spec.weight))}", n=int(weightless.sum())))
        keep &= ~weightless
    if not keep.any():
        raise BadInput("no row has everything that an audit needs: " + "; ".join(f"{each.n:,} rows have {each.reason}" for each in left_out))
    return np.flatnonzero(keep).astype(np.int64), tuple(left_out)


def _texts(table: Table, name: str | None, position: NDArray[np.int64]) -> NDArray[np.object_] | None:
    return None if name is None else by_value(table.text(name, position))


def _task(
    spec: PredictionsSpec, table: Table, label: NDArray[np.object_] | None, decision: NDArray[np.object_] | None, score: NDArray[np.float64] | None,
) -> TaskKind:
    if decision is not None:
        if label is not None:
            _check_same_words(spec, set(label), set(decision))
        return _classes_task(len(set(decision) | set(label if label is not None else ())), "decision")
    if label is not None and len(set(label)) > 2:
        if spec.threshold is not None or table.types[str(spec.label)] not in ("integer", "number"):
            raise BadInput(f"the label column {shown(str(spec.label))} has {len(set(label)):,} values, which one score cannot decide between; name the decision column",
                           pointer="/decision")
        return "regression"
    if label is None and spec.threshold is None and score is not None and not _is_share(score):
        return "regression"
    return "binary"


def _check_same_words(spec: PredictionsSpec, labels: set[Any], decisions: set[Any]) -> None:
    """Two columns that share no value are two ways to write the same outcomes: every decision would count as wrong."""
    if labels & decisions or len(labels | decisions) <= 2:
        return
    found = [", ".join(shown(str(each)) for each in sorted(values, key=str)[:5]) for values in (labels, decisions)]
    raise BadInput(
        f"the label column {shown(str(spec.label))} holds {found[0]} and the decision column {shown(str(spec.decision))} holds {found[1]}: "
        "no value is in both; write the outcomes in both alike", pointer="/label",
    )


def _classes_task(n: int, what: str) -> TaskKind:
    if n > MOST_CLASSES:
        raise BadInput(f"the {what} and label columns hold {n:,} different values; the limit is {MOST_CLASSES}", pointer=f"/{what}")
    return "binary" if n <= 2 else "multiclass"


def _labels(
    spec: PredictionsSpec, task: TaskKind, label: NDArray[np.object_] | None, decision: NDArray[np.object_] | None,
) -> tuple[tuple[str, ...], str | None]:
    """Class names, the positive one last where there are two. A column that holds one value only still has another side."""
    found = sorted({str(each) for column in (label, decision) if column is not None for each in column})
    named = [name for name in (spec.positive, *_named_favourable(spec)) if name is not None]
    if task == "multiclass":
        for name in named:
            _check_label(name, found)
        return tuple(found), spec.positive
    if not found:
        positive = spec.positive or "selected"
        for name in named:
            _check_label(name, [f"not {positive}", positive])
        return (f"not {positive}", positive), positive
    if len(found) == 1:
        other = next((name for name in named if name not in found), f"not {found[0]}")
        found = sorted([found[0], other])
    for name in named:
        _check_label(name, found)
    # a score is the positive label's: what is favourable for the person says nothing about what the model scored
    positive = spec.positive or choose_positive(found)
    return tuple([name for name in found if name != positive] + [positive]), positive


def _named_favourable(spec: PredictionsSpec) -> tuple[str, ...]:
    return () if spec.favourable is None else (spec.favourable,) if isinstance(spec.favourable, str) else spec.favourable


def _check_label(name: str, labels: list[str]) -> None:
    if name not in labels:
        raise BadInput(f"{shown(name)} is none of the outcomes in the table: {', '.join(shown(each) for each in labels[:10])}", pointer="/favourable")


def _favourable(spec: PredictionsSpec, labels: tuple[str, ...], positive: str | None) -> tuple[str, ...]:
    named = _named_favourable(spec)
    if set(labels) <= set(named):
        raise BadInput("every outcome is named favourable, so none would be unfavourable", pointer="/favourable")
    if named or positive is not None:
        return named or (str(positive),)
    raise BadInput(f"name the favourable outcomes among {', '.join(shown(each) for each in labels[:10])}", pointer="/favourable")


def _threshold(spec: PredictionsSpec, decision: NDArray[np.object_] | None, score: NDArray[np.float64] | None) -> Threshold | None:
    if decision is not None:
        return None if spec.threshold is None else Threshold(value=spec.threshold, chosen_on="given by the person; the decisions are the table's own")
    if spec.threshold is not None:
        return Threshold(value=spec.threshold, chosen_on="given by the person")
    if score is not None and not _is_share(score):
        raise BadInput("the scores do not lie between 0 and 1; name the threshold from which on a score is a positive decision", pointer="/threshold")
    return Threshold(value=0.5, chosen_on="default 0.5: neither a decision column nor a threshold was given")


def _is_share(score: NDArray[np.float64]) -> bool:
    return bool(np.all((score >= 0) & (score <= 1)))


def _columns(table: Table, spec: PredictionsSpec) -> tuple[Column, ...]:
    uses: dict[str | None, tuple[Role, str]] = dict.fromkeys(spec.sensitive, ("sensitive", "measured on"))
    uses |= {spec.weight: ("weight", "row weight"), spec.group: ("group", "person or unit that rows belong to")}
    uses |= {spec.label: ("target", "label"), spec.score: ("feature", "score"), spec.decision: ("feature", "decision")}
    return tuple(
        Column(name=name, role=uses.get(name, ("ignore", ""))[0], type=facts.type, missing=facts.missing, distinct=facts.distinct,
               used_as_feature=False, note=uses.get(name, ("ignore", "not looked at"))[1])
        for name, facts in table.facts.items()
    )
