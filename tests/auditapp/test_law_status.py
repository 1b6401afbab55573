"""Each fact of the specification's legal table is in the file, and what is superseded can be shown only as superseded (mistake 13)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auditapp.law_status import FILE, BrokenLawStatus, law_status, read_law_status
from automl.crosswalk.items import LAW_NAMES

FACTS = {
    "L1": ("sr-26-2", ("SR 26-2", "OCC Bulletin 2026-13", "2026-04-17", "$30 bn", "formerly SR 11-7")), "L1, old": ("sr-11-7", ("superseded on 2026-04-17", "SR 26-2")),
    "L2": ("co-sb-26-189", ("2026-05-14", "2027-01-01", "no impact assessment and no duty of care")), "L2, old": ("co-sb-24-205", ("repealed before it took effect", "Colorado SB 26-189")),
    "L3": ("eu-ai-act", ("2027-12-02", "2028-08-02", "Official Journal")), "L3, old": ("eu-ai-act-2026", ("2026-08-02", "Digital Omnibus")), "L4": ("eu-ai-act", ("strictly necessary", "Art. 10(5)")),
    "L5": ("reg-b-effects-test", ("2026-07804", "2026-04-22", "2026-07-21")), "L5, what stays": ("reg-b", ("1002.9", "State law still applies")),
    "L6": ("cfpb-2022-03", ("2025-05-12", "FR 2025-08286")), "L6, unverified": ("cfpb-2023-03", ("status not verified", "2026-06-16")),
    "L7": ("ugesp", ("RIN 3046-AB43", "3046-AB45", "41 CFR 60-3", "convention")), "L7, statute": ("title-vii", ("42 USC 2000e-2(k)", "2026-06-09", "binds no court")),
    "L8": ("nyc-ll144", ("2024-N-6", "2025-12-02", "17 potential violations", "32 firms")), "EO 11246": ("ofccp-practice", ("revoked in 2025",)),
}


def shown(identifier: str) -> str:
    status = law_status()
    law = status.law(identifier)
    return " ".join([law.title, law.version or "", law.effective_words, status.standing_words(law), law.note or ""])


@pytest.mark.parametrize("fact", FACTS)
def test_each_legal_fact_of_the_specification_is_there(fact: str) -> None:
    identifier, words = FACTS[fact]
    assert [word for word in words if word not in shown(identifier)] == []


def test_superseded_law_can_only_be_shown_as_superseded() -> None:
    status = law_status()
    old = {law.id for law in status.laws if law.superseded}
    assert old == {"sr-11-7", "co-sb-24-205", "eu-ai-act-2026", "reg-b-effects-test", "cfpb-2022-03", "ofccp-practice"}
    for identifier in old:
        law = status.law(identifier)
        assert law.title.endswith("(superseded)")
        assert status.standing_words(law).startswith("superseded")
        assert law.effective_words == "–", "a date would make it look like law"


def test_every_law_that_is_asked_for_is_current_and_called_alike() -> None:
    for identifier, name in LAW_NAMES.items():
        assert law_status().law(identifier).name == name
        assert not law_status().law(identifier).superseded


def test_what_the_review_did_not_settle_is_said_to_be_unsettled() -> None:
    assert law_status().law("gdpr").effective_words == "not stated in the review"
    assert law_status().standing_words(law_status().law("nist-ai-rmf")) == "status not stated in the review"


def altered(tmp_path: Path, law: str, **changes: Any) -> Path:
    document = json.loads(FILE.read_text())
    [entry] = [one for one in document["laws"] if one["id"] == law]
    entry.update(changes)
    path = tmp_path / "law_status.json"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(("law", "changes", "said"), [
    ("sr-11-7", {"standing": "in_force"}, "sr-11-7 is not called superseded and says by what it was"),
    ("sr-26-2", {"standing": "superseded", "effective": None}, "sr-26-2 is superseded and does not say by what"),
    ("sr-11-7", {"superseded_by": {"law": "sr-99", "how": "replaced"}}, "superseded by sr-99, which is not in the file"),
    ("sr-11-7", {"superseded_by": {"law": "co-sb-24-205", "how": "replaced"}}, "which is superseded itself"),
    ("co-sb-26-189", {"standing": "in_force"}, "co-sb-26-189 is in_force with the effective date 2027-01-01"),
    ("co-sb-26-189", {"effective": None}, "applies later and does not say from when"),
    ("gdpr", {"effective": "soon"}, "at laws/14/effective"),
    ("gdpr", {"colour": "blue"}, "at laws/14/colour"),
    ("gdpr", {"id": "ugesp"}, "ugesp stands there twice"),
])
def test_a_broken_file_is_refused_with_one_sentence(tmp_path: Path, law: str, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BrokenLawStatus) as refused:
        read_law_status(altered(tmp_path, law, **changes))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_refused_with_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BrokenLawStatus, match=r"law_status\.json cannot be read"):
        read_law_status(tmp_path / "nothing")
