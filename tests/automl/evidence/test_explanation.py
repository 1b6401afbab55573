from __future__ import annotations

from automl.evidence import Evidence, ExplanationSection, NotMeasured
from tests.evidence_example import make_evidence

ADDED = ("permutation", "related", "dependence")
ONCE_ABSENT = ("second_background", "proxies", "stability")


def test_a_document_of_before_the_explanation_had_depth_still_loads() -> None:
    document = make_evidence().model_dump(mode="json")
    explanation = document["explanation"]
    for name in ADDED:
        del explanation[name]
    for name in ONCE_ABSENT:
        explanation[name] = {"status": "not_measured", "reason": "not part of this version"}
    for gap in explanation["score_gap_by_input"]:
        gap.pop("second", None)
    for feature in explanation["features"]:
        del feature["stands_in_for"]
    loaded = Evidence.model_validate(document).explanation
    assert isinstance(loaded, ExplanationSection)
    assert all(isinstance(getattr(loaded, name), NotMeasured) for name in (*ADDED, *ONCE_ABSENT))
    assert isinstance(loaded.score_gap_by_input[0].second, NotMeasured)  # type: ignore[union-attr]


def test_the_document_is_the_same_when_read_back() -> None:
    evidence = make_evidence()
    assert Evidence.model_validate_json(evidence.model_dump_json()) == evidence
