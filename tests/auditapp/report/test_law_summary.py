"""The public summary of Local Law 144: as its rule asks, on two pages, and with nothing of the table that could act."""

from __future__ import annotations

import re
from typing import Any

import pytest

from auditapp.report.blocks import NOT_PROVIDED
from auditapp.report.law_summary import MOST_CLASSES, NoSummary, law_summary
from automl.evidence import Evidence, LawClass, LawTable, LocalLaw144Section, NotMeasured
from automl.printing import estimate, ratio, whole
from tests.evidence_example import make_evidence
from tests.evidence_variants import HOSTILE, with_law
from tests.numbers_of_evidence import unfounded_numbers


def law_of(evidence: Evidence) -> LocalLaw144Section:
    assert isinstance(evidence.local_law_144, LocalLaw144Section)
    return evidence.local_law_144


def with_few(category: str, n: int) -> Evidence:
    """The example with ``n`` people in a category of the race table."""
    evidence = with_law()
    law = law_of(evidence)
    assert isinstance(law.race, LawTable)
    rows = tuple(row.model_copy(update={"n": n}) if row.category == category else row for row in law.race.rows)
    return evidence.model_copy(update={"local_law_144": law.model_copy(update={"race": law.race.model_copy(update={"rows": rows})})})


def with_classes(number: int) -> Evidence:
    evidence = with_law()
    law = law_of(evidence)
    classes = tuple(LawClass(label=f"class <{at}>", sex=law.sex, race=law.race, intersectional=law.intersectional, median=law.median) for at in range(number))
    return evidence.model_copy(update={"local_law_144": law.model_copy(update={"by_class": classes})})


def strings(node: Any) -> list[str]:
    if isinstance(node, str):
        return [node]
    return [text for value in (node.values() if isinstance(node, dict) else node if isinstance(node, list | tuple) else ()) for text in strings(value)]


def test_every_category_of_the_rule_stands_with_people_rates_and_ratios_as_the_evidence_has_them() -> None:
    evidence = with_law()
    law = law_of(evidence)
    summary = law_summary(evidence, {})
    assert [len(table["rows"]) for table in summary["tables"]] == [2, 7, 14]
    for table, found in zip(summary["tables"], (law.sex, law.race, law.intersectional), strict=True):
        assert isinstance(found, LawTable)
        for cells, row in zip(table["rows"], found.rows, strict=True):
            assert cells[0]["main"] == row.category
            assert cells[1]["main"] == whole(row.n)
            if row.n:
                assert f"{cells[3]['main']} ({cells[3]['sub']})" == estimate(row.selection_rate, as_percent=True)
                shown = "left out" if row.excluded else ratio(row.impact_ratio, None)
                assert (f"{cells[4]['main']} ({cells[4]['sub']})" if cells[4]["sub"] else cells[4]["main"]) == shown
                assert cells[5]["main"] == whole(row.above_median or 0)
                assert f"{cells[6]['main']} ({cells[6]['sub']})" == estimate(row.scoring_rate, as_percent=True)


def test_every_number_is_found_in_the_evidence() -> None:
    evidence = with_law()
    summary = law_summary(evidence, {})
    fixed = ("10 business days", "30 days", "6 months", "6 RCNY 5-301", "until 2027-11-21")
    texts = [text for key in ("facts", "tables", "excluded", "notes", "duties") for text in strings(summary[key])]
    for words in fixed:
        texts = [text.replace(words, "") for text in texts]
    assert unfounded_numbers(texts, evidence) == []


def test_rule_r1_who_trained_the_model_publishes_no_independent_audit() -> None:
    summary = law_summary(with_law(), {"auditor": "A. Auditor", "independence": "none"})
    texts = " ".join(strings(summary))
    assert summary["title"].startswith("Developer's self-assessment in the format of")
    assert "This is no independent bias audit" in texts
    assert "A. Auditor" not in texts
    assert dict(summary["facts"])["Assessed by"] == "the developer of the tool: a self-assessment, no audit by somebody independent"


def test_an_attested_audit_names_its_auditor_and_what_they_said_of_their_independence() -> None:
    evidence = with_law()
    attested = law_of(evidence).model_copy(update={
        "assessment": "bias_audit", "title": "Bias audit in the format of New York City's Local Law 144, attested by the auditor named here", "auditor": "B. Miller", "statement": "I have checked these tables"})
    evidence = evidence.model_copy(update={"local_law_144": attested})
    facts = dict(law_summary(evidence, {})["facts"])
    assert facts["Assessed by"] == f"B. Miller, who attests: I have checked these tables. On independence: {NOT_PROVIDED}"
    assert "independent bias audit" not in " ".join(law_summary(evidence, {})["notes"])


