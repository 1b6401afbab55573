"""The answers of somebody who is setting up an audit, kept in the session step by step, and the spec that they add up to.

A draft belongs to one dataset. Going back shows what was answered; nothing is asked twice. Column and label names are kept as they
are in the table: forms send positions, because a browser may alter a text on its way (line ends, for one).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from django.contrib.sessions.backends.base import SessionBase
from django.utils.translation import gettext as _, ngettext

from auditapp.languages.chosen import EVIDENCE_LANGUAGE, in_english, numbers
from auditapp.languages.sentences import in_german
from auditapp.templatetags.audit import metric_name
from automl.evidence import Bar, ColumnProfile, DatasetProfile, GoverningChoice
from automl.printing import GOVERNING_WORDS, PART_WORDS, PROFILE_WORDS, visible
from automl.question_tree import governing_choice
from automl.spec import DEFAULT_MISSING, METRICS_OF_TASK, LocalLaw144, PredictionsSpec, Spec, TableOptions, TaskKind, TaskSpec, parse_spec

Kind = Literal["training", "predictions"]
Step = Literal["columns", "target", "outcome", "predictions", "attributes", "governing", "groups", "law", "reasons", "budget", "check"]

STEPS: dict[str, tuple[Step, ...]] = {
    "training": ("columns", "target", "outcome", "attributes", "governing", "groups", "law", "reasons", "budget", "check"),
    "predictions": ("columns", "predictions", "attributes", "governing", "groups", "law", "check"),
}
STEP_OF_POINTER: dict[str, Step] = {
    "target": "target", "task": "target", "positive": "outcome", "favourable": "outcome", "sensitive": "attributes", "sensitive_as_features": "attributes",
    "intersections": "attributes", "limit": "attributes", "local_law_144": "law", "profile": "attributes", "cohorts": "attributes", "governing": "attributes", "reasons": "reasons", "bins": "groups", "reference": "groups", "population": "groups", "metric": "budget", "quantile": "budget", "budget": "budget", "families": "budget", "parallel": "budget",
    "simple": "budget", "leave_out": "budget", "explain_rows": "budget", "report_language": "check", "fairness_objective": "budget", "seed": "budget", "group": "budget", "time": "budget", "audit_fraction": "budget", "roles": "columns", "weight": "columns",
    "missing": "columns", "table": "columns", "label": "predictions", "score": "predictions", "decision": "predictions", "threshold": "predictions",
}
"""Where each field of the spec is asked, so that a refusal can link to its question."""

KEPT_DRAFTS = 10
"""In a session; the oldest goes first."""

NUMERIC = ("integer", "number")


@dataclass
class Draft:
    kind: Kind = "training"
    title: str = ""
    table: dict[str, Any] = field(default_factory=dict)
    missing: list[str] = field(default_factory=lambda: list(DEFAULT_MISSING))
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    earlier_roles: dict[str, str] = field(default_factory=dict)
    """What an earlier run of the same answers called its columns; shown before the profile's proposals."""
    reasons: dict[str, Any] = field(default_factory=dict)
    """The reason policy of an earlier run or of the sample, where the page of reasons has not been answered: nothing may lose it."""
    profile: str | None = None
    """Of an earlier run, until the attributes are answered: whose law the decisions are made under."""
    leave_out: list[str] = field(default_factory=list)
    """Of a training asked on the budget page; of an audit of predictions as ``reasons``."""
    report_language: str = ""
    """Asked for last, with the name; "": that of the page."""

    @property
    def options(self) -> TableOptions:
        return TableOptions.model_validate(self.table)

    @property
    def reasons_said(self) -> dict[str, Any]:
        """The reason policy as it stands."""
        return self.answers.get("reasons", self.reasons)

    def get(self, step: Step, name: str, default: Any = None) -> Any:
        return self.answers.get(step, {}).get(name, default)

    @classmethod
    def from_spec(cls, spec: Spec) -> Draft:
        """The answers that would have given ``spec``: to start from an earlier run or from the sample. A spec has no answers about leaks, so columns are asked again."""
        draft = cls("training" if isinstance(spec, TaskSpec) else "predictions", spec.title, spec.table.model_dump(exclude_none=True), list(spec.missing))
        draft.earlier_roles = dict(spec.roles) if isinstance(spec, TaskSpec) else {}
        draft.profile, draft.leave_out, draft.report_language = spec.profile, list(spec.leave_out), spec.report_language or ""
        draft.reasons = spec.reasons.model_dump(mode="json", exclude_defaults=True) if isinstance(spec, TaskSpec) else {}
        favourable = list(spec.favourable) if isinstance(spec.favourable, tuple) else spec.favourable
        outcome = {"positive": spec.positive, "favourable": favourable if favourable is not None else spec.positive}
        draft.answers["attributes"] = {"sensitive": list(spec.sensitive), "none": not spec.sensitive, "intersections": spec.intersections, "limit": spec.limit.ratio,
                                       "as_features": isinstance(spec, TaskSpec) and spec.sensitive_as_features}
        if spec.cohorts:
            draft.answers["attributes"]["cohorts"] = [one.model_dump(mode="json") for one in spec.cohorts]
        if spec.local_law_144 is not None:
            draft.answers["law"] = spec.local_law_144.model_dump(mode="json")
            draft.answers["attributes"]["law"] = True
        if spec.governing is not None:
            draft.answers["attributes"] |= {"governing": spec.governing.metric or "ask", "governing_reason": spec.governing.reason}
            if spec.governing.answers is not None:
                draft.answers["governing"] = spec.governing.answers.model_dump()
        draft.answers["groups"] = {"bins": {name: list(edges) for name, edges in spec.bins.items()}, "reference": dict(spec.reference)}
        if spec.population is not None:
            draft.answers["groups"]["population"] = spec.population.model_dump(mode="json")
        if isinstance(spec, PredictionsSpec):
            draft.answers["predictions"] = {"label": spec.label, "score": spec.score, "decision": spec.decision, "threshold": spec.threshold, **outcome}
            return draft
        draft.answers["target"] = {"target": spec.target, "task": spec.task or ""}
        draft.answers["outcome"] = {**outcome, "left_out": False}
        draft.answers["budget"] = {
            "seconds": spec.budget.seconds, "trials": spec.budget.trials, "metric": spec.metric or "", "quantile": spec.quantile, "families": list(spec.families), "simple": spec.simple, "time": spec.time,
            "group": spec.group, "audit_fraction": spec.audit_fraction, "seed": spec.seed, "parallel": spec.parallel,
            "fairness_objective": None if spec.fairness_objective is None else spec.fairness_objective.model_dump(), "leave_out": list(spec.leave_out), "explain_rows": list(spec.explain_rows)}
        return draft


