"""Section 16 of a report: what laws and frameworks ask for, where the report holds it, what became of each law, and which statements nobody has made. States, and no judgement."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from auditapp.law_status import Law, LawStatus, law_status
from auditapp.report.blocks import NOT_PROVIDED, Block, facts, heading, not_measured, note, our_words, paragraph, table
from auditapp.report.leads import ELSEWHERE
from auditapp.statements.document import Statements
from auditapp.statements.fields import FIELDS, PROFILE, label_of
from automl.crosswalk import TO_STATE
from automl.crosswalk.jurisdictions import EVERYTHING, JURISDICTIONS, asked_for, jurisdiction
from automl.evidence import CrosswalkRow, CrosswalkSection, Evidence, NotMeasured
from automl.printing import visible

SUPPLIED_MARKS = {"measured": "A", "person": "H", "both": "A+H", "not_applicable": "–"}
"""What a report's narrow column has room for; its caption explains them."""
SUPPLIED_WORDS = {"measured": "the audit", "person": "a person", "both": "the audit and a person", "not_applicable": "nobody here"}
LONGEST_STATE = 240
NOT_ASKED = "The profile of this report ({0}) asks for nothing here. What was measured stands in the attached evidence, and what was found in section 15."
NOT_ASKED_SHORT = "The profile of this report asks for nothing here."
LONGEST_FIELD = 44


def crosswalk_blocks(evidence: Evidence, said: Mapping[str, str], profile: str = EVERYTHING, laws: LawStatus | None = None) -> Iterator[Block]:
    """``said``: text by field of the statements. ``profile``: of `automl.crosswalk.jurisdictions`. Raises BadInput for an unknown profile."""
    status, chosen = laws or law_status(), jurisdiction(profile)
    yield paragraph(
        f"What each law or framework asks for, the section of this report that holds it, and whether it was measured or stated. As of {status.reviewed}; a pointer to evidence, "
        "no legal advice, and no statement that anything is met.")
    yield facts([("Profile of this report", chosen.title), ("Laws as reviewed on", status.reviewed.isoformat())])
    if isinstance(evidence.crosswalk, NotMeasured):
        yield not_measured("Crosswalk", evidence.crosswalk)
    else:
        yield from _items(evidence.crosswalk, said, profile, status)
    yield from law_blocks(status, chosen.laws)


def _items(crosswalk: CrosswalkSection, said: Mapping[str, str], profile: str, status: LawStatus) -> Iterator[Block]:
    rows = asked_rows(crosswalk, profile)
    yield table(
        f"Items asked for, as compared on {crosswalk.as_of}",
        [("law or framework", "left", 1.1), ("item", "left", 1.6), ("section", "left", 0.45), ("by", "left", 0), ("state", "left", 2.7)],
        [(law_title(row, status), row.item, ", ".join(map(str, row.sections)) or "–", SUPPLIED_MARKS[row.supplied_by], state_words(row, said)) for row in rows],
        "A: supplied by the audit; H: by a person's statement.", dense=True, whole_reasons=True, grouped=True)


def profile_of(statements: Statements | None) -> str:
    """For whom people have said that the report is written; everything where nobody has, or where this version no longer knows what they chose."""
    chosen = statements.fields[PROFILE].text if statements and PROFILE in statements.fields else EVERYTHING
    return chosen if chosen in JURISDICTIONS else EVERYTHING


def asked_rows(crosswalk: CrosswalkSection, profile: str) -> list[CrosswalkRow]:
    """The rows that the profile asks for. A row from before laws had identifiers belongs to every profile."""
    chosen = jurisdiction(profile)
    return [row for row in crosswalk.rows if not row.law_id or chosen.asks_for(row.law_id, row.item)]


def law_title(row: CrosswalkRow, status: LawStatus) -> str:
    """The law as it is called today: evidence is kept for years, and what it was compared with may be superseded by now, which the name then says."""
    return next((law.title for law in status.laws if law.id == row.law_id), our_words(row.law))


def state_words(row: CrosswalkRow, said: Mapping[str, str]) -> str:
    """ "measured; stated", "not measured: why", "NOT PROVIDED: the fields" ..."""
    stated, missing = ([field_words(field) for field in row.statements if (field in said) == wanted] for wanted in (True, False))
    parts = [] if row.status == TO_STATE else [our_words(row.status, LONGEST_STATE)]
    parts += [f"stated: {', '.join(stated)}"] if stated else []
    parts += [f"{NOT_PROVIDED}: {', '.join(missing)}"] if missing else []
    return "; ".join(parts)


def field_words(field: str) -> str:
    """A field of the statements within a sentence."""
    label = label_of(field)
    return visible(label[0].lower() + label[1:], LONGEST_FIELD)


def under_profile(sections: Sequence[tuple[str, list[Block]]], profile: str) -> list[tuple[str, list[Block]]]:
    """Titles and blocks of a report's sections, first to last, as ``profile`` asks for them: a section that it does not ask for says so and keeps its number, what is found of it
    stands in section 15, and of the statements that nobody has made only those stay that it asks for."""
    if profile == EVERYTHING:
        return list(sections)
    asked, silence = asked_for(profile), [note(NOT_ASKED.format(jurisdiction(profile).title))]
    others = {field.label for field in FIELDS.values() if field.name not in asked.statements}
    return [(title, [_only_asked(block, others, asked.sections) for block in blocks] if number in asked.sections else silence) for number, (title, blocks) in enumerate(sections, start=1)]


def _only_asked(block: Block, others: Collection[str], sections: Collection[int]) -> Block:
    if block["kind"] == "columns":
        return {**block, **{side: [_only_asked(one, others, sections) for one in block[side]] for side in ("left", "right")}}
    if block["kind"] == "findings":
        return {**block, "rows": [row if int(row["section"]) in sections else {**row, "section": ELSEWHERE} for row in block["rows"]]}
    return {**block, "rows": [row for row in block["rows"] if not row["missing"] or row["label"] not in others]} if block["kind"] == "statements" else block


def law_blocks(status: LawStatus, laws: tuple[str, ...]) -> Iterator[Block]:
    """What is known of each of ``laws``, then of superseded law: the only place that names it."""
    yield heading("The laws and frameworks themselves")
    everything = laws == jurisdiction(EVERYTHING).laws
    current = [law for law in status.laws if not law.superseded and (everything or law.id in laws)]
    yield table(
        f"Laws and frameworks, as reviewed on {status.reviewed}", [("law or framework", "left", 1), ("version", "left", 0.7), ("in effect from", "left", 0.65), ("status", "left", 1.4), ("source", "left", 1.7)],
        [(law.title, law.version or "–", "–" if law.effective is None else law.effective_words, status.standing_words(law), law.source.words) for law in current],
        "A dash or “not stated in the review” stands where the review holds no such fact.", dense=True)
    more = [(law.title, _more(law)) for law in current if law.note or law.retention]
    if more:
        yield table("What else the review holds of them", [("law or framework", "left", 1), ("notes and retention", "left", 4)], more, dense=True)
    history = [law for law in status.laws if law.superseded and (everything or (law.superseded_by is not None and law.superseded_by.law in laws))]
    if history:
        yield table(
            "Superseded law, which asks for nothing any more", [("law", "left", 1), ("what became of it", "left", 2), ("source", "left", 1.2)],
            [(law.title, status.standing_words(law), law.source.words) for law in history], dense=True)


def _more(law: Law) -> str:
    return " ".join(part for part in (law.note, f"Retention: {law.retention}." if law.retention else "") if part)
