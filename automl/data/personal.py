"""Columns of texts that say who somebody is: names, addresses, ways to reach a person. They are left out unless the person asks for them.

A model that learns from names learns origin and sex from them, and its file would tell of people. Judged by the column's name, or by e-mail addresses in it.
"""

from __future__ import annotations

import re

import pyarrow.compute as pc

from automl.data.column_types import distinct_values
from automl.data.names import shown, words_of
from automl.data.tables import Table

_OF_PERSONS = re.compile(
    r"^(names?|forenames?|firstnames?|lastnames?|surnames?|fullnames?|nicknames?|usernames?|maiden\w*|address\w*|street\w*|e?mails?|phones?|telephones?|mobile|iban|ssn|passport|"
    r"nachnamen?|vornamen?|familienname|geburtsname|adresse\w*|anschrift|wohnort|stra(ss)?e\w*|telefon\w*|handy\w*|kontakt\w*)$"
)
_THINGS = frozenset((
    "product", "item", "file", "company", "brand", "model", "event", "job", "course", "city", "country", "department", "bank", "shop", "store", "street", "project", "artikel",
    "produkt", "firma", "firmen", "stadt", "ip", "web", "url", "variable", "column",
))
_EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
_MOSTLY = 0.5


def why_personal(table: Table, name: str) -> str | None:
    """Why the texts of ``name`` seem to say who somebody is, as the beginning of a sentence; None where they do not."""
    words = words_of(name)
    word = next((word for word in words if _OF_PERSONS.match(word)), None)
    if word is not None and not (word.startswith("name") and _THINGS.intersection(words)):
        return f"its name contains {shown(word)}"
    values, _ = distinct_values(table.cells.column(name), table.missing)
    shared = pc.mean(pc.cast(pc.match_substring_regex(pc.utf8_trim_whitespace(values), _EMAIL), "int8")).as_py() or 0.0
    return "it holds e-mail addresses" if shared > _MOSTLY else None
