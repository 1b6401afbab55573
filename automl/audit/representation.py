"""Who is in the table: the share of each group, how often its recorded outcome is the favourable one, and, where a person named a population, how the shares compare with its own.

Base rates and shares are of all rows, those to learn from and those audited (evidence rule 1), and are looked at after the audit part was opened.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from automl.audit.intervals import Count, count, rate_estimate
from automl.audit.means import mean_estimate
from automl.audit.outcomes import BoolArray, FloatArray, Outcomes, groups_of, joined
from automl.audit.resampling import generator
from automl.audit.significance import MONTE_CARLO_TABLES, SMALLEST_EXPECTED
from automl.errors import BadInput
from automl.evidence import NotMeasured, Representation, RepresentedGroup, Test, Value
from automl.spec import Population

NOBODY_KNOWN = "no row has a known value"


def check_population(population: Population | None, groups: Mapping[str, Sequence[str]]) -> None:
    """``groups``: of each attribute those that occur. Raises BadInput where a share is wanting for one of them: it would be compared with nobody."""
    for attribute, shares in ({} if population is None else population.shares).items():
        if left := [group for group in groups[attribute] if group not in shares]:
            named = ", ".join(map(repr, list(shares)[:10]))
            raise BadInput(f"population: {attribute!r} has the group {left[0]!r} in this table, and the shares name {named} only; give each group its share", pointer=f"/population/shares/{attribute}")


def representation(parts: Sequence[Outcomes], population: Population | None, seed: int) -> tuple[Representation, ...]:
    """Of each declared attribute, over the rows of all ``parts`` (of one task and one set of attributes); by weight and by person where the rows have them."""
    return tuple(_of_attribute(parts, attribute, None if population is None else population.expected(attribute), seed) for attribute in parts[0].groups)


def _of_attribute(parts: Sequence[Outcomes], attribute: str, expected: Mapping[str, float] | None, seed: int) -> Representation:
    groups = np.concatenate([part.groups[attribute] for part in parts])
    weight, cluster = joined(part.weight for part in parts), joined(part.cluster for part in parts)
    known = np.array([group is not None for group in groups], dtype=bool)
    compared = known if expected is None else np.isin(groups, list(expected))

    def of(group: str, among: BoolArray) -> Count:
        return count((groups == group)[among], None if weight is None else weight[among], None if cluster is None else cluster[among])

    names = [*groups_of(groups), *(name for name in (expected or {}) if not (groups == name).any())]
    counts = {} if expected is None else {name: of(name, compared) for name in expected}
    rows = []
    for name in names:
        inside = groups == name
        said = None if expected is None else expected.get(name)
        rows.append(RepresentedGroup(
            group=name, n=int(inside.sum()), share=rate_estimate(of(name, known), NOBODY_KNOWN), base_rate=_base_rate(parts, inside, weight, cluster), population_share=said,
            to_population=None if said is None else _to_population(rate_estimate(counts[name], NOBODY_KNOWN), said)))
    return Representation(attribute=attribute, unknown=int((~known).sum()), groups=tuple(rows),
                          test=None if expected is None else _fit(list(counts.values()), np.array(list(expected.values())), attribute, seed))


def _base_rate(parts: Sequence[Outcomes], inside: BoolArray, weight: FloatArray | None, cluster: NDArray[Any] | None) -> Value:
    """How often the recorded outcome is the favourable one; of a number, its mean."""
    if any(part.truth is None for part in parts):
        return NotMeasured(reason="no label column was given")
    if not inside.any():
        return NotMeasured(reason="there are no rows")
    heavy, persons = None if weight is None else weight[inside], None if cluster is None else cluster[inside]
    if parts[0].task == "regression":
        return mean_estimate(np.concatenate([np.asarray(part.truth, dtype=np.float64) for part in parts])[inside], heavy, persons)
    if not parts[0].favourable:
        return NotMeasured(reason="no favourable outcome is named")
    good = np.concatenate([deserving for part in parts if (deserving := part.deserving()) is not None])
    return rate_estimate(count(good[inside], heavy, persons))


def _to_population(share: Value, expected: float) -> Value:
    """A share divided by what the population named has, which is taken as known: its limits divided likewise."""
    if isinstance(share, NotMeasured):
        return share
    return share.model_copy(update={"value": share.value / expected, "low": share.low / expected, "high": share.high / expected, "method": f"{share.method}, over the population's share"})


def _fit(counts: Sequence[Count], shares: FloatArray, attribute: str, seed: int) -> Test | NotMeasured:
    """Pearson's chi-squared of the rows against the population's ``shares`` (k,); simulated where a cell expects fewer than 5 rows. Where rows are weighted or repeat a person it is
    divided by the mean design effect (Rao and Scott 1981, "The analysis of categorical data from complex sample surveys", first-order correction), each group's as of the shares named:
    a group that nobody is of has no variance of its own; and the rows expected are effective ones."""
    contrast = f"the groups of {attribute} against the population named"
    rows = counts[0].rows_n
    if not rows or counts[0].n <= 0:
        return NotMeasured(reason=NOBODY_KNOWN)
    found = np.array([one.rate for one in counts])
    exact = all(one.exact for one in counts)
    effective = rows if exact else (len(shares) - 1) / sum((1 - share) / one.n for share, one in zip(shares, counts, strict=True))
    distance = float(((found - shares) ** 2 / shares).sum())
    statistic = effective * distance
    if effective * shares.min() >= SMALLEST_EXPECTED:
        return Test(name="chi_square" if exact else "chi_square_rao_scott", statistic=statistic, p=float(chi2.sf(statistic, len(shares) - 1)), contrast=contrast)
    size = max(1, math.floor(effective))
    drawn = generator(seed, "population", attribute).multinomial(size, shares, size=MONTE_CARLO_TABLES) / size
    at_least = int((((drawn - shares) ** 2 / shares).sum(axis=1) >= distance * (1 - 1e-9)).sum())
    return Test(name="chi_square_monte_carlo" if exact else "chi_square_rao_scott_monte_carlo", statistic=statistic, p=(1 + at_least) / (1 + MONTE_CARLO_TABLES), contrast=contrast)