def read(session: SessionBase, dataset_id: str) -> Draft:
    """The draft for this dataset; a fresh one where there is none."""
    kept = session.get("drafts", {}).get(dataset_id)
    return Draft(**kept) if kept else Draft()


def keep(session: SessionBase, dataset_id: str, draft: Draft) -> None:
    drafts = {key: value for key, value in session.get("drafts", {}).items() if key != dataset_id}
    drafts[dataset_id] = asdict(draft)
    session["drafts"] = dict(list(drafts.items())[-KEPT_DRAFTS:])


def drop(session: SessionBase, dataset_id: str) -> None:
    session["drafts"] = {key: value for key, value in session.get("drafts", {}).items() if key != dataset_id}


def answer(draft: Draft, step: Step, answers: dict[str, Any]) -> None:
    """Keep the answers of ``step`` and forget later ones that another target or another set of attributes has made meaningless."""
    before = draft.answers.get(step)
    draft.answers[step] = answers
    if before is not None and step == "target" and before != answers:
        draft.answers.pop("outcome", None)
        if budget := draft.answers.get("budget"):
            # How long, with which models and by which seed is about no target; the metric and the columns may not fit the new one
            draft.answers["budget"] = {**budget, "metric": "", "quantile": None, **{name: None for name in ("time", "group") if budget.get(name) == answers.get("target")}}
    if step == "attributes":
        draft.profile = answers.get("profile", draft.profile)
        for page in ("law", "reasons"):
            if not answers.get(page):
                draft.answers.pop(page, None)
        if "law" in draft.answers and not {draft.get("law", "sex"), draft.get("law", "race")} - {None} <= set(answers["sensitive"]):
            draft.answers.pop("law")  # it is asked again: other attributes are other tables
    if step == "attributes" and (objective := draft.get("budget", "fairness_objective")):
        sensitive = answers["sensitive"]
        if not sensitive or objective["attribute"] not in (None, *sensitive):
            draft.answers["budget"] = {**draft.answers["budget"], "fairness_objective": None}


