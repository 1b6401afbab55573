"""A run once more from its recorded configuration, and whether it came to the same."""

from __future__ import annotations

from typing import Any

import pytest

from auditapp import repeats, runs
from auditapp.models import Run
from auditapp.repeats import MOST_OF_A_PART, compare, compared_with_parent
from automl.evidence import Evidence, Plan, digest_of, measured_digest_of
from tests.auditapp.conftest import Cast
from tests.evidence_example import make_evidence


def sealed(evidence: Evidence, **changes: Any) -> Evidence:
    changed = evidence.model_copy(update=changes)
    return changed.model_copy(update={"digest": digest_of(changed.model_dump(mode="json"))})


def renumbered(plan: Plan) -> Plan:
    return plan.model_copy(update={"audit_number": plan.audit_number + 1, "sha256": "1" * 64})


def test_times_hardware_and_the_runs_own_name_are_no_difference() -> None:
    before = sealed(make_evidence())
    provenance = before.provenance.model_copy(update={"seconds": 1.0, "hardware": {"cpu": "another"}})
    after = sealed(before, run=before.run.model_copy(update={"id": "run_2", "parent": before.run.id}), provenance=provenance)
    found = compare(before, after)
    assert (found.verdict, found.parts, found.before == found.after) == ("same_digest", (), True)


def test_a_further_look_at_the_audit_part_is_told_from_another_result() -> None:
    before = sealed(make_evidence())
    found = compare(before, sealed(before, plan=renumbered(before.plan)))
    assert found.verdict == "same_but_number"
    assert found.before != found.after
    assert found.measured_before == found.measured_after == measured_digest_of(before.model_dump(mode="json"))
    assert [one.pointer for part in found.parts for one in part.first] == ["/plan/audit_number", "/plan/sha256"]


def test_what_differs_is_named_part_by_part_with_both_values() -> None:
    before = sealed(make_evidence())
    libraries = {**before.provenance.libraries, **{f"a/library~{at}": "1" for at in range(MOST_OF_A_PART + 3)}}
    after = sealed(before, plan=renumbered(before.plan), design=before.design.model_copy(update={"unit": "a household"}), findings=before.findings[:-1],
                   provenance=before.provenance.model_copy(update={"libraries": libraries}))
    found = compare(before, after)
    assert found.verdict == "different"
    assert found.measured_before != found.measured_after
    assert [(part.name, part.count) for part in found.parts] == [("plan", 2), ("design", 1), ("findings", 1), ("provenance", MOST_OF_A_PART + 3)]
    design, findings, provenance = (part.first for part in found.parts[1:])
    assert (design[0].pointer, design[0].before, design[0].after) == ("/design/unit", f'"{before.design.unit}"', '"a household"')
    assert (findings[0].pointer, findings[0].after) == (f"/findings/{len(before.findings) - 1}", None)
    assert findings[0].before is not None
    assert len(findings[0].before) <= 80
    assert len(provenance) == MOST_OF_A_PART
    assert provenance[0].pointer == "/provenance/libraries/a~1library~00"


def test_a_repetition_has_the_recorded_configuration_and_names_its_parent(people: Cast, succeeded_run: Any) -> None:
    first = succeeded_run()
    again = repeats.repeat(first, people.users["analyst"])
    assert (again.parent_id, again.spec, again.dataset_id, again.kind, again.state, again.created_by) == (first.pk, first.spec, first.dataset_id, first.kind, "queued", people.users["analyst"])
    assert compared_with_parent(again) is None, "not before it has results"
    runs.request_cancel(again, None)
    second = succeeded_run()
    assert compared_with_parent(second) is None, "it repeats no other"
    Run.objects.filter(pk=second.pk).update(parent=first)
    second.refresh_from_db()
    found = compared_with_parent(second)
    assert found is not None
    assert found.verdict == "same_digest"


def test_over_rest_once_for_a_key_and_compared_when_both_have_results(people: Cast, succeeded_run: Any) -> None:
    first = succeeded_run()
    rest = people.rest("analyst")
    answer = rest.post(f"/runs/{first.pk}/repeat", **{"Idempotency-Key": "once"})
    assert (answer.status_code, answer.json()["parent"]) == (202, first.pk)
    assert answer["Location"] == f"/api/v1/runs/{answer.json()['id']}"
    assert rest.post(f"/runs/{first.pk}/repeat", **{"Idempotency-Key": "once"}).json()["id"] == answer.json()["id"]
    assert Run.objects.filter(parent=first).count() == 1
    assert "repeats no other" in rest.get(f"/runs/{first.pk}/comparison").json()["detail"]
    assert rest.get(f"/runs/{answer.json()['id']}/comparison").status_code == 409
    runs.request_cancel(Run.objects.get(parent=first), None)
    second = succeeded_run()
    Run.objects.filter(pk=second.pk).update(parent=first)
    said = rest.get(f"/runs/{second.pk}/comparison").json()
    assert (said["id"], said["parent"], said["verdict"], said["parts"]) == (second.pk, first.pk, "same_digest", [])


@pytest.mark.parametrize(("parent_changes", "words"), [({}, "Same digest"), ({"plan": True}, "Digest of what was measured, the same in both"), ({"findings": ()}, "findings: ")])
def test_the_page_of_the_repetition_says_it(people: Cast, succeeded_run: Any, monkeypatch: pytest.MonkeyPatch, parent_changes: dict[str, Any], words: str) -> None:
    from django.test import Client

    first, second = succeeded_run(), succeeded_run()
    Run.objects.filter(pk=second.pk).update(parent=first)
    evidence = sealed(make_evidence())
    if "plan" in parent_changes:
        parent_changes = {"plan": renumbered(evidence.plan)}
    changed = sealed(evidence, **parent_changes)
    monkeypatch.setattr(repeats.results, "read_evidence", lambda run: changed if run.pk == first.pk else evidence)
    client = Client()
    client.force_login(people.users["viewer"], backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/runs/{second.pk}").content.decode()
    assert words in page
    assert f'href="/runs/{first.pk}"' in page
    assert "Repeat exactly" not in page, "a viewer starts no runs"
