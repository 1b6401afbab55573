"""The tables of Local Law 144, in section 6 of a report: as the rule lays them out, with the intervals and numerators that it does not ask for, and without a limit."""

from __future__ import annotations

from collections.abc import Iterator

from auditapp.report.blocks import Block, charts_of, data_text, facts, heading, not_measured, note, paragraph, shown, table
from automl.evidence import Charts, Evidence, LawClass, LawMedian, LawRow, LawTable, LocalLaw144Section, NotMeasured, Ratio, UnknownBand, Value
from automl.printing import design, fixed, percent, ratio, significant, whole

TABLES = {"sex": "sex", "race": "race or ethnicity", "intersectional": "sex and race or ethnicity"}
DATA_CLASSES = {"historical": "historical data: collected while the tool was in use", "test": "test data: not collected while the tool was in use"}
LONGEST = 400


def law_blocks(evidence: Evidence, charts: Charts) -> Iterator[Block]:
    """Nothing where nobody asked for the tables; section 15 says so."""
    law = evidence.local_law_144
    if isinstance(law, NotMeasured):
        return
    yield heading(law.title)
    yield paragraph("The rule (6 RCNY 5-300 to 5-304) asks for rates and impact ratios and states no limit for them. Each table counts the people known on its own categories; none is derived from another.")
    yield facts(_about(law))
    yield from _tables(law, evidence, charts, "")
    for place, one in enumerate(law.by_class, start=1):
        yield from _tables(one, evidence, charts, f", class {data_text(one.label, 60)}", place)
    if law.excluded:
        yield table(
            "Categories that were to be left out of the impact ratios", [("category", "left", 1.2), ("n", "right", 0), ("share", "right", 0), ("selection rate", "left", 1), ("justification", "left", 1.6), ("left out", "left", 0.9)],
            [(one.category, whole(one.n), "–" if one.share is None else percent(one.share), shown(one.rate, as_percent=True), data_text(one.justification, LONGEST), "yes" if one.applied else f"no: {one.note}")
             for one in law.excluded], "The rule lets a person leave out a category below 2 % of the people; its count and rate are printed all the same.")
    yield note("The numbers of these tables are attached as local_law_144.csv.")


def _about(law: LocalLaw144Section) -> Iterator[tuple[str, str]]:
    if law.auditor is not None:
        yield "Auditor, as attested", f"{data_text(law.auditor)}: {data_text(law.statement or '', LONGEST)}"
    yield "Data", DATA_CLASSES[law.data_class] + (f". {data_text(law.data_reason, LONGEST)}" if law.data_reason else "")
    yield "Favourable outcome", ", ".join(data_text(label, 60) for label in law.favourable) or "a score above the median"
    yield "Left out as unknown", f"{whole(law.unknown)} people whose sex or race is unknown; none was imputed"
    if law.unmapped:
        yield "Values without a category", ", ".join(f"{data_text(one.value, 60)} ({data_text(one.attribute, 60)}, {whole(one.n)})" for one in law.unmapped)


def _tables(part: LocalLaw144Section | LawClass, evidence: Evidence, charts: Charts, of: str, place: int = 0) -> Iterator[Block]:
    for name, words in TABLES.items():
        found = getattr(part, name)
        if isinstance(found, NotMeasured):
            yield not_measured(f"By {words}", found)
            continue
        if not place:
            yield from charts_of(charts, f"law-{name}", exactly=True)
        yield from _table(found, words, of)
        yield note(design(evidence.design, found.unknown))
    yield paragraph(_median(part.median))


def _table(found: LawTable, words: str, of: str) -> Iterator[Block]:
    unknown = f"{whole(found.unknown)} people of unknown category are in none of its rows." + (
        " In brackets: how far they could move the ratio if all belonged to that category or to the one with the highest rate." if any(row.unknown_band or row.scoring_unknown_band for row in found.rows) else "")
    if any(row.selected is not None for row in found.rows):
        yield table(
            f"Selection rates by {words}{of}", [("category", "left", 1.4), ("people", "right", 0), ("share", "right", 0), ("selected", "right", 0), ("selection rate, 95 % interval", "left", 1.2), ("impact ratio, 95 % interval", "left", 1.2)],
            [(row.category, *_people(row), _number(row.selected), _rate(row, row.selection_rate), _ratio(row, row.impact_ratio, row.unknown_band)) for row in found.rows], unknown)
    if any(row.above_median is not None for row in found.rows):
        yield table(
            f"Scoring rates by {words}{of}", [("category", "left", 1.4), ("people", "right", 0), ("share", "right", 0), ("above", "right", 0), ("scoring rate, 95 % interval", "left", 1.2), ("impact ratio, 95 % interval", "left", 1.2)],
            [(row.category, *_people(row), _number(row.above_median), _rate(row, row.scoring_rate), _ratio(row, row.scoring_impact_ratio, row.scoring_unknown_band)) for row in found.rows], unknown)


def _rate(row: LawRow, rate: Value) -> str:
    return shown(rate, as_percent=True) if row.n else "nobody was assessed"


def _people(row: LawRow) -> tuple[str, str]:
    return whole(row.n), "–" if row.share is None else percent(row.share)


def _number(count: int | None) -> str:
    return "–" if count is None else whole(count)


def _ratio(row: LawRow, one: Ratio | NotMeasured, band: UnknownBand | None) -> str:
    if row.n == 0:
        return "–"
    return ratio(one, None) + ("" if band is None else f" [{fixed(band.low, 3)} to {fixed(band.high, 3)}]")


def _median(median: LawMedian | NotMeasured) -> str:
    if isinstance(median, NotMeasured):
        return f"Scoring rates were not measured: {median.reason}."
    return (f"Scoring rates count who scored strictly above {significant(median.value)}, the median of the {whole(median.people)} people whose categories are all known; "
            f"{whole(median.ties)} scored just that and are not above it. Over everybody the median would be {significant(median.of_everybody)}.")
