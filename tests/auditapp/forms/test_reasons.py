"""The reason table as a page asks for it: which inputs, what is kept, and who approved which text."""

from __future__ import annotations

from typing import Any

from auditapp.forms import drafts
from auditapp.forms.drafts import Draft
from auditapp.forms.reasons import ReasonsForm
from automl.spec import ReasonPolicy, TaskSpec, parse_spec
from tests.profile_example import make_profile

SPEC = {"target": "income", "sensitive": ["sex"], "roles": {"person": "id", "decided_at": "ignore"}, "reasons": {
    "most": 3, "materiality": 0.1, "groups": {"work": ["age", "score"]},
    "table": {"work": {"text": "Work"}, "age": {"text": "Age", "approved_by": "P. Erson"}, "score": {"text": "Score", "direction": "lower", "approved_by": "P. Erson"}}}}


def draft() -> Draft:
    return Draft.from_spec(parse_spec(SPEC, "training"))


def form(data: Any = None, of: Draft | None = None) -> ReasonsForm:
    return ReasonsForm(data, profile=make_profile(), draft=of or draft())


def shown(asked: ReasonsForm) -> dict[str, Any]:
    """What a browser would send back of an untouched page."""
    return {name: str(asked[name].initial or "") for name in asked.fields}


def test_inputs_are_asked_about_and_nothing_else() -> None:
    names = [c.name for c in form().inputs]
    assert {"age", "score", "granted"} <= set(names)
    assert not {"sex", "income", "person", "decided_at"} & set(names)
    assert [value for value, _ in form().fields["direction-7"].choices] == ["any"]  # of categories nothing is high or low


def test_an_untouched_page_changes_nothing() -> None:
    asked = form(shown(form()))
    assert asked.is_valid(), asked.errors
    assert ReasonPolicy.model_validate(asked.answers()) == ReasonPolicy.model_validate(SPEC["reasons"])


def test_a_text_that_was_changed_needs_a_new_approval() -> None:
    data = shown(form()) | {"text-6": "The score is low", "text-7": "Earlier grants", "kind-7": "actionable", "kind-0": "immutable"}
    asked = form(data)
    assert asked.is_valid(), asked.errors
    table = ReasonPolicy.model_validate(asked.answers()).table
    assert (table["score"].text, table["score"].approved_by) == ("The score is low", None)
    assert (table["age"].excluded, table["age"].approved_by) == ("immutable", None)
    assert (table["granted"].actionable, table["granted"].approved_by) == (True, None)
    approved = form(data | {"approved_by": "N. Ext"})
    assert approved.is_valid()
    assert {name: line.approved_by for name, line in ReasonPolicy.model_validate(approved.answers()).table.items()} == {"work": None, "age": "N. Ext", "score": "N. Ext", "granted": "N. Ext"}


def test_a_line_that_is_emptied_goes() -> None:
    asked = form(shown(form()) | {"text-0": " "})
    assert asked.is_valid()
    assert set(asked.answers()["table"]) == {"work", "score"}


def test_the_page_comes_where_it_is_asked_for_and_an_earlier_table_stays_without_it() -> None:
    one = draft()
    assert "reasons" not in drafts.steps_of(one)
    drafts.answer(one, "attributes", {**one.answers["attributes"], "reasons": True})
    one.answers["columns"] = {"roles": {}, "leaks": {}}
    assert drafts.first_open(one) == "reasons"
    drafts.answer(one, "reasons", {"most": 1, "table": {}})
    spec = drafts.spec_of(one, make_profile())
    assert isinstance(spec, TaskSpec)
    assert spec.reasons == ReasonPolicy(most=1)
    drafts.answer(one, "attributes", {**one.answers["attributes"], "reasons": False})
    again = drafts.spec_of(one, make_profile())
    assert isinstance(again, TaskSpec)
    assert again.reasons.most == 3
