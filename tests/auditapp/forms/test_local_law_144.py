"""The tables of Local Law 144 as a page asks for them."""

from __future__ import annotations

from typing import Any

import pytest

from auditapp.forms import drafts
from auditapp.forms.drafts import Draft
from auditapp.forms.local_law_144 import LawForm
from automl.evidence import Bar, DatasetProfile
from automl.spec import LocalLaw144, parse_spec
from tests.profile_example import make_column, make_profile

SAID = {"sex": "0", "race": "1", "is-1-0": "White", "is-1-1": "Asian", "data_reason": "No tool is in use yet; rows of 2025."}


def profile() -> DatasetProfile:
    return make_profile(columns=(
        make_column("gender", 0, histogram=(Bar(label="Male", n=600), Bar(label="Female", n=400))),
        make_column("origin", 1, distinct=3, histogram=(Bar(label="w", n=700), Bar(label="a", n=290), Bar(label="?x", n=10))),
        make_column("age", 2, type="integer", distinct=60, default_bins=(30.0,)),
        make_column("hired", 3, histogram=(Bar(label="yes", n=300), Bar(label="no", n=700)))))


def form(data: Any = None, kind: Any = "training", **answers: Any) -> LawForm:
    return LawForm(data, profile=profile(), draft=Draft(kind=kind, answers={"attributes": {"sensitive": ["gender", "origin", "age"]}, **answers}))


def test_values_are_mapped_by_a_person_and_nothing_else_is() -> None:
    asked = form({**SAID, "exclude-0": "Asian", "because-0": "13 people of 1,000."})
    assert asked.is_valid(), asked.errors
    law = LocalLaw144.model_validate(asked.answers())
    assert (law.sex, law.race, law.sex_categories, law.race_categories) == ("gender", "origin", {}, {"w": "White", "a": "Asian"})
    assert [(one.category, one.justification) for one in law.exclude] == [("Asian", "13 people of 1,000.")]
    assert (law.data_class, law.attestation) == ("test", None)
    again = form(law=law.model_dump(mode="json"))
    assert (again["sex"].initial, again["race"].initial, again["is-1-0"].initial, again["is-1-2"].initial) == ("0", "1", "White", "")
    assert (again["exclude-0"].initial, again["because-0"].initial, again["exclude-1"].initial) == ("Asian", "13 people of 1,000.", "")


def test_predictions_may_be_historical_and_attested() -> None:
    asked = form({**SAID, "data_class": "historical", "data_reason": "", "auditor": "A. Auditor", "statement": "I attest."}, kind="predictions")
    assert asked.is_valid(), asked.errors
    law = LocalLaw144.model_validate(asked.answers())
    assert law.data_class == "historical"
    assert law.attestation is not None
    assert law.attestation.auditor == "A. Auditor"
    assert not {"data_class", "auditor"} & set(form().fields)  # whoever trains the model cannot attest it


@pytest.mark.parametrize(("changes", "field"), [
    ({"sex": "", "race": ""}, "sex"), ({"race": "0"}, "race"), ({"data_reason": " "}, "data_reason"), ({"is-1-0": "Female"}, "is-1-0"), ({"is-0-0": "Asian"}, "is-0-0"),
    ({"exclude-0": "Asian"}, "because-0"), ({"sex": "2"}, "sex"), ({"exclude-0": "Martian", "because-0": "x"}, "exclude-0"),
    ({"exclude-0": "Asian", "because-0": "x", "exclude-1": "Asian", "because-1": "y"}, "__all__"),
])
def test_what_the_rule_does_not_know_is_refused_at_its_field(changes: dict[str, str], field: str) -> None:
    assert field in form({**SAID, **changes}).errors


def test_an_attestation_needs_both() -> None:
    assert "statement" in form({**SAID, "data_class": "historical", "auditor": "A"}, kind="predictions").errors
    assert "auditor" in form({**SAID, "data_class": "historical", "statement": "A"}, kind="predictions").errors


def test_the_page_comes_where_it_is_asked_for_and_its_answers_go_with_it() -> None:
    document = {"target": "hired", "sensitive": ["gender"], "local_law_144": {"sex": "gender", "data_class": "test", "data_reason": "none is in use"}}
    spec = parse_spec(document, "training")
    draft = Draft.from_spec(spec)
    assert "law" in drafts.steps_of(draft)
    again = drafts.spec_of(draft, profile())
    assert again.local_law_144 == spec.local_law_144
    assert "gender is sex" in {line.answer for line in drafts.answers_of(again, profile(), "binary")}
    said = draft.answers["attributes"]
    unticked = Draft.from_spec(spec)
    drafts.answer(unticked, "attributes", {**said, "law": False})
    assert drafts.spec_of(unticked, profile()).local_law_144 is None
    drafts.answer(draft, "attributes", {**said, "sensitive": ["origin"]})
    assert "law" not in draft.answers  # other attributes are other tables: it is asked again
    assert "law" in drafts.steps_of(draft)
    drafts.answer(draft, "attributes", {**said, "law": False})
    assert "law" not in drafts.steps_of(draft)
    assert drafts.spec_of(draft, profile()).local_law_144 is None