def steps_of(draft: Draft) -> tuple[Step, ...]:
    """The steps that apply: groups are only asked for where an attribute was chosen, some pages only where somebody asked for them."""
    said = draft.answers.get("attributes", {})
    skip = {"groups"} if said and not said.get("sensitive") else set()
    skip |= {step for step, asked in (("governing", said.get("governing") == "ask"), ("law", said.get("law")), ("reasons", said.get("reasons"))) if not asked}
    return tuple(step for step in STEPS[draft.kind] if step not in skip)


def next_step(draft: Draft, step: Step) -> Step:
    steps = steps_of(draft)
    return steps[min(steps.index(step) + 1, len(steps) - 1)]


def first_open(draft: Draft) -> Step:
    """The first step without an answer: nobody can jump over a question."""
    return next((step for step in steps_of(draft) if step not in draft.answers and step != "check"), "check")


def column(profile: DatasetProfile, name: str | None) -> ColumnProfile | None:
    return next((column for column in profile.columns if column.name == name), None)


def levels(column: ColumnProfile) -> tuple[Bar, ...]:
    """All values of a column with their counts; empty where the profile does not list every one of them."""
    if (column.type in NUMERIC and column.distinct > 2) or len(column.histogram) != column.distinct:
        return ()
    return column.histogram


def is_binned(column: ColumnProfile) -> bool:
    """Whether its groups are ranges of numbers."""
    return column.type in NUMERIC and bool(column.default_bins)


def edges_text(edges: Sequence[float]) -> str:
    """Edges with all their digits, as the form takes them."""
    return ", ".join(str(int(edge)) if edge.is_integer() and abs(edge) < 1e15 else repr(edge) for edge in map(float, edges))


def quartiles_of(spec: Spec) -> str:
    """How numbers are cut where nobody gave edges: never by rows that the model is audited on."""
    return _("cut at the quartiles of the rows to learn from") if isinstance(spec, TaskSpec) else _("cut at the quartiles of all rows")


def task_of(draft: Draft, profile: DatasetProfile) -> TaskKind | None:
    """The task that was chosen, else the one that the target's values suggest."""
    target = column(profile, draft.get("target", "target"))
    return draft.get("target", "task") or (target.could_be_target if target else None)


def roles(draft: Draft, profile: DatasetProfile) -> dict[str, str]:
    """Every column's role: as answered, else as proposed; a column whose suspected leak is left out is ignored."""
    chosen, leaks = draft.get("columns", "roles", {}), draft.get("columns", "leaks", {})
    return {c.name: "ignore" if leaks.get(c.name) == "leave" else chosen.get(c.name) or draft.earlier_roles.get(c.name, c.proposal.role) for c in profile.columns}


def spec_of(draft: Draft, profile: DatasetProfile) -> Spec:
    """The spec that the answers add up to; raises BadInput with a pointer to the field that does not fit."""
    document = _training(draft, profile) if draft.kind == "training" else _predictions(draft, profile)
    spec = parse_spec(document, draft.kind)
    governing_of(spec, task_of(draft, profile))
    return spec


