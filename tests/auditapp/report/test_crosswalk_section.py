from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from auditapp.law_status import law_status
from auditapp.report.context import report_data
from auditapp.report.crosswalk_section import crosswalk_blocks, law_title, profile_of, state_words
from auditapp.statements.document import Statement, Statements
from automl.crosswalk.jurisdictions import JURISDICTIONS, asked_for
from automl.errors import BadInput
from automl.evidence import Charts, CrosswalkRow, CrosswalkSection, Evidence, NotMeasured
from tests.evidence_example import make_evidence
from tests.evidence_variants import multiclass, predictions, regression, with_law

VERDICT = re.compile(r"\b(compliant|conform(s|ing)?|passes|certified|fulfil(s|led)?|satisfie[sd])\b", re.IGNORECASE)


def section(evidence: Evidence, said: dict[str, str] | None = None, profile: str = "all") -> list[dict[str, Any]]:
    return list(crosswalk_blocks(evidence, said or {}, profile))


def strings(node: Any) -> list[str]:
    if isinstance(node, str):
        return [node]
    return [text for value in (node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()) for text in strings(value)]


def tables(blocks: list[dict[str, Any]]) -> dict[str, list[list[str]]]:
    return {block["caption"]: block["rows"] for block in blocks if block["kind"] == "table"}


@pytest.mark.parametrize("make", [make_evidence, multiclass, regression, predictions, with_law])
def test_each_item_says_where_it_stands_and_whether_it_was_measured_or_stated(make: Callable[[], Evidence]) -> None:
    evidence = make()
    assert isinstance(evidence.crosswalk, CrosswalkSection)
    [rows] = [rows for caption, rows in tables(section(evidence)).items() if caption.startswith("Items asked for")]
    assert len(rows) == len(evidence.crosswalk.rows)
    for row in rows:
        assert re.fullmatch(r"(\d+(, \d+)*|–)", row[2])
        assert row[4].startswith(("measured", "not measured: ", "NOT PROVIDED: ", "stated: ", "does not apply: "))
    assert [text for text in strings(section(evidence)) if VERDICT.search(text)] == []


def test_it_is_printed_as_of_the_date_of_the_review() -> None:
    texts = strings(section(make_evidence()))
    assert any("As of 2026-11-20" in text for text in texts)
    assert any("as reviewed on 2026-11-20" in text for text in texts)


def test_mistake_13_superseded_law_stands_in_the_table_of_history_alone() -> None:
    blocks = section(make_evidence())
    captions = [block.get("caption", "") for block in blocks]
    history = blocks[captions.index(next(caption for caption in captions if caption.startswith("Superseded law")))]
    names = [law.name for law in law_status().laws if law.superseded]
    assert [row[0] for row in history["rows"]] == [f"{name} (superseded)" for name in names]
    elsewhere = [text.replace("(formerly SR 11-7)", "") for block in blocks if block is not history for text in strings(block)]
    assert [text for text in elsewhere for name in names if name in text] == []


def test_a_statement_that_was_made_takes_the_place_of_its_gap() -> None:
    row = CrosswalkRow(law="x", law_id="eu-ai-act", item="x", evidence="/data", supplied_by="both", status="measured", statements=("data_origin", "labelling"))
    assert state_words(row, {}) == "measured; NOT PROVIDED: origin of the data, collection and labelling"
    assert state_words(row, {"labelling": "By hand."}) == "measured; stated: collection and labelling; NOT PROVIDED: origin of the data"
    assert state_words(row, {"labelling": "a", "data_origin": "b"}) == "measured; stated: origin of the data, collection and labelling"


def test_evidence_of_a_law_that_was_superseded_since_says_so() -> None:
    old = CrosswalkRow(law="SR 11-7", law_id="sr-11-7", item="validation", evidence="/performance", supplied_by="measured", status="measured")
    assert law_title(old, law_status()) == "SR 11-7 (superseded)"
    assert law_title(old.model_copy(update={"law_id": "gone"}), law_status()) == "SR 11-7"
    blocks = section(make_evidence(crosswalk=CrosswalkSection(as_of="2025-01-01", rows=(old,))))
    assert not any(caption.startswith("Items") for caption in tables(blocks)), "no profile asks for it"


def test_evidence_from_before_the_crosswalk_says_so_and_the_laws_stand_all_the_same() -> None:
    blocks = section(make_evidence(crosswalk=NotMeasured(reason="the run was made before there was a crosswalk")))
    assert [block["reason"] for block in blocks if block["kind"] == "not_measured"] == ["the run was made before there was a crosswalk"]
    assert any("NIST AI RMF" in row[0] for rows in tables(blocks).values() for row in rows)


@pytest.mark.parametrize("profile", [name for name in JURISDICTIONS if name != "all"])
def test_a_profile_selects_laws_items_and_sections(profile: str) -> None:
    evidence = with_law()
    laws = {law_status().law(name).title for name in JURISDICTIONS[profile].laws}
    for caption, rows in tables(section(evidence, profile=profile)).items():
        if not caption.startswith("Superseded"):
            assert {row[0] for row in rows} <= laws
            assert rows
    sections = report_data(evidence, Charts(), profile=profile)["sections"]
    assert [one["number"] for one in sections] == [str(number) for number in range(1, 19)]
    silent = [int(one["number"]) for one in sections if any("asks for nothing here" in text for text in strings(one))]
    assert set(silent) == set(range(1, 19)) - set(asked_for(profile).sections)


def test_people_choose_for_whom_the_report_is_written_by_a_statement() -> None:
    chosen = Statement(text="reg_b", author="ada", role="reviewer", at="2026-11-21T10:00:00Z")
    said = Statements(run="run_x", evidence_digest="0" * 64, version=1, fields={"report_profile": chosen})
    assert (profile_of(None), profile_of(said)) == ("all", "reg_b")
    assert profile_of(said.model_copy(update={"fields": {"report_profile": chosen.model_copy(update={"text": "of a later version"})}})) == "all"
    sections = report_data(make_evidence(), Charts(), said)["sections"]
    assert "asks for nothing here" in " ".join(strings(sections[5]))
    assert "asks for nothing here" not in " ".join(strings(sections[10]))
    assert "United States: adverse action under Regulation B" in strings(sections[15])


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(BadInput, match="no report profile"):
        section(make_evidence(), profile="atlantis")
