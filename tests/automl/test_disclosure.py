from __future__ import annotations

import re

import pytest

from automl.card import write_card
from automl.disclosure import LEAST, may_be_public, withheld, withheld_groups, withheld_of_law
from automl.evidence import Finding, LawTable, LocalLaw144Section, NotMeasured
from tests.evidence_example import make_evidence, make_fairness
from tests.evidence_variants import with_law


def test_nothing_is_withheld_where_every_cell_has_ten_people() -> None:
    assert withheld({"a": LEAST, "b": 400, "c": 0}) == frozenset()


def test_a_small_cell_takes_the_smallest_other_one_with_it() -> None:
    assert withheld({"a": 9, "b": 400, "c": 12, "nobody": 0}) == {"a", "c"}
    assert withheld({"a": 9, "b": 8, "c": 12}) == {"a", "b"}


def test_no_small_cell_of_a_crossing_is_the_difference_of_what_is_shown() -> None:
    people = {("F", "w"): 500, ("F", "b"): 4, ("F", "a"): 60, ("M", "w"): 700, ("M", "b"): 80, ("M", "a"): 30}
    lines = [[cell for cell in people if cell[side] == value] for side in (0, 1) for value in dict.fromkeys(cell[side] for cell in people)]
    hidden = withheld(people, lines)
    assert hidden == {("F", "b"), ("M", "b"), ("F", "a"), ("M", "a")}
    for line in lines:
        assert len(hidden & set(line)) != 1


def test_a_withheld_sum_is_not_given_away_by_its_parts() -> None:
    people = {"x": 40, "y": 50, "z": 60}
    assert withheld(people, [], [["x", "y"]]) == {"x"}
    assert withheld(people, [["x", "y", "z"]], [["x", "y"]]) == {"x", "y"}


def test_mistake_16_groups_below_ten_people_are_not_on_the_public_card() -> None:
    evidence = make_evidence()
    fairness = make_fairness()
    race = fairness.attributes[1]
    few = race.groups[3].model_copy(update={"n": 7})
    groups = (*race.groups[:3], few, *race.groups[4:])
    said = Finding(id="x", severity="low", text=f"{few.group} has 7 people", evidence="/fairness/attributes/1", rule="small_groups")
    evidence = make_evidence(fairness=fairness.model_copy(update={"attributes": (fairness.attributes[0], race.model_copy(update={"groups": groups}))}), findings=(*evidence.findings, said))
    hidden = withheld_groups(evidence)
    assert "/fairness/attributes/1/groups/3" in hidden
    assert sum(pointer.startswith("/fairness/attributes/1/groups/") for pointer in hidden) == 2
    table = write_card(evidence).split("### By race\n")[1].split("###")[0]
    assert few.group not in table
    assert "| White |" in table
    assert "2 groups are withheld" in table
    assert not may_be_public(said.evidence, evidence, hidden)
    assert "has 7 people" not in write_card(evidence)
    crossing = write_card(evidence).split("### By sex x race")[1].split("\n##")[0]
    assert f"Female x {few.group}" not in crossing or f"Male x {few.group}" not in crossing, "both together would tell the withheld sum"


def test_sentences_about_whole_documents_and_large_groups_stay_public() -> None:
    evidence = make_evidence()
    assert may_be_public("/performance/metrics/roc_auc", evidence, frozenset({"/fairness/attributes/1/groups/3"}))
    assert may_be_public("/fairness/attributes/0/groups/0/impact_ratio", evidence, frozenset({"/fairness/attributes/1/groups/3"}))
    assert not may_be_public("/fairness/attributes/1/groups/3/impact_ratio", evidence, frozenset({"/fairness/attributes/1/groups/3"}))


@pytest.mark.parametrize("pointer", ["/fairness/attributes/99", "/fairness/attributes/a/b", "/performance/by_group/sex/x/0", "/nothing", ""])
def test_a_pointer_that_leads_nowhere_withholds_nothing_and_breaks_nothing(pointer: str) -> None:
    assert may_be_public(pointer, make_evidence(), frozenset())


def test_small_categories_of_the_law_are_found_with_their_complements() -> None:
    law = with_law().local_law_144
    assert isinstance(law, LocalLaw144Section)
    assert isinstance(law.race, LawTable)
    rows = tuple(row.model_copy(update={"n": 6}) if row.category == "Asian" else row for row in law.race.rows)
    found = withheld_of_law(law.model_copy(update={"race": law.race.model_copy(update={"rows": rows})}))
    assert "Asian" in found["race"]
    assert len(found["race"]) == 2
    assert found["sex"] == frozenset()
    no_sex = NotMeasured(reason="no attribute was named as sex")
    assert set(withheld_of_law(law.model_copy(update={"sex": no_sex, "intersectional": no_sex}))) == {"race"}


@pytest.mark.parametrize("name", ["White", "Other"])
def test_a_card_of_large_groups_shows_them_all(name: str) -> None:
    assert re.search(rf"\| {name} \|", write_card(make_evidence()))
