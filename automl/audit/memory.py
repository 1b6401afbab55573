"""What the training rows tell of themselves: labels that the model's own out-of-fold probabilities contradict, and whether losses give away who was learned from."""

from __future__ import annotations

import numpy as np

from automl.audit.estimates import metric_estimates
from automl.audit.intervals import count, rate_estimate
from automl.audit.outcomes import FloatArray, IntArray, Outcomes
from automl.audit.shift import shares_by_group
from automl.audit.slices import log_losses
from automl.audit.subject import Subject, predictions_at, rows_at
from automl.evidence import Membership, NoisyLabels, NotMeasured

MEMBERS = 10_000
"""Rows of each side that are compared."""
LISTED_PAIRS = 10


def measure_label_noise(subject: Subject) -> NoisyLabels | NotMeasured:
    """Confident learning: a label is contradicted where, among the classes whose probability reaches what rows of that class have on average, another one is likeliest."""
    if subject.problem.task == "regression":
        return NotMeasured(reason="the check compares labels with the probabilities of classes, and a regression has none")
    probabilities, train = subject.model.out_of_fold.probabilities, subject.train
    assert probabilities is not None, "a classification has probabilities"
    y = np.asarray(train.y, dtype=np.int64)
    suggested = contradicting(y, probabilities)
    found = suggested != y
    pairs, counts = np.unique(np.column_stack([y, suggested])[found], axis=0, return_counts=True)
    labels = subject.problem.labels
    listed = sorted(((labels[a], labels[b], int(n)) for (a, b), n in zip(pairs, counts, strict=True)), key=lambda pair: (-pair[2], pair[0], pair[1]))
    return NoisyLabels(
        n=len(y), found=int(found.sum()), share=rate_estimate(count(found, train.weight, train.cluster)),
        by_group=shares_by_group(found, train.groups, train.weight, train.cluster), pairs=tuple(listed[:LISTED_PAIRS]),
        note="Training rows, by probabilities of fold models that had not seen them. A contradiction is a row to look at: the label may be wrong, the row may be rare, or the model may not know "
             "such rows well. The share depends on the model and is no estimate of how many labels are wrong.")


def contradicting(y: IntArray, probabilities: FloatArray) -> IntArray:
    """The label (n,) that each row's probabilities (n, k) make of it: its own unless confident learning finds another (Northcutt et al. 2021, equation 1)."""
    k = probabilities.shape[1]
    usual = np.array([probabilities[y == c, c].mean() if (y == c).any() else np.inf for c in range(k)])
    likely = np.where(probabilities >= usual, probabilities, -np.inf)
    return np.where(np.isfinite(likely).any(axis=1), likely.argmax(axis=1), y)


def measure_membership(subject: Subject) -> Membership | NotMeasured:
    """AUC of minus the loss. The deployed model scores its training rows itself: every fold model but one has learned from each of them."""
    members, others = (subject.some(rows, MEMBERS, name) for rows, name in ((subject.train, "members"), (subject.audit, "others")))
    drawn = np.searchsorted(subject.train.position, members.position)
    mine = _losses(subject.outcomes_of(members, subject.model.predict(members.features)))
    theirs = _losses(subject.outcomes_of(others, subject.model.predict(others.features)))
    unlearned = _losses(subject.outcomes_of(rows_at(subject.train, drawn), predictions_at(subject.model.out_of_fold, drawn)))
    if mine is None or theirs is None or unlearned is None:
        return NotMeasured(reason="the rows have no loss to compare: there are no labels or no probabilities")
    clusters = None
    if members.cluster is not None and others.cluster is not None:
        # persons of the two parts are different ones, also where each part counts its own from 0
        clusters = np.concatenate([members.cluster, others.cluster + int(members.cluster.max()) + 1])

    def auc(losses: FloatArray) -> Outcomes:
        learned = np.r_[np.ones(len(losses)), np.zeros(len(theirs))].astype(np.int64)
        return Outcomes("binary", ("not learned", "learned"), "learned", ("learned",), learned, -np.concatenate([losses, theirs]), None, cluster=clusters)

    values = [metric_estimates(auc(losses), seed=subject.seed, names=["roc_auc"])["roc_auc"] for losses in (mine, unlearned)]
    return Membership(
        members=len(members), others=len(others), auc=values[0], control=values[1],
        note="An AUC of 0.5 means that the loss does not tell the two apart. It speaks of the average row and of an attacker who knows the label and asks the model once; single rare rows can be easier "
             "to tell than the average. Rows count once each, whatever their weight.")


def _losses(outcomes: Outcomes) -> FloatArray | None:
    if outcomes.task != "regression":
        return log_losses(outcomes)
    if outcomes.truth is None or outcomes.score is None:
        return None
    return np.asarray((np.asarray(outcomes.truth, dtype=np.float64) - outcomes.score) ** 2)

