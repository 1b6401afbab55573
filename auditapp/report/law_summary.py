"""The public summary that New York City's Local Law 144 asks an employer to post (6 RCNY 5-303): two pages, for HTML and PDF alike. Strings only; every number is the evidence's.

The rule asks for the people, rates and impact ratios of all categories, so nothing is withheld unless a person asks for it; what is withheld then is said in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from auditapp.report.blocks import NOT_PROVIDED, data_text
from automl.disclosure import LEAST, withheld_of_law
from automl.evidence import Evidence, LawClass, LawRow, LawTable, LocalLaw144Section, NotMeasured, Ratio, Value
from automl.printing import estimate, percent, ratio, significant, whole

TABLES = {"sex": "Sex", "race": "Race or ethnicity", "intersectional": "Sex and race or ethnicity"}
DATA_CLASSES = {"historical": "historical data, collected while the tool was in use", "test": "test data, not collected while the tool was in use"}
MOST_CLASSES = 3
"""Classes whose columns fit side by side on a page."""
LARGEST_TYPE = {1: 10.0, 2: 9.5, 3: 7.5}
"""Points, by how many groups of columns stand side by side: above it an interval would take two lines."""
LONGEST = 420
LONGEST_JUSTIFICATION = 110
WITHHELD = "withheld"
DUTIES = (
    "A notice to candidates and employees at least 10 business days before the tool is used, with how to ask for an alternative process.",
    "On written request, within 30 days: which data the tool collects, from where, and how long they are kept.",
    "This summary stays posted for at least 6 months after the tool was last used.",
)


class NoSummary(Exception):
    """The evidence has no tables of the rule, or more than two pages hold; the text is one sentence."""


@dataclass(frozen=True)
class _Lens:
    """One way to be counted: what the columns are called, and where they stand in a row."""

    heading: str
    counted: str
    of: str
    part: LocalLaw144Section | LawClass
    count: Callable[[LawRow], int | None]
    rate: Callable[[LawRow], Value]
    ratio: Callable[[LawRow], Ratio | NotMeasured]
    reference: Callable[[LawTable], str | None]


def law_summary(evidence: Evidence, said: Mapping[str, str], *, withhold: bool = False) -> dict[str, Any]:
    """JSON-able summary: title, facts, tables of cells {main, sub}, exclusions, notes. ``said``: text by field of the statements. ``withhold``: cells of fewer than ten people,
    and those that would give them away, are not shown. Raises NoSummary."""
    law = evidence.local_law_144
    if isinstance(law, NotMeasured):
        raise NoSummary(f"There is no summary for Local Law 144: {law.reason}.")
    if len(law.by_class) > MOST_CLASSES:
        raise NoSummary(f"The summary for Local Law 144 has two pages, on which the tables of {MOST_CLASSES} classes fit; this system sorts people into {len(law.by_class)}. Section 6 of the report has them all.")
    lenses = _lenses(law)
    if not lenses:
        raise NoSummary("There is no summary for Local Law 144: nobody is known to have been selected or scored.")
    hidden = withheld_of_law(law) if withhold else {}
    return {
        "title": law.title, "run_title": data_text(evidence.run.title or evidence.run.id, 120), "facts": [list(fact) for fact in _facts(evidence, law, said)],
        "tables": [_table(name, lenses, hidden.get(name, frozenset())) for name in TABLES], "excluded": [list(row) for row in _excluded(law, hidden)], "notes": list(_notes(law, hidden, withhold)), "duties": list(DUTIES),
        "run": evidence.run.id, "digest": evidence.digest, "finished_at": evidence.provenance.finished_at, "missing": NOT_PROVIDED, "largest": LARGEST_TYPE[len(lenses)],
    }


def _lenses(law: LocalLaw144Section) -> list[_Lens]:
    """Selection and scoring; of a system with several classes each class, as 5-301(b)(4) asks."""
    def selection(part: LocalLaw144Section | LawClass, heading: str, of: str) -> _Lens:
        return _Lens(heading, "selected" if not of else "in class", of, part, lambda row: row.selected, lambda row: row.selection_rate, lambda row: row.impact_ratio, lambda table: table.reference)

    if law.by_class:
        return [selection(one, f"Class {data_text(one.label, 30)}", one.label) for one in law.by_class]
    scoring = _Lens("Scoring rate", "above", "", law, lambda row: row.above_median, lambda row: row.scoring_rate, lambda row: row.scoring_impact_ratio, lambda table: table.scoring_reference)
    return [lens for lens in (selection(law, "Selection rate", ""), scoring) if any(lens.count(row) is not None for name in TABLES for row in _rows(getattr(law, name)))]


def _rows(table: LawTable | NotMeasured) -> tuple[LawRow, ...]:
    return table.rows if isinstance(table, LawTable) else ()


def _facts(evidence: Evidence, law: LocalLaw144Section, said: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    audited, until = evidence.provenance.finished_at[:10], evidence.provenance.year_later
    yield "Tool", data_text(said["system"], LONGEST) if "system" in said else NOT_PROVIDED
    yield "Date of the audit", f"{audited} (a tool is not used on an audit older than one year: until {until})" if until else f"{audited} (a tool is not used on an audit older than one year)"
    yield "Distribution date: in use since", data_text(said["distribution_date"], 40) if "distribution_date" in said else NOT_PROVIDED
    yield "Assessed by", _assessed_by(law, said)
    yield "Source of the data", data_text(said["data_origin"], LONGEST) if "data_origin" in said else NOT_PROVIDED
    yield "Explanation of the data", DATA_CLASSES[law.data_class] + (f". {data_text(law.data_reason, LONGEST)}" if law.data_reason else "") + f" {whole(evidence.data.split.audit)} people were assessed."
    yield "Selected means", ", ".join(data_text(label, 40) for label in law.favourable[:6]) or "nothing was decided; scores were given"
    yield "Unknown", f"{whole(law.unknown)} people assessed are not in the tables because their sex or their race or ethnicity is unknown"


def _assessed_by(law: LocalLaw144Section, said: Mapping[str, str]) -> str:
    """Rule R1: who trained a model is no independent auditor of it."""
    if law.assessment == "self_assessment":
        return "the developer of the tool: a self-assessment, no audit by somebody independent"
    if law.auditor is None:
        return "no auditor has attested these tables"
    independence = f" On independence: {data_text(said['independence'], LONGEST)}" if "independence" in said else f" On independence: {NOT_PROVIDED}"
    return f"{data_text(law.auditor, 120)}, who attests: {data_text(law.statement or '', LONGEST)}.{independence}"


def _table(name: str, lenses: list[_Lens], hidden: frozenset[str]) -> dict[str, Any]:
    words = TABLES[name]
    first = getattr(lenses[0].part, name)
    if isinstance(first, NotMeasured):
        return {"words": words, "reason": first.reason, "lenses": [], "columns": [], "rows": []}
    of_lens = [{row.category: row for row in _rows(getattr(lens.part, name))} for lens in lenses]
    # A ratio beside its rate tells the rate of the category that it is compared with
    compared = [lens.reference(getattr(lens.part, name)) not in hidden for lens in lenses]
    return {
        "words": words, "reason": "", "lenses": [lens.heading for lens in lenses], "after": " ".join([f"{whole(first.unknown)} people of unknown category are in none of its rows.", *_reasons(lenses, of_lens, hidden)]),
        "columns": ["Category", "People", *(text for lens in lenses for text in (lens.counted.capitalize(), "Rate", "Impact ratio"))],
        "rows": [
            [_plain(row.category), *_withheld(3 * len(lenses) + 1)] if row.category in hidden else
            [_plain(row.category), _plain(whole(row.n)), *(cell for lens, rows, fine in zip(lenses, of_lens, compared, strict=True) for cell in _cells(lens, rows[row.category], fine))]
            for row in first.rows],
    }


def _reasons(lenses: list[_Lens], of_lens: list[dict[str, LawRow]], hidden: frozenset[str]) -> list[str]:
    """Why a rate or a ratio of somebody was not measured, each reason once."""
    values = [value for lens, rows in zip(lenses, of_lens, strict=True) for row in rows.values() if row.n and row.excluded is None and row.category not in hidden for value in (lens.rate(row), lens.ratio(row))]
    return list(dict.fromkeys(f"Not measured: {data_text(value.reason, 200)}." for value in values if isinstance(value, NotMeasured)))


def _cells(lens: _Lens, row: LawRow, compared: bool) -> list[dict[str, str]]:
    if row.n == 0:
        return [_plain("–"), _plain("nobody"), _plain("–")]
    count = lens.count(row)
    ratio_of = _split("left out" if row.excluded is not None else ratio(lens.ratio(row), None)) if compared or row.excluded is not None else _plain(WITHHELD)
    return [_plain("–" if count is None else whole(count)), _split(estimate(lens.rate(row), as_percent=True)), ratio_of]


def _split(text: str) -> dict[str, str]:
    """A value and its interval as the two lines of a cell. Why something was not measured stands once, under the table."""
    if text.startswith("not measured: "):
        return _plain("not measured")
    main, _, interval = text.partition(" (")
    return {"main": main, "sub": interval.removesuffix(")")}


def _plain(text: str) -> dict[str, str]:
    return {"main": text, "sub": ""}


def _withheld(cells: int) -> list[dict[str, str]]:
    return [_plain(WITHHELD if not at else "–") for at in range(cells)]


def _excluded(law: LocalLaw144Section, hidden: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, str, str, str, str]]:
    for one in law.excluded:
        if any(one.category in categories for categories in hidden.values()):
            yield one.category, WITHHELD, "–", data_text(one.justification, LONGEST_JUSTIFICATION), "yes" if one.applied else f"no: {one.note}"
        else:
            yield (one.category, whole(one.n) + ("" if one.share is None else f" ({percent(one.share)})"), estimate(one.rate, as_percent=True), data_text(one.justification, LONGEST_JUSTIFICATION),
                   "yes" if one.applied else f"no: {one.note}")


def _notes(law: LocalLaw144Section, hidden: Mapping[str, frozenset[str]], withhold: bool) -> Iterator[str]:
    yield ("A rate is the share of a category's people who were selected or, for scores, who scored strictly above the median; the impact ratio is that rate over the highest rate of its table. "
           "Below each value: its 95 % interval. The rule states no limit for these ratios, and none is stated here.")
    if not law.by_class and not isinstance(law.median, NotMeasured):
        yield f"Median score of the {whole(law.median.people)} people whose categories are known: {significant(law.median.value)}; {whole(law.median.ties)} scored just that and are not above it."
    elif law.by_class:
        yield "Scoring rates of each class are in section 6 of the report."
    if law.assessment != "bias_audit":
        yield "This is no independent bias audit in the sense of 6 RCNY 5-301."
    if withhold:
        withheld = sum(map(len, hidden.values()))
        yield (f"{withheld} categories are withheld at the request of whoever made this summary, because they have fewer than {LEAST} people or would give away one that has; the rule asks for the numbers of all categories."
               if withheld else f"No category has fewer than {LEAST} people, so none is withheld.")
