"""What the data section gives occasion to say. Rules, by id:

- ``left_out`` (low, medium above 5 % of the rows): rows that were not used.
- ``data_quality``: the data section's own findings of severity high or medium, as they stand.
- ``under_represented`` (low, medium below half): a group has less than four fifths of the share that the population named gives it, beyond sampling error, and the groups together
  differ from that population (chi-squared, 5 %).
"""

from __future__ import annotations

from collections.abc import Iterator

from automl.audit.findings.words import interval, number, shown
from automl.evidence import DataSection, Estimate, Finding, Representation, Test
from automl.printing import percent

LEFT_OUT_MEDIUM = 0.05
FEW_OF_POPULATION, HALF_OF_POPULATION = 0.8, 0.5
TEST_LEVEL = 0.05


def of_data(data: DataSection) -> Iterator[Finding]:
    """What the section gives occasion to say; the pointers lead into /data."""
    for i, left in enumerate(data.left_out):
        if left.n > 0:
            yield Finding(
                id=f"left_out:{i}", severity="medium" if left.n > LEFT_OUT_MEDIUM * max(data.rows, 1) else "low",
                text=f"{left.n:,} of {data.rows:,} rows were left out: {left.reason.rstrip('.')}.", evidence=f"/data/left_out/{i}",
                suggestion="Check whether these rows differ from the others.", rule="left_out",
            )
    yield from (finding for finding in data.quality if finding.severity in ("high", "medium"))
    for at, one in enumerate(data.representation):
        yield from _under_represented(one, at)


def _under_represented(one: Representation, at: int) -> Iterator[Finding]:
    if not isinstance(one.test, Test) or one.test.p >= TEST_LEVEL:
        return
    for place, group in enumerate(one.groups):
        ratio, share = group.to_population, group.share
        if isinstance(ratio, Estimate) and isinstance(share, Estimate) and group.population_share is not None and not ratio.low_precision and ratio.high < FEW_OF_POPULATION:
            pointer = f"/data/representation/{at}/groups/{place}"
            yield Finding(
                id=f"under_represented:{pointer}", severity="medium" if ratio.high < HALF_OF_POPULATION else "low", rule="under_represented", evidence=pointer,
                text=f"{shown(group.group)} ({shown(one.attribute)}) has {percent(share.value)} of the rows and {percent(group.population_share)} of the population named: "
                     f"{number(ratio.value, FEW_OF_POPULATION)} times as much ({interval(ratio, FEW_OF_POPULATION)}).",
                suggestion="Ask whether the people of this table stand for those whom the decisions are about, and collect rows of this group where they do not.")
