"""Findings on the Local Law 144 tables. The rule states no limit for an impact ratio, so none of these compares one with a limit; the rules, by id:

- ``law_lowest_ratio`` (info): the lowest impact ratio of a table with its interval, for selection or, where nothing was decided, for scoring.
- ``law_unknown`` (low above 5 %, medium above 20 %): people whose sex or race is unknown to the tables.
- ``law_unmapped`` (medium): values that were given no category, so that their rows are unknown.
- ``law_exclusion_kept`` (medium): a category that was to be left out is not below 2 % of its table.
- ``law_not_computable`` (info): a table that was asked for has no impact ratio.
"""

from __future__ import annotations

from collections.abc import Iterator

from automl.evidence import Finding, LawRow, LawTable, LocalLaw144Section, NotMeasured, Ratio
from automl.printing import fixed, percent, row_count, visible

TABLES = {"sex": "sex", "race": "race or ethnicity", "intersectional": "sex and race or ethnicity"}
UNKNOWN_LOW, UNKNOWN_MEDIUM = 0.05, 0.2
LISTED = 4
LONGEST = 60


def law_findings(law: LocalLaw144Section | NotMeasured, rows: int) -> Iterator[Finding]:
    """``rows``: the people assessed. Nothing where the tables were not asked for."""
    if isinstance(law, NotMeasured):
        return
    for name, words in TABLES.items():
        table = getattr(law, name)
        if isinstance(table, LawTable):
            yield _lowest(table, f"/local_law_144/{name}", words)
    share = law.unknown / rows if rows else 0.0
    if share > UNKNOWN_LOW:
        yield Finding(
            id="law_unknown", severity="medium" if share > UNKNOWN_MEDIUM else "low", evidence="/local_law_144/unknown", rule="law_unknown",
            text=f"The Local Law 144 tables leave out {row_count(law.unknown)} ({percent(share)}) whose sex or race is unknown; none was imputed.",
            suggestion="Missing answers can turn such tables round: ask for them where the law allows it.")
    if law.unmapped:
        named = ", ".join(f"{visible(one.value, LONGEST)} ({visible(one.attribute, LONGEST)}, {row_count(one.n)})" for one in law.unmapped[:LISTED])
        more = len(law.unmapped) - LISTED
        yield Finding(
            id="law_unmapped", severity="medium", evidence="/local_law_144/unmapped", rule="law_unmapped",
            text=f"Values without a category of Local Law 144 count as unknown in its tables: {named}{f' and {more} more' if more > 0 else ''}.",
            suggestion="Say in the spec which category each of them is, or leave them unknown.")
    for at, one in enumerate(law.excluded):
        if not one.applied:
            yield Finding(
                id=f"law_exclusion_kept:{at}", severity="medium", evidence=f"/local_law_144/excluded/{at}", rule="law_exclusion_kept",
                text=f"{one.category} was to be left out of the impact ratios of Local Law 144: {one.note}.", suggestion="Take the request out of the spec.")


def _lowest(table: LawTable, pointer: str, words: str) -> Finding:
    for field, what, reference in (("impact_ratio", "selection", table.reference), ("scoring_impact_ratio", "scoring", table.scoring_reference)):
        compared = [(at, row, one) for at, row in enumerate(table.rows) if isinstance(one := getattr(row, field), Ratio) and one.label != "reference"]
        if compared:
            at, row, one = min(compared, key=lambda found: found[2].value)
            return Finding(
                id=f"law_lowest_ratio:{pointer}", severity="info", evidence=f"{pointer}/rows/{at}", rule="law_lowest_ratio",
                text=f"By {words} the lowest impact ratio of the Local Law 144 {what} rates is that of {row.category}: {fixed(one.value, 3)} of the rate of {reference} "
                     f"(95 % interval {fixed(one.low, 3)} to {fixed(one.high, 3)}; {one.k:,} of {one.n:,} against {one.k_ref:,} of {one.n_ref:,}). The rule states no limit for it.")
    return Finding(
        id=f"law_not_computable:{pointer}", severity="info", evidence=pointer, rule="law_not_computable",
        text=f"By {words} no impact ratio of Local Law 144 can be computed: {_why(table.rows)}.")


def _why(rows: tuple[LawRow, ...]) -> str:
    reasons = [one.reason for row in rows if row.n and not row.excluded for one in (row.impact_ratio, row.scoring_impact_ratio) if isinstance(one, NotMeasured)]
    return reasons[0] if reasons else "nobody's category is known, or every category was left out"
