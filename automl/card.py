"""The model card: Markdown with the YAML head (``model-index``) that model hubs read. One more face of the Evidence, written without a network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from automl.evidence import Estimate, Evidence, FairnessSection, NotMeasured, PerformanceSection, Ratio
from automl.printing import LABEL_WORDS, estimate, ratio, visible, whole
from automl.spec import TaskSpec

PIPELINE_TAGS = {"binary": "tabular-classification", "multiclass": "tabular-classification", "regression": "tabular-regression"}
NOT_PROVIDED = "NOT PROVIDED"
LONGEST = 200


def write_card(evidence: Evidence) -> str:
    """The card as Markdown. Every number is the evidence's, with its interval; what only people can say prints NOT PROVIDED."""
    head = _head(evidence)
    # Parsed back, so that a card that no reader of cards could read is never written
    return str(ModelCard(f"---\n{head.to_yaml()}\n---\n\n{chr(10).join(_body(evidence))}\n"))


def _head(evidence: Evidence) -> ModelCardData:
    target = evidence.data.target
    name = visible(evidence.run.title, LONGEST) or evidence.run.id
    return ModelCardData(
        model_name=name, pipeline_tag=PIPELINE_TAGS[target.task] if target else "tabular-classification", tags=["tabular", "responsible-ai-audit"],
        eval_results=_results(evidence, PIPELINE_TAGS[target.task] if target else "tabular-classification") or None)


def _results(evidence: Evidence, task: str) -> list[EvalResult]:
    if isinstance(evidence.performance, NotMeasured):
        return []
    return [
        EvalResult(
            task_type=task, dataset_type="tabular", dataset_name="the audited table", dataset_split="audit", dataset_revision=evidence.provenance.dataset_sha256,
            metric_type=metric, metric_value=value.value, metric_name=metric.replace("_", " "),
            metric_args={"low": value.low, "high": value.high, "level": value.level, "method": value.method, "n": value.n})
        for metric, value in evidence.performance.metrics.items() if isinstance(value, Estimate)
    ]


def _body(evidence: Evidence) -> Iterator[str]:
    yield from (f"# {_escaped(evidence.run.title) or evidence.run.id}", "")
    yield from (_about(evidence), "")
    yield from ("## Use", "", *_listed([("Intended purpose", NOT_PROVIDED), ("Out of scope", NOT_PROVIDED), ("Affected persons", NOT_PROVIDED), ("Human oversight", NOT_PROVIDED)]), "")
    yield from ("## Findings", "", *(f"- **{one.severity}**: {_escaped(one.text, 600)}" for one in evidence.findings), "")
    yield from ("## Training and evaluation data", "", *_listed(_data(evidence)), "")
    if isinstance(evidence.performance, NotMeasured):
        yield from ("## Performance", "", f"Not measured: {_escaped(evidence.performance.reason)}", "")
    else:
        yield from ("## Performance on the audit part", "", *_performance(evidence.performance), "")
    if isinstance(evidence.fairness, NotMeasured):
        yield from ("## Group fairness", "", f"Not measured: {_escaped(evidence.fairness.reason)}", "")
    else:
        yield from ("## Group fairness", "", *_fairness(evidence.fairness), "")
    yield from ("## Not measured", "", *_listed(_missing(evidence)), "")
    yield from ("## Evidence", "", *_listed([
        ("Run", f"`{evidence.run.id}`"), ("Digest", f"`{evidence.digest}`"), ("Model, SHA-256", f"`{evidence.provenance.model_sha256 or 'none'}`"),
        ("Finished", evidence.provenance.finished_at), ("Code", evidence.provenance.code_version)]))


def _about(evidence: Evidence) -> str:
    target = evidence.data.target
    if evidence.run.kind == "predictions" or target is None:
        return "Audit of predictions that were made elsewhere; the model itself was not seen."
    favourable = f" Favourable outcome: {', '.join(_escaped(label) for label in target.favourable)}." if target.favourable else ""
    level = None if isinstance(evidence.performance, NotMeasured) else evidence.performance.quantile
    what = _escaped(target.name) if level is None else f"the {level:g} quantile of {_escaped(target.name)}"
    return f"A model that predicts {what} ({target.task}), trained and audited by its developer.{favourable}"


def _data(evidence: Evidence) -> list[tuple[str, str]]:
    data, spec = evidence.data, evidence.spec
    used = isinstance(spec, TaskSpec) and spec.sensitive_as_features
    return [
        ("Rows", whole(data.rows)), ("SHA-256", f"`{data.sha256}`"), ("Split", f"{data.split.method}: {whole(data.split.train)} to learn from, {whole(data.split.audit)} set aside for the audit"),
        ("Sensitive attributes", ", ".join(map(_escaped, spec.sensitive)) or "none declared"), ("Sensitive attributes as inputs", "yes" if used else "no"),
        ("Origin, lawful basis, labelling", NOT_PROVIDED),
    ]


def _performance(performance: PerformanceSection) -> list[str]:
    rows = [(name.replace("_", " "), estimate(value), whole(value.n) if isinstance(value, Estimate) else "") for name, value in performance.metrics.items()]
    return _table(("metric", "value (95 % interval)", "n"), rows)


def _fairness(fairness: FairnessSection) -> Iterator[str]:
    yield f"Limit that was stated for impact ratios: {fairness.limit.ratio:g}."
    for attribute in fairness.attributes:
        yield from ("", f"### By {_escaped(attribute.attribute)}", "")
        yield from _table(("group", "n", "selection rate (95 % interval)", "impact ratio (95 % interval)", "against the limit"), [
            (group.group, whole(group.n), estimate(group.selection_rate, as_percent=True), ratio(group.impact_ratio, fairness.limit.ratio),
             LABEL_WORDS[group.impact_ratio.label] if isinstance(group.impact_ratio, Ratio) else "not computable")
            for group in attribute.groups])


def _missing(evidence: Evidence) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), _escaped(section.reason)) for name in type(evidence).model_fields if isinstance(section := getattr(evidence, name), NotMeasured)]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [columns, ["---"] * len(columns), *([_escaped(cell) for cell in row] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def _listed(pairs: Sequence[tuple[str, str]]) -> list[str]:
    return [f"- {name}: {value}" for name, value in pairs]


def _escaped(text: str, limit: int = LONGEST) -> str:
    """A string of the data, inert in Markdown and HTML: every character that could mean something gets a backslash, angle brackets become entities."""
    shown = re.sub(r"([\\`*_{}\[\]#|~!$])", r"\\\1", visible(text, limit).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
    return re.sub(r"(https?|www)([:.])", r"\1&#8203;\2", shown)