def test_dates_and_sources_are_of_people_or_not_provided() -> None:
    facts = dict(law_summary(with_law(), {})["facts"])
    assert facts["Distribution date: in use since"] == facts["Source of the data"] == facts["Tool"] == NOT_PROVIDED
    assert facts["Date of the audit"].startswith("2026-11-21 ")
    assert "until 2027-11-21" in facts["Date of the audit"]
    assert facts["Unknown"].startswith(f"{whole(law_of(with_law()).unknown)} people assessed")
    said = dict(law_summary(with_law(), {"distribution_date": "2026-02-01", "data_origin": "Applications of 2025"})["facts"])
    assert (said["Distribution date: in use since"], said["Source of the data"]) == ("2026-02-01", "Applications of 2025")


def test_a_left_out_category_keeps_its_count_and_rate_beside_its_justification() -> None:
    [row] = law_summary(with_law(), {})["excluded"]
    assert row[0] == "Native American or Alaska Native"
    assert row[1].startswith("115 (")
    assert row[4] == "yes"


def test_mistake_16_small_categories_and_what_would_give_them_away_can_be_withheld() -> None:
    evidence = with_few("Black or African American", 7)
    shown = law_summary(evidence, {})
    assert [cell["main"] for cell in shown["tables"][1]["rows"][2]][:2] == ["Black or African American", "7"]
    withheld = law_summary(evidence, {}, withhold=True)
    race = {row[0]["main"]: [cell["main"] for cell in row[1:]] for row in withheld["tables"][1]["rows"]}
    assert race["Black or African American"] == ["withheld", *["–"] * 6]
    assert [name for name, cells in race.items() if cells[0] == "withheld"] == ["Black or African American", "Native American or Alaska Native"]
    assert any("withheld at the request" in note for note in withheld["notes"])
    # the crossing would add up to what the race table withholds
    crossing = {row[0]["main"]: row[1]["main"] for row in withheld["tables"][2]["rows"]}
    assert sum(crossing[f"{sex} x Black or African American"] == "withheld" for sex in ("Male", "Female")) >= 1


def test_nothing_is_withheld_where_no_category_is_small() -> None:
    evidence = with_law()
    assert not any("withheld" in text for text in strings(law_summary(evidence, {})))


def test_each_class_of_a_classifier_has_columns_of_its_own() -> None:
    summary = law_summary(with_classes(MOST_CLASSES), {})
    assert summary["tables"][0]["lenses"] == ["Class class <0>", "Class class <1>", "Class class <2>"]
    assert len(summary["tables"][0]["columns"]) == 2 + 3 * MOST_CLASSES == len(summary["tables"][0]["rows"][0])


def test_more_classes_than_two_pages_hold_are_refused_in_one_sentence() -> None:
    with pytest.raises(NoSummary, match=r"two pages.*sorts people into 4.*Section 6"):
        law_summary(with_classes(MOST_CLASSES + 1), {})


def test_a_run_without_the_tables_says_why() -> None:
    with pytest.raises(NoSummary, match="There is no summary for Local Law 144: the spec does not ask for them"):
        law_summary(make_evidence(local_law_144=NotMeasured(reason="the spec does not ask for them")), {})


def test_a_table_that_was_not_measured_says_why_in_its_place() -> None:
    evidence = with_law()
    nothing = NotMeasured(reason="no attribute was named as race or ethnicity")
    bare = evidence.model_copy(update={"local_law_144": law_of(evidence).model_copy(update={"race": nothing, "intersectional": nothing})})
    tables = law_summary(bare, {})["tables"]
    assert [table["reason"] for table in tables] == ["", nothing.reason, nothing.reason]


def test_where_a_number_is_predicted_the_summary_has_scoring_rates_alone() -> None:
    evidence = with_law()
    law = law_of(evidence)
    nothing = NotMeasured(reason="a number was predicted and nothing decided; see the scoring rates")

    def undecided(table: LawTable | NotMeasured) -> LawTable:
        assert isinstance(table, LawTable)
        return table.model_copy(update={"rows": tuple(row.model_copy(update={"selected": None, "selection_rate": nothing, "impact_ratio": nothing}) for row in table.rows)})

    scored = law.model_copy(update={"favourable": (), **{name: undecided(getattr(law, name)) for name in ("sex", "race", "intersectional")}})
    summary = law_summary(evidence.model_copy(update={"local_law_144": scored}), {})
    assert [table["lenses"] for table in summary["tables"]] == [["Scoring rate"]] * 3
    assert summary["tables"][0]["columns"] == ["Category", "People", "Above", "Rate", "Impact ratio"]
    assert dict(summary["facts"])["Selected means"] == "nothing was decided; scores were given"


def test_no_verdict_words_and_no_values_of_the_table() -> None:
    texts = " ".join(strings(law_summary(with_law(), {})))
    assert not re.search(r"\b(compliant|passes|certified|unbiased|fair)\b", texts)
    assert "Asian-Pac-Islander" not in texts, "a value without a category may be of one person"
    assert HOSTILE[1] not in texts
