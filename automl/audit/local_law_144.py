"""New York City's Local Law 144: selection rates, scoring rates and impact ratios for sex, race or ethnicity and their crossing, as its rule computes them.

6 RCNY 5-300: the scoring rate of a category is the share of it that scores strictly above the median of the sample. 5-301(b), (c): the impact ratio is its rate over
the highest rate of the table. 5-301(d): a category below 2 % of the people may be left out of the ratios, by a person who justifies it, and then is not the highest
either. Everything is counted in people (rows); the rule knows no weights and no limit. Categories are those that the person gave; none is imputed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.audit.impact import Reference, highest, impact_ratio, unknown_band
from automl.audit.intervals import Count, count, rate_estimate
from automl.audit.outcomes import BoolArray, FloatArray, IntArray, Outcomes
from automl.evidence import LawClass, LawExclusion, LawMedian, LawRow, LawTable, LawUnmapped, LocalLaw144Section, NotMeasured, Ratio, UnknownBand, Value
from automl.evidence.local_law_144 import Assessment
from automl.spec import RACES, SEXES, AuditPolicy, Exclusion, LocalLaw144

NOT_ASKED = NotMeasured(reason="the spec does not ask for the Local Law 144 tables")
SELF_ASSESSMENT = "Developer's self-assessment in the format of New York City's Local Law 144"
BIAS_AUDIT = "Bias audit in the format of New York City's Local Law 144, attested by the auditor named here"
NOT_ATTESTED = "Tables in the format of New York City's Local Law 144, attested by no auditor"
NOBODY = NotMeasured(reason="nobody of this category was assessed")
EXCLUDED = NotMeasured(reason="left out of the impact ratios by the person who asked, with a justification")
SMALL = 50
"""One in so many is 2 %: in whole numbers, so that exactly 2 % is not below it."""


@dataclass(frozen=True)
class Categories:
    """The categories of one table, and for each row (n,) which it is in; -1 where that is unknown."""

    names: tuple[str, ...]
    sex: tuple[str | None, ...]
    race: tuple[str | None, ...]
    codes: IntArray

    def people(self) -> list[int]:
        """People per category."""
        return [int(n) for n in np.bincount(self.codes[self.codes >= 0], minlength=len(self.names))]


@dataclass(frozen=True)
class Asked:
    """One favourable outcome: who got it, or why nobody is known to have got it, and what was scored of it."""

    selected: BoolArray | None
    no_selection: str
    score: FloatArray | None
    no_score: str


def measure_local_law_144(outcomes: Outcomes, policy: AuditPolicy, *, trained: bool) -> LocalLaw144Section | NotMeasured:
    """The tables that ``policy.local_law_144`` asks for. ``trained``: the model was trained here, so that this is its developer's self-assessment (rule 13)."""
    law = policy.local_law_144
    if law is None:
        return NOT_ASKED
    tables, unmapped = law_categories(outcomes, law)
    asked, limit = law_question(outcomes, None), policy.limit.ratio
    excluded = _exclusions(law.exclude, tables, asked, outcomes.cluster)
    applied = {one.category: one.justification for one in excluded if one.applied}
    known, everybody = _known(tables, outcomes.rows), outcomes.rows
    title, assessment = _title(law, trained)
    return LocalLaw144Section(
        title=title, assessment=assessment, auditor=None if law.attestation is None else law.attestation.auditor,
        statement=None if law.attestation is None else law.attestation.statement, data_class=law.data_class, data_reason=law.data_reason,
        favourable=outcomes.favourable, unknown=everybody - int(known.sum()), unmapped=tuple(unmapped), excluded=excluded,
        **_tables(tables, asked, known, applied, limit, outcomes.cluster),
        by_class=tuple(
            LawClass(label=label, **_tables(tables, law_question(outcomes, label), known, applied, limit, outcomes.cluster))
            for label in (outcomes.labels if outcomes.task == "multiclass" else ())),
    )


def _title(law: LocalLaw144, trained: bool) -> tuple[str, Assessment]:
    """Rule 13: who trained a model assesses it; a bias audit is what a named person attests of somebody else's predictions."""
    if trained:
        return SELF_ASSESSMENT, "self_assessment"
    return (NOT_ATTESTED, "not_attested") if law.attestation is None else (BIAS_AUDIT, "bias_audit")