def governing_of(spec: Spec, task: TaskKind | None) -> GoverningChoice | None:
    """The metric that governs, as far as it is known before the table is read. Raises BadInput where metric and task do not go together.

    Which task predictions are of only their table tells: two classes where a yes was named."""
    known = task if isinstance(spec, TaskSpec) else "binary" if spec.positive is not None else None
    return None if known is None else governing_choice(spec, known, recorded=isinstance(spec, TaskSpec) or spec.label is not None)


def _shared(draft: Draft, profile: DatasetProfile) -> dict[str, Any]:
    weights = [name for name, role in roles(draft, profile).items() if role == "weight"]
    return {
        "title": draft.title, "sensitive": draft.get("attributes", "sensitive", []), "intersections": draft.get("attributes", "intersections", 2),
        "limit": {"ratio": draft.get("attributes", "limit", 0.8)}, "bins": draft.get("groups", "bins", {}), "reference": draft.get("groups", "reference", {}),
        "weight": weights[0] if weights else None, "missing": draft.missing, "table": draft.table,
        "local_law_144": draft.answers.get("law"), "profile": draft.profile, "governing": _governing(draft), "cohorts": draft.get("attributes", "cohorts", []), "population": _population(draft), "leave_out": draft.get("budget", "leave_out", draft.leave_out),
        "report_language": None if draft.report_language in ("", EVIDENCE_LANGUAGE) else draft.report_language,
    }


def _population(draft: Draft) -> dict[str, Any] | None:
    """Of the attributes that are still compared."""
    kept = draft.get("groups", "population") or {"shares": {}}
    shares = {name: groups for name, groups in kept["shares"].items() if name in draft.get("attributes", "sensitive", [])}
    return {**kept, "shares": shares} if shares else None


def _governing(draft: Draft) -> dict[str, Any] | None:
    """The metric that was named, the answers that lead to one, or both; None where nothing governs."""
    how = draft.get("attributes", "governing", "")
    if not how:
        return None
    return {"metric": None if how == "ask" else how, "answers": draft.answers.get("governing"), "reason": draft.get("attributes", "governing_reason", "")}


def _training(draft: Draft, profile: DatasetProfile) -> dict[str, Any]:
    budget, target = draft.answers.get("budget", {}), draft.get("target", "target", "")
    spec = _shared(draft, profile)
    named = {target, spec["weight"], budget.get("group"), budget.get("time"), *spec["sensitive"]}
    return spec | {
        "target": target, "task": draft.get("target", "task") or None, "positive": draft.get("outcome", "positive"), "favourable": draft.get("outcome", "favourable"),
        "sensitive_as_features": draft.get("attributes", "as_features", False), "metric": budget.get("metric") or None, "quantile": budget.get("quantile"),
        "budget": {"seconds": budget.get("seconds"), "trials": budget.get("trials")}, "families": budget.get("families", []), "simple": budget.get("simple", False),
        "audit_fraction": budget.get("audit_fraction", 0.25), "seed": budget.get("seed", 0), "parallel": budget.get("parallel", 1), "group": budget.get("group"), "time": budget.get("time"),
        "fairness_objective": budget.get("fairness_objective") if task_of(draft, profile) != "regression" else None, "reasons": draft.reasons_said,
        "explain_rows": budget.get("explain_rows", []),
        "roles": {name: _spare(role) for name, role in roles(draft, profile).items() if name not in named},
    }


def _spare(role: str) -> str:
    """What becomes of a role that no answer took up: a second outcome, a withheld attribute or an unused key never turns into a feature by itself."""
    return {"target": "ignore", "sensitive": "ignore", "weight": "ignore", "group": "id", "time": "date"}.get(role, role)


def _predictions(draft: Draft, profile: DatasetProfile) -> dict[str, Any]:
    answers = draft.answers.get("predictions", {})
    return _shared(draft, profile) | {name: answers.get(name) for name in ("label", "score", "decision", "threshold", "positive", "favourable")}


@dataclass(frozen=True)
class Answer:
    """One line of "check your answers"."""

    step: Step
    question: str
    answer: str


