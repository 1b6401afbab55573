"""Four questions that lead to the fairness metric that governs, and the sentences that say why. No measure is right for all uses, and with unequal base rates
they cannot all be equal: people say what the decision does, and the tree what follows from it.

    Is it measured by selection rates?  yes: ratio of selection rates
    Is the recorded outcome true?       no, or none is recorded: difference of selection rates (of a number: of mean predictions)
                                        yes, and a number is predicted: difference of mean errors
    Do people read the score?           yes: calibration within groups
    Which error does more harm?         refused: true positive rates; granted: predictive values; both: true and false positive rates
"""

from __future__ import annotations

from automl.errors import BadInput
from automl.evidence import GoverningChoice
from automl.spec import OF_NUMBERS, AuditPolicy, FairnessAnswers, GoverningMetric, TaskKind

RATES = "A law, a contract or a policy measures these decisions by how often each group gets the good outcome."
NO_RATES = "No law, contract or policy measures these decisions by how often each group gets the good outcome."
NOT_RECORDED = "No true outcome is recorded, so errors cannot be compared between groups."
NOT_TRUSTED = "The recorded outcome may itself be unequal between groups; errors that are counted against it would repeat that."
TRUSTED = "The recorded outcome is taken to say as truly of every group who deserved the good outcome."
NUMBER_TRUSTED = "The recorded number is taken to be as true of every group."
SCORE = "People read the score, so the same score should mean the same in every group."
DECISION = "People act on the decision, not on the score."
WORSE: dict[str, tuple[GoverningMetric, str]] = {
    "refused": ("equal_opportunity_difference", "Refusing the good outcome to somebody who deserved it does more harm than granting it to somebody who did not."),
    "granted": ("predictive_parity_difference", "Granting the good outcome to somebody who did not deserve it does more harm than refusing it to somebody who did."),
    "both": ("equalized_odds_difference", "Both errors, a good outcome refused and one granted wrongly, do comparable harm."),
}


def recommend(answers: FairnessAnswers, task: TaskKind, *, recorded: bool) -> tuple[GoverningMetric, tuple[str, ...]]:
    """The metric that the answers lead to, and the way there. ``recorded``: whether the table holds the true outcome.

    Raises BadInput where the way comes to a question without an answer."""
    number, why = task == "regression", list[str]()
    if not number:
        if _answer(answers, "measured_by_rates") == "yes":
            return "demographic_parity_ratio", (RATES,)
        why.append(NO_RATES)
    if not recorded or _answer(answers, "outcome_trusted") == "no":
        why.append(NOT_TRUSTED if recorded else NOT_RECORDED)
        return "mean_prediction_difference" if number else "demographic_parity_difference", tuple(why)
    if number:
        return "mean_error_difference", (NUMBER_TRUSTED,)
    why.append(TRUSTED)
    if _answer(answers, "used_as") == "score":
        return "calibration_within_groups", (*why, SCORE)
    metric, worse = WORSE[_answer(answers, "worse")]
    return metric, (*why, DECISION, worse)


def governing_choice(policy: AuditPolicy, task: TaskKind, *, recorded: bool) -> GoverningChoice | None:
    """What the policy says of the metric that governs, before anything is measured; None where nobody said anything.

    Raises BadInput where the metric does not fit the task, or an answer is missing."""
    asked = policy.governing
    if asked is None:
        return None
    recommended, rationale = (None, ()) if asked.answers is None else recommend(asked.answers, task, recorded=recorded)
    metric = asked.metric or recommended
    assert metric is not None, "the spec refuses neither"
    if (metric in OF_NUMBERS) != (task == "regression"):
        fits = "predicted numbers" if metric in OF_NUMBERS else "decisions between classes"
        raise BadInput(f"governing: {metric!r} is about {fits}, and the task is {task}", pointer="/governing/metric")
    return GoverningChoice(metric=metric, chosen_by="questions" if asked.metric is None else "person", recommended=recommended, rationale=rationale, reason=asked.reason)


def _answer(answers: FairnessAnswers, question: str) -> str:
    said: str | None = getattr(answers, question)
    if said is None:
        raise BadInput(f"governing: {question!r} needs an answer to choose the metric that governs", pointer=f"/governing/answers/{question}")
    return said
