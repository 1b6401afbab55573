"""The story: a table becomes a model and its evidence; or somebody else's predictions become evidence. One screen each.

The order is the point. The audit part is set aside before anything is fitted, the plan is sealed before it is opened, and nothing that is
learnt from it flows back (evidence rule 1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from automl.audit.cohorts import measure_cohorts
from automl.audit.conditions import columns_of, columns_of_groups
from automl.audit.counts import evidence_files
from automl.audit.explanation import measure_explanation
from automl.audit.fairness import compared_with, measure_fairness
from automl.audit.findings import write_findings
from automl.audit.front import measure_front, models_kept
from automl.audit.leaderboard import measure_leaderboard
from automl.audit.local_law_144 import measure_local_law_144
from automl.audit.missing_cells import missing_by_group
from automl.audit.mitigation import measure_mitigation
from automl.audit.outcomes import Outcomes, groups_of
from automl.audit.outside_alternatives import alternatives_of_predictions
from automl.audit.performance import measure_performance
from automl.audit.reasons.measure import Reasoned, measure_reasons
from automl.audit.reasons.rows import FILE as REASONS_FILE, reasons_csv
from automl.audit.representation import check_population, representation
from automl.audit.robustness import measure_robustness, robustness_of_predictions
from automl.audit.slices import find_slices, measure_slices, slices_of_predictions
from automl.bundle import write_bundle
from automl.card import write_card
from automl.charts import draw_charts
from automl.crosswalk import crosswalk_section
from automl.data.predictions import read_predictions
from automl.data.quality import find_quality_issues
from automl.data.repeats import leave_out_repeats
from automl.data.splits import Problem, Rows, Split, resolve_problem, split_table
from automl.data.tables import Table, TableLimits, read_table
from automl.errors import BadInput, Stopped
from automl.evidence import Evidence, Finding, Front, NotMeasured, RunInfo, SplitInfo, TargetInfo, digest_of
from automl.export.onnx_export import FILE, Export, export_model
from automl.hooks import Hooks, Progress
from automl.learn.calibration import IDENTITY
from automl.learn.deadline import Deadline
from automl.learn.ensemble import candidates, combined, ensemble_not_taken, fit_best, search_section
from automl.learn.mitigation.alternatives import Prepared, prepare
from automl.learn.model import FittedModel
from automl.learn.predictions import to_predictions
from automl.learn.reseeded import reseeded
from automl.learn.search import SearchResult, search, usable_threads
from automl.learn.shared_search import search_together
from automl.provenance import provenance
from automl.question_tree import governing_choice
from automl.sections import (
    baseline_outcomes,
    data_section,
    design_section,
    outcomes_of_model,
    outcomes_of_predictions,
    seal_plan,
    target_info,
    write_predictions,
)
from automl.spec import LEFT_OUT, AuditPolicy, OptionalPart, PredictionsSpec, TaskSpec

T = TypeVar("T")

FORESEEN = ("performance", "fairness", "mitigation", "explanation", "slices", "robustness", "reasons", "export", "findings", "charts")


def run_training(
    spec: TaskSpec, table: Path, out: Path, hooks: Hooks, *, run: Mapping[str, Any], test: Path | None = None, trials: Path | None = None,
    audit_number: int = 1, limits: TableLimits | None = None, spent_seconds: float = 0.0, started: float | None = None,
) -> Evidence:
    """Train on ``table``, audit on its audit part (or on ``test``), and seal model and evidence in the folder ``out``.

    ``run``: {id, title, parent}. ``trials``: where finished trials lie and are left, so that a later attempt takes them up.
    ``started``: when the budget began, in seconds since 1970 (default: this process's start). Raises BadInput, and Stopped on "cancel".
    """
    started_at, deadline = datetime.now(UTC), Deadline(spec.budget.seconds, started=started, spent=spent_seconds)
    source, problem, split, told = _set_aside(spec, table, test, hooks, limits)
    governing = governing_choice(spec, problem.task, recorded=True)
    result = _search(split, problem, spec, hooks, trials or out.with_name("trials"), deadline)
    hooks.progress(Progress("ensemble"))
    model = fit_best(result, split, problem, spec)
    front, others = _front(result, model, split, problem, spec)
    hooks.progress(Progress("ensemble", 1, 3, note="the same with other seeds"))
    again = _unless_left_out(spec, "robustness", lambda: reseeded(result, model, split.train, problem, spec, lambda: _end_if_cancelled(hooks)))
    hooks.progress(Progress("ensemble", 2, 3, note="alternatives to the model"))
    alternatives = _unless_left_out(spec, "mitigation", lambda: prepare(result, model, split.train, problem, spec, others, lambda: _end_if_cancelled(hooks)))
    plan = seal_plan(spec, split.bins, cut_rule=_cut_rule(problem, model.threshold), audit_number=audit_number, alternatives=_frozen(alternatives), governing=governing,
                     sealed_at="after the model was fitted, before the audit part was opened" if problem.task == "regression" else
                     "after the model was fitted, its cut-off chosen and the alternatives to it frozen, before the audit part was opened", number=problem.task == "regression")
    step = _Evidence(hooks)
    unlearned, kinds = outcomes_of_model(problem, split.train, model.out_of_fold, model.threshold), problem.schema.kinds
    suspected = _unless_left_out(spec, "slices", lambda: find_slices(columns_of(split.train, kinds), unlearned, seed=spec.seed))
    audit = split.open_audit(plan)
    predictions = model.predict(audit.features)
    outcomes = outcomes_of_model(problem, audit, predictions, model.threshold)
    performance = step.done("performance", measure_performance(outcomes, seed=spec.seed, baselines=baseline_outcomes(split, problem, audit), out_of_fold=unlearned))
    fairness = step.done("fairness", measure_fairness(outcomes, spec, bins=split.bins, seed=spec.seed))
    law = measure_local_law_144(outcomes, spec, trained=True)
    mitigation = step.done("mitigation", measure_mitigation(
        alternatives, model, audit, predictions, outcomes, profile=spec.profile, seed=spec.seed))
    explanation = step.done("explanation", measure_explanation(
        model, audit, split.train, problem, seed=spec.seed, reference=compared_with(fairness), threshold=model.threshold, texts=problem.schema.texts,
        checks="explanation_checks" not in spec.leave_out, named=spec.explain_rows, named_learned=test is None))
    reasons = step.done("reasons", _reasons(model, audit, split.train, outcomes, problem, spec))
    slices = step.done("slices", measure_slices(
        suspected, columns_of(audit, kinds), outcomes, discovered_on="training rows, by out-of-fold predictions", confirmed_on="the audit part"))
    cohorts = measure_cohorts(columns_of(audit, kinds), outcomes, spec, bins=split.bins, measured_on="the audit part")
    robustness = step.done("robustness", _unless_left_out(spec, "robustness", lambda: measure_robustness(
        model, split.train, audit, outcomes, lambda rows, predicted: outcomes_of_model(problem, rows, predicted, model.threshold), spec, again)))
    export = step.done("export", export_model(model, split.train.features, spec.seed))
    rivals = candidates(result, model, split, ensemble_not_taken(result, split, problem, spec))
    leaderboard = measure_leaderboard(rivals, problem, audit, lambda predicted, cut: outcomes_of_model(problem, audit, predicted, cut), reference=spec.reference, seed=spec.seed)
    data = data_section(source, problem.columns, target=target_info(problem, split.all_targets), split=split.info, unknown=split.unknown,
                        left_out=split.left_out, quality=(*find_quality_issues(source), *told), missing=missing_by_group((split.train, audit)),
                        shares=representation((unlearned, outcomes), spec.population, spec.seed))
    section = search_section(result, model, leaderboard, split, front)
    evidence = _document(
        spec, run, "training", step, plan=plan, design=design_section(spec, trained=True), data=data, search=section, performance=performance, fairness=fairness,
        local_law_144=law, explanation=explanation, mitigation=mitigation, reasons=reasons.section, slices=slices, cohorts=cohorts, robustness=robustness,
        provenance=provenance(spec, dataset_sha256=source.sha256, model_sha256=model.sha256, threads=result.threads, started_at=started_at, onnx=export.evidence,
                              devices=result.devices),
    )
    return _seal(evidence, out, step, outcomes, audit.position, lambda folder: _save(model, export, folder), others, _reasons_file(reasons, audit))


def run_part(
    spec: TaskSpec, table: Path, hooks: Hooks, *, trials: Path, test: Path | None = None, limits: TableLimits | None = None, spent_seconds: float = 0.0,
    started: float | None = None,
) -> None:
    """Search as one more part of a run that another process leads. Leaves trials, and nothing else; the audit part stays shut.

    Raises BadInput, and Stopped on "cancel". ``hooks.shared_study()`` must not be None.
    """
    deadline = Deadline(spec.budget.seconds, started=started, spent=spent_seconds)
    _, problem, split, _ = _set_aside(spec, table, test, hooks, limits)
    _search(split, problem, spec, hooks, trials, deadline)


def _set_aside(spec: TaskSpec, table: Path, test: Path | None, hooks: Hooks, limits: TableLimits | None) -> tuple[Table, Problem, Split, tuple[Finding, ...]]:
    hooks.progress(Progress("read"))
    source = read_table(table, spec.table, spec.missing, limits)
    problem = resolve_problem(spec, source)
    if beyond := [row for row in spec.explain_rows if row >= source.rows and test is None]:
        raise BadInput(f"explain_rows: there is no row {beyond[0]}; the rows of this table are 0 to {source.rows - 1}", pointer="/explain_rows")
    hooks.progress(Progress("split"))
    split = split_table(source, spec, problem, None if test is None else read_table(test, spec.table, spec.missing, limits))
    check_population(spec.population, {name: groups_of(groups) for name, groups in split.train.groups.items()})
    problem, split, told = leave_out_repeats(source, spec, problem, split)
    return source, problem, split, told


def _search(split: Split, problem: Problem, spec: TaskSpec, hooks: Hooks, trials: Path, deadline: Deadline) -> SearchResult:
    shared = hooks.shared_study()
    return search(split, problem, spec, hooks, trials, deadline) if shared is None else search_together(split, problem, spec, hooks, trials, deadline, shared)


def run_audit_of_predictions(
    spec: PredictionsSpec, table: Path, out: Path, hooks: Hooks, *, run: Mapping[str, Any], audit_number: int = 1, limits: TableLimits | None = None,
) -> Evidence:
    """Audit the predictions in ``table``, made by somebody else's model, through the same rooms; seal the evidence in ``out``."""
    started_at = datetime.now(UTC)
    hooks.progress(Progress("read"))
    source = read_table(table, spec.table, spec.missing, limits)
    rows = read_predictions(source, spec)
    check_population(spec.population, {name: groups_of(groups) for name, groups in rows.groups.items()})
    outcomes = outcomes_of_predictions(rows)
    plan = seal_plan(spec, rows.bins, cut_rule=rows.threshold.chosen_on if rows.threshold else "decisions as given in the table", audit_number=audit_number,
                     governing=governing_choice(spec, rows.task, recorded=rows.truth is not None), sealed_at="after the table was read, before anything was measured", number=rows.task == "regression")
    step = _Evidence(hooks)
    performance = step.done("performance", measure_performance(outcomes, seed=spec.seed))
    fairness = step.done("fairness", measure_fairness(outcomes, spec, bins=rows.bins, seed=spec.seed))
    law = measure_local_law_144(outcomes, spec, trained=False)
    mitigation = step.done("mitigation", _unless_left_out(spec, "mitigation", lambda: alternatives_of_predictions(outcomes, spec)))
    slices = step.done("slices", _unless_left_out(spec, "slices", lambda: slices_of_predictions(outcomes, seed=spec.seed)))
    cohorts = measure_cohorts(columns_of_groups(outcomes.groups), outcomes, spec, bins=rows.bins, measured_on="every row")
    robustness = step.done("robustness", _unless_left_out(spec, "robustness", lambda: robustness_of_predictions(outcomes, spec)))
    no_model = NotMeasured(reason="the predictions were made elsewhere: there is no model here to look into")
    target = TargetInfo(name=spec.label or spec.decision or str(spec.score), task=rows.task, inferred=True, labels=rows.labels, positive=rows.positive,
                        favourable=rows.favourable)
    data = data_section(
        source, rows.columns, target=target, split=SplitInfo(method="none", seed=spec.seed, train=0, audit=outcomes.rows, detail="every row is audited"),
        unknown={name: int((groups == None).sum()) for name, groups in rows.groups.items()},  # noqa: E711 - elementwise
        left_out=rows.left_out, quality=find_quality_issues(source), shares=representation((outcomes,), spec.population, spec.seed))
    evidence = _document(
        spec, run, "predictions", step, plan=plan, design=design_section(spec, trained=False), data=data, search=no_model, performance=performance,
        fairness=fairness, local_law_144=law, explanation=no_model, reasons=no_model, mitigation=mitigation, slices=slices, cohorts=cohorts, robustness=robustness,
        provenance=provenance(spec, dataset_sha256=source.sha256, model_sha256=None, threads=usable_threads(spec.threads), started_at=started_at,
                              onnx=NotMeasured(reason=no_model.reason)),
    )
    return _seal(evidence, out, step, outcomes, rows.position, None)


@dataclass
class _Evidence:
    """Tells how far the evidence is, and hears "cancel" between its parts ("finish" changes nothing any more)."""

    hooks: Hooks
    finished: int = 0

    def __post_init__(self) -> None:
        self.hooks.progress(Progress("evidence", 0, len(FORESEEN), note=FORESEEN[0]))

    def done(self, part: str, result: Any) -> Any:
        self.finished += 1
        if self.hooks.stop_requested() == "cancel":
            raise Stopped
        self.hooks.progress(Progress("evidence", self.finished, len(FORESEEN), note=part))
        return result


def _unless_left_out(spec: AuditPolicy, part: OptionalPart, measure: Callable[[], T]) -> T | NotMeasured:
    return NotMeasured(reason=LEFT_OUT) if part in spec.leave_out else measure()


def _end_if_cancelled(hooks: Hooks) -> None:
    if hooks.stop_requested() == "cancel":
        raise Stopped


def _frozen(alternatives: Prepared | NotMeasured) -> str:
    return "" if isinstance(alternatives, NotMeasured) else alternatives.sha256


def _save(model: FittedModel, export: Export, folder: Path) -> None:
    model.save(folder)
    if export.content is not None:
        (folder / FILE).write_bytes(export.content)


def _reasons(model: FittedModel, audit: Rows, train: Rows, outcomes: Outcomes, problem: Problem, spec: TaskSpec) -> Reasoned:
    found = _unless_left_out(spec, "reasons", lambda: measure_reasons(model, audit, train, outcomes, problem, spec))
    return Reasoned(found) if isinstance(found, NotMeasured) else found


def _reasons_file(reasons: Reasoned, audit: Rows) -> dict[str, bytes]:
    return {} if reasons.rows is None else {REASONS_FILE: reasons_csv(reasons.rows, audit.position)}


def _front(result: SearchResult, model: FittedModel, split: Split, problem: Problem, spec: TaskSpec) -> tuple[Front | None, dict[str, FittedModel]]:
    """What a search with two objectives found, and the models of its front that are kept beside the deployed one, by their folder in the bundle."""
    if spec.fairness_objective is None:
        return None, {}
    # the front is of trials as they are: a calibrated one decides otherwise
    alone = model.members[0].trial if len(model.members) == 1 and model.raw_map == IDENTITY else None
    others = {record.number: combined([(record, 1.0)], result, split, problem, spec, calibrated=False) for record in models_kept(result) if record.number != alone}
    folders = {number: (f"front/{number}", other.sha256) for number, other in others.items()} | ({} if alone is None else {alone: ("model", model.sha256)})
    front = measure_front(
        result, model, lambda raw, threshold: outcomes_of_model(problem, split.train, to_predictions(raw, problem.task), threshold), spec.seed,
        asked=spec.sensitive if spec.fairness_objective.attribute is None else (spec.fairness_objective.attribute,), folders=folders)
    return front, {folders[number][0]: other for number, other in others.items()}


def _cut_rule(problem: Problem, threshold: Any) -> str:
    if problem.task == "regression":
        return "no cut: the outcome is a number"
    if threshold is None:
        return "the most probable class"
    return f"{problem.positive} from a probability of {threshold.value:.6g} on ({threshold.chosen_on})"


def _run_info(run: Mapping[str, Any], kind: Any, title: str) -> RunInfo:
    recorded = {name: run[name] for name in ("image", "kept_days", "log") if run.get(name)}
    return RunInfo.model_validate({"id": run["id"], "kind": kind, "title": run.get("title") or title, "parent": run.get("parent"), **recorded})


def _document(spec: AuditPolicy, run: Mapping[str, Any], kind: Any, step: _Evidence, **sections: Any) -> Evidence:
    """The whole document: the findings read the measured sections, the crosswalk all others, the digest everything."""
    evidence = Evidence(
        digest="", run=_run_info(run, kind, spec.title), spec=spec, **sections, findings=(), crosswalk=NotMeasured(reason="not yet"))
    evidence = evidence.model_copy(update={"findings": step.done("findings", write_findings(evidence))})
    evidence = evidence.model_copy(update={"crosswalk": crosswalk_section(evidence)})
    return evidence.model_copy(update={"digest": digest_of(evidence.model_dump(mode="json"))})


def _seal(
    evidence: Evidence, out: Path, step: _Evidence, outcomes: Outcomes, position: Any, save_model: Callable[[Path], object] | None,
    others: Mapping[str, FittedModel] | None = None, files: Mapping[str, bytes] | None = None,
) -> Evidence:
    write_bundle(
        out, evidence=evidence, charts=step.done("charts", draw_charts(evidence)), card=write_card(evidence),
        predictions=lambda path: write_predictions(path, outcomes, position), save_model=save_model,
        save_others={name: other.save for name, other in (others or {}).items()},
        files=evidence_files(outcomes, evidence.spec, evidence.fairness, evidence.local_law_144) | dict(files or {}),
    )
    return evidence
