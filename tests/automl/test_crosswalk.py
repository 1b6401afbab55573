from __future__ import annotations

from collections.abc import Callable

import pytest

from automl.crosswalk import TO_STATE, crosswalk_section, unmeasured
from automl.evidence import Evidence, NotMeasured
from tests.evidence_example import make_evidence
from tests.evidence_variants import hostile, multiclass, predictions, regression, with_law

KINDS = [make_evidence, multiclass, regression, predictions, hostile, with_law]


def state(evidence: Evidence, law: str, item: str) -> str:
    [row] = [row for row in crosswalk_section(evidence).rows if row.law_id == law and row.item.startswith(item)]
    return row.status


@pytest.mark.parametrize("make", KINDS)
def test_every_kind_of_run_has_a_state_for_every_item(make: Callable[[], Evidence]) -> None:
    for row in crosswalk_section(make()).rows:
        assert row.status == TO_STATE or row.status.startswith(("measured", "not measured: ", "does not apply: "))


def test_a_state_follows_the_evidence() -> None:
    whole, bare = with_law(), make_evidence(fairness=NotMeasured(reason="no sensitive attribute was named"))
    assert state(whole, "nyc-ll144", "5-301(b)(1)") == "measured"
    assert state(bare, "nyc-ll144", "5-301(b)(1)").startswith("not measured: ")
    assert state(bare, "ugesp", "4D") == "not measured: no sensitive attribute was named"
    assert state(bare, "nist-ai-rmf", "MEASURE 2.11") == "measured in part; not measured: no sensitive attribute was named"
    assert state(bare, "eu-ai-act", "Annex IV 2(e)") == TO_STATE
    assert state(bare, "eu-ai-act", "Annex IV 1(f)").startswith("does not apply: ")


def test_what_this_version_does_not_measure_is_named_even_where_the_rest_was() -> None:
    assert state(make_evidence(), "nist-ai-rmf", "MEASURE 2.12") == "measured in part; not measured: energy was not measured"
    assert state(make_evidence(), "sr-26-2", "monitoring") == "not measured: the system in use is not monitored in this version"


def test_one_reason_stands_once() -> None:
    evidence = make_evidence(search=NotMeasured(reason="no model was trained here"), explanation=NotMeasured(reason="no model was trained here"), mitigation=NotMeasured(reason="no model was trained here"))
    assert state(evidence, "eu-ai-act", "Annex IV 2(b)") == "not measured: no model was trained here"


def test_who_supplies_an_item_follows_from_what_it_asks_for() -> None:
    by = {row.item: row.supplied_by for row in crosswalk_section(make_evidence()).rows}
    assert by["5-304 notices"] == "person"
    assert by["Art. 15(1)-(3) accuracy, declared"] == "measured"
    assert by["Annex IV 2(d) data, provenance, labelling, cleaning"] == "both"
    assert by["Annex IV 1(f) photographs"] == "not_applicable"


def test_a_pointer_into_an_unmeasured_section_gives_its_reason() -> None:
    assert unmeasured(make_evidence(robustness=NotMeasured(reason="too little time")), "/robustness/membership") == "too little time"
    assert unmeasured(make_evidence(), "/performance/calibration") is None
