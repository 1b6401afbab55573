"""Which inputs are unknown more often for one group than for another: a model knows less of such a group, and what stands in for an unknown cell decides more about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from automl.audit.intervals import count, rate_estimate
from automl.audit.outcomes import groups_of, joined
from automl.evidence import MissingByGroup

if TYPE_CHECKING:
    from automl.data.splits import Rows

MOST_COLUMNS = 20
"""Those with the most missing cells."""


def missing_by_group(parts: Sequence[Rows]) -> tuple[MissingByGroup, ...]:
    """Share of missing cells, with Wilson's interval, of each input that has any, in each group of each declared attribute, over all rows of ``parts``; by weight and by person where the rows have them.

    Inputs in the order of their missing cells, the most first, `MOST_COLUMNS` of them. Rows whose group is unknown are in no group.
    """
    cells = {name: sum(int(part.features[name].isna().sum()) for part in parts) for name in parts[0].features.columns}
    columns = sorted((name for name, n in cells.items() if n), key=lambda name: -cells[name])[:MOST_COLUMNS]
    # of these alone: a table may have thousands of inputs
    empty = {name: np.concatenate([part.features[name].isna().to_numpy() for part in parts]) for name in columns}
    weight, cluster = joined(part.weight for part in parts), joined(part.cluster for part in parts)
    found = []
    for attribute in parts[0].groups:
        groups = np.concatenate([part.groups[attribute] for part in parts])
        for group in groups_of(groups):
            inside = groups == group
            counted = (None if weight is None else weight[inside], None if cluster is None else cluster[inside])
            found += [MissingByGroup(column=str(name), attribute=attribute, group=group, n=int(inside.sum()), missing=int(empty[name][inside].sum()),
                                     share=rate_estimate(count(empty[name][inside], *counted))) for name in columns]
    return tuple(found)
