from __future__ import annotations

import re

import pytest
from huggingface_hub import ModelCard

from automl.card import write_card
from automl.evidence import Estimate, PerformanceSection
from tests.evidence_example import make_evidence
from tests.evidence_variants import hostile, multiclass, predictions, quantile, regression


def test_the_head_is_a_model_index_with_every_metric() -> None:
    evidence = make_evidence()
    card = ModelCard(write_card(evidence))
    assert isinstance(evidence.performance, PerformanceSection)
    results = {one.metric_type: one for one in card.data.eval_results}
    assert set(results) == set(evidence.performance.metrics)
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


def test_names_of_strangers_are_inert_in_markdown() -> None:
    body = write_card(hostile()).split("---\n", 2)[2]
    assert "<script" not in body
    assert not re.search(r"(?<!\\)`code", body)
    assert "https://" not in body
    rows = [line for line in body.splitlines() if line.startswith("| ")]
    assert rows
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} <= {4, 6}


def test_no_verdict_words() -> None:
    assert not re.search(r"\b(compliant|passes|certified|unbiased)\b", write_card(make_evidence()), re.IGNORECASE)
