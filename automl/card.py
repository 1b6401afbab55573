"""The model card: Markdown with the YAML head (``model-index``) that model hubs read. One more face of the Evidence, written without a network.

A card is for the public: groups of few people are withheld (`automl.disclosure`), and no person's row is in it. Its head has the fields of the hub's specification
(huggingface/hub-docs, modelcard.md): tags, metrics, pipeline tag and one result with all metrics of the one split; licence and datasets' names only people can say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from automl.disclosure import LEAST, may_be_public, withheld_groups
from automl.evidence import Attribute, Estimate, Evidence, FairnessSection, NotMeasured, PerformanceSection, Ratio, ReasonsSection, SlicesSection
from automl.printing import against_limit, estimate, in_markdown, ratio, visible, whole
from automl.spec import TaskSpec

PIPELINE_TAGS = {"binary": "tabular-classification", "multiclass": "tabular-classification", "regression": "tabular-regression"}
NOT_PROVIDED = "NOT PROVIDED"
LONGEST = 200
LONGEST_STATEMENT = 4_000
HUB_METRICS = {"r2": "r_squared", "brier": "brier_score", "mcc": "matthews_correlation", "average_precision": "average_precision", "rmse": "rmse"}
"""The hub's names of metrics where they are not ours."""


def write_card(evidence: Evidence, said: Mapping[str, str] | None = None) -> str:
    """The card as Markdown. Every number is the evidence's, with its interval; what only people can say is taken from ``said`` (text by field of the statements) or prints NOT PROVIDED."""
    head, stated = _head(evidence), _Said(said or {})
    # Parsed back, so that a card that no reader of cards could read is never written
    return str(ModelCard(f"---\n{head.to_yaml()}\n---\n\n{chr(10).join(_body(evidence, stated))}\n"))


class _Said:
    """What people have said, ready for a line of Markdown."""

    def __init__(self, said: Mapping[str, str]) -> None:
        self._said = said

    def __call__(self, field: str) -> str:
        return in_markdown(" ".join(self._said[field].split()), LONGEST_STATEMENT) if field in self._said else NOT_PROVIDED


def _head(evidence: Evidence) -> ModelCardData:
    target = evidence.data.target
    name = visible(evidence.run.title, LONGEST) or evidence.run.id
    return ModelCardData(
        model_name=name, pipeline_tag=PIPELINE_TAGS[target.task] if target else "tabular-classification", tags=["tabular", "responsible-ai-audit"],
        metrics=_metrics(evidence) or None, eval_results=_results(evidence, PIPELINE_TAGS[target.task] if target else "tabular-classification") or None)


def _metrics(evidence: Evidence) -> list[str]:
    if isinstance(evidence.performance, NotMeasured):
        return []
    return [HUB_METRICS.get(metric, metric) for metric, value in evidence.performance.metrics.items() if isinstance(value, Estimate)]


def _results(evidence: Evidence, task: str) -> list[EvalResult]:
    if isinstance(evidence.performance, NotMeasured):
        return []
    return [
        EvalResult(
            task_type=task, dataset_type="tabular", dataset_name="the audited table", dataset_split="audit", dataset_revision=evidence.provenance.dataset_sha256,
            metric_type=HUB_METRICS.get(metric, metric), metric_value=value.value, metric_name=metric.replace("_", " "),
            metric_args={"low": value.low, "high": value.high, "level": value.level, "method": value.method, "n": value.n})
        for metric, value in evidence.performance.metrics.items() if isinstance(value, Estimate)
    ]