def _said(sentence: str) -> str:
    """What the engine says, in the page's language where that is known."""
    return sentence if in_english() else in_german(sentence) or sentence


def answers_of(spec: Spec, profile: DatasetProfile, task: TaskKind | None) -> list[Answer]:
    """What was answered, in the order it was asked."""
    lines = [Answer("columns", _("Table"), _("%(rows)s rows, %(columns)s columns") % {"rows": numbers(f"{profile.rows:,}"), "columns": numbers(f"{len(profile.columns):,}")})]
    if isinstance(spec, TaskSpec):
        lines += [
            Answer("columns", _("Left out of the model"), _listed(_not_learned_from(spec, profile)) or _("nothing")),
            Answer("target", _("Predict"), f"{spec.target} ({_said(task) if task else _('task decided by its values')})"),
        ]
        if task != "regression":
            lines.append(Answer("outcome", _("Outcome"), outcome_sentence(spec.target, spec.positive, spec.favourable)))
    else:
        lines.append(Answer("predictions", _("Predictions"), _predictions_sentence(spec)))
        if good := _good_prediction(spec):
            lines.append(Answer("predictions", _("Outcome"), good))
    lines.append(Answer("attributes", _("Sensitive attributes"), _listed(spec.sensitive) or _("none: fairness will read \"not measured\"")))
    if spec.sensitive:
        lines += [Answer("attributes", _("Limit"), _("impact ratio of %(ratio)s, as a convention that you chose") % {"ratio": numbers(f"{spec.limit.ratio:g}")}),
                  Answer("attributes", _("Crossings"), _depth(spec.intersections)),
                  *([Answer("attributes", _("Profile"), _(PROFILE_WORDS[spec.profile]))] if spec.profile is not None else []),
                  *_governing_answers(spec, task),
                  *([Answer("law", _("Local Law 144"), _law_words(spec.local_law_144))] if spec.local_law_144 is not None else []),
                  *[Answer("groups", _("Groups of %(name)s") % {"name": c.name}, _("cut at %(edges)s") % {"edges": edges_text(spec.bins[c.name])} if c.name in spec.bins else quartiles_of(spec))
                    for c in profile.columns if c.name in spec.bins or (c.name in spec.sensitive and is_binned(c))],
                  *[Answer("groups", _("Reference of %(name)s") % {"name": name}, group) for name, group in spec.reference.items()],
                  *([] if spec.population is None else [Answer("groups", _("Population to compare with"), f"{_listed(spec.population.shares)}: {spec.population.source}")])]
    if spec.cohorts:
        lines.append(Answer("attributes", _("Cohorts"), _listed([one.name for one in spec.cohorts])))
    if isinstance(spec, TaskSpec):
        if spec.reasons.table:
            lines.append(Answer("attributes", _("Reason table"), ngettext("%(n)s input", "%(n)s inputs", len(spec.reasons.table)) % {"n": len(spec.reasons.table)}))
        lines += [Answer("budget", _("Budget"), budget_words(spec)), Answer("budget", _("Metric"), metric_words(spec, task)),
                  Answer("budget", _("Models"), ", ".join(spec.families) or _("all families")),
                  *([] if spec.fairness_objective is None else [Answer("budget", _("Second objective"), objective_words(spec))]), Answer("budget", _("Split"), split_words(spec)), Answer("budget", _("Seed"), str(spec.seed))]
        if spec.explain_rows:
            lines.append(Answer("budget", _("Rows to explain"), ", ".join(map(str, spec.explain_rows))))
        if spec.parallel > 1:
            lines.append(Answer("budget", _("Workers"), _("up to %(n)s at once; not reproducible trial by trial") % {"n": spec.parallel}))
    if spec.leave_out:
        lines.append(Answer("budget" if isinstance(spec, TaskSpec) else "attributes", _("Not measured"), "; ".join(_(PART_WORDS[part]) for part in spec.leave_out)))
    return lines


