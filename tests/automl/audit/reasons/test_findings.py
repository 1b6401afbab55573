from __future__ import annotations

import re
from typing import Any

import pytest

from automl.audit.reasons.findings import findings_of_reasons
from automl.evidence import Estimate, Finding, NotMeasured, ReasonsSection, Value
from tests.evidence_example import make_explanation, rate
from tests.reasons_example import make_reasons

NOTHING = NotMeasured(reason="no explanation here")


def found(**changes: Any) -> dict[str, Finding]:
    reasons = make_reasons()
    return {one.id: one for one in findings_of_reasons(reasons.model_copy(update={"quality": reasons.quality.model_copy(update=changes)}), NOTHING)}


def mean(value: float, half: float = 0.02) -> Value:
    return Estimate(value=value, low=value - half, high=value + half, method="bootstrap", n=2_000)


def test_the_example_has_an_excluded_input_and_texts_that_nobody_approved() -> None:
    assert {name: one.severity for name, one in found().items()} == {"reasons_excluded": "high", "reasons_protected": "medium", "reasons_text": "medium"}
    assert "sex (a sensitive attribute)" in found()["reasons_excluded"].text
    assert "7.2 % (" in found()["reasons_excluded"].text
    assert "1,990 reasons" in found()["reasons_text"].text


def test_nothing_is_said_of_what_was_not_measured() -> None:
    assert list(findings_of_reasons(NotMeasured(reason="a number is predicted"), NOTHING)) == []


@pytest.mark.parametrize(("k", "severity"), [(0, None), (10, None), (24, "medium"), (100, "medium"), (160, "high")])
def test_decisions_without_reasons(k: int, severity: str | None) -> None:
    one = found(none=rate(k, 2_000)).get("reasons_none")
    assert (None if one is None else one.severity) == severity


@pytest.mark.parametrize(("k", "severity"), [(0, None), (1, "medium"), (99, "medium"), (100, "high")])
def test_excluded_inputs(k: int, severity: str | None) -> None:
    one = found(excluded_would_be_stated=rate(k, 2_000)).get("reasons_excluded")
    assert (None if one is None else one.severity) == severity


@pytest.mark.parametrize(("name", "field", "limit"), [("reasons_flip", "flip_moves", 0.8), ("reasons_background", "overlap", 0.5), ("reasons_unstable", "stability", 0.7)])
def test_limits_are_told_beyond_sampling_error_only(name: str, field: str, limit: float) -> None:
    assert name in found(**{field: mean(limit - 0.03)})
    assert name not in found(**{field: mean(limit - 0.01)}), "the interval holds the limit"
    assert name not in found(**{field: NotMeasured(reason="no explained row has a reason")})
    few = mean(limit - 0.03)
    assert isinstance(few, Estimate)
    assert name not in found(**{field: few.model_copy(update={"low_precision": True})})


def test_without_a_table_it_is_a_note_that_nobody_approved_anything() -> None:
    reasons = make_reasons()
    bare = reasons.model_copy(update={"table": tuple(row.model_copy(update={"text": None, "code": None}) for row in reasons.table)})
    [one] = [one for one in findings_of_reasons(bare, NOTHING) if one.rule == "reasons_text"]
    assert one.severity == "info"
    assert "There is no reason table" in one.text


def test_pointers_lead_into_the_document() -> None:
    reasons: ReasonsSection = make_reasons()
    for one in found(none=rate(160, 2_000), flip_moves=mean(0.5), overlap=mean(0.2), stability=mean(0.3)).values():
        first, second, field = re.fullmatch(r"/(\w+)/(\w+)/(\w+)", one.evidence).groups()  # type: ignore[union-attr]
        assert (first, second) == ("reasons", "table" if one.rule == "reasons_protected" else "quality")
        assert reasons.table[int(field)] if second == "table" else getattr(reasons.quality, field) is not None


def test_mistake_11_a_stand_in_for_a_sensitive_attribute_is_not_stated_without_review_unsaid() -> None:
    reasons, explanation = make_reasons(), make_explanation()
    stated = next(row for row in reasons.table if row.excluded is None and isinstance(row.stated, Estimate) and row.stated.value > 0)
    explained = explanation.model_copy(update={"features": tuple(
        feature.model_copy(update={"feature": stated.inputs[0] if at == 0 else f"other {at}", "stands_in_for": ("sex",) if at == 0 else ()}) for at, feature in enumerate(explanation.features))})

    def told(approved_by: str | None) -> list[Finding]:
        table = tuple(row.model_copy(update={"approved_by": approved_by}) if row is stated else row for row in reasons.table)
        return [one for one in findings_of_reasons(reasons.model_copy(update={"table": table}), explained) if one.rule == "reasons_proxy"]

    [one] = told(None)
    assert one.text.startswith(f"{stated.reason} stands in for sex and is stated as a reason in ")
    assert one.evidence == f"/reasons/table/{reasons.table.index(stated)}"
    assert told("A. Reviewer") == []


def test_a_reason_named_like_a_protected_ground_is_not_stated_without_review_unsaid() -> None:
    reasons = make_reasons()
    first = next(row for row in reasons.table if row.excluded is None)
    named = first.model_copy(update={"reason": "marital_status", "inputs": ("marital_status",), "approved_by": None})
    table = tuple(named if row is first else row.model_copy(update={"inputs": ("hours",)}) for row in reasons.table)
    one = {one.id: one for one in findings_of_reasons(reasons.model_copy(update={"table": table}), NOTHING)}["reasons_protected"]
    assert one.severity == "medium"
    assert one.text.startswith("marital_status is named like a ground that discrimination law names and is stated as a reason in ")
    approved = tuple(row.model_copy(update={"approved_by": "A. Person"}) if row is named else row for row in table)
    assert "reasons_protected" not in {one.id for one in findings_of_reasons(reasons.model_copy(update={"table": approved}), NOTHING)}
