"""The model card: Markdown with the YAML head (``model-index``) that model hubs read. One more face of the Evidence, written without a network.

A card is for the public: groups of few people are withheld (`automl.disclosure`), and no person's row is in it. Its head has the fields of the hub's specification
(huggingface/hub-docs, modelcard.md): tags, metrics, pipeline tag and one result with all metrics of the one split; licence and datasets' names only people can say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

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
PARTS = {
    "search": "the search for a model", "performance": "performance", "fairness": "group fairness", "local_law_144": "the tables of Local Law 144", "explanation": "explanation", "reasons": "reasons for decisions",
    "mitigation": "mitigation alternatives", "slices": "error slices", "robustness": "robustness", "crosswalk": "the crosswalk",
}
"""The sections of the evidence that may not have been measured, in words."""


@dataclass(frozen=True)
class Tongue:
    """How a card is written: ``say`` puts a text of ours into ``lang``, within which ``quote`` marks what is not ours, and ``conditions`` what defines a slice. This one is English, as the evidence is."""

    lang: str = "en"
    say: Callable[[str], str] = lambda text: text
    quote: Callable[[str], str] = lambda text: text
    conditions: Callable[[str], str] = lambda text: text


ENGLISH = Tongue()


def write_card(evidence: Evidence, said: Mapping[str, str] | None = None, tongue: Tongue = ENGLISH) -> str:
    """The card as Markdown, its head in the hub's English. Every number is the evidence's, with its interval; what only people can say is taken from ``said`` (text by field of the statements) or prints
    NOT PROVIDED."""
    head = _head(evidence, tongue.lang)
    # Parsed back, so that a card that no reader of cards could read is never written
    return str(ModelCard(f"---\n{head.to_yaml()}\n---\n\n{chr(10).join(_body(evidence, said or {}, tongue))}\n"))


def _head(evidence: Evidence, lang: str) -> ModelCardData:
    target = evidence.data.target
    name = visible(evidence.run.title, LONGEST) or evidence.run.id
    return ModelCardData(
        language=None if lang == ENGLISH.lang else lang, model_name=name, pipeline_tag=PIPELINE_TAGS[target.task] if target else "tabular-classification", tags=["tabular", "responsible-ai-audit"],
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


def _body(evidence: Evidence, statements: Mapping[str, str], tongue: Tongue) -> Iterator[str]:
    """Lines of the card. Our own words are said in the tongue last of all, with names of the data quoted within them."""
    hidden = withheld_groups(evidence)

    def said(field: str) -> str:
        return tongue.quote(in_markdown(" ".join(statements[field].split()), LONGEST_STATEMENT)) if field in statements else NOT_PROVIDED

    def listed(pairs: Sequence[tuple[str, str]]) -> list[str]:
        return [f"- {tongue.say(name)}: {tongue.say(value)}" for name, value in pairs]

    def titled(title: str, lines: Sequence[str] | Iterator[str]) -> list[str]:
        return [f"## {tongue.say(title)}", "", *lines, ""]

    yield from (f"# {in_markdown(evidence.run.title) or evidence.run.id}", "")
    yield from (tongue.say(_about(evidence, tongue)), "")
    yield from titled("Details", listed([("System and version", said("system")), ("Provider", said("provider")), ("Responsible person", said("responsible_person")), ("License", NOT_PROVIDED)]))
    yield from titled("Use", listed([
        ("Intended purpose", said("purpose")), ("Decision that it feeds", said("intended_use")), ("Out of scope", said("foreseeable_misuse")), ("Affected persons", said("affected_persons")),
        ("Human oversight", said("oversight"))]))
    yield from titled("Findings", _findings(evidence, hidden, tongue))
    yield from titled("Factors", listed([
        ("Groups that were compared", _names(evidence.spec.sensitive, tongue) or "none declared"), ("Setting in which it is used", said("setting")), ("Known gaps", said("known_gaps"))]))
    yield from titled("Training and evaluation data", listed([
        *_data(evidence, tongue), ("Origin", said("data_origin")), ("Lawful basis", said("lawful_basis")), ("Collection and labelling", said("labelling"))]))
    yield from titled("Metrics", listed([("Why these metrics", said("metric_rationale")), ("Cost of each error", said("error_costs"))]))
    if isinstance(evidence.performance, NotMeasured):
        yield from titled("Performance", [_not_measured(evidence.performance, tongue)])
    else:
        yield from titled("Performance on the audit part", _performance(evidence.performance, tongue))
    yield from titled("Group fairness", [_not_measured(evidence.fairness, tongue)] if isinstance(evidence.fairness, NotMeasured) else _fairness(evidence.fairness, hidden, tongue))
    if not isinstance(evidence.reasons, NotMeasured):
        yield from titled("Reasons for unfavourable decisions", listed(_reasons(evidence.reasons, tongue)))
    if isinstance(evidence.slices, SlicesSection):
        yield from titled("Where the errors are", _slices(evidence.slices, tongue))
    yield from titled("Ethical considerations", listed([
        ("Consequences for a person", said("consequences")), ("How a person contests a decision", said("contest_route")), ("Residual risk", said("residual_risk"))]))
    yield from titled("Caveats", listed([("What the intervals speak of", in_markdown(tongue.say(evidence.design.population))), ("Known unintended outcomes", said("unintended"))]))
    yield from titled("Not measured", _missing(evidence, tongue))
    yield from titled("Evidence", listed([
        ("Run", tongue.quote(f"`{evidence.run.id}`")), ("Digest", tongue.quote(f"`{evidence.digest}`")), ("Model, SHA-256", tongue.quote(f"`{evidence.provenance.model_sha256}`") if evidence.provenance.model_sha256 else "`none`"),
        ("Finished", tongue.quote(evidence.provenance.finished_at)), ("Code", tongue.quote(evidence.provenance.code_version))]))[:-1]


def _names(names: Sequence[str], tongue: Tongue) -> str:
    return ", ".join(tongue.quote(in_markdown(name)) for name in names)


def _not_measured(section: NotMeasured, tongue: Tongue) -> str:
    return f"{tongue.say('Not measured')}: {in_markdown(tongue.say(section.reason))}"


def _findings(evidence: Evidence, hidden: frozenset[str], tongue: Tongue) -> Iterator[str]:
    public = [one for one in evidence.findings if may_be_public(one.evidence, evidence, hidden)]
    yield from (f"- **{tongue.say(one.severity)}**: {in_markdown(tongue.say(one.text), 600)}" for one in public)
    if len(public) < len(evidence.findings):
        yield "- " + tongue.say(f"{len(evidence.findings) - len(public)} more in the report: they speak of groups of which a public card says nothing.")


def _about(evidence: Evidence, tongue: Tongue) -> str:
    target = evidence.data.target
    if evidence.run.kind == "predictions" or target is None:
        return "Audit of predictions that were made elsewhere; the model itself was not seen."
    favourable = f" Favourable outcome: {_names(target.favourable, tongue)}." if target.favourable else ""
    level = None if isinstance(evidence.performance, NotMeasured) else evidence.performance.quantile
    name = tongue.quote(in_markdown(target.name))
    what = name if level is None else f"the {level:g} quantile of {name}"
    return f"A model that predicts {what} ({target.task}), trained and audited by its developer.{favourable}"


def _data(evidence: Evidence, tongue: Tongue) -> list[tuple[str, str]]:
    data, spec = evidence.data, evidence.spec
    used = isinstance(spec, TaskSpec) and spec.sensitive_as_features
    return [
        ("Rows", whole(data.rows)), ("SHA-256", tongue.quote(f"`{data.sha256}`")), ("Split", f"{data.split.method}: {whole(data.split.train)} rows to learn from, {whole(data.split.audit)} set aside for the audit"),
        ("Sensitive attributes", _names(spec.sensitive, tongue) or "none declared"), ("Sensitive attributes as inputs", "yes" if used else "no"),
    ]


def _performance(performance: PerformanceSection, tongue: Tongue) -> list[str]:
    rows = [(tongue.say(name.replace("_", " ")), tongue.say(estimate(value)), tongue.say(whole(value.n)) if isinstance(value, Estimate) else "") for name, value in performance.metrics.items()]
    return _table(("metric", "value (95 % interval)", "n"), rows, tongue)


def _fairness(fairness: FairnessSection, hidden: frozenset[str], tongue: Tongue) -> Iterator[str]:
    yield tongue.say(f"Limit that was stated for impact ratios: {fairness.limit.ratio:g}.")
    for where, attributes in (("attributes", fairness.attributes), ("intersections", fairness.intersections)):
        for place, attribute in enumerate(attributes):
            title = tongue.say(f"By {tongue.quote(in_markdown(attribute.attribute))}")
            yield from ("", f"### {title}", "", *_groups(attribute, f"/fairness/{where}/{place}/groups", fairness.limit.ratio, hidden, tongue))


def _groups(attribute: Attribute, pointer: str, limit: float, hidden: frozenset[str], tongue: Tongue) -> Iterator[str]:
    shown = [group for at, group in enumerate(attribute.groups) if f"{pointer}/{at}" not in hidden]
    # A ratio beside its rate tells the rate of the group that it is compared with
    compared = not any(group.group == attribute.reference and f"{pointer}/{at}" in hidden for at, group in enumerate(attribute.groups))
    yield from _table(("group", "n", "selection rate (95 % interval)", "impact ratio (95 % interval)", "against the limit"), [
        (group.group, *map(tongue.say, (
            whole(group.n), estimate(group.selection_rate, as_percent=True), ratio(group.impact_ratio, limit) if compared else "withheld",
            against_limit(group.impact_ratio) if isinstance(group.impact_ratio, Ratio) else "not computable")))
        for group in shown], tongue)
    if len(shown) < len(attribute.groups):
        yield from ("", tongue.say(f"{len(attribute.groups) - len(shown)} groups are withheld: they have fewer than {LEAST} people, or are needed so that no such number can be found by subtraction."))


def _reasons(reasons: ReasonsSection, tongue: Tongue) -> list[tuple[str, str]]:
    quality, rules = reasons.quality, reasons.policy
    often = [row.reason for row in reasons.table if row.excluded is None and isinstance(row.stated, Estimate) and row.stated.value > 0][:rules.most]
    return [
        ("Method", f"shortfall against {rules.at_the_cut.source}; up to {rules.most} reasons a decision"),
        ("Stated most often", _names(often, tongue) or "none"), ("Decisions without any reason", estimate(quality.none, as_percent=True)),
        ("Decisions with a reason that has no approved text", estimate(quality.without_approved_text, as_percent=True)),
    ]


def _slices(slices: SlicesSection, tongue: Tongue) -> Iterator[str]:
    shares = "decisions" in slices.error
    yield tongue.say(f"Slices found on {slices.discovered_on}, measured on {slices.confirmed_on}; by {slices.error}, in all rows {estimate(slices.overall, as_percent=shares)}.")
    if slices.rows:
        yield from ("", *_table(("where", "n", "in the slice (95 % interval)", "in all other rows", "than elsewhere"), [
            tuple(map(tongue.say, (
                tongue.conditions(one.words), whole(one.n), estimate(one.error, as_percent=shares), estimate(one.rest, as_percent=shares), "more, beyond sampling error" if one.label == "higher" else "inconclusive")))
            for one in slices.rows], tongue))


def _missing(evidence: Evidence, tongue: Tongue) -> list[str]:
    return [f"- {tongue.say(PARTS.get(name, name))}: {in_markdown(tongue.say(section.reason))}" for name in type(evidence).model_fields if isinstance(section := getattr(evidence, name), NotMeasured)]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], tongue: Tongue) -> list[str]:
    lines = [[tongue.say(column) for column in columns], ["---"] * len(columns), *([in_markdown(cell) for cell in row] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]