def _body(evidence: Evidence, said: _Said) -> Iterator[str]:
    hidden = withheld_groups(evidence)
    yield from (f"# {in_markdown(evidence.run.title) or evidence.run.id}", "")
    yield from (_about(evidence), "")
    yield from ("## Details", "", *_listed([("System and version", said("system")), ("Provider", said("provider")), ("Responsible person", said("responsible_person")), ("License", NOT_PROVIDED)]), "")
    yield from ("## Use", "", *_listed([
        ("Intended purpose", said("purpose")), ("Decision that it feeds", said("intended_use")), ("Out of scope", said("foreseeable_misuse")), ("Affected persons", said("affected_persons")),
        ("Human oversight", said("oversight"))]), "")
    yield from ("## Findings", "", *_findings(evidence, hidden), "")
    yield from ("## Factors", "", *_listed([
        ("Groups that were compared", ", ".join(map(in_markdown, evidence.spec.sensitive)) or "none declared"), ("Setting", said("setting")), ("Known gaps", said("known_gaps"))]), "")
    yield from ("## Training and evaluation data", "", *_listed(_data(evidence, said)), "")
    yield from ("## Metrics", "", *_listed([("Why these metrics", said("metric_rationale")), ("Cost of each error", said("error_costs"))]), "")
    if isinstance(evidence.performance, NotMeasured):
        yield from ("## Performance", "", f"Not measured: {in_markdown(evidence.performance.reason)}", "")
    else:
        yield from ("## Performance on the audit part", "", *_performance(evidence.performance), "")
    if isinstance(evidence.fairness, NotMeasured):
        yield from ("## Group fairness", "", f"Not measured: {in_markdown(evidence.fairness.reason)}", "")
    else:
        yield from ("## Group fairness", "", *_fairness(evidence.fairness, hidden), "")
    if not isinstance(evidence.reasons, NotMeasured):
        yield from ("## Reasons for unfavourable decisions", "", *_listed(_reasons(evidence.reasons)), "")
    if isinstance(evidence.slices, SlicesSection):
        yield from ("## Where the errors are", "", *_slices(evidence.slices), "")
    yield from ("## Ethical considerations", "", *_listed([
        ("Consequences for a person", said("consequences")), ("How a person contests a decision", said("contest_route")), ("Residual risk", said("residual_risk"))]), "")
    yield from ("## Caveats", "", *_listed([
        ("What the intervals speak of", in_markdown(evidence.design.population)), ("Known unintended outcomes", said("unintended"))]), "")
    yield from ("## Not measured", "", *_listed(_missing(evidence)), "")
    yield from ("## Evidence", "", *_listed([
        ("Run", f"`{evidence.run.id}`"), ("Digest", f"`{evidence.digest}`"), ("Model, SHA-256", f"`{evidence.provenance.model_sha256 or 'none'}`"),
        ("Finished", evidence.provenance.finished_at), ("Code", evidence.provenance.code_version)]))


def _findings(evidence: Evidence, hidden: frozenset[str]) -> Iterator[str]:
    public = [one for one in evidence.findings if may_be_public(one.evidence, evidence, hidden)]
    yield from (f"- **{one.severity}**: {in_markdown(one.text, 600)}" for one in public)
    if len(public) < len(evidence.findings):
        yield f"- {len(evidence.findings) - len(public)} more in the report: they speak of groups of which a public card says nothing."


def _about(evidence: Evidence) -> str:
    target = evidence.data.target
    if evidence.run.kind == "predictions" or target is None:
        return "Audit of predictions that were made elsewhere; the model itself was not seen."
    favourable = f" Favourable outcome: {', '.join(in_markdown(label) for label in target.favourable)}." if target.favourable else ""
    level = None if isinstance(evidence.performance, NotMeasured) else evidence.performance.quantile
    what = in_markdown(target.name) if level is None else f"the {level:g} quantile of {in_markdown(target.name)}"
    return f"A model that predicts {what} ({target.task}), trained and audited by its developer.{favourable}"


