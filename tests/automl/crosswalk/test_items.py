"""Every row of the specification's crosswalk (audit-report.md, part b) is there, in its words' order, and points at what exists."""

from __future__ import annotations

import pytest

from auditapp.statements.fields import FIELDS
from automl.crosswalk.items import ITEMS, LAW_NAMES

ROWS_OF_THE_SPECIFICATION = [
    ("nyc-ll144", "5-301(a)"), ("nyc-ll144", "5-301(b)(1)(2), (c)(1)-(3)"), ("nyc-ll144", "5-301(b)(4)"), ("nyc-ll144", "5-301(b)(5), (c)(5)"), ("nyc-ll144", "5-301(d)"), ("nyc-ll144", "5-302"),
    ("nyc-ll144", "5-300"), ("nyc-ll144", "5-303"), ("nyc-ll144", "5-304"), ("ugesp", "4D"), ("ugesp", "section 5"), ("reg-b", "1002.9(b)(2)"), ("reg-b", "1002.12"),
    *(("eu-ai-act", f"Annex IV {part}") for part in ("1(a)", "1(b)", "1(c)", "1(f)", "2(a)", "2(b)", "2(c)", "2(d)", "2(e)", "2(f)", "2(g)", "2(h)", "3", "4", "5", "6", "7, 8, 9")),
    *(("eu-ai-act", f"Art. {part}") for part in ("10(2)(a)", "10(2)(c)", "10(2)(f)", "10(2)(g)", "10(3)", "10(4)", "12 logs of the audit; 18, 19", "13(3)(b)", "13(3)(a)", "15(1)-(3)", "15(4)", "15(5)", "86")),
    ("gdpr", "13(2)(f), 14(2)(g), 15(1)(h)"), ("gdpr", "22(3)"), ("sr-26-2", "development"), ("sr-26-2", "validation"), ("sr-26-2", "inventory"), ("sr-26-2", "monitoring"),
    ("nist-ai-rmf", "MAP 1.1, 2.1, 3.3, 5.1"), ("nist-ai-rmf", "MAP 2.2"), *(("nist-ai-rmf", f"MEASURE {part}") for part in ("1.1", "1.3", "2.1", "2.4", "2.6", "2.8", "2.9", "2.10", "2.11", "2.12", "2.13")),
    ("nist-ai-rmf", "MANAGE 1.1"), ("iso-42001", "A.4.2-4.4"), ("iso-42001", "A.5.2-5.5"), ("iso-ai-standards", "risk process"), ("co-sb-26-189", "1702"), ("co-sb-26-189", "1704"),
    ("co-sb-26-189", "1705"), ("ai-verify", "technical tests"), ("ai-verify", "process checks"), ("model-card", "details"), ("hf-model-index", "results"), ("datasheet", "motivation"), ("factsheet", "purpose"),
]


@pytest.mark.parametrize("row", ROWS_OF_THE_SPECIFICATION, ids=lambda row: f"{row[0]} {row[1]}")
def test_each_row_of_the_specification_is_there_once(row: tuple[str, str]) -> None:
    law, item = row
    assert len([one for one in ITEMS if one.law == law and one.item.startswith(item)]) >= 1


def test_every_item_names_a_known_law_statements_of_the_catalogue_and_sections_of_the_report() -> None:
    for one in ITEMS:
        assert one.law in LAW_NAMES
        assert set(one.statements) <= set(FIELDS), one.item
        assert set(one.sections) <= set(range(1, 19))
        assert list(one.sections) == sorted(set(one.sections))
        assert one.evidence or one.statements or one.outside, f"{one.item}: nothing answers it"
        assert bool(one.sections) != bool(one.outside), one.item


def test_no_item_stands_there_twice() -> None:
    assert len({(one.law, one.item) for one in ITEMS}) == len(ITEMS)
