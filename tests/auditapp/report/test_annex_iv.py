from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from auditapp.report import annex_iv as annex
from auditapp.report.annex_iv import annex_iv
from auditapp.report.blocks import NOT_PROVIDED, quotations_marked
from auditapp.statements.document import Statement, Statements
from automl.evidence import Charts, Evidence, NotMeasured
from tests.evidence_example import make_evidence, make_fairness
from tests.evidence_variants import hostile, multiclass, predictions, regression
from tests.in_german import unread, unread_in
from tests.mitigation_example import with_mitigation
from tests.weakness_example import with_weaknesses

POINTS = ["1(a)", "1(b), (d)", "1(c)", "1(e)", "1(f)", "1(g), (h)", *(f"2({letter})" for letter in "abcdefgh"), "3", "4", "5", "6", "7, 8", "9"]


def strings(node: Any) -> list[str]:
    if isinstance(node, str):
        return [node]
    return [text for value in (node.values() if isinstance(node, dict) else node if isinstance(node, list | tuple) else ()) for text in strings(value)]


def point(document: dict[str, Any], number: str) -> list[str]:
    [found] = [one for one in document["points"] if one["number"] == number]
    return strings(found["blocks"])


@pytest.mark.parametrize("make", [make_evidence, multiclass, regression, predictions, hostile, with_mitigation, with_weaknesses])
def test_every_point_of_the_annex_is_there_for_every_kind_of_run(make: Callable[[], Evidence]) -> None:
    document = annex_iv(make(), None)
    assert [one["number"] for one in document["points"]] == POINTS
    assert all(one["blocks"] for one in document["points"])
    assert [text for text in strings(document) if re.search(r"\b(compliant|conforms|passes|certified|unbiased)\b", text)] == []


def test_mistake_14_what_only_people_can_say_is_never_filled_in() -> None:
    document = annex_iv(make_evidence(), None)
    for number in ("1(b), (d)", "1(g), (h)", "2(e)", "2(f)", "4", "7, 8", "9"):
        texts = point(document, number)
        assert NOT_PROVIDED in texts, number
        assert any(text.startswith("to be provided by ") for text in texts)
    said = Statements(run="run_x", evidence_digest="0" * 64, version=1, fields={"oversight": Statement(text="Two officers.\nThey may stop it.", author="ada", role="reviewer", at="2026-11-21T10:00:00Z")})
    texts = point(annex_iv(make_evidence(), said), "2(e)")
    assert "Two officers." in texts
    assert "ada, reviewer, 2026-11-21T10:00:00Z" in texts
    assert NOT_PROVIDED in texts, "the other field of the point is still open"


@pytest.mark.parametrize("make", [make_evidence, multiclass, regression, predictions, hostile, with_mitigation, with_weaknesses])
def test_in_german_nothing_of_ours_stays_english_and_names_of_the_data_stay(make: Callable[[], Evidence]) -> None:
    with quotations_marked():
        english = annex._english(make(), None)
    assert set(unread_in(english)) <= set(unread(make(), Charts())), "but for what the example says in words that are not the engine's, which its report leaves in English too"
    document = annex_iv(make(), None, "de")
    assert document["title"].startswith("Technische Dokumentation (EU-KI-Verordnung, Anhang IV): ")
    assert [one["number"] for one in document["points"]] == POINTS
    assert (document["lang"], document["run"], document["digest"]) == ("de", make().run.id, make().digest)


def test_what_people_wrote_stays_as_they_wrote_it_in_german_too() -> None:
    said = Statements(run="run_x", evidence_digest="0" * 64, version=1, fields={"oversight": Statement(text="none", author="no model", role="reviewer", at="2026-11-21T10:00:00Z")})
    texts = point(annex_iv(make_evidence(), said, "de"), "2(e)")
    assert "none" in texts
    assert any(text.startswith("no model, ") for text in texts)


def test_what_was_not_measured_says_why() -> None:
    document = annex_iv(make_evidence(fairness=NotMeasured(reason="no sensitive attribute was named"), mitigation=NotMeasured(reason="there was no time")), None)
    assert "no sensitive attribute was named" in point(document, "2(g)")
    assert "there was no time" in point(document, "2(b)")


def test_the_law_stands_with_what_is_to_be_confirmed_of_it() -> None:
    about = annex_iv(make_evidence(), None)["about"]
    assert "applies from 2027-12-02" in about
    assert "To confirm: " in about
    assert "as reviewed on 2026-11-20" in about


def test_groups_of_few_people_are_withheld_everywhere() -> None:
    fairness = make_fairness()
    race = fairness.attributes[1]
    few = race.groups[3]
    groups = tuple(group.model_copy(update={"n": 4}) if group is few else group for group in race.groups)
    document = annex_iv(make_evidence(fairness=fairness.model_copy(update={"attributes": (fairness.attributes[0], race.model_copy(update={"groups": groups}))})), None)
    assert few.group not in point(document, "2(g)")
    assert few.group not in point(document, "3")
    assert any("groups are withheld" in text for text in point(document, "2(g)"))
    assert "White" in point(document, "2(g)")
