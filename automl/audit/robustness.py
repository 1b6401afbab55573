"""The robustness section: everything that asks what the results would be under other inputs, rows, cuts and draws. One function a kind of run."""

from __future__ import annotations

from typing import Any

from automl.audit.label_flips import measure_label_flips
from automl.audit.memory import measure_label_noise, measure_membership
from automl.audit.operating import measure_operating_characteristics
from automl.audit.outcomes import Outcomes
from automl.audit.perturbations import measure_perturbations
from automl.audit.shared_rows import measure_shared_rows
from automl.audit.shift import measure_shift
from automl.audit.subject import OutcomesOf, Subject
from automl.audit.threshold_curve import measure_threshold_curve
from automl.audit.time_order import measure_time_order
from automl.audit.variation import measure_seeds, measure_splits
from automl.data.splits import Rows
from automl.evidence import NotMeasured, RobustnessSection
from automl.learn.model import FittedModel
from automl.learn.reseeded import Reseeded
from automl.spec import AuditPolicy, TaskSpec

ELSEWHERE = NotMeasured(reason="the predictions were made elsewhere: there is no model here to ask again, and its training rows are not known")
NOTE = (
    "Disturbances are artificial: they say how much the results depend on exact inputs, not which errors future inputs will have. What is measured here describes this model and the audited rows, "
    "and nothing was chosen by it."
)
NOTE_OF_PREDICTIONS = "What is measured here describes these predictions and the audited rows, and nothing was chosen by it."


def measure_robustness(model: FittedModel, train: Rows, audit: Rows, outcomes: Outcomes, outcomes_of: OutcomesOf, policy: TaskSpec, again: Reseeded | NotMeasured) -> RobustnessSection:
    """Of a model trained here. ``outcomes``: of the audited rows; ``outcomes_of``: makes outcomes of rows and predictions, at the deployed cut; ``again``: its like, of other seeds."""
    subject = Subject(model, train, audit, outcomes_of, policy.seed)
    undisturbed, found = measure_perturbations(subject, policy.reference)
    return RobustnessSection(
        metric=model.problem.metric, decisions=outcomes.task != "regression", undisturbed=undisturbed, noise=found["noise"],
        missing=found["missing"], rounding=found["rounding"], shift=measure_shift(subject), seeds=measure_seeds(subject, again), splits=measure_splits(subject),
        threshold_curve=measure_threshold_curve(outcomes, policy.reference),
        operating_characteristics=measure_operating_characteristics(outcomes, policy.limit.ratio, policy.reference, seed=policy.seed),
        label_noise=measure_label_noise(subject), membership=measure_membership(subject), label_flips=measure_label_flips(outcomes, seed=policy.seed),
        shared_rows=measure_shared_rows(subject, outcomes), time_order=measure_time_order(subject, outcomes, policy.time), note=NOTE)


def robustness_of_predictions(outcomes: Outcomes, policy: AuditPolicy) -> RobustnessSection:
    """Of predictions made elsewhere: what needs neither the model nor its training rows."""
    absent: dict[str, Any] = dict.fromkeys(("undisturbed", "noise", "missing", "rounding", "shift", "seeds", "splits", "label_noise", "membership"), ELSEWHERE) | {
        "shared_rows": NotMeasured(reason="the predictions were made elsewhere: which rows their model learned from is not known"), "time_order": NotMeasured(reason="predictions made elsewhere are not followed over time in this version")}
    return RobustnessSection(
        metric="", decisions=outcomes.task != "regression", **absent, threshold_curve=measure_threshold_curve(outcomes, policy.reference),
        operating_characteristics=measure_operating_characteristics(outcomes, policy.limit.ratio, policy.reference, seed=policy.seed),
        label_flips=measure_label_flips(outcomes, seed=policy.seed), note=NOTE_OF_PREDICTIONS)