def _governing_answers(spec: Spec, task: TaskKind | None) -> list[Answer]:
    """Which metric governs and why, and, where the questions lead to another one, that."""
    choice = governing_of(spec, task)
    if spec.governing is None or choice is None:
        return [] if spec.governing is None else [Answer("attributes", _("Metric that governs"), _("as the task turns out"))]
    other = _("The questions lead to %(metric)s.") % {"metric": _(GOVERNING_WORDS[choice.recommended])} if choice.recommended not in (None, choice.metric) else ""
    words = " ".join(filter(None, (f"{_(GOVERNING_WORDS[choice.metric])}.", *(_said(sentence) for sentence in choice.rationale), other, choice.reason)))
    return [Answer("governing" if choice.chosen_by == "questions" else "attributes", _("Metric that governs"), words)]


def _law_words(law: LocalLaw144) -> str:
    named = [_("%(attribute)s is %(what)s") % {"attribute": visible(name, 60), "what": what} for name, what in ((law.sex, _("sex")), (law.race, _("race or ethnicity"))) if name is not None]
    return "; ".join([*named, *[_("%(category)s left out") % {"category": one.category} for one in law.exclude]])


def metric_words(spec: TaskSpec, task: TaskKind | None) -> str:
    if spec.quantile is not None:
        return _("%(m)s at the level %(q)s") % {"m": metric_name(spec.metric), "q": f"{spec.quantile:g}"}
    return metric_name(spec.metric) or _("the usual one: %(m)s") % {"m": metric_name(METRICS_OF_TASK[task][0]) if task else "–"}


def _not_learned_from(spec: TaskSpec, profile: DatasetProfile) -> list[str]:
    """Every column beside the target that is no input, for whatever reason: who reads the line must not take a withheld attribute for one that is used."""
    apart = {spec.weight, spec.group, spec.time, *(() if spec.sensitive_as_features else spec.sensitive)}
    return [c.name for c in profile.columns if c.name != spec.target
            and (c.name in apart or spec.roles.get(c.name, c.proposal.role) in ("id", "ignore") or c.type in ("constant", "empty"))]


def plan_of(spec: Spec, profile: DatasetProfile) -> list[str]:
    """`plan_sentences` of a spec that no draft led to."""
    target = column(profile, spec.target) if isinstance(spec, TaskSpec) else None
    return plan_sentences(spec, profile, (spec.task if isinstance(spec, TaskSpec) else None) or (target.could_be_target if target else None))


def plan_sentences(spec: Spec, profile: DatasetProfile, task: TaskKind | None) -> list[str]:
    """What will be done, in order, in words."""
    if isinstance(spec, PredictionsSpec):
        plan = [_("Read the table and take %(what)s as they are; no model is trained.") % {"what": _predictions_sentence(spec)}]
    else:
        target = column(profile, spec.target)
        rows, left = numbers(f"{profile.rows:,}"), target.missing if target else 0
        plan = [_("Read %(rows)s rows; leave out %(left)s without a value of %(target)s.") % {"rows": rows, "left": numbers(f"{left:,}"), "target": spec.target} if left else
                _("Read %(rows)s rows; all of them have a value of %(target)s.") % {"rows": rows, "target": spec.target},
                _("Set aside %(share)g %% of the rows as the audit part (%(split)s). It is opened once, after every choice has been made.") % {
                    "share": spec.audit_fraction * 100, "split": split_words(spec)},
                _("Search for a model on the other rows for %(budget)s, by cross-validation, and combine the best ones.") % {"budget": budget_words(spec)},
                _("Measure on the audit part how well the model does, with uncertainty, next to a baseline that knows nothing.")]
        if spec.fairness_objective is not None:
            plan.insert(3, _("Let the search look for models with a better %(objective)s as well, and show those that no other one beats in both.") % {"objective": objective_words(spec)})
    if spec.sensitive:
        plan.append(_("Compare %(names)s: selection rates, impact ratios against the limit of %(ratio)s, error rates and calibration, each with its interval.") % {
            "names": _listed(spec.sensitive), "ratio": numbers(f"{spec.limit.ratio:g}")})
    if spec.population is not None:
        plan.append(_("Compare the shares of the groups of %(names)s with those of the population that you named.") % {"names": _listed(spec.population.shares)})
    if spec.cohorts:
        plan.append(_("Look at the rows of %(names)s by themselves: their errors beside all other rows', and the groups within them.") % {"names": _listed([one.name for one in spec.cohorts])})
    if isinstance(spec, TaskSpec):
        used = _("are features as well") if spec.sensitive_as_features else _("are not features")
        plan.append((_("The sensitive attributes %(used)s.") % {"used": used} + " " if spec.sensitive else "") + _("Explain which inputs move the output, overall and by group."))
    plan.append(_("Write everything into evidence.json, draw it as a PDF and sign that."))
    return plan


