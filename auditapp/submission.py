"""What can be said against a spec before anything is queued: from the table's profile, where it is ready. The child sees the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from django.db import connection

from auditapp.models import Dataset
from auditapp.profiles import ready_profile
from automl.errors import BadInput
from automl.evidence import ColumnProfile, DatasetProfile
from automl.question_tree import governing_choice
from automl.spec import NO_FAIRNESS_OBJECTIVE, PredictionsSpec, Spec, TaskSpec

_NUMBERS = ("integer", "number")


def check_parallel(spec: Spec) -> None:
    """Refuse what this installation's database cannot keep: Optuna's own pages advise against SQLite for several writers."""
    if isinstance(spec, TaskSpec) and spec.parallel > 1 and connection.vendor != "postgresql":
        raise BadInput(f"parallel: {spec.parallel} workers on one search need a PostgreSQL database, which this installation does not have; ask for 1", pointer="/parallel")


def check_against_profile(spec: Spec, dataset: Dataset, groups_limit: int) -> None:
    """Raise BadInput, with a JSON pointer, at the first contradiction between ``spec`` and what is known of ``dataset``."""
    profile = ready_profile(dataset, spec.table, spec.missing)
    if profile is None:
        return
    columns = {column.name: column for column in profile.columns}
    for pointer, name in _named_columns(spec):
        if name not in columns:
            raise BadInput(f"{pointer[1:].split('/')[0]}: the table has no column {name!r}; {_meant(name, columns)}it has {_some(profile)}", pointer=pointer)
    if isinstance(spec, TaskSpec):
        _check_target(columns[spec.target])
        if (task := spec.task or columns[spec.target].could_be_target) is not None:
            governing_choice(spec, task, recorded=True)
        if spec.fairness_objective is not None and task == "regression":
            raise BadInput(NO_FAIRNESS_OBJECTIVE, pointer="/fairness_objective")
        if spec.metric == "rmsle":
            _check_not_negative(columns[spec.target])
    for position, name in enumerate(spec.sensitive):
        _check_sensitive(columns[name], f"/sensitive/{position}", groups_limit, binned=name in spec.bins)


def _named_columns(spec: Spec) -> Iterator[tuple[str, str]]:
    """Every column that the spec names, with the JSON pointer to it."""
    single = ["group", "weight", *(["target", "time"] if isinstance(spec, TaskSpec) else ["label", "score", "decision"])]
    for option in single:
        name = getattr(spec, option)
        if name is not None:
            yield f"/{option}", name
    for position, name in enumerate(spec.sensitive):
        yield f"/sensitive/{position}", name
    for place, cohort in enumerate(spec.cohorts):
        yield from ((f"/cohorts/{place}/where/{at}/column", condition.column) for at, condition in enumerate(cohort.where))
    for option, mapping in (("bins", spec.bins), ("reference", spec.reference)):
        # A reference may also be of a crossing, "sex x race", which is no column
        for name in mapping:
            if option == "bins" or " x " not in name:
                yield _pointer(option, name), name
    for name in {} if isinstance(spec, PredictionsSpec) else spec.roles:
        yield _pointer("roles", name), name


def _pointer(option: str, name: str) -> str:
    return f"/{option}/{name.replace('~', '~0').replace('/', '~1')}"


def _check_target(column: ColumnProfile) -> None:
    if column.type == "empty":
        raise BadInput(f"target: every cell of {column.name!r} is missing", pointer="/target")
    if column.type == "constant" or column.distinct < 2:
        raise BadInput(f"target: {column.name!r} has one value in all rows; a model needs at least two", pointer="/target")


def _check_not_negative(column: ColumnProfile) -> None:
    if isinstance(column.low, int | float) and column.low < 0:
        raise BadInput(f"metric: rmsle needs a target of 0 or more, and {column.name!r} goes down to {column.low:g}; choose rmse or mae", pointer="/metric")


def _check_sensitive(column: ColumnProfile, pointer: str, groups_limit: int, *, binned: bool) -> None:
    if column.type == "empty":
        raise BadInput(f"sensitive: every cell of {column.name!r} is missing", pointer=pointer)
    if binned and column.type not in (*_NUMBERS, "boolean", "constant", "id"):
        raise BadInput(f"bins: {column.name!r} holds no numbers, so it cannot have bins", pointer=_pointer("bins", column.name))
    if column.type not in _NUMBERS and not binned and column.distinct > groups_limit:
        raise BadInput(f"sensitive: {column.name!r} has {column.distinct:,} values; the limit is {groups_limit} groups, so merge the rest before", pointer=pointer)


def _meant(name: str, names: Iterable[str]) -> str:
    # difflib is quadratic in the length of both words: hostile names are long
    near = get_close_matches(name[:100], [each for each in names if len(each) <= 100], n=1)
    return f"did you mean {near[0]!r}? " if near else ""


def _some(profile: DatasetProfile) -> str:
    names = [repr(column.name[:60]) for column in profile.columns[:8]]
    return ", ".join(names) + (f" and {len(profile.columns) - 8} more" if len(profile.columns) > 8 else "")
