"""The report's words and numbers: all from the evidence, all sections there, no verdicts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from auditapp.report.blocks import NOT_PROVIDED, flat, in_pairs, table
from auditapp.report.context import report_data
from auditapp.report.enclosures import _tables
from auditapp.statements.document import Statement, Statements
from auditapp.statements.fields import FIELDS, SECTIONS
from automl.audit.labels import RULE
from automl.evidence import (
    Charts,
    ErrorRates,
    Estimate,
    Evidence,
    FairnessSection,
    Finding,
    Gaps,
    LocalLaw144Section,
    NotMeasured,
    VersusRest,
    measured_digest_of,
)
from automl.printing import design, estimate, fixed
from tests.drawing import drawn
from tests.evidence_example import make_evidence, make_performance
from tests.evidence_variants import (
    REASON,
    multiclass,
    predictions,
    quantile,
    regression,
    with_front,
    with_gaps_to_rest,
    with_governing,
    with_label_reason,
    with_law,
    with_record,
)
from tests.mitigation_example import make_mitigation, with_mitigation
from tests.numbers_of_evidence import unfounded_numbers
from tests.weakness_example import ELSEWHERE, robustness_of_predictions, with_weaknesses

KINDS = [make_evidence, multiclass, regression, quantile, predictions, with_front, with_law, with_mitigation, with_weaknesses, with_governing, with_record]
VERDICTS = re.compile(r"\b(compliant|complies|passes|passed|certified|unbiased|bias-free|debias\w*|solved)\b", re.IGNORECASE)


def strings_of(node: Any) -> list[str]:
    if isinstance(node, str):
        return [node]
    if isinstance(node, dict):
        return [text for value in node.values() for text in strings_of(value)]
    return [text for value in node for text in strings_of(value)] if isinstance(node, list) else []


def data_of(evidence: Evidence, **more: Any) -> dict[str, Any]:
    return report_data(evidence, drawn(evidence), **more)


@pytest.mark.parametrize("make", KINDS)
def test_every_number_is_found_in_the_evidence(make: Callable[[], Evidence]) -> None:
    evidence = make()
    assert unfounded_numbers(strings_of([section["blocks"] for section in data_of(evidence)["sections"]]), evidence) == []


def test_a_number_that_is_not_in_the_evidence_would_be_found() -> None:
    assert unfounded_numbers(["Female 0.2951 (0.262 to 0.330)"], make_evidence()) == ["0.2951"]


@pytest.mark.parametrize("make", KINDS)
def test_eighteen_sections_in_order_and_json(make: Callable[[], Evidence]) -> None:
    data = data_of(make())
    assert [section["number"] for section in data["sections"]] == [str(number) for number in range(1, 19)]
    assert all(section["blocks"] for section in data["sections"])
    json.dumps(data, allow_nan=False)


@pytest.mark.parametrize("make", KINDS)
def test_rule_03_no_verdict_words(make: Callable[[], Evidence]) -> None:
    found = [text for text in strings_of(data_of(make())) if VERDICTS.search(text)]
    assert found == []


def test_the_metric_that_governs_stands_before_all_tables_with_its_reason() -> None:
    evidence = with_governing()
    [outcomes, plan] = [section["blocks"] for section in data_of(evidence)["sections"] if section["number"] in ("6", "17")]
    headings = [block["text"] for block in outcomes if block["kind"] == "heading"]
    assert headings[:2] == ["The metric that governs", "By sex"]
    told = " ".join(strings_of(outcomes))
    assert "the answers to four questions led to it, before anything was measured. No law, contract or policy" in told
    assert "A refusal cannot be made good." in told
    assert isinstance(evidence.fairness, FairnessSection)
    gaps = evidence.fairness.attributes[0].groups[0].error_rates
    assert isinstance(gaps, ErrorRates)
    assert isinstance(gaps.gaps, Gaps)
    assert estimate(gaps.gaps.tpr, as_percent=True, signed=True) in told
    assert "the difference of true positive rates (equal opportunity)" in strings_of(plan)
    other = " ".join(strings_of(data_of(with_governing("demographic_parity_ratio"))["sections"]))
    assert "The answers to the four questions lead to the difference of true positive rates" in other


def test_everything_that_was_not_measured_prints_its_reason() -> None:
    names = ("search", "performance", "fairness", "explanation", "reasons", "mitigation", "slices", "robustness", "crosswalk")
    texts = strings_of(data_of(make_evidence(**{name: NotMeasured(reason=f"the child ran out of daylight in {name}") for name in names})))
    for name in names:
        assert any(f"the child ran out of daylight in {name}" in text for text in texts), name


def test_a_reason_that_several_cells_of_a_table_have_stands_once_below_it() -> None:
    one = table("C", [("group", "left", 1), ("rate", "left", 1), ("error", "left", 1)], [
        ("a", "not measured: nobody was selected", "0.1"), ("b", "not measured: nobody was selected", "not measured: one row"), ("c", {"page_of": "5"}, "0.2")], "Of all rows.")
    assert one["rows"] == [["a", "not measured (a)", "0.1"], ["b", "not measured (a)", "not measured: one row"], ["c", {"page_of": "5"}, "0.2"]]
    assert one["after"] == "Of all rows. (a) nobody was selected."
    csv = _tables({"sections": [{"number": "6", "blocks": [one]}]}).decode()
    assert csv.count("not measured: nobody was selected") == 2, "a table by itself has no text below it"


def test_section_12_has_slices_disturbances_chances_and_every_reason() -> None:
    texts = strings_of(data_of(with_weaknesses())["sections"][11])
    for words in ("age at most 27 and sex is Female", "36.1 % (31.6 to 40.9)", "more, beyond sampling error", "20 % missing", "noise 0.1 sd", "the model has no input that is a number and varies",
                  "no model was trained twice on the same rows with another seed", "0.500 (chosen)", "hours_per_week", "race: fewer than two groups", "95.0 %"):
        assert any(words in text for text in texts), words
    for words in ("Cohorts that a person named", "Young women", "education is neither an input nor a declared attribute of this audit", "race within the cohort Young women, compared with White; exploratory"):
        assert any(words in text for text in texts), words
    elsewhere = strings_of(data_of(make_evidence(robustness=robustness_of_predictions()))["sections"][11])
    assert elsewhere.count(ELSEWHERE.reason) == 10, "every part but the undisturbed rows, which no part is"


def test_mistake_14_statements_print_not_provided_until_somebody_provides_them() -> None:
    evidence = make_evidence()
    assert strings_of(data_of(evidence)).count(NOT_PROVIDED) > 20
    said = Statements(run="run_1", evidence_digest=evidence.digest, version=1, fields={
        "purpose": Statement(text="To rank loan requests.\n\nFor one branch.", author="A. Officer", role="owner", at="2026-11-21T10:00:00Z")})
    rows = {row["label"]: row for block in data_of(evidence, statements=said)["sections"][2]["blocks"] if block["kind"] == "statements" for row in block["rows"]}
    assert rows["Intended purpose"] == {"label": "Intended purpose", "lines": ["To rank loan requests.", "For one branch."], "by": "A. Officer, owner, 2026-11-21T10:00:00Z", "missing": False}
    assert rows["Deployer"] == {"label": "Deployer", "lines": [NOT_PROVIDED], "by": "to be provided by the deployer", "missing": True}


def test_every_field_of_the_catalogue_is_printed_in_its_sections_and_nowhere_else() -> None:
    evidence = make_evidence()
    said = Statements(run="run_1", evidence_digest=evidence.digest, version=1, fields={
        name: Statement(text=f"said of {name}", author="a", role="owner", at="2026-11-21T10:00:00Z") for name in FIELDS})
    sections = data_of(evidence, statements=said)["sections"]
    for name, field in FIELDS.items():
        printed = tuple(number for number, section in enumerate(sections, start=1) if any(text == f"said of {name}" for text in strings_of(section["blocks"])))
        assert printed == (tuple(sorted(field.sections)) if field.printed else ()), name
    assert {number: sections[number - 1]["title"] for number in SECTIONS} == SECTIONS


def test_a_self_assessment_is_never_called_an_audit_by_others() -> None:
    assert data_of(make_evidence())["assessment"] == "Developer's self-assessment of a model trained here"
    assert data_of(predictions())["assessment"] == "Audit of predictions made elsewhere"


def test_first_page_has_six_findings_in_the_evidence_order_in_short_and_section_15_all_in_full() -> None:
    findings = tuple(Finding(id=f"f{at}", severity="low", text=f"Finding {'x' * at}.", evidence="/data", rule="r", suggestion="Look at it.") for at in range(1, 15))
    data = data_of(make_evidence(findings=findings))
    first = next(block for block in data["sections"][1]["blocks"] if block["kind"] == "findings")
    everything = next(block for block in data["sections"][14]["blocks"] if block["kind"] == "findings")
    assert [(row["text"], row["suggestion"]) for row in first["rows"]] == [(one.text, "") for one in findings[:6]]
    assert [(row["text"], row["suggestion"]) for row in everything["rows"]] == [(one.text, "(a)") for one in findings]
    assert everything["after"] == "(a) Look at it."
    assert "section 15" in first["after"]


def test_small_groups_are_marked_and_explained() -> None:
    tables = [block for section in data_of(make_evidence())["sections"] for block in section["blocks"] if block["kind"] == "table"]
    marked = [block for block in tables if any("†" in cell for row in block["rows"] for cell in row)]
    assert marked
    assert all("Low precision" in block["after"] for block in marked)


@pytest.mark.slow
def test_every_chart_of_the_evidence_is_placed_once() -> None:
    for make in KINDS:
        evidence = make()
        charts = drawn(evidence)
        placed = [block["name"] for section in report_data(evidence, charts)["sections"] for block in flat(section["blocks"]) if block["kind"] == "chart"]
        assert sorted(placed) == sorted(chart.name for chart in charts.charts)


def test_an_excluded_group_says_so() -> None:
    evidence = make_evidence()
    assert isinstance(evidence.fairness, FairnessSection)
    first = evidence.fairness.attributes[0]
    group = first.groups[0].model_copy(update={"excluded": "left out by the person"})
    fairness = evidence.fairness.model_copy(update={"attributes": (first.model_copy(update={"groups": (group, *first.groups[1:])}),)})
    assert any("excluded: left out by the person" in text for text in strings_of(report_data(make_evidence(fairness=fairness), Charts())))


def test_a_language_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="not in fr"):
        data_of(make_evidence(), lang="fr")


def test_only_of_a_model_trained_here_is_said_that_it_had_not_seen_the_rows() -> None:
    told = "rows that nothing was learned from"
    assert any(told in text for text in strings_of(data_of(make_evidence())))
    elsewhere = predictions().model_copy(update={"performance": make_performance()})
    texts = strings_of(data_of(elsewhere))
    assert not any(told in text for text in texts)
    assert any(text.startswith("Whether the model had learned from these rows before is not known here.") for text in texts)


def test_numbers_are_compared_by_their_means_and_without_a_limit_for_ratios() -> None:
    texts = strings_of(data_of(regression())["sections"][5])
    assert any("the group with the highest mean prediction" in text for text in texts)
    assert not any("highest rate" in text or "impact ratio" in text for text in texts)
    assert any("the group with the highest rate" in text for text in strings_of(data_of(make_evidence())["sections"][5]))


def test_the_band_of_the_unknown_rows_stands_beside_its_ratio() -> None:
    evidence = make_evidence()
    assert isinstance(evidence.fairness, FairnessSection)
    banded = [group.unknown_band for group in evidence.fairness.attributes[0].groups if group.unknown_band]
    assert banded
    texts = strings_of(data_of(evidence)["sections"][5])
    for band in banded:
        assert any(f" [{fixed(band.low, 3, 0.8)} to {fixed(band.high, 3, 0.8)}]" in text for text in texts)
    assert any("every row of unknown group belonged" in text for text in texts)


def test_a_label_that_the_interval_does_not_suggest_says_why_and_the_rule_stands_above() -> None:
    evidence = with_label_reason()
    texts = strings_of(data_of(evidence)["sections"][5])
    assert f"inconclusive at this sample size: {REASON}" in texts
    assert RULE in texts
    assert unfounded_numbers(texts, evidence) == []


def test_intervals_that_hold_for_all_groups_at_once_say_so() -> None:
    together = "hold for all groups of the table at once"
    evidence = make_evidence()
    assert isinstance(evidence.fairness, FairnessSection)
    assert not any(together in text for text in strings_of(data_of(evidence)))
    first = evidence.fairness.attributes[0]
    at = next(at for at, group in enumerate(first.groups) if isinstance(group.error_rates, ErrorRates) and isinstance(group.error_rates.gaps, Gaps))
    rates = first.groups[at].error_rates
    assert isinstance(rates, ErrorRates)
    assert isinstance(rates.gaps, Gaps)
    assert isinstance(rates.gaps.tpr, Estimate)
    gaps = rates.gaps.model_copy(update={"tpr": rates.gaps.tpr.model_copy(update={"level": 0.975})})
    changed = first.groups[at].model_copy(update={"error_rates": rates.model_copy(update={"gaps": gaps})})
    groups = (*first.groups[:at], changed, *first.groups[at + 1:])
    fairness = evidence.fairness.model_copy(update={"attributes": (first.model_copy(update={"groups": groups}), *evidence.fairness.attributes[1:])})
    assert any(together in text for text in strings_of(data_of(make_evidence(fairness=fairness))))


def test_what_can_be_told_is_a_largest_ratio_and_tests_are_never_withheld() -> None:
    """Every smaller ratio would be told as well; and every test that can be computed is printed, however few the people (rule 5)."""
    evidence = make_evidence()
    assert isinstance(evidence.fairness, FairnessSection)
    first = evidence.fairness.attributes[0]
    assert isinstance(first.groups[0].versus_rest, VersusRest)
    bare = first.groups[0].model_copy(update={"versus_rest": first.groups[0].versus_rest.model_copy(update={"tests": ()})})
    fairness = evidence.fairness.model_copy(update={"attributes": (first.model_copy(update={"groups": (bare, *first.groups[1:])}),)})
    texts = strings_of(data_of(make_evidence(fairness=fairness))["sections"][6])
    assert "largest ratio that would be told" in texts
    assert not any("smallest ratio" in text or "withheld" in text for text in texts)
    assert any(text.endswith("A group without tests: everybody or nobody has the favourable outcome.") for text in texts)


def test_classes_of_which_none_is_favourable_are_not_numbers() -> None:
    evidence = multiclass()
    assert isinstance(evidence.fairness, FairnessSection)
    texts = strings_of(data_of(evidence.model_copy(update={"fairness": evidence.fairness.model_copy(update={"favourable": ()})}))["sections"][5])
    assert "none was named; each class is measured on its own" in texts
    assert "a higher number" not in texts
    assert "a higher number" in strings_of(data_of(regression())["sections"][5])


def test_the_front_stands_with_its_intervals_and_what_was_not_compared() -> None:
    text = "\n".join(strings_of(data_of(with_front())))
    for words in ("The front of score and fairness objective", "lgbm (trial 8)", "ensemble, deployed", "Male, Female", "+0.200", "front/7", "race: no two groups are large enough",
                  "Other (not compared)", "trials 8, 6, 7; the best score first"):
        assert words in text, words
    assert "The front of score" not in "\n".join(strings_of(data_of(make_evidence())))


def test_a_predicted_quantile_is_called_one() -> None:
    texts = strings_of(data_of(quantile()))
    assert "The predicted number is the 0.9 quantile, not the mean: the true value should lie at or below it in 90.0 % of rows (coverage), and residuals do not average 0." in texts
    assert "quantile loss (pinball)" in texts
    assert not any("predicted number is the" in text for text in strings_of(data_of(regression())))


def test_mistake_08_a_limit_is_called_a_convention_and_no_law() -> None:
    texts = strings_of(data_of(make_evidence())["sections"][5])
    assert any("a convention that was chosen, not a law" in text for text in texts)


def test_each_section_of_fairness_says_its_design_once_and_the_unknown_rows_of_each_table() -> None:
    evidence = make_evidence()
    assert isinstance(evidence.fairness, FairnessSection)
    sections = data_of(evidence)["sections"]
    counted = " Rows of unknown value, in no table: " + "; ".join(f"{one.attribute}: {one.unknown}" for one in evidence.fairness.attributes) + "."
    for number, also in ((6, ""), (7, counted), (8, counted), (9, "")):
        blocks = sections[number - 1]["blocks"]
        assert [block["text"] for block in blocks if block["kind"] == "note" and block["text"].startswith("Design: ")] == [design(evidence.design) + also]
        if not also:  # there each table says it where it says what is compared
            tables = evidence.fairness.attributes if number == 6 else evidence.fairness.intersections
            assert [f" {one.unknown} rows have an unknown value here" in text for one, text in zip(tables, [block["text"] for block in blocks if block.get("text", "").startswith("Reference: ")], strict=True)] == [True] * len(tables)


def law_part(evidence: Evidence) -> list[Any]:
    """The blocks of section 6 from the heading of the Local Law 144 tables on."""
    blocks = data_of(evidence)["sections"][5]["blocks"]
    return blocks[next(at for at, block in enumerate(blocks) if block["kind"] == "heading" and "Local Law 144" in block["text"]):]


def test_mistake_03_the_tables_of_local_law_144_stand_in_the_report_without_a_limit() -> None:
    evidence = with_law()
    law = evidence.local_law_144
    assert isinstance(law, LocalLaw144Section)
    part = law_part(evidence)
    assert part[0]["text"] == law.title
    assert any("states no limit" in text for text in strings_of(part))
    assert not any(word in text for text in strings_of(part) for word in ("the limit", "four fifths", "inconclusive", "0.8 "))
    tables = [block for block in part if block["kind"] == "table"]
    assert [block["caption"] for block in tables] == [
        *(f"{what} rates by {words}" for words in ("sex", "race or ethnicity", "sex and race or ethnicity") for what in ("Selection", "Scoring")),
        "Categories that were to be left out of the impact ratios"]
    assert [len(block["rows"]) for block in tables] == [2, 2, 7, 7, 14, 14, 1]
    excluded = next(row for row in tables[2]["rows"] if row[0] == "Native American or Alaska Native")
    assert excluded[-1].startswith("not measured: left out of the impact ratios")
    assert excluded[1] == "115"
    assert not any("Local Law 144" in text for text in strings_of(data_of(make_evidence())["sections"][5]))


def test_what_only_people_say_of_a_bias_audit_is_printed_with_their_name() -> None:
    law = with_law().local_law_144
    assert isinstance(law, LocalLaw144Section)
    attested = law.model_copy(update={"title": "Bias audit", "assessment": "bias_audit", "auditor": "A. N. Auditor", "statement": "I had no part in it.", "data_class": "historical"})
    texts = strings_of(data_of(make_evidence(local_law_144=attested))["sections"][5])
    assert "A. N. Auditor: I had no part in it." in texts
    assert any(text.startswith("historical data") for text in texts)


def test_the_record_of_alternatives_says_price_people_and_why_not() -> None:
    section = data_of(with_mitigation(profile="us_employment"))["sections"][13]
    texts = strings_of(section)
    assert "employment in the United States" in texts
    record = next(block for block in section["blocks"] if block["kind"] == "table" and "search for less-discriminatory" in block["caption"])
    assert [row[0] for row in record["rows"]] == ["m1", "m2", "m3", "m4", "m5", "m6"]
    for row, one in zip(record["rows"], make_mitigation().alternatives, strict=True):
        change = one.performance["accuracy"].change
        assert isinstance(change, Estimate)
        assert row[4] == estimate(change, signed=True)
        assert row[2] == ("yes" if one.uses_attribute_at_decision else "no")
    why = next(block for block in section["blocks"] if block["kind"] == "table" and block["caption"] == "Why none was chosen")
    assert [(row[0], row[1]) for row in why["rows"]] == [("m1, m2, m3", "no"), ("m4, m5, m6", "yes")]
    assert "42 USC 2000e-2(l)" in why["rows"][0][2]
    assert any("what takes long is tried only" in text for text in texts)
    assert "f0" * 32 in texts


def test_a_repetition_prints_the_same_digest_of_what_was_measured() -> None:
    before = make_evidence()
    plan = before.plan.model_copy(update={"audit_number": before.plan.audit_number + 1, "sha256": "1" * 64})
    changed = {"again": before.model_copy(update={"plan": plan}), "another": before.model_copy(update={"findings": before.findings[1:]})}
    printed = {name: dict(row for block in data_of(one)["sections"][16]["blocks"] if block["kind"] == "facts" for row in block["rows"])["Digest of what was measured"]
               for name, one in {"before": before, **changed}.items()}
    assert printed["before"] == printed["again"] == measured_digest_of(before.model_dump(mode="json"))
    assert printed["another"] != printed["before"]


def test_error_rates_against_all_others_have_a_table_where_they_were_measured() -> None:
    words = "signed differences to all others pooled, since the reference is a handful of rows"
    told = strings_of(data_of(with_gaps_to_rest()))
    assert sum(words in text for text in told) == 1
    assert any("The intervals hold for all groups of the table at once, at 95 %." in text for text in told)
    assert not any(words in text for text in strings_of(data_of(make_evidence())))


def test_small_pictures_find_each_other_and_a_wide_one_follows_the_pair() -> None:
    pictures = [{"name": name, "small": name.startswith("s")} for name in ("s1", "w1", "s2", "w2", "s3")]
    assert [one["name"] for one in in_pairs(pictures)] == ["s1", "s2", "w1", "w2", "s3"]


def test_what_several_findings_ask_for_alike_stands_once_below_all_of_them() -> None:
    made = make_evidence().findings
    first, other = made[0].model_copy(update={"suggestion": "Look at the labels."}), made[0].model_copy(update={"suggestion": "Ask for more rows."})
    [block] = [block for block in data_of(make_evidence(findings=(first, other, first)))["sections"][14]["blocks"] if block["kind"] == "findings"]
    assert [row["suggestion"] for row in block["rows"]] == ["(a)", "Ask for more rows.", "(a)"]
    assert block["after"] == "(a) Look at the labels."


def section(evidence: Evidence, number: int, statements: Statements | None = None) -> list[Any]:
    return list(flat(report_data(evidence, Charts(), statements)["sections"][number - 1]["blocks"]))


def tables_of(blocks: list[Any]) -> dict[str, list[list[Any]]]:
    return {block["caption"]: block["rows"] for block in blocks if block["kind"] == "table"}


def test_a_run_of_a_workspace_prints_who_did_what_before_it_with_the_chain() -> None:
    blocks = section(with_record(), 17)
    [rows] = [rows for caption, rows in tables_of(blocks).items() if caption.startswith("Entries on the tables")]
    assert rows == [["7", "2026-11-20 09:00:00", "ada", "table uploaded", "0000000000000000…", "abababababababab…"], ["9", "2026-11-20 09:00:00", "bo <b>, analyst", "run submitted", "0000000000000000…", "abababababababab…"]]
    printed = " ".join(strings_of(blocks))
    assert "400 days after its end" in printed
    assert f"sha256:{'9f' * 32}" in printed
    assert f"SHA-256 of its lines {'ef' * 32}" in printed
    assert "outside of a workspace" in " ".join(strings_of(section(make_evidence(), 17)))


def test_the_first_page_names_the_day_a_year_later_where_local_law_144_was_asked_for() -> None:
    assert "2027-11-21: Local Law 144 asks for an audit of at most a year" in strings_of(section(with_law(), 1))
    assert "Valid until" not in strings_of(section(with_record(), 1))


def test_rates_are_printed_beside_all_rows_and_the_best_group_and_pairs_of_inputs() -> None:
    [rows] = [rows for caption, rows in tables_of(section(with_record(), 8)).items() if "beside that of all rows" in caption]
    assert {row[1] for row in rows} == {"NPV"}
    assert {row[0]: row[2] for row in rows} == {"Female": "–", "Male": "reference"}, "an earlier run had no gap of this rate"
    assert all((tuple(row[5:]) == ("best", "–")) == (row[0] == "Male") for row in rows)
    [pairs] = [rows for caption, rows in tables_of(section(with_record(), 10)).items() if caption.startswith("What two inputs do together")]
    assert pairs[0][0] == "age"
    assert pairs[0][2:] == ["0.181 (0.145 to 0.207)"]


def test_the_risk_register_begins_with_the_gravest_matters_and_asks_for_what_only_people_know() -> None:
    evidence = make_evidence()
    grave = [one for one in evidence.findings if one.severity in ("high", "medium") and not one.under]
    [rows] = tables_of(section(evidence, 13)).values()
    assert len(rows) == len(grave) > 0
    assert [row[2] for row in rows] == [one.severity for one in grave]
    assert {row[-1] for row in rows} == {NOT_PROVIDED}
    said = Statements(run="run_1", evidence_digest=evidence.digest, version=1, fields={"risk_register": Statement(text="1. ...", author="ada", role="owner", at="2026-11-20T09:00:00+00:00")})
    [rows] = tables_of(section(evidence, 13, said)).values()
    assert {row[-1] for row in rows} == {"see Risk register"}
    calm = section(evidence.model_copy(update={"findings": ()}), 13)
    assert tables_of(calm) == {}


def test_what_was_not_tried_against_the_model_is_said() -> None:
    [rows] = [block["rows"] for block in section(make_evidence(), 12) if block["kind"] == "facts" and any("evasion" in name for name, _ in block["rows"])]
    assert {name: words.split(":")[0].split(";")[0] for name, words in rows}["Crafted inputs (evasion)"] == "not tried"