def law_categories(outcomes: Outcomes, law: LocalLaw144) -> tuple[dict[str, Categories | NotMeasured], list[LawUnmapped]]:
    """Who is in which category of the tables "sex", "race" and "intersectional", and the values that were given none."""
    sex: Categories | None = None
    race: Categories | None = None
    unmapped: list[LawUnmapped] = []
    if law.sex is not None:
        codes, rest = _codes(outcomes.groups[law.sex], SEXES, law.sex_categories, law.sex)
        sex, unmapped = Categories(SEXES, SEXES, (None,) * len(SEXES), codes), [*unmapped, *rest]
    if law.race is not None:
        codes, rest = _codes(outcomes.groups[law.race], RACES, law.race_categories, law.race)
        race, unmapped = Categories(RACES, (None,) * len(RACES), RACES, codes), [*unmapped, *rest]
    no_sex, no_race = (NotMeasured(reason=f"no attribute was named as {what}") for what in ("sex", "race or ethnicity"))
    if sex is None or race is None:
        both: Categories | NotMeasured = no_sex if sex is None else no_race
    else:
        both = _crossing(sex.codes, race.codes)
    return {"sex": no_sex if sex is None else sex, "race": no_race if race is None else race, "intersectional": both}, unmapped


def _codes(values: NDArray[np.object_], categories: Sequence[str], given: Mapping[str, str], attribute: str) -> tuple[IntArray, list[LawUnmapped]]:
    own, levels = pd.factorize(values)
    plain = {category.casefold(): category for category in categories}
    named = [given.get(str(level), plain.get(str(level).strip().casefold())) for level in levels]
    place = np.array([-1 if name is None else categories.index(name) for name in named] + [-1], dtype=np.int64)  # the last for unknown, which factorize codes -1
    n = np.bincount(own[own >= 0], minlength=len(levels))
    left = sorted((str(level), int(n[at])) for at, level in enumerate(levels) if named[at] is None)
    return place[own], [LawUnmapped(attribute=attribute, value=value, n=people) for value, people in left]


def _crossing(sex: IntArray, race: IntArray) -> Categories:
    """The fourteen cells in the rule's order: Hispanic or Latino by sex first, then the other races of men, then of women."""
    cells = [(s, 0) for s in range(len(SEXES))] + [(s, r) for s in range(len(SEXES)) for r in range(1, len(RACES))]
    place = np.full((len(SEXES) + 1, len(RACES) + 1), -1, dtype=np.int64)  # the last of each for unknown, which is -1
    for at, (s, r) in enumerate(cells):
        place[s, r] = at
    return Categories(
        tuple(f"{SEXES[s]} x {RACES[r]}" for s, r in cells), tuple(SEXES[s] for s, _ in cells), tuple(RACES[r] for _, r in cells), place[sex, race])


def law_question(outcomes: Outcomes, label: str | None) -> Asked:
    """What is asked of ``label`` (default: the favourable outcomes)."""
    if outcomes.task == "regression":
        return Asked(None, "a number was predicted and nothing decided; see the scoring rates", outcomes.score, "there is no score")
    labels = outcomes.favourable if label is None else (label,)
    if not labels:
        reason = "no favourable outcome was named; each class has tables of its own"
        return Asked(None, reason, None, reason)
    return Asked(outcomes.selected(labels), "no decision column and no threshold was given", outcomes.favourable_score(labels), "there is no score of this outcome")


def _known(tables: Mapping[str, Categories | NotMeasured], rows: int) -> BoolArray:
    known = np.ones(rows, dtype=bool)
    for table in tables.values():
        if isinstance(table, Categories):
            known &= table.codes >= 0
    return known


def law_median(score: FloatArray | None, known: BoolArray, absent: str) -> LawMedian | NotMeasured:
    """The median score of the people whose categories are ``known`` (n,): in the rule's own example that is everybody whom its tables count."""
    if score is None:
        return NotMeasured(reason=absent)
    if not known.any():
        return NotMeasured(reason="nobody's category is known")
    value = float(np.median(score[known]))
    return LawMedian(value=value, people=int(known.sum()), ties=int((score[known] == value).sum()), of_everybody=float(np.median(score)))


def _tables(
    tables: Mapping[str, Categories | NotMeasured], asked: Asked, known: BoolArray, excluded: Mapping[str, str], limit: float, cluster: NDArray[Any] | None,
) -> dict[str, Any]:
    median = law_median(asked.score, known, asked.no_score)
    above = None if asked.score is None or isinstance(median, NotMeasured) else asked.score > median.value
    no_above = median.reason if isinstance(median, NotMeasured) else ""
    return {"median": median} | {
        name: table if isinstance(table, NotMeasured) else _table(table, asked, above, no_above, excluded, limit, cluster) for name, table in tables.items()}


