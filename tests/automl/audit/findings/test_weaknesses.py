"""The rules on slices and robustness: each speaks when its number is there, and not before; the words give no verdict."""

from __future__ import annotations

from typing import Any

import pytest

from automl.audit.findings.weaknesses import weakness_findings
from automl.evidence import Finding, NotMeasured, RobustnessSection, SharedRows, TimeOrder
from tests.automl.audit.findings.documents import BANNED
from tests.evidence_example import difference, rate
from tests.weakness_example import around, make_cohorts, make_robustness, make_slices, robustness_of_predictions, with_weaknesses

ABSENT = NotMeasured(reason="not part of this test")


def rules(slices: Any = ABSENT, robustness: Any = ABSENT) -> dict[str, Finding]:
    found = list(weakness_findings(slices, robustness))
    assert len({one.id for one in found}) == len(found)
    for one in found:
        assert not BANNED.search(one.text), one.text
    return {one.rule: one for one in found}


def at(pointer: str) -> Any:
    node: Any = with_weaknesses().model_dump(mode="json")
    for part in pointer.strip("/").split("/"):
        node = node[int(part)] if isinstance(node, list) else node[part]
    return node


def test_a_confirmed_slice_is_told_with_both_errors() -> None:
    found = rules(make_slices())["slice_error"]
    assert found.severity == "medium"
    assert found.text.startswith("Where age at most 27 and sex is Female, the share of wrong decisions is 36.1 % (95 % interval ")
    assert "in 410 rows; in the other rows it is 12.7" in found.text
    assert at(found.evidence)["n"] == 410


def test_a_cohort_with_more_error_is_told_by_its_name() -> None:
    section = make_cohorts()
    (found,) = weakness_findings(ABSENT, ABSENT, section)
    assert (found.rule, found.severity) == ("cohort_error", "medium")
    assert found.text.startswith("In the cohort Young women, the share of wrong decisions is 36.1 % (95 % interval ")
    assert at(found.evidence)["name"] == "Young women"
    assert not BANNED.search(found.text)
    unknown = section.rows[0].model_copy(update={"errors": section.rows[0].errors.model_copy(update={"label": "inconclusive"})})
    assert not list(weakness_findings(ABSENT, ABSENT, section.model_copy(update={"rows": (unknown, section.rows[1])})))


def test_none_confirmed_is_said_too_and_more_than_three_are_summed_up() -> None:
    section = make_slices()
    none = section.model_copy(update={"rows": (section.rows[1],), "family": 1})
    assert set(rules(none)) == {"slices_inconclusive"}
    assert set(rules(section.model_copy(update={"rows": (), "family": 0}))) == set()
    many = list(weakness_findings(section.model_copy(update={"rows": (section.rows[0],) * 5}), ABSENT))
    assert len(many) == 4
    assert many[-1].text.startswith("2 more of the 5 slices")


def test_the_example_has_these_findings_and_their_pointers_lead_somewhere() -> None:
    found = rules(make_slices(), make_robustness())
    assert set(found) == {"slice_error", "outcome_depends_on_inputs", "shift", "training_rows_recognised", "shared_rows", "outcome_moves"}
    for one in found.values():
        assert at(one.evidence) is not None
    assert found["training_rows_recognised"].severity == "low"
    assert found["shift"].severity == "low"
    assert "hours_per_week (0.131)" in found["shift"].text


def test_a_selection_rate_that_moves_is_told_at_the_mildest_step() -> None:
    found = rules(robustness=make_robustness())["outcome_depends_on_inputs"]
    assert found.text.startswith("With 20 % of the cells missing, Female (sex) would be selected less often: the rate of 8.0 % (3,000 rows) changes by ")
    assert at(found.evidence)["value"] == pytest.approx(-0.0213)
    assert found.evidence.endswith("/steps/2/attributes/0/groups/0/outcome_change")


def _with(**changes: Any) -> RobustnessSection:
    return robustness_of_predictions(**changes)


def test_small_or_unsure_changes_are_not_told() -> None:
    section = make_robustness()
    for level in (rate(2_400, 3_000), rate(3, 10)):
        undisturbed = section.undisturbed
        assert not isinstance(undisturbed, NotMeasured)
        first = undisturbed.attributes[0]
        groups = tuple(group.model_copy(update={"outcome": level}) for group in first.groups)
        changed = section.model_copy(update={"undisturbed": undisturbed.model_copy(update={"attributes": (first.model_copy(update={"groups": groups}),)})})
        assert ("outcome_depends_on_inputs" in rules(robustness=changed)) is False
    assert "outcome_depends_on_inputs" not in rules(robustness=section.model_copy(update={"decisions": False}))


def test_shift_outside_labels_and_memory_have_their_bounds() -> None:
    section = make_robustness()
    shift, labels, membership = section.shift, section.label_noise, section.membership
    assert not isinstance(shift, NotMeasured)
    assert not isinstance(labels, NotMeasured)
    assert not isinstance(membership, NotMeasured)
    large = shift.features[0].model_copy(update={"psi": 0.3})
    usual = shift.features[0].model_copy(update={"without_shift": 0.2})
    assert rules(robustness=_with(shift=shift.model_copy(update={"features": (large,)})))["shift"].severity == "medium"
    assert "shift" not in rules(robustness=_with(shift=shift.model_copy(update={"features": (usual,)})))
    assert "outside_of_training" in rules(robustness=_with(shift=shift.model_copy(update={"features": (), "any_outside": rate(700, 12_211)})))
    above = labels.by_group[0].model_copy(update={"share": rate(1_600, 9_000)})
    assert "labels_contradicted" in rules(robustness=_with(label_noise=labels.model_copy(update={"by_group": (above,)})))
    assert "labels_contradicted" not in rules(robustness=_with(label_noise=labels))
    for auc, control, severity in ((0.7, 0.5, "medium"), (0.53, 0.5, "low"), (0.505, 0.5, None), (0.56, 0.56, None)):
        both = membership.model_copy(update={"auc": around(auc, 0.008), "control": around(control, 0.008)})
        told = rules(robustness=_with(membership=both)).get("training_rows_recognised")
        assert (None if told is None else told.severity) == severity


def test_copies_and_a_moving_outcome_are_told_from_their_bounds_on() -> None:
    section = make_robustness()
    shared, order = section.shared_rows, section.time_order
    assert isinstance(shared, SharedRows)
    assert isinstance(order, TimeOrder)
    told = rules(robustness=_with(shared_rows=shared))["shared_rows"]
    assert told.text.startswith("3.29 % (95 % interval ")
    assert told.text.endswith("371 rows have its label as well.")
    assert "shared_rows" not in rules(robustness=_with(shared_rows=shared.model_copy(update={"same_inputs": rate(100, 12_211)})))
    moves = rules(robustness=_with(time_order=order))["outcome_moves"]
    assert moves.severity == "low"
    assert at(moves.evidence) == at("/robustness/time_order/outcome_change")
    assert "between 2024-01-01 to 2024-01-28 and 2024-02-01 to 2024-02-28 (hours_per_week)" in moves.text
    assert rules(robustness=_with(time_order=order.model_copy(update={"split_by_it": True})))["outcome_moves"].severity == "info"
    assert "outcome_moves" not in rules(robustness=_with(time_order=order.model_copy(update={"outcome_change": difference(610, 3_000, 600, 3_000)})))


def test_nothing_measured_nothing_said() -> None:
    assert rules() == {}
    assert rules(robustness=_with()) == {}
