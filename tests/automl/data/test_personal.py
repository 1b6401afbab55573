"""Columns that say who somebody is."""

from __future__ import annotations

import pytest

from automl.data.personal import why_personal
from automl.data.problems import resolve_problem
from automl.data.proposals import propose_role
from automl.spec import TaskSpec

FIRST, LAST = ["Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus"], ["Moore", "Lee", "Kim", "Novak", "Ross", "Diaz", "Weber", "Hill", "Stone"]


def people(table_of, name, cell=lambda at: f"{FIRST[at % 7]} {LAST[at % 9]} {'abcdefghij'[at % 10]}."):
    return table_of(f"{name},a,y\n" + "".join(f"{cell(at)},{at * 1.5},{at % 2}\n" for at in range(200)))


@pytest.mark.parametrize("name", ["Name", "last_name", "customerName", "Vorname", "home address", "e-mail", "Anschrift", "phone_number_text", "Straße"])
def test_names_and_addresses_are_left_out_unless_the_person_wants_them(table_of, name):
    table = people(table_of, name)
    assert propose_role(table, name, "y").role == "ignore"
    assert name not in resolve_problem(TaskSpec(target="y"), table).schema.names
    assert resolve_problem(TaskSpec(target="y", roles={name: "text"}), table).schema.kinds[name] == "text"


@pytest.mark.parametrize("name", ["product_name", "notes", "filename", "comment", "Firmenname", "job name"])
def test_other_texts_are_learned_from(table_of, name):
    table = people(table_of, name)
    assert propose_role(table, name, "y").role == "text"


def test_addresses_of_mail_are_known_by_what_they_are(table_of):
    table = people(table_of, "contact_via", lambda at: f"{FIRST[at % 7]}.{LAST[at % 9]}{'x' * (at // 7)}@mail.example".lower())
    assert why_personal(table, "contact_via") == "it holds e-mail addresses"
