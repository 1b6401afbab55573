"""The person's reason table held against the table of data: every name is a column, and a direction is one of numbers."""

from __future__ import annotations

from automl.data.names import check_column, closest, pointer, shown
from automl.data.tables import Table
from automl.errors import BadInput
from automl.spec import ReasonPolicy


def check_reason_table(policy: ReasonPolicy, table: Table) -> None:
    """Raises BadInput with a pointer into the spec where ``policy`` names what the table does not have, or a direction of what has none."""
    for group, members in policy.groups.items():
        if group in table.names:
            raise BadInput(f"the group of reasons {shown(group)} has the name of a column; give it another", pointer=pointer("reasons", "groups", group))
        for at, name in enumerate(members):
            check_column(name, table.names, pointer("reasons", "groups", group, str(at)))
    for name, line in policy.table.items():
        where = pointer("reasons", "table", name)
        if name not in table.names and name not in policy.groups:
            known = (*policy.groups, *table.names)
            raise BadInput(f"the reason table speaks of {shown(name)}, which is no column and no group of reasons{closest(name, known)}", pointer=where)
        if line.direction == "any":
            continue
        if name in policy.groups:
            raise BadInput(f"the reason for {shown(name)} is one for {line.direction} values, and a group of inputs has no direction", pointer=where)
        facts = table.facts[name]
        if not facts.numeric and not facts.date_format:
            raise BadInput(f"the reason for {shown(name)} is one for {line.direction} values, but the column holds neither numbers nor dates", pointer=where)