def _data(evidence: Evidence, said: _Said) -> list[tuple[str, str]]:
    data, spec = evidence.data, evidence.spec
    used = isinstance(spec, TaskSpec) and spec.sensitive_as_features
    return [
        ("Rows", whole(data.rows)), ("SHA-256", f"`{data.sha256}`"), ("Split", f"{data.split.method}: {whole(data.split.train)} to learn from, {whole(data.split.audit)} set aside for the audit"),
        ("Sensitive attributes", ", ".join(map(in_markdown, spec.sensitive)) or "none declared"), ("Sensitive attributes as inputs", "yes" if used else "no"),
        ("Origin", said("data_origin")), ("Lawful basis", said("lawful_basis")), ("Collection and labelling", said("labelling")),
    ]


def _performance(performance: PerformanceSection) -> list[str]:
    rows = [(name.replace("_", " "), estimate(value), whole(value.n) if isinstance(value, Estimate) else "") for name, value in performance.metrics.items()]
    return _table(("metric", "value (95 % interval)", "n"), rows)


def _fairness(fairness: FairnessSection, hidden: frozenset[str]) -> Iterator[str]:
    yield f"Limit that was stated for impact ratios: {fairness.limit.ratio:g}."
    for where, attributes in (("attributes", fairness.attributes), ("intersections", fairness.intersections)):
        for place, attribute in enumerate(attributes):
            yield from ("", f"### By {in_markdown(attribute.attribute)}", "", *_groups(attribute, f"/fairness/{where}/{place}/groups", fairness.limit.ratio, hidden))


def _groups(attribute: Attribute, pointer: str, limit: float, hidden: frozenset[str]) -> Iterator[str]:
    shown = [group for at, group in enumerate(attribute.groups) if f"{pointer}/{at}" not in hidden]
    # A ratio beside its rate tells the rate of the group that it is compared with
    compared = not any(group.group == attribute.reference and f"{pointer}/{at}" in hidden for at, group in enumerate(attribute.groups))
    yield from _table(("group", "n", "selection rate (95 % interval)", "impact ratio (95 % interval)", "against the limit"), [
        (group.group, whole(group.n), estimate(group.selection_rate, as_percent=True), ratio(group.impact_ratio, limit) if compared else "withheld",
         against_limit(group.impact_ratio) if isinstance(group.impact_ratio, Ratio) else "not computable")
        for group in shown])
    if len(shown) < len(attribute.groups):
        yield from ("", f"{len(attribute.groups) - len(shown)} groups are withheld: they have fewer than {LEAST} people, or are needed so that no such number can be found by subtraction.")


def _reasons(reasons: ReasonsSection) -> list[tuple[str, str]]:
    quality, rules = reasons.quality, reasons.policy
    often = [in_markdown(row.reason) for row in reasons.table if row.excluded is None and isinstance(row.stated, Estimate) and row.stated.value > 0][:rules.most]
    return [
        ("Method", f"shortfall against {rules.at_the_cut.source}; up to {rules.most} reasons a decision"),
        ("Stated most often", ", ".join(often) or "none"), ("Decisions without any reason", estimate(quality.none, as_percent=True)),
        ("Decisions with a reason that has no approved text", estimate(quality.without_approved_text, as_percent=True)),
    ]


def _slices(slices: SlicesSection) -> Iterator[str]:
    shares = "decisions" in slices.error
    yield f"Slices found on {slices.discovered_on}, measured on {slices.confirmed_on}; by {slices.error}, in all rows {estimate(slices.overall, as_percent=shares)}."
    if slices.rows:
        yield from ("", *_table(("where", "n", "in the slice (95 % interval)", "in all other rows", "than elsewhere"), [
            (one.words, whole(one.n), estimate(one.error, as_percent=shares), estimate(one.rest, as_percent=shares),
             "more, beyond sampling error" if one.label == "higher" else "inconclusive") for one in slices.rows]))


def _missing(evidence: Evidence) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), in_markdown(section.reason)) for name in type(evidence).model_fields if isinstance(section := getattr(evidence, name), NotMeasured)]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [columns, ["---"] * len(columns), *([in_markdown(cell) for cell in row] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def _listed(pairs: Sequence[tuple[str, str]]) -> list[str]:
    return [f"- {name}: {value}" for name, value in pairs]
