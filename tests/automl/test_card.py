from __future__ import annotations

import re

import pytest
from huggingface_hub import ModelCard

from automl.card import HUB_METRICS, write_card
from automl.evidence import Estimate, PerformanceSection
from tests.evidence_example import make_evidence
from tests.evidence_variants import hostile, multiclass, predictions, quantile, regression
from tests.weakness_example import with_weaknesses


def test_the_head_is_a_model_index_with_every_metric() -> None:
    evidence = make_evidence()
    card = ModelCard(write_card(evidence))
    assert isinstance(evidence.performance, PerformanceSection)
    results = {one.metric_type: one for one in card.data.eval_results}
    assert set(results) == {HUB_METRICS.get(name, name) for name in evidence.performance.metrics} == set(card.data.metrics)
    auc = evidence.performance.metrics["roc_auc"]
    assert isinstance(auc, Estimate)
    assert results["roc_auc"].metric_value == auc.value
    assert results["roc_auc"].metric_args["low"] == auc.low
    assert results["roc_auc"].dataset_revision == evidence.provenance.dataset_sha256


@pytest.mark.parametrize("make", [make_evidence, multiclass, regression, quantile, predictions, hostile])
def test_a_card_of_every_kind_reads_back(make: object) -> None:
    assert callable(make)
    text = write_card(make())
    assert "NOT PROVIDED" in text
    assert "## Not measured" in text
    assert str(ModelCard(text)) == text


def test_slices_stand_with_their_intervals_and_what_can_be_told() -> None:
    text = write_card(with_weaknesses())
    assert "| age at most 27 and sex is Female | 410 | 36.1 % (31.6 to 40.9) | 12.7 % (12.1 to 13.3) | more, beyond sampling error |" in text
    assert "Where the errors are" not in write_card(make_evidence())
    assert "robustness" not in text.split("## Not measured")[1]


def test_names_of_strangers_are_inert_in_markdown() -> None:
    body = write_card(hostile()).split("---\n", 2)[2]
    assert "<script" not in body
    assert not re.search(r"(?<!\\)`code", body)
    assert "https://" not in body
    rows = [line for line in body.splitlines() if line.startswith("| ")]
    assert rows
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} <= {4, 6}


def test_the_head_has_fields_of_the_hub_alone() -> None:
    """The specification of model cards: huggingface/hub-docs, modelcard.md."""
    head = ModelCard(write_card(make_evidence())).data.to_dict()
    assert set(head) <= {"language", "license", "library_name", "tags", "datasets", "metrics", "pipeline_tag", "model-index"}
    [model] = head["model-index"]
    assert set(model) == {"name", "results"}
    [result] = model["results"]
    assert set(result) == {"task", "dataset", "metrics"}
    assert set(result["task"]) <= {"type", "name"}
    assert {"type", "name"} <= set(result["dataset"]) <= {"type", "name", "config", "split", "revision", "args"}
    assert all({"type", "value"} <= set(metric) <= {"type", "value", "name", "config", "args", "verified"} for metric in result["metrics"])


def test_statements_stand_on_the_card_as_they_were_made_and_inert() -> None:
    text = write_card(make_evidence(), {"purpose": "To rank <b>loan</b> requests\n# Not a heading", "contest_route": "Write to us."})
    assert "- Intended purpose: To rank &lt;b&gt;loan&lt;/b&gt; requests \\# Not a heading" in text
    assert "- How a person contests a decision: Write to us." in text
    assert "- Affected persons: NOT PROVIDED" in text


def test_crossings_stand_beside_single_attributes() -> None:
    assert "### By sex x race" in write_card(make_evidence())


def test_no_verdict_words() -> None:
    assert not re.search(r"\b(compliant|passes|certified|unbiased)\b", write_card(make_evidence()), re.IGNORECASE)
