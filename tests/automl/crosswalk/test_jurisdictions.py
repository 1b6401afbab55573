from __future__ import annotations

import pytest

from auditapp.statements.fields import FIELDS
from automl.crosswalk.items import ITEMS
from automl.crosswalk.jurisdictions import ALWAYS, JURISDICTIONS, asked_for, jurisdiction
from automl.errors import BadInput


def test_by_default_everything_is_asked_for() -> None:
    assert asked_for().sections == tuple(range(1, 19))
    assert {field for one in ITEMS for field in one.statements} <= set(asked_for().statements)


@pytest.mark.parametrize(("profile", "sections", "stated", "not_asked"), [
    ("nyc_ll144", (1, 2, 4, 6, 15, 16, 17, 18), {"distribution_date", "notices", "independence_use"}, {"risk_register", "cybersecurity"}),
    ("reg_b", (1, 2, 11, 15, 16, 17, 18), {"retention", "reason_table_approval"}, {"distribution_date", "purpose"}),
    ("colorado", (1, 2, 3, 4, 11, 13, 15, 16, 17, 18), {"human_review", "contest_route", "purpose"}, {"notices"}),
    ("sr_26_2", (1, 2, 5, 8, 10, 12, 13, 15, 16, 17, 18), {"materiality", "challenger", "design_rationale"}, {"distribution_date"}),
    ("model_card", (1, 2, 3, 4, 5, 6, 9, 15, 16, 17, 18), {"purpose", "foreseeable_misuse"}, {"notices"}),
])
def test_a_profile_chooses_sections_and_statements(profile: str, sections: tuple[int, ...], stated: set[str], not_asked: set[str]) -> None:
    asked = asked_for(profile)
    assert asked.sections == sections
    assert stated <= set(asked.statements)
    assert not not_asked & set(asked.statements)


def test_the_profile_of_the_ai_act_asks_for_annex_iv_and_its_articles_and_not_for_article_86() -> None:
    chosen = jurisdiction("eu_ai_act")
    asked = [one.item for one in ITEMS if chosen.asks_for(one.law, one.item)]
    assert [item for item in asked if item.startswith("Annex IV 2(e)")]
    assert [item for item in asked if item.startswith("Art. 15(5)")]
    assert not [item for item in asked if item.startswith("Art. 86")]


@pytest.mark.parametrize("profile", JURISDICTIONS)
def test_every_profile_keeps_findings_limits_and_sign_off(profile: str) -> None:
    asked = asked_for(profile)
    assert set(ALWAYS) <= set(asked.sections)
    assert set(asked.statements) <= set(FIELDS)


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match=r"no report profile 'narnia'; it is one of all, nyc_ll144"):
        asked_for("narnia")
