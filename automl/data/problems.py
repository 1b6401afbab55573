"""What is to be learned: the person's spec, held against the table and completed by what the table tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.features import Feature, FeatureSchema, Kind
from automl.data.groups import check_attributes
from automl.data.names import check_cohorts, check_column, closest, pointer, shown
from automl.data.number_formats import PLAIN, NumberFormat
from automl.data.personal import why_personal
from automl.data.reason_tables import check_reason_table
from automl.data.tables import Positions, Table
from automl.errors import BadInput
from automl.evidence import Column
from automl.spec import LARGEST_NUMBER, METRICS_OF_TASK, Metric, Role, TaskKind, TaskSpec

MOST_CLASSES = 100
FEWEST_ROWS = 20
_MOST_NUMERIC_CLASSES = 20
_POSITIVE_WORDS = frozenset((
    "1", "1.0", "yes", "y", "true", "t", "on", "positive", "pos", "good", "approved", "approve", "accepted", "accept", "granted", "grant", "hired",
    "hire", "admitted", "paid", "success", "pass", "ja", "wahr", "gut",
))
_NEGATIVE_WORDS = frozenset((
    "0", "0.0", "-1", "2", "no", "n", "false", "f", "off", "negative", "neg", "bad", "denied", "deny", "rejected", "reject", "refused", "refuse",
    "declined", "unpaid", "failure", "fail", "nein", "falsch", "schlecht",
))


@dataclass(frozen=True)
class Problem:
    """One learning problem. ``labels`` in the order of the model's classes, as written, the positive one last for binary; empty for
    regression. ``inferred`` is True where task or positive label was not given but concluded. ``columns`` holds every column of the
    table with the role it got and why."""

    task: TaskKind
    target: str
    labels: tuple[str, ...]
    positive: str | None
    favourable: tuple[str, ...]
    inferred: bool
    metric: Metric
    schema: FeatureSchema
    columns: tuple[Column, ...]
    target_format: NumberFormat = PLAIN
    """How the numbers of a regression target are written."""
    quantile: float | None = None
    """Regression by quantile_loss: the level of the quantile that is predicted."""

    @property
    def logarithms(self) -> bool:
        """Whether log(1 + target) is what is learned, and what raw scores are: the metric rmsle is the root mean squared error there."""
        return self.metric == "rmsle"


def resolve_problem(spec: TaskSpec, table: Table) -> Problem:
    """Completes ``spec`` from ``table``. Raises BadInput with a pointer into the spec where the two contradict each other."""
    check_column(spec.target, table.names, "/target")
    for option in ("group", "time", "weight"):
        if (name := getattr(spec, option)) is not None:
            check_column(name, table.names, f"/{option}")
    check_attributes(table, spec)
    check_cohorts(spec, table.names)
    _check_roles(spec, table)
    check_reason_table(spec.reasons, table)
    task = spec.task or infer_task(table, spec.target)
    labels, positive = _labels(spec, table, task)
    metric = spec.metric or METRICS_OF_TASK[task][0]
    if metric not in METRICS_OF_TASK[task]:
        raise BadInput(f"the metric {metric!r} does not fit a {task} task; choose one of {', '.join(METRICS_OF_TASK[task])}", pointer="/metric")
    if metric == "rmsle":
        _check_not_negative(table, spec.target)
    judged = [_judge(name, spec, table) for name in table.names]
    schema = FeatureSchema(tuple(each.feature for each in judged if each.feature is not None))
    if not schema.features:
        raise BadInput("no column is left to learn from: every one is the target, sensitive, an id, a constant or ignored", pointer="/roles")
    return Problem(
        task=task, target=spec.target, labels=labels, positive=positive, favourable=_favourable(spec, labels, positive),
        inferred=spec.task is None or (task == "binary" and spec.positive is None), metric=metric, schema=schema,
        columns=tuple(each.column for each in judged), target_format=table.facts[spec.target].number_format, quantile=spec.quantile,
    )


# --- target -----------------------------------------------------------------------------------------------------------------------


def infer_task(table: Table, target: str) -> TaskKind:
    """Two values: binary. Numbers with more than 20 values: regression. Else multiclass.

    Raises BadInput for a target that is missing everywhere, has one value, or too many to be classes.
    """
    facts = table.facts[target]
    _check_target_varies(table, target)
    if facts.distinct == 2:
        return "binary"
    if facts.numeric and facts.distinct > _MOST_NUMERIC_CLASSES:
        return "regression"
    if facts.distinct > MOST_CLASSES:
        raise BadInput(f"the target {shown(target)} has {facts.distinct:,} different texts; at most {MOST_CLASSES} classes can be learned", pointer="/target")
    return "multiclass"


def _check_target_varies(table: Table, target: str) -> None:
    facts = table.facts[target]
    if facts.distinct == 0:
        raise BadInput(f"the target {shown(target)} is missing in every row", pointer="/target")
    if facts.distinct == 1:
        only = next(iter(table.levels(target)))
        raise BadInput(f"the target has one value: {shown(target)} is {shown(only)} wherever it is not missing, so there is nothing to learn", pointer="/target")
    present = table.rows - facts.missing
    if present < FEWEST_ROWS:
        raise BadInput(f"the table has {present} rows with a target; at least {FEWEST_ROWS} are needed", pointer="/target")


def _check_not_negative(table: Table, target: str) -> None:
    values = table.numbers(target).to_numpy()
    negative = np.flatnonzero(values < 0)
    if len(negative):
        row = int(negative[0])
        raise BadInput(
            f"the metric rmsle compares logarithms of 1 + value and needs a target of 0 or more; {shown(target)} is {values[row]:g} in row {row + 1:,}"
            + (f" and below 0 in {len(negative):,} rows" if len(negative) > 1 else "") + "; choose rmse or mae", pointer="/metric")


def _labels(spec: TaskSpec, table: Table, task: TaskKind) -> tuple[tuple[str, ...], str | None]:
    _check_target_varies(table, spec.target)
    if task == "regression":
        if not table.facts[spec.target].numeric:
            table.numbers(spec.target)  # names the row
            raise BadInput(f"the target {shown(spec.target)} does not hold numbers (codes with leading zeros are none)", pointer="/target")
        if table.numbers(spec.target).replace([np.inf, -np.inf], np.nan).abs().max() > LARGEST_NUMBER:
            raise BadInput(f"the target {shown(spec.target)} holds numbers beyond {LARGEST_NUMBER:g}, whose squares no longer fit; give it in a larger unit", pointer="/target")
        for option in ("positive", "favourable"):
            if getattr(spec, option) is not None:
                raise BadInput(f"{option} names a class, and {shown(spec.target)} is learned as a number", pointer=f"/{option}")
        return (), None
    counts = table.levels(spec.target)
    if (task == "binary" and len(counts) != 2) or (task == "multiclass" and len(counts) < 3):
        raise BadInput(f"the target {shown(spec.target)} has {len(counts):,} values, which does not fit the task {task}", pointer="/task")
    if len(counts) > MOST_CLASSES:
        raise BadInput(f"the target {shown(spec.target)} has {len(counts):,} classes; the limit is {MOST_CLASSES}", pointer="/target")
    for label, n in counts.items():
        if n < 2:
            raise BadInput(f"the target's value {shown(label)} occurs in one row only; a class needs at least 2, one to learn from and one to audit", pointer="/target")
    labels = _in_order(list(counts))
    if spec.positive is not None and spec.positive not in counts:
        raise BadInput(f"the target {shown(spec.target)} has no value {shown(spec.positive)}{closest(spec.positive, labels)}", pointer="/positive")
    if task == "multiclass":
        return tuple(labels), spec.positive
    positive = spec.positive if spec.positive is not None else choose_positive(labels)
    return (next(label for label in labels if label != positive), positive), positive


def choose_positive(labels: list[str]) -> str:
    """Of two labels the one that reads like "yes" (1, true, approved, >50K ..), else the last in order. A proposal, to be shown."""
    words = {label: label.strip().casefold() for label in labels}
    yes = [label for label in labels if words[label] in _POSITIVE_WORDS or words[label].startswith(">")]
    not_no = [label for label in labels if words[label] not in _NEGATIVE_WORDS]
    return yes[0] if len(yes) == 1 else not_no[0] if len(not_no) == 1 else labels[-1]


def _in_order(labels: list[str]) -> list[str]:
    try:
        return sorted(labels, key=lambda label: (float(label), label))
    except ValueError:
        return sorted(labels)


def _favourable(spec: TaskSpec, labels: tuple[str, ...], positive: str | None) -> tuple[str, ...]:
    if spec.favourable is None:
        return (positive,) if positive is not None else ()
    wanted = (spec.favourable,) if isinstance(spec.favourable, str) else spec.favourable
    for label in wanted:
        if label not in labels:
            raise BadInput(f"the target {shown(spec.target)} has no value {shown(label)}{closest(label, labels)}", pointer="/favourable")
    if not set(labels) - set(wanted):
        raise BadInput("every value of the target is named favourable, so no outcome would be unfavourable", pointer="/favourable")
    return tuple(dict.fromkeys(wanted))


def row_weights(table: Table, name: str | None, rows: Positions | None = None) -> NDArray[np.float64] | None:
    """The weights of ``rows`` (default all), None where no column is named. Raises BadInput naming a row whose weight is missing or negative."""
    if name is None:
        return None
    weight = table.numbers(name, rows).to_numpy()
    wrong = np.flatnonzero(np.isnan(weight) | (weight < 0))
    if len(wrong):
        row = int(wrong[0] if rows is None else rows[wrong[0]]) + 1
        raise BadInput(f"column {shown(name)}, row {row:,}: a weight must be a number of 0 or more, and not missing", pointer="/weight")
    if not weight.any():
        raise BadInput(f"all weights in column {shown(name)} are 0", pointer="/weight")
    return weight


def row_clusters(table: Table, name: str | None, rows: Positions | None = None) -> NDArray[np.int64] | None:
    """A number for each person of ``rows`` (default all), None where no column is named; a row whose person is missing is one of its own."""
    if name is None:
        return None
    codes, persons = pd.factorize(table.text(name, rows))
    codes = codes.astype(np.int64)
    alone = codes < 0
    codes[alone] = len(persons) + np.arange(alone.sum())
    return codes


# --- roles ------------------------------------------------------------------------------------------------------------------------


def _check_roles(spec: TaskSpec, table: Table) -> None:
    chosen = {"target": (spec.target,), "sensitive": spec.sensitive, "group": (spec.group,), "time": (spec.time,), "weight": (spec.weight,)}
    for name, role in spec.roles.items():
        check_column(name, table.names, pointer("roles", name))
        if role in chosen and name not in chosen[role]:
            raise BadInput(f"roles gives {shown(name)} the role {role!r}, but {role} does not name it", pointer=pointer("roles", name))
        if role == "text" and (table.facts[name].numeric or table.facts[name].date_format):
            raise BadInput(f"roles calls {shown(name)} free text, but it holds {'numbers' if table.facts[name].numeric else 'dates'}", pointer=pointer("roles", name))
        if role == "date" and table.facts[name].date_format is None:
            raise BadInput(f"roles calls {shown(name)} a date, but not every value is one in the same known format", pointer=pointer("roles", name))


class _Judged(NamedTuple):
    column: Column
    feature: Feature | None


def _judge(name: str, spec: TaskSpec, table: Table) -> _Judged:
    facts = table.facts[name]
    role, kind, note = _role_of(name, spec, table)
    if kind is not None and facts.infinite:
        note = (note + "; " if note else "") + f"{facts.infinite:,} infinite values count as missing"
    if kind == "number" and facts.number_format != PLAIN:
        note = (note + "; " if note else "") + f"numbers written {facts.number_format.describe()}"
    feature = Feature(name, kind, facts.date_format if kind == "date" else None, facts.number_format) if kind is not None else None
    column = Column(name=name, role=role, type=facts.type, missing=facts.missing, distinct=facts.distinct, used_as_feature=kind is not None, note=note)
    return _Judged(column, feature)


def _role_of(name: str, spec: TaskSpec, table: Table) -> tuple[Role, Kind | None, str]:
    """The column's role, the kind it is learned as (None: not learned from), and a note that says why."""
    facts = table.facts[name]
    if name == spec.target:
        return "target", None, ""
    if name in spec.sensitive:
        if spec.sensitive_as_features and facts.type not in ("constant", "empty", "text"):
            return "sensitive", _kind_of(name, table), "sensitive, and learned from because the person said so"
        return "sensitive", None, "measured on, not learned from"
    for option, note in (("group", "keeps the rows of one person together"), ("time", "orders the split"), ("weight", "weighs the rows")):
        if name == getattr(spec, option):
            return option, None, note  # type: ignore[return-value]  # the three options are roles
    if facts.type == "empty":
        return "ignore", None, "holds no value"
    if facts.type == "constant":
        return "ignore", None, "holds one value only"
    return _by_choice_or_type(name, spec.roles.get(name), table)


def _by_choice_or_type(name: str, chosen: Role | None, table: Table) -> tuple[Role, Kind | None, str]:
    kind = table.facts[name].type
    if chosen in ("id", "ignore"):
        return chosen, None, "left out by the person"
    if chosen is None and kind == "text" and (why := why_personal(table, name)) is not None:
        return "ignore", None, f"{why}; learned from only where its role says so"
    if kind == "text" or chosen == "text":
        return "text", "text", "free text, learned from by its words"
    if chosen is None and kind == "id":
        return "id", None, "identifies rows; nothing that it could teach would hold for new ones"
    return ("date" if kind == "date" else "feature"), _kind_of(name, table), ""


def _kind_of(name: str, table: Table) -> Kind:
    facts = table.facts[name]
    return "number" if facts.numeric else "date" if facts.date_format else "category"