def outcome_sentence(target: str, positive: str | None, favourable: str | tuple[str, ...] | None) -> str:
    if isinstance(favourable, tuple):
        return _("Being predicted %(labels)s is good for the person.") % {"labels": _listed(favourable)}
    if positive is None:
        return _("We predict %(target)s.") % {"target": target}
    if favourable is None or favourable == positive:
        return _("We predict whether %(target)s is %(positive)s. Being predicted %(positive)s is good for the person.") % {"target": target, "positive": positive}
    return _("We predict whether %(target)s is %(positive)s. Being predicted %(positive)s is bad for the person; %(favourable)s is good.") % {
        "target": target, "positive": positive, "favourable": favourable}


def _good_prediction(spec: PredictionsSpec) -> str:
    """The answer that turns every ratio round where it is wrong; empty where nothing was said, as for predicted numbers."""
    if isinstance(spec.favourable, tuple):
        return outcome_sentence("", spec.positive, spec.favourable)
    if spec.positive is None:
        return ""
    if spec.favourable in (None, spec.positive):
        return _("Being predicted %(positive)s is good for the person.") % {"positive": spec.positive}
    return _("Being predicted %(positive)s is bad for the person; %(favourable)s is good.") % {"positive": spec.positive, "favourable": spec.favourable}


def budget_words(spec: TaskSpec) -> str:
    parts = []
    if spec.budget.seconds is not None:
        minutes, seconds = divmod(round(spec.budget.seconds), 60)
        parts.append(_("%(n)s s") % {"n": seconds} if not minutes else _("%(n)s min") % {"n": minutes} if not seconds else _("%(m)s min %(s)s s") % {"m": minutes, "s": seconds})
    if spec.budget.trials is not None:
        parts.append(ngettext("%(n)s trial", "%(n)s trials", spec.budget.trials) % {"n": spec.budget.trials})
    return _(" or ").join(parts) + (_(", whichever ends first") if len(parts) == 2 else "")


def objective_words(spec: TaskSpec) -> str:
    """What the search is asked for beside its metric."""
    if spec.fairness_objective is None:
        return _("none")
    names = spec.sensitive if spec.fairness_objective.attribute is None else (spec.fairness_objective.attribute,)
    return _("%(metric)s between the groups of %(names)s") % {"metric": spec.fairness_objective.metric.replace("_", " "), "names": _listed(names)}


def split_words(spec: TaskSpec) -> str:
    if spec.time:
        return _("the latest rows by %(name)s") % {"name": spec.time}
    if spec.group:
        return _("all rows with the same %(name)s on one side") % {"name": spec.group}
    return _("at random, with the shares of the target kept")


def _depth(depth: int) -> str:
    return _("each attribute by itself") if depth == 1 else _("up to %(depth)s attributes crossed") % {"depth": depth}


def _predictions_sentence(spec: PredictionsSpec) -> str:
    named = ((_("score"), spec.score), (_("decision"), spec.decision), (_("true label"), spec.label))
    return ", ".join(f"{word} {name}" for word, name in named if name is not None)


def _listed(names: Any, most: int = 12) -> str:
    shown = [visible(name, 60) for name in list(names)[:most]]
    return ", ".join(shown) + (_(" and %(n)s more") % {"n": len(names) - most} if len(names) > most else "")