def _table(
    table: Categories, asked: Asked, above: BoolArray | None, no_above: str, excluded: Mapping[str, str], limit: float, cluster: NDArray[Any] | None,
) -> LawTable:
    people = table.people()
    everybody = sum(people)
    compared = [at for at, n in enumerate(people) if n and table.names[at] not in excluded]
    selection, scoring = (_ratios(table, *asked_for, compared, limit, cluster) for asked_for in ((asked.selected, asked.no_selection), (above, no_above)))
    return LawTable(
        people=everybody, unknown=len(table.codes) - everybody, reference=selection.reference, scoring_reference=scoring.reference,
        rows=tuple(LawRow(
            category=name, sex=table.sex[at], race=table.race[at], n=people[at], share=people[at] / everybody if everybody else None,
            selected=_hits(table.codes == at, asked.selected), selection_rate=selection.rates[at], unknown_band=selection.bands.get(at),
            impact_ratio=EXCLUDED if name in excluded else selection.ratios.get(at, selection.absent),
            above_median=_hits(table.codes == at, above), scoring_rate=scoring.rates[at], scoring_unknown_band=scoring.bands.get(at),
            scoring_impact_ratio=EXCLUDED if name in excluded else scoring.ratios.get(at, scoring.absent), excluded=excluded.get(name),
        ) for at, name in enumerate(table.names)))


def _hits(mine: BoolArray, hits: BoolArray | None) -> int | None:
    return None if hits is None else int(hits[mine].sum())


@dataclass(frozen=True)
class _Ratios:
    """Rates of all categories; by their place, ratios and bands of those that are compared; and the category with the highest rate among these."""

    rates: Sequence[Value]
    ratios: Mapping[int, Ratio | NotMeasured]
    bands: Mapping[int, UnknownBand]
    reference: str | None
    absent: NotMeasured


def _ratios(table: Categories, hits: BoolArray | None, absent: str, compared: Sequence[int], limit: float, cluster: NDArray[Any] | None) -> _Ratios:
    if hits is None:
        missing = NotMeasured(reason=absent)
        return _Ratios([missing] * len(table.names), {}, {}, None, missing)
    counts = [_count(hits, table.codes == at, cluster) for at in range(len(table.names))]
    names, among = [table.names[at] for at in compared], [counts[at] for at in compared]
    best = highest(names, among)
    reference = None if best is None else Reference(best, named=False)
    ratios = {at: impact_ratio(place, names, among, reference, limit) for place, at in enumerate(compared)}
    unknown = _count(hits, table.codes < 0, cluster)
    found = {} if best is None else {at: unknown_band(counts[at], among[best], unknown) for at in compared if at != compared[best] and isinstance(ratios[at], Ratio)}
    bands = {at: band for at, band in found.items() if band is not None}
    return _Ratios([rate_estimate(one, NOBODY.reason) for one in counts], ratios, bands, None if best is None else names[best], NOBODY)


def _count(hits: BoolArray, mine: BoolArray, cluster: NDArray[Any] | None) -> Count:
    return count(hits[mine], None, None if cluster is None else cluster[mine])


def _exclusions(asked: Sequence[Exclusion], tables: Mapping[str, Categories | NotMeasured], question: Asked, cluster: NDArray[Any] | None) -> tuple[LawExclusion, ...]:
    return tuple(_exclusion(one, tables, question, cluster) for one in asked)


def _exclusion(one: Exclusion, tables: Mapping[str, Categories | NotMeasured], question: Asked, cluster: NDArray[Any] | None) -> LawExclusion:
    """Whether ``one`` may be left out: it is in a table, somebody is in it, and they are below 2 % of that table's people."""
    table = next((each for each in tables.values() if isinstance(each, Categories) and one.category in each.names), None)
    if table is None:
        return LawExclusion(
            category=one.category, n=0, share=None, rate=NOBODY, justification=one.justification, applied=False, note="there is no table that has this category")
    at, people = table.names.index(one.category), table.people()
    n, everybody = people[at], sum(people)
    rate = NotMeasured(reason=question.no_selection) if question.selected is None else rate_estimate(_count(question.selected, table.codes == at, cluster), NOBODY.reason)
    small = n * SMALL < everybody
    note = "" if n and small else NOBODY.reason if n == 0 else "it is not below 2 % of the people of its table, so it stays in the impact ratios"
    return LawExclusion(category=one.category, n=n, share=n / everybody if everybody else None, rate=rate, justification=one.justification, applied=bool(n and small), note=note)
